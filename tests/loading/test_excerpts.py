import shutil
from collections.abc import Callable
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import dogclips
from dogclips.demo.numbers import read_number
from dogclips.errors import ListError, MediaError, UsageError
from dogclips.lists import ClipList, read_list
from dogclips.lists.sessions import read_clips
from dogclips.lists.splits import assign_splits, write_split
from dogclips.loading.excerpts import excerpts
from dogclips.loading.frames import DecoderName, frames_at
from dogclips.media.decoding import check_frames
from dogclips.media.excerpt import Excerpt, FrameTimes, Window, window_times_of
from dogclips.records.manifest import read_manifest
from tests.cli.program import dogclips as program
from tests.sessions import TWO_STREAMS, write_session
from tests.videos import Made, steady

# What the larger stream of a session looks like: its numbers are those of the smaller one.
LONG_GROUPS = {"preset": "fast", "g": "40", "bf": "3"}
LARGE = {"width": 256, "height": 144}
STREAMS: dict[str, tuple[Made, ...]] = {
    "steady": TWO_STREAMS,
    "B-frames in long groups": (
        steady(239),
        steady(229, first=10, late=10, options=LONG_GROUPS, **LARGE),
    ),
    "thirds of a millisecond": (
        Made({k: round(k * 1000 / 30) for k in range(360)}, Fraction(1, 1000), Fraction(30)),
    ),
    "uneven times": (
        Made(
            {k: 50 * k + (20 if k % 3 == 1 else 0) for k in range(239)},
            Fraction(1, 1000),
            Fraction(20),
        ),
    ),
}


