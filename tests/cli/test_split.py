"""What `dogclips split` writes, says and refuses."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

import pytest

from dogclips.lists import read_list
from dogclips.lists.sessions import write_session_lists
from dogclips.lists.splits import WRITERS
from dogclips.records.manifest import manifest_table, write_manifest
from dogclips.steps.split import SplitFormat
from tests.cli.program import dogclips

CLASSES = ("sit", "walk", "sniff")
SPLITS = ("train", "val", "test")


def session(
    base_dir: Path,
    recordings: Sequence[int] = range(12),
    classes: Sequence[str] = CLASSES,
    clips: Sequence[str] = "abc",
    **more: Mapping[int, object],
) -> Path:
    """Write a cut session; every third recording shows all classes, the others the first two."""
    rows: list[dict[str, Any]] = []
    for recording in recordings:
        for place, clip in enumerate(clips):
            name = f"p/r{recording:02}{clip}_start{place * 4}.0_0.mp4"
            path = base_dir / "output" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(f"{base_dir} {name}".encode())
            indices = list(range(len(classes) if recording % 3 == 0 else 2))
            row = {
                "project": "p",
                "source": f"video/r{recording:02}.mp4",
                "clip": name,
                "status": "cut",
                "labels": [classes[index] for index in indices],
                "label_indices": indices,
            }
            rows.append(row | {key: values[recording] for key, values in more.items()})
    manifest = manifest_table(rows)
    write_manifest(manifest, base_dir / "output")
    write_session_lists(base_dir / "output", manifest, classes)
    return base_dir


def split(*arguments: object, code: int = 0) -> dict[str, Any]:
    shown = dogclips("split", *arguments, "--json")
    assert shown.returncode == code, shown.stderr
    document = json.loads(shown.stdout)
    assert isinstance(document, dict)
    return document


def listed(folder: Path, names: Sequence[str] = SPLITS) -> dict[str, str]:
    """Return the split of each clip in the lists of a folder."""
    return {
        clip.path.name: name
        for name in names
        if (folder / f"{name}.txt").exists()
        for clip in read_list(folder / f"{name}.txt").clips
    }


def refused(*arguments: object, code: int) -> str:
    shown = dogclips("split", *arguments)
    assert (shown.returncode, shown.stdout) == (code, "")
    [line] = shown.stderr.splitlines()
    return line


def test_the_document_counts_what_the_lists_hold(tmp_path: Path) -> None:
    document = split(session(tmp_path / "one"), "--out", tmp_path / "split", "--seed", 3)

    own = {name: read_list(tmp_path / "split" / f"{name}.txt").clips for name in SPLITS}
    clips = {name: len(found) for name, found in own.items()}
    assert document["version"] == 1
    assert (document["seed"], document["group_by"]) == (3, "recording")
    assert document["shares"] == {"train": pytest.approx(0.7), "val": 0.15, "test": 0.15}
    assert document["clips"] == clips
    assert sum(clips.values()) == 36
    assert document["recordings"] == {name: number // 3 for name, number in clips.items()}
    assert document["groups"] == document["recordings"]
    off = {}
    for index, label in enumerate(CLASSES):
        counts = {name: sum(index in clip.labels for clip in own[name]) for name in SPLITS}
        ratios = {name: counts[name] / clips[name] for name in SPLITS}
        overall = sum(counts.values()) / 36
        assert document["labels"][label] == counts
        assert document["ratios"][label] == pytest.approx(ratios | {"all": overall})
        off |= {(label, name): abs(ratio - overall) for name, ratio in ratios.items()}
    largest = document["largest_deviation"]
    assert off[largest["label"], largest["split"]] == pytest.approx(max(off.values()))
    assert document["mean_deviation"] == pytest.approx(sum(off.values()) / len(off))
    assert (document["unspread"], document["without_group"]) == ({}, 0)
    assert (document["kept"], document["copies"]) == (None, None)


def test_the_table_fits_a_narrow_terminal_and_names_the_largest_deviation(tmp_path: Path) -> None:
    base_dir = session(tmp_path / "one", classes=("sit", "walk", "sniff at the other's bowl"))

    shown = dogclips("split", base_dir, "--out", tmp_path / "split")

    assert (shown.returncode, shown.stderr) == (0, "")
    assert max(map(len, shown.stdout.splitlines())) <= 100
    assert "largest deviation: sniff at the other's bowl in " in shown.stdout
    [row] = [line.split() for line in shown.stdout.splitlines() if line.startswith(" walk")]
    whole = ["100.0%", "+0.0"]
    assert row == ["walk", "36", "100.0%", "24", *whole, "6", *whole, "6", *whole]


def test_a_label_that_cannot_be_spread_is_named(tmp_path: Path) -> None:
    base_dir = session(tmp_path / "one", range(1, 8), clips="ab")
    arguments = (base_dir, "--out", tmp_path / "split")

    assert split(*arguments)["unspread"] == {"sniff": 2}
    table = dogclips("split", *arguments).stdout
    assert "in too few groups to reach every split: sniff (2 recordings)" in table


def test_folds_are_whole_splits_with_one_test_list(tmp_path: Path) -> None:
    arguments = (session(tmp_path / "one"), "--out", tmp_path / "k", "--folds", 3, "--test", 0.25)

    document = split(*arguments)

    folds = [listed(tmp_path / "k" / f"fold{number}") for number in (1, 2, 3)]
    assert document["folds"] == 3
    assert document["clips"] == {"fold1": 9, "fold2": 9, "fold3": 9, "test": 9}
    assert all(len(fold) == 36 for fold in folds)
    for clip in folds[0]:
        found = sorted(fold[clip] for fold in folds)
        assert found in (["test"] * 3, ["train", "train", "val"])
    for number, fold in enumerate(folds, start=1):
        record = json.loads((tmp_path / "k" / f"fold{number}" / "split.json").read_text())
        assert (record["fold"], record["folds"]) == (number, 3)
        assert record["clips"] == {"train": 18, "val": 9, "test": 9}
        assert record["shares"] == {"train": 0.5, "val": 0.25, "test": 0.25}
        assert [clip for clip in fold if fold[clip] == "val"] != []
    assert not (tmp_path / "k" / "train.txt").exists()


def test_folds_have_no_test_list_unless_one_is_asked_for(tmp_path: Path) -> None:
    shown = dogclips("split", session(tmp_path / "one"), "--out", tmp_path / "k", "--folds", 10)

    assert (shown.returncode, shown.stderr) == (0, "")
    assert max(map(len, shown.stdout.splitlines())) <= 100
    names = sorted(path.name for path in (tmp_path / "k" / "fold10").iterdir())
    assert names == ["labels.txt", "split.json", "train.txt", "val.txt"]


def test_what_an_earlier_split_left_is_named(tmp_path: Path) -> None:
    arguments = (session(tmp_path / "one"), "--out", tmp_path / "k")
    assert dogclips("split", *arguments, "--folds", 3).stderr == ""

    shown = dogclips("split", *arguments, "--folds", 2)

    [line] = shown.stderr.splitlines()
    assert line.startswith("warning: ")
    assert f"({tmp_path / 'k' / 'fold3'})" in line


def test_clips_stay_in_the_split_that_is_kept_and_so_do_labels_and_settings(
    tmp_path: Path,
) -> None:
    sessions = [session(tmp_path / f"s{number}", [number]) for number in range(8)]
    other = session(tmp_path / "other", range(20, 30), ("bark", "sit"))
    more = session(tmp_path / "more", range(30, 42))
    arguments = ("--val", 0.3, "--test", 0.2, "--seed", 4, "--group-by", "session")
    first = split(*sessions, "--out", tmp_path / "first", *arguments)
    before = listed(tmp_path / "first")

    keep = ("--keep", tmp_path / "first" / "split.json")
    second = split(other, more, *sessions[1:], "--out", tmp_path / "second", *keep)

    after = listed(tmp_path / "second")
    assert len(after) == 3 * (10 + 12 + 7)
    assert {clip: after[clip] for clip in before if clip in after} == {
        clip: name for clip, name in before.items() if not clip.startswith("r00")
    }
    for key in ("seed", "group_by", "shares"):
        assert second[key] == first[key]
    assert second["kept"] == {"stayed": 21, "followed": 0, "gone": 3}
    assert list(second["labels"]) == [*CLASSES, "bark"]
    assert sum(second["groups"].values()) == 9


def test_a_table_says_how_much_was_kept(tmp_path: Path) -> None:
    base_dir = session(tmp_path / "one")
    split(base_dir, "--out", tmp_path / "split")
    session(base_dir, range(1, 14), clips="bcd")

    keep = ("--keep", tmp_path / "split" / "split.json")
    shown = dogclips("split", base_dir, "--out", tmp_path / "split", *keep)

    assert shown.returncode == 0, shown.stderr
    assert "kept: " in shown.stdout


def test_classes_that_get_other_indices_are_warned_of(tmp_path: Path) -> None:
    one = session(tmp_path / "one")
    two = session(tmp_path / "two", classes=("walk", "bark", "sit"))
    out = ("--out", tmp_path / "split")

    merged = dogclips("split", one, two, *out)
    other = dogclips("split", two, *out)
    same = dogclips("split", two, *out)

    [line] = merged.stderr.splitlines()
    assert "walk 0 -> 1, bark 1 -> 3, sit 2 -> 0" in line
    assert str(two / "output") in line
    [line] = other.stderr.splitlines()
    assert f"has changed from sit, walk, sniff, bark ({tmp_path / 'split' / 'labels.txt'})" in line
    assert same.stderr == ""


def test_subjects_and_columns_can_be_what_never_parts(tmp_path: Path) -> None:
    dogs = {number: [["rex"], ["bella"], ["ace"], []][number % 4] for number in range(12)}
    cameras = {number: ("garden", "porch", "shed", "")[number % 4] for number in range(12)}
    base_dir = session(tmp_path / "one", **{"subjects": dogs, "file:camera": cameras})
    for group_by, kinds in (("subject", dogs), ("file:camera", cameras)):
        out = tmp_path / group_by.replace(":", "-")
        document = split(base_dir, "--out", out, "--group-by", group_by)
        found: dict[str, set[str]] = {}
        for clip, name in listed(out).items():
            found.setdefault(str(kinds[int(clip[1:3])]), set()).add(name)
        assert all(len(splits) == 1 for kind, splits in found.items() if kind not in ("", "[]"))
        assert document["without_group"] == 9
        assert sum(document["groups"].values()) == 6


def test_copies_in_other_splits_and_clips_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    # Every clip shows the same ten seconds of its recording.
    times = {"start_s": dict.fromkeys(range(12), 0.0), "end_s": dict.fromkeys(range(12), 10.0)}
    base_dir = session(tmp_path / "one", **times)
    arguments = (base_dir, "--out", tmp_path / "split", "--group-by", "none", "--check-copies")

    document = split(*arguments, code=1)
    shown = dogclips("split", *arguments)

    splits = listed(tmp_path / "split")
    pairs = {(Path(row["path"]).name, Path(row["other"]).name) for row in document["copies"]}
    assert pairs == {
        (one, other)
        for one in splits
        for other in splits
        if one < other and one[:3] == other[:3] and splits[one] != splits[other]
    }
    assert [row["status"] for row in document["unmatched"]] == ["unread"] * 36
    copies, unread = shown.stderr.splitlines()
    assert copies.startswith(f"warning: {len(pairs)} pairs of clips in different splits")
    assert unread.startswith("warning: 36 clips could not be compared by motion")
    assert shown.returncode == 1
    by_recording = split(base_dir, "--out", tmp_path / "split", "--check-copies", code=1)
    assert by_recording["copies"] == []


FAULTS: dict[str, tuple[list[object], int, str]] = {
    "subjects that nobody has": (["--group-by", "subject"], 2, "no clip has a subject"),
    "an unknown column": (["--group-by", "camera"], 2, "recording, project, session, subject"),
    "val with folds": (["--folds", 3, "--val", 0.2], 2, "(--folds, --val)"),
    "keep with folds": (["--folds", 3, "--keep", "split.json"], 2, "(--folds, --keep)"),
    "one fold": (["--folds", 1], 2, "--folds"),
    "nothing to train on": (["--val", 0.5, "--test", 0.5], 2, "nothing is left to train on"),
    "a share that is no number": (["--val", "nan"], 2, "--val"),
    "nothing for folds": (["--folds", 2, "--test", 1], 2, "nothing is left for the folds"),
    "a negative seed": (["--seed", -1], 2, "--seed"),
    "an unknown format": (["--format", "xml"], 2, "--format"),
    "more folds than recordings": (["--folds", 13], 1, "12 recording groups cannot fill 13"),
    "nothing to keep": (["--keep", "split.json"], 1, "cannot be read (split.json)"),
}


@pytest.mark.parametrize(("arguments", "code", "says"), FAULTS.values(), ids=FAULTS)
def test_wrong_usage_is_one_line_and_writes_nothing(
    tmp_path: Path, arguments: list[object], code: int, says: str
) -> None:
    base_dir = session(tmp_path / "one")
    line = refused(base_dir, "--out", tmp_path / "split", *arguments, code=code)
    assert line.startswith("error: ")
    assert says in line
    assert not (tmp_path / "split").exists()


def test_every_format_has_a_writer() -> None:
    assert set(get_args(SplitFormat)) == set(WRITERS)


def test_a_session_without_clips_stops_no_other(tmp_path: Path) -> None:
    full, empty = session(tmp_path / "one"), session(tmp_path / "two")
    (empty / "output" / "dataset.txt").write_text("")

    shown = dogclips("split", full, empty, "--out", tmp_path / "split")

    assert shown.returncode == 0
    assert f"no clips here, skipped ({empty})" in shown.stderr
    assert "the list is empty" in dogclips("split", empty, "--out", tmp_path / "none").stderr


def test_the_lists_may_be_those_of_pyslowfast_where_clips_have_one_label(tmp_path: Path) -> None:
    names = [f"r{number}_start0.0_1.mp4" for number in range(6)]
    for name in names:
        (tmp_path / name).touch()
    (tmp_path / "labels.txt").write_text("sit\nwalk\n")
    (tmp_path / "all.txt").write_text("".join(f"{name} 1\n" for name in names))
    line = refused(
        session(tmp_path / "one"), "--out", tmp_path / "none", "--format", "slowfast", code=1
    )
    assert "several labels, and the format takes one (36)" in line
    assert not (tmp_path / "none").exists()

    split(tmp_path / "all.txt", "--out", tmp_path / "split", "--format", "slowfast")

    lines = [
        line
        for name in SPLITS
        for line in (tmp_path / "split" / f"{name}.csv").read_text().splitlines()
    ]
    assert sorted(lines) == [f"{tmp_path / name} 1" for name in names]


JUDGED = {0: "contradicted", 1: "still", 2: "", **dict.fromkeys(range(3, 12), "confirmed")}


def test_clips_that_the_pixels_contradict_are_left_out_with_the_reason(tmp_path: Path) -> None:
    base_dir, out = session(tmp_path / "session", verdict=JUDGED), tmp_path / "split"
    document = split(base_dir, "--out", out)
    assert sum(document["clips"].values()) == 33
    assert {row["reason"] for row in document["left_out"]} == {"its verdict is contradicted"}
    assert {Path(row["path"]).name[:3] for row in document["left_out"]} == {"r00"}
    record = json.loads((out / "split.json").read_text())
    assert record["verdicts"] == ["confirmed", "still", "not-compared"]
    assert set(record["left_out"].values()) == {"its verdict is contradicted"}
    assert len(record["left_out"]) == 3
    counts = [Counter(own) for own in record["verdict_counts"].values()]
    assert sum(counts, Counter()) == {"confirmed": 27, "still": 3, "not-compared": 3}
    shown = dogclips("split", base_dir, "--out", out)
    assert "left out by their verdict: 3 contradicted" in shown.stdout


def test_verdicts_are_chosen_and_kept(tmp_path: Path) -> None:
    base_dir, out = session(tmp_path / "session", verdict=JUDGED), tmp_path / "split"
    document = split(base_dir, "--out", out, "--verdicts", "contradicted, confirmed")
    assert document["verdicts"] == ["confirmed", "contradicted"]
    assert sum(document["clips"].values()) == 30
    again = split(base_dir, "--out", tmp_path / "again", "--keep", out / "split.json")
    assert again["verdicts"] == document["verdicts"]
    assert again["clips"] == document["clips"]


@pytest.mark.parametrize(
    ("given", "code", "told"),
    [
        ("right", 2, "'right' is not a verdict (--verdicts): use confirmed"),
        ("contradicted", 1, "no clip is left: 36 not-compared (--verdicts)"),
    ],
)
def test_verdicts_that_leave_nothing_are_refused(
    tmp_path: Path, given: str, code: int, told: str
) -> None:
    shown = dogclips(
        "split", session(tmp_path / "session"), "--out", tmp_path / "split", "--verdicts", given
    )
    assert shown.returncode == code
    assert told in shown.stderr
