"""Tables that BORIS exports: aggregated events (a row a bout) and tabular ones (a row an event).

Follows the source of BORIS 5 to 10. Columns came and went: `Media file`, `Total length` and
`Modifiers` before version 8; `Source`, `Media duration (s)` and `Modifier #1` since then;
`Time offset (s)` since 8.17. Tabular files before 8.7 have the observation's id, files and offset
in a preamble above the header row. Independent variables are columns before `Subject`, and may be
called like any other column.

`Media file name` is no help: BORIS looks it up without removing the time offset. The files of
player 1, their lengths and the offset tell where a time lies.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from dogclips.annotations.boris import (
    Bout,
    Event,
    Playlist,
    boris_project,
    closed,
    cut_to_ms,
    paired,
    placed,
    remark,
    subject_name,
    warn_of_borders,
    warn_of_players,
)
from dogclips.annotations.documents import Table
from dogclips.annotations.issues import Issues
from dogclips.annotations.project import Project
from dogclips.files import uttered

_INTERVALS = ("Subject", "Behavior", "Behavior type", "Start (s)", "Stop (s)")
_EVENTS = (
    ("Time", "Subject", "Behavior", "Behavior type"),
    ("Time", "Subject", "Behavior", "Status"),
)
_MEDIA = ("Media file name", "Media file", "Media file path")
_OFFSET = "Time offset (s)"
_UNRECORDED = ("Live observation", "From pictures", "From directories of images", "LIVE")
_PLAYER = re.compile(r"(?:^|\|)player #(\d+):", re.IGNORECASE)
_MODIFIER = re.compile(r"Modifiers?(?: #?\d+)?")
_SECONDS = re.compile(r"[+-]?\d{1,12}(?:\.\d{1,30})?")
_Parse = Callable[["_Line", str, Issues], Bout | Event | None]
_PROJECT = "pass the BORIS project (.boris) instead of the table"


def is_boris_intervals(table: Table) -> bool:
    """Tell whether a table holds aggregated events of BORIS."""
    return table.header(*_INTERVALS) is not None


def is_boris_events(table: Table) -> bool:
    """Tell whether a table holds tabular events of BORIS."""
    return _events_header(table) is not None


def read_boris_intervals(path: Path, table: Table) -> Project:
    """Read aggregated events: a row a bout, with its start and end in seconds.

    Times are seconds in the recording as mpv shows them. Points have no end.
    """
    return _Reader(Issues()).read(path, table, table.header(*_INTERVALS), _interval)


def read_boris_events(path: Path, table: Table) -> Project:
    """Read tabular events: a row a start, stop or point, its time in seconds.

    Times are seconds in the recording as mpv shows them. Points have no end.
    """
    return _Reader(Issues()).read(path, table, _events_header(table), _event)


def _events_header(table: Table) -> int | None:
    found = (table.header(*names) for names in _EVENTS)
    return next((number for number in found if number is not None), None)


@dataclass(frozen=True)
class _Line:
    """One row of a table with the names of its columns."""

    number: int  # of the row, from 1
    header: tuple[str, ...]
    cells: tuple[str, ...]

    @property
    def place(self) -> str:
        return f"row {self.number}"

    def cell(self, *names: str) -> str:
        """Return the cell of the first of these columns that there is, empty where none is."""
        for name in names:
            if name in self.header:
                columns = [column for column, title in enumerate(self.header) if title == name]
                # what BORIS writes about the bout itself comes after the independent variables
                column = columns[0] if name in _OF_OBSERVATION else columns[-1]
                return uttered(self.cells[column]) if column < len(self.cells) else ""
        return ""

    @property
    def modifiers(self) -> str:
        """Return all modifiers as BORIS joins them; empty ones at the end were added later."""
        first = len(self.header) - self.header[::-1].index("Subject")
        cells = zip(self.header[first:], self.cells[first:], strict=False)
        return "|".join(cell for title, cell in cells if _MODIFIER.fullmatch(title)).rstrip("|")


_OF_OBSERVATION = (
    "Observation id",
    "Observation type",
    "Source",
    _OFFSET,
    "Media duration (s)",
)


@dataclass(frozen=True)
class _Observation:
    """What the rows of one observation say about it, always the same."""

    name: str
    kind: str
    source: str
    offset: str
    durations: str


@dataclass
class _Reader:
    """Reads the rows of one table, observation by observation, and collects what is odd."""

    issues: Issues
    preamble: dict[str, list[str]] = field(default_factory=dict)
    media: dict[str, dict[str, str]] = field(default_factory=dict)

    def read(self, path: Path, table: Table, header: int | None, parse: _Parse) -> Project:
        """Return the project of a table whose header row is known."""
        rows: list[dict[str, Any]] = []
        if header is None:
            self.issues.refuse("V005", "", "not a table of BORIS: columns are missing")
        else:
            for row in table.rows[:header]:
                if row and len(row) > 1:
                    self.preamble.setdefault(row[0].strip(), []).append(row[1].strip())
                elif row:
                    self.preamble.setdefault(row[0].strip(), [])
            self._check_offset(table.rows[header])
            for observation, lines in self._observations(path, table, header).items():
                rows.extend(self._rows(observation, lines, parse))
        return boris_project(path, rows, self.media, self.issues)

    def _check_offset(self, header: list[str]) -> None:
        titles = {title.strip() for title in header}
        if _OFFSET not in titles and _OFFSET not in self.preamble:
            text = f"no '{_OFFSET}': times are read as if no time offset was set"
            self.issues.warn("V074", "", text, "with a time offset, pass the .boris file instead")

    def _observations(
        self, path: Path, table: Table, header: int
    ) -> dict[_Observation, list[_Line]]:
        """Return the rows of each observation; empty ones and repeated headers are none."""
        titles = tuple(title.strip() for title in table.rows[header])
        found: dict[_Observation, list[_Line]] = {}
        for number, row in enumerate(table.rows[header + 1 :], start=header + 2):
            cells = tuple(cell.strip() for cell in row)
            if any(cells) and cells != titles:
                line = _Line(number, titles, cells)
                found.setdefault(self._observation(path, line), []).append(line)
        return found

    def _observation(self, path: Path, line: _Line) -> _Observation:
        name = line.cell("Observation id") or self._said("Observation id") or path.stem
        kinds = [kind for kind in _UNRECORDED if kind in self.preamble]
        kind = next(iter(kinds), line.cell("Observation type"))
        if line.cell(*_MEDIA) == "LIVE":
            kind = "LIVE"
        offset = line.cell(_OFFSET) or self._said(_OFFSET)
        durations = line.cell("Media duration (s)")
        return _Observation(name, kind, line.cell("Source"), offset, durations)

    def _said(self, key: str) -> str:
        """Return what the preamble says."""
        return next(iter(self.preamble.get(key, [])), "")

    def _rows(
        self, observation: _Observation, lines: list[_Line], parse: _Parse
    ) -> Iterator[dict[str, Any]]:
        place = f"observation {observation.name}"
        if observation.kind in _UNRECORDED:
            text = f"{len(lines)} rows of '{observation.kind}', not of a recording; skipped"
            self.issues.warn("V075", place, text)
            return
        players = self._players(observation, lines)
        for name in (name for names in players.values() for name in names):
            self.media.setdefault(name, {})
        playlist = self._playlist(place, observation, players)
        found = [parse(line, observation.name, self.issues) for line in lines]
        bouts = [bout for bout in found if isinstance(bout, Bout)]
        bouts += paired([event for event in found if isinstance(event, Event)], self.issues)
        if playlist:
            yield from placed(closed(bouts, place, self.issues), playlist, self.issues)

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
            self.issues.refuse("V022", place, "names no file of player 1", _PROJECT)
        elif offset is None:
            self.issues.refuse("V010", place, f"the time offset is {observation.offset[:40]!r}")
        elif len(names) > 1 and (len(lengths) != len(names) or min(lengths[:-1]) <= 0):
            text = f"player 1 holds {len(names)} files and the table does not say how long each is"
            self.issues.refuse("V059", place, text, _PROJECT)
        else:
            warn_of_players(place, players, self.issues)
            if len(names) > 1:
                warn_of_borders(place, len(names), self.issues)
            cut = tuple(cut_to_ms(length) for length in lengths[: len(names) - 1])
            return Playlist(tuple(names), cut, round(offset, 3))
        return None


def _interval(line: _Line, observation: str, issues: Issues) -> Bout | None:
    """Return the bout of a row; None where it has none, which is noted."""
    code, kind = line.cell("Behavior"), line.cell("Behavior type").upper()
    if not _is_labelled(line, code, kind, ("STATE", "POINT"), issues):
        return None
    start = _time(line, "Start (s)", issues)
    end = _time(line, "Stop (s)", issues) if kind == "STATE" else None
    if start is None or (end is None and kind == "STATE"):
        return None
    if end is not None and end <= start:
        if end == start:
            issues.warn("V058", line.place, "the state has no length; skipped")
        else:
            span = f"ends ({float(end)} s) before it starts ({float(start)} s)"
            issues.refuse("V057", line.place, span)
        return None
    comment = remark(line.modifiers, line.cell("Comment start"), line.cell("Comment stop"))
    subject, source_id = subject_name(line.cell("Subject")), f"{observation}:{line.number}"
    return Bout(line.place, source_id, start, end, subject, code, comment)


def _event(line: _Line, observation: str, issues: Issues) -> Event | None:
    """Return the event of a row; None where it has none, which is noted."""
    code, status = line.cell("Behavior"), line.cell("Behavior type", "Status").upper()
    if not _is_labelled(line, code, status, ("START", "STOP", "POINT"), issues):
        return None
    time_s = _time(line, "Time", issues)
    if time_s is None:
        return None
    subject, source_id = subject_name(line.cell("Subject")), f"{observation}:{line.number}"
    texts = code, line.modifiers, line.cell("Comment")
    return Event(line.place, source_id, time_s, status, subject, *texts)


def _is_labelled(line: _Line, code: str, kind: str, kinds: tuple[str, ...], issues: Issues) -> bool:
    if not code:
        issues.warn("V048", line.place, "the row has no behaviour; skipped")
    elif kind not in kinds:
        issues.refuse("V010", line.place, f"'{kind[:40]}' is none of {', '.join(kinds)}")
    return bool(code) and kind in kinds


def _time(line: _Line, column: str, issues: Issues) -> Fraction | None:
    text = line.cell(column)
    time_s = _seconds(text)
    if time_s is None:
        todo = "export again with times in seconds and a point as decimal mark"
        issues.refuse("V052", line.place, f"'{column}' is {text[:40]!r}", todo)
    return time_s


def _seconds(text: str) -> Fraction | None:
    """Return seconds as they were written, None where a cell holds none (`NA`)."""
    return Fraction(text) if _SECONDS.fullmatch(text) else None
