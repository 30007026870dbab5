from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dogclips.clips.frames import SourceFrames, select_frames
from dogclips.streams import Stream
from dogclips.timebase import ROUNDING_SLACK_S, Span

NTSC = Fraction(30_000, 1001)


def stream(pts: list[int], time_base: Fraction, last: int = 1) -> Stream:
    """Return a video stream with these presentation times; its last frame lasts `last` ticks."""
    return Stream(
        index=1,
        type="video",
        codec="h264",
        time_base=time_base,
        pts=np.array(pts, np.int64),
        end_pts=pts[-1] + last if pts else None,
        num_frames=max(len(pts), 1),
    )


def regular(
    rate: Fraction = Fraction(20),
    num_frames: int = 200,
    *,
    time_base: Fraction = Fraction(1, 90_000),
    start: int = 0,
    missing: range = range(0),
) -> Stream:
    """Return a constant-rate stream that lacks the frames of some numbers."""
    step = 1 / (rate * time_base)
    pts = [start + round(k * step) for k in range(num_frames) if k not in missing]
    return stream(pts, time_base, round(step))


def variable(seed: int = 0, time_base: Fraction = Fraction(1, 1000), usual: int = 50) -> Stream:
    """Return a stream of 300 frames whose steps vary by half around the usual one."""
    steps = np.random.default_rng(seed).integers(max(usual // 2, 1), 3 * usual // 2 + 2, 300)
    made = stream(np.cumsum(steps).tolist(), time_base, usual)
    assert made.variable_frame_rate
    return made


def span(start: float | str, length: float | str = 4) -> Span:
    begin = Fraction(str(start))
    return Span(begin, begin + Fraction(str(length)))


def chosen(made: Stream, window: Span, frame_rate: Fraction | None = None) -> SourceFrames:
    frames = select_frames(made, window, frame_rate)
    assert isinstance(frames, SourceFrames), frames
    return frames


# Constant rate.


@pytest.mark.parametrize(
    ("rate", "count"),
    [
        (Fraction(20), 80),
        (Fraction(25), 100),
        (Fraction(30), 120),
        (NTSC, 120),
        (Fraction(24_000, 1001), 96),
    ],
    ids=["20", "25", "30", "29.97", "23.976"],
)
@pytest.mark.parametrize("time_base", [Fraction(1, 90_000), Fraction(1, 1000), Fraction(1, 10_240)])
@pytest.mark.parametrize("start", ["0", "1", "2.5", "3.333"])
def test_a_clip_has_exactly_its_seconds_times_the_rate(
    rate: Fraction, count: int, time_base: Fraction, start: str
) -> None:
    frames = chosen(regular(rate, 300, time_base=time_base, start=777), span(start))
    assert len(frames.indices) == count
    assert list(frames.indices) == list(range(frames.indices[0], frames.indices[0] + count))
    assert list(frames.pts) == list(range(count))
    assert frames.frame_rate == rate
    assert frames.time_base == 1 / rate


@settings(deadline=None, max_examples=100)
@given(
    st.sampled_from([Fraction(20), Fraction(25), Fraction(30), NTSC]),
    st.integers(-(10**6), 10**6),
    st.decimals(0, 5, places=3),
)
def test_a_clip_begins_with_the_frame_on_screen_at_its_start(
    rate: Fraction, start: int, at: object
) -> None:
    made = regular(rate, 300, start=start)
    first = chosen(made, span(str(at))).indices[0]
    begin = Fraction(str(at))
    shown = (made.pts - made.pts[0]).tolist()
    assert shown[first] * made.time_base <= begin + ROUNDING_SLACK_S
    assert shown[first + 1] * made.time_base > begin


def test_clips_one_after_the_other_share_no_frame_and_lose_none() -> None:
    made = regular(num_frames=400)
    places = [place for k in range(5) for place in chosen(made, span(4 * k)).indices]
    assert places == list(range(400))


def test_a_rounded_start_means_the_frame_it_was_rounded_from() -> None:
    made = regular(NTSC)
    rounded = Fraction("0.133")
    assert rounded < int(made.pts[4]) * made.time_base
    assert chosen(made, Span(rounded, rounded + 4)).indices[0] == 4


@pytest.mark.parametrize("frame_rate", [None, Fraction(10)], ids=["as it is", "resampled"])
@pytest.mark.parametrize("made", [regular(), variable()], ids=["constant", "variable"])
class TestWindowsThatCannotBeCut:
    def test_before_the_targets_first_frame(
        self, made: Stream, frame_rate: Fraction | None
    ) -> None:
        assert select_frames(made, span("-0.001"), frame_rate) == "before-target-start"
        assert select_frames(made, span(-100), frame_rate) == "before-target-start"

    def test_past_the_end(self, made: Stream, frame_rate: Fraction | None) -> None:
        assert made.duration_s is not None
        length = made.duration_s
        assert select_frames(made, Span(length - 3, length + 1), frame_rate) == "after-end"
        assert select_frames(made, Span(length + 5, length + 9), frame_rate) == "after-end"

    def test_the_last_one_that_fits_is_cut(self, made: Stream, frame_rate: Fraction | None) -> None:
        assert made.duration_s is not None
        frames = chosen(made, Span(made.duration_s - 4, made.duration_s), frame_rate)
        assert frames.indices[-1] >= len(made.pts) - 2


@pytest.mark.parametrize("frame_rate", [None, Fraction(1)], ids=["as it is", "resampled"])
def test_a_clip_of_one_frame_does_not_lie_past_the_end(frame_rate: Fraction | None) -> None:
    slow = regular(Fraction(1), 60)
    assert len(chosen(slow, span(59, 1), frame_rate).indices) == 1
    assert select_frames(slow, span(60, 1), frame_rate) == "after-end"
    assert select_frames(slow, span(100, 1), frame_rate) == "after-end"


@pytest.mark.parametrize("frame_rate", [None, Fraction(1)], ids=["as it is", "resampled"])
def test_a_clip_shorter_than_a_frame_is_no_crash(frame_rate: Fraction | None) -> None:
    frames = select_frames(regular(Fraction(1), 60), span(3, "0.3"), frame_rate)
    assert isinstance(frames, str) or list(frames.indices) == [3]


def test_a_stream_without_timestamps_cannot_be_cut() -> None:
    assert select_frames(stream([], Fraction(1, 1000)), span(0), None) == "no-timestamps"


# Missing frames: numbers 100 to 109 of 20 a second, so from 5 s to 5.5 s.


@pytest.mark.parametrize("frame_rate", [None, Fraction(20), Fraction(10), Fraction(30)])
@pytest.mark.parametrize(
    ("start", "length"),
    [("4", "4"), ("1.2", "4"), ("1.1", "4"), ("5", "1"), ("5.4", "1"), ("5.1", "0.3")],
    ids=["amid", "towards the end", "at the end", "at the start", "from within", "all within"],
)
def test_a_window_that_spans_missing_frames_is_not_cut(
    start: str, length: str, frame_rate: Fraction | None
) -> None:
    made = regular(num_frames=400, missing=range(100, 110))
    assert select_frames(made, span(start, length), frame_rate) == "frames-missing"


@pytest.mark.parametrize("frame_rate", [None, Fraction(20), Fraction(10)])
def test_windows_beside_missing_frames_are_cut(frame_rate: Fraction | None) -> None:
    made = regular(num_frames=400, missing=range(100, 110))
    assert chosen(made, span(1), frame_rate).indices[-1] <= 99
    after = chosen(made, span("5.5"), frame_rate)
    assert after.indices[0] == 100
    assert int(made.pts[after.indices[0]]) * made.time_base == Fraction("5.5")


@pytest.mark.parametrize("frame_rate", [None, Fraction(10)], ids=["as it is", "resampled"])
@pytest.mark.parametrize("start", ["3", "6", "11"], ids=["ends in it", "within it", "starts in it"])
def test_a_hole_in_a_variable_stream_is_not_cut(start: str, frame_rate: Fraction | None) -> None:
    times = variable().pts.tolist()
    holed = stream([time for time in times if not 5000 < time < 12_500], Fraction(1, 1000), 50)
    assert holed.variable_frame_rate
    first_s = int(holed.pts[0]) * holed.time_base
    window = Span(Fraction(start) - first_s, Fraction(start) + 4 - first_s)
    assert select_frames(holed, window, frame_rate) == "frames-missing"


# Variable rate.


@settings(deadline=None, max_examples=150)
@given(
    st.integers(0, 50),
    st.sampled_from([(Fraction(1, 1000), 50), (Fraction(1, 90_000), 4500), (Fraction(1, 30), 3)]),
    st.fractions(0, 3, max_denominator=1000),
)
def test_a_variable_clip_shows_each_frame_at_its_own_time(
    seed: int, clock: tuple[Fraction, int], start: Fraction
) -> None:
    time_base, usual = clock
    made = variable(seed, time_base, usual)
    window = Span(start, start + 4)
    frames = chosen(made, window)
    shown = [int(time - made.pts[0]) * time_base for time in made.pts.tolist()]
    # The first one is on screen at the start, the others begin within the window.
    assert shown[frames.indices[0]] <= start + ROUNDING_SLACK_S
    assert shown[frames.indices[0] + 1] > start
    within = [
        place
        for place, time in enumerate(shown)
        if start + ROUNDING_SLACK_S < time < window.end - ROUNDING_SLACK_S
    ]
    assert frames.indices[0] not in within
    assert list(frames.indices[1:]) == within
    assert frames.time_base == time_base
    assert frames.pts[0] == 0
    assert np.all(np.diff(frames.pts) > 0)
    for place, time in zip(frames.indices[1:], frames.pts[1:], strict=True):
        assert abs(time * time_base - (shown[place] - start)) <= time_base


def test_variable_clips_one_after_the_other_share_no_frame_that_begins_in_them() -> None:
    made = variable(usual=64)
    begin = [set(chosen(made, span(4 * k)).indices[1:]) for k in range(3)]
    assert not begin[0] & begin[1]
    assert not begin[1] & begin[2]


# Resampled.


@settings(deadline=None, max_examples=100)
@given(
    st.booleans(),
    st.sampled_from([Fraction(10), Fraction(20), NTSC, Fraction(60)]),
    st.fractions(0, 3, max_denominator=1000),
)
def test_a_resampled_clip_shows_what_was_on_screen_at_each_instant(
    constant: bool, rate: Fraction, start: Fraction
) -> None:
    made = regular() if constant else variable()
    frames = chosen(made, Span(start, start + 4), rate)
    assert len(frames.indices) == round(4 * rate)
    assert list(frames.pts) == list(range(len(frames.indices)))
    assert (frames.time_base, frames.frame_rate) == (1 / rate, rate)
    shown = [int(time - made.pts[0]) * made.time_base for time in made.pts.tolist()]
    for number, place in enumerate(frames.indices):
        instant = start + number / rate
        assert shown[place] <= instant + ROUNDING_SLACK_S
        assert shown[place + 1] > instant


def test_half_the_rate_takes_every_second_frame() -> None:
    frames = chosen(regular(), span("0.1"), Fraction(10))
    assert frames.indices == tuple(range(2, 82, 2))
