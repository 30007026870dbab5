"""What the pixels say of any window: whether the target moves there as the reference does.

A recording whose streams were aligned by a few looks may still hold a stretch that is off: a loss
that is undone later, a frozen picture, a slate. Here nothing is left unseen: every frame of both
streams was compared, and what was found is kept for each half second, for a range of shifts.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from dogclips.alignment.lags import MIN_CORRELATION, MIN_MARGIN, LagGrid, Likeness, Motion
from dogclips.timebase import Span

#: confirmed: the pictures move alike. still: nothing moves, timestamps alone tell. contradicted:
#: they move otherwise. not-compared: nobody looked, or the pictures cannot tell.
Verdict = Literal["confirmed", "still", "contradicted", "not-compared"]

_CELL_S = 0.5
# In gray levels of one cell of 18 x 32: what a codec leaves of a still picture stays below the
# first, a small animal that moves exceeds the second, one nearby the third.
_STILL, _MOVING, _STRONG = 2.0, 4.0, 8.0
_FEW = 4  # frames of half a second; fewer tell nothing
_SEEN = 0.5  # share of a window that has to be looked at


@dataclass(frozen=True, eq=False)
class Moves:
    """How much each of N frames of a stream changes, in time order."""

    times_s: NDArray[np.float64]  # (N,), container times
    peaks: NDArray[np.float32]  # (N,), as of `lags.Motion`

    def within(self, start_s: float, end_s: float) -> NDArray[np.float32]:
        """Return the known peaks of a stretch."""
        first, stop = np.searchsorted(self.times_s, (start_s, end_s))
        own = self.peaks[first:stop]
        return own[~np.isnan(own)]


@dataclass(frozen=True, eq=False)
class _Cells:
    """Sums over the frames of C half seconds for M shifts."""

    numbers: NDArray[np.int64]  # (C,), which half second since the epoch of the container
    products: NDArray[np.float32]  # (C, M)
    own: NDArray[np.float32]  # (C, M), energy of the reference where the target has a frame
    other: NDArray[np.float32]  # (C, M), energy of the target


@dataclass(frozen=True, eq=False)
class Evidence:
    """All that was seen of two streams, from end to end."""

    grid: LagGrid
    cells: _Cells
    reference: Moves
    target: Moves

    def verdict(self, window: Span, shift_s: Fraction) -> Verdict:
        """Say whether the pixels of a window confirm that the target is so much later.

        Parameters
        ----------
        window
            Container time on the reference, in seconds.
        shift_s
            What is added to it to reach the same moment on the target's clock.
        """
        start, end, shift = float(window.start), float(window.end), float(shift_s)
        moves = (
            self.reference.within(start, end),
            self.target.within(start + shift, end + shift),
        )
        if any(len(own) < 2 for own in moves):
            return "not-compared"
        calm, lively = sorted(moves, key=lambda own: float(np.quantile(own, 0.9)))
        least, most = float(np.quantile(calm, 0.9)), float(np.quantile(lively, 0.9))
        if most < _STILL:
            return "still"
        often = float(np.quantile(lively, 0.75))
        if least < _STILL and (often > max(_MOVING, 3 * least) or most > max(_STRONG, 4 * least)):
            return "contradicted"  # one moves, for a second or strongly, and the other one stands
        if self._one_stands(start, end, shift):
            return "contradicted"
        return self._of_curve(start, end, shift, "not-compared" if most > _MOVING else "still")

    def _one_stands(self, start: float, end: float, shift: float) -> bool:
        """Return whether one picture moves strongly for half a second while the other stands."""
        first, stop = np.searchsorted(self.reference.times_s, (start, end))
        times_s, own = self.reference.times_s[first:stop], self.reference.peaks[first:stop]
        places = np.searchsorted(self.target.times_s, times_s + shift - _CELL_S / 50)
        other = self.target.peaks[np.minimum(places, len(self.target.peaks) - 1)]
        known = np.isfinite(own) & np.isfinite(other)
        calm, lively = np.fmin(own, other), np.fmax(own, other)
        apart = known & (calm < _STILL) & (lively > np.fmax(_STRONG, 4 * calm))
        stops = np.searchsorted(times_s, times_s + _CELL_S - 1e-6)

        def within(flags: NDArray[np.bool_]) -> NDArray[np.int64]:
            """Return of how many frames this holds in the half second from each frame on."""
            sums = np.concatenate([[0], np.cumsum(flags)])
            return np.asarray(sums[stops] - sums[:-1], dtype=np.int64)

        full = times_s + _CELL_S <= end + 1e-6
        seen = within(known)
        return bool((full & (seen >= _FEW) & (within(apart) >= 0.8 * seen)).any())

    def _of_curve(self, start: float, end: float, shift: float, unclear: Verdict) -> Verdict:
        """Judge by the correlation at all shifts; `unclear` where none stands out."""
        curve = self._curve(start, end)
        if curve is None:
            return "not-compared"
        place = (shift - self.grid.zero_s) / self.grid.step_s - self.grid.low
        near = np.arange(len(curve))
        here = np.abs(near - place) <= (0.6 if self.grid.same_rate else 1.1)
        at_shift = float(curve[here].max(initial=-1.0))
        elsewhere = float(curve[np.abs(near - place) > 1.1].max(initial=-1.0))
        if at_shift >= MIN_CORRELATION and at_shift >= float(curve[~here].max(initial=-1.0)):
            return "confirmed"
        stands_out = elsewhere >= 2 * MIN_CORRELATION and elsewhere - at_shift >= 2 * MIN_MARGIN
        return "contradicted" if stands_out else unclear

    def _curve(self, start: float, end: float) -> NDArray[np.float64] | None:
        """Return the correlation of a window at each shift (M,); None if it was hardly seen."""
        first, stop = np.searchsorted(
            self.cells.numbers, (round(start / _CELL_S), round(end / _CELL_S))
        )
        if (stop - first) * _CELL_S < _SEEN * (end - start):
            return None
        product, own, other = (
            table[first:stop].sum(axis=0, dtype=np.float64)
            for table in (self.cells.products, self.cells.own, self.cells.other)
        )
        whole = own.max(initial=0.0)
        known = (own > _SEEN * whole) & (own > 0) & (other > 0)
        return np.where(known, product / np.sqrt(np.where(known, own * other, 1.0)), -1.0)


@dataclass(frozen=True, eq=False)
class SeenStretch:
    """What is kept of one look."""

    cells: _Cells
    reference: Moves
    target: Moves


def seen_stretch(reference: Motion, target: Motion, likeness: Likeness) -> SeenStretch:
    """Return what a look says, summed up over half seconds."""
    numbers = np.floor(likeness.times_s / _CELL_S + 1e-9).astype(np.int64)
    firsts = np.flatnonzero(np.diff(numbers, prepend=numbers[:1] - 1))
    own, other = likeness.energies
    tables = likeness.products, own[:, None] * (other > 0), other
    sums = (np.add.reduceat(table, firsts, axis=0).astype(np.float32) for table in tables)
    cells = _Cells(numbers[firsts], *sums)
    moves = (Moves(motion.times_s, motion.peaks) for motion in (reference, target))
    return SeenStretch(cells, *moves)


def evidence_of(grid: LagGrid, seen: Sequence[SeenStretch]) -> Evidence | None:
    """Join what all looks have found; None without any."""
    if not seen:
        return None
    ordered = sorted(seen, key=lambda one: int(one.cells.numbers[0]))
    numbers = np.concatenate([one.cells.numbers for one in ordered])
    places, back = np.unique(numbers, return_inverse=True)  # a look may end within a cell

    def joined(tables: Iterable[NDArray[np.float32]]) -> NDArray[np.float32]:
        stacked = np.concatenate(list(tables))
        sums = np.zeros((len(places), stacked.shape[1]), dtype=np.float32)
        np.add.at(sums, back, stacked)
        return sums

    cells = _Cells(
        places,
        joined(one.cells.products for one in ordered),
        joined(one.cells.own for one in ordered),
        joined(one.cells.other for one in ordered),
    )
    reference = _moves(one.reference for one in ordered)
    return Evidence(grid, cells, reference, _moves(one.target for one in ordered))


def _moves(parts: Iterable[Moves]) -> Moves:
    """Join frames of several looks, each once, in time order; what is known wins."""
    own = list(parts)
    times_s = np.concatenate([part.times_s for part in own])
    peaks = np.concatenate([part.peaks for part in own])
    order = np.lexsort((np.isnan(peaks), times_s))
    times_s, peaks = times_s[order], peaks[order]
    first = np.diff(times_s, prepend=-np.inf) > 0
    return Moves(times_s[first], peaks[first])
