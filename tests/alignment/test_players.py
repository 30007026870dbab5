from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dogclips.alignment import AnnotatedIn, read_by, shown_in, zero_of
from dogclips.streams import Stream, StreamTable

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


def table(*streams: Stream, container: str = "mov,mp4,m4a,3gp,3g2,mj2") -> StreamTable:
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
    [("mov,mp4,m4a,3gp,3g2,mj2", 1), ("matroska,webm", 0)],
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


@pytest.mark.parametrize("player", ["chrome", "edge", "mpv", "container"])
def test_most_players_count_from_the_containers_zero(player: AnnotatedIn) -> None:
    assert zero_of(player, stream(0, start=500)) == 0


def test_firefox_counts_from_the_first_frame_it_shows() -> None:
    assert zero_of("firefox", stream(0, start=500)) == Fraction(1, 2)
