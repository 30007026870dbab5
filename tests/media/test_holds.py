"""Pictures that are held because a recorder left out frames are no loss; who wants them gets them.

The number painted into a picture is the truth, read by three programs.
"""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dogclips.annotations import read_dataset
from dogclips.clips.config import CutConfig
from dogclips.clips.execution import cut_plan
from dogclips.clips.frames import SourceFrames, select_frames
from dogclips.clips.plan import measure_session, plan_session
from dogclips.clips.session import find_session
from dogclips.clips.units import local_engine
from dogclips.media.ffprobe import is_installed
from dogclips.media.probe import probe_file
from dogclips.timebase import Span
from tests import odd_streams
from tests.cuts.readers import READERS
from tests.cuts.verdicts import virtual
from tests.odd_streams import MPEG4, NO_B_FRAMES, RATE, Odd
from tests.sessions import write_project

pytestmark = pytest.mark.skipif(not is_installed(), reason="ffmpeg is not installed")

SECONDS = 15
COUNT = SECONDS * int(RATE)
# A screen that stands still for seconds and then moves at the full rate.
ON_CHANGE = [0, *range(90, 130), 131, 160, 161, *range(240, 260), *range(262, 375, 6), 374]


def recorded(folder: Path, stored: Sequence[int], codec: str = "libx264") -> Odd:
    """Write a session of which the recording stores pictures at some of its moments, in 1/25 s."""
    options = NO_B_FRAMES if codec == "libx264" else MPEG4
    source = odd_streams.encoded(folder, codec, options, stored)
    (folder / "video").mkdir()
    path = folder / "video" / "020500.mkv"
    odd_streams.store(source, path, odd_streams.packets_of(source))
    held = np.searchsorted(stored, np.arange(stored[-1] + 1), side="right") - 1
    write_project(folder, "0205", {path.name: [(0, float(SECONDS), "1")]})
    return Odd(path, [stored[place] for place in held])


def cut(folder: Path, **settings: object) -> pd.DataFrame:
    """Cut clips of a second."""
    own = {"clip_seconds": 1, "stride_seconds": 1, "encoder": {"crf": 14}}
    config = CutConfig.model_validate(own | settings)
    session = find_session(folder)
    projects, _ = read_dataset(session.projects)
    plan = plan_session(session, projects, measure_session(session, projects, config), config)
    return cut_plan(plan, engine=local_engine(1))


@pytest.mark.parametrize(
    ("percent", "codec"), [(4, "libx264"), (4, "mpeg4"), (8, "libx264")], ids=str
)
def test_single_frames_that_are_missing_cost_no_clip(
    tmp_path: Path, percent: int, codec: str
) -> None:
    """A rate with few holes is constant and one with many is none: both give all clips."""
    random = np.random.default_rng(percent)
    gone = {n for n in range(3, COUNT - 3) if random.random() < percent / 100}
    odd = recorded(
        tmp_path, [n for n in range(COUNT) if n not in gone - {n + 1 for n in gone}], codec
    )
    [stream] = probe_file(odd.path).cameras
    assert stream.variable_frame_rate == (percent == 8)

    manifest = cut(tmp_path)

    assert len(manifest) == SECONDS
    assert set(manifest["status"]) == {"cut"}
    for row in manifest[::7].to_dict("records"):
        begin = round(row["start_s"] * RATE)
        wanted = odd.numbers[begin : begin + int(RATE)]
        if row["timing"] == "timed":
            wanted = list(dict.fromkeys(wanted))  # each at its own time
        for reader, read_clip in READERS.items():
            assert list(read_clip(tmp_path / "output" / row["clip"]).numbers) == wanted, reader
        frames = select_frames(stream, Span(Fraction(row["start_s"]), Fraction(row["end_s"])), None)
        assert isinstance(frames, SourceFrames)
        assert virtual(odd, stream, frames) == wanted


@pytest.fixture(scope="module")
def screen(tmp_path_factory: pytest.TempPathFactory) -> Odd:
    return recorded(tmp_path_factory.mktemp("screen"), ON_CHANGE)


def test_what_a_screen_recording_stores_is_called_held(screen: Odd) -> None:
    messages = {message.code: message for message in probe_file(screen.path).messages}

    assert set(messages) == {"P013", "P036"}
    assert messages["P036"].level == "warning"
    assert "held for longer than a frame, the longest for 3.6 s at 0.0 s" in messages["P036"].text


@pytest.mark.parametrize(
    ("settings", "skipped"),
    [
        ({}, 9),
        ({"max_hold_seconds": 3}, 8),
        ({"max_hold_seconds": None}, 0),
        ({"keep_doubtful": True}, 0),
        ({"max_hold_seconds": 0}, 14),
    ],
    ids=["auto", "three seconds", "any time", "doubtful", "none"],
)
def test_how_long_a_picture_may_be_held_is_a_setting(
    screen: Odd, settings: dict[str, object], skipped: int
) -> None:
    folder = screen.path.parents[1]
    [stream] = probe_file(screen.path).cameras

    manifest = cut(folder, **settings)

    assert list(manifest["reason"]).count("frames-missing") == skipped
    assert (
        list(manifest["status"]).count("cut") + list(manifest["status"]).count("reused")
        == SECONDS - skipped
    )
    for row in manifest[manifest["reason"] == ""].to_dict("records"):
        clip = READERS["PyAV"](folder / "output" / row["clip"])
        assert clip.times_s is not None
        begin = round(row["start_s"] * RATE)
        wanted = [screen.numbers[begin + round(time_s * RATE)] for time_s in clip.times_s]
        assert list(clip.numbers) == wanted
        assert clip.times_s[-1] > Fraction(1, 2)  # it lasts as long as its window
        assert dict.fromkeys(wanted) == dict.fromkeys(screen.numbers[begin : begin + 25])
        frames = select_frames(
            stream, Span(Fraction(row["start_s"]), Fraction(row["end_s"])), None, max_hold_s=None
        )
        assert isinstance(frames, SourceFrames)
        assert virtual(screen, stream, frames) == wanted


def test_a_constant_rate_shows_a_held_picture_as_often_as_a_player(screen: Odd) -> None:
    folder = screen.path.parents[1]

    manifest = cut(folder, frame_rate=20, max_hold_seconds=None)

    assert set(manifest["status"]) == {"cut"}
    for row in manifest.to_dict("records"):
        places = [round(row["start_s"] * RATE) + int(k * RATE / 20) for k in range(20)]
        numbers = READERS["PyAV"](folder / "output" / row["clip"]).numbers
        assert list(numbers) == [screen.numbers[place] for place in places]


def test_a_window_that_begins_while_a_picture_is_held_counts_from_there(tmp_path: Path) -> None:
    odd = recorded(tmp_path, [n for n in range(80) if not 20 < n < 26 and n != 59])
    [stream] = probe_file(odd.path).cameras

    for place in (*range(18, 29), *range(32, 36)):
        begin = Fraction(place, 25) + Fraction(1, 100)
        frames = select_frames(stream, Span(begin, begin + 1), None)
        assert isinstance(frames, SourceFrames)
        shown = [stream.pts[index] * stream.time_base * RATE for index in frames.indices]
        assert [round(place) for place in shown] == odd.numbers[place : place + 25]
        assert virtual(odd, stream, frames) == odd.numbers[place : place + 25]
