"""Made recordings of textured blobs that move: their pixels tell one instant from every other."""

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dogclips.demo.numbers import paint_number
from dogclips.media.writing import TimedFrame, VideoTrack, write_video

RATE = 10  # frames a second
SMALL, LARGE = (128, 72), (192, 108)
OPTIONS = {"preset": "ultrafast", "crf": "20"}
_NUM_BLOBS = 5

# Which frame of the scene each frame of a stream shows; its place is its time.
Shows = Sequence[int]


# What is done to the picture of a frame of the scene, in place, before its number is painted.
Tint = Callable[[int, NDArray[np.uint8]], None]


def write_moving(
    path: Path, reference: Shows, target: Shows, *, late: int = 0, tint: Tint | None = None
) -> Path:
    """Write a small and a large stream of one scene at `RATE`, the large one `late` frames late."""
    sizes = (SMALL, LARGE)
    tracks = [VideoTrack(*size, Fraction(RATE), options=OPTIONS, default=True) for size in sizes]
    path.parent.mkdir(parents=True, exist_ok=True)
    write_video(path, tracks, _frames((reference, target), (0, late), tint))
    return path


def write_view(
    path: Path,
    shows: Shows,
    size: tuple[int, int],
    rate: int = RATE,
    tint: Tint | None = None,
) -> Path:
    """Write one stream that shows frames of the scene one after the other."""
    path.parent.mkdir(parents=True, exist_ok=True)
    track = VideoTrack(*size, Fraction(rate), options=OPTIONS, default=True)
    frames = ((0, place, _picture(number, size, tint)) for place, number in enumerate(shows))
    write_video(path, [track], frames)
    return path


def _frames(
    streams: tuple[Shows, ...], starts: tuple[int, ...], tint: Tint | None
) -> Iterator[TimedFrame]:
    order = sorted(
        (start + place, index, number)
        for index, (shows, start) in enumerate(zip(streams, starts, strict=True))
        for place, number in enumerate(shows)
    )
    for time, index, number in order:
        yield index, time, _picture(number, (SMALL, LARGE)[index], tint)


def _picture(number: int, size: tuple[int, int], tint: Tint | None) -> NDArray[np.uint8]:
    columns, rows = (np.linspace(-1, 1, side) for side in size)
    x, y = columns[None, :], rows[:, None]
    light = 110 + 25 * np.sin(9 * x + 4 * y) * np.cos(7 * y)
    for left, top, texture in _paths()[number]:
        away = np.exp(-((x - left) ** 2 + (y - top) ** 2) / 0.03)
        light = light + 60 * away * np.sin(texture + 20 * (x - left))
    picture = np.repeat(light.clip(0, 255).astype(np.uint8)[:, :, None], 3, axis=2)
    if tint is not None:
        tint(number, picture)
    paint_number(picture, number)
    return picture


@cache
def _paths() -> NDArray[np.float64]:
    """Return (frames, blobs, 3): where each blob is, and the phase of its texture."""
    random = np.random.default_rng(7)
    steps = random.normal(0, 0.06, (600, _NUM_BLOBS, 3))
    walk = random.uniform(-1, 1, (_NUM_BLOBS, 3)) + np.cumsum(steps, axis=0)
    walk[:, :, :2] = np.abs((walk[:, :, :2] + 1) % 4 - 2) - 1  # reflected at the edges
    return walk
