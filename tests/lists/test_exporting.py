"""What is exported, read back as the tools read it."""

import csv
import io
import json
import os
import shutil
import tarfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import webdataset
from hypothesis import given, settings
from hypothesis import strategies as st

from dogclips.errors import ListError, UsageError
from dogclips.files import cell_text
from dogclips.lists import read_list
from dogclips.lists.clip_paths import unique_keys
from dogclips.lists.exporting import ExportFormat, SplitCount
from dogclips.lists.formats import VIDEO_SUFFIXES, write_list_as
from dogclips.lists.sessions import read_clips
from dogclips.records.manifest import write_manifest
from tests.lists.exports import (
    LABELS,
    ROWS,
    content_of,
    exported,
    make_session,
    make_split,
)

# MMAction2.


def as_mmaction2(path: Path, prefix: str) -> list[tuple[str, list[int]]]:
    """Do what `VideoDataset.load_data_list` does with `multi_class=True`.

    Source: mmaction/datasets/video_dataset.py of open-mmlab/mmaction2.
    """
    rows = []
    for line in path.read_text().splitlines():
        name, *labels = line.strip().split(" ")
        rows.append((os.path.join(prefix, name), list(map(int, labels))))  # noqa: PTH118 (as there)
    return rows


def test_mmaction2_finds_every_clip_with_its_labels(
    tmp_path: Path, session: Path, split: Path
) -> None:
    done = exported(tmp_path / "out", [split], "mmaction2")

    clips = session / "output" / "p"
    read = {
        name: as_mmaction2(tmp_path / "out" / f"{name}.txt", str(done.settings.prefix))
        for name in ("train", "val", "test")
    }
    assert done.settings.prefix == session
    assert read["train"] == [(f"{clips}/a_start0.0_0.mp4", [0]), (f"{clips}/b_start0.0_1.mp4", [1])]
    assert read["val"] == [(f"{clips}/b_start4.0_2.mp4", [2])]
    assert read["test"] == [(f"{clips}/a_start2.5_0-2.mp4", [0, 2])]
    assert (tmp_path / "out" / "labels.txt").read_text() == "sit\nwalk\nrun\n"


def test_our_own_reader_reads_an_mmaction2_export_back(tmp_path: Path, split: Path) -> None:
    done = exported(tmp_path / "out", [split], "mmaction2")
    for name in ("train", "val", "test"):
        listed = read_list(tmp_path / "out" / f"{name}.txt", done.settings.prefix)
        assert listed.clips == read_list(split / f"{name}.txt").clips
        assert listed.labels == LABELS


def test_a_clip_without_labels_is_one_for_mmaction2(tmp_path: Path) -> None:
    session = make_session(tmp_path / "s", [("a", 0.0, ()), ("b", 0.0, ("run",))])
    exported(tmp_path / "out", [session], "mmaction2")
    assert as_mmaction2(tmp_path / "out" / "all.txt", "/x") == [
        ("/x/output/p/a_start0.0_.mp4", []),
        ("/x/output/p/b_start0.0_2.mp4", [2]),
    ]


def test_a_blank_in_a_path_does_not_fit_mmaction2_unless_it_lies_in_the_prefix(
    tmp_path: Path,
) -> None:
    session = make_session(tmp_path / "my dogs" / "s")
    done = exported(tmp_path / "out", [session], "mmaction2")
    assert done.splits["all"].clips == 4
    with pytest.raises(ListError, match=r"4 of 4 clips do not fit mmaction2: a space in the path"):
        exported(tmp_path / "other", [session], "mmaction2", prefix=tmp_path)
    assert not (tmp_path / "other").exists()


# PySlowFast.


def as_slowfast(path: Path, prefix: str, separator: str = " ") -> list[tuple[str, int]]:
    """Do what `Kinetics._construct_loader` does with DATA.PATH_PREFIX and PATH_LABEL_SEPARATOR.

    Source: slowfast/datasets/kinetics.py of facebookresearch/SlowFast.
    """
    rows = []
    for line in path.read_text().splitlines():
        parts = line.split(separator)
        assert len(parts) in {1, 2, 3}
        label = 0 if len(parts) == 1 else int(parts[-1])
        rows.append((os.path.join(prefix, parts[0]), label))  # noqa: PTH118 (as there)
    return rows


