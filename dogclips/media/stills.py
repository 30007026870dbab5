"""A few frames of a clip side by side: enough for a person to see whether its label is wrong."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dogclips.errors import MediaError
from dogclips.media.footage import Footage
from dogclips.media.many import of_each
from dogclips.media.pyavprobe import probe_with_pyav

NUM_FRAMES = 3  # first, middle and last
_GAP = 2  # white columns between two frames


def strip(path: Path, width: int) -> NDArray[np.uint8]:
    """Return the first, the middle and the last frame of a clip in one row.

    Parameters
    ----------
    width
        Columns of one frame at most; smaller frames are not enlarged.

    Returns
    -------
    NDArray
        (rows, columns, 3), RGB, upright, with square pixels. A clip of fewer frames shows some of
        them twice.

    Raises
    ------
    MediaError
        The file is no video, has no camera or no timestamps, or does not decode.
    """
    cameras = probe_with_pyav(path).cameras
    if not cameras or not len(cameras[0].pts):
        raise MediaError("no video stream with frames", where=path, todo="cut it again")
    stream, footage = cameras[0], Footage(path)
    places = [round(n * (len(stream.pts) - 1) / (NUM_FRAMES - 1)) for n in range(NUM_FRAMES)]
    seen = [footage.picture(stream, place, width) for place in places]
    gap = np.full((len(seen[0]), _GAP, 3), 255, dtype=np.uint8)
    parts = [part for picture in seen for part in (gap, picture)]
    return np.concatenate(parts[1:], axis=1)


def strips(
    paths: Sequence[Path], width: int, *, progress: Callable[[int], None] = lambda _: None
) -> list[NDArray[np.uint8] | MediaError]:
    """Return the strips of clips, made side by side; a bad clip becomes its error.

    Parameters
    ----------
    progress
        Called with the number of clips that were read since the last call.
    """
    return of_each(partial(strip, width=width), paths, progress)
