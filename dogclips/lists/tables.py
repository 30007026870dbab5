"""Clips as tables for people and for data frames: CSV, Parquet, and CSV as Kinetics has it."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from dogclips.files import safe_cell, whole_file
from dogclips.lists.clip_paths import relative_to
from dogclips.records.manifest import FILE_ATTRIBUTE
from dogclips.timebase import exact, shown

KINETICS_COLUMNS = ("label", "youtube_id", "time_start", "time_end", "split")

# What clips are told apart and found by, next to their labels.
_PLACES = ("recording", "project", "session")
_TYPES = {
    "labels": pa.list_(pa.string()),
    "label_indices": pa.list_(pa.int64()),
    "subjects": pa.list_(pa.string()),
    "start_s": pa.float64(),
    "end_s": pa.float64(),
}


def describe_clips(
    clips: pd.DataFrame, names: Sequence[str], prefix: Path | None = None
) -> pd.DataFrame:
    """Return what is known of clips, one row each, with their labels by name.

    Parameters
    ----------
    clips
        Columns of `sessions.CLIP_COLUMNS`.
    prefix
        What `path`, `recording`, `project` and `session` are relative to; None means nothing.

    Returns
    -------
    described
        `path`, `labels` (names), `label_indices`, `recording`, `project`, `session`, `subjects`,
        `start_s` and `end_s`.
    """
    columns: dict[str, object] = {
        "path": relative_to(clips["path"].tolist(), prefix),
        "labels": [[names[label] for label in own] for own in clips["labels"]],
        "label_indices": [list(own) for own in clips["labels"]],
        **{name: relative_to(clips[name].tolist(), prefix) for name in _PLACES},
        "subjects": [list(own) for own in clips["subjects"]],
        "start_s": clips["start_s"].tolist(),
        "end_s": clips["end_s"].tolist(),
    }
    return pd.DataFrame(columns, index=range(len(clips)))


def label_table(
    clips: pd.DataFrame, names: Sequence[str], split: str, prefix: Path | None = None
) -> pd.DataFrame:
    """Return clips with their split and a 0/1 column for each class, called after it.

    Should a class be called as one of the other columns are, `label:` stands before all classes.
    What annotators said of a whole recording comes last.
    """
    described = describe_clips(clips, names, prefix).drop(columns="label_indices")
    described.insert(1, "split", split)
    own = clips[[name for name in clips.columns if str(name).startswith(FILE_ATTRIBUTE)]]
    described = pd.concat([described, own.reset_index(drop=True)], axis=1)
    clash = set(names) & {str(name) for name in described.columns}
    headings = [f"label:{name}" if clash else name for name in names]
    hot = pd.DataFrame(_hot(clips["labels"].tolist(), len(names)), columns=headings)
    place = [*described.columns].index("labels") + 1
    return pd.concat([described.iloc[:, :place], hot, described.iloc[:, place:]], axis=1)


def write_csv(path: Path, table: pd.DataFrame) -> None:
    """Write a table of clips such that a spreadsheet runs none of it; lists are joined by ` | `."""
    with whole_file(path) as part:
        _safe(table).to_csv(part, index=False, lineterminator="\n")


def write_parquet(path: Path, table: pd.DataFrame) -> None:
    """Write a table of clips; its column types do not depend on what the clips are."""
    fields = [pa.field(str(name), _type_of(table, str(name))) for name in table.columns]
    rows = pa.Table.from_pandas(table, schema=pa.schema(fields), preserve_index=False)
    with whole_file(path) as part:
        pq.write_table(rows, part)


def write_kinetics(
    path: Path, clips: pd.DataFrame, names: Sequence[str], split: str, prefix: Path | None = None
) -> None:
    """Write one row a clip and label, with the header of the Kinetics annotations.

    Readers of this format seek in the video that `youtube_id` names. That is the clip: its path
    below the prefix without the suffix, from 0 s to the clip's length. A place in the recording
    would be annotation time, which is not that of the stream a reader takes.
    """
    ids = [Path(name).with_suffix("").as_posix() for name in relative_to([*clips["path"]], prefix)]
    with whole_file(path) as part, part.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(KINETICS_COLUMNS)
        rows = zip(ids, clips["labels"], clips["start_s"], clips["end_s"], strict=True)
        for name, labels, start_s, end_s in rows:
            length = shown(exact(float(end_s)) - exact(float(start_s))).removesuffix(".0")
            for label in labels:
                writer.writerow([safe_cell(names[label]), _safe_path(name), "0", length, split])


def _hot(labels: Sequence[Sequence[int]], num_classes: int) -> np.ndarray:
    """Return 1 where a clip (row) has a class (column), else 0."""
    hot = np.zeros((len(labels), num_classes), dtype=np.int8)
    rows = np.repeat(np.arange(len(labels)), [len(own) for own in labels])
    hot[rows, [label for own in labels for label in own]] = 1
    return hot


def _safe(table: pd.DataFrame) -> pd.DataFrame:
    texts: Mapping[str, list[str]] = {
        str(name): [_cell(cell) for cell in table[name]]
        for name in table.columns
        if table[name].dtype.kind not in "if" and name != "path"
    }
    paths = [_safe_path(path) for path in table["path"]]
    return table.assign(**texts, path=paths).rename(columns=lambda name: safe_cell(str(name)))


def _cell(cell: str | Sequence[str]) -> str:
    return safe_cell(cell if isinstance(cell, str) else " | ".join(cell))


def _safe_path(path: str) -> str:
    """Return a path that is no formula and still leads to the same file."""
    return path if safe_cell(path) == path else f"./{path}"


def _type_of(table: pd.DataFrame, column: str) -> pa.DataType:
    if column in _TYPES:
        return _TYPES[column]
    return pa.int8() if table[column].dtype.kind == "i" else pa.string()
