"""What moved between two frames, and how alike two streams move for every shift between them.

Motion is a vector that does not know brightness, size or codec. A shift is what must be added to
container time on the reference to reach the same moment on the target: 0 where the timestamps tell
the truth.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from dogclips.alignment.view import Sampler
from dogclips.streams import Stream, Thumbnails
from dogclips.timebase import Span

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
    # (N,), gray levels by which the cell that changes most differs, without light that changes
    # everywhere; NaN where there is nothing to compare with
    peaks: NDArray[np.float32]

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
    peaks = np.abs(differences).max(axis=1, initial=0)
    peaks[~usable] = np.nan
    return Motion(seen.indices, times_s, _weighted(differences, usable), peaks)


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
    same_rate: bool = (
        True  # both have as many frames per second, so that frames have exact partners
    )

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
        own, other = self.energies
        tables = self.products, own[:, None] * (other > 0), other
        return tuple(table.sum(axis=0, dtype=np.float64) for table in tables)

    def forget_sums(self) -> None:
        """Free the running sums, which are six times as large as the rest."""
        self.__dict__.pop("_sums", None)

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


# Windows of time, and whether what they show is worth believing.

# A window is believed if its peak is this high, this far above every other peak, and lies on the
# grid of frames. Calibrated on made pairs (tests/pairs): unrelated scenes, noise, flicker and
# periodic motion stay below; see ARCHITECTURE.md.
MIN_CORRELATION = 0.15
MIN_MARGIN = 0.12
MAX_BEND = 0.2
# Streams of one rate share each frame's noise, so that their peaks are sharp; others' are blunt.
MIN_SHARPNESS = {True: 0.04, False: 0.08}

_LENGTHS_S = (2.5, 5.0, 10.0, 20.0)
_MIN_FRAMES = 20


@dataclass(frozen=True)
class WindowLag:
    """The shift that one window of a look shows."""

    span: Span  # container time on the reference
    rows: tuple[int, int]  # the first and the one after the last, in the look's likeness
    number: int  # which shift of the grid is best
    correlation: float  # in [-1, 1], at that shift
    # The correlation minus that of the next best peak, be it in the other stream or, where motion
    # repeats itself, in the reference's own past or future.
    margin: float
    # How far, in steps of the grid, the top of the parabola through the peak and its neighbours
    # lies off the peak: 0 where frames have exact partners.
    bend: float
    # How far the peak rises above its higher neighbour, as share of its height: a blunt one may be
    # a frame off where a codec shows motion late.
    sharpness: float
    accepted: bool  # whether the peak stands out enough to be believed


def measure_windows(likeness: Likeness, own: Likeness, grid: LagGrid) -> Iterator[WindowLag]:
    """Yield the best shift of overlapping windows of several lengths, and of the whole look.

    `own` compares the reference to itself. What repeats there may hide its true partner: the target
    may have lost it, and the repetition would be taken for it.
    """
    count = len(likeness.indices)
    if count < _MIN_FRAMES:
        return
    step_s = float(np.median(np.diff(likeness.times_s)))
    lengths = {max(round(length / step_s), _MIN_FRAMES) for length in _LENGTHS_S}
    for length in sorted({min(length, count) for length in (*lengths, count)}):
        last = count - length
        starts = range(0, last + 1, max(length // 2, 1))
        for first in sorted({*starts, last}):
            window = _measure(likeness, own, grid, (first, first + length))
            if window is not None:
                yield window


def _measure(
    likeness: Likeness, own: Likeness, grid: LagGrid, rows: tuple[int, int]
) -> WindowLag | None:
    curve = likeness.correlation(*rows)
    if np.isnan(curve).all():
        return None
    best = int(np.nanargmax(curve))
    top = float(curve[best])
    itself = int(np.flatnonzero(own.grid.numbers == 0)[0])
    rivals = _next_peak(curve, best), _next_peak(own.correlation(*rows), itself)
    times_s = likeness.times_s[rows[0]], likeness.times_s[rows[1] - 1]
    margin, bend = top - max(rivals), _bend(curve, best)
    beside = np.nan_to_num(curve[[max(best - 1, 0), min(best + 1, len(curve) - 1)]])
    sharpness = float(1 - beside.max() / top) if top > 0 else 0.0
    high = top >= MIN_CORRELATION and margin >= MIN_MARGIN
    sharp = bend <= MAX_BEND and sharpness >= MIN_SHARPNESS[grid.same_rate]
    return WindowLag(
        span=Span(Fraction(times_s[0]), Fraction(times_s[1] + grid.step_s)),
        rows=rows,
        number=int(grid.numbers[best]),
        correlation=top,
        margin=margin,
        bend=bend,
        sharpness=sharpness,
        accepted=high and sharp,
    )


def _next_peak(curve: NDArray[np.float64], best: int) -> float:
    """Return the height of the highest peak beside the best one, at least 0."""
    known = np.nan_to_num(curve, nan=-1.0)
    inner = known[1:-1]
    peaks = np.flatnonzero((inner >= known[:-2]) & (inner >= known[2:])) + 1
    return float(known[peaks[peaks != best]].max(initial=0.0))


def _bend(curve: NDArray[np.float64], best: int) -> float:
    """Return the distance from the peak to the top of the parabola; 1 at the edge of the curve."""
    near = curve[max(best - 1, 0) : best + 2]
    if len(near) < 3 or np.isnan(near).any():
        return 1.0
    before, top, after = near
    curvature = before - 2 * top + after
    return float(abs(0.5 * (before - after) / curvature)) if curvature < 0 else 1.0
