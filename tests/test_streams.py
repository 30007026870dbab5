from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dogclips.streams import Gap, Stream, StreamTable

RATES = [Fraction(20), Fraction(25), Fraction(30), Fraction(30_000, 1001), Fraction(24_000, 1001)]
TIME_BASES = [Fraction(1, 90_000), Fraction(1, 1000), Fraction(1, 10_240)]


def camera(pts: list[int], time_base: Fraction = Fraction(1, 1000), **facts: Any) -> Stream:
    """Return a video stream with these presentation times; its last frame lasts 50 ticks."""
    measured: dict[str, Any] = {
        "index": 0,
        "type": "video",
        "codec": "h264",
        "time_base": time_base,
        "pts": np.array(pts, np.int64),
        "end_pts": pts[-1] + 50 if pts else None,
        "num_frames": len(pts),
    }
    return Stream(**(measured | facts))


def on_grid(places: list[int], rate: Fraction, time_base: Fraction, start: int = 0) -> list[int]:
    """Return the times of frames on a grid, rounded to the time base as muxers do."""
    return [start + round(place / (rate * time_base)) for place in places]


@st.composite
def holes(draw: st.DrawFn) -> list[tuple[int, int]]:
    """Draw (frames before the hole, frames missing), few enough for a regular stream."""
    befores = draw(st.lists(st.integers(5, 295), unique=True, max_size=8))
    return [(before, draw(st.integers(1, 90))) for before in sorted(befores)]


@settings(deadline=None, max_examples=200)
@given(
    st.sampled_from(RATES),
    st.sampled_from(TIME_BASES),
    st.integers(-(10**6), 10**9),
    holes(),
)
def test_rate_and_gaps_of_a_regular_stream_are_found_exactly(
    rate: Fraction, time_base: Fraction, start: int, missing: list[tuple[int, int]]
) -> None:
    places = np.arange(300)
    for before, num_missing in missing:
        places[before:] += num_missing
    pts = on_grid(places.tolist(), rate, time_base, start)
    stream = camera(pts, time_base)
    assert stream.frame_rate == rate
    assert not stream.variable_frame_rate
    assert stream.gaps == tuple(
        Gap(pts[before] * time_base, num_missing) for before, num_missing in missing
    )


@settings(deadline=None, max_examples=100)
@given(st.sampled_from(RATES), st.sampled_from(TIME_BASES), st.integers(0, 2**32))
def test_jittered_timestamps_are_variable(rate: Fraction, time_base: Fraction, seed: int) -> None:
    jitter = np.random.default_rng(seed).uniform(-0.3, 0.3, 200)
    ticks = (np.arange(200) + jitter) / float(rate * time_base)
    stream = camera(np.rint(ticks).astype(int).tolist(), time_base)
    assert stream.variable_frame_rate
    assert stream.frame_rate is not None
    assert float(stream.frame_rate) == pytest.approx(float(rate), rel=0.01)
    assert stream.gaps == ()


@pytest.mark.parametrize("every", [3, 10])
def test_a_stream_that_drops_frames_all_the_time_is_variable(every: int) -> None:
    kept = [place for place in range(300) if place % every]
    time_base = Fraction(1, 90_000)
    stream = camera(on_grid(kept, Fraction(24_000, 1001), time_base), time_base)
    assert stream.variable_frame_rate


def test_more_than_rounding_off_the_grid_is_variable() -> None:
    assert not camera([50 * place + place % 2 for place in range(300)]).variable_frame_rate
    assert camera([50 * place + place % 2 * 3 for place in range(300)]).variable_frame_rate


def test_a_hole_in_a_variable_stream_is_a_gap() -> None:
    steps = np.random.default_rng(0).integers(35, 66, 200)
    steps[99] = 1000
    pts = np.cumsum(steps).tolist()
    stream = camera(pts)
    assert stream.variable_frame_rate
    (gap,) = stream.gaps
    assert gap.at_s == Fraction(pts[99], 1000)
    assert gap.missing == pytest.approx(19, abs=2)


def test_start_end_and_duration_are_exact_container_time() -> None:
    stream = camera([3003, 6006, 9009], Fraction(1, 90_000), end_pts=12_012)
    assert stream.start_s == Fraction(3003, 90_000)
    assert stream.end_s == Fraction(12_012, 90_000)
    assert stream.duration_s == Fraction(9009, 90_000)


def test_the_time_of_a_frame_is_exact_and_those_of_all_frames_are_close_to_it() -> None:
    stream = camera([3003, 6006, 9009], Fraction(1, 90_000), end_pts=12_012)
    exact = [stream.frame_time(index) for index in range(3)]
    assert exact == [Fraction(3003, 90_000), Fraction(6006, 90_000), Fraction(9009, 90_000)]
    assert stream.times_s.tolist() == pytest.approx([float(time_s) for time_s in exact])


def test_a_stream_without_timestamps_knows_no_times() -> None:
    stream = camera([], num_frames=245, timed=False)
    assert stream.start_s is None
    assert stream.end_s is None
    assert stream.duration_s is None
    assert stream.frame_rate is None
    assert stream.gaps == ()
    assert not stream.variable_frame_rate


def test_one_frame_has_no_rate() -> None:
    stream = camera([7])
    assert stream.frame_rate is None
    assert not stream.variable_frame_rate


def test_frames_at_one_instant_have_no_rate() -> None:
    assert camera([7, 7, 7]).frame_rate is None


def test_audio_has_no_frame_rate() -> None:
    stream = camera([0, 1024, 2048, 9999], type="audio")
    assert stream.frame_rate is None
    assert stream.gaps == ()


@pytest.mark.parametrize(
    "facts",
    [{"type": "audio"}, {"attached_picture": True}, {"num_frames": 0}],
    ids=["sound", "a cover picture", "a stream without frames"],
)
def test_only_moving_pictures_are_cameras(facts: dict[str, Any]) -> None:
    table = StreamTable(Path("a.mp4"), "mov", None, (camera([0, 50], **facts), camera([0, 50])))
    assert table.cameras == (table.streams[1],)


def test_a_file_lasts_from_its_first_start_to_its_last_end() -> None:
    streams = (camera([500, 550]), camera([-20, 40], type="audio"), camera([]))
    table = StreamTable(Path("a.mp4"), "mov", None, streams)
    assert table.start_s == Fraction(-20, 1000)
    assert table.duration_s == Fraction(620, 1000)


def test_a_file_without_timestamps_has_no_duration() -> None:
    table = StreamTable(Path("a.h264"), "h264", None, (camera([]),))
    assert table.start_s is None
    assert table.duration_s is None
