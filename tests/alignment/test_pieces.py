"""Exact stretches of time from a path of shifts."""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dogclips.alignment.lags import LagGrid
from dogclips.alignment.pieces import (
    DOUBT_BELOW,
    LagPath,
    Run,
    certain_runs,
    doubts_of,
    drift_of,
    exact_shift,
)
from dogclips.timebase import Span, frame_at
from tests.alignment.sensor import TICKS, stream

GRID = LagGrid(0.0, 0.05, -20, 20)
SPANS = [Span(Fraction(k, 20), Fraction(k + 1, 20)) for k in range(100)]


def path(numbers: Sequence[int], doubtful: set[int]) -> LagPath:
    """Return a path of these numbers of the grid; some rows in doubt."""
    states = np.array(numbers) - GRID.low
    lead = [0.0 if row in doubtful else DOUBT_BELOW for row in range(len(states))]
    return LagPath(states, np.array(lead))


def run(number: int, start: float, end: float) -> Run:
    return Run(number, Span(Fraction(start), Fraction(end)))


def test_runs_are_the_certain_stretches_of_one_shift_and_doubts_what_lies_between() -> None:
    found = path([0] * 5 + [-10] * 5, {4, 5})

    assert certain_runs(found, SPANS[:10], GRID) == [
        Run(0, Span(Fraction(0), Fraction(4, 20))),
        Run(-10, Span(Fraction(6, 20), Fraction(10, 20))),
    ]
    assert doubts_of(found, SPANS[:10]) == [Span(Fraction(4, 20), Fraction(6, 20))]


def test_a_doubt_between_rows_of_one_shift_does_not_part_them() -> None:
    found = path([3] * 9, {4})

    assert certain_runs(found, SPANS[:9], GRID) == [Run(3, Span(Fraction(0), Fraction(9, 20)))]
    assert doubts_of(found, SPANS[:9]) == [Span(Fraction(4, 20), Fraction(5, 20))]


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.integers(-3, 3), st.booleans()), min_size=1, max_size=40))
def test_every_row_is_in_one_run_of_its_shift_or_in_one_doubt(
    rows: list[tuple[int, bool]],
) -> None:
    found = path(
        [number for number, _ in rows], {k for k, (_, sure) in enumerate(rows) if not sure}
    )
    spans = SPANS[: len(rows)]

    runs, doubts = certain_runs(found, spans, GRID), doubts_of(found, spans)

    for span, (number, sure) in zip(spans, rows, strict=True):
        assert sum(doubt.overlap(span) for doubt in doubts) == (0 if sure else span.duration)
        own = [one.number for one in runs if one.span.overlap(span)]
        assert own == [number] if sure else len(own) <= 1
    inside = [*(one.span for one in runs), *doubts]
    assert all(spans[0].start <= one.start < one.end <= spans[-1].end for one in inside)


@pytest.mark.parametrize("slope", [0.02, -0.02, 0.1, -0.5])
def test_stairs_of_a_drifting_clock_lie_on_one_line(slope: float) -> None:
    times = np.arange(0, 400, 0.05)
    stairs = np.rint(3.2 + slope * times).astype(int)
    edges = [0, *(np.flatnonzero(np.diff(stairs)) + 1).tolist(), len(times)]
    runs = [
        run(int(stairs[first]), times[first], times[stop - 1] + 0.05)
        for first, stop in pairwise(edges)
    ]

    line = drift_of(runs)

    assert line is not None
    at_zero, per_second = line.at_zero, line.slope
    assert per_second == pytest.approx(slope, rel=0.03)
    assert np.abs(at_zero + per_second * times - (3.2 + slope * times)).max() < 0.3


@pytest.mark.parametrize(
    "runs",
    [
        [run(0, 0, 60)],
        [run(0, 0, 20), run(-1, 20, 40), run(-2, 40, 60)],
        [run(0, 0, 30), run(-10, 30, 60)],
        [run(0, 0, 5), run(-1, 5, 6), run(-2, 6, 7), run(-3, 7, 60)],
        [run(0, 0, 20), run(-1, 20, 40), run(-2, 40, 60), run(1, 60, 80)],
    ],
    ids=["constant", "two single frames lost", "ten at once", "uneven stairs", "back again"],
)
def test_lost_frames_are_no_drift(runs: list[Run]) -> None:
    assert drift_of(runs) is None


@settings(deadline=None, max_examples=60)
@given(
    st.sampled_from([Fraction(25), Fraction(30), Fraction(30000, 1001), Fraction(24)]),
    st.integers(-9, 9),
    st.integers(0, 3000),
)
def test_times_rounded_to_milliseconds_put_no_frame_before_its_partner(
    rate: Fraction, lag: int, start: int
) -> None:
    one, other = stream(0, 300, rate=rate), stream(1, 300, rate=rate)
    other = replace(other, pts=other.pts + start)
    step_s = float(1 / rate)
    grid = LagGrid(start / TICKS, step_s, -20, 20)

    shift = exact_shift(one, other, run(lag, 1, 8), grid)

    for place in np.flatnonzero((one.pts >= TICKS) & (one.pts < 8 * TICKS)).tolist():
        time_s = int(one.pts[place]) * one.time_base + shift
        assert frame_at(other.pts, other.time_base, time_s) == place + lag
        assert time_s >= int(other.pts[place + lag]) * other.time_base


@pytest.mark.parametrize("late", [-6, 6])
def test_a_distance_below_the_slack_of_every_lookup_is_none(late: int) -> None:
    one = replace(stream(0, 200), time_base=Fraction(1, 10_000), pts=500 * np.arange(200))
    other = replace(one, pts=one.pts + late)
    further = replace(one, pts=one.pts + 2 * late)

    assert exact_shift(one, other, run(0, 0, 10), GRID) == 0
    assert exact_shift(one, further, run(0, 0, 10), GRID) == Fraction(2 * late, 10_000)


def test_a_stream_of_fewer_frames_has_the_shift_of_those_it_has() -> None:
    dense, sparse = stream(0, 400), stream(1, 100, rate=Fraction(5))

    assert exact_shift(dense, sparse, run(-3, 0, 20), GRID) == Fraction(-3, 20)
    assert exact_shift(sparse, dense, run(-3, 1, 19), GRID) == Fraction(-3, 20)


def test_frames_without_a_constant_distance_have_the_shift_of_the_grid() -> None:
    one, other = stream(0, 400), stream(1, 300, rate=Fraction(15))

    assert exact_shift(one, other, run(4, 0, 20), GRID) == Fraction(1, 5)


def test_only_frames_of_the_run_say_what_its_shift_is() -> None:
    one = stream(0, 400)
    pts = one.pts.copy()
    pts[200:] += 7
    other = replace(stream(1, 400), pts=pts)

    assert exact_shift(one, other, run(0, 0, 10), GRID) == 0
    assert exact_shift(one, other, run(0, 10, 20), GRID) == Fraction(7, TICKS)
