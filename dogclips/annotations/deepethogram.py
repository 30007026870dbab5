"""DeepEthogram label tables (`*_labels.csv`): one row a frame, one column a behaviour, 0 or 1.

The first column counts the rows from 0. -1 stands for a frame that nobody has labelled yet. The
table names no recording: its own name does, as `NAME_labels.csv`.
"""

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from dogclips.annotations.documents import Table
from dogclips.annotations.issues import Issues
from dogclips.annotations.project import Media, Project
from dogclips.segments import segment_table

_INDEX = ("", "unnamed: 0")  # as pandas writes and reads a column without name
_BACKGROUND = ("background", "none")
_UNLABELLED, _WRONG = -1, -2
_MARKS = {"0": 0, "1": 1, "-1": _UNLABELLED, "0.0": 0, "1.0": 1, "-1.0": _UNLABELLED}
_SAVE = "save it again in DeepEthogram"


def is_deepethogram(table: Table) -> bool:
    """Return whether a table has a column of numbers without a name, and marks beside it."""
    if not table.rows or len(table.rows[0]) < 2 or _name(table.rows[0][0]) not in _INDEX:
        return False
    if any(_name(name) in _BACKGROUND for name in table.rows[0][1:]):
        return True
    first = table.rows[1] if len(table.rows) > 1 else []
    same = len(first) == len(table.rows[0])
    return same and {cell.strip() for cell in first[1:]} <= set(_MARKS)


def read_deepethogram(path: Path, table: Table) -> Project:
    """Return runs of marked frames as segments in frames, with all that is wrong with them.

    `media_name` is the table's name without `_labels.csv`: that of the recording without suffix.
    """
    issues = Issues()
    header = [name.strip() for name in table.rows[0]] if table.rows else []
    media_name = path.name.removesuffix(".gz").removesuffix(".csv").removesuffix("_labels")
    frames = list(_frames(table, len(header), issues))
    columns = dict(_columns(header, frames, issues))
    _compare_background(columns, issues)
    rows = [
        {
            "source_format": "deepethogram",
            "source_file": path.stem,
            "source_id": f"{label}[{start}]",
            "media_name": media_name,
            "time_base": "frame_index",
            "t_start": float(start),
            "t_end": float(end),
            "task": "behavior",
            "label": label,
        }
        for label, marks in columns.items()
        if _name(label) not in _BACKGROUND
        for start, end in _runs(marks)
    ]
    return Project(
        path=path,
        format="deepethogram",
        segments=segment_table(rows),
        media=(Media(media_name, num_frames=len(frames)),),
        issues=tuple(issues.found),
        counts={"segments": len(rows), "frames": len(frames)},
        player="frames",
    )


def _name(cell: str) -> str:
    return cell.strip().lower()


def _frames(table: Table, num_columns: int, issues: Issues) -> Iterator[list[int]]:
    """Yield the marks of each row; what is no mark gives `_WRONG`."""
    body = [(line, row) for line, row in enumerate(table.rows, start=1) if any(row)][1:]
    for index, (line, row) in enumerate(body):
        place = f"line {line}"
        if len(row) != num_columns:
            issues.refuse("V010", place, f"{len(row)} cells, not {num_columns}", _SAVE)
        if row[0].strip() not in (str(index), f"{index}.0"):
            text = "the row's number is not one more than that of the row before"
            issues.refuse("V010", place, text, "rows are missing or moved; restore them")
        cells = [*row[1:], *[""] * num_columns][: num_columns - 1]
        marks = [_MARKS.get(cell.strip(), _WRONG) for cell in cells]
        for mark, cell in zip(marks, cells, strict=True):
            if mark == _WRONG:
                issues.refuse("V010", place, f"{cell[:40]!r} is none of 0, 1 and -1")
        yield marks


def _columns(
    header: list[str], frames: list[list[int]], issues: Issues
) -> Iterator[tuple[str, list[int]]]:
    """Yield each behaviour with its marks."""
    if len(header) < 2:
        issues.refuse("V005", "", "no column of a behaviour", _SAVE)
    counts = Counter(header)
    for number, label in enumerate(header[1:]):
        place = f"column {number + 2}"
        if not label:
            issues.refuse("V005", place, "a column without name", _SAVE)
        if counts[label] > 1:
            issues.refuse("V002", place, f"column {label!r} stands twice", _SAVE)
        if not label or counts[label] > 1:
            continue
        marks = [frame[number] for frame in frames]
        unlabelled = marks.count(_UNLABELLED)
        if unlabelled:
            text = f"{unlabelled} of {len(marks)} frames are not labelled yet (-1); skipped"
            issues.warn("V048", place, f"{label!r}: {text}", "label them in DeepEthogram")
        yield label, marks


def _compare_background(columns: dict[str, list[int]], issues: Issues) -> None:
    """Note frames that are background and a behaviour at once; frames that are neither."""
    others = [marks for label, marks in columns.items() if _name(label) not in _BACKGROUND]
    for label in [label for label in columns if others and _name(label) in _BACKGROUND]:
        frames = zip(columns[label], zip(*others, strict=True), strict=True)
        against = sum(
            background in (0, 1) and _UNLABELLED not in marks and (1 in marks) == background
            for background, marks in frames
        )
        if against:
            text = f"{against} frames where {label!r} contradicts the behaviours, which are read"
            issues.warn("V010", "", text)


def _runs(marks: list[int]) -> Iterator[tuple[int, int]]:
    """Yield the half-open runs of 1.

    >>> list(_runs([0, 1, 1, -1, 1]))
    [(1, 3), (4, 5)]
    """
    edges = [i for i, (a, b) in enumerate(pairwise([0, *marks, 0])) if (a == 1) != (b == 1)]
    yield from zip(edges[::2], edges[1::2], strict=True)
