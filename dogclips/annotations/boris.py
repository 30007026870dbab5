"""BORIS projects (.boris): observations, each a list of events in seconds.

Follows the source of BORIS 9 and its project format 7.0. A state has no length of its own: events
of one subject, code and modifiers start and stop it in turn. The time of an event counts from the
start of the first file of player 1, through all files of that player, plus the observation's time
offset. Tables that BORIS exports say the same in other words: see `boris_tables`.
"""

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import accumulate
from pathlib import Path
from typing import Any

from dogclips.annotations.issues import Issues
from dogclips.annotations.project import Media, Project
from dogclips.segments import segment_table
from dogclips.timebase import exact, shown

_KEYS = ("behaviors_conf", "observations")
_VERSION = 7
_RECORDED = ("MEDIA", "VIDEO", "AUDIO")  # the last two: before format 1
_UNRECORDED = ("LIVE", "IMAGES")
_NO_SUBJECT = "No focal subject"
_EXPORT = "in BORIS use 'Check state events' and 'Fix unpaired events', and save again"
# BORIS stops a behaviour 1 ms before another that excludes it, and adds 1 ms when it mends pairs.
_MADE_GAP_S = Fraction(2, 1000)
_CLOCK_S = 10**8  # three years: no recording, but seconds since 1970


@dataclass(frozen=True)
class Event:
    """One event of an observation.

    Parameters
    ----------
    place
        Where it stands in the file, for people.
    source_id
        Observation and number of the event.
    time_s
        Seconds in the time of the observation, not of a file.
    status
        START, STOP or POINT.
    """

    place: str
    source_id: str
    time_s: Fraction
    status: str
    subject: str
    code: str
    modifiers: str = ""
    comment: str = ""

    @property
    def key(self) -> tuple[str, str, str]:
        """Return what an event shares with the one that stops it."""
        return self.subject, self.code, self.modifiers


@dataclass(frozen=True)
class Bout:
    """A behaviour from its start to its end, in seconds of the observation.

    A point has no end.
    """

    place: str
    source_id: str
    start: Fraction
    end: Fraction | None
    subject: str
    code: str
    comment: str = ""
    flags: str = ""


@dataclass(frozen=True)
class Playlist:
    """The files of player 1, which BORIS plays one after the other.

    Parameters
    ----------
    names
        As BORIS wrote them.
    lengths
        Seconds of all files but the last, cut to milliseconds as BORIS does.
    offset
        The observation's time offset in seconds.
    """

    names: tuple[str, ...]
    lengths: tuple[Fraction, ...] = ()
    offset: Fraction = Fraction(0)

    def parts(
        self, start: Fraction, end: Fraction | None
    ) -> list[tuple[str, Fraction, Fraction | None]]:
        """Return file, start and end for each file that a bout touches.

        What lies on the border of two files belongs to the later one. Times are in seconds; the
        last file goes on for ever, since only the recording itself knows its end.

        >>> Playlist(("a", "b"), (Fraction(10),)).parts(Fraction(8), Fraction(13))
        [('a', Fraction(8, 1), Fraction(10, 1)), ('b', Fraction(0, 1), Fraction(3, 1))]
        """
        borders = list(accumulate(self.lengths, initial=Fraction(0)))
        first = bisect_right(borders, start) - 1
        if end is None:
            return [(self.names[first], start - borders[first], None)]
        found: list[tuple[str, Fraction, Fraction | None]] = []
        for number in range(first, len(borders)):
            begin = borders[number]
            stop = end if number + 1 == len(borders) else min(end, borders[number + 1])
            if begin < end:
                found.append((self.names[number], max(start, begin) - begin, stop - begin))
        return found


def is_boris(tree: Any) -> bool:
    """Tell whether a JSON tree is a BORIS project."""
    return isinstance(tree, dict) and all(key in tree for key in _KEYS)


def read_boris(path: Path, tree: Any) -> Project:
    """Read a BORIS project, with everything that is wrong with it.

    Times are seconds in the recording as mpv shows them. A bout that runs over the end of a file
    is a row for each file. Points have no end.
    """
    reader = _Reader(Issues())
    rows = list(reader.project(tree))
    return boris_project(path, rows, reader.media, reader.issues)


def boris_project(
    path: Path,
    rows: Iterable[Mapping[str, Any]],
    media: Mapping[str, Mapping[str, str]],
    issues: Issues,
) -> Project:
    """Return what a file of BORIS says; `rows` lack only what is the same for the whole file."""
    segments = segment_table(
        {"source_format": "boris", "source_file": path.stem, "task": "behavior"} | dict(row)
        for row in rows
    )
    kinds = Counter(segments["kind"])
    return Project(
        path=path,
        format="boris",
        segments=segments,
        media=tuple(Media(name, dict(attributes)) for name, attributes in media.items()),
        issues=tuple(issues.found),
        counts={"segments": kinds["state"], "points": kinds["point"]},
        player="mpv",
    )


