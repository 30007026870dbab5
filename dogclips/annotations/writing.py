"""What all writers of annotation files share: which projects they take, what gets lost, tables.

Texts in tables go through `files.safe_cell`, so that no spreadsheet runs them as formulas. Our
readers undo that; BORIS itself finds the apostrophe in front of a label such as `-walk`.
"""

from collections.abc import Collection
from decimal import Decimal
from pathlib import Path

import pandas as pd

from dogclips.annotations.project import Project
from dogclips.errors import AnnotationError
from dogclips.files import write_whole

# What a table of segments may hold that most formats have no place for.
_ASIDES = {
    "subject": "subjects",
    "observer": "observers",
    "confidence": "confidences",
    "comment": "comments",
    "stream": "stream numbers",
    "task": "tasks",
}


def check_seconds(segments: pd.DataFrame, where: object = "") -> None:
    """Refuse times that are numbers of frames: only the recording tells when one is shown."""
    if (segments["time_base"] != "player").any():
        raise AnnotationError(
            "times are numbers of frames, not seconds",
            where=where,
            todo="pass --videos with the folder of the recordings",
        )


def left_out(
    project: Project, rows: pd.DataFrame, *, kept: Collection[str], attributes: bool
) -> dict[str, int]:
    """Return how many things of each kind a file lacks that holds only `rows` of a project.

    The format has a place for columns that are `kept`, beyond file, times and label, and for what
    is said about whole recordings if it has `attributes`.
    """
    gone = project.segments.loc[project.segments.index.difference(rows.index)]
    points = int((gone["kind"] == "point").sum())
    found = {"points": points, "segments without length": len(gone) - points}
    found["regions"] = project.counts.get("regions", 0)
    found["watched spans"] = len(project.watched)
    for column, name in _ASIDES.items():
        if column not in kept:
            found[name] = int((rows[column].notna() & (rows[column] != "")).sum())
    if not attributes:
        found["file attributes"] = sum(len(media.attributes) for media in project.media)
    return {name: number for name, number in found.items() if number}


def write_table(
    project: Project, path: Path, table: pd.DataFrame, *, kept: Collection[str]
) -> dict[str, int]:
    """Write a table of a project's segments, a row each.

    Return how many things of each kind it has no place for; see `left_out`.
    """
    check_seconds(project.checked().segments, project.path)
    # RFC 4180: commas, CRLF, quotes where needed
    write_whole(path, table.to_csv(index=False, lineterminator="\r\n"))
    return left_out(project, project.segments, kept=kept, attributes=False)


def decimal_text(number: float) -> str:
    """Return the shortest decimal that is this number.

    >>> decimal_text(12.0), decimal_text(4.35), decimal_text(1e-05)
    ('12', '4.35', '0.00001')
    """
    return f"{Decimal(repr(number)):f}".removesuffix(".0")
