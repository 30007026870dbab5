"""Predictions as tables that are kept: a row for each label of each clip, or of each step of time.

A file about clips says in its own metadata what its numbers mean: `table.attrs` holds the fields of
`Provenance`, and pandas writes and reads them as JSON under the key `PANDAS_ATTRS`.

Shapes: N clips, K labels.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dogclips.errors import OutputError
from dogclips.files import whole_file
from dogclips.records.columns import Column, dtypes

PREDICTIONS = "predictions.parquet"


# Clips stand in the order of their list, the labels of each in that of labels.txt.
CLIP_PREDICTION_TABLE = (
    Column("clip", "str", "Absolute path of the clip that the list names."),
    Column("recording", "str", "Recording, from the manifest or else from the clip's name."),
    Column("start_s", "float64", "Start in annotation time; missing without a manifest.", "s"),
    Column("end_s", "float64", "End in annotation time; missing without a manifest.", "s"),
    Column("label", "str", "Class name."),
    Column("target", "boolean", "Whether the clip has the label; missing without annotations."),
    Column("probability", "float32", "What the model says, from 0 to 1."),
    Column(
        "threshold",
        "float64",
        "Where F1 was best on the validation list; missing if the label has no positive there.",
    ),
)
CLIP_PREDICTION_COLUMNS = dtypes(CLIP_PREDICTION_TABLE)
STEP_PREDICTION_TABLE = (
    Column("recording", "str", "Path of the recording."),
    Column("start_s", "float64", "Start of the step in annotation time.", "s"),
    Column("end_s", "float64", "End of the step in annotation time.", "s"),
    Column("label", "str", "Class name."),
    Column("probability", "float32", "Mean over the windows that cover the step; NaN without any."),
    Column("smoothed", "float32", "Score that is compared with the threshold; NaN without any."),
    Column("threshold", "float32", "From which score on the step belongs to a bout."),
    Column("windows", "int32", "Number of windows that cover the step and were scored."),
    Column("reason", "str", "Why other windows were not scored, separated by spaces."),
)
STEP_PREDICTION_COLUMNS = dtypes(STEP_PREDICTION_TABLE)


@dataclass(frozen=True)
class Provenance:
    """Where predictions come from; kept with them."""

    protocol: str  #: In words: which views, frames and pixels, and how views were averaged
    list: str  #: The list file
    list_sha256: str  #: SHA-256 digest of its bytes
    checkpoint: str  #: The file that the weights came from


@dataclass(frozen=True, eq=False)
class PredictedClips:
    """A table of predictions taken apart."""

    clips: pd.DataFrame  #: One row per clip: clip, recording, start_s, end_s
    labels: tuple[str, ...]  #: Class names
    #: Of each clip and label (N, K); a missing target counts as false.
    probability: NDArray[np.float64]
    target: NDArray[np.bool_]
    threshold: NDArray[np.float64]  #: Of each label (K,); NaN where there is none


def by_clip(table: pd.DataFrame) -> PredictedClips:
    """Take a table of predictions apart.

    All labels of a clip stand side by side in it, in the same order for every clip.
    """
    labels = tuple(table["label"].unique())
    shape = (len(table) // len(labels), len(labels))
    clips = table[["clip", "recording", "start_s", "end_s"]].iloc[:: len(labels)]
    return PredictedClips(
        clips.reset_index(drop=True),
        labels,
        table["probability"].to_numpy(np.float64).reshape(shape),
        table["target"].to_numpy(np.bool_, na_value=False).reshape(shape),
        table["threshold"].to_numpy(np.float64)[: len(labels)],
    )


def with_provenance(table: pd.DataFrame, provenance: Provenance) -> pd.DataFrame:
    """Return a table of predictions in its declared types that says where it comes from."""
    typed = table[list(CLIP_PREDICTION_COLUMNS)].astype(CLIP_PREDICTION_COLUMNS)
    for name, value in asdict(provenance).items():
        typed.attrs[name] = value
    return typed


def write_clip_predictions(table: pd.DataFrame, path: Path) -> None:
    """Write predictions of clips, whole or not at all, and where they come from."""
    with whole_file(path) as part:
        table.to_parquet(part, index=False)


def read_clip_predictions(path: Path) -> pd.DataFrame:
    """Read what `write_clip_predictions` wrote; `table.attrs` holds the fields of `Provenance`."""
    todo = "train or test again"
    table = _read(path, CLIP_PREDICTION_COLUMNS, todo)
    if not table.attrs:
        raise OutputError("not predictions of dogclips", where=path, todo=todo)
    return table


def write_step_predictions(table: pd.DataFrame, path: Path) -> None:
    """Write predictions of steps of time, whole or not at all."""
    with whole_file(path) as part:
        table[list(STEP_PREDICTION_COLUMNS)].astype(STEP_PREDICTION_COLUMNS).to_parquet(
            part, index=False
        )


def read_step_predictions(path: Path) -> pd.DataFrame:
    """Read what `write_step_predictions` wrote."""
    return _read(path, STEP_PREDICTION_COLUMNS, "predict again")


def _read(path: Path, columns: Mapping[str, str], todo: str) -> pd.DataFrame:
    try:
        table = pd.read_parquet(path)
    except FileNotFoundError as error:
        raise OutputError("no predictions here", where=path, todo=todo) from error
    except (OSError, ValueError) as error:
        raise OutputError("the predictions cannot be read", where=path, todo=todo) from error
    if list(table.columns) != list(columns):
        raise OutputError("not predictions of dogclips", where=path, todo=todo)
    return table