def paired(events: Iterable[Event], issues: Issues) -> list[Bout]:
    """Return the bouts between starts and stops, and the points, in the order of their starts.

    What starts and never stops, or the other way round, is refused (V070); a bout of no length is
    skipped (V058).
    """
    running: dict[tuple[str, str, str], Event] = {}
    bouts = []
    for event in sorted(events, key=lambda event: event.time_s):
        if event.status == "POINT":
            bouts.append(_bout(event, None, event.comment))
        elif event.status == "START":
            if event.key in running:
                _refuse_unpaired(running[event.key], issues)
            running[event.key] = event
        elif (start := running.pop(event.key, None)) is None:
            _refuse_unpaired(event, issues)
        elif start.time_s == event.time_s:
            issues.warn("V058", start.place, "the state has no length; skipped")
        else:
            bouts.append(_bout(start, event.time_s, start.comment, event.comment))
    for event in running.values():
        _refuse_unpaired(event, issues)
    return sorted(bouts, key=lambda bout: bout.start)


def _bout(event: Event, end: Fraction | None, *comments: str) -> Bout:
    comment = remark(event.modifiers, *comments)
    names = event.subject, event.code
    return Bout(event.place, event.source_id, event.time_s, end, *names, comment)


def remark(modifiers: str, *comments: str) -> str:
    """Return modifiers and comments as one text; a modifier `None` was not chosen.

    >>> remark("left|None", "ears back", "")
    'modifiers: left; ears back'
    """
    chosen = [part.strip() for part in modifiers.split("|")]
    text = "|".join("" if part == "None" else part for part in chosen).rstrip("|")
    parts = [f"modifiers: {text}" if text else "", *(comment.strip() for comment in comments)]
    return "; ".join(part for part in parts if part)


def subject_name(text: str) -> str:
    """Return a subject's name, empty where BORIS says that there is none."""
    name = text.strip()
    return "" if name == _NO_SUBJECT else name


def _refuse_unpaired(event: Event, issues: Issues) -> None:
    fault = "starts and never stops" if event.status == "START" else "stops and never started"
    who = event.subject or _NO_SUBJECT
    text = f"'{event.code}' of '{who}' at {shown(event.time_s)} s {fault}"
    issues.refuse("V070", event.place, text, _EXPORT)


def closed(bouts: Iterable[Bout], place: str, issues: Issues) -> list[Bout]:
    """Return the bouts without the gaps that BORIS itself made, at most 2 ms (V073).

    A gap lies between the end of a state and the next start of any state of the same subject.
    """
    bouts = list(bouts)
    starts: dict[str, list[Fraction]] = {}
    for bout in sorted(bouts, key=lambda bout: bout.start):
        if bout.end is not None:
            starts.setdefault(bout.subject, []).append(bout.start)
    whole = [_snapped(bout, starts.get(bout.subject, [])) for bout in bouts]
    count = sum(bout.flags == "snapped" for bout in whole)
    if count:
        gaps = f"{count} gap{'s' if count > 1 else ''} of at most 2 ms"
        text = f"{gaps} between a stop and the next start, made by BORIS; closed"
        issues.warn("V073", place, text)
    return whole


def _snapped(bout: Bout, starts: list[Fraction]) -> Bout:
    if bout.end is None:
        return bout
    following = bisect_right(starts, bout.end)
    if following == len(starts) or starts[following] - bout.end > _MADE_GAP_S:
        return bout
    return replace(bout, end=starts[following], flags="snapped")


def placed(bouts: Iterable[Bout], playlist: Playlist, issues: Issues) -> Iterator[dict[str, Any]]:
    """Yield a row for each bout and file, its times in seconds of that file."""
    for bout in bouts:
        start = bout.start - playlist.offset
        end = None if bout.end is None else bout.end - playlist.offset
        if _is_possible(bout, start, end, issues):
            parts = playlist.parts(start, end)
            flags = f"{bout.flags} split".strip() if len(parts) > 1 else bout.flags
            for name, first, last in parts:
                yield _row(bout, name, first, last) | {"flags": flags}


def _is_possible(bout: Bout, start: Fraction, end: Fraction | None, issues: Issues) -> bool:
    if start < 0:
        text = f"time {shown(start)} s lies before the recording's start"
        issues.refuse("V053", bout.place, text, "check the observation's time offset in BORIS")
        return False
    if max(start, end or start) >= _CLOCK_S:
        text = f"time {shown(start)} s is a clock's, not a recording's"
        issues.refuse("V010", bout.place, text, "code again without the media creation date")
        return False
    if end is not None and float(start) >= float(end):
        issues.warn("V058", bout.place, "the state has no length; skipped")
        return False
    return True


