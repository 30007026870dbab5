"""What moved between two frames, and how alike two streams move for every shift between them.

Motion is a vector that does not know brightness, size or codec. A shift is what must be added to
container time on the reference to reach the same moment on the target: 0 where the timestamps tell
the truth.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from dogclips.alignment.view import Sampler
from dogclips.streams import Stream, Thumbnails

_BLOCK = 128  # reference frames compared at once
_ALL_INTRA = 0.9  # share of keyframes


@dataclass(frozen=True, eq=False)
class Motion:
    """Differences between each of N frames and the one `base_s` seconds before it."""

    indices: NDArray[np.int64]  # (N,), of the frames in `Stream.pts`, ascending
    times_s: NDArray[np.float64]  # (N,), container times, for laying frames on a grid
    # (N, cells), float32, of length below 1: near 1 where something moves, small where only noise
    # is left, 0 where there is nothing to compare with
    vectors: NDArray[np.float32]

    @property
    def step_s(self) -> float:
        """Return the usual distance of frames in seconds."""
        return float(np.median(np.diff(self.times_s)))

    @property
    def energy(self) -> NDArray[np.float32]:
        """Return the squared length of each vector."""
        squared: NDArray[np.float32] = np.einsum("nc,nc->n", self.vectors, self.vectors)
        return squared


def motion_of(stream: Stream, seen: Thumbnails, sampler: Sampler, base_s: float) -> Motion:
    """Return the motion in a look at a stream.

    Light that changes everywhere (flicker, auto exposure) is taken out: from each difference its
    share of the still scene and of plain brightness. Keyframes look different without any motion
    and are left out, with their successors. Cells that always change count less.
    """
    times_s = stream.times_s[seen.indices]
    pictures = sampler(seen.pictures)
    before, usable = _earlier(times_s, base_s)
    if not is_all_intra(seen):
        keyframes = np.cumsum(seen.keyframes)  # none may come between the two frames
        usable &= keyframes == keyframes[before]
    differences = _without_light(pictures - pictures[before], pictures)
    differences[~usable] = 0
    return Motion(seen.indices, times_s, _weighted(differences, usable))


def is_all_intra(seen: Thumbnails) -> bool:
    """Return whether every frame is a keyframe (MJPEG and the like), so that none stands out."""
    return bool(seen.keyframes.mean() > _ALL_INTRA) if len(seen.keyframes) else False


def _earlier(
    times_s: NDArray[np.float64], base_s: float
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return for each frame the one `base_s` before it, and whether there is one."""
    # Both times may be rounded to milliseconds.
    before = np.searchsorted(times_s, times_s - base_s * 1.001 - 0.0011, side="left")
    before = np.clip(before, 0, np.maximum(np.arange(len(times_s)) - 1, 0)).astype(np.int64)
    distance = times_s - times_s[before]
    return before, np.abs(distance - base_s) < 0.3 * base_s


def _without_light(
    differences: NDArray[np.float32], pictures: NDArray[np.float32]
) -> NDArray[np.float32]:
    still = pictures.mean(axis=0) if len(pictures) else np.zeros(pictures.shape[1], np.float32)
    light = np.stack([np.ones_like(still), still - still.mean()])
    norms = np.linalg.norm(light, axis=1, keepdims=True)
    light = light / np.maximum(norms, 1e-6)
    return np.asarray(differences - (differences @ light.T) @ light, dtype=np.float32)


def _weighted(differences: NDArray[np.float32], usable: NDArray[np.bool_]) -> NDArray[np.float32]:
    if not usable.any():
        return differences
    variance = (differences[usable] ** 2).mean(axis=0)
    usual = max(float(np.median(variance)), 1e-3)
    weighted = differences / np.sqrt(variance + usual)
    lengths = np.linalg.norm(weighted, axis=1)
    noise = float(np.median(lengths[usable]))
    return np.asarray(weighted / np.sqrt(lengths**2 + noise**2 + 1e-12)[:, None], dtype=np.float32)


