"""Lists and tables of clips as other tools read them: MMAction2, PySlowFast, Kinetics, data frames.

MMAction2's VideoDataset with `multi_class=True` splits lines at spaces and puts `data_prefix`
before the path (`mmaction/datasets/video_dataset.py`). PySlowFast's Kinetics loader splits them at
every `DATA.PATH_LABEL_SEPARATOR` (`slowfast/datasets/kinetics.py`), takes a line of one part for
class 0 and the middle of three parts for nothing; so no path may hold the separator.
`DATA.PATH_PREFIX` comes before the path.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from dogclips.errors import ListError, UsageError
from dogclips.files import safe_cell, whole_file, write_whole
from dogclips.lists.clip_paths import relative_to
from dogclips.lists.listfile import list_lines
from dogclips.records.columns import Column
from dogclips.records.manifest import FILE_ATTRIBUTE
from dogclips.timebase import exact, shown

ListFormat = Literal["mmaction2", "slowfast", "csv", "parquet", "kinetics"]

# A row a clip and label, as readers of Kinetics take it.
KINETICS_TABLE = (
    Column("label", "str", "Label."),
    Column("youtube_id", "str", "Path of the clip below the prefix, without suffix."),
    Column("time_start", "str", "0: the clip starts with its file.", "s"),
    Column("time_end", "str", "Length of the clip.", "s"),
    Column("split", "str", "train, val, test or all."),
)
KINETICS_COLUMNS = tuple(column.name for column in KINETICS_TABLE)
# A row a clip. Tables have no `label_indices` but a 0/1 column for each class after `labels`, and
# what annotators said of a whole recording in columns such as `file:camera` at the end.
EXPORTED_TABLE = (
    Column("path", "str", "Clip, relative to the prefix."),
    Column("split", "str", "train, val, test or all; only in tables."),
    Column("labels", "object", "Labels; in CSV joined by ` | `."),
    Column("label_indices", "object", "Their class indices; not in tables."),
    Column("recording", "str", "Recording, relative to the prefix."),
    Column("project", "str", "Annotation file, relative to the prefix."),
    Column("session", "str", "Session folder, relative to the prefix."),
    Column("subjects", "object", "Subjects of the segments that gave the labels."),
    Column("start_s", "float64", "Start in annotation time; missing without a manifest.", "s"),
    Column("end_s", "float64", "End in annotation time; missing without a manifest.", "s"),
)
_SUFFIXES = {"mmaction2": ".txt", "parquet": ".parquet"}  # of others .csv

# What clips are told apart and found by, next to their labels.
_PLACES = ("recording", "project", "session")
_TYPES = {
    "labels": pa.list_(pa.string()),
    "label_indices": pa.list_(pa.int64()),
    "subjects": pa.list_(pa.string()),
    "start_s": pa.float64(),
    "end_s": pa.float64(),
}
# Of videos that readers of videofolder and WebDataset take.
VIDEO_SUFFIXES = frozenset({".mkv", ".mp4", ".avi", ".mpeg", ".mov"})

UNFIT_REASONS = {
    "no-label": "no label, and the format needs one",
    "several-labels": "several labels, and the format takes one",
    "no-times": "no manifest tells how long it is",
    "blank-in-path": "a space in the path, which readers take for its end",
    "separator-in-path": "the separator or a line break in the path",
    "no-video-suffix": f"a name that does not end in {', '.join(sorted(VIDEO_SUFFIXES))}",
}


def write_list_as(
    list_format: ListFormat,
    stem: Path,
    clips: pd.DataFrame,
    names: Sequence[str],
    *,
    prefix: Path | None = None,
    separator: str = " ",
) -> Path:
    """Write the list of one split in a format, and return its path: `stem` and a suffix.

    Nothing is written if the format cannot express some of the clips. The name of the stem is that
    of the split. Paths are relative to `prefix`; None leaves them absolute. The separator stands
    between path and label in a list for PySlowFast.
    """
    refuse_unfit(list_format, clips, unfit_reasons(list_format, clips, prefix, separator))
    path = stem.with_name(stem.name + _SUFFIXES.get(list_format, ".csv"))
    if list_format in {"mmaction2", "slowfast"}:
        between = separator if list_format == "slowfast" else " "
        write_whole(
            path, list_lines(relative_to([*clips["path"]], prefix), clips["labels"], between)
        )
    elif list_format == "parquet":
        write_parquet(path, clip_table(clips, names, stem.name, prefix))
    elif list_format == "csv":
        _write_csv(path, _safe(clip_table(clips, names, stem.name, prefix)))
    else:
        _write_csv(path, _kinetics(clips, names, stem.name, prefix))
    return path


def unfit_reasons(
    list_format: str, clips: pd.DataFrame, prefix: Path | None = None, separator: str = " "
) -> pd.Series:
    """Return why the format cannot express a clip, a key of `UNFIT_REASONS`; "" where it can.

    Paths will be relative to `prefix`; None leaves them absolute.
    """
    reasons = pd.Series("", index=clips.index, dtype="object")
    for reason, holds in _unfit_clips(list_format, clips, prefix, separator):
        reasons[holds & (reasons == "")] = reason
    return reasons


def refuse_unfit(list_format: str, clips: pd.DataFrame, reasons: pd.Series) -> None:
    """Refuse clips that a format cannot express: say how many, why, and which is the first."""
    counts = reasons[reasons != ""].value_counts()
    if counts.empty:
        return
    why = "; ".join(f"{UNFIT_REASONS[str(reason)]} ({number})" for reason, number in counts.items())
    raise ListError(
        f"{counts.sum()} of {len(clips)} clips do not fit {list_format}: {why}",
        where=clips.loc[reasons != "", "path"].iloc[0],
        todo="leave them out (`dogclips export --skip-unfit`), or choose another format",
    )


def _unfit_clips(
    list_format: str, clips: pd.DataFrame, prefix: Path | None, separator: str
) -> Sequence[tuple[str, pd.Series]]:
    """Return what may be wrong for a format, and with which clips it is."""
    paths = pd.Series(relative_to(clips["path"].tolist(), prefix), clips.index, dtype="object")
    labels = clips["labels"].map(len)
    if list_format == "mmaction2":
        return [("blank-in-path", paths.map(lambda path: path.split() != [path]))]
    if list_format == "slowfast":
        broken = paths.map(lambda path: separator in path or path.splitlines() != [path])
        return [
            ("no-label", labels == 0),
            ("several-labels", labels > 1),
            ("separator-in-path", broken),
        ]
    if list_format == "kinetics":
        lengths = clips["end_s"] - clips["start_s"]
        return [("no-label", labels == 0), ("no-times", lengths.isna())]
    if list_format in {"videofolder", "webdataset"}:
        suffixes = clips["path"].map(lambda path: Path(path).suffix.lower())
        return [("no-video-suffix", ~suffixes.isin(VIDEO_SUFFIXES))]
    return []


def check_separator(separator: str) -> None:
    """Refuse what cannot stand between a path and a number."""
    breaks = separator.splitlines() != [separator]
    if breaks or any(letter.isdigit() for letter in separator):
        raise UsageError(
            f"{separator!r} cannot separate a path from a label",
            where="--separator",
            todo="text without digits and line breaks, such as ' ' or ','",
        )


def describe_clips(
    clips: pd.DataFrame, names: Sequence[str], prefix: Path | None = None
) -> pd.DataFrame:
    """Return what is known of clips, one row each, with their labels by name.

    The columns are `path`, `labels` (names), `label_indices`, `recording`, `project`, `session`,
    `subjects`, `start_s` and `end_s`; paths are relative to `prefix`, if there is one.
    """
    columns: dict[str, object] = {
        "path": relative_to([*clips["path"]], prefix),
        "labels": [[names[label] for label in own] for own in clips["labels"]],
        "label_indices": [*map(list, clips["labels"])],
        **{name: relative_to([*clips[name]], prefix) for name in _PLACES},
        "subjects": [*map(list, clips["subjects"])],
        **{name: clips[name].tolist() for name in ("start_s", "end_s")},
    }
    return pd.DataFrame(columns, index=range(len(clips)))


def clip_table(
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
    hot = pd.DataFrame(multi_hot(clips["labels"], len(names)), columns=headings)
    first = [*described.columns].index("labels") + 1
    return pd.concat([described.iloc[:, :first], hot, described.iloc[:, first:]], axis=1)


def multi_hot(labels: Iterable[Sequence[int]], num_classes: int) -> np.ndarray:
    """Return 1 where a clip (row) has a class (column), else 0."""
    listed = list(labels)
    hot = np.zeros((len(listed), num_classes), dtype=np.int8)
    for row, own in enumerate(listed):
        hot[row, list(own)] = 1
    return hot


def write_parquet(path: Path, table: pd.DataFrame) -> None:
    """Write a table of clips; its column types do not depend on what the clips are."""
    fields = [pa.field(str(name), _type_of(table, str(name))) for name in table.columns]
    rows = pa.Table.from_pandas(table, schema=pa.schema(fields), preserve_index=False)
    with whole_file(path) as part:
        pq.write_table(rows, part)


def _write_csv(path: Path, table: pd.DataFrame) -> None:
    with whole_file(path) as part:
        table.to_csv(part, index=False, lineterminator="\n")


def _kinetics(
    clips: pd.DataFrame, names: Sequence[str], split: str, prefix: Path | None
) -> pd.DataFrame:
    """Return one row a clip and label, with the header of the Kinetics annotations.

    Readers of this format seek in the video that `youtube_id` names. That is the clip: its path
    below the prefix without the suffix, from 0 s to the clip's length. A place in the recording
    would be annotation time, which is not that of the stream a reader takes.
    """
    ids = [Path(name).with_suffix("").as_posix() for name in relative_to([*clips["path"]], prefix)]
    times = zip(clips["start_s"], clips["end_s"], strict=True)
    lengths = [exact(float(end_s)) - exact(float(start_s)) for start_s, end_s in times]
    rows = [
        (safe_cell(names[label]), _safe_path(name), "0", shown(length).removesuffix(".0"), split)
        for name, labels, length in zip(ids, clips["labels"], lengths, strict=True)
        for label in labels
    ]
    return pd.DataFrame(rows, columns=[*KINETICS_COLUMNS])


def _safe(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table of which a spreadsheet runs nothing; lists are joined by ` | `."""
    texts = {
        str(name): [safe_cell(own if isinstance(own, str) else " | ".join(own)) for own in cells]
        for name, cells in table.items()
        if cells.dtype.kind not in "if" and name != "path"
    }
    paths = [_safe_path(path) for path in table["path"]]
    return table.assign(**texts, path=paths).rename(columns=lambda name: safe_cell(str(name)))


def _safe_path(path: str) -> str:
    """Return a path that is not a formula and still leads to the same file."""
    return path if safe_cell(path) == path else f"./{path}"


def _type_of(table: pd.DataFrame, column: str) -> pa.DataType:
    if column in _TYPES:
        return _TYPES[column]
    return pa.int8() if table[column].dtype.kind == "i" else pa.string()
