"""Clips of sessions, splits and lists: their split, their labels, where they come from."""

import shutil
from pathlib import Path

import pytest

from dogclips.errors import ListError
from dogclips.lists.exporting import ExportFormat, with_splits
from dogclips.lists.sessions import moved_labels, read_clips
from tests.lists.exports import FORMATS, exported, make_session


def test_a_clip_has_the_split_of_its_list(session: Path, split: Path) -> None:
    clips, _ = read_clips([split])
    assert with_splits(clips)["split"].tolist() == ["train", "train", "val", "test"]
    clips, _ = read_clips([session])
    assert set(with_splits(clips)["split"]) == {"all"}
    clips, _ = read_clips([split / "val.txt"])
    assert set(with_splits(clips)["split"]) == {"val"}


def test_lists_with_and_without_a_split_do_not_mix(tmp_path: Path, split: Path) -> None:
    other = make_session(tmp_path / "other")
    clips, _ = read_clips([split, other])
    with pytest.raises(ListError, match=r"some inputs are lists of a split .*other/output/dataset"):
        with_splits(clips)


@pytest.mark.parametrize("export_format", FORMATS)
def test_every_format_lists_every_label_of_merged_sessions(
    tmp_path: Path, export_format: ExportFormat
) -> None:
    one = make_session(tmp_path / "one", [("a", 0.0, ("sit",))], ("sit", "walk"))
    two = make_session(tmp_path / "two", [("b", 0.0, ("walk",))], ("run", "walk"))
    done = exported(tmp_path / "out", [one, two], export_format)
    assert (tmp_path / "out" / "labels.txt").read_text() == "sit\nwalk\nrun\n"
    assert done.names == ("sit", "walk", "run")
    assert (done.splits["all"].clips, done.splits["all"].labels) == (2, 2)


def test_labels_that_merging_numbers_otherwise_are_named(tmp_path: Path) -> None:
    one = make_session(tmp_path / "one", [("a", 0.0, ("sit",))], ("sit", "walk"))
    two = make_session(tmp_path / "two", [("b", 0.0, ("walk",))], ("run", "walk"))
    clips, merged = read_clips([one, two])
    assert moved_labels(clips, merged) == {f"{two}/output/dataset.txt": {"run": (0, 2)}}
    assert moved_labels(*read_clips([one])) == {}


def test_clips_of_a_split_still_know_their_manifest(session: Path, split: Path) -> None:
    clips, _ = read_clips([split])
    assert set(clips["session"]) == {str(session)}
    assert clips["recording"].tolist() == [f"{session}/video/{name}.mp4" for name in "abba"]
    assert clips["end_s"].tolist() == [4.0, 4.0, 8.0, 6.5]


def test_paths_of_a_list_may_be_relative_to_another_folder(tmp_path: Path, session: Path) -> None:
    lists = tmp_path / "lists"
    lists.mkdir()
    shutil.copy(session / "output" / "dataset.txt", lists)
    shutil.copy(session / "output" / "labels.txt", lists)
    with pytest.raises(ListError, match=r"no such clip: p/a_start0\.0_0\.mp4; 3 more lines"):
        read_clips([lists])
    clips, _ = read_clips([lists], session / "output")
    assert len(clips) == 4
