import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from dogclips.errors import ListError
from dogclips.lists.groups import group_clips
from dogclips.lists.kept import Kept, KeptGroups, in_label_order, kept_groups, read_kept
from dogclips.lists.splits import assign_splits, write_split

SHARES = {"train": 0.6, "val": 0.2, "test": 0.2}
NAMES = ("sit", "walk", "run")
GROUPINGS = ["recording", "session", "subject", "file:camera", "none"]

Row = tuple[int, str, tuple[int, ...]]  # recording, clip, labels


def clips_of(root: Path, rows: Sequence[Row]) -> pd.DataFrame:
    """Return clips; two recordings make a session, three show the same dog."""
    return pd.DataFrame(
        [
            {
                "path": f"{root}/s{recording // 2}/output/r{recording}_{clip}.mp4",
                "labels": labels,
                "recording": f"{root}/s{recording // 2}/video/r{recording}.mp4",
                "project": f"{root}/s{recording // 2}/p",
                "session": f"{root}/s{recording // 2}",
                "subjects": (f"dog{recording // 3}",) if recording % 4 else (),
                "file:camera": ("garden", "porch", "")[recording % 3],
            }
            for recording, clip, labels in rows
        ]
    )


def plain(root: Path, recordings: Sequence[int], clips: Sequence[str] = "abc") -> pd.DataFrame:
    return clips_of(root, [(r, clip, (r % 3,)) for r in recordings for clip in clips])


def kept_split(out: Path, clips: pd.DataFrame, group_by: str, **settings_: Any) -> pd.Series:
    """Split clips and write the split."""
    splits = assign_splits(clips, len(NAMES), SHARES, group_by=group_by)
    how = {"seed": 0, "group_by": group_by, "shares": SHARES} | settings_
    write_split(out, clips, splits, NAMES, settings=how)
    return splits.set_axis(clips["path"])


def again(out: Path, clips: pd.DataFrame, group_by: str) -> tuple[pd.Series, KeptGroups]:
    """Split clips as the written split has it."""
    grouping = group_clips(clips, group_by)
    held = kept_groups(read_kept(out / "split.json"), clips, grouping, SHARES)
    splits = assign_splits(clips, 3, SHARES, group_by=grouping, seed=5, kept=held.splits)
    return splits.set_axis(clips["path"]), held


def refusal(out: Path, clips: pd.DataFrame, group_by: str = "recording") -> str:
    with pytest.raises(ListError) as caught:
        again(out, clips, group_by)
    line = str(caught.value)
    assert len(line.splitlines()) == 1
    assert str(out / "split.json") in line
    return line


labels = st.lists(st.integers(0, 2), unique=True).map(tuple)


@settings(deadline=None, max_examples=80)
@given(
    st.lists(st.tuples(st.integers(0, 20), labels), min_size=20, max_size=60),
    st.integers(0, 60),
    st.sampled_from(GROUPINGS),
)
def test_clips_never_change_their_split_when_clips_are_added_and_no_group_parts(
    tmp_path_factory: pytest.TempPathFactory,
    drawn: list[tuple[int, tuple[int, ...]]],
    number: int,
    group_by: str,
) -> None:
    root = tmp_path_factory.mktemp("kept")
    rows = [(recording, str(place), own) for place, (recording, own) in enumerate(drawn)]
    clips = clips_of(root, rows)
    first = clips[:number]
    assume(len(first) and group_clips(first, group_by).names.nunique() >= 3)
    before = kept_split(root / "split", first, group_by)
    shuffled = clips.sample(frac=1, random_state=number)
    after, held = again(root / "split", shuffled, group_by)
    assert after[before.index].tolist() == before.tolist()
    assert (held.stayed, held.gone) == (len(first), 0)
    names = group_clips(shuffled, group_by).names
    assert names.groupby(after.to_numpy()).nunique().sum() == names.nunique()


@pytest.mark.parametrize("group_by", ["recording", "session", "subject", "file:camera"])
def test_clips_under_new_names_follow_their_group(tmp_path: Path, group_by: str) -> None:
    before = kept_split(tmp_path / "split", plain(tmp_path, range(12), "ab"), group_by)
    after, held = again(tmp_path / "split", plain(tmp_path, range(12), "cd"), group_by)
    assert after.tolist() == before.tolist()
    assert (held.stayed, held.followed, held.gone) == (0, 24, 24)


