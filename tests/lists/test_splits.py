import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dogclips.errors import ListError
from dogclips.lists import read_list
from dogclips.lists.groups import group_clips
from dogclips.lists.sessions import read_clips, write_session_lists
from dogclips.lists.splits import (
    WRITERS,
    assign_splits,
    fold_shares,
    fold_splits,
    label_counts,
    write_split,
)
from dogclips.records.manifest import manifest_table, write_manifest

SHARES = {"train": 0.7, "val": 0.15, "test": 0.15}
NUM_CLASSES = 3
LABELS = ("sit", "walk", "run")
GROUPINGS = ["recording", "project", "session", "subject", "file:camera"]

clip_labels = st.lists(st.integers(0, NUM_CLASSES - 1), unique=True).map(tuple)


@st.composite
def recordings(draw: st.DrawFn) -> pd.DataFrame:
    """Draw the clips of three to twelve recordings, up to eight clips each."""
    counts = draw(st.lists(st.integers(1, 8), min_size=3, max_size=12))
    rows = [
        (recording, clip, draw(clip_labels))
        for recording, count in enumerate(counts)
        for clip in range(count)
    ]
    return clips_of(draw(st.permutations(rows)))


def clips_of(rows: Sequence[tuple[int, int, tuple[int, ...]]]) -> pd.DataFrame:
    """Return (recording, clip, labels) as a table of clips; two recordings make a project."""
    return pd.DataFrame(
        [
            {
                "path": f"/s{recording // 4}/output/r{recording:02d}_start{clip}.mp4",
                "labels": labels,
                "recording": f"/s{recording // 4}/video/r{recording:02d}.mp4",
                "project": f"/s{recording // 4}/p{recording // 2}",
                "session": f"/s{recording // 4}",
                "subjects": (f"dog{recording // 3}",) if clip % 4 else (),
                "file:camera": ("garden", "porch", "")[recording % 3],
            }
            for recording, clip, labels in rows
        ]
    )


def even(num_recordings: int, clips_each: int = 4) -> pd.DataFrame:
    """Return recordings that hold the same clips."""
    return clips_of(
        [(r, c, (c % NUM_CLASSES,)) for r in range(num_recordings) for c in range(clips_each)]
    )


@settings(deadline=None, max_examples=80)
@given(recordings(), st.integers(0, 2**32), st.sampled_from(GROUPINGS))
def test_groups_never_part_and_every_clip_has_a_split(
    clips: pd.DataFrame, seed: int, group_by: str
) -> None:
    shares = SHARES
    if group_clips(clips, group_by).names.nunique() < 3:
        shares = {"train": 1.0, "val": 0.0, "test": 0.0}
    splits = assign_splits(clips, NUM_CLASSES, shares, group_by=group_by, seed=seed)
    assert list(splits.index) == list(clips.index)
    assert splits.isin(list(shares)).all()
    for held_together in members(clips, group_by):
        assert len(set(splits[held_together])) == 1


def members(clips: pd.DataFrame, group_by: str) -> list[list[int]]:
    """Return clips that must not part, as plainly as can be."""
    if group_by == "subject":
        named = clips[clips["subjects"].map(len) > 0]
        return [list(own.index) for _, own in named.groupby(named["subjects"].str[0])]
    known = clips[clips[group_by] != ""]
    return [list(own.index) for _, own in known.groupby(group_by)]


@settings(deadline=None, max_examples=60)
@given(recordings(), st.integers(2, 6), st.sampled_from([0.0, 0.2]), st.integers(0, 2**32))
def test_every_clip_is_val_in_one_fold_and_test_in_all_or_none(
    clips: pd.DataFrame, num_folds: int, test: float, seed: int
) -> None:
    shares = fold_shares(num_folds, test)
    if clips["recording"].nunique() < len(shares):
        return
    folds = assign_splits(clips, NUM_CLASSES, shares, seed=seed)
    each = [fold_splits(folds, f"fold{number}") for number in range(1, num_folds + 1)]
    for clip in clips.index:
        own = [splits[clip] for splits in each]
        assert set(own) == {"test"} or sorted(own) == ["train"] * (num_folds - 1) + ["val"]
    for splits in each:
        assert clips["recording"].groupby(splits).nunique().sum() == clips["recording"].nunique()
        assert set(splits) == {"train", "val", *(["test"] if test else [])}


