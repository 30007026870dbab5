"""Measure files with whichever probe this machine has."""

import multiprocessing
import os
import signal
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Literal

from dogclips.errors import MediaError
from dogclips.media import ffprobe
from dogclips.streams import StreamTable

# Both give the same table. PyAV is several times faster, but a file that crashes FFmpeg takes the
# whole program along, and nothing stops one that hangs it.
Reader = Literal["auto", "ffprobe", "pyav"]
# Two processes start in half a second, in which one measures some 20 files of three minutes.
_WORTH_PROCESSES = 64


def probe(path: Path, *, deep: bool = False, reader: Reader = "auto") -> StreamTable:
    """Measure every stream of a file with ffprobe, or with PyAV where ffprobe is missing.

    Raises
    ------
    MediaError
        The file is missing or no container that we read.
    ToolMissingError
        ffprobe is wanted and not installed.
    """
    if reader == "ffprobe" or (reader == "auto" and ffprobe.is_installed()):
        return ffprobe.probe_with_ffprobe(path, deep=deep)
    from dogclips.media import pyavprobe  # noqa: PLC0415 (av takes longer to import than to probe)

    return pyavprobe.probe_with_pyav(path, deep=deep)


def probe_many(
    paths: Sequence[Path], *, deep: bool = False, reader: Reader = "auto"
) -> list[StreamTable | MediaError]:
    """Measure several files side by side; a bad one becomes its error and stops no other."""
    measure = partial(_measured, deep=deep, reader=reader)
    workers = os.cpu_count() or 1
    if deep or reader == "ffprobe" or (reader == "auto" and ffprobe.is_installed()):
        with ThreadPoolExecutor(workers) as pool:
            return list(pool.map(measure, paths))
    # PyAV hands its lock over with each packet: two threads are slower than one.
    if workers == 1 or len(paths) < _WORTH_PROCESSES:
        return [measure(path) for path in paths]
    context = multiprocessing.get_context("spawn")  # forking a threaded process can deadlock
    with ProcessPoolExecutor(workers, context, initializer=_leave_interrupts) as processes:
        return list(processes.map(measure, paths, chunksize=8))


def _measured(path: Path, *, deep: bool, reader: Reader) -> StreamTable | MediaError:
    try:
        return probe(path, deep=deep, reader=reader)
    except MediaError as error:
        return error


def _leave_interrupts() -> None:
    """Let the parent alone answer Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
