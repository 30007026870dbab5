import csv
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dogclips.errors import OutputError
from dogclips.records.manifest import (
    MANIFEST_COLUMNS,
    ManifestIndex,
    manifest_table,
    read_manifest,
    write_manifest,
)

CUT: dict[str, Any] = {
    "project": "0205",
    "source": "video/020500.mp4",
    "clip": "0205/20240202kt_020500_start4.0_0-2.mp4",
    "status": "cut",
    "start_s": 4.0,
    "end_s": 8.0,
    "labels": ("sit", "sniff"),
    "label_indices": [0, 2],
    "reference_stream": 0,
    "target_stream": 1,
    "annotated_in": "firefox",
    "alignment": "timestamps",
    "verified": True,
    "offset_s": 0.5,
    "error_s": 0.0,
    "container_start_s": 4.5,
    "first_pts": 2**40,
    "last_pts": 2**40 + 79,
    "time_base": "1/10240",
    "num_frames": 80,
    "frame_rate": "20",
    "width": 1280,
    "height": 720,
    "size_bytes": 123_456,
    "sha256": "ab" * 32,
}
FAILED: dict[str, Any] = {
    "project": "0206",
    "status": "failed",
    "reason": "no recording is named 'x.mp4'",
    "labels": (),
    "label_indices": (),
}


def csv_rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "manifest.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize(
    "rows",
    [[CUT, FAILED], [FAILED], []],
    ids=["full and bare rows", "a row of nulls", "no rows"],
)
def test_a_manifest_reads_back_as_it_was_written(
    tmp_path: Path, rows: list[dict[str, Any]]
) -> None:
    table = manifest_table(rows)
    write_manifest(table, tmp_path)
    back = read_manifest(tmp_path)
    assert back is not None
    pd.testing.assert_frame_equal(back, table)
    assert list(back.columns) == list(MANIFEST_COLUMNS)


def test_lists_and_nulls_survive(tmp_path: Path) -> None:
    write_manifest(manifest_table([CUT, FAILED]), tmp_path)
    back = read_manifest(tmp_path)
    assert back is not None
    cut, failed = back.to_dict("records")
    assert cut["labels"] == ["sit", "sniff"]
    assert cut["label_indices"] == [0, 2]
    assert cut["first_pts"] == 2**40
    assert failed["labels"] == []
    assert failed["clip"] == ""
    assert cut["verified"] is True
    assert pd.isna(failed["verified"])
    assert pd.isna(failed["num_frames"])
    assert pd.isna(failed["start_s"])


def test_large_numbers_beside_nulls_stay_exact(tmp_path: Path) -> None:
    pts = 2**53 - 1  # microseconds since 1970 are a quarter of it
    write_manifest(manifest_table([CUT | {"first_pts": pts}, FAILED]), tmp_path)
    back = read_manifest(tmp_path)
    assert back is not None
    assert int(back["first_pts"].iloc[0]) == pts


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=10)


@settings(
    deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "project": texts,
                "reason": texts,
                "labels": st.lists(texts, max_size=3),
                "label_indices": st.lists(st.integers(0, 99), max_size=3),
                "start_s": st.floats(-1e6, 1e6) | st.none(),
                "first_pts": st.integers(-(2**62), 2**62) | st.none(),
            }
        ),
        max_size=4,
    )
)
def test_any_row_reads_back(tmp_path: Path, rows: list[dict[str, Any]]) -> None:
    table = manifest_table(rows)
    write_manifest(table, tmp_path)
    back = read_manifest(tmp_path)
    assert back is not None
    pd.testing.assert_frame_equal(back, table)


def test_a_folder_without_a_manifest_has_none(tmp_path: Path) -> None:
    assert read_manifest(tmp_path) is None


def test_the_csv_holds_the_same_rows_for_people(tmp_path: Path) -> None:
    write_manifest(manifest_table([CUT, FAILED]), tmp_path)
    cut, failed = csv_rows(tmp_path)
    assert list(cut) == list(MANIFEST_COLUMNS)
    assert cut["labels"] == "sit | sniff"
    assert cut["label_indices"] == "0 | 2"
    assert cut["num_frames"] == "80"
    assert failed["num_frames"] == ""
    assert failed["reason"] == "no recording is named 'x.mp4'"


@pytest.mark.parametrize("formula", ["=1+1", "+1", "-1+1", "@SUM(A1)", '=HYPERLINK("x")'])
def test_no_cell_of_the_csv_is_a_formula(tmp_path: Path, formula: str) -> None:
    texts = ["project", "source", "clip", "status", "reason", "made_by"]
    row = CUT | dict.fromkeys(texts[:2], formula) | {"reason": formula, "labels": [formula]}
    write_manifest(manifest_table([row]), tmp_path)
    (written,) = csv_rows(tmp_path)
    for column in (*texts, "labels", "label_indices"):
        assert not written[column].startswith(("=", "+", "-", "@")), column
    assert formula in written["labels"]


