"""Measure files with whichever probe this machine has."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from dogclips.errors import MediaError
from dogclips.media import ffprobe
from dogclips.streams import StreamTable


def probe(path: Path, *, deep: bool = False) -> StreamTable:
    """Measure every stream of a file with ffprobe, or with PyAV where ffprobe is missing.

    Raises
    ------
    MediaError
        The file is missing or no container that we read.
    """
    if ffprobe.is_installed():
        return ffprobe.probe_with_ffprobe(path, deep=deep)
    from dogclips.media import pyavprobe  # noqa: PLC0415 (av takes longer to import than to probe)

    return pyavprobe.probe_with_pyav(path, deep=deep)


def probe_many(paths: Sequence[Path], *, deep: bool = False) -> list[StreamTable | MediaError]:
    """Measure several files side by side; a bad one becomes its error and stops no other."""

    def measured(path: Path) -> StreamTable | MediaError:
        try:
            return probe(path, deep=deep)
        except MediaError as error:
            return error

    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        return list(pool.map(measured, paths))
