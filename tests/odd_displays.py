"""Made recordings whose stored pictures are not those to be shown: mirrored, resized, deep, woven.

`tests.odd_streams` says how the truth about them is written down.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.cuts.painting import Gray, painted
from tests.odd_streams import COUNT, NO_B_FRAMES, SIZE, Odd, encoded, packets_of, store

_ONE = 1 << 16  # of the fixed point numbers in a display matrix
_MATRIX_AT = 40  # bytes behind the version of a tkhd box, version 0
_DARKEST, _LIGHTEST = 40, 210  # painted levels


def mirrored(
    folder: Path,
    name: str = "020500.mp4",
    codec: str = "libx264",
    options: Mapping[str, str] = NO_B_FRAMES,
    *,
    flipped: bool = True,
    quarters: int = 0,
) -> Odd:
    """Write pictures to be flipped from left to right, then turned clockwise by `quarters`."""
    width, height = SIZE[::-1] if quarters % 2 else SIZE

    def stored(number: int, _width: int, _height: int) -> Gray:
        turned = np.rot90(painted(number, *SIZE), quarters)
        return np.ascontiguousarray(np.fliplr(turned) if flipped else turned)

    source = encoded(folder, codec, options, size=(width, height), paint=stored)
    path = store(source, folder / name, packets_of(source))
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 4 + _MATRIX_AT
    data[at : at + 36] = _matrix(flipped, quarters).astype(">i4").tobytes()
    path.write_bytes(data)
    return Odd(path, range(COUNT))


def _matrix(flipped: bool, quarters: int) -> NDArray[np.int64]:
    """Return the nine numbers of a display matrix: a row of coordinates times it is on screen."""
    flip = np.array([[-1 if flipped else 1, 0], [0, 1]])
    turn = np.linalg.matrix_power(np.array([[0, 1], [-1, 0]]), quarters)
    whole = np.zeros((3, 3), dtype=np.int64)
    whole[:2, :2] = flip @ turn * _ONE
    whole[2, 2] = 1 << 30
    return whole.ravel()


def resized(
    folder: Path,
    name: str = "020500.ts",
    options: Mapping[str, str] = NO_B_FRAMES,
    size: tuple[int, int] = (64, 64),
    before: int = 50,
) -> Odd:
    """Write H.264 whose pictures have another size from a frame on."""
    heads = {**options, "x264-params": "repeat-headers=1"}
    first = packets_of(encoded(folder, "libx264", heads, range(before)))
    later = encoded(folder, "libx264", heads, range(before, COUNT), size=size).rename(
        folder / "later.nut"
    )
    template = encoded(folder, "libx264", heads, range(1))
    path = store(template, folder / name, [*first, *packets_of(later)])
    return Odd(path, range(COUNT), sizes=[SIZE] * before + [size] * (COUNT - before))


def deep(
    folder: Path, name: str = "020500.mkv", darkest: int = 20_000, lightest: int = 21_000
) -> Odd:
    """Write 16-bit pictures that use some of the levels, as thermal cameras do."""

    def stored(number: int, width: int, height: int) -> NDArray[np.uint16]:
        share = (painted(number, width, height).astype(np.float64) - _DARKEST) / (
            _LIGHTEST - _DARKEST
        )
        return np.rint(darkest + share * (lightest - darkest)).astype(np.uint16)

    pixels = ("gray16le", "gray16le")
    source = encoded(folder, "ffv1", {}, paint=stored, pixels=pixels)
    return Odd(store(source, folder / name, packets_of(source)), range(COUNT))


def interlaced(
    folder: Path,
    name: str = "020500.ts",
    codec: str = "libx264",
    options: Mapping[str, str] = NO_B_FRAMES,
) -> Odd:
    """Write pictures that are coded as two woven fields."""
    own: dict[str, Any] = dict(options)
    if codec == "libx264":
        own["x264-params"] = "repeat-headers=1:tff=1"
    source = encoded(folder, codec, own | {"flags": "+ilme+ildct"})
    return Odd(store(source, folder / name, packets_of(source)), range(COUNT))
