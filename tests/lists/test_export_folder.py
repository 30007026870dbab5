"""An export appears whole, takes the place of the one before, and of nothing else."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from dogclips.errors import ListError, OutputError
from dogclips.lists.exporting import ExportFormat, ExportSettings, export_clips, with_splits
from dogclips.lists.sessions import read_clips
from tests.lists.exports import (
    FORMATS,
    LABELS,
    content_of,
    exported,
    files_in,
    make_session,
    make_split,
    read_json,
)


def test_the_record_says_what_was_exported(tmp_path: Path, session: Path, split: Path) -> None:
    exported(tmp_path / "out", [split], "mmaction2")
    assert read_json(tmp_path / "out" / "export.json") == {
        "version": 1,
        "format": "mmaction2",
        "prefix": str(session),
        "labels": list(LABELS),
        "splits": {
            "train": {"clips": 2, "labels": 2, "files": 1, "skipped": {}},
            "val": {"clips": 1, "labels": 1, "files": 1, "skipped": {}},
            "test": {"clips": 1, "labels": 2, "files": 1, "skipped": {}},
        },
        "finished": True,
        "entries": ["labels.txt", "test.txt", "train.txt", "val.txt"],
    }


@pytest.mark.parametrize("export_format", FORMATS)
def test_nothing_of_an_earlier_export_stays_behind(
    tmp_path: Path, session: Path, split: Path, export_format: ExportFormat
) -> None:
    more = {"shard_size": 1, "skip_unfit": True}
    exported(tmp_path / "out", [split], export_format, **more)
    later = make_split(tmp_path / "later", session, {"val": [0]})
    exported(tmp_path / "out", [later], export_format, **more)
    exported(tmp_path / "fresh", [later], export_format, **more)
    assert content_of(tmp_path / "out") == content_of(tmp_path / "fresh")


@pytest.mark.parametrize("export_format", FORMATS)
def test_the_same_export_twice_gives_the_same_files(
    tmp_path: Path, split: Path, export_format: ExportFormat
) -> None:
    exported(tmp_path / "out", [split], export_format, skip_unfit=True)
    once = content_of(tmp_path / "out")
    exported(tmp_path / "out", [split], export_format, skip_unfit=True)
    assert content_of(tmp_path / "out") == once


@pytest.mark.parametrize("export_format", FORMATS)
def test_a_split_of_which_nothing_fits_leaves_no_file(
    tmp_path: Path, export_format: ExportFormat
) -> None:
    session = make_session(tmp_path / "s", [("a", 0.0, ()), ("b", 0.0, ("run",))])
    split = make_split(tmp_path / "split", session, {"train": [1], "val": [0]})
    done = exported(tmp_path / "out", [split], export_format, skip_unfit=True)
    val = done.splits["val"]
    assert val.clips + sum(val.skipped.values()) == 1
    assert bool(val.files) == bool(val.clips)
    assert bool(val.files) == bool([name for name in files_in(tmp_path / "out") if "val" in name])


def test_an_export_of_nothing_is_refused(tmp_path: Path) -> None:
    session = make_session(tmp_path / "s", [("a", 0.0, ())])
    with pytest.raises(ListError, match=r"no clip fits slowfast"):
        exported(tmp_path / "out", [session], "slowfast", skip_unfit=True)
    assert not (tmp_path / "out").exists()


def test_a_folder_with_other_files_is_left_alone(tmp_path: Path, session: Path) -> None:
    before = content_of(session)
    with pytest.raises(OutputError, match="the folder holds something other than an export"):
        exported(session / "output", [session], "mmaction2")
    assert content_of(session) == before


def test_a_folder_holds_one_export(tmp_path: Path, session: Path) -> None:
    exported(tmp_path / "out", [session], "csv")
    before = content_of(tmp_path / "out")
    with pytest.raises(OutputError, match="the folder holds an export as csv"):
        exported(tmp_path / "out", [session], "parquet")
    assert content_of(tmp_path / "out") == before


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": "csv"}', '{"format": 1}'])
def test_a_record_that_is_none_is_refused(tmp_path: Path, session: Path, text: str) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "export.json").write_text(text)
    with pytest.raises(OutputError):
        exported(tmp_path / "out", [session], "csv")
    assert files_in(tmp_path / "out") == {"export.json"}


@pytest.mark.parametrize("name", ["../keep", "..", "", ".", "keep/me", "/", 7])
def test_a_record_never_deletes_what_lies_elsewhere(
    tmp_path: Path, session: Path, name: object
) -> None:
    exported(tmp_path / "out", [session], "csv")
    (tmp_path / "keep").mkdir()
    (tmp_path / "out" / "keep").mkdir()
    (tmp_path / "out" / "keep" / "me").write_text("")
    record = {"format": "csv", "entries": [str(tmp_path / "keep") if name == "/" else name]}
    (tmp_path / "out" / "export.json").write_text(json.dumps(record))
    before = content_of(tmp_path)
    with pytest.raises(OutputError, match="not a record of ours"):
        exported(tmp_path / "out", [session], "csv")
    assert content_of(tmp_path) == before
    assert (tmp_path / "keep").is_dir()


@pytest.mark.parametrize("export_format", ["videofolder", "webdataset"])
@pytest.mark.parametrize("fault", [KeyboardInterrupt, OSError(28, "No space left on device")])
def test_an_export_that_stops_half_way_leaves_the_earlier_one(
    tmp_path: Path, session: Path, export_format: ExportFormat, fault: Any
) -> None:
    exported(tmp_path / "out", [session], export_format)
    before = content_of(tmp_path / "out")
    clips, merged = read_clips([session])
    seen = []

    def stop(number: int) -> None:
        seen.append(number)
        if len(seen) == 3:
            raise fault

    wanted = ExportSettings(format=export_format, shard_size=1)
    with pytest.raises((KeyboardInterrupt, OutputError)):
        export_clips(with_splits(clips), merged, tmp_path / "out", wanted, stop)
    assert content_of(tmp_path / "out") == before


def test_an_export_that_was_killed_is_mended_by_the_next(tmp_path: Path, session: Path) -> None:
    out = tmp_path / "out"
    (out / ".export.part" / "train").mkdir(parents=True)
    (out / ".export.part" / "train" / "half.mp4").write_text("")
    exported(out, [session], "videofolder")
    whole = content_of(out)
    # Killed while the new files took the place of the old ones.
    record = read_json(out / "export.json")
    (out / "export.json").write_text(
        json.dumps({**record, "finished": False, "entries": [*record["entries"], "test"]})
    )
    shutil.rmtree(out / "train")
    exported(out, [session], "videofolder")
    assert content_of(out) == whole


def test_a_clip_that_vanished_is_named(tmp_path: Path, session: Path) -> None:
    clips, merged = read_clips([session])
    (session / "output" / "p" / "b_start0.0_1.mp4").unlink()
    with pytest.raises(OutputError, match=r"cannot export: No such file .*b_start0\.0_1\.mp4"):
        export_clips(
            with_splits(clips), merged, tmp_path / "out", ExportSettings(format="webdataset")
        )
    assert files_in(tmp_path / "out") == set()