@pytest.mark.parametrize("separator", [" ", ",", "\t", "::"])
def test_pyslowfast_finds_every_clip_with_its_label(
    tmp_path: Path, session: Path, separator: str
) -> None:
    split = make_split(tmp_path / "one", session, {"train": [0, 2], "val": [3]})
    done = exported(tmp_path / "out", [split], "slowfast", separator=separator)

    read = as_slowfast(tmp_path / "out" / "train.csv", str(done.settings.prefix), separator)
    clips = session / "output" / "p"
    assert read == [(f"{clips}/a_start0.0_0.mp4", 0), (f"{clips}/b_start0.0_1.mp4", 1)]
    assert (tmp_path / "out" / "val.csv").read_text() == f"output/p/b_start4.0_2.mp4{separator}2\n"


def test_several_labels_and_none_do_not_fit_pyslowfast(tmp_path: Path) -> None:
    rows = [*ROWS, ("c", 0.0, ("sit", "walk")), ("d", 0.0, ())]
    session = make_session(tmp_path / "s", rows)
    with pytest.raises(ListError) as caught:
        exported(tmp_path / "out", [session], "slowfast")

    line = str(caught.value)
    assert "3 of 6 clips do not fit slowfast" in line
    assert "several labels, and the format takes one (2)" in line
    assert "no label, and the format needs one (1)" in line
    assert f"({session}/output/p/a_start2.5_0-2.mp4)" in line
    assert not (tmp_path / "out").exists()

    done = exported(tmp_path / "out", [session], "slowfast", skip_unfit=True)
    assert done.splits == {"all": SplitCount(3, 3, 1, {"several-labels": 2, "no-label": 1})}
    assert len(as_slowfast(tmp_path / "out" / "all.csv", "")) == 3


def test_the_separator_in_a_path_does_not_fit_pyslowfast(tmp_path: Path) -> None:
    session = make_session(tmp_path / "s", [("a,b", 0.0, ("run",)), ("c", 0.0, ("sit",))])
    done = exported(tmp_path / "blank", [session], "slowfast")
    assert done.splits["all"].clips == 2
    with pytest.raises(ListError, match=r"1 of 2 clips .*the separator or a line break .*/a,b_sta"):
        exported(tmp_path / "comma", [session], "slowfast", separator=",")


@pytest.mark.parametrize("separator", ["", "\n", " 1", "a\u2028"])
def test_what_cannot_separate_is_refused(tmp_path: Path, session: Path, separator: str) -> None:
    with pytest.raises(UsageError, match=r"cannot separate a path from a label .*--separator"):
        exported(tmp_path / "out", [session], "slowfast", separator=separator)


# Tables.

EXPECTED = {
    "path": ["output/p/a_start0.0_0.mp4", "output/p/b_start0.0_1.mp4"],
    "split": ["train", "train"],
    "sit": [1, 0],
    "walk": [0, 1],
    "run": [0, 0],
    "recording": ["video/a.mp4", "video/b.mp4"],
    "project": ["p", "p"],
    "session": [".", "."],
    "start_s": [0.0, 0.0],
    "end_s": [4.0, 4.0],
}


def test_a_csv_has_labels_by_name_and_a_column_for_each_class(tmp_path: Path, split: Path) -> None:
    exported(tmp_path / "out", [split], "csv")
    table = pd.read_csv(tmp_path / "out" / "train.csv")
    assert {name: table[name].tolist() for name in EXPECTED} == EXPECTED
    assert table["labels"].tolist() == ["sit", "walk"]
    assert table["subjects"].tolist() == ["Rex", "Rex"]
    assert pd.read_csv(tmp_path / "out" / "test.csv")["labels"].tolist() == ["sit | run"]


def test_parquet_keeps_labels_as_lists(tmp_path: Path, split: Path) -> None:
    exported(tmp_path / "out", [split], "parquet")
    table = pd.read_parquet(tmp_path / "out" / "train.parquet")
    assert {name: table[name].tolist() for name in EXPECTED} == EXPECTED
    assert [list(own) for own in table["labels"]] == [["sit"], ["walk"]]
    test = pd.read_parquet(tmp_path / "out" / "test.parquet")
    assert test["labels"].map(list).tolist() == [["sit", "run"]]
    assert test[list(LABELS)].to_numpy().tolist() == [[1, 0, 1]]


