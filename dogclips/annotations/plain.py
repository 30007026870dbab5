"""Plain tables: `file,start,end,label` and, where wanted, a few more columns.

The format is our own: one row per segment, seconds from the start of the recording, an empty end
for a point. It is what a spreadsheet can hold, and what `--to csv` writes.
"""

import math
import re
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import pandas as pd

from dogclips.annotations.documents import Table, twice
from dogclips.annotations.project import Importer, Media, Project
from dogclips.annotations.writing import decimal_text, write_table
from dogclips.files import cell_text, safe_cell
from dogclips.records.columns import Column
from dogclips.wording import one_spelling

_NEEDED = ("file", "start", "end", "label")
_OPTIONAL = ("task", "subject", "observer", "confidence", "comment", "stream")
_NAMES = ("label", "task", "subject", "observer")
_ALWAYS = ("task", "subject")
_DECIMAL = re.compile(r"[+-]?([0-9]+([.,][0-9]*)?|[.,][0-9]+)([eE][+-]?[0-9]{1,4})?")
_CLOCK = re.compile(r"(?:([0-9]{1,4}):)?([0-9]{1,4}):([0-9]{1,2}(?:[.,][0-9]+)?)")
_STREAM = re.compile(r"([0-9]{1,4})(\.0+)?")  # pandas writes 1.0 where other rows have none


def read_plain(path: Path, table: Table) -> Project | None:
    """Return the rows of a plain table as segments and points, with all that is wrong with them.

    None where the first row that is not empty does not name the four columns.
    """
    (_, header), *body = _lines(table) or [(1, [])]
    reader = _Reader(names=[name.strip().lower() for name in header])
    if not set(_NEEDED) <= set(reader.names):
        return None
    if not reader.check_header():
        body = []
    found = [reader.row(f"line {line}", row) for line, row in body]
    rows = [row for row in found if row is not None]
    return reader.project(path, rows, map(Media, reader.media))


# The columns of `_NEEDED` and `_OPTIONAL`, which the reader reads, in their order. Those after
# `subject` are written only where a segment has a value for them.
WRITTEN_TABLE = (
    Column("file", "str", "Recording."),
    Column("start", "float64", "Start in annotation time.", "s"),
    Column("end", "float64", "End in annotation time; empty for points.", "s"),
    Column("label", "str", "Label."),
    Column("task", "str", "Task of the label: one VIA attribute."),
    Column("subject", "str", "Animal, or empty."),
    Column("observer", "str", "Who annotated; only where somebody is named."),
    Column("confidence", "float64", "How sure the observer was; only where somebody says so."),
    Column("comment", "str", "Comment, such as the modifiers of BORIS; only where there is one."),
    Column("stream", "Int64", "Stream that was annotated; only where it is named."),
)


def write_plain(project: Project, path: Path) -> dict[str, int]:
    """Write the columns of `WRITTEN_TABLE`; see `write_table`."""
    segments = project.segments
    ends = zip(segments["kind"], segments["t_end"], strict=True)
    table = {
        "file": segments["media_name"].map(safe_cell),
        "start": segments["t_start"].map(decimal_text),
        "end": ["" if kind == "point" else decimal_text(end) for kind, end in ends],
        **{name: _cells(segments[name]) for name in ("label", *_OPTIONAL)},
    }
    written = pd.DataFrame(table)
    empty = [name for name in _OPTIONAL if name not in _ALWAYS and (written[name] == "").all()]
    return write_table(project, path, written.drop(columns=empty), kept=_OPTIONAL)


def _cells(column: pd.Series) -> list[str]:
    """Return texts as they are, numbers in their shortest form, nothing as an empty cell."""
    if pd.api.types.is_numeric_dtype(column):
        return ["" if pd.isna(one) else decimal_text(float(one)) for one in column]
    return [safe_cell(text) for text in column]


def _lines(table: Table) -> list[tuple[int, list[str]]]:
    """Return rows that are not empty with their first line: a cell in quotes may span several."""
    line, found = 1, []
    for row in table:
        if any(cell.strip() for cell in row):
            found.append((line, row))
        line += 1 + sum(len(re.findall(r"\r\n|\r|\n", cell)) for cell in row)
    return found