def test_folds_share_labels_evenly() -> None:
    folds = assign_splits(even(20), NUM_CLASSES, fold_shares(5))
    assert folds.value_counts().to_dict() == {f"fold{number}": 16 for number in range(1, 6)}
    counts = label_counts(even(20), folds, NUM_CLASSES, [f"fold{n}" for n in range(1, 6)])
    assert counts.to_numpy().tolist() == [[8] * 5, [4] * 5, [4] * 5]


def test_the_shares_of_folds_add_up() -> None:
    assert fold_shares(4) == {f"fold{number}": 0.25 for number in range(1, 5)}
    assert fold_shares(2, 0.5) == {"fold1": 0.25, "fold2": 0.25, "test": 0.5}


@settings(deadline=None, max_examples=80)
@given(
    recordings(),
    st.tuples(*[st.sampled_from([0.0, 0.01, 0.15, 0.5])] * 2),
    st.integers(0, 2**32),
)
def test_every_split_that_wants_clips_gets_some_and_no_other(
    clips: pd.DataFrame, held_out: tuple[float, float], seed: int
) -> None:
    val, test = held_out
    shares = {"train": 1 - val - test, "val": val, "test": test}
    wanted = {split for split, share in shares.items() if share > 0}
    splits = assign_splits(clips, NUM_CLASSES, shares, seed=seed)
    assert set(splits) == wanted


@settings(deadline=None, max_examples=30)
@given(recordings(), st.integers(0, 2**32))
def test_the_same_seed_gives_the_same_split_in_any_order(clips: pd.DataFrame, seed: int) -> None:
    splits = assign_splits(clips, NUM_CLASSES, SHARES, seed=seed)
    pd.testing.assert_series_equal(assign_splits(clips, NUM_CLASSES, SHARES, seed=seed), splits)
    reversed_ = assign_splits(clips[::-1], NUM_CLASSES, SHARES, seed=seed)
    pd.testing.assert_series_equal(reversed_.sort_index(), splits.sort_index())


def test_another_seed_gives_another_split() -> None:
    clips = even(20)
    seen = {tuple(assign_splits(clips, NUM_CLASSES, SHARES, seed=seed)) for seed in range(5)}
    assert len(seen) > 1


@pytest.mark.parametrize("seed", range(5))
def test_even_groups_fill_the_shares_exactly(seed: int) -> None:
    splits = assign_splits(even(20), NUM_CLASSES, SHARES, seed=seed)
    assert splits.value_counts().to_dict() == {"train": 56, "val": 12, "test": 12}


@pytest.mark.parametrize("seed", range(5))
def test_small_groups_make_up_for_a_large_one(seed: int) -> None:
    clips = clips_of([(0, c, (0,)) for c in range(10)] + [(r, 0, (0,)) for r in range(1, 11)])
    shares = {"train": 0.5, "val": 0.5, "test": 0.0}
    splits = assign_splits(clips, NUM_CLASSES, shares, seed=seed)
    assert splits.value_counts().to_dict() == {"train": 10, "val": 10}


@pytest.mark.parametrize("seed", range(5))
def test_a_rare_label_reaches_every_split(seed: int) -> None:
    rows = [(r, c, (0,)) for r in range(20) for c in range(4)]
    rows += [(r, 9, (2,)) for r in (3, 8, 13, 18)]
    clips = clips_of(rows)
    shares = {"train": 0.5, "val": 0.25, "test": 0.25}
    splits = assign_splits(clips, NUM_CLASSES, shares, seed=seed)
    counts = label_counts(clips, splits, NUM_CLASSES)
    assert counts.loc[2].to_dict() == {"train": 2, "val": 1, "test": 1}
    assert counts.loc[0].sum() == 80


