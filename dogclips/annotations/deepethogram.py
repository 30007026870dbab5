"""DeepEthogram label tables (`*_labels.csv`): one row per frame, one column per behaviour, 0 or 1.

The first column counts the rows from 0. -1 stands for a frame that is not labelled yet: what is
not -1 was watched, for each behaviour on its own. The table names no recording: its own name does,
as `NAME_labels.csv`.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dogclips.annotations.documents import Table, twice
from dogclips.annotations.issues import Issues
from dogclips.annotations.project import Importer, Media, Project

_INDEX = ("", "unnamed: 0")  # as pandas writes and reads a column without a name
_BACKGROUND = ("background", "none")
_UNLABELLED, _WRONG = -1, -2
_MARKS = {"0": 0, "1": 1, "-1": _UNLABELLED, "0.0": 0, "1.0": 1, "-1.0": _UNLABELLED}
Marks = NDArray[np.int64]

_SAVE = "save it again in DeepEthogram"


def read_deepethogram(path: Path, table: Table) -> Project | None:
    """Return runs of marked frames as segments in frames, with all that is wrong with them.

    None where a table has no column of numbers without a name, and marks beside it. `media_name`
    is the table's name without `_labels.csv`: that of the recording without suffix.
    """
    if not _is_known(table):
        return None
    reader = _Reader()
    header = [name.strip() for name in table[0]]
    media_name = path.name.removesuffix(".gz").removesuffix(".csv").removesuffix("_labels")
    marks = _marks(table, header, reader)
    columns = dict(_columns(header, marks, reader))
    background = {name: columns.pop(name) for name in list(columns) if _name(name) in _BACKGROUND}
    _compare_background(background, columns, reader)
    rows = [
        {
            "source_id": f"{label}[{start}]",
            "media_name": media_name,
            "t_start": float(start),
            "t_end": float(end),
            "label": label,
        }
        for label, own in columns.items()
        for start, end in _runs(own)
    ]
    reader.vocabulary = tuple(columns)
    reader.watched = [
        {"media_name": media_name, "label": label, "t_start": start, "t_end": end}
        for label, own in columns.items()
        if (own == _UNLABELLED).any()
        for start, end in _runs(own != _UNLABELLED) or [[0, 0]]
    ]
    media = Media(media_name, num_frames=len(marks))
    counts = {"segments": len(rows), "frames": len(marks)}
    return reader.project(
        path,
        rows,
        [media],
        counts=counts,
        time_base="frame_index",
        task="behavior",
    )


class _Reader(Importer):
    format = "deepethogram"
    player = "frames"


def _is_known(table: Table) -> bool:
    header, first = (*table[:2], [], [])[:2]
    if len(header) < 2 or _name(header[0]) not in _INDEX:
        return False
    if any(_name(name) in _BACKGROUND for name in header[1:]):
        return True
    return len(first) == len(header) and {cell.strip() for cell in first[1:]} <= set(_MARKS)


def _name(cell: str) -> str:
    return cell.strip().lower()


def _marks(table: Table, header: list[str], issues: Issues) -> Marks:
    """Return (num_frames, num_behaviours): the marks; anything else gives `_WRONG`."""
    body = [(line, row) for line, row in enumerate(table, start=1) if any(row)][1:]
    marks = np.empty((len(body), len(header) - 1), dtype=np.int64)
    for index, (line, row) in enumerate(body):
        place = f"line {line}"
        if len(row) != len(header):
            issues.refuse("V010", place, f"{len(row)} cells, not {len(header)}", _SAVE)
        if row[0].strip() not in (str(index), f"{index}.0"):
            text = "the row number does not follow the one before"
            issues.refuse("V010", place, text, "restore the rows that are missing or moved")
        cells = [*row[1:], *[""] * len(header)][: len(header) - 1]
        marks[index] = [_MARKS.get(cell.strip(), _WRONG) for cell in cells]
        for column in np.flatnonzero(marks[index] == _WRONG):
            issues.refuse("V010", place, f"{cells[column][:40]!r} is not 0, 1 or -1")
    return marks


def _columns(header: list[str], marks: Marks, issues: Issues) -> Iterator[tuple[str, Marks]]:
    """Yield each behaviour with its marks."""
    again = twice(header)
    for number, label in enumerate(header[1:]):
        place = f"column {number + 2}"
        if not label:
            issues.refuse("V005", place, "a column without a name", _SAVE)
        if label in again:
            issues.refuse("V002", place, f"column {label!r} appears twice", _SAVE)
        if not label or label in again:
            continue
        num_unlabelled = np.count_nonzero(marks[:, number] == _UNLABELLED)
        if num_unlabelled:
            text = f"{num_unlabelled} of {len(marks)} frames are not labelled yet (-1); skipped"
            todo = "label them in DeepEthogram, or set labels.drop to do without the label"
            issues.warn("V048", place, f"{label!r}: {text}", todo)
        yield label, marks[:, number]


def _compare_background(
    background: Mapping[str, Marks], behaviours: Mapping[str, Marks], issues: Issues
) -> None:
    """Note frames that are background and a behaviour at once; frames that are neither."""
    for label, own in background.items() if behaviours else ():
        others = np.stack(list(behaviours.values()))
        known = (others != _UNLABELLED).all(axis=0) & np.isin(own, (0, 1))
        num_against = np.count_nonzero(known & ((others == 1).any(axis=0) == own))
        if num_against:
            text = (
                f"{label!r} contradicts the behaviours in {num_against} frames; behaviours are used"
            )
            issues.warn("V010", "", text)


def _runs(marks: NDArray[Any]) -> list[list[int]]:
    """Return the half-open runs of 1.

    >>> _runs(np.array([0, 1, 1, -1, 1]))
    [[1, 3], [4, 5]]
    """
    marked = np.concatenate([[False], marks == 1, [False]])
    runs: list[list[int]] = np.flatnonzero(marked[1:] != marked[:-1]).reshape(-1, 2).tolist()
    return runs
