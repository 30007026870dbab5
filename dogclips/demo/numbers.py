"""Paint a frame's number into its pixels, legible for people and read back exactly by programs.

The plate hangs at the upper left, two rows of two digits, white on black. All its measures are
fractions of the picture's height, so that it is still read after the picture was scaled with its
aspect kept. In a 16:9 picture it lies left of the centre square, where a model that looks at the
centre crop cannot see it.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

Canvas = NDArray[np.uint8]

MAX_NUMBER = 9999
_CELLS_IN_HEIGHT = 24
_PLATE_ROWS, _PLATE_COLUMNS = 13, 9
_DIGIT_PLACES = ((1, 1), (1, 5), (7, 1), (7, 5))  # cells: (row, column) of each digit's corner
_FONT = (
    "### .#. ### ### #.# ### ### ### ### ###",
    "#.# ##. ..# ..# #.# #.. #.. ..# #.# #.#",
    "#.# .#. ### .## ### ### ### ..# ### ###",
    "#.# .#. #.. ..# ..# ..# #.# ..# #.# ..#",
    "### ### ### ### ..# ### ### ..# ### ###",
)
_DIGITS = np.array(
    [[[cell == "#" for cell in row.split()[digit]] for row in _FONT] for digit in range(10)]
)


def paint_number(frame: Canvas, number: int) -> None:
    """Paint `number`, of at most four digits, onto `frame`, in place.

    The frame is RGB or gray, of shape (height, width[, 3]), at least 48 high and 3/8 of that wide.
    """
    if not 0 <= number <= MAX_NUMBER:
        raise ValueError(f"{number} does not fit on a plate of four digits")
    if not _fits(frame):
        raise ValueError(f"a picture of shape {frame.shape} is too small for a number")
    rows, columns = (_cells(frame.shape[0], cells) for cells in (_PLATE_ROWS, _PLATE_COLUMNS))
    painted = (_plate(number) * np.uint8(255))[rows[:, None], columns]
    region = frame[: painted.shape[0], : painted.shape[1]]
    region[...] = painted if frame.ndim == 2 else painted[:, :, None]


def read_number(frame: Canvas) -> int | None:
    """Read the number that `paint_number` left, or None where any cell is in doubt.

    >>> picture = np.full((72, 128, 3), 90, np.uint8)
    >>> paint_number(picture, 1189)
    >>> read_number(picture)
    1189
    >>> read_number(np.full((72, 128, 3), 90, np.uint8)) is None
    True
    """
    if not _fits(frame):
        return None
    cells = _cell_means(frame)
    dark, light = cells.min(), cells.max()
    if light - dark < 64:  # no plate: its black and white are 255 apart before any codec
        return None
    level = (cells - dark) / (light - dark)
    if np.any((level > 0.4) & (level < 0.6)):
        return None
    return _decode(level > 0.5)


def _decode(cells: NDArray[np.bool_]) -> int | None:
    number = 0
    for row, column in _DIGIT_PLACES:
        found = cells[row : row + 5, column : column + 3]
        matches = np.flatnonzero((found == _DIGITS).all(axis=(1, 2)))
        if len(matches) != 1:
            return None
        number = number * 10 + int(matches[0])
    # The frame around the digits must be black, or this is some other pattern.
    return number if np.array_equal(cells, _plate(number)) else None


def _plate(number: int) -> NDArray[np.bool_]:
    plate = np.zeros((_PLATE_ROWS, _PLATE_COLUMNS), dtype=bool)
    for digit, (row, column) in zip(f"{number:04d}", _DIGIT_PLACES, strict=True):
        plate[row : row + 5, column : column + 3] = _DIGITS[int(digit)]
    return plate


def _fits(frame: Canvas) -> bool:
    height, width = map(int, frame.shape[:2])
    return height >= 2 * _CELLS_IN_HEIGHT and width * _CELLS_IN_HEIGHT >= height * _PLATE_COLUMNS


@cache
def _cells(height: int, num_cells: int) -> NDArray[np.int64]:
    """Return the cell that each pixel is in, counted from the picture's corner."""
    edges = np.rint(np.arange(num_cells + 1) * (height / _CELLS_IN_HEIGHT)).astype(np.int64)
    return np.arange(num_cells).repeat(np.diff(edges))


def _cell_means(frame: Canvas) -> NDArray[np.float64]:
    """Mean brightness of the inner half of each cell, shape (rows, columns)."""
    down, across = (_inner(cells, frame.shape[0]) for cells in (_PLATE_ROWS, _PLATE_COLUMNS))
    plate = frame[: down.shape[1], : across.shape[1]]
    gray = plate if plate.ndim == 2 else plate.mean(axis=2)
    means: NDArray[np.float64] = down @ gray @ across.T
    return means


@cache
def _inner(num_cells: int, height: int) -> NDArray[np.float64]:
    """Return (num_cells, pixels): the share of each pixel in the mean of a cell's inner half."""
    cell = height / _CELLS_IN_HEIGHT
    shares = np.zeros((num_cells, int(np.ceil(num_cells * cell))))
    for index in range(num_cells):
        start = int(np.floor((index + 0.25) * cell))
        stop = max(start + 1, int(np.floor((index + 0.75) * cell)))
        shares[index, start:stop] = 1 / (stop - start)
    return shares
