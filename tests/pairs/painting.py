"""Frame numbers in the colour of a picture, where no reader of brightness can see them.

An aligner works on brightness. A number in the brightness would be a thing that moves in every
frame: in a scene where an animal sleeps it would drown what little there is to see, and were it
alike in both streams it would give the lag away. So the number lies in the two colour planes only
(brightness stays as the sensor gave it), at another corner of each stream, and as another code in
each: the bits of number * factor + summand, each beside its opposite, so that the mean colour of
the picture says nothing either.
"""

from dataclasses import dataclass
from functools import cache
from typing import Final

import av
import numpy as np
from numpy.typing import NDArray

_BITS = 11
_CELL = 2  # side of a cell in colour samples: 4 pixels
_DEPTH = 44  # of colour, from the neutral 128
_LEGIBLE = 12  # least depth that is believed


@dataclass(frozen=True)
class Plate:
    """Where and how a stream carries its numbers; `factor` is odd, so that codes differ."""

    bottom: bool
    right: bool
    factor: int
    summand: int


# In the reference and in the target.
PLATES: Final = (Plate(True, False, 1051, 333), Plate(False, True, 677, 1790))


def plane(frame: av.VideoFrame, index: int) -> NDArray[np.uint8]:
    """Return the samples of one plane of a yuv420p frame, to read and to write in place."""
    samples = frame.planes[index]
    rows = np.frombuffer(samples, np.uint8).reshape(-1, samples.line_size)
    return rows[: samples.height, : samples.width]


def paint_code(frame: av.VideoFrame, number: int, plate: Plate) -> None:
    """Paint `number` (0 to 2047) into the colour planes of a yuv420p frame."""
    signs = _signs((number * plate.factor + plate.summand) % 2**_BITS)
    _region(plane(frame, 1), plate)[...] = 128 + _DEPTH * signs
    _region(plane(frame, 2), plate)[...] = 128 - _DEPTH * signs


@cache
def _signs(code: int) -> NDArray[np.int64]:
    bits = code >> np.arange(_BITS) & 1
    return np.stack([2 * bits - 1, 1 - 2 * bits]).repeat(_CELL, axis=0).repeat(_CELL, axis=1)


def read_code(frame: av.VideoFrame, plate: Plate) -> int | None:
    """Return the number in a decoded yuv420p frame, None where the codec spoilt it."""
    blue = _region(plane(frame, 1), plate).astype(np.float64)
    red = _region(plane(frame, 2), plate).astype(np.float64)
    cells = (blue - red).reshape(2, _CELL, _BITS, _CELL).mean(axis=(1, 3)) / 2
    differences = (cells[0] - cells[1]) / 2
    if np.abs(differences).min() < _LEGIBLE:
        return None
    code = int(((differences > 0) << np.arange(_BITS)).sum())
    return (code - plate.summand) * pow(plate.factor, -1, 2**_BITS) % 2**_BITS


def _region(samples: NDArray[np.uint8], plate: Plate) -> NDArray[np.uint8]:
    rows = slice(-2 * _CELL, None) if plate.bottom else slice(0, 2 * _CELL)
    columns = slice(-_BITS * _CELL, None) if plate.right else slice(0, _BITS * _CELL)
    return samples[rows, columns]