def cut(base_dir: Path, *, virtual: bool = False, **settings: object) -> None:
    dogclips.cut(base_dir, {"content": "never", **settings}, workers=1, virtual=virtual)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return a session of each kind of stream, made once."""
    folder = tmp_path_factory.mktemp("made")

    @cache
    def of(name: str) -> Path:
        return write_session(folder / name / "2_2_kt", streams=STREAMS[name])

    return of


@pytest.fixture
def session(made: Callable[[str], Path], tmp_path: Path) -> Callable[[str], Path]:
    """Return a copy of a session for one test."""

    def copied(name: str) -> Path:
        return shutil.copytree(made(name), tmp_path / "2_2_kt")

    return copied


def all_times(times: FrameTimes) -> NDArray[np.float64]:
    """Return instants that lie densely over the clip, on and off the starts of frames."""
    return np.linspace(times.start_s, times.end_s, 97, endpoint=False)


def numbers(excerpt: Excerpt, decoder: DecoderName = "pyav") -> list[int | None]:
    found: dict[int, int | None] = {}
    for shown in frames_at(excerpt, all_times, decoder):
        number = read_number(shown.pixels)
        found |= dict.fromkeys(shown.positions.tolist(), number)
    return [found[place] for place in range(97)]


def paths(clips: ClipList) -> list[Path]:
    return [clip.path for clip in clips.clips]


@pytest.mark.parametrize("name", STREAMS)
@pytest.mark.parametrize("resampled", [False, True], ids=["source rate", "resampled"])
def test_a_clip_and_its_virtual_twin_show_the_same_frames(
    session: Callable[[str], Path], name: str, resampled: bool
) -> None:
    base_dir = session(name)
    cut(base_dir, **({"frame_rate": 12} if resampled else {}))
    listed = paths(read_list(base_dir / "output" / "dataset.txt"))
    pairs = zip(excerpts(listed, "clips"), excerpts(listed, "recordings"), strict=True)
    for clip, virtual in pairs:
        assert virtual.path.name == "020500.mp4"
        shown = numbers(clip)
        assert None not in shown
        assert numbers(virtual) == shown
        assert numbers(virtual, "torchcodec") == shown


# Transport streams, whose packets a seek may find in the middle of a group.
TRANSPORTED: dict[str, Made] = {
    "MPEG-2": steady(
        300, Fraction(25), codec="mpeg2video", options={"g": "15", "bf": "2", "b": "4M"}
    ),
    "interlaced": steady(240, options=LONG_GROUPS | {"x264-params": "interlaced=1"}),
    "open groups": steady(240, options=LONG_GROUPS | {"x264-params": "open-gop=1", "g": "20"}),
    "closed groups": steady(240, options=LONG_GROUPS),
    "refreshed bit by bit": steady(240, options={"g": "20", "x264-params": "intra-refresh=1"}),
}


@pytest.mark.parametrize("stream", TRANSPORTED.values(), ids=TRANSPORTED)
def test_a_clip_and_its_virtual_twin_are_the_same_in_a_transport_stream(
    tmp_path: Path, stream: Made
) -> None:
    base_dir = write_session(tmp_path / "2_2_kt", streams=[stream], video="020500.ts")
    cut(base_dir, stride_seconds=1)
    listed = paths(read_list(base_dir / "output" / "dataset.txt"))
    assert len(listed) == 8
    pairs = zip(excerpts(listed, "clips"), excerpts(listed, "recordings"), strict=True)
    for clip, virtual in pairs:
        shown = numbers(clip)
        assert None not in shown
        assert numbers(virtual) == shown
        assert numbers(virtual, "torchcodec") == shown


def test_frames_of_a_virtual_clip_are_those_of_the_larger_stream_at_their_time(
    session: Callable[[str], Path],
) -> None:
    base_dir = session("steady")
    cut(base_dir, virtual=True)
    listed = paths(read_list(base_dir / "output" / "dataset.txt"))
    assert not list((base_dir / "output").rglob("*.mp4"))
    for path, virtual in zip(listed, excerpts(listed, "recordings"), strict=True):
        start = float(path.stem.partition("_start")[2].partition("_")[0])
        assert virtual.stream == 1
        # A number is the frame of the smaller stream, on screen at number / 20.
        assert numbers(virtual)[0] == round(start * 20)
        assert {number for number in numbers(virtual) if number is not None} == set(
            range(round(start * 20), round(start * 20) + 80)
        )


def test_a_virtual_session_has_all_but_its_clips_and_can_be_split(
    tmp_path: Path, session: Callable[[str], Path]
) -> None:
    base_dir = session("steady")
    done = program("cut", base_dir, "--virtual", "--set", "stride_seconds=1")
    assert done.returncode == 0, done.stderr
    output = base_dir / "output"
    names = {path.name for path in output.iterdir() if not path.name.startswith(".")}
    assert names == {
        "0205",
        "dataset.txt",
        "labels.txt",
        "manifest.parquet",
        "manifest.csv",
        "probe.json",
        "config.yaml",
    }
    clips, classes = read_clips([base_dir])
    splits = assign_splits(clips, len(classes), {"train": 0.5, "val": 0.5}, group_by="none")
    write_split(tmp_path / "split", clips, splits, classes, settings={})
    virtual = excerpts(paths(read_list(tmp_path / "split" / "train.txt")), "recordings")
    assert {excerpt.path.name for excerpt in virtual} == {"020500.mp4"}


def test_a_virtual_session_is_cut_later_with_the_same_lists(session: Callable[[str], Path]) -> None:
    base_dir = session("steady")
    output = base_dir / "output"
    cut(base_dir, virtual=True)
    before = (output / "dataset.txt").read_text()
    cut(base_dir)
    assert (output / "dataset.txt").read_text() == before
    cut(base_dir, virtual=True)  # what has been cut stays
    manifest = read_manifest(output)
    assert manifest is not None
    kept = manifest[manifest["clip"] != ""]
    assert set(kept["status"]) == {"reused"}


def test_a_file_that_shows_other_frames_than_planned_does_not_stay(
    session: Callable[[str], Path],
) -> None:
    base_dir = session("steady")
    cut(base_dir)
    clip = next((base_dir / "output").rglob("*.mp4"))
    cut(base_dir, short_side=64, virtual=True)
    assert not clip.exists()


@pytest.mark.parametrize("option", [{"force": True}, {"prune": True}, {"shard": "1/2"}], ids=str)
def test_what_only_clips_have_is_refused_with_virtual(
    tmp_path: Path, option: dict[str, Any]
) -> None:
    with pytest.raises(UsageError, match=f"these options conflict .*--{next(iter(option))}"):
        dogclips.cut(tmp_path, virtual=True, **option)


def test_an_uncut_clip_is_refused_where_files_are_wanted(session: Callable[[str], Path]) -> None:
    base_dir = session("steady")
    cut(base_dir, virtual=True)
    listed = paths(read_list(base_dir / "output" / "dataset.txt"))
    with pytest.raises(ListError, match=r"the clip is missing .*mp4.*data\.source to recordings"):
        excerpts(listed, "clips")


def test_a_clip_that_no_manifest_knows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ListError, match=r"this clip is in no manifest .*a\.mp4"):
        excerpts([tmp_path / "a.mp4"], "recordings")


def test_the_manifest_alone_tells_how_clips_are_timed(session: Callable[[str], Path]) -> None:
    base_dir = session("uneven times")
    cut(base_dir, virtual=True)
    listed = paths(read_list(base_dir / "output" / "dataset.txt"))
    for name in ("probe.json", "config.yaml"):
        (base_dir / "output" / name).unlink(missing_ok=True)
    windows = [excerpt.window for excerpt in excerpts(listed, "recordings")]
    assert {window.timing for window in windows if window} == {"timed"}


def test_another_recording_in_its_place_is_noticed(
    tmp_path: Path, session: Callable[[str], Path]
) -> None:
    base_dir = session("steady")
    cut(base_dir, virtual=True)
    listed = paths(read_list(base_dir / "output" / "dataset.txt"))
    last = excerpts(listed, "recordings")[-1]
    other = write_session(tmp_path / "other", streams=(steady(239), steady(150, **LARGE)))
    shutil.copy(other / "video" / "020500.mp4", base_dir / "video" / "020500.mp4")
    with pytest.raises(MediaError, match=r"has changed since the clip was planned"):
        check_frames(last)


def test_a_window_whose_times_are_not_those_of_the_stream_has_no_frame_times() -> None:
    window = Window(0, 9, 10, Fraction(10), Fraction(0), "grid")
    tick = Fraction(1, 10)
    assert window_times_of(np.arange(10), tick, window) is not None
    assert window_times_of(np.arange(9), tick, window) is None
    assert window_times_of(np.arange(1, 10), tick, window) is None


def test_where_a_frame_was_left_out_the_one_before_is_held() -> None:
    window = Window(0, 9, 10, Fraction(10), Fraction(0), "grid")
    found = window_times_of(np.delete(np.arange(10), 4), Fraction(1, 10), window)
    assert found is not None
    assert found.pts.tolist() == [0, 1, 2, 3, 3, 5, 6, 7, 8, 9]
