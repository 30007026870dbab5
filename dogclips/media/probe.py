"""Measure files with whichever probe this machine has."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Literal

from dogclips.errors import MediaError
from dogclips.media import ffprobe
from dogclips.media.processes import in_processes
from dogclips.streams import StreamTable

# Both give the same table. PyAV is several times faster, but a file that crashes FFmpeg takes the
# whole program along, and nothing stops one that hangs it.
Reader = Literal["auto", "ffprobe", "pyav"]


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
    if deep or reader == "ffprobe" or (reader == "auto" and ffprobe.is_installed()):
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            return list(pool.map(measure, paths))
    return list(in_processes(measure, paths))


def _measured(path: Path, *, deep: bool, reader: Reader) -> StreamTable | MediaError:
    try:
        return probe(path, deep=deep, reader=reader)
    except MediaError as error:
        return error
