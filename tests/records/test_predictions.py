from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dogclips.errors import OutputError
from dogclips.records.predictions import (
    CLIP_PREDICTION_COLUMNS,
    by_clip,
    read_clip_predictions,
    write_clip_predictions,
)
from tests.reports.predicted import PROVENANCE, predicted


def test_predictions_are_read_as_they_were_written(tmp_path: Path) -> None:
    table, _ = predicted(("sit", "lie", "never"))
    write_clip_predictions(table, tmp_path / "p.parquet")
    read = read_clip_predictions(tmp_path / "p.parquet")
    pd.testing.assert_frame_equal(read, table)
    assert {name: str(dtype) for name, dtype in read.dtypes.items()} == CLIP_PREDICTION_COLUMNS
    assert read.attrs == asdict(PROVENANCE)
    assert [path.name for path in tmp_path.iterdir()] == ["p.parquet"]


def test_predictions_are_taken_apart_by_clip_and_label() -> None:
    table, report = predicted(("sit", "lie", "never"), 8)
    taken = by_clip(table.assign(target=table["target"].mask(table["label"] == "lie")))
    assert taken.labels == ("sit", "lie", "never")
    assert list(taken.clips["clip"]) == [f"/clips/{n}.mp4" for n in range(8)]
    assert list(taken.clips["start_s"]) == [0.0, 4.0, 8.0, 12.0] * 2
    sit = table[table["label"] == "sit"]
    assert taken.probability[:, 0] == pytest.approx(sit["probability"])
    assert list(taken.target[:, 0]) == list(sit["target"])
    assert not taken.target[:, 1].any()
    assert taken.threshold[:2] == pytest.approx([one.threshold for one in report.classes[:2]])
    assert np.isnan(taken.threshold[2])


def test_what_is_no_table_of_predictions_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "p.parquet"
    with pytest.raises(OutputError, match=r"no predictions here .*p\.parquet"):
        read_clip_predictions(path)
    path.write_bytes(b"PAR1 and then nothing")
    with pytest.raises(OutputError, match="cannot be read"):
        read_clip_predictions(path)
    pd.DataFrame({"clip": ["a"]}).to_parquet(path)
    with pytest.raises(OutputError, match="not predictions of dogclips"):
        read_clip_predictions(path)
