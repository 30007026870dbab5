"""Do the same work on many items, in processes of this machine.

The processes do not import the caller's script, so that it needs no `__main__` guard, and they
leave Ctrl-C to the caller. When it stops waiting for results, whether it was told to, failed or
was killed, they end at once, in the middle of their work.
"""

import gc
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from functools import partial
from importlib.machinery import ModuleSpec
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from multiprocessing.resource_tracker import ensure_running
from typing import Any, TypeVar, cast

from dogclips.errors import MediaError, OutputError

Item = TypeVar("Item")
Made = TypeVar("Made")

# Two processes start in half a second, in which one measures some 20 files of three minutes.
_WORTH_PROCESSES = 64
_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_PROGRAMS: set["subprocess.Popen[bytes]"] = set()  # that threads wait for


def in_processes(
    work: Callable[[Item], Made],
    items: Sequence[Item],
    workers: int,
    doing: str,
    todo: str = "run the same again",
) -> Generator[tuple[int, Made]]:
    """Yield the index of each item and what `work` returns for it, as it is finished.

    `work` is a function of a module, or a `partial` of one. Closing the iterator ends the
    processes; what they were working on is left as it is. For one worker, or one item, no process
    is started.

    Raises
    ------
    OutputError
        A process was killed; `doing` says what it did, `todo` what to do. What `work` raises is
        raised here, too.
    """
    if min(workers, len(items)) <= 1:
        yield from enumerate(map(work, items))
        return
    what = f"a process that {doing} was killed, perhaps because memory ran out"
    killed = OutputError(what, where=f"{workers} workers", todo=todo)
    started: dict[Connection, BaseProcess] = {}
    ensure_running()  # else the first start does, and lets signals through
    try:
        with _signals_held(), _nameless_main():
            for _ in range(min(workers, len(items))):
                _start(work, started)
        yield from _results(list(started), iter(enumerate(items)), killed)
    finally:
        for process in started.values():
            process.kill()
        for process in started.values():
            process.join()


def of_each(
    read: Callable[[Item], Made],
    items: Sequence[Item],
    progress: Callable[[int], None] = lambda _: None,
    *,
    workers: int | None = None,
    in_threads: bool = False,
) -> list[Made | MediaError]:
    """Return what `read` makes of each file or clip; a bad one becomes its error.

    `workers` are processes at once, if there is enough to do for them; None for one per core. They
    are threads where `read` waits for another program (`in_threads`): with PyAV, which hands its
    lock over with each packet, two threads are slower than one.
    """
    attempt = partial(_attempt, read)
    workers = os.cpu_count() or 1 if workers is None else workers
    if in_threads:
        with in_threads_of(workers) as pool:
            return list(pool.map(attempt, items))
    if len(items) < _WORTH_PROCESSES:
        workers = 1
    found: dict[int, Made | MediaError] = {}
    with closing(in_processes(attempt, items, workers, "reads files")) as made:
        for index, one in made:
            found[index] = one
            progress(1)
    return [found[index] for index in range(len(items))]


@contextmanager
def in_threads_of(workers: int) -> Iterator[ThreadPoolExecutor]:
    """Yield threads whose work is waited for, but not by who is told to stop.

    Then the programs that they have started end as well; see `ends_with_us`.
    """
    pool = ThreadPoolExecutor(workers)
    try:
        yield pool
    except Exception:
        pool.shutdown()
        raise
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        for process in list(_PROGRAMS):
            end_group(process)
        raise
    pool.shutdown()


@contextmanager
def ends_with_us(process: "subprocess.Popen[bytes]") -> Iterator[None]:
    """End a program that leads a group of its own if the block fails, or its thread is given up."""
    _PROGRAMS.add(process)
    try:
        yield
    except BaseException:
        end_group(process)
        process.communicate()
        raise
    finally:
        _PROGRAMS.discard(process)


def end_group(process: "subprocess.Popen[bytes]") -> None:
    """Kill a program and all that it has started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _attempt(read: Callable[[Item], Made], item: Item) -> Made | MediaError:
    try:
        return read(item)
    except MediaError as error:
        return error


def _results(
    idle: list[Connection], left: Iterator[tuple[int, Any]], killed: OutputError
) -> Iterator[tuple[int, Any]]:
    """Give each process an item as soon as it has none."""
    busy: dict[Connection, int] = {}
    finished: list[tuple[int, Any, Exception | None]] = []
    while idle:
        with _deaths_noticed(killed):
            for line, (index, item) in zip(idle, left, strict=False):
                line.send(item)
                busy[line] = index
        for index, made, error in finished:
            if error is not None:
                raise error
            yield index, made
        with _deaths_noticed(killed):
            idle = cast("list[Connection]", wait(list(busy))) if busy else []
            finished = [(busy.pop(line), *line.recv()) for line in idle]


def _start(work: Callable[[Any], object], started: dict[Connection, BaseProcess]) -> None:
    context = multiprocessing.get_context("spawn")  # forking a threaded process can deadlock
    line, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, work), daemon=True)
    process.start()
    started[line] = process
    theirs.close()  # only the process holds it, so that its death closes the line


@contextmanager
def _deaths_noticed(killed: OutputError) -> Iterator[None]:
    try:
        yield
    except (EOFError, ConnectionError) as error:
        raise killed from error


@contextmanager
def _nameless_main() -> Iterator[None]:
    """Let processes that are started meanwhile not import what runs as `__main__` here.

    None imports a main module that bears this very name, as that of `python -m` does.
    """
    main = sys.modules["__main__"]
    spec = getattr(main, "__spec__", None)
    main.__spec__ = ModuleSpec("__main__", None)
    try:
        yield
    finally:
        main.__spec__ = spec


@contextmanager
def _signals_held() -> Iterator[None]:
    """Hold back Ctrl-C and its like; processes that are started meanwhile begin without them.

    The mask is for those processes, which inherit it. Here another thread may take the signal, so
    that its handler has to wait as well.
    """
    held: list[int] = []
    handlers = {}
    if threading.current_thread() is threading.main_thread():  # only there handlers run
        for number in _SIGNALS:
            handlers[number] = signal.signal(number, lambda got, _: held.append(got))
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        for number, handler in handlers.items():
            signal.signal(number, handler or signal.SIG_DFL)
        for got in held[:1]:
            signal.raise_signal(got)


def _serve(line: Connection, work: Callable[[Any], object]) -> None:
    """Work on one item after the other until the caller ends this process, or itself."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
    threading.Thread(target=_end_with_caller, daemon=True).start()
    gc.freeze()  # what is loaded by now stays: a look for garbage after each item is short
    with suppress(EOFError, ConnectionError):  # nobody waits any more
        while True:
            item = line.recv()
            try:
                line.send((work(item), None))
            except Exception as error:  # noqa: BLE001 (raised again by who waits for it)
                error.add_note(f"in a process of its own:\n{traceback.format_exc()}")
                line.send((None, error))


def _end_with_caller() -> None:
    caller = multiprocessing.parent_process()
    if caller is not None:
        wait([caller.sentinel])
        os._exit(1)
