"""Reading from the middle of a source gives the frames that reading it whole gives."""

import cProfile
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from dogclips.media.decoding import decode_frames, decode_from
from dogclips.media.probe import probe_file
from tests import odd_files, odd_streams
from tests.cuts.painting import read_frame
from tests.shared import SHARED, needs_shared
from tests.videos import steady, write_made

GROUPS = {"g": "20", "bf": "2", "preset": "veryfast"}
MADE = {
    "closed groups": GROUPS,
    "open groups": GROUPS | {"x264-params": "open-gop=1"},
    "refreshed bit by bit": {"g": "20", "x264-params": "intra-refresh=1", "preset": "veryfast"},
}


def pictures(path: Path, first: int, number: int, *, careful: bool) -> dict[int, NDArray[np.uint8]]:
    """Return the frames from a place on, as bytes."""
    table = probe_file(path)
    stream = next(stream for stream in table.streams if stream.type == "video")
    found = {}
    for place, frame in decode_from(path, stream, first, careful=careful):
        if place >= first:
            found[place] = frame.to_ndarray()
        if place >= first + number - 1:
            break
    return found


def assert_same_from(path: Path, first: int, *, careful: bool) -> None:
    whole = pictures(path, 0, first + 5, careful=careful)
    found = pictures(path, first, 5, careful=careful)
    assert list(found) == list(range(first, first + 5))
    assert all(np.array_equal(picture, whole[place]) for place, picture in found.items())


@pytest.mark.parametrize("careful", [False, True], ids=["fast", "careful"])
@pytest.mark.parametrize("options", MADE.values(), ids=MADE)
@pytest.mark.parametrize("first", [50, 63, 78])
def test_frames_from_the_middle_are_those_of_the_whole(
    tmp_path: Path, options: dict[str, str], first: int, *, careful: bool
) -> None:
    path = write_made(tmp_path / "a.mp4", steady(100, Fraction(20), options=options))
    assert_same_from(path, first, careful=careful)


@pytest.mark.shared
@needs_shared
def test_old_files_of_full_colour_resolution_are_no_garbage_from_the_middle() -> None:
    path = SHARED / "data" / "videos" / "deeplabcut_openfield_m3v1mp4.mp4"
    assert_same_from(path, 400, careful=False)


def test_a_frame_that_a_decoder_gives_later_than_its_time_says_is_not_lost(tmp_path: Path) -> None:
    source = odd_streams.encoded(tmp_path, "libx264", odd_streams.B_FRAMES)
    packets = odd_streams.packets_of(source)
    swapped = {30: 31, 31: 30}
    packets = [replace(own, pts=swapped.get(own.pts, own.pts)) for own in packets]
    path = odd_streams.store(source, tmp_path / "a.mkv", packets)
    [stream] = probe_file(path).cameras

    places = [place for place, _ in decode_frames(path, stream, range(20, 60))]

    assert places == list(range(20, 60))


def test_a_keyframe_that_an_edit_list_hides_begins_what_is_shown(tmp_path: Path) -> None:
    source = odd_streams.encoded(tmp_path, "mpeg4", odd_streams.MPEG4)
    earlier = [
        replace(own, pts=own.pts - 5, dts=own.dts - 5) for own in odd_streams.packets_of(source)
    ]
    path = odd_streams.store(source, tmp_path / "a.mp4", earlier)
    [stream] = probe_file(path).cameras
    assert stream.num_hidden == 5

    found = [place for place, _ in decode_frames(path, stream, range(20))]

    assert found == list(range(20))


@pytest.mark.parametrize("codec", ["libx264", "mpeg2video"])
def test_after_a_frame_that_lacks_a_part_nothing_is_shown_up_to_the_next_keyframe(
    tmp_path: Path, codec: str
) -> None:
    options = {"g": "12", "b": "4M", "bf": "0", "sc_threshold": "1000000000"}
    if codec == "libx264":
        options = odd_streams.NO_B_FRAMES
    odd = odd_files.without_packets(tmp_path, codec=codec, options=options, frame=24)
    stream = probe_file(odd.path).cameras[0]

    found = [index for index, _ in decode_frames(odd.path, stream, range(len(stream.pts)))]
    alone = [index for index, _ in decode_frames(odd.path, stream, range(30, 40))]

    assert not set(found) & set(range(24, 36))
    assert set(found) >= {*range(22), *range(36, 100)}
    assert alone == [36, 37, 38, 39]


def test_frames_far_apart_are_read_in_one_go_where_no_keyframe_is_between(tmp_path: Path) -> None:
    numbers = range(600)
    options = {**odd_streams.NO_B_FRAMES, "g": "600"}
    path = odd_streams.encoded(tmp_path, "libx264", options, numbers, size=(32, 32))
    stream = probe_file(path).cameras[0]
    opened = cProfile.Profile()

    wanted = [3, 250, 251, 590]
    found = opened.runcall(list, decode_frames(path, stream, wanted))

    assert [index for index, _ in found] == wanted
    assert [read_frame(frame) for _, frame in found] == wanted
    calls = [entry.callcount for entry in opened.getstats() if "open_input" in str(entry.code)]
    assert calls == [1]
