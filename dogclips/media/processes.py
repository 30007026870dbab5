"""The same work on many files, in processes where that pays."""

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import TypeVar

Result = TypeVar("Result")

# Two processes start in half a second, in which one measures some 20 files of three minutes.
_WORTH_PROCESSES = 64


def in_processes(work: Callable[[Path], Result], paths: Sequence[Path]) -> Iterator[Result]:
    """Yield what `work` returns for each path, in their order; few paths take no processes.

    PyAV hands its lock over with each packet: two threads are slower than one.
    """
    workers = os.cpu_count() or 1
    if workers == 1 or len(paths) < _WORTH_PROCESSES:
        yield from map(work, paths)
        return
    context = multiprocessing.get_context("spawn")  # forking a threaded process can deadlock
    with ProcessPoolExecutor(workers, context, initializer=_leave_interrupts) as processes:
        yield from processes.map(work, paths, chunksize=8)


def _leave_interrupts() -> None:
    """Let the parent alone answer Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