def test_without_groups_each_clip_goes_its_own_way() -> None:
    clips = even(1, 40)
    splits = assign_splits(clips, NUM_CLASSES, SHARES, group_by="none")
    assert splits.value_counts().to_dict() == {"train": 28, "val": 6, "test": 6}


@pytest.mark.parametrize(
    ("num_recordings", "shares", "says"),
    [
        (2, SHARES, "2 recording groups cannot fill 3 splits"),
        (1, {"train": 0.8, "val": 0.2, "test": 0.0}, "1 recording groups cannot fill 2 splits"),
    ],
)
def test_too_few_groups_are_refused(
    num_recordings: int, shares: dict[str, float], says: str
) -> None:
    with pytest.raises(ListError, match=rf"{says} \(--group-by\)"):
        assign_splits(even(num_recordings), NUM_CLASSES, shares)


def test_as_many_groups_as_splits_are_enough() -> None:
    splits = assign_splits(even(3), NUM_CLASSES, SHARES)
    assert set(splits) == set(SHARES)


# From session folders to lists and back.


def session(base_dir: Path, classes: tuple[str, ...], projects: dict[str, list[str]]) -> Path:
    """Write a session whose clips all carry all classes; projects name their recordings."""
    rows: list[dict[str, Any]] = []
    for project, videos in projects.items():
        for video in videos:
            clip = f"{project}/{video}_start0.0_0.mp4"
            path = base_dir / "output" / clip
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"")
            rows.append(
                {
                    "project": project,
                    "source": f"video/{video}.mp4",
                    "clip": clip,
                    "status": "cut",
                    "labels": classes,
                    "label_indices": range(len(classes)),
                }
            )
    manifest = manifest_table(rows)
    write_manifest(manifest, base_dir / "output")
    write_session_lists(base_dir / "output", manifest, classes)
    return base_dir


def test_label_lists_of_two_sessions_merge_by_name(tmp_path: Path) -> None:
    one = session(tmp_path / "one", ("sit", "walk"), {"p": ["a"]})
    two = session(tmp_path / "two", ("run", "walk", "sit"), {"p": ["a"]})
    (two / "output" / "p" / "b.mp4").write_bytes(b"")
    with (two / "output" / "dataset.txt").open("a") as file:
        file.write("p/b.mp4 0 2\n")
    clips, names = read_clips([one, two])
    assert names == ("sit", "walk", "run")
    assert clips["labels"].tolist() == [(0, 1), (0, 1, 2), (0, 2)]
    backwards, other_names = read_clips([two, one])
    assert other_names == ("run", "walk", "sit")
    assert [named(labels, other_names) for labels in backwards["labels"]] == [
        {"run", "walk", "sit"},
        {"run", "sit"},
        {"sit", "walk"},
    ]


def named(labels: tuple[int, ...], names: tuple[str, ...]) -> set[str]:
    return {names[label] for label in labels}


def test_clips_know_their_recording_project_and_session(tmp_path: Path) -> None:
    clips, _ = read_clips([session(tmp_path, ("sit",), {"p": ["a", "b"], "q": ["b"]})])
    assert clips["recording"].nunique() == 2
    assert clips["project"].nunique() == 2
    assert len(set(clips["session"])) == 1
    assert clips["recording"].iloc[1] == clips["recording"].iloc[2]


def test_recordings_of_two_sessions_are_different_ones(tmp_path: Path) -> None:
    sessions = [session(tmp_path / name, ("sit",), {"p": ["a"]}) for name in ("one", "two")]
    clips, _ = read_clips(sessions)
    assert clips["recording"].nunique() == 2
    assert clips["project"].nunique() == 2


def test_it_does_not_matter_how_a_session_folder_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base_dir = session(tmp_path / "one", ("sit",), {"p": ["a"], "q": ["a"]})
    absolute, _ = read_clips([base_dir])
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    relative, _ = read_clips([Path("../one")])
    pd.testing.assert_frame_equal(relative, absolute)