@dataclass(frozen=True)
class LagGrid:
    """The shifts that are tried: `zero_s + n * step_s` for low <= n <= high."""

    zero_s: float
    step_s: float
    low: int
    high: int
    same_rate: bool = True  # both have as many frames a second, so that frames have exact partners

    @property
    def numbers(self) -> NDArray[np.int64]:
        """Return all n."""
        return np.arange(self.low, self.high + 1, dtype=np.int64)

    @property
    def shifts_s(self) -> NDArray[np.float64]:
        """Return the shifts of all n in seconds."""
        return np.asarray(self.zero_s + self.numbers * self.step_s, dtype=np.float64)

    def shift_s(self, number: float) -> float:
        """Return the shift of one n in seconds."""
        return self.zero_s + number * self.step_s


@dataclass(frozen=True, eq=False)
class Likeness:
    """How alike each of N reference frames moves to the target frame at each of M shifts."""

    indices: NDArray[np.int64]  # (N,), of the reference's frames
    times_s: NDArray[np.float64]  # (N,), their container times
    products: NDArray[np.float32]  # (N, M), of motion vectors, in (-1, 1); 0 without a partner
    # (N,) and (N, M): squared lengths of the vectors, 0 without a partner
    energies: tuple[NDArray[np.float32], NDArray[np.float32]]
    density: float  # share of the reference's frames with a partner when nothing is lost
    grid: LagGrid  # the shifts of the columns

    @cached_property
    def _sums(self) -> tuple[NDArray[np.float64], ...]:
        """Return running sums of products and of both energies over pairs, (N + 1, M) each."""
        own, other = self.energies
        paired = own[:, None] * (other > 0)
        return tuple(
            np.vstack([np.zeros((1, table.shape[1])), np.cumsum(table, axis=0, dtype=np.float64)])
            for table in (self.products, paired, other)
        )

    @property
    def totals(self) -> tuple[NDArray[np.float64], ...]:
        """Return the sums of products and of both energies over all pairs, (M,) each."""
        return tuple(table[-1] for table in self._sums)

    def correlation(self, first: int, stop: int) -> NDArray[np.float64]:
        """Return (M,): the normalised correlation over rows first..stop for each shift.

        NaN where less than half of the motion that could have a partner has one.
        """
        product, own, other = (table[stop] - table[first] for table in self._sums)
        whole = float(self.energies[0][first:stop].sum())
        return _normalised(product, own, other, 0.5 * self.density * whole)


def pooled(looks: Sequence[Likeness]) -> NDArray[np.float64]:
    """Return (M,): the correlation over everything that was looked at, for each shift."""
    product, own, other = (
        sum(tables) for tables in zip(*(look.totals for look in looks), strict=True)
    )
    return _normalised(product, own, other, 0.0)


def _normalised(
    product: NDArray[np.float64],
    own: NDArray[np.float64],
    other: NDArray[np.float64],
    least: float,
) -> NDArray[np.float64]:
    """Return products over the lengths of the vectors; NaN where less than `least` is paired."""
    enough = (own >= least) & (own > 0) & (other > 0)
    return np.where(enough, product / np.sqrt(np.where(enough, own * other, 1.0)), np.nan)


def compare(reference: Motion, target: Motion, grid: LagGrid) -> Likeness:
    """Compare every reference frame with the target's frames at all shifts of a grid."""
    slots = np.rint((target.times_s - grid.zero_s - reference.times_s[0]) / grid.step_s)
    first = int(slots[0])
    own = np.rint((reference.times_s - reference.times_s[0]) / grid.step_s).astype(np.int64)
    # Every slot that a reference frame can reach, empty where the target has no frame.
    low = min(first, grid.low)
    size = max(int(slots[-1]), int(own[-1]) + grid.high) - low + 1
    dense = np.zeros((size, target.vectors.shape[1]), dtype=np.float32)
    dense[slots.astype(np.int64) - low] = target.vectors
    energy = np.einsum("nc,nc->n", dense, dense)
    reach = own[:, None] + (grid.numbers - low)[None, :]
    products = np.empty(reach.shape, dtype=np.float32)
    for begin in range(0, len(own), _BLOCK):
        rows = slice(begin, begin + _BLOCK)
        near = dense[reach[rows].min() : reach[rows].max() + 1]
        table = reference.vectors[rows] @ near.T
        products[rows] = np.take_along_axis(table, reach[rows] - reach[rows].min(), axis=1)
    density = min(reference.step_s / target.step_s, 1.0)
    energies = reference.energy, energy[reach]
    return Likeness(reference.indices, reference.times_s, products, energies, density, grid)
