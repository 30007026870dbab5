from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dogclips.alignment import Alignment, align, choose_streams
from dogclips.errors import AlignmentError
from dogclips.streams import Stream, StreamTable
from dogclips.timebase import frame_at

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


def codes(alignment: Alignment) -> list[str]:
    return [message.code for message in alignment.messages]


def test_a_stream_against_itself_is_trusted_without_a_word() -> None:
    one = stream(0, start=10_000)
    alignment = align(one, one)
    assert alignment.method == "identity"
    assert alignment.trusted
    assert alignment.offset_s == 0
    assert alignment.messages == ()
    assert alignment.time_map.to_target(Fraction(12)) == 2


def test_same_start_and_length_is_trusted_but_said_to_be_unverified() -> None:
    alignment = align(stream(0), stream(1))
    assert alignment.method == "timestamps"
    assert alignment.trusted
    assert alignment.offset_s == 0
    assert codes(alignment) == ["P021"]
    assert "not verified" in alignment.messages[0].text


def test_a_late_target_is_corrected_by_its_timestamps() -> None:
    alignment = align(stream(0, 1200), stream(1, 1190, start=500))
    assert (alignment.method, alignment.trusted) == ("timestamps", True)
    assert (alignment.offset_s, alignment.offset_frames) == (Fraction(1, 2), 10)
    assert alignment.timestamps_s == alignment.frame_count_s == Fraction(1, 2)
    assert codes(alignment) == ["P011"]
    assert "0.5 s (10 frames) late" in alignment.messages[0].text
    assert alignment.time_map.to_target(Fraction(4)) == Fraction(7, 2)
    assert alignment.time_map.to_target(Fraction(0)) == Fraction(-1, 2)


def test_an_early_target_has_a_negative_offset() -> None:
    alignment = align(stream(0, 1190, start=500), stream(1, 1200))
    assert (alignment.offset_s, alignment.offset_frames) == (Fraction(-1, 2), -10)
    assert "early" in alignment.messages[0].text
    assert alignment.time_map.to_target(Fraction(4)) == 4


def test_equal_starts_with_different_lengths_are_not_trusted() -> None:
    alignment = align(stream(0, 1199), stream(1, 1189))
    assert not alignment.trusted
    assert alignment.timestamps_s == 0
    assert alignment.frame_count_s == Fraction(1, 2)
    assert codes(alignment) == ["P012"]
    assert "0.5 s (10 frames)" in alignment.messages[0].text


@pytest.mark.parametrize(
    ("num_frames", "trusted"), [(1199, True), (1201, True), (1198, False), (1202, False)]
)
def test_one_frame_more_or_less_is_no_reason_for_doubt(num_frames: int, trusted: bool) -> None:
    assert align(stream(0, 1200), stream(1, num_frames)).trusted is trusted


def test_whoever_trusts_timestamps_gets_no_offset() -> None:
    alignment = align(stream(0, 1199), stream(1, 1189), trust="timestamps")
    assert alignment.method == "timestamps"
    assert alignment.trusted
    assert alignment.offset_s == 0
    assert alignment.time_map.to_target(Fraction(4)) == 4
    assert codes(alignment) == ["P012"]


def test_whoever_trusts_frame_counts_gets_their_difference() -> None:
    alignment = align(stream(0, 1199), stream(1, 1189), trust="frame-count")
    assert (alignment.method, alignment.trusted) == ("frame-count", True)
    assert (alignment.offset_s, alignment.offset_frames) == (Fraction(1, 2), 10)
    assert alignment.time_map.to_target(Fraction(4)) == Fraction(7, 2)


def test_frame_counts_do_not_shift_a_stream_against_itself() -> None:
    one = stream(0, start=500)
    alignment = align(one, one, trust="frame-count")
    assert alignment.method == "identity"
    assert alignment.offset_s == 0


@pytest.mark.parametrize("start", [60_000, 3_600_000, -60_000])
def test_streams_that_never_run_together_are_not_trusted(start: int) -> None:
    alignment = align(stream(0), stream(1, start=start))
    assert not alignment.trusted
    assert codes(alignment) == ["P014"]


def test_streams_that_hardly_run_together_share_a_clock() -> None:
    assert codes(align(stream(0), stream(1, start=59_950))) == ["P011"]


@pytest.mark.parametrize("lacking", [0, 1])
def test_a_stream_without_timestamps_is_named(lacking: int) -> None:
    streams = [stream(index, 0 if index == lacking else 1200) for index in (0, 1)]
    with pytest.raises(AlignmentError, match=f"no timestamps \\(stream {lacking}\\)"):
        align(*streams)


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
    alignment = align(reference, target, trust="timestamps")
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
    (piece,) = align(reference, target, trust="timestamps").time_map.pieces
    assert piece.reference.start == Fraction(max(0, late), TICKS)
    ends = (50 * num_reference, late + 50 * num_target)
    assert piece.reference.end == Fraction(min(ends), TICKS)


def test_the_reference_is_what_the_player_shows_and_the_target_the_largest() -> None:
    recording = table(stream(0, size=(1280, 720)), stream(1, default=True))
    for player, shown in [("chrome", 1), ("firefox", 0), ("mpv", 1), ("edge", 1)]:
        reference, target = choose_streams(recording, annotated_in=player)  # type: ignore[arg-type]
        assert (reference.index, target.index) == (shown, 0)


def test_of_equally_large_streams_the_first_is_the_target() -> None:
    assert choose_streams(table(stream(0), stream(1)))[1].index == 0


def test_streams_may_be_named() -> None:
    reference, target = choose_streams(table(stream(0), stream(3)), reference=3, target=0)
    assert (reference.index, target.index) == (3, 0)


@pytest.mark.parametrize("index", [2, -1, 99])
def test_a_stream_that_is_not_there_is_refused_with_those_that_are(index: int) -> None:
    with pytest.raises(AlignmentError, match=rf"stream {index} .*020500.mp4.*one of 0, 3"):
        choose_streams(table(stream(0), stream(3)), target=index)


def test_a_recording_without_video_is_refused() -> None:
    with pytest.raises(AlignmentError, match=r"no video stream.*020500.mp4"):
        choose_streams(table())