def _row(bout: Bout, name: str, start: Fraction, end: Fraction | None) -> dict[str, Any]:
    return {
        "source_id": bout.source_id,
        "media_name": name,
        "t_start": float(start),
        "t_end": math.nan if end is None else float(end),
        "kind": "point" if end is None else "state",
        "label": bout.code,
        "subject": bout.subject,
        "comment": bout.comment,
    }


def cut_to_ms(time_s: Fraction) -> Fraction:
    """Return a length as BORIS adds it up: whole milliseconds, never more."""
    return Fraction(math.floor(time_s * 1000), 1000)


def warn_of_borders(place: str, num_files: int, issues: Issues) -> None:
    """Say that the times in all files but the first stand on what BORIS believed (V074)."""
    text = (
        f"player 1 holds {num_files} files; where one ends follows the lengths that BORIS stored,"
        " which are those of a file's last video stream"
    )
    issues.warn("V074", place, text, "check a segment near the start of each later file")


def warn_of_players(place: str, players: Mapping[str, list[str]], issues: Issues) -> None:
    """Say that segments name the files of player 1 only (V075)."""
    others = [number for number, names in players.items() if number != "1" and names]
    if others:
        numbers = ", ".join(others)
        text = f"annotations are not carried over to the files of player {numbers}"
        issues.warn("V075", place, text, "align these recordings with the one of player 1")


