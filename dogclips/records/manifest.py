"""The manifest: one row a planned window, cut or not, with everything needed to audit it."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from dogclips.errors import OutputError
from dogclips.files import safe_cell, whole_file

MANIFEST = "manifest.parquet"


FILE_ATTRIBUTE = "file:"  # how the name of a column begins that holds one


# `start_s` and `end_s` are annotation time, as the annotator's player showed it. The same instant
# in container time on the target stream is `container_start_s`; `first_pts` and `last_pts` count in
# that, too. `verified`: the pixels confirm the alignment. `labels` and `label_indices` are lists.
# `recipe` is the digest of all that decides the clip's bytes: source, frames, size and encoder
# settings. `tasks` and `subjects` are those of the segments behind the labels. What annotators said
# of a whole recording follows in columns such as `file:camera`.
MANIFEST_COLUMNS: dict[str, str] = {
    "project": "str",
    "source": "str",  # relative to the session folder
    "clip": "str",  # relative to output/; empty for what was not planned to be cut
    "status": "str",  # planned, cut, reused, stale, skipped, failed
    "reason": "str",
    "start_s": "float64",
    "end_s": "float64",
    "labels": "object",
    "label_indices": "object",
    "tasks": "object",
    "subjects": "object",
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
    """Return rows as a DataFrame with the columns and dtypes of `MANIFEST_COLUMNS`.

    Columns of file attributes follow, each as text, in the order in which rows bring them.
    """
    found = list(rows)
    attributes = dict.fromkeys(str(key) for row in found for key in row if _is_attribute(key))
    dtypes = MANIFEST_COLUMNS | dict.fromkeys(attributes, "str")
    table = pd.DataFrame(found, columns=list(dtypes))
    for column, dtype in dtypes.items():
        if dtype == "str":
            table[column] = table[column].astype("object").fillna("")
        if dtype == "object":
            table[column] = [_listed(value) for value in table[column]]
    return table.astype(dtypes)


def _is_attribute(column: object) -> bool:
    return str(column).startswith(FILE_ATTRIBUTE)


def _listed(value: Any) -> list[Any]:
    """Return the values of a list cell; a row without any has none."""
    return [] if isinstance(value, float) else list(value)


def with_rows(table: pd.DataFrame, more: pd.DataFrame) -> pd.DataFrame:
    """Return a manifest with further rows behind its own."""
    return (
        manifest_table([*table.to_dict("records"), *more.to_dict("records")])
        if len(more)
        else table
    )


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
    columns = [name for name in table.columns if not _is_attribute(name)]
    if columns != list(MANIFEST_COLUMNS):
        raise OutputError("the manifest has other columns", where=path, todo=todo)
    return manifest_table(table.to_dict("records"))


def write_manifest(table: pd.DataFrame, output: Path) -> None:
    """Write `manifest.parquet`, and `manifest.csv` for people."""
    with whole_file(output / MANIFEST) as part:
        table.to_parquet(part, index=False)
    listed = [name for name, dtype in MANIFEST_COLUMNS.items() if dtype == "object"]
    attributes = [name for name in table.columns if _is_attribute(name)]
    lists = {name: table[name].map(_joined) for name in listed}
    texts = {
        name: table[name].map(safe_cell) for name in ("project", "source", "reason", *attributes)
    }
    with whole_file(output / "manifest.csv") as part:
        table.assign(**lists, **texts).to_csv(part, index=False)


def _joined(values: list[object]) -> str:
    return safe_cell(" | ".join(str(value) for value in values))
