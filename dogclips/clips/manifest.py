"""The manifest: one row a planned window, cut or not, with everything needed to audit it."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from dogclips.errors import OutputError
from dogclips.files import inert, whole_file

MANIFEST = "manifest.parquet"

# `start_s` and `end_s` are annotation time, as the annotator's player showed it. The same instant
# in container time on the target stream is `container_start_s`; `first_pts` and `last_pts` count in
# that, too. `verified`: the pixels confirm the alignment. `labels` and `label_indices` are lists.
# `recipe` is the digest of all that decides the clip's bytes: source, frames, size and encoder
# settings.
MANIFEST_COLUMNS: dict[str, str] = {
    "project": "str",
    "source": "str",  # relative to the session folder
    "clip": "str",  # relative to output/; empty for what was not planned to be cut
    "status": "str",  # planned, cut, reused, skipped, failed
    "reason": "str",
    "start_s": "float64",
    "end_s": "float64",
    "labels": "object",
    "label_indices": "object",
    "reference_stream": "Int64",
    "target_stream": "Int64",
    "annotated_in": "str",
    "alignment": "str",  # identity, timestamps, frame-count, content
    "verified": "boolean",
    "offset_s": "float64",
    "error_s": "float64",  # bound of the mapped time's error, outside of doubts
    "container_start_s": "float64",
    "first_pts": "Int64",
    "last_pts": "Int64",
    "time_base": "str",
    "num_frames": "Int64",
    "frame_rate": "str",
    "width": "Int64",
    "height": "Int64",
    "size_bytes": "Int64",
    "sha256": "str",
    "recipe": "str",
    "made_by": "str",
}


def manifest_table(rows: Iterable[Mapping[Any, Any]]) -> pd.DataFrame:
    """Return rows as a DataFrame with exactly the columns and dtypes of `MANIFEST_COLUMNS`."""
    table = pd.DataFrame(list(rows), columns=list(MANIFEST_COLUMNS))
    for column, dtype in MANIFEST_COLUMNS.items():
        if dtype == "str":
            table[column] = table[column].astype("object").fillna("")
        if dtype == "object":
            table[column] = [list(value) for value in table[column]]
    return table.astype(MANIFEST_COLUMNS)


def read_manifest(output: Path) -> pd.DataFrame | None:
    """Return the manifest of an output folder; None if there is none yet.

    Raises
    ------
    OutputError
        It cannot be read, or another version wrote it.
    """
    path = output / MANIFEST
    if not path.exists():
        return None
    todo = "cut again with --force"
    try:
        table = pd.read_parquet(path)
    except (OSError, ValueError) as error:
        raise OutputError("the manifest cannot be read", where=path, todo=todo) from error
    if list(table.columns) != list(MANIFEST_COLUMNS):
        raise OutputError("the manifest has other columns", where=path, todo=todo)
    return manifest_table(table.to_dict("records"))


def write_manifest(table: pd.DataFrame, output: Path) -> None:
    """Write `manifest.parquet`, and `manifest.csv` for people."""
    with whole_file(output / MANIFEST) as part:
        table.to_parquet(part, index=False)
    lists = {name: table[name].map(_joined) for name in ("labels", "label_indices")}
    texts = {name: table[name].map(inert) for name in ("project", "source", "reason")}
    with whole_file(output / "manifest.csv") as part:
        table.assign(**lists, **texts).to_csv(part, index=False)


def _joined(values: list[object]) -> str:
    return inert(" | ".join(str(value) for value in values))