def test_no_cell_of_a_csv_is_a_formula_and_its_paths_still_lead_to_the_clips(
    tmp_path: Path,
) -> None:
    classes = ("=1+1", "@sum", "sit")
    session = make_session(tmp_path / "=s", [("a", 0.0, ("=1+1", "sit"))], classes)
    other = make_session(tmp_path / "t", [("-b", 0.0, ())], classes)
    for export_format in ("csv", "kinetics"):
        exported(tmp_path / export_format, [session, other], export_format, skip_unfit=True)
        with (tmp_path / export_format / "all.csv").open(newline="") as file:
            cells = [cell for row in csv.reader(file) for cell in row]
        assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]
    table = pd.read_csv(tmp_path / "csv" / "all.csv", keep_default_na=False)
    assert [(tmp_path / path).read_text() for path in table["path"]] == [
        "=s/p/a_start0.0_0-2.mp4",
        "t/p/-b_start0.0_.mp4",
    ]
    assert [cell_text(cell) for cell in table["labels"]] == ["=1+1 | sit", ""]
    assert [cell_text(str(name)) for name in table.columns][3:6] == list(classes)


@pytest.mark.parametrize("export_format", ["csv", "parquet"])
def test_a_class_called_as_a_column_does_not_replace_it(
    tmp_path: Path, export_format: ExportFormat
) -> None:
    classes = ("path", "sit", "label:path")
    session = make_session(tmp_path / "s", [("a", 0.0, ("path",))], classes)
    exported(tmp_path / "out", [session], export_format)
    read = pd.read_csv if export_format == "csv" else pd.read_parquet
    table = read(tmp_path / "out" / f"all.{export_format}")
    assert table["path"].tolist() == ["output/p/a_start0.0_0.mp4"]
    assert [table[f"label:{name}"].tolist() for name in classes] == [[1], [0], [0]]


def test_what_annotators_said_of_a_recording_is_in_the_tables(
    tmp_path: Path, session: Path
) -> None:
    manifest = pd.read_parquet(session / "output" / "manifest.parquet")
    write_manifest(manifest.assign(**{"file:camera": "=left"}), session / "output")
    exported(tmp_path / "csv", [session], "csv")
    assert set(pd.read_csv(tmp_path / "csv" / "all.csv")["file:camera"]) == {"'=left"}
    exported(tmp_path / "parquet", [session], "parquet")
    assert set(pd.read_parquet(tmp_path / "parquet" / "all.parquet")["file:camera"]) == {"=left"}


def test_the_types_of_a_parquet_file_do_not_depend_on_its_clips(tmp_path: Path) -> None:
    session = make_session(tmp_path / "s", [("a", 0.0, ()), ("b", 0.0, ("run",))])
    split = make_split(tmp_path / "split", session, {"train": [1], "val": [0]})
    exported(tmp_path / "out", [split], "parquet")
    train, val = (
        pd.read_parquet(tmp_path / "out" / f"{name}.parquet", dtype_backend="pyarrow").dtypes
        for name in ("train", "val")
    )
    assert train.to_dict() == val.to_dict()


def test_kinetics_has_one_row_a_clip_and_label(tmp_path: Path, split: Path) -> None:
    exported(tmp_path / "out", [split], "kinetics")
    lines = (tmp_path / "out" / "test.csv").read_text().splitlines()
    assert lines == [
        "label,youtube_id,time_start,time_end,split",
        "sit,output/p/a_start2.5_0-2,0,4,test",
        "run,output/p/a_start2.5_0-2,0,4,test",
    ]
    assert len((tmp_path / "out" / "train.csv").read_text().splitlines()) == 3


def test_what_kinetics_cannot_express_is_counted(tmp_path: Path, session: Path) -> None:
    rows = [("x", 0.0, ("sit",)), ("x", 4.0, ())]
    bare = make_session(tmp_path / "bare", rows)
    (bare / "output" / "manifest.parquet").unlink()
    with pytest.raises(ListError, match=r"2 of 6 clips do not fit kinetics: .*"):
        exported(tmp_path / "out", [session, bare], "kinetics")
    done = exported(tmp_path / "out", [session, bare], "kinetics", skip_unfit=True)
    assert done.splits == {"all": SplitCount(4, 5, 1, {"no-times": 1, "no-label": 1})}


