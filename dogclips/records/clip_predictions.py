"""Predictions as a table that is kept: one row a clip and label.

The file says in its own metadata what its numbers mean: `table.attrs` holds the fields of
`Provenance`, and pandas writes and reads them as JSON under the key `PANDAS_ATTRS`.

Shapes: N clips, K labels.
"""

from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dogclips.errors import OutputError
from dogclips.files import whole_file

PREDICTIONS = "predictions.parquet"


# Clips stand in the order of their list, the labels of each in that of labels.txt. `clip` is the
# absolute path of what the list names. `recording`, `start_s` and `end_s` (seconds of annotation
# time) come from the manifest beside the clip; without one the recording is what the clip's name
# says, and there are no times. `target` is missing where nobody annotated. `threshold` is where F1
# was best on the validation list; missing where the label has no positive there.
PREDICTION_COLUMNS: dict[str, str] = {
    "clip": "str",
    "recording": "str",
    "start_s": "float64",
    "end_s": "float64",
    "label": "str",
    "target": "boolean",
    "probability": "float32",
    "threshold": "float64",
}


@dataclass(frozen=True)
class Provenance:
    """Where predictions come from; kept with them.

    Parameters
    ----------
    protocol
        In words: which views, frames and pixels, and how views were averaged.
    list, list_sha256
        The list file, and the digest of its bytes.
    checkpoint
        The file that the weights came from.
    """

    protocol: str
    list: str
    list_sha256: str
    checkpoint: str


@dataclass(frozen=True, eq=False)
class PredictedClips:
    """A table of predictions taken apart.

    Parameters
    ----------
    clips
        One row a clip: clip, recording, start_s, end_s.
    labels
        Class names.
    probability, target
        Of each clip and label (N, K); a missing target counts as false.
    threshold
        Of each label (K,); NaN where there is none.
    """

    clips: pd.DataFrame
    labels: tuple[str, ...]
    probability: NDArray[np.float64]
    target: NDArray[np.bool_]
    threshold: NDArray[np.float64]


def by_clip(table: pd.DataFrame) -> PredictedClips:
    """Take a table of predictions apart.

    Parameters
    ----------
    table
        Columns of `PREDICTION_COLUMNS`, all labels of a clip side by side in the same order.
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
    typed = table[list(PREDICTION_COLUMNS)].astype(PREDICTION_COLUMNS)
    for name, value in asdict(provenance).items():
        typed.attrs[name] = value
    return typed


def write_predictions(table: pd.DataFrame, path: Path) -> None:
    """Write predictions, whole or not at all, and where they come from.

    Raises
    ------
    OutputError
        The folder cannot be written to, or the disk is full.
    """
    with whole_file(path) as part:
        table.to_parquet(part, index=False)


def read_predictions(path: Path) -> pd.DataFrame:
    """Read what `write_predictions` wrote; `table.attrs` holds the fields of `Provenance`.

    Raises
    ------
    OutputError
        It is missing, damaged, or something else.
    """
    todo = "train or test again"
    try:
        table = pd.read_parquet(path)
    except FileNotFoundError as error:
        raise OutputError("no predictions here", where=path, todo=todo) from error
    except (OSError, ValueError) as error:
        raise OutputError("the predictions cannot be read", where=path, todo=todo) from error
    if list(table.columns) != list(PREDICTION_COLUMNS) or not table.attrs:
        raise OutputError("no predictions of dogclips", where=path, todo=todo)
    return table