@dataclass
class _Reader(Importer):
    """Reads the rows of one table and collects what is odd about them."""

    format = "csv"
    names: list[str] = field(default_factory=list)
    media: dict[str, None] = field(default_factory=dict)
    seen: dict[tuple[object, ...], str] = field(default_factory=dict)

    def check_header(self) -> bool:
        """Return whether rows can be read under this header."""
        again = sorted(twice(name for name in self.names if name))
        if again:
            self.refuse("V002", "", f"duplicate column(s): {', '.join(again)}")
        odd = [name for name in self.names if name and name not in _NEEDED + _OPTIONAL]
        if odd:
            self.warn("V005", "", f"unknown column(s) {', '.join(odd)}; skipped")
        return not again

    def row(self, place: str, row: list[str]) -> dict[str, Any] | None:
        """Return what one row says, or None where it is skipped."""
        if any(cell.strip() for cell in row[len(self.names) :]):
            text = f"{len(row)} cells under {len(self.names)} columns"
            self.refuse("V010", place, text, "quote the cells that contain a separator")
            return None
        cells = dict.fromkeys(_NEEDED + _OPTIONAL, "")
        texts = [cell_text(cell.strip()) for cell in row]
        cells |= zip(self.names, texts, strict=False)
        cells |= {name: one_spelling(cells[name]) for name in _NAMES}
        if cells["file"]:
            self.media.setdefault(cells["file"])
        else:
            self.refuse("V010", place, "no file name")
        if not cells["label"]:
            self.warn("V048", place, "the segment has no label; skipped")
        span, numbers = self._span(place, cells), self._numbers(place, cells)
        if span is None or numbers is None or not cells["file"] or not cells["label"]:
            return None
        kept = {name: cells[name] for name in ("label", "subject", "observer", "comment")}
        found = {"media_name": cells["file"], "task": cells["task"] or "label"} | kept
        found |= span | numbers
        first = self.seen.setdefault(tuple(found.items()), place)
        if first != place:
            self.warn("V047", place, f"the same as {first}; read once")
            return None
        return found | {"source_id": place}

    def _span(self, place: str, cells: dict[str, str]) -> dict[str, Any] | None:
        """Return the columns of time, or None where the row has none that mean anything."""
        start = self._time(place, cells["start"])
        end = self._time(place, cells["end"]) if cells["end"] else math.inf
        if start is None or end is None or not self.has_length(place, start, end):
            return None
        if cells["end"]:
            return {"t_start": start, "kind": "state", "t_end": end}
        return {"t_start": start, "kind": "point"}

    def _time(self, place: str, cell: str) -> float | None:
        time_s = _seconds(cell)
        if time_s is None:
            self.refuse("V052", place, f"the time is {cell[:40]!r}", "write it in seconds")
        elif time_s < 0:
            self.refuse("V053", place, f"time {time_s} s is before the start of the video")
            return None
        elif ":" in cell or "," in cell:
            self.warn("V051", place, f"the time {cell!r} is read as {time_s} s")
        return time_s

    def _numbers(self, place: str, cells: dict[str, str]) -> dict[str, Any] | None:
        """Return confidence and stream where they are given, or None where one is not a number."""
        whole = _STREAM.fullmatch(cells["stream"])
        numbers: dict[str, Any] = {
            "confidence": _decimal(cells["confidence"]),
            "stream": int(whole[1]) if whole else None,
        }
        wrong = [name for name, number in numbers.items() if cells[name] and number is None]
        for name in wrong:
            self.refuse("V010", place, f"{name} is {cells[name][:40]!r}, not a number")
        return None if wrong else {name: numbers[name] for name in numbers if cells[name]}


def _decimal(cell: str) -> float | None:
    if not _DECIMAL.fullmatch(cell):
        return None
    number = float(cell.replace(",", "."))
    return number + 0.0 if math.isfinite(number) else None  # no negative zero


def _seconds(cell: str) -> float | None:
    """Return a time written as a decimal number, as h:m:s or as m:s.

    >>> _seconds("4,35"), _seconds("1:02.5"), _seconds("soon")
    (4.35, 62.5, None)
    """
    clock = _CLOCK.fullmatch(cell)
    if clock is None:
        return _decimal(cell)
    minutes, seconds = int(clock[2]), Fraction(clock[3].replace(",", "."))
    if seconds >= 60 or (clock[1] and minutes >= 60):
        return None
    return float(int(clock[1] or 0) * 3600 + minutes * 60 + seconds)