@dataclass
class _Reader:
    """Walks the observations of one project and collects what is odd about them."""

    issues: Issues
    kinds: dict[str, str] = field(default_factory=dict)
    media: dict[str, dict[str, str]] = field(default_factory=dict)

    def project(self, tree: Any) -> Iterator[dict[str, Any]]:
        """Yield the rows of all observations."""
        if not isinstance(tree, dict):
            self.issues.refuse("V001", "", "the top level is no object")
            return
        missing = [key for key in _KEYS if key not in tree]
        if missing:
            keys = ", ".join(missing)
            self.issues.refuse("V005", "", f"not a BORIS project: missing key(s) {keys}")
            return
        self._check_version(tree.get("project_format_version", ""))
        self._read_kinds(self._object("behaviors_conf", tree["behaviors_conf"]))
        for name, observation in self._object("observations", tree["observations"]).items():
            place = f"observations.{name}"
            yield from self._observation(place, name, self._object(place, observation))

    def _object(self, place: str, value: Any) -> dict[str, Any]:
        if isinstance(value, dict):
            return value
        self.issues.refuse("V010", place, "is no object")
        return {}

    def _check_version(self, version: Any) -> None:
        major = str(version).partition(".")[0]
        if major.isdecimal() and len(major) < 10 and int(major) > _VERSION:
            text = f"project format {version} is newer than {_VERSION}.x; read all the same"
            self.issues.warn("V006", "project_format_version", text)

    def _read_kinds(self, ethogram: Mapping[str, Any]) -> None:
        """Learn which codes are states: `State event`, `Point event with coding map` ..."""
        for number, entry in ethogram.items():
            place = f"behaviors_conf.{number}"
            behaviour = self._object(place, entry)
            code, words = behaviour.get("code"), str(behaviour.get("type")).casefold()
            kind = next((kind for kind in ("state", "point") if kind in words), None)
            if not behaviour:
                continue
            if not isinstance(code, str) or kind is None:
                self.issues.refuse("V010", place, "has no code, or is neither state nor point")
            elif self.kinds.setdefault(code.strip(), kind) != kind:
                self.issues.refuse("V010", place, f"'{code}' is a state and a point")

    def _observation(
        self, place: str, name: str, observation: Mapping[str, Any]
    ) -> Iterator[dict[str, Any]]:
        kind, entries = observation.get("type"), observation.get("events")
        if not observation:
            return
        if not isinstance(entries, list) or kind not in (*_RECORDED, *_UNRECORDED):
            self.issues.refuse("V010", place, "has no list of events, or an unknown type")
            return
        if kind in _UNRECORDED:
            if entries:
                text = f"{len(entries)} events of a {kind} observation, not a recording; skipped"
                self.issues.warn("V075", place, text)
            return
        players = self._players(f"{place}.file", observation.get("file"))
        self._note_media(players, observation)
        if not entries:
            return
        playlist = self._playlist(place, players, observation)
        events = [self._event(place, name, *numbered) for numbered in enumerate(entries)]
        bouts = paired(_alternating([event for event in events if event]), self.issues)
        if playlist:
            yield from placed(closed(bouts, place, self.issues), playlist, self.issues)

    def _players(self, place: str, files: Any) -> dict[str, list[str]]:
        """Return the files of each player; before format 1 they were a list, one a player."""
        if isinstance(files, list):
            files = {str(number): [name] for number, name in enumerate(files, start=1)}
        players: dict[str, list[str]] = {}
        for number, names in self._object(place, files).items():
            if isinstance(names, list) and all(isinstance(name, str) and name for name in names):
                players[number] = names
            else:
                self.issues.refuse("V010", f"{place}.{number}", "is no list of file names")
        return players

    def _note_media(self, players: Mapping[str, list[str]], observation: Mapping[str, Any]) -> None:
        """List the files; independent variables are what annotators said about them."""
        variables = observation.get("independent_variables")
        said = variables.items() if isinstance(variables, dict) else ()
        for name in (name for names in players.values() for name in names):
            answers = self.media.setdefault(name, {})
            for question, answer in said:
                known = answers.get(str(question), "")
                if answer not in ("", None) and str(answer) not in known.split(", "):
                    answers[str(question)] = f"{known}, {answer}" if known else str(answer)

    def _playlist(
        self, place: str, players: Mapping[str, list[str]], observation: Mapping[str, Any]
    ) -> Playlist | None:
        names = players.get("1", [])
        offset = _seconds(observation.get("time offset") or 0)
        if not names:
            self.issues.refuse("V022", f"{place}.file", "has events, but no file in player 1")
        elif offset is None:
            self.issues.refuse("V010", f"{place}.time offset", "is no number of seconds")
        elif observation.get("media_creation_date_as_offset"):
            text = "its times count from the date when the recording was made, not from its start"
            todo = "untick 'media creation date as offset' in BORIS and shift the events"
            self.issues.refuse("V010", place, text, todo)
        else:
            warn_of_players(place, players, self.issues)
            lengths = self._lengths(place, names, observation.get("media_info"))
            # BORIS adds the offset rounded to milliseconds
            return None if lengths is None else Playlist(tuple(names), lengths, round(offset, 3))
        return None

    def _lengths(self, place: str, names: list[str], info: Any) -> tuple[Fraction, ...] | None:
        """Return the lengths of all files but the last, None where one is missing."""
        if len(names) == 1:
            return ()
        stored = info.get("length") if isinstance(info, dict) else None
        lengths = []
        for name in names[:-1]:
            length = _seconds(stored.get(name)) if isinstance(stored, dict) else None
            if length is None or length <= 0:
                text = f"the length of '{name}' is missing; the files after it cannot be placed"
                self.issues.refuse("V010", f"{place}.media_info.length", text)
                return None
            lengths.append(cut_to_ms(length))
        warn_of_borders(place, len(names), self.issues)
        return tuple(lengths)

    def _event(self, place: str, name: str, number: int, entry: Any) -> Event | None:
        """Return one event; fields from the sixth on (frame index) are of no use for times."""
        place = f"{place}.events[{number}]"
        if not isinstance(entry, list) or len(entry) < 5:
            self.issues.refuse("V010", place, "is no list of 5 or 6 fields")
            return None
        time_s, texts = _seconds(entry[0]), ["" if text is None else text for text in entry[1:5]]
        if time_s is None:
            self.issues.refuse("V052", place, f"the time is {str(entry[0])[:40]!r}")
            return None
        if not all(isinstance(text, str) for text in texts):
            self.issues.refuse("V010", place, "subject, code, modifiers and comment must be text")
            return None
        subject, code, modifiers, comment = texts
        if not code.strip():
            self.issues.warn("V048", place, "the event has no behaviour; skipped")
            return None
        kind = self.kinds.get(code.strip())
        if kind is None:
            text = f"'{code.strip()}' is not in the ethogram: a state or a point?"
            todo = "add it to the ethogram in BORIS, or delete its events"
            self.issues.refuse("V010", place, text, todo)
            return None
        status = "POINT" if kind == "point" else "START"
        names = subject_name(subject), code.strip()
        return Event(place, f"{name}:{number}", time_s, status, *names, modifiers, comment)


def _seconds(value: Any) -> Fraction | None:
    """Return a JSON number of seconds as it was written, None where it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return exact(value) if -1e12 < value < 1e12 else None  # false for NaN


def _alternating(events: list[Event]) -> list[Event]:
    """Return events with their status: every second one of a state stops it."""
    running: set[tuple[str, str, str]] = set()
    found = []
    for event in sorted(events, key=lambda event: event.time_s):
        stops = event.status == "START" and event.key in running
        found.append(replace(event, status="STOP") if stops else event)
        if event.status == "START":
            running ^= {event.key}
    return found
