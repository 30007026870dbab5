"""How two streams of one sensor see the same scene: crops and squeezes between their pictures.

The fit maximises the enhanced correlation coefficient of the pictures (Evangelidis and Psarakis
2008, "Parametric Image Alignment Using Enhanced Correlation Coefficient Maximization"), for a
horizontal and a vertical scale and shift. A wrong field of view makes a moving animal look early or
late, so that a confident lag can be wrong by frames: no lag is believed without this fit.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

_Floats = NDArray[np.float64]
GrayPictures = NDArray[np.uint8] | _Floats

# Motion is compared on this grid, over what both streams see.
SIGNATURE_ROWS, SIGNATURE_COLUMNS = 18, 32
_STARTS = (0.87, 1.0, 1.15)
_COARSE_STEPS, _FINE_STEPS = 12, 40
_LARGEST_SCALE = 1.6


@dataclass(frozen=True)
class PictureView:
    """Where a point of the reference's picture lies in the target's.

    Coordinates run from -1 to 1 over the picture: target = scale * reference + shift, for (x, y).
    `fit` is the correlation of the pictures under this view, in [-1, 1].
    """

    scale: tuple[float, float] = (1.0, 1.0)
    shift: tuple[float, float] = (0.0, 0.0)
    fit: float = 0.0

    def is_near(self, other: "PictureView") -> bool:
        """Return whether no point of the picture lies half a thumbnail's pixel apart."""
        ours, theirs = (*self.scale, *self.shift), (*other.scale, *other.shift)
        return all(abs(one - two) < 0.004 for one, two in zip(ours, theirs, strict=True))

    def shared(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """Return the (low, high) of what both streams see, for x and y of the reference."""
        x, y = (
            (max(-1.0, (-1 - shift) / scale), min(1.0, (1 - shift) / scale))
            for scale, shift in zip(self.scale, self.shift, strict=True)
        )
        return x, y

    def reference_sampler(self) -> "Sampler":
        """Return what takes the shared part out of the reference's pictures."""
        return Sampler(*self.shared())

    def target_sampler(self) -> "Sampler":
        """Return what takes the shared part out of the target's pictures."""
        x, y = (
            (self.scale[axis] * low + self.shift[axis], self.scale[axis] * high + self.shift[axis])
            for axis, (low, high) in enumerate(self.shared())
        )
        return Sampler(x, y)


@dataclass(frozen=True)
class Sampler:
    """A part of a picture, averaged onto the signature grid; (low, high) for x and for y."""

    x: tuple[float, float]
    y: tuple[float, float]

    def __call__(self, pictures: GrayPictures) -> NDArray[np.float32]:
        """Return (N, SIGNATURE_ROWS * SIGNATURE_COLUMNS) from pictures (N, rows, columns)."""
        rows, columns = pictures.shape[1:]
        down = averaging(self.y, SIGNATURE_ROWS, rows)
        across = averaging(self.x, SIGNATURE_COLUMNS, columns)
        sampled: NDArray[np.float32] = down @ pictures.astype(np.float32) @ across.T
        return sampled.reshape(len(pictures), -1)


def averaging(part: tuple[float, float], cells: int, pixels: int) -> NDArray[np.float32]:
    """Return (cells, pixels): the share of each pixel in the mean of each cell of `part`."""
    edges = (np.linspace(*part, cells + 1) + 1) / 2 * pixels
    starts, stops = edges[:-1, None], edges[1:, None]
    pixel = np.arange(pixels)[None, :]
    cover = np.clip(np.minimum(stops, pixel + 1) - np.maximum(starts, pixel), 0, 1)
    share: NDArray[np.float32] = np.asarray(
        cover / np.maximum(cover.sum(axis=1, keepdims=True), 1e-6), dtype=np.float32
    )
    return share


def fit_view(
    reference: GrayPictures, target: GrayPictures, start: PictureView | None = None
) -> PictureView:
    """Return the view under which pairs of pictures of the same moments agree best.

    Pictures are (N, rows, columns), of N moments or one of the still scene. With a `start` that
    view is improved; without it several crops and squeezes are tried.
    """
    pair = _standard(reference), _standard(target)
    if start is not None:
        return _improved(pair, start, _FINE_STEPS)
    starts = [PictureView((x, y)) for x, y in product(_STARTS, repeat=2)]
    coarse = [_improved(pair, view, _COARSE_STEPS) for view in starts]
    best = sorted(coarse, key=lambda view: view.fit)[-2:]
    return max((_improved(pair, view, _FINE_STEPS) for view in best), key=lambda view: view.fit)


def _standard(pictures: GrayPictures) -> _Floats:
    """Return pictures with mean 0 and variance 1, so that brightness and contrast do not count."""
    standard: _Floats = pictures - pictures.mean(axis=(1, 2), keepdims=True)
    standard /= np.maximum(standard.std(axis=(1, 2), keepdims=True), 1e-6)
    return standard


def _improved(pair: tuple[_Floats, _Floats], start: PictureView, steps: int) -> PictureView:
    """Return the view after Gauss-Newton steps on scale and shift; the best one on the way."""
    reference, target = pair
    rows, columns = reference.shape[1:]
    x = (2 * np.arange(columns) + 1) / columns - 1
    y = (2 * np.arange(rows) + 1) / rows - 1
    slopes_of = np.gradient(target, 2 / rows, 2 / columns, axis=(1, 2))
    best, sides = start, np.array([*start.scale, *start.shift])
    for step in range(steps + 1):
        (warped, slope_y, slope_x), seen = _warp((target, *slopes_of), sides, x, y)
        if seen.sum() < seen.size / 3:
            break
        fit, error = _agreement(reference[:, seen], warped[:, seen])
        if step == 0 or fit > best.fit:
            best = PictureView((sides[0], sides[1]), (sides[2], sides[3]), float(fit))
        across, down = slope_x[:, seen], slope_y[:, seen]
        at_x, at_y = (np.broadcast_to(grid, seen.shape)[seen] for grid in (x[None], y[:, None]))
        slopes = np.stack([across * at_x, down * at_y, across, down], axis=-1)
        change = _solve(slopes.reshape(-1, 4), error.ravel())
        sides = sides + change
        sane = all(1 / _LARGEST_SCALE < side < _LARGEST_SCALE for side in sides[:2])
        if not sane or np.abs(change).max() < 1e-4:
            break
    return best


def _agreement(reference: _Floats, warped: _Floats) -> tuple[float, _Floats]:
    """Return the correlation of two stacks, and what is missing from the warped one."""
    first = reference - reference.mean(axis=1, keepdims=True)
    second = warped - warped.mean(axis=1, keepdims=True)
    product_, energy = float((first * second).sum()), float((second * second).sum())
    norm = np.sqrt(float((first * first).sum()) * energy)
    gain = max(product_ / energy, 1e-3) if energy > 0 else 1.0
    return (product_ / norm if norm > 0 else 0.0), first / gain - second


def _solve(slopes: _Floats, error: _Floats) -> _Floats:
    normal = slopes.T @ slopes
    # A scene without detail moves nothing, be it as flat as a black picture.
    normal += (1e-4 * np.trace(normal) / 4 + 1e-9) * np.eye(4)
    return np.clip(np.linalg.solve(normal, slopes.T @ error), -0.05, 0.05)


def _warp(
    stacks: Sequence[_Floats], sides: _Floats, x: _Floats, y: _Floats
) -> tuple[list[_Floats], NDArray[np.bool_]]:
    """Return stacks of the target's size on the reference's grid, and what they cover of it."""
    rows, columns = stacks[0].shape[1:]
    at_x, in_x = _interpolating(sides[0] * x + sides[2], columns)
    at_y, in_y = _interpolating(sides[1] * y + sides[3], rows)
    return [at_y @ stack @ at_x.T for stack in stacks], in_y[:, None] & in_x[None, :]


def _interpolating(points: _Floats, pixels: int) -> tuple[_Floats, NDArray[np.bool_]]:
    """Return (points, pixels) for linear interpolation, and which points lie inside."""
    position = (points + 1) / 2 * pixels - 0.5
    inside = (position > -0.5) & (position < pixels - 0.5)
    clipped = np.clip(position, 0, pixels - 1)
    weights = np.maximum(1 - np.abs(clipped[:, None] - np.arange(pixels)[None, :]), 0)
    return weights, inside
