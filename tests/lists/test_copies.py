"""Copies between splits, among clips of one camera that all look the same."""

import math
import shutil
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from dogclips.lists import copies
from dogclips.lists.copies import COPY_COLUMNS, UNMATCHED_COLUMNS, copies_between
from dogclips.media.writing import TimedFrame, VideoTrack, write_video
from tests.moving import RATE, write_moving
from tests.shared import SHARED, needs_shared

# Frames of one scene, ten a second: the moments that clips of one camera show.
MOMENTS = {"dawn": range(40), "noon": range(120, 160), "dusk": range(300, 340)}
# What is said of a copy of "noon", and how much of each side of its picture is cut off.
SAVED_AGAIN: dict[str, dict[str, float]] = {
    "as_it_is": {},
    "smaller": {"width": 80, "height": 46},
    "larger": {"width": 320, "height": 180},
    "coarser": {"crf": 38},
    "brighter": {"gain": 1.25, "light": 12},
    "cropped": {"crop": 0.015},
}


class Result(NamedTuple):
    copies: pd.DataFrame
    unmatched: pd.DataFrame
    read: list[int]

    def pairs(self) -> set[tuple[str, str]]:
        """Return the file names of all pairs, without their suffix."""
        return {
            (Path(row["path"]).stem, Path(row["other"]).stem)
            for row in self.copies.to_dict("records")
        }

    def status(self) -> dict[str, str]:
        return {Path(row["path"]).stem: row["status"] for row in self.unmatched.to_dict("records")}


def table(paths: Sequence[Path], **columns: object) -> pd.DataFrame:
    """Return clips of which nothing is known but their files."""
    unknown = {"labels": "", "recording": "", "start_s": math.nan, "end_s": math.nan, "sha256": ""}
    return pd.DataFrame({"path": [str(path) for path in paths], **unknown, **columns})


def compare(train: Sequence[Path], val: Sequence[Path]) -> Result:
    read: list[int] = []
    splits = pd.Series(["train"] * len(train) + ["val"] * len(val))
    found = copies_between(table([*train, *val]), splits, progress=read.append)
    return Result(*found, read)


def write(folder: Path, name: str, shows: Sequence[int]) -> Path:
    """Write a clip that shows these frames of the scene."""
    return write_moving(folder / f"{name}.mp4", shows, [])


