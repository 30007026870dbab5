"""What `dogclips check` shows: recordings, issues and labels of annotation files."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import Group
from rich.table import Table
from rich.text import Text

from dogclips.annotations import grouped
from dogclips.clips.checks import CheckedProject, checked_files, checked_labels
from dogclips.files import file_name
from dogclips.reports.tables.style import new_table, with_remarks

_RECORDING_HEADS = {
    "duration_s": "length\ns",
    "segments": "seg-\nments",
    "points": "points",
    "seconds": "label-\nled s",
    "share": "share",
    "overlaps": "overlap\nin task",  # of one subject, too
    "overlaps_all": "overlap\nin all",
    "unadjusted_1s": "1.000 s",
    "past_end": "past\nend",
}


_LABEL_HEADS = {
    "segments": "seg-\nments",
    "points": "points",
    "seconds": "seconds",
    "shortest_s": "short-\nest s",
    "median_s": "median\ns",
    "longest_s": "long-\nest s",
    "recordings": "record-\nings",
    "subjects": "subjects",
}


_PROJECT_HEADS = {
    "media": "media",
    "segments": "seg-\nments",
    "points": "points",
    "labels": "labels",
    "seconds": "label-\nled s",
    "zero_length": "of no\nlength",
    "errors": "errors",
    "warnings": "warnings",
}


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


def labels_report(checked: Sequence[CheckedProject]) -> Group:
    """Return one row a label of all files."""
    labels = checked_labels(checked)
    heads = _heads(_LABEL_HEADS, labels)
    tasks = labels["task"].unique()
    names = ("label",) if len(tasks) == 1 else ("task", "label")  # one task is a title
    table = new_table()
    for name in names:
        table.add_column(name, overflow="fold")
    _add_numbers(table, heads)
    for row in labels.to_dict("records"):
        own = (Text(_plain(row[name])) for name in names)
        table.add_row(*own, *(_shown(name, row[name]) for name in heads))
    title = f"labels of {_plain(tasks[0])}" if len(tasks) == 1 and tasks[0] else "labels"
    return with_remarks(title, table)


def files_report(checked: Sequence[CheckedProject]) -> Group:
    """Return one row a file."""
    files = checked_files(checked)
    heads = _heads(_PROJECT_HEADS, files)
    table = new_table()
    table.add_column("file", overflow="fold")
    table.add_column("status", no_wrap=True)
    _add_numbers(table, heads)
    for row in files.to_dict("records"):
        names = Text(_plain(row["path"])), _status(row["status"])
        table.add_row(*names, *(_shown(name, row[name]) for name in heads))
    return with_remarks("annotation files", table)


def check_document(checked: Sequence[CheckedProject]) -> dict[str, Any]:
    """Return the JSON document of `check --json`; times in seconds, null where unknown."""
    return {
        "version": 1,
        "files": [_file_json(file) for file in checked],
        "labels": _rows_json(checked_labels(checked)),
    }


def _file_json(file: CheckedProject) -> dict[str, Any]:
    [row] = _rows_json(checked_files([file]))
    return {
        "path": row["path"],
        "format": row["format"],
        "status": row["status"],
        "segments": row["segments"],
        "points": row["points"],
        "seconds": row["seconds"],
        "media": [
            {name: value for name, value in media.items() if name != "path"}
            | {"recording": media["recording"] or None}
            for media in _rows_json(file.recordings)
        ],
        "labels": _rows_json(checked_labels([file])),
        "counts": dict(file.project.counts),
        "issues": [
            {
                "code": issue.code,
                "level": issue.level,
                "place": issue.place,
                "text": issue.text,
                "todo": issue.todo,
            }
            for issue in file.issues
        ],
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


def _recordings(file: CheckedProject) -> Table:
    table = new_table()
    table.add_column("recording", overflow="fold")
    heads = _heads(_RECORDING_HEADS, file.recordings)
    _add_numbers(table, heads)
    for row in file.recordings.to_dict("records"):
        name = file_name(row["name"])
        found = Path(row["recording"]).name
        if found and found != name:
            name = f"{found} ({name})"
        table.add_row(Text(_plain(name)), *(_shown(head, row[head]) for head in heads))
    return table


def _issues(file: CheckedProject) -> Table:
    table = new_table()
    table.add_column("issue", no_wrap=True)
    table.add_column("places", justify="right", no_wrap=True)
    table.add_column("first place", overflow="fold")
    table.add_column("what", overflow="fold")
    for issue, count in grouped(file.issues):
        level = _status(issue.level).append(f" {issue.code}", style="default")
        what = f"{issue.text}: {issue.todo}" if issue.todo else issue.text
        table.add_row(level, str(count), Text(_plain(issue.place)), Text(_plain(what)))
    return table


def _heads(heads: dict[str, str], rows: pd.DataFrame) -> dict[str, str]:
    """Return the columns that a table needs."""
    return {name: head for name, head in heads.items() if name not in _IF_ANY or rows[name].any()}


def _add_numbers(table: Table, heads: dict[str, str]) -> None:
    for head in heads.values():
        table.add_column(head, justify="right", no_wrap=True)


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


def _plain(text: str) -> str:
    """Return text of a stranger's file without anything that moves the cursor."""
    return "".join(
        letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text
    )