def test_project_lists_know_that_they_share_a_recording(tmp_path: Path) -> None:
    output = session(tmp_path, ("sit",), {"p": ["a"], "q": ["a"]}) / "output"
    clips, _ = read_clips([output / "p" / "dataset.txt", output / "q" / "dataset.txt"])
    assert len(set(clips["recording"])) == 1


def test_without_a_manifest_the_clip_names_tell_recordings_apart(tmp_path: Path) -> None:
    base_dir = session(tmp_path, ("sit",), {"p": ["a", "b"]})
    (base_dir / "output" / "p" / "a_start4.0_0.mp4").write_bytes(b"")
    with (base_dir / "output" / "dataset.txt").open("a") as file:
        file.write("p/a_start4.0_0.mp4 0\n")
    (base_dir / "output" / "manifest.parquet").unlink()
    clips, _ = read_clips([base_dir])
    groups = clips["recording"].tolist()
    assert groups[0] == groups[2] != groups[1]


def test_only_clips_that_are_there_are_listed(tmp_path: Path) -> None:
    rows = [
        {"project": "p", "clip": f"p/{status}.mp4", "status": status, "labels": ["sit"]}
        | {"label_indices": [0]}
        for status in ("cut", "reused", "skipped", "failed", "planned")
    ]
    write_session_lists(tmp_path, manifest_table(rows), ("sit",))
    assert (tmp_path / "dataset.txt").read_text() == "p/cut.mp4 0\np/reused.mp4 0\n"
    assert (tmp_path / "p" / "dataset.txt").read_text() == "cut.mp4 0\nreused.mp4 0\n"
    assert (tmp_path / "labels.txt").read_text() == "sit\n"


def test_the_same_clip_twice_is_refused(tmp_path: Path) -> None:
    base_dir = session(tmp_path, ("sit",), {"p": ["a"]})
    with pytest.raises(ListError, match=r"two inputs list the same clip .*a_start0\.0_0\.mp4"):
        read_clips([base_dir, base_dir / "output" / "p" / "dataset.txt"])


def test_a_folder_without_clips_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ListError, match="no clips here"):
        read_clips([tmp_path])


# What is written.


@pytest.fixture
def sessions(tmp_path: Path) -> list[Path]:
    """Return two sessions of six recordings each, whose label lists differ."""
    videos = {"p": ["a", "b", "c"], "q": ["d", "e", "f"]}
    return [
        session(tmp_path / "one", ("sit", "walk"), videos),
        session(tmp_path / "two", ("walk", "run"), videos),
    ]


def test_written_splits_read_back_as_the_clips_that_went_in(
    tmp_path: Path, sessions: list[Path]
) -> None:
    clips, names = read_clips(sessions)
    splits = assign_splits(clips, len(names), SHARES)
    write_split(tmp_path / "splits", clips, splits, names, settings={"seed": 0})
    seen: dict[str, tuple[str, tuple[int, ...]]] = {}
    for split in SHARES:
        listed = read_list(tmp_path / "splits" / f"{split}.txt")
        assert listed.labels == names
        seen |= {str(clip.path): (split, clip.labels) for clip in listed.clips}
    expected = zip(clips["path"], zip(splits, clips["labels"], strict=True), strict=True)
    assert seen == dict(expected)


def test_the_record_says_how_the_split_came_about(tmp_path: Path, sessions: list[Path]) -> None:
    clips, names = read_clips(sessions)
    splits = assign_splits(clips, len(names), SHARES, seed=7)
    write_split(tmp_path / "splits", clips, splits, names, settings={"seed": 7})
    record = json.loads((tmp_path / "splits" / "split.json").read_text())
    assert record["seed"] == 7
    assert record["labels"] == list(names)
    assert record["clips"] == {split: int((splits == split).sum()) for split in SHARES}
    assert record["version"] == 2
    assert len(record["recordings"]) == len(record["groups"]["recording"]) == 12
    assert all(len(found) == 1 for found in record["recordings"].values())


