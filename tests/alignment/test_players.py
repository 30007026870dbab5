from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dogclips.alignment import AnnotatedIn, fault_of, read_by, shown_in, zero_of
from dogclips.streams import EmptyEdit, Stream, StreamTable

SMALL, LARGE = (640, 360), (1280, 720)


def stream(
    index: int,
    size: tuple[int, int] = SMALL,
    *,
    default: bool = False,
    start: int = 0,
    **facts: Any,
) -> Stream:
    measured: dict[str, Any] = {
        "type": "video",
        "codec": "h264",
        "time_base": Fraction(1, 1000),
        "pts": np.arange(start, start + 1000, 50, dtype=np.int64),
        "end_pts": start + 1000,
        "num_frames": 20,
        "width": size[0],
        "height": size[1],
    }
    return Stream(index=index, default=default, **(measured | facts))


MP4, MATROSKA = "mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm"


def table(*streams: Stream, container: str = MP4) -> StreamTable:
    return StreamTable(Path("a.mp4"), container, None, streams)


# The table of measurements: default flags, larger picture, and the stream that each reader takes.
@pytest.mark.parametrize(
    ("defaults", "larger", "libavformat", "first", "decord"),
    [({0}, 1, 0, 0, 1), ({0, 1}, 1, 1, 0, 1), ({1}, 0, 1, 0, 0), ({0, 1}, 0, 0, 0, 0)],
    ids=["flag on 0, 1 larger", "both flagged, 1 larger", "flag on 1, 0 larger", "both, 0 larger"],
)
def test_readers_pick_the_stream_that_was_measured(
    defaults: set[int], larger: int, libavformat: int, first: int, decord: int
) -> None:
    sizes = [LARGE if index == larger else SMALL for index in (0, 1)]
    streams = [stream(index, sizes[index], default=index in defaults) for index in (0, 1)]
    assert read_by(table(*streams)) == {
        "ffmpeg": libavformat,
        "torchcodec": libavformat,
        "pyav_best": libavformat,
        "pyav_first": first,
        "opencv": first,
        "decord": decord,
    }


@pytest.mark.parametrize(
    ("container", "chrome"),
    [(MP4, 1), (MATROSKA, 0)],
    ids=["in MP4 Chromium obeys the flag", "in Matroska Chromium takes the first track"],
)
def test_players_show_the_stream_that_was_measured(container: str, chrome: int) -> None:
    shown = shown_in(table(stream(0, LARGE), stream(1, default=True), container=container))
    assert shown == {"chrome": chrome, "edge": chrome, "firefox": 0, "mpv": 1}


@pytest.mark.parametrize("defaults", [(False, False), (True, True), (True, False)])
def test_every_player_shows_the_first_stream_unless_another_alone_is_flagged(
    defaults: tuple[bool, bool],
) -> None:
    streams = [stream(index, LARGE, default=flag) for index, flag in enumerate(defaults)]
    assert set(shown_in(table(*streams)).values()) == {0}


def test_sound_and_cover_pictures_are_neither_shown_nor_read() -> None:
    streams = (
        stream(0, (0, 0), type="audio", default=True),
        stream(1, LARGE, attached_picture=True, default=True),
        stream(2, SMALL),
    )
    assert set(shown_in(table(*streams)).values()) == {2}
    assert set(read_by(table(*streams)).values()) == {2}


def test_without_video_nothing_is_shown() -> None:
    assert shown_in(table(stream(0, type="audio"))) == {}
    assert read_by(table(stream(0, type="audio"))) == {}


def sound(start: int, **facts: Any) -> Stream:
    return stream(1, (0, 0), type="audio", start=start, **facts)


@pytest.mark.parametrize("container", [MP4, MATROSKA])
@pytest.mark.parametrize("player", ["chrome", "edge", "container"])
def test_most_players_count_from_the_containers_zero(player: AnnotatedIn, container: str) -> None:
    late = stream(0, start=500)
    assert zero_of(player, late, table(late, sound(300), container=container)) == 0


