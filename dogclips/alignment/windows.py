"""Which shift a window of time shows, and whether that is worth believing."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from dogclips.alignment.lags import LagGrid, Likeness
from dogclips.timebase import Span

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
    margin, bend, sharpness = top - max(rivals), _bend(curve, best), _sharpness(curve, best)
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


def _sharpness(curve: NDArray[np.float64], best: int) -> float:
    """Return the drop to the higher neighbour as share of the peak; 0 for no peak."""
    neighbours = np.nan_to_num(curve[[max(best - 1, 0), min(best + 1, len(curve) - 1)]])
    return float(1 - neighbours.max() / curve[best]) if curve[best] > 0 else 0.0
