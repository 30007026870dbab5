"""What `dogclips export` writes and says, for scripts and for people."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.program import dogclips
from tests.lists.exports import files_in, make_session, make_split


@pytest.fixture
def workplace(tmp_path: Path) -> Path:
    """Return a folder with a session `s` and its split `split`."""
    session = make_session(tmp_path / "s")
    make_split(tmp_path / "split", session, {"train": [0, 1], "val": [2], "test": [3]})
    return tmp_path


def exported(workplace: Path, *arguments: object) -> dict[str, Any]:
    shown = dogclips("export", *arguments, "--json", cwd=workplace)
    assert (shown.returncode, shown.stderr) == (0, "")
    document = json.loads(shown.stdout)
    assert isinstance(document, dict)
    return document


def test_json_is_one_document_about_every_split(workplace: Path) -> None:
    document = exported(workplace, "split", "--format", "mmaction2", "--out", "out")

    load = document.pop("load")
    assert document == {
        "version": 1,
        "command": "export",
        "warnings": [],
        "format": "mmaction2",
        "out": "out",
        "prefix": str(workplace / "s"),
        "labels": ["sit", "walk", "run"],
        "splits": {
            "train": {"clips": 2, "labels": 3, "files": 1, "skipped": {}},
            "val": {"clips": 1, "labels": 1, "files": 1, "skipped": {}},
            "test": {"clips": 1, "labels": 1, "files": 1, "skipped": {}},
        },
    }
    assert load[0] == (
        f"train: dict(type='VideoDataset', ann_file='{workplace}/out/train.txt', "
        f"data_prefix=dict(video='{workplace}/s'), multi_class=True, num_classes=3)"
    )
    assert files_in(workplace / "out") == {
        "export.json",
        "labels.txt",
        "test.txt",
        "train.txt",
        "val.txt",
    }


def test_the_table_counts_splits_and_skipped_clips_and_says_how_to_load_them(
    workplace: Path,
) -> None:
    shown = dogclips(
        *("export", "split", "--format", "slowfast", "--skip-unfit", "--out", "out"), cwd=workplace
    )

    assert (shown.returncode, shown.stderr) == (0, "")
    lines = [line.split() for line in shown.stdout.splitlines()]
    assert ["train", "1", "1", "1", "1"] in lines
    assert ["val", "1", "1", "1", "0"] in lines
    assert ["3", "3", "3", "1"] in lines
    assert "several-labels: several labels, and the format takes one" in shown.stdout
    assert shown.stdout.splitlines()[-4:] == [
        f"DATA.PATH_TO_DATA_DIR {workplace}/out",
        f"DATA.PATH_PREFIX {workplace}/s",
        'DATA.PATH_LABEL_SEPARATOR " "',
        "MODEL.NUM_CLASSES 3",
    ]
    assert "\x1b[" not in shown.stdout


def test_the_lines_that_load_an_export_are_never_folded(workplace: Path) -> None:
    deep = "/".join(["a" * 60] * 3)
    shown = dogclips("export", "s", "--format", "mmaction2", "--out", deep, cwd=workplace)
    [line] = [line for line in shown.stdout.splitlines() if "VideoDataset" in line]
    assert line.endswith("multi_class=True, num_classes=3)")
    assert deep in line


def test_sessions_lists_and_splits_can_be_exported(workplace: Path) -> None:
    for given in ("s", "s/output/dataset.txt", "s/output/p/dataset.txt"):
        document = exported(workplace, given, "--format", "csv", "--out", "out")
        assert document["splits"]["all"]["clips"] == 4
    document = exported(workplace, "split/val.txt", "split/test.txt", "--format=csv", "--out=out")
    assert list(document["splits"]) == ["val", "test"]


def test_paths_follow_the_prefix_and_the_root(workplace: Path) -> None:
    (workplace / "lists").mkdir()
    for name in ("dataset.txt", "labels.txt"):
        (workplace / "s" / "output" / name).rename(workplace / "lists" / name)
    arguments = ("lists", "--root", "s/output", "--prefix", ".", "--format", "mmaction2")
    document = exported(workplace, *arguments, "--out", "out")
    assert document["prefix"] == str(workplace)
    first = (workplace / "out" / "all.txt").read_text().splitlines()[0]
    assert first == "s/output/p/a_start0.0_0.mp4 0"


def test_shards_are_as_large_as_asked_for(workplace: Path) -> None:
    arguments = ("s", "--format", "webdataset", "--shard-size", "3", "--out", "out")
    document = exported(workplace, *arguments)
    assert document["splits"]["all"]["files"] == 2
    url = f"{workplace}/out/all-{{000000..000001}}.tar"
    assert document["load"] == [f"webdataset.WebDataset({url!r}, shardshuffle=False)"]


def test_labels_that_get_other_indices_are_a_warning(workplace: Path) -> None:
    make_session(workplace / "t", [("a", 0.0, ("run",))], ("walk", "run"))
    shown = dogclips("export", "s", "t", "--format", "csv", "--out", "out", cwd=workplace)
    assert shown.returncode == 0
    assert shown.stderr == (
        "warning: class indices differ from the input's own, which the names of its clips carry: "
        f"walk 0 -> 1, run 1 -> 2 ({workplace}/t/output/dataset.txt): "
        "use the labels.txt beside the new lists, or cut all sessions together\n"
    )


FAULTS = {
    "a missing list": (["no.txt", "--format", "csv"], 1, "cannot be read (no.txt)"),
    "a wrong line": (["wrong.txt", "--format", "csv"], 1, "label 7 has no name"),
    "clips that do not fit": (["s", "--format", "slowfast"], 1, "1 of 4 clips do not fit slowfast"),
    "lists with and without a split": (["s", "split", "--format", "csv"], 1, "same clip"),
    "a folder of other files": (
        ["s", "--format", "csv", "--out", "s/output"],
        1,
        "something other than an export",
    ),
    "no format": (["s"], 2, "--format"),
    "an unknown format": (["s", "--format", "coco"], 2, "--format"),
    "a separator without use": (
        ["s", "--format", "csv", "--separator", ","],
        2,
        "this option has no effect for csv (--separator): leave it out, or use --format slowfast",
    ),
    "a shard size without use": (["s", "--format", "csv", "--shard-size", "5"], 2, "--shard-size"),
    "shards of nothing": (["s", "--format", "webdataset", "--shard-size", "0"], 2, "--shard-size"),
    "no separator": (["s", "--format", "slowfast", "--separator", ""], 2, "--separator"),
}


@pytest.mark.parametrize(("arguments", "code", "says"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_one_line_and_leaves_nothing_behind(
    workplace: Path, arguments: list[str], code: int, says: str
) -> None:
    (workplace / "labels.txt").write_text("sit\n")
    (workplace / "wrong.txt").write_text("s/output/p/a_start0.0_0.mp4 7\n")
    before = files_in(workplace)

    out = [] if "--out" in arguments else ["--out", "out"]
    shown = dogclips("export", *arguments, *out, cwd=workplace)

    assert (shown.returncode, shown.stdout) == (code, "")
    [line] = shown.stderr.splitlines()
    assert line.startswith("error: ")
    assert says in line
    assert files_in(workplace) == before
    assert not (workplace / "out").exists()
