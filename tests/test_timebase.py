from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dogclips.timebase import Span, exact, frame_at, shown

times = st.fractions(-10_000, 10_000, max_denominator=90_000)
spans = st.builds(lambda start, length: Span(start, start + abs(length)), times, times)
RATES = [
    Fraction(10),
    Fraction(15),
    Fraction(20),
    Fraction(24_000, 1001),
    Fraction(25),
    Fraction(30_000, 1001),
    Fraction(30),
    Fraction(60),
]
TIME_BASES = [Fraction(1, 1000), Fraction(1, 10_240), Fraction(1, 90_000)]


@given(spans, spans)
def test_overlap_is_what_two_half_open_spans_share(one: Span, other: Span) -> None:
    shared = one.overlap(other)
    assert shared == other.overlap(one)
    assert 0 <= shared <= min(one.duration, other.duration)
    assert (shared > 0) == (
        one.start < other.end and other.start < one.end and one.duration > 0 and other.duration > 0
    )


def test_spans_that_touch_share_nothing() -> None:
    assert Span(Fraction(0), Fraction(4)).overlap(Span(Fraction(4), Fraction(8))) == 0


def test_a_span_within_another_is_shared_whole() -> None:
    outer, inner = Span(Fraction(0), Fraction(10)), Span(Fraction(3), Fraction(5))
    assert outer.overlap(inner) == inner.duration == 2


def test_a_reversed_span_has_a_negative_length() -> None:
    assert Span(Fraction(5), Fraction(3)).duration == -2


@given(st.decimals(-(10**6), 10**6, places=5))
def test_a_decimal_is_read_as_it_was_written(number: object) -> None:
    assert exact(str(number)) == Fraction(str(number))
    assert exact(float(str(number))) == Fraction(str(number))


@pytest.mark.parametrize("number", [float("nan"), float("inf"), "four", ""])
def test_what_is_no_number_is_refused(number: float | str) -> None:
    with pytest.raises(ValueError, match="Fraction"):
        exact(number)


@given(times)
def test_shown_seconds_are_a_plain_decimal_near_the_time(time_s: Fraction) -> None:
    text = shown(time_s)
    whole, point, decimals = text.partition(".")
    assert whole.lstrip("-").isdecimal()
    assert point
    assert 1 <= len(decimals) <= 6
    assert decimals == "0" or not decimals.endswith("0")
    assert abs(Fraction(text) - time_s) <= Fraction(1, 10**6)


@given(st.decimals(0, 10**5, places=6))
def test_up_to_six_decimals_nothing_is_lost_when_shown(number: object) -> None:
    assert Fraction(shown(Fraction(str(number)))) == Fraction(str(number))


@settings(deadline=None, max_examples=200)
@given(
    st.sampled_from(RATES),
    st.sampled_from(TIME_BASES),
    st.integers(0, 2000),
    st.fractions(0, 20_000, max_denominator=1000),
    st.integers(3, 5),
)
def test_a_rounded_time_means_the_frame_it_was_taken_from(
    rate: Fraction, time_base: Fraction, number: int, start_s: Fraction, decimals: int
) -> None:
    pts = np.array([round((start_s + k / rate) / time_base) for k in range(2001)], np.int64)
    time_s = int(pts[number]) * time_base
    rounded = Fraction(round(time_s * 10**decimals), 10**decimals)
    assert frame_at(pts, time_base, rounded) == number


@settings(deadline=None)
@given(st.lists(st.integers(0, 10_000), min_size=1, unique=True), st.integers(-50, 11_000))
def test_the_frame_on_screen_is_the_last_one_that_began(pts: list[int], time: int) -> None:
    pts.sort()
    place = frame_at(np.array(pts, np.int64), Fraction(1, 1000), Fraction(time, 1000))
    assert place == sum(pts_ <= time for pts_ in pts) - 1


def test_before_the_first_frame_there_is_none() -> None:
    pts = np.array([500, 550], np.int64)
    assert frame_at(pts, Fraction(1, 1000), Fraction("0.4")) == -1
    assert frame_at(pts, Fraction(1, 1000), Fraction("0.499")) == -1
    assert frame_at(pts, Fraction(1, 1000), Fraction("0.5")) == 0


def test_only_rounding_is_forgiven() -> None:
    pts = np.array([0, 9_000], np.int64)
    assert frame_at(pts, Fraction(1, 90_000), Fraction("0.0994")) == 1
    assert frame_at(pts, Fraction(1, 90_000), Fraction("0.0993")) == 0