# Folders of videos.


@pytest.fixture(scope="module")
def load_dataset(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Path], Any]]:
    """Return the loader of the `datasets` library, off line and with a cache of its own."""
    home = tmp_path_factory.mktemp("datasets")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_HUB_OFFLINE", "1")
        patch.setenv("HF_HOME", str(home))
        import datasets  # noqa: PLC0415 (it reads the environment once)

        datasets.disable_progress_bars()

        def load(folder: Path) -> Any:
            loaded = datasets.load_dataset(
                "videofolder", data_dir=str(folder), cache_dir=str(home / folder.parent.name)
            )
            return loaded.cast_column("video", datasets.Video(decode=False))

        yield load


def test_the_datasets_library_loads_a_video_folder(
    tmp_path: Path, split: Path, load_dataset: Callable[[Path], Any]
) -> None:
    done = exported(tmp_path / "out", [split], "videofolder")

    loaded = load_dataset(tmp_path / "out")
    assert {name: len(own) for name, own in loaded.items()} == {
        "train": 2,
        "validation": 1,
        "test": 1,
    }
    [clip] = loaded["test"]
    assert Path(clip["video"]["path"]).read_text() == "2_2_kt/p/a_start2.5_0-2.mp4"
    assert clip["labels"] == ["sit", "run"]
    assert clip["label_indices"] == [0, 2]
    assert (clip["recording"], clip["start_s"], clip["subjects"]) == ("video/a.mp4", 2.5, ["Rex"])
    assert done.splits["train"] == SplitCount(2, 2, 3, {})


def test_splits_without_any_label_load_beside_those_with_labels(
    tmp_path: Path, load_dataset: Callable[[Path], Any]
) -> None:
    session = make_session(tmp_path / "s", [("a", 0.0, ()), ("b", 0.0, ("run",))])
    split = make_split(tmp_path / "split", session, {"train": [0], "test": [1]})
    exported(tmp_path / "out", [split], "videofolder")
    loaded = load_dataset(tmp_path / "out")
    assert [own["labels"] for own in loaded["train"]] == [[]]
    assert [own["labels"] for own in loaded["test"]] == [["run"]]


def test_without_splits_no_clip_is_taken_for_one_by_its_name(
    tmp_path: Path, load_dataset: Callable[[Path], Any]
) -> None:
    rows = [("yard_test_1", 0.0, ("run",)), ("val", 0.0, ("sit",)), ("a", 0.0, ())]
    session = make_session(tmp_path / "s", rows)
    exported(tmp_path / "out", [session], "videofolder")
    assert {name: len(own) for name, own in load_dataset(tmp_path / "out").items()} == {"train": 3}


def test_clips_are_linked_where_the_disk_allows_it(tmp_path: Path, session: Path) -> None:
    exported(tmp_path / "out", [session], "videofolder")
    clip = session / "output" / "p" / "a_start0.0_0.mp4"
    assert (tmp_path / "out" / "train" / "a_start0_0_0.mp4").samefile(clip)


def test_clips_are_copied_from_another_disk(session: Path) -> None:
    memory = Path("/dev/shm")  # noqa: S108 (another disk than the temporary folder)
    if not memory.is_dir() or memory.stat().st_dev == session.stat().st_dev:
        pytest.skip("there is only one disk")
    out = memory / f"dogclips-{os.getpid()}"
    try:
        exported(out, [session], "videofolder")
        copy = out / "train" / "a_start0_0_0.mp4"
        assert copy.read_text() == "2_2_kt/p/a_start0.0_0.mp4"
        assert copy.stat().st_nlink == 1
    finally:
        shutil.rmtree(out)


@pytest.mark.parametrize("export_format", ["videofolder", "webdataset"])
def test_what_has_no_video_suffix_does_not_fit(
    tmp_path: Path, session: Path, export_format: ExportFormat
) -> None:
    assert ".mp4" in VIDEO_SUFFIXES
    (session / "output" / "p" / "notes").write_text("")
    with (session / "output" / "dataset.txt").open("a") as file:
        file.write("p/notes 0\n")
    with pytest.raises(ListError, match=r"1 of 5 clips .*a name that does not end in .*/p/notes\)"):
        exported(tmp_path / "out", [session], export_format)