def save_again(
    source: Path,
    path: Path,
    *,
    width: float = 128,
    height: float = 72,
    crf: float = 24,
    every: float = 1,
    gain: float = 1,
    light: float = 0,
    crop: float = 0,
) -> Path:
    """Decode a clip and encode it in another way."""
    size = int(width), int(height)

    def frames() -> Iterator[TimedFrame]:
        with av.open(str(source)) as container:
            for number, frame in enumerate(container.decode(video=0)):
                if number % int(every) == 0:
                    yield (
                        0,
                        round(1000 * (frame.time or 0)),
                        changed(frame.to_ndarray(format="rgb24")),
                    )

    def changed(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        down, right = (round(crop * side) for side in picture.shape[:2])
        inner = picture[down : len(picture) - down, right : picture.shape[1] - right]
        lit = (inner * gain + light).clip(0, 255).astype(np.uint8)
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(lit), format="rgb24")
        return frame.reformat(*size, format="rgb24").to_ndarray()

    options = {"preset": "ultrafast", "crf": str(int(crf))}
    track = VideoTrack(*size, Fraction(RATE), options=options, time_base=Fraction(1, 1000))
    write_video(path, [track], frames())
    return path


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the moments of one camera."""
    folder = tmp_path_factory.mktemp("scene")
    for name, shows in MOMENTS.items():
        write(folder, name, shows)
    return folder


@pytest.fixture(scope="module")
def moments(scene: Path) -> list[Path]:
    return [scene / f"{name}.mp4" for name in MOMENTS]


@pytest.mark.parametrize("how", SAVED_AGAIN)
def test_a_clip_that_was_saved_again_is_found_and_no_other(
    moments: list[Path], tmp_path: Path, how: str
) -> None:
    again = save_again(moments[1], tmp_path / f"{how}.mp4", **SAVED_AGAIN[how])

    result = compare(moments, [again])

    assert result.pairs() == {("noon", how)}
    assert result.copies["likeness"].between(0.78, 1).all()
    assert result.unmatched.empty


def test_other_moments_of_the_same_camera_are_no_copies(tmp_path: Path) -> None:
    clips = [write(tmp_path, f"at{first}", range(first, first + 40)) for first in range(0, 560, 40)]

    result = compare(clips[::2], clips[1::2])

    assert result.copies.empty
    assert result.unmatched.empty


def test_a_copy_with_fewer_frames_a_second_is_found(moments: list[Path], tmp_path: Path) -> None:
    """Every frame is shown twice, as blobs that jump ten times a second are no real motion."""
    smooth = write(tmp_path, "smooth", [120 + number // 2 for number in range(60)])
    again = save_again(smooth, tmp_path / "again.mp4", every=2)

    assert compare([*moments, smooth], [again]).pairs() >= {("smooth", "again")}


@pytest.mark.parametrize("late", [-18, -10, -3, 1, 3, 5, 10, 18])
def test_clips_that_begin_at_different_times_of_the_same_footage_are_found(
    moments: list[Path], tmp_path: Path, late: int
) -> None:
    again = write(tmp_path, "later", range(120 + late, 160 + late))

    assert compare(moments, [again]).pairs() == {("noon", "later")}
    assert compare([again], moments).pairs() == {("later", "noon")}


def test_a_short_piece_of_a_long_clip_is_found(tmp_path: Path) -> None:
    long, short = (
        write(tmp_path, "long", range(200, 290)),
        write(tmp_path, "short", range(240, 265)),
    )
    longer = write(tmp_path, "longer", range(400, 500))

    assert compare([long, longer], [short]).pairs() == {("long", "short")}


def test_copies_in_one_split_are_no_leak(moments: list[Path], tmp_path: Path) -> None:
    again = save_again(moments[1], tmp_path / "again.mp4")

    assert compare([*moments, again], []).copies.empty


def test_each_clip_finds_its_own_copy_however_many_are_compared_at_once(
    moments: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    again = [save_again(path, tmp_path / f"{path.stem}_again.mp4") for path in moments]
    whole = compare(moments, again)
    monkeypatch.setattr(copies, "_AT_ONCE", 1)
    monkeypatch.setattr(copies, "_IN_FULL", 1)

    one_by_one = compare(moments, again)

    assert whole.pairs() == {(name, f"{name}_again") for name in MOMENTS}
    pd.testing.assert_frame_equal(whole.copies, one_by_one.copies)


def test_any_number_of_splits_is_compared(moments: list[Path]) -> None:
    """Folds have other names than splits, and tables other indices than 0, 1, 2."""
    clips = table([moments[0], moments[0].with_name("none.mp4"), moments[0], moments[0]])
    clips.index = pd.Index([7, 3, 5, 1])
    splits = pd.Series({1: "fold3", 3: "fold3", 5: "fold2", 7: "fold1"})

    found, _ = copies_between(clips, splits)

    assert found["split"].tolist() == ["fold1", "fold1", "fold2"]
    assert found["other_split"].tolist() == ["fold2", "fold3", "fold3"]


def test_still_clips_are_copies_only_if_their_bytes_are_the_same(tmp_path: Path) -> None:
    still = write(tmp_path, "still", [5] * 40)
    same, twin = (Path(shutil.copy(still, tmp_path / f"{name}.mp4")) for name in ("same", "twin"))
    other = save_again(still, tmp_path / "other.mp4")

    result = compare([still], [same, twin, other])

    assert result.pairs() == {("still", "same"), ("still", "twin")}
    assert result.copies["likeness"].tolist() == [1.0, 1.0]
    assert result.status() == dict.fromkeys(("still", "same", "twin", "other"), "still")


def test_motion_that_repeats_itself_tells_no_moment_from_another(tmp_path: Path) -> None:
    fans = [write(tmp_path, name, [*range(10), *range(9, -1, -1)] * 2) for name in ("fan", "later")]
    fans[1] = save_again(fans[0], tmp_path / "later.mp4")

    result = compare(fans[:1], fans[1:])

    assert result.copies.empty
    assert result.status() == {"fan": "repeating", "later": "repeating"}


def test_a_clip_that_cannot_be_read_is_a_row_with_its_reason(
    moments: list[Path], tmp_path: Path
) -> None:
    (tmp_path / "notes.mp4").write_text("no video")
    (tmp_path / "notes_again.mp4").write_text("no video")
    half = tmp_path / "half.mp4"
    half.write_bytes(moments[0].read_bytes()[:2000])
    bad = [tmp_path / "notes.mp4", tmp_path / "gone.mp4", half]

    result = compare([*moments, bad[0]], [tmp_path / "notes_again.mp4", *bad[1:], moments[0]])

    assert result.pairs() == {("dawn", "dawn"), ("notes", "notes_again")}
    assert tuple(result.unmatched.columns) == UNMATCHED_COLUMNS
    assert set(result.unmatched["status"]) == {"unread"}
    assert result.unmatched["split"].tolist() == ["train", "val", "val", "val"]
    reasons = dict(zip(result.unmatched["path"], result.unmatched["reason"], strict=True))
    assert reasons[str(bad[1])] == "no such file"
    assert all(reasons.values())


def test_digests_of_the_manifest_are_believed(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("a.mp4", "b.mp4", "c.mp4")]
    clips = table(paths, sha256=["12ab", "12ab", ""])

    found, unread = copies_between(clips, pd.Series(["train", "val", "val"]))

    assert found.to_dict("list") == {
        "path": [str(paths[0])],
        "split": ["train"],
        "other": [str(paths[1])],
        "other_split": ["val"],
        "likeness": [1.0],
    }
    assert len(unread) == 3


def test_the_most_alike_come_first_and_every_clip_is_counted(
    moments: list[Path], tmp_path: Path
) -> None:
    coarse = save_again(moments[1], tmp_path / "coarse.mp4", crf=40, crop=0.02)

    result = compare(moments, [coarse, *moments])

    assert tuple(result.copies.columns) == COPY_COLUMNS
    assert result.copies["likeness"].is_monotonic_decreasing
    assert result.copies["other"].iloc[-1] == str(coarse)
    assert result.pairs() == {("noon", "coarse"), *((name, name) for name in MOMENTS)}
    assert sum(result.read) == 7


def test_no_clips_have_no_copies() -> None:
    found, unmatched = copies_between(table([]), pd.Series([], dtype=str))

    assert (len(found), len(unmatched)) == (0, 0)
    assert tuple(found.columns) == COPY_COLUMNS


# (recording, start in tenths of a second, length, split); no such files, so that only times count.
stretches = st.lists(
    st.tuples(
        st.sampled_from("ab"), st.integers(0, 120), st.integers(1, 50), st.sampled_from("xyz")
    ),
    max_size=25,
)


@settings(deadline=None, max_examples=40)
@given(stretches)
def test_clips_of_one_recording_that_share_time_are_copies(
    rows: list[tuple[str, int, int, str]],
) -> None:
    clips = table(
        [Path(f"/no/such/{number}.mp4") for number in range(len(rows))],
        recording=[recording for recording, *_ in rows],
        start_s=[start / 10 for _, start, _, _ in rows],
        end_s=[(start + length) / 10 for _, start, length, _ in rows],
    )
    expected = {}
    for (one, a), (other, b) in combinations(enumerate(rows), 2):
        shared = len({*range(a[1], a[1] + a[2])} & {*range(b[1], b[1] + b[2])})
        if shared and a[0] == b[0] and a[3] != b[3]:
            expected[one, other] = pytest.approx(shared / min(a[2], b[2]))

    found, _ = copies_between(clips, pd.Series([split for *_, split in rows], dtype=str))

    numbers = [
        (int(Path(a).stem), int(Path(b).stem)) for a, b in found[["path", "other"]].to_numpy()
    ]
    assert dict(zip(numbers, found["likeness"], strict=True)) == expected


@pytest.mark.shared
@needs_shared
def test_a_real_recording_that_was_saved_again_is_found_among_others_of_its_camera(
    tmp_path: Path,
) -> None:
    folder = SHARED / "data" / "home_falls" / "Dec" / "12_7_s4" / "video"
    recordings = sorted(folder.glob("*.mp4"))
    again = save_again(folder / "S4_Fall_02.mp4", tmp_path / "again.mp4", width=160, height=120)

    result = compare(recordings, [again])

    assert len(recordings) == 4
    assert result.pairs() == {("S4_Fall_02", "again")}
