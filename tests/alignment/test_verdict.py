from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dogclips.alignment import (
    Alignment,
    Content,
    Estimates,
    PictureView,
    StreamChoice,
    Trust,
    align_streams,
    can_be_compared,
    may_lie,
)
from dogclips.alignment.pieces import Piece
from dogclips.errors import AlignmentError
from dogclips.streams import StepBack, Stream, StreamTable
from dogclips.timebase import Span, frame_at

TICKS = 1000  # of a second


def stream(
    index: int,
    num_frames: int = 1200,
    *,
    start: int = 0,
    step: int = 50,
    size: tuple[int, int] = (640, 360),
    default: bool = False,
) -> Stream:
    """Return a video stream of 20 frames a second; times in milliseconds."""
    return Stream(
        index=index,
        type="video",
        codec="h264",
        time_base=Fraction(1, TICKS),
        pts=start + step * np.arange(num_frames, dtype=np.int64),
        end_pts=start + step * num_frames if num_frames else None,
        num_frames=max(num_frames, 1),
        width=size[0],
        height=size[1],
        default=default,
    )


def table(*streams: Stream) -> StreamTable:
    return StreamTable(Path("020500.mp4"), "mov,mp4", None, streams)


def seen(*shifts: int, drift: Fraction = Fraction(0), doubts: tuple[Span, ...] = ()) -> Content:
    """Return what clear pixels show: pieces of 30 s, each with its shift in milliseconds."""
    pieces = [
        Piece(Span(Fraction(30 * k), Fraction(30 * k + 30)), Fraction(shift, TICKS), drift)
        for k, shift in enumerate(shifts)
    ]
    return Content("", PictureView(), pieces=tuple(pieces), doubts=doubts, error_s=Fraction(1, 20))


UNCLEAR = Content("nothing moves", PictureView())


def codes(alignment: Alignment) -> list[str]:
    return [message.code for message in alignment.messages]


def test_a_stream_against_itself_is_trusted_without_a_word() -> None:
    one = stream(0, start=10_000)
    alignment = align_streams(one, one)
    assert alignment.method == "identity"
    assert alignment.trusted
    assert alignment.offset_s == 0
    assert alignment.messages == ()
    assert alignment.time_map.to_target(Fraction(12)) == 2


def test_same_start_and_length_is_trusted_but_said_to_be_unverified() -> None:
    alignment = align_streams(stream(0), stream(1))
    assert alignment.method == "timestamps"
    assert alignment.trusted
    assert alignment.offset_s == 0
    assert codes(alignment) == ["P021"]
    assert "not verified" in alignment.messages[0].text


def test_a_late_target_is_corrected_by_its_timestamps() -> None:
    alignment = align_streams(stream(0, 1200), stream(1, 1190, start=500))
    assert (alignment.method, alignment.trusted) == ("timestamps", True)
    assert (alignment.offset_s, alignment.offset_frames) == (Fraction(1, 2), 10)
    assert alignment.estimates == Estimates(Fraction(1, 2), Fraction(1, 2))
    assert codes(alignment) == ["P011", "P021"]
    assert [message.level for message in alignment.messages] == ["note", "warning"]
    assert not alignment.verified
    assert "0.5 s (10 frames) late" in alignment.messages[0].text
    assert alignment.time_map.to_target(Fraction(4)) == Fraction(7, 2)
    assert alignment.time_map.to_target(Fraction(0)) == Fraction(-1, 2)


def test_an_early_target_has_a_negative_offset() -> None:
    alignment = align_streams(stream(0, 1190, start=500), stream(1, 1200))
    assert (alignment.offset_s, alignment.offset_frames) == (Fraction(-1, 2), -10)
    assert "early" in alignment.messages[0].text
    assert alignment.time_map.to_target(Fraction(4)) == 4


def test_equal_starts_with_different_lengths_are_not_trusted() -> None:
    alignment = align_streams(stream(0, 1199), stream(1, 1189))
    assert not alignment.trusted
    assert alignment.estimates == Estimates(Fraction(0), Fraction(1, 2))
    assert codes(alignment) == ["P012"]
    assert "0.5 s (10 frames)" in alignment.messages[0].text


