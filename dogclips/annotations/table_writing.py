"""Segments become tables: our own plain one, and the one that BORIS exports.

Cells go through `files.inert`, so that no spreadsheet runs them as formulas. `plain` undoes that;
who reads the table of BORIS finds the apostrophe in front of a label such as `-walk`.
"""

import csv
import io
from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from dogclips.annotations.project import Project
from dogclips.annotations.writing import check_seconds, left_out
from dogclips.files import inert, write_whole

CSV_COLUMNS: Final = ("file", "start", "end", "label", "task", "subject")
# The header of BORIS 9.12 where a project has no independent variables and no modifiers.
BORIS_COLUMNS: Final = (
    "Observation id",
    "Observation date",
    "Description",
    "Observation type",
    "Source",
    "Time offset (s)",
    "Coding duration",
    "Media duration (s)",
    "FPS (frame/s)",
    "Subject",
    "Observation duration by subject by observation",
    "Behavior",
    "Behavioral category",
    "Behavior type",
    "Start (s)",
    "Stop (s)",
    "Duration (s)",
    "Media file name",
    "Image index start",
    "Image index stop",
    "Image file path start",
    "Image file path stop",
    "Comment start",
    "Comment stop",
)
_UNKNOWN: Final = "NA"  # as BORIS writes it


def write_csv(project: Project, path: Path) -> dict[str, int]:
    """Write `file,start,end,label,task,subject`: seconds, an empty end for a point.

    Returns
    -------
    How many things of each kind such a table has no place for.

    Raises
    ------
    AnnotationError
        The project has errors; times are numbers of frames.
    OutputError
        The file cannot be written.
    """
    check_seconds(project.checked().segments, project.path)
    rows = (
        [
            inert(row["media_name"]),
            _decimal(row["t_start"]),
            "" if row["kind"] == "point" else _decimal(row["t_end"]),
            *(inert(row[column]) for column in ("label", "task", "subject")),
        ]
        for row in project.segments.to_dict("records")
    )
    _write_rows(path, CSV_COLUMNS, rows)
    return left_out(project, project.segments, kept=("task", "subject"), attributes=False)


def write_boris_csv(project: Project, path: Path) -> dict[str, int]:
    """Write the aggregated events that BORIS exports, a row a bout.

    Each recording is an observation, the task is the behavioural category. What only BORIS could
    know is `NA`, as it writes it.

    Returns
    -------
    How many things of each kind such a table has no place for.

    Raises
    ------
    AnnotationError
        The project has errors; times are numbers of frames.
    OutputError
        The file cannot be written.
    """
    check_seconds(project.checked().segments, project.path)
    order = {name: number for number, name in enumerate(project.segments["media_name"].unique())}
    ordered = project.segments.assign(observation=project.segments["media_name"].map(order))
    ordered = ordered.sort_values(["observation", "t_start"], kind="stable")
    found = [_boris_row(row) for row in ordered.to_dict("records")]
    rows = ([inert(row.get(name, _UNKNOWN)) for name in BORIS_COLUMNS] for row in found)
    _write_rows(path, BORIS_COLUMNS, rows)
    kept = ("task", "subject", "comment")
    return left_out(project, project.segments, kept=kept, attributes=False)


def _boris_row(row: Mapping[Any, Any]) -> dict[str, str]:
    """Return what is known of a bout, by column."""
    name, point = row["media_name"], row["kind"] == "point"
    start, end = row["t_start"], row["t_start"] if point else row["t_end"]
    # BORIS joins files by semicolons and players by bars: a name with one would become two.
    source = _UNKNOWN if set(name) & {";", "|"} else f"player #1:{name}"
    length = Decimal(repr(end)) - Decimal(repr(start))
    return {
        "Observation id": name,
        "Description": "",
        "Observation type": "Media file",
        "Source": source,
        "Time offset (s)": "0",
        "Subject": row["subject"] or "No focal subject",
        "Behavior": row["label"],
        "Behavioral category": row["task"] or "Not defined",
        "Behavior type": "POINT" if point else "STATE",
        "Start (s)": _decimal(start),
        "Stop (s)": _decimal(end),
        "Duration (s)": _UNKNOWN if point else _decimal(float(length)),
        "Media file name": name,
        "Comment start": row["comment"],
        "Comment stop": "",
    }


def _decimal(number: float) -> str:
    """Return the shortest decimal that is this number.

    >>> _decimal(12.0), _decimal(4.35), _decimal(1e-05)
    ('12', '4.35', '0.00001')
    """
    return f"{Decimal(repr(number)):f}".removesuffix(".0")


def _write_rows(path: Path, header: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text)  # RFC 4180: commas, CRLF, quotes where needed
    writer.writerow(header)
    writer.writerows(rows)
    write_whole(path, text.getvalue())
