"""How alike two streams move, frame by frame, for every shift between them.

A shift is what must be added to container time on the reference to reach the same moment on the
target: 0 where the timestamps tell the truth.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from dogclips.alignment.motion import Motion

_BLOCK = 128  # reference frames compared at once


@dataclass(frozen=True)
class LagGrid:
    """The shifts that are tried: `zero_s + n * step_s` for low <= n <= high.

    `same_rate`: the streams have as many frames a second, so that frames have exact partners.
    """

    zero_s: float
    step_s: float
    low: int
    high: int
    same_rate: bool = True

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