@pytest.mark.parametrize(
    ("num_frames", "trusted"), [(1199, True), (1201, True), (1198, False), (1202, False)]
)
def test_one_frame_more_or_less_is_no_reason_for_doubt(num_frames: int, trusted: bool) -> None:
    assert align_streams(stream(0, 1200), stream(1, num_frames)).trusted is trusted


def test_whoever_trusts_timestamps_gets_no_offset() -> None:
    alignment = align_streams(stream(0, 1199), stream(1, 1189), trust="timestamps")
    assert alignment.method == "timestamps"
    assert alignment.trusted
    assert alignment.offset_s == 0
    assert alignment.time_map.to_target(Fraction(4)) == 4
    assert codes(alignment) == ["P012"]


def test_whoever_trusts_frame_counts_gets_their_difference() -> None:
    alignment = align_streams(stream(0, 1199), stream(1, 1189), trust="frame-count")
    assert (alignment.method, alignment.trusted) == ("frame-count", True)
    assert (alignment.offset_s, alignment.offset_frames) == (Fraction(1, 2), 10)
    assert alignment.time_map.to_target(Fraction(4)) == Fraction(7, 2)


def test_frame_counts_do_not_shift_a_stream_against_itself() -> None:
    one = stream(0, start=500)
    alignment = align_streams(one, one, trust="frame-count")
    assert alignment.method == "identity"
    assert alignment.offset_s == 0


@pytest.mark.parametrize("start", [60_000, 3_600_000, -60_000])
def test_streams_that_never_run_together_are_not_trusted(start: int) -> None:
    alignment = align_streams(stream(0), stream(1, start=start))
    assert not alignment.trusted
    assert codes(alignment) == ["P014"]


def test_a_stream_that_starts_and_ends_much_later_runs_by_another_clock() -> None:
    assert codes(align_streams(stream(0), stream(1, start=11_000))) == ["P014"]
    assert codes(align_streams(stream(0), stream(1, start=9_000))) == ["P011", "P021"]
    late_camera = stream(1, 200, start=50_000)  # it ends with the other one
    assert codes(align_streams(stream(0), late_camera)) == ["P011", "P021"]


def test_a_clock_that_starts_anew_is_not_trusted_even_alone() -> None:
    restart = StepBack(Fraction(10), Fraction(0), restart=True)
    alone = replace(stream(0), steps_back=(restart,))
    assert codes(align_streams(alone, alone)) == ["P023"]
    assert not align_streams(alone, alone).trusted
    assert not align_streams(alone, stream(1), content=seen(0)).trusted
    assert not align_streams(alone, alone, trust="timestamps").trusted


def test_room_for_error_is_told_where_lengths_differ_by_one_frame() -> None:
    (message,) = align_streams(stream(0), stream(1, 1199)).messages
    assert (message.code, "an error of 1 frame" in message.text) == ("P021", True)


@pytest.mark.parametrize("lacking", [0, 1])
def test_a_stream_without_timestamps_is_named(lacking: int) -> None:
    streams = [stream(index, 0 if index == lacking else 1200) for index in (0, 1)]
    with pytest.raises(AlignmentError, match=f"no timestamps \\(stream {lacking}\\)"):
        align_streams(*streams)


@pytest.mark.parametrize(
    ("target", "said"),
    [
        (stream(1), []),
        (stream(1, 1190, start=500), ["P011"]),
        (stream(1, 1190), []),
        (stream(1, 1210), []),
    ],
    ids=["same length", "late start", "shorter", "longer"],
)
def test_timestamps_that_the_pixels_confirm_are_trusted_and_verified(
    target: Stream, said: list[str]
) -> None:
    alignment = align_streams(stream(0), target, content=seen(0))
    assert (alignment.method, alignment.trusted, alignment.verified) == ("timestamps", True, True)
    assert alignment.estimates.content_s == alignment.offset_s == target.start_s
    assert codes(alignment) == said
    assert {message.level for message in alignment.messages} <= {"note"}