def test_mpv_counts_from_the_containers_zero_in_mp4_and_from_the_first_start_elsewhere() -> None:
    shown, other = stream(0, start=500), stream(1, start=300)
    assert zero_of("mpv", shown, table(shown, other)) == 0
    assert zero_of("mpv", shown, table(shown, other, container=MATROSKA)) == Fraction(3, 10)


def test_mpv_counts_from_the_packet_that_is_stored_first() -> None:
    """In open groups others are shown before it; a clock that wraps around begins before zero."""
    shown = replace(stream(0, start=400), first_pts=500)
    assert zero_of("mpv", shown, table(shown, container=MATROSKA)) == Fraction(1, 2)
    wrapped = replace(stream(0, start=-1500), first_pts=-1500)
    assert zero_of("mpv", wrapped, table(wrapped, container="mpegts")) == Fraction(-3, 2)


def test_mpv_counts_from_zero_where_sound_is_primed_before_it() -> None:
    shown = stream(0, start=500)
    assert zero_of("mpv", shown, table(shown, sound(-7), container=MATROSKA)) == 0


@pytest.mark.parametrize("container", [MP4, MATROSKA])
def test_firefox_counts_from_the_first_frame_whatever_the_other_picture_does(
    container: str,
) -> None:
    late = stream(0, start=500)
    streams = table(late, stream(1), container=container)
    assert zero_of("firefox", late, streams) == Fraction(1, 2)


@pytest.mark.parametrize(
    ("sound_start", "zero"), [(300, Fraction(3, 10)), (-7, 0), (700, Fraction(1, 2))]
)
def test_firefox_counts_from_the_sound_if_that_starts_first(
    sound_start: int, zero: Fraction
) -> None:
    late = stream(0, start=500)
    streams = table(late, sound(sound_start), container=MATROSKA)
    assert zero_of("firefox", late, streams) == zero


@pytest.mark.parametrize("streams", [(), (sound(0, hidden_start_pts=-700),)])
def test_firefox_counts_from_the_first_hidden_frame_and_ignores_hidden_sound(
    streams: tuple[Stream, ...],
) -> None:
    trimmed = stream(0, hidden_start_pts=-600)
    assert zero_of("firefox", trimmed, table(trimmed, *streams)) == Fraction(-3, 5)


def test_firefox_misreads_the_wait_of_an_empty_edit() -> None:
    late = stream(0, start=500, empty_edit=EmptyEdit(30_000, 60_000))  # 30 s in ticks of the track
    assert zero_of("firefox", late, table(late)) == Fraction(1, 2)
    assert zero_of("firefox", late, table(late, sound(0))) == Fraction(1, 2) - 30

    short = stream(0, start=500, empty_edit=EmptyEdit(50, 100))  # 50 ticks of the track: 0.05 s
    assert zero_of("firefox", short, table(short)) == Fraction(1, 2)
    assert zero_of("firefox", short, table(short, sound(0))) == Fraction(9, 20)

    late_sound = sound(300, empty_edit=EmptyEdit(30, 100))
    assert zero_of("firefox", short, table(short, late_sound)) == Fraction(12, 25)


def test_without_timestamps_every_player_counts_from_zero() -> None:
    untimed = stream(0, pts=np.array([], dtype=np.int64), end_pts=None)
    for player in ("chrome", "firefox", "mpv"):
        assert zero_of(player, untimed, table(untimed)) == 0


def test_firefox_is_not_believed_with_b_frames_in_matroska() -> None:
    shown = stream(0, reordered=True)
    matroska = table(shown, container="matroska,webm")
    assert "4 frames" in fault_of("firefox", shown, matroska)
    assert fault_of("chrome", shown, matroska) == ""
    assert fault_of("firefox", shown, table(shown)) == ""
    assert fault_of("firefox", stream(0), matroska) == ""
