"""A number painted over the whole picture: legible at any size, aspect and quality.

Twenty cells in four rows, white for 1: four corners that say which way is up, eleven bits of the
number, five bits that prove it was read rightly. Two blended frames, or a picture that lies on its
side, are no number.
"""

from functools import cache
from typing import Final

import av
import numpy as np
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

Gray = NDArray[np.uint8]

MAX_NUMBER: Final = 2047
_ROWS, _COLUMNS = 4, 5
_DARK, _LIGHT = 40, 210
_CORNERS: Final = {0: True, 4: False, 15: False, 19: False}  # only the upper left one is white
_BITS: Final = tuple(cell for cell in range(_ROWS * _COLUMNS) if cell not in _CORNERS)
# One for all frames: a new one for each starts threads and takes several times as long.
_SCALER: Final = VideoReformatter()


def painted(number: int, width: int, height: int) -> Gray:
    """Return an upright picture that carries `number`, shape (height, width)."""
    cells = np.zeros(_ROWS * _COLUMNS, dtype=bool)
    cells[list(_CORNERS)] = list(_CORNERS.values())
    code = number << 5 | _proof(number)
    cells[list(_BITS)] = [bool(code >> place & 1) for place in range(len(_BITS))]
    rows = np.arange(height) * _ROWS // height
    columns = np.arange(width) * _COLUMNS // width
    light = cells.reshape(_ROWS, _COLUMNS)[rows][:, columns]
    return np.where(light, _LIGHT, _DARK).astype(np.uint8)


def read(picture: Gray) -> int | None:
    """Return the number of a picture of shape (height, width), None if there is any doubt."""
    level = (_means(picture) - _DARK) / (_LIGHT - _DARK)
    cells = level > 0.5
    if np.any((level > 0.3) & (level < 0.7)):
        return None
    if any(bool(cells[cell]) != light for cell, light in _CORNERS.items()):
        return None
    code = sum(1 << place for place, cell in enumerate(_BITS) if cells[cell])
    number = code >> 5
    return number if code & 31 == _proof(number) else None


def read_frame(frame: av.VideoFrame, quarters: int = 0) -> int | None:
    """Return the number of a decoded frame, turned counter-clockwise by `quarters`."""
    gray = _SCALER.reformat(frame, format="gray", threads=1).to_ndarray()
    return read(np.rot90(gray, quarters))


def _proof(number: int) -> int:
    return number * 19 % 31


def _means(picture: Gray) -> NDArray[np.float64]:
    """Return the mean of the inner half of each cell, in rows."""
    height, width = picture.shape
    down, across = _inner(_ROWS, height), _inner(_COLUMNS, width)
    means: NDArray[np.float64] = down @ picture @ across.T
    return means.ravel()


@cache
def _inner(count: int, length: int) -> NDArray[np.float64]:
    """Return (count, length): the share of each pixel in the mean of the inner half of a cell."""
    shares = np.zeros((count, length))
    for index in range(count):
        start = int((index + 0.25) * length / count)
        stop = max(start + 1, int((index + 0.75) * length / count))
        shares[index, start:stop] = 1 / (stop - start)
    return shares
