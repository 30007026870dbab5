"""Tables that BORIS exports: aggregated events (a row per bout) or tabular ones (a row per event).

Follows the source of BORIS 5 to 10. Columns came and went: `Media file`, `Total length` and
`Modifiers` before version 8; `Source`, `Media duration (s)` and `Modifier #1` since then;
`Time offset (s)` since 8.17. Tabular files before 8.7 have the observation's id, files and offset
in a preamble above the header row. Independent variables are columns before `Subject`, and may be
called like any other column.

`Media file name` does not help: BORIS looks it up without removing the time offset. The files of
player 1, their lengths and the offset tell where a time lies.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from dogclips.annotations.boris import (
    NO_SUBJECT,
    BorisBout,
    BorisEvent,
    BorisReader,
    Playlist,
    bout_of,
    subject_name,
)
from dogclips.annotations.documents import Table
from dogclips.annotations.project import Project
from dogclips.annotations.writing import decimal_text, write_table
from dogclips.files import cell_text, safe_cell
from dogclips.records.columns import Column

# The header of BORIS 9.12 where a project has no independent variables and no modifiers.
WRITTEN_TABLE = (
    Column("Observation id", "str", "Recording that the bout is in."),
    Column("Observation date", "str", "NA."),
    Column("Description", "str", "Empty."),
    Column("Observation type", "str", "Media file."),
    Column("Source", "str", "Recording, as the file of player 1."),
    Column("Time offset (s)", "str", "0.", "s"),
    Column("Coding duration", "str", "NA."),
    Column("Media duration (s)", "str", "NA."),
    Column("FPS (frame/s)", "str", "NA."),
    Column("Subject", "str", "Animal; `No focal subject` where there is none."),
    Column("Observation duration by subject by observation", "str", "NA."),
    Column("Behavior", "str", "Label."),
    Column("Behavioral category", "str", "Task of the label, or `Not defined`."),
    Column("Behavior type", "str", "STATE, or POINT for what has no length."),
    Column("Start (s)", "float64", "Start in annotation time.", "s"),
    Column("Stop (s)", "float64", "End in annotation time.", "s"),
    Column("Duration (s)", "float64", "Length; NA for points.", "s"),
    Column("Media file name", "str", "Recording."),
    Column("Image index start", "str", "NA."),
    Column("Image index stop", "str", "NA."),
    Column("Image file path start", "str", "NA."),
    Column("Image file path stop", "str", "NA."),
    Column("Comment start", "str", "Comment; of a predicted bout its score."),
    Column("Comment stop", "str", "Empty."),
)
WRITTEN_COLUMNS = [column.name for column in WRITTEN_TABLE]
_UNKNOWN = "NA"  # as BORIS writes it

_INTERVALS = {"Subject", "Behavior", "Behavior type", "Start (s)", "Stop (s)"}
_EVENTS = {"Time", "Subject", "Behavior", "Behavior type"}
_OLD_EVENTS = {"Time", "Subject", "Behavior", "Status"}
_MEDIA = ("Media file name", "Media file", "Media file path")
_OFFSET = "Time offset (s)"
_OF_OBSERVATION = ("Observation id", "Observation type", "Source", _OFFSET, "Media duration (s)")
_UNRECORDED = ("Live observation", "From pictures", "From directories of images", "LIVE")
_PLAYER = re.compile(r"(?:^|\|)player #(\d+):", re.IGNORECASE)
_MODIFIER = re.compile(r"Modifiers?(?: #?\d+)?")
_SECONDS = re.compile(r"[+-]?\d{1,12}(?:\.\d{1,30})?")
_PROJECT = "pass the BORIS project (.boris) instead of the table"


def read_boris_table(path: Path, table: Table) -> Project | None:
    """Read aggregated events, one row per bout, or tabular ones, one row per start, stop or point.

    Times are seconds in the recording as mpv shows them. Points have no end. None where a table is
    neither.
    """
    for columns in (_INTERVALS, _EVENTS, _OLD_EVENTS):
        for number, row in enumerate(table[:100]):
            if columns <= {cell.strip() for cell in row}:
                reader = _Reader(intervals=columns is _INTERVALS)
                return reader.project_of(path, reader.rows(path, table, number))
    return None


@dataclass(frozen=True)
class _Line:
    """One row of a table: its cells by the names of their columns."""

    number: int  # of the row, from 1
    cells: Mapping[str, str]
    modifiers: str  # all of them as BORIS joins them

    @property
    def place(self) -> str:
        return f"row {self.number}"

    def cell(self, *names: str) -> str:
        """Return the cell of the first of these columns that there is, empty where none is."""
        return next((self.cells[name] for name in names if name in self.cells), "")


def _lines(table: Table, header: int) -> Iterator[_Line]:
    """Yield the rows below the header; empty ones and repeated headers are none."""
    titles = [title.strip() for title in table[header]]
    # What BORIS writes about the bout itself comes after the independent variables.
    columns = {title: column for column, title in enumerate(titles)}
    columns |= {title: titles.index(title) for title in _OF_OBSERVATION if title in columns}
    modifiers = [
        column
        for column, title in enumerate(titles)
        if column > columns["Subject"] and _MODIFIER.fullmatch(title)
    ]
    for number, row in enumerate(table[header + 1 :], start=header + 2):
        cells = [cell.strip() for cell in row]
        if not any(cells) or cells == titles:
            continue
        cells += [""] * (len(titles) - len(cells))
        by_title = {title: cell_text(cells[column]) for title, column in columns.items()}
        # empty ones at the end were added later
        joined = "|".join(cells[column] for column in modifiers).rstrip("|")
        yield _Line(number, by_title, joined)


class _Observation(NamedTuple):
    """What the rows of one observation say about it, always the same."""

    name: str
    kind: str
    source: str
    offset: str
    durations: str


@dataclass
class _Reader(BorisReader):
    """Reads the rows of one table, observation by observation, and collects what is odd."""

    intervals: bool = False  # a row is a bout, not an event
    preamble: dict[str, list[str]] = field(default_factory=dict)

    def rows(self, path: Path, table: Table, header: int) -> Iterator[dict[str, Any]]:
        """Yield the rows of all observations, under the table's row `header`."""
        for row in table[:header]:
            if row:
                stated = self.preamble.setdefault(row[0].strip(), [])
                stated.extend(cell.strip() for cell in row[1:2])
        if _OFFSET not in {*(title.strip() for title in table[header]), *self.preamble}:
            text = f"no '{_OFFSET}': times are read as if no time offset was set"
            self.warn("V074", "", text, "with a time offset, pass the .boris file instead")
        observations: dict[_Observation, list[_Line]] = {}
        for line in _lines(table, header):
            observations.setdefault(self._observation(path, line), []).append(line)
        for observation, lines in observations.items():
            yield from self._rows(observation, lines)

    def _observation(self, path: Path, line: _Line) -> _Observation:
        stated = {key: cells[0] for key, cells in self.preamble.items() if cells}
        name = line.cell("Observation id") or stated.get("Observation id") or path.stem
        kinds = [kind for kind in _UNRECORDED if kind in self.preamble]
        kind = next(iter(kinds), line.cell("Observation type"))
        kind = "LIVE" if line.cell(*_MEDIA) == "LIVE" else kind
        offset = line.cell(_OFFSET) or stated.get(_OFFSET, "")
        return _Observation(
            name, kind, line.cell("Source"), offset, line.cell("Media duration (s)")
        )

    def _rows(self, observation: _Observation, lines: list[_Line]) -> Iterator[dict[str, Any]]:
        place = f"observation {observation.name}"
        if observation.kind in _UNRECORDED:
            text = f"{len(lines)} rows of '{observation.kind}', not of a recording; skipped"
            self.warn("V075", place, text)
            return
        players = self._players(observation, lines)
        for name in (name for names in players.values() for name in names):
            self.media.setdefault(name, {})
        playlist = self._playlist(place, observation, players)
        found = [self._entry(line, observation.name) for line in lines]
        bouts = [bout for bout in found if isinstance(bout, BorisBout)]
        if playlist:  # pairs through files that cannot be placed would only be wrong in other ways
            bouts += self.paired(event for event in found if isinstance(event, BorisEvent))
            yield from self.rows_of(place, bouts, playlist)

    def _players(self, observation: _Observation, lines: list[_Line]) -> dict[str, list[str]]:
        """Return the files of each player: from `Source`, the preamble, or the rows themselves."""
        parts = _PLAYER.split(observation.source)
        if len(parts) > 1:  # text before the first player, then number and files in turn
            return {
                number: [name for name in names.split(";") if name]
                for number, names in zip(parts[1::2], parts[2::2], strict=True)
            }
        listed = {
            key.removeprefix("Player #"): [name for name in names if name]
            for key, names in self.preamble.items()
            if key.startswith("Player #")
        }
        if listed:
            return listed
        names = dict.fromkeys(line.cell(*_MEDIA) for line in lines)
        return {"1": [name for name in names if name not in ("", "NA", "Not found")]}

    def _playlist(
        self, place: str, observation: _Observation, players: Mapping[str, list[str]]
    ) -> Playlist | None:
        names = players.get("1", [])
        offset = _seconds(observation.offset or "0")
        durations = observation.durations.split("|")[0].split(";")
        lengths = [_seconds(text) or Fraction(0) for text in durations]
        if not names:
            self.refuse("V022", place, "names no file of player 1", _PROJECT)
        elif offset is None:
            self.refuse("V010", place, f"the time offset is {observation.offset[:40]!r}")
        elif len(names) > 1 and (len(lengths) != len(names) or min(lengths[:-1]) <= 0):
            text = f"player 1 holds {len(names)} files and the table does not say how long each is"
            self.refuse("V059", place, text, _PROJECT)
        else:
            self.warn_of_players(place, players)
            return self.playlist_of(place, names, lengths[: len(names) - 1], offset)
        return None

    def _entry(self, line: _Line, observation: str) -> BorisBout | BorisEvent | None:
        """Return the bout or event of a row; None where it has none, which is noted."""
        code, status = line.cell("Behavior"), line.cell("Behavior type", "Status").upper()
        if not code:
            self.warn("V048", line.place, "the row has no behaviour; skipped")
            return None
        statuses = ("STATE", "POINT") if self.intervals else ("START", "STOP", "POINT")
        if status not in statuses:
            self.refuse("V010", line.place, f"'{status[:40]}' is not one of {', '.join(statuses)}")
            return None
        start = self._time(line, "Start (s)" if self.intervals else "Time")
        end = self._time(line, "Stop (s)") if status == "STATE" else None
        if start is None or (end is None and status == "STATE"):
            return None
        empty = "the state has no length"
        if end is not None and not self.has_length(line.place, start, end, empty=empty):
            return None
        source_id, subject = f"{observation}:{line.number}", subject_name(line.cell("Subject"))
        texts = subject, code, line.modifiers, line.cell("Comment")
        event = BorisEvent(line.place, source_id, start, status, *texts)
        if not self.intervals:
            return event
        return bout_of(event, end, line.cell("Comment start"), line.cell("Comment stop"))

    def _time(self, line: _Line, column: str) -> Fraction | None:
        text = line.cell(column)
        time_s = _seconds(text)
        if time_s is None:
            todo = "export again with times in seconds and a point as the decimal mark"
            self.refuse("V052", line.place, f"'{column}' is {text[:40]!r}", todo)
        return time_s