def test_the_parquet_keeps_the_labels_as_they_are(tmp_path: Path) -> None:
    write_manifest(manifest_table([CUT | {"labels": ["=1+1"]}]), tmp_path)
    back = read_manifest(tmp_path)
    assert back is not None
    assert back["labels"].iloc[0] == ["=1+1"]


@pytest.mark.parametrize(
    "table",
    [
        manifest_table([CUT]).drop(columns="recipe"),
        manifest_table([CUT]).assign(extra=1),
        manifest_table([CUT]).rename(columns={"clip": "file"}),
        pd.DataFrame({"x": [1]}),
    ],
    ids=["one is missing", "one is new", "one has another name", "another table"],
)
def test_a_manifest_of_other_columns_is_refused(tmp_path: Path, table: pd.DataFrame) -> None:
    table.to_parquet(tmp_path / "manifest.parquet")
    with pytest.raises(OutputError, match=r"unexpected columns .*manifest\.parquet.*--force"):
        read_manifest(tmp_path)


@pytest.mark.parametrize("whole", [0, 4, 100])
def test_a_manifest_that_is_cut_off_is_refused(tmp_path: Path, whole: int) -> None:
    write_manifest(manifest_table([CUT]), tmp_path)
    path = tmp_path / "manifest.parquet"
    path.write_bytes(path.read_bytes()[:whole])
    with pytest.raises(OutputError, match=r"cannot be read .*manifest\.parquet"):
        read_manifest(tmp_path)


def test_nothing_but_the_two_files_is_left(tmp_path: Path) -> None:
    write_manifest(manifest_table([CUT]), tmp_path / "output")
    left = sorted(path.name for path in (tmp_path / "output").iterdir())
    assert left == ["manifest.csv", "manifest.parquet"]


def named(output: Path, **clips: Any) -> None:
    """Write a manifest that names clips, each with its status or with columns of its row."""
    rows = [
        CUT | {"clip": name} | (given if isinstance(given, dict) else {"status": given})
        for name, given in clips.items()
    ]
    write_manifest(manifest_table(rows), output)


def status(index: ManifestIndex, clip: Path) -> str | None:
    row = index.find(clip)
    return None if row is None else str(row["status"])


def test_a_clip_is_found_in_its_own_folder_or_else_in_the_one_above(tmp_path: Path) -> None:
    output = tmp_path / "2_2_kt" / "output"
    named(output, **{"0205/a.mp4": "cut", "0205/b.mp4": "planned", "c.mp4": "reused"})
    named(output / "0205", **{"a.mp4": "stale"})
    index = ManifestIndex()
    assert status(index, output / "0205" / "a.mp4") == "stale"
    assert status(index, output / "0205" / "b.mp4") == "planned"
    assert status(index, output / "c.mp4") == "reused"
    assert status(index, output / "d.mp4") is None
    assert status(index, tmp_path / "other" / "a.mp4") is None
    row = index.find(output / "0205" / "b.mp4")
    assert row is not None
    assert (row.output, row.session) == (output, tmp_path / "2_2_kt")


def test_a_manifest_is_read_once(tmp_path: Path) -> None:
    named(tmp_path, **{"a.mp4": "cut", "b.mp4": "cut"})
    index = ManifestIndex()
    assert status(index, tmp_path / "a.mp4") == "cut"
    (tmp_path / "manifest.parquet").unlink()
    assert status(index, tmp_path / "b.mp4") == "cut"


def test_a_row_has_what_annotators_said_of_the_recording(tmp_path: Path) -> None:
    named(tmp_path, **{"a.mp4": {"file:camera": "yard"}, "b.mp4": "cut"})
    rows = [ManifestIndex().find(tmp_path / name) for name in ("a.mp4", "b.mp4")]
    assert [row and row.attributes for row in rows] == [
        {"file:camera": "yard"},
        {"file:camera": ""},
    ]


def test_a_name_that_is_too_long_for_the_disk_is_in_no_manifest(tmp_path: Path) -> None:
    assert ManifestIndex().find(tmp_path / ("x" * 300) / "a.mp4") is None


@pytest.mark.parametrize(
    ("stored", "told"),
    [
        ((True, True), True),
        ((False, False), False),
        ((True, False), False),
        ((True, None), None),
        ((False, None), False),
    ],
)
def test_labels_carry_tasks_where_all_manifests_say_so(
    tmp_path: Path, stored: tuple[bool | None, ...], told: bool | None
) -> None:
    clips = [tmp_path / str(number) / "a.mp4" for number in range(len(stored))]
    for clip, with_task in zip(clips, stored, strict=True):
        named(clip.parent, **{"a.mp4": {"with_task": with_task}})
    assert ManifestIndex().with_task(clips) is told
    assert ManifestIndex().with_task([*clips, tmp_path / "nowhere.mp4"]) is (told and None)
