"""From a path of shifts to stretches of exact time, and the stretches in doubt."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby, pairwise

import numpy as np
from numpy.typing import NDArray

from dogclips.alignment.lags import Grid
from dogclips.alignment.path import LagPath
from dogclips.streams import Stream
from dogclips.timebase import ROUNDING_SLACK_S, Span

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


def runs_of(path: LagPath, spans: Sequence[Span], grid: Grid) -> list[Run]:
    """Return the stretches of certain rows with the same shift; `spans` are the rows' times."""
    numbers = grid.numbers[path.states].tolist()
    rows = zip(numbers, spans, path.certain.tolist(), strict=True)
    certain = ((number, span) for number, span, sure in rows if sure)
    runs = []
    for number, group in groupby(certain, key=lambda row: row[0]):
        own = [span for _, span in group]
        runs.append(Run(number, Span(own[0].start, own[-1].end)))
    return runs


def doubts_of(path: LagPath, spans: Sequence[Span]) -> list[Span]:
    """Return the stretches of rows whose shift nobody can know."""
    doubts = []
    for sure, group in groupby(zip(path.certain.tolist(), spans, strict=True), lambda row: row[0]):
        own = [span for _, span in group]
        if not sure:
            doubts.append(Span(own[0].start, own[-1].end))
    return doubts


def drift_of(runs: Sequence[Run]) -> tuple[float, float] | None:
    """Return (number at time 0, numbers a second) if the runs lie on one sloping line.

    The line goes through the places where the number changes, half way between two frames. The
    longer nobody looked around such a place, the less it counts.
    """
    changes = [after.number - before.number for before, after in pairwise(runs)]
    if abs(sum(changes)) < _MIN_DRIFT_STEPS or len(changes) < _MIN_DRIFT_STEPS:
        return None
    if min(changes) < 0 < max(changes):
        return None
    between = [
        (float(before.span.end), float(after.span.start), (before.number + after.number) / 2)
        for before, after in pairwise(runs)
    ]
    starts, ends, numbers = np.array(between).T
    usual = abs(sum(changes)) / float(runs[-1].span.end - runs[0].span.start)
    weights = 1 / (_SHARPEST + usual * (ends - starts))
    slope, at_zero = np.polyfit((starts + ends) / 2, numbers, 1, w=weights)
    points = np.array(
        [(float(time_s), run.number) for run in runs for time_s in (run.span.start, run.span.end)]
    )
    off = np.abs(points[:, 1] - (at_zero + slope * points[:, 0]))
    return (float(at_zero), float(slope)) if off.max() <= _MAX_OFF_LINE else None


def exact_shift(reference: Stream, target: Stream, run: Run, grid: Grid) -> Fraction:
    """Return the run's shift as the distance of the timestamps of partners, exactly.

    Timestamps may be rounded (to milliseconds in Matroska), so that partners differ by a little;
    the largest distance puts no frame before its partner. A distance below the slack that every
    lookup of a frame has is none.
    """
    near = grid.shift_s(run.number)
    own, other = _seconds(reference), _seconds(target)
    inside = (own >= float(run.span.start) - 1e-9) & (own < float(run.span.end))
    places = np.flatnonzero(inside)
    partners = np.searchsorted(other, own[places] + near - grid.step_s / 2)
    partners = np.minimum(partners, len(other) - 1)
    distance = other[partners] - own[places]
    paired = np.abs(distance - near) <= grid.step_s / 2
    if not paired.any() or np.ptp(distance[paired]) > grid.step_s / 4:
        return Fraction(near).limit_denominator(1_000_000)  # different rates: no constant distance
    last = np.flatnonzero(paired)[np.argmax(distance[paired])]
    shift = _time(target, int(partners[last])) - _time(reference, int(places[last]))
    return Fraction(0) if abs(shift) <= ROUNDING_SLACK_S else shift


def _seconds(stream: Stream) -> NDArray[np.float64]:
    return np.asarray(stream.pts * float(stream.time_base), dtype=np.float64)


def _time(stream: Stream, place: int) -> Fraction:
    return int(stream.pts[place]) * stream.time_base
