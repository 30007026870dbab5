"""All list and data set formats on real phone recordings, counted again from their annotations."""

import csv
import json
import re
import shutil
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import webdataset

from tests.cli.program import dogclips
from tests.home_falls import CONFIG, SESSIONS, told
from tests.shared import needs_shared

pytestmark = [pytest.mark.shared, needs_shared]

SPLITS = ("train", "val", "test")
CLIP_NAME = re.compile(r"^\d{8}s\d_(?P<video>.+)_start(?P<start>[\d.]+)_[\d-]+\.mp4$")
Labels = Mapping[str, frozenset[str]]  # by clip: session and file name


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Split a copy of the sessions, cut, by recording."""
    folder = tmp_path_factory.mktemp("home_falls")
    shutil.copytree(told(tmp_path_factory.getbasetemp()) / "Dec", folder / "Dec")
    sessions = [folder / "Dec" / name for name in SESSIONS]
    run("split", *sessions, "--out", folder / "split", "--val", "0.2", "--test", "0.2")
    return folder


def run(*arguments: object) -> dict[str, Any]:
    shown = dogclips(*arguments, "--json")
    assert shown.returncode == 0, shown.stderr
    document = json.loads(shown.stdout)
    assert isinstance(document, dict)
    return document


@pytest.fixture(scope="module")
def annotated(folder: Path) -> Labels:
    """Return what the authors' segments say of each clip that lies in a project's folder."""
    found = {}
    for session in SESSIONS:
        segments = segments_of(folder / "Dec" / session / "via")
        for path in (folder / "Dec" / session / "output").rglob("*.mp4"):
            name = CLIP_NAME.match(path.name)
            assert name
            window = float(name["start"]), float(name["start"]) + 4
            found[f"{session}/{path.name}"] = labels_within(segments[name["video"]], *window)
    return found


def segments_of(via: Path) -> dict[str, list[tuple[str, float, float]]]:
    """Return (label, start, end) by video, straight from the projects."""
    found: dict[str, list[tuple[str, float, float]]] = {}
    for path in via.glob("*.json"):
        project = json.loads(path.read_text())
        views = {vid: view["fid_list"][0] for vid, view in project["view"].items()}
        for entry in project["metadata"].values():
            video = Path(project["file"][views[entry["vid"]]]["fname"]).stem
            for attribute, option in entry["av"].items():
                label = project["attribute"][attribute]["options"][option]
                found.setdefault(video, []).append((label, entry["z"][0], entry["z"][-1]))
    return found


def labels_within(
    segments: list[tuple[str, float, float]], start_s: float, end_s: float
) -> frozenset[str]:
    """Return the labels that fill at least a second of a window."""
    filled: Counter[str] = Counter()
    for label, begin, end in segments:
        filled[label] += max(0.0, min(end, end_s) - max(begin, start_s))  # type: ignore[assignment]
    return frozenset(label for label, seconds in filled.items() if seconds >= 1 - 1e-6)


@pytest.fixture(scope="module")
def split_of(folder: Path) -> dict[str, str]:
    """Return the split of each clip, from the lists alone."""
    return {
        clip_id(line.split(" ")[0]): split
        for split in SPLITS
        for line in (folder / "split" / f"{split}.txt").read_text().splitlines()
    }


def clip_id(path: str) -> str:
    """Return session and file name of a clip; the session is named after the third folder above."""
    parts = Path(path).parts
    return f"{parts[-4]}/{parts[-1]}"


Export = Callable[..., tuple[Path, dict[str, Any]]]


@pytest.fixture(scope="module")
def export(folder: Path) -> Export:
    """Return the command, on the split."""

    def exported(export_format: str, *options: str) -> tuple[Path, dict[str, Any]]:
        out = folder / "export" / export_format
        document = run(
            "export", folder / "split", "--format", export_format, "--out", out, *options
        )
        return out, document

    return exported


def counted(labels: Labels, split_of: Mapping[str, str]) -> dict[str, dict[str, int]]:
    """Return the numbers that a table should show of these clips."""
    return {
        split: {
            "clips": sum(split_of[clip] == split for clip in labels),
            "labels": sum(len(own) for clip, own in labels.items() if split_of[clip] == split),
        }
        for split in SPLITS
    }


def shown(document: dict[str, Any]) -> dict[str, dict[str, int]]:
    return {
        split: {"clips": own["clips"], "labels": own["labels"]}
        for split, own in document["splits"].items()
    }


def test_lists_hold_every_clip_once_and_labels_are_those_of_the_authors(
    folder: Path, annotated: Labels, split_of: Mapping[str, str]
) -> None:
    assert set(split_of) == set(annotated)
    assert len(annotated) > 30
    for session in SESSIONS:
        output = folder / "Dec" / session / "output"
        names = (output / "labels.txt").read_text().splitlines()
        for line in (output / "dataset.txt").read_text().splitlines():
            path, *labels = line.split(" ")
            clip = f"{session}/{Path(path).name}"
            assert frozenset(names[int(label)] for label in labels) == annotated[clip]


def test_mmaction2_lists_count_right(
    export: Export, annotated: Labels, split_of: Mapping[str, str]
) -> None:
    out, document = export("mmaction2")
    names = (out / "labels.txt").read_text().splitlines()
    for split in SPLITS:
        for line in (out / f"{split}.txt").read_text().splitlines():
            path, *labels = line.split(" ")  # as VideoDataset with multi_class=True
            assert (Path(document["prefix"]) / path).is_file()
            assert split_of[clip_id(path)] == split
            assert frozenset(names[int(label)] for label in labels) == annotated[clip_id(path)]
    assert shown(document) == counted(annotated, split_of)
    assert document["labels"] == names


def test_pyslowfast_takes_the_clips_with_one_label_and_counts_the_others(
    export: Export, annotated: Labels, split_of: Mapping[str, str]
) -> None:
    out, document = export("slowfast", "--skip-unfit", "--separator", ",")
    single = {clip: own for clip, own in annotated.items() if len(own) == 1}
    read = {}
    for split in SPLITS:
        for line in (out / f"{split}.csv").read_text().splitlines():
            path, label = line.split(",")  # as the Kinetics loader
            assert (Path(document["prefix"]) / path).is_file()
            read[clip_id(path)] = frozenset({document["labels"][int(label)]})
    assert read == single
    assert shown(document) == counted(single, split_of)
    left_out = Counter(split_of[clip] for clip, own in annotated.items() if len(own) > 1)
    skipped = {split: own["skipped"] for split, own in document["splits"].items()}
    assert skipped == {
        split: {"several-labels": left_out[split]} if left_out[split] else {} for split in SPLITS
    }


@pytest.mark.parametrize("export_format", ["csv", "parquet"])
def test_tables_count_right(
    export: Export, annotated: Labels, split_of: Mapping[str, str], export_format: str
) -> None:
    out, document = export(export_format)
    read = pd.read_csv if export_format == "csv" else pd.read_parquet
    tables = [read(out / f"{split}.{export_format}") for split in SPLITS]
    table = pd.concat(tables, ignore_index=True)
    clips = [clip_id(path) for path in table["path"]]
    assert dict(zip(clips, table["split"], strict=True)) == split_of
    for name in document["labels"]:
        having = {clip for clip, hot in zip(clips, table[name], strict=True) if hot}
        assert having == {clip for clip, own in annotated.items() if name in own}
    assert shown(document) == counted(annotated, split_of)


def test_kinetics_has_a_row_for_each_label(
    export: Export, annotated: Labels, split_of: Mapping[str, str]
) -> None:
    out, document = export("kinetics")
    rows = []
    for split in SPLITS:
        with (out / f"{split}.csv").open(newline="") as file:
            rows += list(csv.DictReader(file))
    pairs = Counter((clip_id(row["youtube_id"]) + ".mp4", row["label"]) for row in rows)
    assert pairs == Counter((clip, name) for clip, own in annotated.items() for name in own)
    assert {(row["time_start"], row["time_end"]) for row in rows} == {("0", "4")}
    assert all(split_of[clip_id(row["youtube_id"]) + ".mp4"] == row["split"] for row in rows)
    assert shown(document) == counted(annotated, split_of)


def test_the_datasets_library_loads_every_clip_in_its_split(
    export: Export,
    annotated: Labels,
    split_of: Mapping[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    import datasets  # noqa: PLC0415 (it reads the environment once)

    datasets.disable_progress_bars()
    out, document = export("videofolder")
    loaded = datasets.load_dataset("videofolder", data_dir=str(out), cache_dir=str(tmp_path))
    read = {}
    for split, name in {"train": "train", "val": "validation", "test": "test"}.items():
        for clip in loaded[name].cast_column("video", datasets.Video(decode=False)):
            assert Path(clip["video"]["path"]).stat().st_size > 1000
            assert split_of[clip_id(clip["path"])] == split
            assert [document["labels"][index] for index in clip["label_indices"]] == clip["labels"]
            read[clip_id(clip["path"])] = frozenset(clip["labels"])
    assert read == annotated
    assert shown(document) == counted(annotated, split_of)
    assert {split: own["files"] for split, own in document["splits"].items()} == {
        split: own["clips"] + 1 for split, own in counted(annotated, split_of).items()
    }


def test_webdataset_reads_every_clip_of_every_shard(
    folder: Path, export: Export, annotated: Labels, split_of: Mapping[str, str]
) -> None:
    out, document = export("webdataset", "--shard-size", "5")
    read = {}
    for split in SPLITS:
        shards = sorted(out.glob(f"{split}-*.tar"))
        assert len(shards) == document["splits"][split]["files"]
        samples = webdataset.WebDataset([str(path) for path in shards], shardshuffle=False)
        for sample in samples:
            known = json.loads(sample["json"])
            assert split_of[clip_id(known["path"])] == split
            assert sample["mp4"] == (folder / "Dec" / known["path"]).read_bytes()
            read[clip_id(known["path"])] = frozenset(known["labels"])
    assert read == annotated
    assert shown(document) == counted(annotated, split_of)


def test_the_tables_of_cut_count_segments_seconds_and_clips_right(
    folder: Path, annotated: Labels
) -> None:
    sessions = [folder / "Dec" / name for name in SESSIONS]
    document = run("cut", *sessions, "--dry-run", "--config", CONFIG)
    assert document["planned"] == len(annotated)
    assert document["labels"] == Counter(name for own in annotated.values() for name in own)

    printed = dogclips("cut", *sessions, "--dry-run", "--config", CONFIG).stdout
    tables = dict(re.findall(r"(12_\d_s\d): labels\n(.*?)all clips", printed, re.DOTALL))
    assert set(tables) == set(SESSIONS)
    for session, table in tables.items():
        found = {
            label: (int(clips), int(segments), float(seconds))
            for label, clips, segments, seconds in re.findall(
                r"^ +\d+  (\S.*?) +(\d+) +(\d+) +(\d+\.\d)", table, re.MULTILINE
            )
            if int(segments)  # others are classes of the other sessions
        }
        assert found == counted_in(
            session, segments_of(folder / "Dec" / session / "via"), annotated
        )


def counted_in(
    session: str, segments: Mapping[str, list[tuple[str, float, float]]], annotated: Labels
) -> dict[str, tuple[int, int, float]]:
    """Return clips, segments and their seconds for each label of a session."""
    rows = pd.DataFrame(
        [row for own in segments.values() for row in own], columns=["label", "start", "end"]
    )
    clips = Counter(
        name for clip, own in annotated.items() if clip.startswith(session) for name in own
    )
    return {
        str(label): (clips[str(label)], len(own), round((own["end"] - own["start"]).sum(), 1))
        for label, own in rows.groupby("label")
    }


def test_the_table_of_a_split_counts_right(
    folder: Path, annotated: Labels, split_of: Mapping[str, str], tmp_path: Path
) -> None:
    sessions = [folder / "Dec" / name for name in SESSIONS]
    document = run("split", *sessions, "--out", tmp_path, "--val", "0.2", "--test", "0.2")

    assert document["clips"] == Counter(split_of.values())
    assert document["labels"] == {
        name: {
            split: sum(name in own and split_of[clip] == split for clip, own in annotated.items())
            for split in SPLITS
        }
        for name in {name for own in annotated.values() for name in own} | set(document["labels"])
    }
    recordings = {
        split: {
            CLIP_NAME.sub(r"\g<video>", Path(clip).name)
            for clip, own in split_of.items()
            if own == split
        }
        for split in SPLITS
    }
    assert document["recordings"] == {split: len(own) for split, own in recordings.items()}
    assert sum(map(len, recordings.values())) == len(set.union(*recordings.values()))