# Shards.


def samples_of(*shards: Path) -> list[dict[str, Any]]:
    return list(webdataset.WebDataset([str(path) for path in shards], shardshuffle=False))


def test_webdataset_reads_every_clip_with_its_labels(tmp_path: Path, split: Path) -> None:
    done = exported(tmp_path / "out", [split], "webdataset")
    [sample] = samples_of(tmp_path / "out" / "test-000000.tar")
    assert sample["__key__"] == "a_start2_5_0-2"
    assert sample["mp4"] == b"2_2_kt/p/a_start2.5_0-2.mp4"
    assert json.loads(sample["json"]) == {
        "path": "output/p/a_start2.5_0-2.mp4",
        "labels": ["sit", "run"],
        "label_indices": [0, 2],
        "recording": "video/a.mp4",
        "project": "p",
        "session": ".",
        "subjects": ["Rex"],
        "start_s": 2.5,
        "end_s": 6.5,
    }
    assert {name: own.files for name, own in done.splits.items()} == {
        "train": 1,
        "val": 1,
        "test": 1,
    }


def test_shards_hold_as_many_clips_as_asked_for_in_their_order(
    tmp_path: Path, session: Path
) -> None:
    exported(tmp_path / "out", [session], "webdataset", shard_size=3)
    shards = sorted((tmp_path / "out").glob("*.tar"))
    assert [path.name for path in shards] == ["all-000000.tar", "all-000001.tar"]
    assert [len(samples_of(path)) for path in shards] == [3, 1]
    clips = read_list(session / "output" / "dataset.txt").clips
    assert [sample["mp4"] for sample in samples_of(*shards)] == [c.path.read_bytes() for c in clips]


def test_shards_have_the_same_bytes_whenever_they_are_written(
    tmp_path: Path, session: Path
) -> None:
    exported(tmp_path / "one", [session], "webdataset", shard_size=2)
    for path in session.rglob("*.mp4"):
        os.utime(path, (1, 1))
        path.chmod(0o600)
    exported(tmp_path / "two", [session], "webdataset", shard_size=2)
    one, two = content_of(tmp_path / "one"), content_of(tmp_path / "two")
    assert one == two
    with tarfile.open(fileobj=io.BytesIO(one["all-000000.tar"])) as shard:
        entries = shard.getmembers()
    assert {(e.mtime, e.uid, e.gid, e.uname, e.mode) for e in entries} == {(0, 0, 0, "", 0o644)}


def test_times_that_nobody_knows_are_null_in_a_shard(tmp_path: Path, session: Path) -> None:
    (session / "output" / "manifest.parquet").unlink()
    exported(tmp_path / "out", [session], "webdataset")
    sample = samples_of(tmp_path / "out" / "all-000000.tar")[0]
    assert json.loads(sample["json"])["start_s"] is None


# One clip never replaces another.


@pytest.fixture
def twins(tmp_path: Path) -> list[Path]:
    """Return two sessions whose clips have the same names."""
    return [make_session(tmp_path / "d" / name) for name in ("2_2_kt", "2_3_kt")]


def test_clips_of_the_same_name_stay_apart_in_a_folder(tmp_path: Path, twins: list[Path]) -> None:
    exported(tmp_path / "out", twins, "videofolder")
    texts = {path.read_text() for path in (tmp_path / "out" / "train").glob("*.mp4")}
    assert len(texts) == 8
    names = {path.name for path in (tmp_path / "out" / "train").glob("*.mp4")}
    assert "2_2_kt_output_p_a_start0_0_0.mp4" in names


def test_clips_of_the_same_name_stay_apart_in_shards(tmp_path: Path, twins: list[Path]) -> None:
    exported(tmp_path / "out", twins, "webdataset")
    samples = samples_of(tmp_path / "out" / "all-000000.tar")
    assert len({sample["__key__"] for sample in samples}) == 8
    assert len({sample["mp4"] for sample in samples}) == 8


letters = st.sampled_from(["a", "A", "b", ".", "_", "-", " ", "é", "犬"])
names = st.text(letters, min_size=1, max_size=4).filter(lambda name: name.strip(". ") != "")