@pytest.mark.parametrize(
    ("target", "frame_count_s"),
    [(stream(1, 1190), Fraction(1, 2)), (stream(1), Fraction(0))],
    ids=["counts agree with the pixels", "counts see nothing"],
)
def test_pixels_that_disagree_decide_with_a_warning_of_all_numbers(
    target: Stream, frame_count_s: Fraction
) -> None:
    alignment = align_streams(stream(0), target, content=seen(-500))
    assert (alignment.method, alignment.trusted, alignment.verified) == ("content", True, True)
    assert alignment.estimates == Estimates(Fraction(0), frame_count_s, Fraction(1, 2))
    assert (alignment.offset_s, alignment.offset_frames) == (Fraction(1, 2), 10)
    assert alignment.time_map.to_target(Fraction(4)) == Fraction(7, 2)
    assert codes(alignment) == ["P030"]
    assert alignment.messages[0].level == "warning"
    for number in ("+0.500 s (+10 frames)", "timestamps +0.000", f"{float(frame_count_s):+.3f}"):
        assert number in alignment.messages[0].text


def test_unclear_pixels_leave_streams_alike_to_their_timestamps_unverified() -> None:
    alignment = align_streams(stream(0), stream(1), content=UNCLEAR)
    assert (alignment.method, alignment.trusted, alignment.verified) == ("timestamps", True, False)
    assert codes(alignment) == ["P021"]
    assert "not verified, the pixels cannot tell: nothing moves" in alignment.messages[0].text


@pytest.mark.parametrize("content", [UNCLEAR, None], ids=["unclear", "not looked at"])
@pytest.mark.parametrize("start", [0, 20, -20, 50])
def test_a_start_within_a_frame_does_not_hide_different_lengths(
    start: int, content: Content | None
) -> None:
    reference, target = stream(0, 1199), stream(1, 1189, start=start)
    alignment = align_streams(reference, target, content=content)
    assert may_lie(reference, target)
    assert (alignment.trusted, alignment.verified) == (False, False)
    assert codes(alignment) == ["P012"]
    assert ("nothing moves" in alignment.messages[0].text) is (content is UNCLEAR)


def test_a_start_of_more_than_a_frame_is_believed() -> None:
    reference, target = stream(0, 1199), stream(1, 1189, start=51)
    assert not may_lie(reference, target)
    assert align_streams(reference, target, content=UNCLEAR).trusted


@pytest.mark.parametrize(
    ("trust", "offset_s"), [("timestamps", Fraction(0)), ("frame-count", Fraction(1, 2))]
)
def test_whoever_overrules_clear_pixels_is_warned_and_nothing_is_verified(
    trust: Trust, offset_s: Fraction
) -> None:
    alignment = align_streams(stream(0), stream(1, 1190), trust=trust, content=seen(-1000))
    assert (alignment.method, alignment.offset_s) == (trust, offset_s)
    assert (alignment.trusted, alignment.verified) == (True, False)
    assert codes(alignment) == ["P030"]
    assert f"`trust` says {trust}" in alignment.messages[0].text


def test_whoever_trusts_timestamps_that_the_pixels_confirm_gets_them_verified() -> None:
    alignment = align_streams(stream(0), stream(1, 1190), trust="timestamps", content=seen(0))
    assert (alignment.method, alignment.verified, codes(alignment)) == ("timestamps", True, [])


def test_frames_lost_in_between_change_the_shift_there() -> None:
    alignment = align_streams(stream(0), stream(1, 1190), content=seen(0, -500))
    assert (alignment.method, alignment.offset_s) == ("content", Fraction(0))
    assert codes(alignment) == ["P031"]
    assert "the target lost 0.5 s" in alignment.messages[0].text
    assert alignment.time_map.to_target(Fraction(29)) == 29
    assert alignment.time_map.to_target(Fraction(31)) == Fraction(61, 2)


def test_frames_that_the_reference_lost_are_said_to_be_its_own() -> None:
    alignment = align_streams(stream(0, 1190), stream(1), content=seen(0, 500))
    assert "the reference lost 0.5 s" in alignment.messages[0].text


