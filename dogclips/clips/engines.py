"""Where units of work are cut: in processes of this machine. The plan does not know."""

import gc
import multiprocessing
import os
import signal
import threading
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import connection
from multiprocessing.synchronize import Event

from dogclips.clips.units import Engine, Unit, cut_unit
from dogclips.errors import OutputError
from dogclips.media.encoding import ClipOutcome


def local_engine(workers: int | None = None) -> Engine:
    """Cut in processes of this machine; None means one for each core."""

    def run(units: Sequence[Unit]) -> Generator[list[ClipOutcome]]:
        count = min(workers or os.cpu_count() or 1, len(units))
        return _in_processes(units, count) if count > 1 else (list(cut_unit(u)) for u in units)

    return run


def _in_processes(units: Sequence[Unit], workers: int) -> Generator[list[ClipOutcome]]:
    context = multiprocessing.get_context("spawn")  # forking a threaded process can deadlock
    stop = context.Event()
    with ProcessPoolExecutor(workers, context, initializer=_prepare, initargs=(stop,)) as pool:
        try:
            with _deaf():
                futures = [pool.submit(_cut_unless_stopped, unit) for unit in units]
            yield from (future.result() for future in as_completed(futures))
        except BrokenProcessPool as error:
            raise OutputError(
                "a process that cuts clips was killed, perhaps for its memory",
                where=f"{workers} workers",
                todo="run the same command again with fewer --workers",
            ) from error
        finally:
            stop.set()
            pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def _deaf() -> Iterator[None]:
    """Hold back Ctrl-C and its like; processes that are started meanwhile never get them.

    The mask is for those processes, which inherit it. Here another thread may take the signal, so
    that its handler has to wait as well.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # handlers run in the main thread only
        return
    signals, held = (signal.SIGINT, signal.SIGTERM), list[int]()
    handlers = [signal.signal(number, lambda got, _: held.append(got)) for number in signals]
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        for number, handler in zip(signals, handlers, strict=True):
            signal.signal(number, handler or signal.SIG_DFL)
        for got in held[:1]:
            signal.raise_signal(got)


_stop: Event | None = None


def _prepare(stop: Event) -> None:
    """End when the parent wants it, or with it if it is killed."""
    global _stop  # noqa: PLW0603 (how a pool's initializer hands something to its tasks)
    _stop = stop
    gc.freeze()  # what is loaded by now stays: a look for garbage after each unit is short
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)  # nobody is left who would hear of it


def _cut_unless_stopped(unit: Unit) -> list[ClipOutcome]:
    """Cut a unit; give it up, without unfinished files, once the parent wants to end."""
    outcomes = []
    clips = cut_unit(unit)
    for outcome in clips:
        if _stop is not None and _stop.is_set():
            clips.close()
            return []
        outcomes.append(outcome)
    return outcomes
