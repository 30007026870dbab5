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
    with pytest.raises(OutputError, match=r"other columns .*manifest\.parquet.*--force"):
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
