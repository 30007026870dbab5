"""Measure files with whichever probe this machine has."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Literal

from dogclips.errors import MediaError
from dogclips.media import ffprobe
from dogclips.processes import of_each
from dogclips.streams import StreamTable

# Both give the same table. PyAV is several times faster, but a file that crashes FFmpeg takes the
# whole program along, and nothing stops one that hangs it.
Reader = Literal["auto", "ffprobe", "pyav"]


def probe_file(path: Path, *, deep: bool = False, reader: Reader = "auto") -> StreamTable:
    """Measure every stream of a file with ffprobe, or with PyAV where ffprobe is missing."""
    if reader == "ffprobe" or (reader == "auto" and ffprobe.is_installed()):
        return ffprobe.probe_with_ffprobe(path, deep=deep)
    from dogclips.media import pyavprobe  # noqa: PLC0415 (av takes longer to import than to probe)

    return pyavprobe.probe_with_pyav(path, deep=deep)


def probe_many(
    paths: Sequence[Path], *, deep: bool = False, reader: Reader = "auto"
) -> list[StreamTable | MediaError]:
    """Measure several files side by side; a bad one becomes its error and stops no other."""
    measure = partial(probe_file, deep=deep, reader=reader)
    in_threads = deep or reader == "ffprobe" or (reader == "auto" and ffprobe.is_installed())
    return of_each(measure, paths, in_threads=in_threads)
