"""Where to look: at what moves, never twice, and not forever."""

from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dogclips.alignment.stretches import LOOK_S, WHOLE_S, Stretch, StretchChooser
from dogclips.timebase import Span

STEP_S = 0.1
ROUNDING_S = 1e-6


def chooser(
    *busy: tuple[float, float], length_s: float = 600, start_s: float = 0
) -> StretchChooser:
    """Return ten frames a second, of which only those in `busy` have something to say."""
    times_s = start_s + STEP_S * np.arange(round(length_s / STEP_S), dtype=np.float64)
    activity = np.full(len(times_s), 1.0)
    for start, end in busy:
        activity[(times_s >= start) & (times_s < end)] = 10
    return StretchChooser(times_s, start_s + length_s, activity)


def span(start: float, end: float) -> Span:
    return Span(Fraction(start), Fraction(end))


def length(stretch: Stretch) -> float:
    return stretch[1] - stretch[0]


@pytest.mark.parametrize("length_s", [1, LOOK_S, WHOLE_S])
def test_a_short_recording_is_seen_from_end_to_end(length_s: float) -> None:
    assert list(chooser(length_s=length_s, start_s=7).first()) == [(7, 7 + length_s)]


def test_of_a_long_recording_the_liveliest_of_each_third_is_seen() -> None:
    busy = [(100, 112), (213, 225), (588, 600)]
    looks = list(chooser(*busy).first())
    assert np.allclose(looks, busy)


@pytest.mark.parametrize("start_s", [0, 5000.25])
def test_the_liveliest_stretch_is_found_wherever_it_lies(start_s: float) -> None:
    busy = (start_s + 41, start_s + 41 + LOOK_S)
    found = chooser(busy, start_s=start_s).liveliest(start_s + 10, start_s + 90)
    assert found == pytest.approx(busy)


def test_a_stretch_without_frames_and_a_short_one_are_seen_whole() -> None:
    holed = StretchChooser(np.array([0.0, 0.1, 100.0, 100.1]), 100.2, np.ones(4))
    assert holed.liveliest(20, 80) == (20, 80)
    assert chooser().liveliest(20, 25) == (20, 25)


def test_a_hole_with_frames_only_behind_it_is_no_obstacle() -> None:
    times_s = np.concatenate([np.arange(0, 10, STEP_S), np.arange(115, 180, STEP_S)])
    looks = list(StretchChooser(times_s, 180.0, np.ones(len(times_s))).first())
    assert len(looks) == 3
    assert looks[1] == pytest.approx((120 - LOOK_S, 120))


def test_elsewhere_is_the_liveliest_of_the_longest_stretch_not_seen() -> None:
    chosen = chooser((300, 312), (500, 512))
    assert chosen.elsewhere([(400, 450)]) == pytest.approx((300, 312))
    assert chosen.elsewhere([(100, 450), (0, 40)]) == pytest.approx((500, 512))
    assert chosen.elsewhere([(0, 300), (300.5, 600)]) is None


def test_a_short_doubt_is_seen_whole_and_a_long_one_is_halved_where_something_moves() -> None:
    chosen = chooser((340, 352))
    assert chosen.within([span(200, 220)], []) == (200, 220)
    assert chosen.within([span(100, 500)], []) == pytest.approx((340, 352))
    assert chosen.within([span(0, 5), span(100, 120)], [(90, 130)]) == (0, 5)
    assert chosen.within([span(100, 120)], [(90, 130)]) is None
    assert chosen.within([], []) is None


def test_a_doubt_shorter_than_a_frame_is_not_looked_into() -> None:
    assert chooser().within([span(100, 100.05)], []) is None


def test_between_is_the_middle_of_the_longest_stretch_not_seen() -> None:
    chosen = chooser()
    assert chosen.between([(0, 12), (588, 600)]) == (288, 312)
    assert chosen.between([(0, 590)]) == (590, 600)
    assert chosen.between([(0, 600)]) is None


@st.composite
def recordings(draw: st.DrawFn) -> StretchChooser:
    """Draw recordings of some minutes with holes, of any activity."""
    length_s, start_s = draw(st.floats(50, 400)), draw(st.floats(0, 5000))
    times_s = start_s + np.arange(0, length_s, draw(st.sampled_from([0.05, 0.2, 1.0])))
    for _ in range(draw(st.integers(0, 2))):
        hole = start_s + draw(st.floats(1, length_s)), draw(st.floats(0, 100))
        times_s = times_s[(times_s < hole[0]) | (times_s > sum(hole))]
    activity = np.random.default_rng(draw(st.integers(0, 99))).uniform(0, 9, len(times_s))
    return StretchChooser(times_s, float(times_s[-1]) + 0.05, activity)


def is_new(chosen: StretchChooser, seen: list[Stretch], look: Stretch) -> bool:
    """Return whether a look lies in the recording and overlaps none before it."""
    start, end = look
    inside = chosen.times_s[0] - ROUNDING_S <= start < end <= chosen.end_s + ROUNDING_S
    return bool(inside) and all(
        min(end, other[1]) - max(start, other[0]) < ROUNDING_S for other in seen
    )


NEXT: dict[str, Callable[[StretchChooser, list[Span], list[Stretch]], Stretch | None]] = {
    "within": lambda chosen, doubts, seen: chosen.within(doubts, seen),
    "elsewhere": lambda chosen, _, seen: chosen.elsewhere(seen),
    "between": lambda chosen, _, seen: chosen.between(seen),
}


@pytest.mark.parametrize("name", list(NEXT))
@settings(deadline=None, max_examples=40)
@given(recordings(), st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), max_size=3))
def test_looks_never_overlap_and_come_to_an_end(
    name: str, chosen: StretchChooser, shares: list[tuple[float, float]]
) -> None:
    begin, length_s = float(chosen.times_s[0]), chosen.end_s - float(chosen.times_s[0])
    doubts = [span(begin + min(two) * length_s, begin + max(two) * length_s) for two in shares]
    seen: list[Stretch] = []
    for look in chosen.first():
        assert is_new(chosen, seen, look)
        seen.append(look)
    most = 2 * length_s / LOOK_S + 60
    while (more := NEXT[name](chosen, doubts, seen)) is not None:
        assert is_new(chosen, seen, more)
        seen.append(more)
        assert len(seen) < most
    if name == "within":
        usual_s = length_s / len(chosen.times_s)
        assert all(length(gap) <= usual_s for gap in not_seen(doubts, seen))


def not_seen(doubts: list[Span], seen: list[Stretch]) -> list[Stretch]:
    """Return what is left of each doubt without what has been seen."""
    left = [(float(doubt.start), float(doubt.end)) for doubt in doubts]
    for start, end in seen:
        halves = [((low, min(high, start)), (max(low, end), high)) for low, high in left]
        left = [part for two in halves for part in two if length(part) > 0]
    return left