def test_no_list_of_an_earlier_split_stays_behind(tmp_path: Path, sessions: list[Path]) -> None:
    clips, names = read_clips(sessions)
    out = tmp_path / "splits"
    write_split(out, clips, assign_splits(clips, 3, SHARES), names, settings={})
    shares = {"train": 0.8, "val": 0.2, "test": 0.0}
    write_split(out, clips, assign_splits(clips, 3, shares), names, settings={})
    assert sorted(path.name for path in out.glob("*.txt")) == [
        "labels.txt",
        "train.txt",
        "val.txt",
    ]


@pytest.mark.parametrize("fault", ["a blank in a path", "an empty class name"])
def test_a_split_that_cannot_be_written_changes_nothing(
    tmp_path: Path, sessions: list[Path], fault: str
) -> None:
    clips, names = read_clips(sessions)
    out = tmp_path / "splits"
    write_split(out, clips, assign_splits(clips, 3, SHARES), names, settings={})
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    splits = assign_splits(clips, 3, SHARES, seed=1)
    if fault == "a blank in a path":
        last = splits.index[splits == "test"][-1]
        clips.loc[last, "path"] = str(tmp_path / "my dogs" / "a.mp4")
    else:
        names = (*names[:2], "")
    shown = "test.txt" if fault == "a blank in a path" else "labels.txt"
    with pytest.raises(ListError, match=rf"\({out / shown}\)"):
        write_split(out, clips, splits, names, settings={})
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


def test_the_format_of_lists_may_change_without_leaving_old_ones(
    tmp_path: Path, sessions: list[Path]
) -> None:
    clips, names = read_clips(sessions)
    splits = assign_splits(clips, 3, SHARES)
    clips = clips.assign(labels=[(0,)] * len(clips))  # which every format can express
    for list_format in (*WRITERS, "mmaction2"):
        write_split(tmp_path, clips, splits, names, list_format=list_format, settings={})
        suffix, _ = WRITERS[list_format]
        lists = {path.name for path in tmp_path.iterdir() if path.is_file()}
        assert lists == {*(f"{split}.{suffix}" for split in SHARES), "labels.txt", "split.json"}


def csv_rows(path: Path) -> list[list[str]]:
    with path.open(newline="") as file:
        return list(csv.reader(file))


def test_a_csv_list_has_a_column_for_each_class(tmp_path: Path) -> None:
    clips = even(3, 2)
    splits = assign_splits(clips, NUM_CLASSES, SHARES)
    names = ("sit", "=walk", "run")
    write_split(tmp_path, clips, splits, names, list_format="csv", settings={})
    own = clips[splits == "train"]
    header, *rows = csv_rows(tmp_path / "train.csv")
    assert header == ["path", "sit", "'=walk", "run"]
    assert [row[0] for row in rows] == own["path"].tolist()
    assert [row[1:] for row in rows] == [
        [str(int(index in labels)) for index in range(3)] for labels in own["labels"]
    ]


def test_a_class_called_path_does_not_replace_the_paths(tmp_path: Path) -> None:
    clips = even(3, 2)
    splits = assign_splits(clips, NUM_CLASSES, SHARES)
    names = ("sit", "path", "run")
    write_split(tmp_path, clips, splits, names, list_format="csv", settings={})
    header, *rows = csv_rows(tmp_path / "train.csv")
    assert header == ["path", "sit", "path", "run"]
    assert [row[0] for row in rows] == clips[splits == "train"]["path"].tolist()


def test_label_counts_count_each_label_of_a_clip() -> None:
    clips = clips_of([(0, 0, (0, 1)), (1, 0, (1,)), (2, 0, ())])
    counts = label_counts(clips, pd.Series(["train", "val", "train"]), 2)
    assert counts.to_dict("list") == {"train": [1, 1], "val": [0, 1], "test": [0, 0]}
