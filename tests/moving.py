"""Made recordings with real motion: discs that wander over a still, textured ground."""

from collections.abc import Iterator
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dogclips.media.writing import TimedFrame, VideoTrack, write_video

RATE = 10
NUM_FRAMES = 80
_SIZES = ((128, 72), (256, 144))  # width and height of streams 0 and 1


def write_moving(path: Path, *, lost: int = 7, moving: bool = True, late: int = 0) -> Path:
    """Write two streams of one scene; stream 1 lacks its first `lost` frames.

    Its timestamps are closed up, so that they hide the loss, unless it starts `late` frames late.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    tracks = [
        VideoTrack(*size, Fraction(RATE), options={"preset": "ultrafast"}, default=True)
        for size in _SIZES
    ]
    write_video(path, tracks, _frames(lost, late, moving=moving))
    return path


def _frames(lost: int, late: int, *, moving: bool) -> Iterator[TimedFrame]:
    scene = _scene()
    shown = [(number, 0, number) for number in range(NUM_FRAMES)]
    shown += [(number - lost + late, 1, number) for number in range(lost, NUM_FRAMES)]
    for pts, index, number in sorted(shown):
        picture = scene[number if moving else 0]
        yield index, pts, picture if index else picture[::2, ::2].copy()


@lru_cache(maxsize=1)
def _scene() -> NDArray[np.uint8]:
    width, height = _SIZES[1]
    random = np.random.default_rng(7)
    ground = np.kron(random.integers(60, 180, (height // 8, width // 8)), np.ones((8, 8)))
    walk = np.cumsum(random.normal(0, 5, (NUM_FRAMES, 3, 2)), axis=0)
    middle = np.array([width, height]) / 2
    places = middle + (walk - walk.mean(axis=0)) * 2 + random.normal(0, 30, (1, 3, 2))
    places = np.abs((places + 10_000 * middle) % (4 * middle) - 2 * middle)  # reflected at the edge
    y, x = np.mgrid[:height, :width]
    pictures = np.repeat(ground[None], NUM_FRAMES, axis=0)
    for number, discs in enumerate(places):
        for (across, down), level in zip(discs, (250, 20, 230), strict=True):
            pictures[number][(x - across) ** 2 + (y - down) ** 2 < 14**2] = level
    return np.repeat(pictures[..., None], 3, axis=3).astype(np.uint8)