def test_without_groups_a_new_clip_goes_where_it_is_wanted(tmp_path: Path) -> None:
    kept_split(tmp_path / "split", plain(tmp_path, range(12)), "none")
    _, held = again(tmp_path / "split", plain(tmp_path, range(12), "abcd"), "none")
    assert (held.stayed, held.followed, held.gone) == (36, 0, 0)


def test_what_is_kept_counts_as_filled(tmp_path: Path) -> None:
    clips = clips_of(tmp_path, [(r, clip, (0, 1, 2)) for r in range(20) for clip in "abc"])
    before = kept_split(tmp_path / "split", clips[:30], "recording")
    after, _ = again(tmp_path / "split", clips, "recording")
    assert before.value_counts().to_dict() == {"train": 18, "val": 6, "test": 6}
    assert after.value_counts().to_dict() == {"train": 36, "val": 12, "test": 12}


def test_clips_and_split_may_move_together(tmp_path: Path) -> None:
    before = kept_split(tmp_path / "one" / "split", plain(tmp_path / "one", range(9)), "session")
    (tmp_path / "one").rename(tmp_path / "two")
    after, held = again(tmp_path / "two" / "split", plain(tmp_path / "two", range(9)), "session")
    assert after.tolist() == before.tolist()
    assert held.stayed == 27


def test_clips_that_are_gone_are_counted(tmp_path: Path) -> None:
    kept_split(tmp_path / "split", plain(tmp_path, range(9)), "recording")
    _, held = again(tmp_path / "split", plain(tmp_path, range(1, 9), "abcd"), "recording")
    assert (held.stayed, held.followed, held.gone) == (24, 8, 3)


def test_a_subject_keeps_its_split_when_it_is_seen_with_a_new_one(tmp_path: Path) -> None:
    clips = plain(tmp_path, range(12))
    before = kept_split(tmp_path / "split", clips, "subject")
    more = plain(tmp_path, [5, 99], "z")
    more["subjects"] = [("dog1", "ace"), ("ace",)]
    after, _ = again(tmp_path / "split", pd.concat([clips, more], ignore_index=True), "subject")
    dog1 = {before[path] for path in clips.loc[clips["subjects"] == ("dog1",), "path"]}
    assert {after[path] for path in more["path"]} == dog1


def test_two_kept_groups_that_become_one_are_refused(tmp_path: Path) -> None:
    clips = plain(tmp_path, range(12))
    before = kept_split(tmp_path / "split", clips, "subject")
    named = clips[clips["subjects"].map(len) > 0]
    dogs = {before[path]: own for path, own in zip(named["path"], named["subjects"], strict=True)}
    more = plain(tmp_path, [99], "z")
    more["subjects"] = [(*dogs["train"], *dogs["val"])]
    line = refusal(tmp_path / "split", pd.concat([clips, more], ignore_index=True), "subject")
    assert "kept clips of one group" in line
    assert "lie in train and val" in line


def test_recordings_stay_when_groups_become_larger_or_the_split_is_refused(tmp_path: Path) -> None:
    clips = plain(tmp_path, range(12))
    kept_split(tmp_path / "split", clips, "session")
    _, held = again(tmp_path / "split", plain(tmp_path, range(12), "xyz"), "recording")
    assert held.followed == 36
    kept_split(tmp_path / "split", clips, "recording")
    assert "group as before (--group-by)" in refusal(tmp_path / "split", clips, "session")


def test_other_splits_than_the_kept_ones_are_refused(tmp_path: Path) -> None:
    clips = plain(tmp_path, range(12))
    kept_split(tmp_path / "split", clips, "recording")
    kept = read_kept(tmp_path / "split" / "split.json")
    with pytest.raises(ListError, match="the split to keep has test, train, val, not train"):
        kept_groups(kept, clips, group_clips(clips), ["train", "val"])