def test_a_clock_that_drifts_is_followed_and_named() -> None:
    alignment = align_streams(stream(0), stream(1), content=seen(0, drift=Fraction(1, 1000)))
    assert (alignment.method, codes(alignment)) == ("content", ["P032"])
    assert "+1000 ppm" in alignment.messages[0].text
    assert alignment.time_map.to_target(Fraction(20)) == Fraction(20_020, TICKS)


@pytest.mark.parametrize("shift", [0, -500])
def test_doubts_and_the_bound_of_the_error_come_with_the_map(shift: int) -> None:
    doubts = (Span(Fraction(10), Fraction(12)),)
    alignment = align_streams(stream(0), stream(1), content=seen(shift, doubts=doubts))
    assert alignment.time_map.doubts == doubts
    assert alignment.time_map.error_s == Fraction(1, 20)
    assert codes(alignment)[-1] == "P033"
    assert "from 10.0 to 12.0 s" in alignment.messages[-1].text


@pytest.mark.parametrize("hours", [3, -3])
def test_timestamps_hours_apart_are_never_corrected(hours: int) -> None:
    reference, target = stream(0), stream(1, start=hours * 3_600_000)
    assert not can_be_compared(reference, target)
    assert not align_streams(reference, target, content=seen(0)).trusted
    believed = align_streams(reference, target, trust="timestamps").time_map
    for second in (0, 30, 59):
        assert not 0 <= believed.to_target(Fraction(second)) < 60


@settings(deadline=None, max_examples=100)
@given(
    st.integers(-5000, 5000),
    st.integers(-5000, 5000),
    st.integers(110, 300),
    st.integers(110, 300),
    st.data(),
)
def test_the_map_leads_to_the_frame_shown_at_the_same_instant(
    reference_start: int, late: int, num_reference: int, num_target: int, data: st.DataObject
) -> None:
    reference = stream(0, num_reference, start=reference_start)
    target = stream(1, num_target, start=reference_start + late, step=40)
    alignment = align_streams(reference, target, trust="timestamps")
    assert alignment.offset_s == Fraction(late, TICKS)
    number = data.draw(st.integers(0, num_target - 1))
    instant = int(target.pts[number]) * target.time_base
    on_target = alignment.time_map.to_target(instant)
    assert on_target == Fraction(40 * number, TICKS)
    assert target.start_s is not None
    assert frame_at(target.pts, target.time_base, on_target + target.start_s) == number


@settings(deadline=None, max_examples=50)
@given(st.integers(-500, 500), st.integers(100, 200), st.integers(100, 200))
def test_the_map_covers_what_both_streams_show(
    late: int, num_reference: int, num_target: int
) -> None:
    reference, target = stream(0, num_reference), stream(1, num_target, start=late)
    (piece,) = align_streams(reference, target, trust="timestamps").time_map.pieces
    assert piece.reference.start == Fraction(max(0, late), TICKS)
    ends = (50 * num_reference, late + 50 * num_target)
    assert piece.reference.end == Fraction(min(ends), TICKS)


def test_the_reference_is_what_the_player_shows_and_the_target_the_largest() -> None:
    recording = table(stream(0, size=(1280, 720)), stream(1, default=True))
    for player, shown in [("chrome", 1), ("firefox", 0), ("mpv", 1), ("edge", 1)]:
        reference, target = StreamChoice(annotated_in=player).of(recording)  # type: ignore[arg-type]
        assert (reference.index, target.index) == (shown, 0)


def test_of_equally_large_streams_the_first_is_the_target() -> None:
    assert StreamChoice().of(table(stream(0), stream(1)))[1].index == 0


def test_streams_may_be_named() -> None:
    reference, target = StreamChoice(reference=3, target=0).of(table(stream(0), stream(3)))
    assert (reference.index, target.index) == (3, 0)


@pytest.mark.parametrize("index", [2, -1, 99])
def test_a_stream_that_is_not_there_is_refused_with_those_that_are(index: int) -> None:
    with pytest.raises(AlignmentError, match=rf"stream {index} .*020500.mp4.*one of 0, 3"):
        StreamChoice(target=index).of(table(stream(0), stream(3)))


def test_a_recording_without_video_is_refused() -> None:
    with pytest.raises(AlignmentError, match=r"no video stream.*020500.mp4"):
        StreamChoice().of(table())