def _seconds(text: str) -> Fraction | None:
    """Return seconds as they were written, None where a cell holds none (`NA`)."""
    return Fraction(text) if _SECONDS.fullmatch(text) else None


def write_boris_intervals(project: Project, path: Path) -> dict[str, int]:
    """Write the aggregated events that BORIS exports, one row per bout; see `write_table`.

    Each recording is an observation, the task is the behavioural category. What only BORIS could
    know is `NA`, as it writes it.
    """
    numbers, _ = pd.factorize(project.segments["media_name"])
    ordered = project.segments.assign(observation=numbers)
    ordered = ordered.sort_values(["observation", "t_start"], kind="stable")
    known = pd.DataFrame([_written(row) for row in ordered.to_dict("records")])
    table = known.reindex(columns=WRITTEN_COLUMNS, fill_value=_UNKNOWN).map(safe_cell)
    return write_table(project, path, table, kept=("task", "subject", "comment"))


def _written(row: Mapping[Any, Any]) -> dict[str, str]:
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
        _OFFSET: "0",
        "Subject": row["subject"] or NO_SUBJECT,
        "Behavior": row["label"],
        "Behavioral category": row["task"] or "Not defined",
        "Behavior type": "POINT" if point else "STATE",
        "Start (s)": decimal_text(start),
        "Stop (s)": decimal_text(end),
        "Duration (s)": _UNKNOWN if point else decimal_text(float(length)),
        "Media file name": name,
        "Comment start": row["comment"],
        "Comment stop": "",
    }