def test_the_settings_of_a_split_are_kept(tmp_path: Path) -> None:
    kept_split(tmp_path, plain(tmp_path, range(12)), "session", seed=7)
    kept = read_kept(tmp_path / "split.json")
    assert (kept.group_by, kept.seed, kept.shares, kept.labels) == ("session", 7, SHARES, NAMES)


# Version 1 had recordings only.


def version_1(out: Path, recordings: dict[str, list[str]]) -> Kept:
    found = [split for own in recordings.values() for split in own]
    record = {
        "version": 1,
        "labels": NAMES,
        "clips": {split: found.count(split) for split in SHARES},
        "recordings": recordings,
    }
    out.mkdir()
    (out / "split.json").write_text(json.dumps(record))
    return read_kept(out / "split.json")


def test_a_split_of_version_1_keeps_its_recordings(tmp_path: Path) -> None:
    splits = ["train", "train", "train", "val", "test"]
    names = [f"../s{r // 2}/video/r{r}.mp4" for r in range(5)]
    version_1(tmp_path / "split", {name: [own] for name, own in zip(names, splits, strict=True)})
    after, held = again(tmp_path / "split", plain(tmp_path, range(9)), "recording")
    assert after[:15].tolist() == [split for split in splits for _ in "abc"]
    assert (held.stayed, held.followed, held.gone) == (15, 0, 0)


def test_a_parted_recording_of_version_1_is_refused_if_its_clips_are_there(tmp_path: Path) -> None:
    parted = {"../s0/video/r0.mp4": ["train", "val"], "../s0/video/r1.mp4": ["test"]}
    version_1(tmp_path / "split", parted)
    assert "version 1 does not say" in refusal(tmp_path / "split", plain(tmp_path, range(9)))
    again(tmp_path / "split", plain(tmp_path, range(1, 9)), "recording")


# Files that are wrong.

WHOLE: dict[str, Any] = {
    "version": 2,
    "labels": ["sit"],
    "clips": {"train": 1, "val": 1, "test": 0},
    "recordings": {"a.mp4": ["train"]},
    "groups": {"recording": {"a.mp4": "train"}},
    "files": {"train": ["a.mp4"], "val": ["b.mp4"]},
}
DAMAGE: dict[str, object] = {
    "no JSON": "{",
    "a list": [],
    "another version": WHOLE | {"version": 3},
    "no labels": {key: WHOLE[key] for key in WHOLE if key != "labels"},
    "no groups": {key: WHOLE[key] for key in WHOLE if key != "groups"},
    "no files": {key: WHOLE[key] for key in WHOLE if key != "files"},
    "an unknown split": WHOLE | {"files": {"tain": ["a.mp4"]}},
    "a group in an unknown split": WHOLE | {"groups": {"recording": {"a.mp4": "x"}}},
    "a clip in two splits": WHOLE | {"files": {"train": ["a.mp4"], "val": ["./a.mp4"]}},
    "a share above 1": WHOLE | {"shares": {"train": 2}},
    "a seed below 0": WHOLE | {"seed": -1},
}


@pytest.mark.parametrize("content", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_split_is_refused_in_one_line(tmp_path: Path, content: object) -> None:
    path = tmp_path / "split.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    with pytest.raises(ListError, match=r"damaged: .*split\.json") as caught:
        read_kept(path)
    assert len(str(caught.value).splitlines()) == 1


def test_a_split_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ListError, match=r"cannot be read .*split\.json"):
        read_kept(tmp_path / "split.json")


def test_the_undamaged_one_is_read(tmp_path: Path) -> None:
    (tmp_path / "split.json").write_text(json.dumps(WHOLE))
    kept = read_kept(tmp_path / "split.json")
    assert kept.clips == {f"{tmp_path}/a.mp4": "train", f"{tmp_path}/b.mp4": "val"}
    assert kept.groups == {("recording", f"{tmp_path}/a.mp4"): "train"}


def test_known_labels_come_first_as_they_stood_and_new_ones_behind() -> None:
    clips = pd.DataFrame({"labels": [(0, 1), (2,), ()]})
    moved, names = in_label_order(clips, ("walk", "bark", "sit"), ("sit", "run", "walk"))
    assert names == ("sit", "run", "walk", "bark")
    assert moved["labels"].tolist() == [(2, 3), (0,), ()]
