"""What moves in a clip, in so few numbers that thousands of clips can be compared.

Cameras stand still, so that small pictures of all clips of one camera are alike. What differs is
what moves in them: the change from one fifth of a second to the next. It survives another codec,
size, frame rate or brightness, and another moment of the same scene looks different.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dogclips.media.footage import FileFootage, camera_of
from dogclips.streams import THUMBNAIL_COLUMNS, THUMBNAIL_ROWS

Thumbprint = NDArray[np.float32]

HOP_S = 0.1  # seconds from one vector of a thumbprint to the next
HOPS = 2  # hops in each of the two stretches of time that a vector compares
ROWS, COLUMNS = 6, 16
MOST_S = 10  # no more of a clip is looked at
_NOISE = 1.0  # gray levels by which a still picture's cells may change


def thumbprint(path: Path) -> Thumbprint:
    """Return what moves in the first camera of a clip, up to `MOST_S` seconds of it.

    Shape (N, ROWS * COLUMNS): N = 2 for 0.5 s, then one more for each `HOP_S`. Each vector is the
    mean picture of `HOPS` hops minus that of as many before them, without light that changes
    everywhere. Its length is near 1 where something moves and near 0 where nothing does.
    """
    stream = camera_of(path)
    # From the first frame on.
    times_s = np.asarray((stream.pts - stream.pts[0]) * float(stream.time_base), dtype=np.float64)
    stop = int(np.searchsorted(times_s, MOST_S))
    seen = FileFootage(path).look(stream, 0, stop)
    times_s = times_s[seen.indices]
    if len(times_s) < 2:
        return np.empty((0, ROWS * COLUMNS), dtype=np.float32)
    return _motion(_hops(times_s, _cells(seen.pictures)))


def _cells(pictures: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return the mean brightness of each cell: (frames, ROWS * COLUMNS)."""
    tall, wide = THUMBNAIL_ROWS // ROWS, THUMBNAIL_COLUMNS // COLUMNS
    blocks = pictures.reshape(len(pictures), ROWS, tall, COLUMNS, wide)
    return np.asarray(blocks.mean(axis=(2, 4)).reshape(len(pictures), -1))


def _hops(times_s: NDArray[np.float64], cells: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean picture of each hop; a frame counts as long as it is on the screen."""
    shown = np.diff(times_s)
    shown = np.append(shown, np.median(shown))
    ends = np.append(times_s, times_s[-1] + shown[-1])
    # A thousandth makes up for rounded times.
    num_hops = int((ends[-1] + 0.001) / HOP_S)
    edges = np.minimum(np.arange(num_hops + 1) * HOP_S, ends[-1])
    frame = np.clip(np.searchsorted(ends, edges, side="right") - 1, 0, len(cells) - 1)
    sums = np.concatenate([np.zeros((1, cells.shape[1])), np.cumsum(cells * shown[:, None], 0)])
    upto = sums[frame] + cells[frame] * (edges - ends[frame])[:, None]
    return np.asarray(np.diff(upto, axis=0) / HOP_S)


def _motion(hops: NDArray[np.float64]) -> Thumbprint:
    """Return the changes between neighbouring stretches, soft-normalised."""
    if len(hops) < 2 * HOPS:
        return np.empty((0, hops.shape[1]), dtype=np.float32)
    sums = np.cumsum(np.concatenate([np.zeros((1, hops.shape[1])), hops]), axis=0)
    means = (sums[HOPS:] - sums[:-HOPS]) / HOPS
    changes = _without_light(means[HOPS:] - means[:-HOPS], hops.mean(axis=0))
    squares = (changes**2).sum(axis=1, keepdims=True)
    return np.asarray(changes / np.sqrt(squares + changes.shape[1] * _NOISE**2), dtype=np.float32)


def _without_light(changes: NDArray[np.float64], still: NDArray[np.float64]) -> NDArray[np.float64]:
    """Take out what flicker and auto exposure do: more or less of the scene, or of gray."""
    light = np.stack([np.ones_like(still), still - still.mean()])
    light /= np.maximum(np.linalg.norm(light, axis=1, keepdims=True), 1e-6)
    return np.asarray(changes - (changes @ light.T) @ light)