@settings(deadline=None)
@given(st.lists(st.tuples(names, names), min_size=1, max_size=12, unique=True))
def test_keys_are_unique_safe_and_without_dots(parts: list[tuple[str, str]]) -> None:
    paths = [f"/d/{folder}/{name}.mp4" for folder, name in parts]
    keys = unique_keys(paths)
    assert len({key.casefold() for key in keys}) == len(paths)
    assert all(key.isascii() and "." not in key and "/" not in key for key in keys)
    assert unique_keys(paths) == keys


# The list of one split, as `dogclips split --format` writes it.


@pytest.mark.parametrize("list_format", ["mmaction2", "slowfast", "csv", "parquet", "kinetics"])
def test_a_single_list_is_called_after_its_split(
    tmp_path: Path, session: Path, list_format: Any
) -> None:
    clips, merged = read_clips([session])
    single = clips[clips["labels"].map(len) == 1]
    path = write_list_as(list_format, tmp_path / "v1.0" / "val", single, merged)
    assert (path.parent, path.stem) == (tmp_path / "v1.0", "val")
    assert f"{session}/output/p/b_start4.0_2".encode() in path.read_bytes()


def test_a_single_list_that_a_format_cannot_express_is_not_written(
    tmp_path: Path, session: Path
) -> None:
    clips, merged = read_clips([session])
    with pytest.raises(ListError, match="1 of 4 clips do not fit slowfast"):
        write_list_as("slowfast", tmp_path / "out" / "train", clips, merged)
    assert not (tmp_path / "out").exists()


# Round trips.

file_names = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Z"], exclude_characters="/,"), min_size=1
).map(lambda name: f"x{name[:20]}")
drawn = st.lists(
    st.tuples(
        file_names, file_names, st.sets(st.integers(0, 2)).map(lambda own: tuple(sorted(own)))
    ),
    min_size=1,
    max_size=8,
    unique_by=lambda clip: clip[:2],
)


def table_of(folder: Path, rows: Sequence[tuple[str, str, tuple[int, ...]]]) -> pd.DataFrame:
    """Return clips that need not be there."""
    return pd.DataFrame(
        [
            {
                "path": f"{folder}/{parent}/{name}.mp4",
                "labels": labels,
                "recording": f"{folder}/{parent}/{name}",
                "project": f"{folder}/{parent}",
                "session": str(folder),
                "subjects": (name,),
                "start_s": 1.5,
                "end_s": 5.5,
            }
            for parent, name, labels in rows
        ]
    )


@settings(deadline=None, max_examples=60)
@given(drawn)
def test_lists_of_every_kind_read_back_as_they_were_written(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str, tuple[int, ...]]]
) -> None:
    folder = tmp_path_factory.getbasetemp() / "round"
    clips = table_of(folder, rows)
    wanted = list(zip(clips["path"], clips["labels"], strict=True))

    path = write_list_as("mmaction2", folder / "train", clips, LABELS, prefix=folder)
    read = [(name, tuple(labels)) for name, labels in as_mmaction2(path, str(folder))]
    assert read == wanted

    single = clips[clips["labels"].map(len) == 1]
    path = write_list_as("slowfast", folder / "train", single, LABELS, prefix=folder, separator=",")
    assert as_slowfast(path, str(folder), ",") == [
        (name, own[0]) for name, own in wanted if len(own) == 1
    ]

    path = write_list_as("csv", folder / "table", clips, LABELS, prefix=folder)
    table = pd.read_csv(path, keep_default_na=False)
    assert [os.path.normpath(folder / name) for name in table["path"]] == clips["path"].tolist()
    assert hot(table) == [own for _, own in wanted]

    path = write_list_as("parquet", folder / "train", clips, LABELS, prefix=folder)
    table = pd.read_parquet(path)
    assert [f"{folder}/{name}" for name in table["path"]] == clips["path"].tolist()
    assert hot(table) == [own for _, own in wanted]
    named = [tuple(LABELS.index(name) for name in own) for own in table["labels"]]
    assert named == [own for _, own in wanted]


def hot(table: pd.DataFrame) -> list[tuple[int, ...]]:
    """Return the indices of the columns that are 1."""
    return [
        tuple(place for place, name in enumerate(LABELS) if row[name] == 1)
        for row in table.to_dict("records")
    ]
