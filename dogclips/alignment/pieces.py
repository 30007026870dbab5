"""The path of shifts over time: stretches of exact time, lost frames, and what cannot be known.

The path is found by dynamic programming over the reference's frames (Viterbi, with max-marginals
from a forward and a backward pass): evidence speaks for shifts, and every change costs.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import compress, groupby
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray

from dogclips.alignment.lags import LagGrid
from dogclips.streams import Stream
from dogclips.timebase import ROUNDING_SLACK_S, Span

# In units of evidence (log-likelihood, roughly): what a change of the shift costs, and by how much
# the best path must beat every path that gives a frame another shift. More than one change, less
# than two: a single change that nothing shows may hide anywhere, a change and its undoing may not.
CHANGE_COST = 8.0
DOUBT_BELOW = 12.0


@dataclass(frozen=True, eq=False)
class LagPath:
    """The best shift of each of N rows, and by how much it beats all others."""

    states: NDArray[np.int64]  # (N,), the column of the best shift
    lead: NDArray[np.float64]  # (N,), best score minus that of the best path with another shift

    @property
    def certain(self) -> NDArray[np.bool_]:
        """Return the rows at which no other shift is nearly as good."""
        return self.lead >= DOUBT_BELOW


def best_path(
    evidence: NDArray[np.floating],
    start_cost: NDArray[np.float64],
    end_cost: NDArray[np.float64],
) -> LagPath:
    """Return the best path through evidence of shape (N, M), with costs for either end (M,).

    Rows of zeros stand for time that was not looked at, however long.
    """
    forward = _passed(evidence, -start_cost)
    backward = _passed(evidence[::-1], -end_cost)[::-1]
    total = forward + backward - evidence
    states = np.argmax(total, axis=1)
    rows = np.arange(len(total))
    best = total[rows, states]
    total[rows, states] = -np.inf
    return LagPath(states, best - total.max(axis=1))


def _passed(evidence: NDArray[np.floating], start: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return for each row and state the best score of a path that ends there."""
    scores = np.empty(evidence.shape, dtype=np.float64)
    last = start
    for row, own in enumerate(evidence):
        if row:
            last = np.maximum(last, last.max() - CHANGE_COST)
        last = last + own
        scores[row] = last
    return scores


# A clock that drifts changes the shift by one frame again and again, at even distances: at least
# this many frames in all, each run near the line through all. Less may as well be lost frames.
_MIN_DRIFT_STEPS = 3
_SHARPEST = 0.1  # of a frame: how well the place of a change can be known at best
_MAX_OFF_LINE = 0.8  # of a frame: 0.5 from rounding to frames, the rest from the line itself


@dataclass(frozen=True)
class Piece:
    """A stretch of the reference on which one shift holds.

    Target container time is `reference + shift_s + drift * (reference - span.start)`, in seconds.
    """

    span: Span
    shift_s: Fraction
    drift: Fraction = Fraction(0)


@dataclass(frozen=True)
class Run:
    """A stretch of certain frames with the same shift, the grid's `number`."""

    number: int
    span: Span


def certain_runs(path: LagPath, spans: Sequence[Span], grid: LagGrid) -> list[Run]:
    """Return the stretches of certain rows with the same shift; `spans` are the rows' times."""
    numbers = grid.numbers[path.states][path.certain].tolist()
    certain = _stretches(numbers, compress(spans, path.certain))
    return [Run(number, span) for number, span in certain]


def doubts_of(path: LagPath, spans: Sequence[Span]) -> list[Span]:
    """Return the stretches of rows of unknown shift."""
    return [span for sure, span in _stretches(path.certain.tolist(), spans) if not sure]


def _stretches(keys: Iterable[int], spans: Iterable[Span]) -> Iterator[tuple[int, Span]]:
    """Yield each key with the time from its first row in a row to its last."""
    for key, rows in groupby(zip(keys, spans, strict=True), key=itemgetter(0)):
        own = [span for _, span in rows]
        yield key, Span(own[0].start, own[-1].end)


@dataclass(frozen=True)
class DriftLine:
    """Which shift of a grid holds when, if a clock drifts."""

    at_zero: float  #: Number at time 0
    slope: float  #: Numbers a second
    off: float  #: How far a run lies off it at most: half a step from rounding, or more


def drift_of(runs: Sequence[Run]) -> DriftLine | None:
    """Return the line on which the runs lie, if they do.

    The line goes through the places where the number changes, half way between two frames. The
    longer the stretch without a look around such a place, the less it counts.
    """
    numbers = np.array([run.number for run in runs])
    changes = np.diff(numbers)
    if len(changes) < _MIN_DRIFT_STEPS or abs(changes.sum()) < _MIN_DRIFT_STEPS:
        return None
    if changes.min() < 0 < changes.max():
        return None
    starts, ends = np.array([(float(run.span.start), float(run.span.end)) for run in runs]).T
    usual = abs(int(changes.sum())) / float(runs[-1].span.end - runs[0].span.start)
    weights = 1 / (_SHARPEST + usual * (starts[1:] - ends[:-1]))
    middles, halfway = (ends[:-1] + starts[1:]) / 2, (numbers[:-1] + numbers[1:]) / 2
    slope, at_zero = np.polyfit(middles, halfway, 1, w=weights)
    off = max(np.abs(numbers - (at_zero + slope * times)).max() for times in (starts, ends))
    line = DriftLine(float(at_zero), float(slope), max(float(off), 0.5))
    return line if off <= _MAX_OFF_LINE else None


def exact_shift(reference: Stream, target: Stream, run: Run, grid: LagGrid) -> Fraction:
    """Return the run's shift as the distance of the timestamps of partners, exactly.

    Timestamps may be rounded (to milliseconds in Matroska), so that partners differ by a little;
    the largest distance puts no frame before its partner. A distance below the slack that every
    lookup of a frame has is none.
    """
    near = grid.shift_s(run.number)
    own, other = reference.times_s, target.times_s
    inside = (own >= float(run.span.start) - 1e-9) & (own < float(run.span.end))
    frames = np.flatnonzero(inside)
    partners = np.searchsorted(other, own[frames] + near - grid.step_s / 2)
    partners = np.minimum(partners, len(other) - 1)
    distance = other[partners] - own[frames]
    paired = np.abs(distance - near) <= grid.step_s / 2
    if not paired.any() or np.ptp(distance[paired]) > grid.step_s / 4:
        return Fraction(near).limit_denominator(1_000_000)  # different rates: no constant distance
    last = np.flatnonzero(paired)[np.argmax(distance[paired])]
    shift = target.frame_time(int(partners[last])) - reference.frame_time(int(frames[last]))
    return Fraction(0) if abs(shift) <= ROUNDING_SLACK_S else shift
