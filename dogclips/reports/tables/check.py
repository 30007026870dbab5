"""What `dogclips check` shows: recordings, issues and labels of annotation files."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import Group
from rich.table import Table
from rich.text import Text

from dogclips.annotations import grouped
from dogclips.clips.checks import CheckedProject, checked_files, checked_labels
from dogclips.files import file_name
from dogclips.reports.tables.style import marked, new_table, with_remarks

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
_SUMS = ("seconds",)  # the rest of the times are shown to the millisecond


def file_report(file: CheckedProject) -> Group:
    """Return the recordings of a file, then its issues: errors first, each kind once."""
    title = f"{file.path}: {', '.join(filter(None, (file.project.format, file.status)))}"
    parts = [with_remarks(_plain(title), _recordings(file))] if len(file.recordings) else []
    issues = _issues(file)
    if issues.row_count:
        parts.append(with_remarks("" if parts else _plain(title), issues))
    return Group(*parts) if parts else Group(Text(f"{_plain(title)}\n", style="bold"))


def check_reports(checked: Sequence[CheckedProject]) -> list[Group]:
    """Return the report of each file, then the labels and all files."""
    reports = [file_report(file) for file in checked]
    if any(len(file.segments) for file in checked):
        reports.append(labels_report(checked))
    return [*reports, files_report(checked)]


def labels_report(checked: Sequence[CheckedProject]) -> Group:
    """Return one row a label of all files."""
    labels = checked_labels(checked)
    tasks = labels["task"].unique()
    names = ("label",) if len(tasks) == 1 else ("task", "label")  # one task is a title
    title = f"labels of {_plain(tasks[0])}" if len(tasks) == 1 and tasks[0] else "labels"
    texts = {name: map(_text, labels[name]) for name in names}
    return with_remarks(title, _table(texts, labels))


def files_report(checked: Sequence[CheckedProject]) -> Group:
    """Return one row a file."""
    files = checked_files(checked)
    texts = {"file": map(_text, files["path"]), "status|": map(_status, files["status"])}
    return with_remarks("annotation files", _table(texts, files))


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
        **{
            name: row[name]
            for name in ("path", "format", "status", "segments", "points", "seconds")
        },
        "media": media,
        "labels": _rows_json(checked_labels([file])),
        "counts": dict(file.project.counts),
        "issues": [asdict(issue) for issue in file.issues],
    }


def _rows_json(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [
        {str(name): _value_json(value) for name, value in row.items()}
        for row in table.to_dict("records")
    ]


def _value_json(value: Any) -> Any:
    if pd.isna(value):
        return None
    return round(value, 6) if isinstance(value, float) else value


def _table(texts: Mapping[str, Iterable[Text]], rows: pd.DataFrame) -> Table:
    """Return columns of texts, then those of the counts and times that a table needs."""
    counted = [str(name) for name, dtype in rows.dtypes.items() if str(dtype) in _COUNTED]
    shown = [name for name in counted if name not in _IF_ANY or rows[name].any()]
    heads = _HEADS | ({"seconds": "seconds"} if "label" in rows else {})
    table = new_table(*texts, *marked(heads.get(name, name) for name in shown))
    for row, *own in zip(rows.to_dict("records"), *texts.values(), strict=True):
        table.add_row(*own, *(_shown(name, row[name]) for name in shown))
    return table


def _recordings(file: CheckedProject) -> Table:
    names = []
    for named, found in zip(file.recordings["name"], file.recordings["recording"], strict=True):
        own, path = file_name(named), Path(found)
        names.append(own if path.name in ("", own) else f"{path.name} ({own})")
    return _table({"recording": map(_text, names)}, file.recordings)


def _issues(file: CheckedProject) -> Table:
    table = new_table("issue|", "places>|", "first place", "what")
    for issue, count in grouped(file.issues):
        level = _status(issue.level).append(f" {issue.code}", style="default")
        what = f"{issue.text}: {issue.todo}" if issue.todo else issue.text
        table.add_row(level, str(count), _text(issue.place), _text(what))
    return table


def _shown(name: str, value: Any) -> str:
    """Return a number as people read it."""
    if pd.isna(value):
        return "-"
    if name == "share":
        return f"{value:.0%}"
    if isinstance(value, float):
        return f"{value:.1f}" if name in _SUMS else f"{value:.3f}"
    return str(value)


def _status(level: str) -> Text:
    return Text(level, style={"error": "red", "warning": "yellow"}.get(level, ""))


def _text(text: str) -> Text:
    return Text(_plain(text))


def _plain(text: str) -> str:
    """Return text of a stranger's file without anything that moves the cursor."""
    return "".join(
        letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text
    )
