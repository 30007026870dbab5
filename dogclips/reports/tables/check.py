"""What `dogclips check` shows: recordings, issues and labels of annotation files."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import Group
from rich.text import Text

from dogclips.annotations import grouped
from dogclips.clips.checks import CheckedProject, checked_files, checked_labels
from dogclips.files import file_name
from dogclips.reports.tables.style import filled_table, marked, plain

# The heads of numbers that are not called like their columns.
_HEADS = {
    "duration_s": "length\ns",
    "segments": "seg-\nments",
    "seconds": "label-\nled s",
    "overlaps": "overlap\nin task",  # of one subject, too
    "overlaps_all": "overlap\nin all",
    "unadjusted_1s": "1.000 s",
    "past_end": "past\nend",
    "shortest_s": "short-\nest s",
    "median_s": "median\ns",
    "longest_s": "long-\nest s",
    "recordings": "record-\nings",
    "zero_length": "of no\nlength",
}
_COUNTED = ("int64", "Float64")  # the index of a stream is Int64
# Most files have none.
_IF_ANY = ("points", "subjects", "zero_length", "unadjusted_1s", "past_end")
_FILE_KEYS = ("path", "format", "status", "segments", "points", "seconds")
_SUMS = ("seconds",)  # the rest of the times are shown to the millisecond


def file_report(file: CheckedProject) -> Group:
    """Return the recordings of a file, then its issues: errors first, each kind once."""
    title = plain(f"{file.path}: {', '.join(filter(None, (file.project.format, file.status)))}")
    parts, recordings = [], file.recordings
    if len(recordings):
        pairs = zip(map(file_name, recordings["name"]), recordings["recording"], strict=True)
        names = [
            plain(own if Path(found).name in ("", own) else f"{Path(found).name} ({own})")
            for own, found in pairs
        ]
        parts.append(_table(title, {"recording": names}, recordings))
    rows = [
        (
            _level(issue.level).append(f" {issue.code}", style="default"),
            count,
            plain(issue.place),
            plain(f"{issue.text}: {issue.todo}" if issue.todo else issue.text),
        )
        for issue, count in grouped(file.issues)
    ]
    if rows:
        columns = ("issue|", "places>|", "first place", "what")
        parts.append(filled_table("" if parts else title, columns, rows))
    return Group(*parts) if parts else Group(Text(f"{title}\n", style="bold"))


def check_reports(checked: Sequence[CheckedProject]) -> list[Group]:
    """Return the report of each file, then the labels and all files."""
    reports = [file_report(file) for file in checked]
    if any(len(file.segments) for file in checked):
        reports.append(labels_report(checked))
    return [*reports, files_report(checked)]


def labels_report(checked: Sequence[CheckedProject]) -> Group:
    """Return one row per label of all files."""
    labels = checked_labels(checked)
    tasks = labels["task"].unique()
    names = ("label",) if len(tasks) == 1 else ("task", "label")  # one task is a title
    title = f"labels of {plain(tasks[0])}" if len(tasks) == 1 and tasks[0] else "labels"
    return _table(title, {name: map(plain, labels[name]) for name in names}, labels)


def files_report(checked: Sequence[CheckedProject]) -> Group:
    """Return one row per file."""
    files = checked_files(checked)
    texts: dict[str, Iterable[object]] = {
        "file": map(plain, files["path"]),
        "status|": map(_level, files["status"]),
    }
    return _table("annotation files", texts, files)


def check_document(checked: Sequence[CheckedProject]) -> dict[str, Any]:
    """Return the JSON document of `check --json`; times in seconds, null where unknown."""
    return {
        "files": [_file_json(file) for file in checked],
        "labels": _rows_json(checked_labels(checked)),
    }


def _file_json(file: CheckedProject) -> dict[str, Any]:
    [row] = _rows_json(checked_files([file]))
    media = [
        {name: value for name, value in row.items() if name != "path"}
        | {"recording": row["recording"] or None}
        for row in _rows_json(file.recordings)
    ]
    return {
        **{name: row[name] for name in _FILE_KEYS},
        "media": media,
        "labels": _rows_json(checked_labels([file])),
        "counts": dict(file.project.counts),
        "issues": [asdict(issue) for issue in file.issues],
    }


def _rows_json(table: pd.DataFrame) -> list[dict[str, Any]]:
    def plain_of(value: Any) -> Any:
        return None if pd.isna(value) else round(value, 6) if isinstance(value, float) else value

    return [
        {str(name): plain_of(value) for name, value in row.items()}
        for row in table.to_dict("records")
    ]


def _table(title: str, texts: Mapping[str, Iterable[object]], rows: pd.DataFrame) -> Group:
    """Return columns of texts, then those of the counts and times that a table needs."""
    counted = [str(name) for name, dtype in rows.dtypes.items() if str(dtype) in _COUNTED]
    shown = [name for name in counted if name not in _IF_ANY or rows[name].any()]
    heads = _HEADS | ({"seconds": "seconds"} if "label" in rows else {})
    numbers = ([_shown(name, row[name]) for name in shown] for row in rows.to_dict("records"))
    cells = ((*own, *more) for *own, more in zip(*texts.values(), numbers, strict=True))
    return filled_table(title, (*texts, *marked(heads.get(name, name) for name in shown)), cells)


def _level(level: str) -> Text:
    return Text(level, style={"error": "red", "warning": "yellow"}.get(level, ""))


def _shown(name: str, value: Any) -> str:
    """Return a number as people read it."""
    if pd.isna(value):
        return "-"
    if name == "share":
        return f"{value:.0%}"
    if isinstance(value, float):
        return f"{value:.1f}" if name in _SUMS else f"{value:.3f}"
    return str(value)
