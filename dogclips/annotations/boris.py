"""BORIS projects (.boris): observations, each a list of events in seconds.

Follows the source of BORIS 9 and its project format 7.0. A state has no length of its own: events
of one subject, code and modifiers start and stop it in turn. The time of an event counts from the
start of the first file of player 1, through all files of that player, plus the observation's time
offset. Tables that BORIS exports say the same in other words: see `boris_tables`.
"""

import math
from bisect import bisect_right, insort
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import accumulate
from pathlib import Path
from typing import Any

from dogclips.annotations.project import Importer, Media, Project
from dogclips.timebase import exact, shown

NO_SUBJECT = "No focal subject"

_KEYS = {"behaviors_conf", "observations"}
_VERSION = 7
_RECORDED = ("MEDIA", "VIDEO", "AUDIO")  # the last two: before format 1
_UNRECORDED = ("LIVE", "IMAGES")
_EXPORT = "in BORIS use 'Check state events' and 'Fix unpaired events', and save again"
# BORIS stops a behaviour 1 ms before another that excludes it, and adds 1 ms when it mends pairs.
_MADE_GAP_S = Fraction(2, 1000)
_NO_LENGTH = "the state has no length; skipped"
_OBSERVER = ("observer", "annotator", "coder", "rater", "scorer")
_INTERVAL = "observation time interval"
_CLOCK_S = 10**8  # three years: no recording, but seconds since 1970


@dataclass(frozen=True)
class BorisEvent:
    """One event of an observation."""

    place: str  # in the file, for people
    source_id: str  # observation and number of the event
    time_s: Fraction  # in the time of the observation, not of a file
    status: str  # START, STOP, POINT; STATE where every second one stops what the first one started
    subject: str
    code: str
    modifiers: str = ""
    comment: str = ""

    @property
    def key(self) -> tuple[str, str, str]:
        """Return what an event shares with the one that stops it."""
        return self.subject, self.code, self.modifiers


@dataclass(frozen=True)
class BorisBout:
    """A behaviour from its start to its end, in seconds of the observation; a point has no end."""

    begun: BorisEvent
    end: Fraction | None
    comment: str = ""  # modifiers and comments as one text
    flags: str = ""


@dataclass(frozen=True)
class Playlist:
    """The files of player 1, which BORIS plays one after the other."""

    names: tuple[str, ...]  # as BORIS wrote them
    lengths: tuple[Fraction, ...] = ()  # seconds of all but the last, cut to ms as BORIS does
    offset: Fraction = Fraction(0)  # the observation's time offset in seconds

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
        files = list(zip(self.names, borders, [*borders[1:], end], strict=True))
        return [
            (name, max(start, begin) - begin, min(end, stop) - begin)
            for name, begin, stop in files[first:]
            if begin < min(end, stop)  # a file shorter than a millisecond has no length here
        ]


@dataclass
class BorisReader(Importer):
    """What the readers of projects and tables share: bouts become rows, odd ones are noted."""

    format = "boris"
    player = "mpv"
    media: dict[str, dict[str, str]] = field(default_factory=dict)  # answers about each file
    observers: dict[str, str] = field(default_factory=dict)  # by observation, where it names one

    def project_of(self, path: Path, rows: Iterable[Mapping[str, Any]]) -> Project:
        """Return what a file of BORIS says."""
        rows = self._with_observers(list(rows))  # which note the media
        media = [Media(name, answers) for name, answers in self.media.items()]
        return self.project(path, rows, media, task="behavior")

    def _with_observers(self, rows: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        """Return rows that say who observed, where the file says so or has several observations.

        Two observations of one recording are two observers, unless a variable names them.
        """
        several: defaultdict[str, set[str]] = defaultdict(set)
        for row in rows:
            several[row["media_name"]].add(_observation_of(row))

        def observer(row: Mapping[str, Any]) -> str:
            own = _observation_of(row)
            usual = own if len(several[row["media_name"]]) > 1 else ""
            return self.observers.get(own, usual)

        limited = {(one["media_name"], one["source_id"]) for one in self.watched}
        keys = ((row["media_name"], _observation_of(row), observer(row)) for row in rows)
        whole = {(name, who) for name, own, who in keys if (name, f"{own}:") not in limited}
        spans = [row | {"observer": observer(row)} for row in self.watched]
        self.watched = [one for one in spans if (one["media_name"], one["observer"]) not in whole]
        return [{**row, "observer": observer(row)} for row in rows]

    def warn_of_players(self, place: str, players: Mapping[str, Sequence[str]]) -> None:
        """Say that segments name the files of player 1 only (V075)."""
        others = [number for number, names in players.items() if number != "1" and names]
        if others:
            numbers = ", ".join(others)
            text = f"annotations are not carried over to the files of player {numbers}"
            self.warn("V075", place, text, "align these recordings with the one of player 1")

    def playlist_of(
        self, place: str, names: Sequence[str], lengths: Iterable[Fraction], offset: Fraction
    ) -> Playlist:
        """Return the playlist of these files, where the lengths of all but the last are known.

        Says that the times in all files but the first stand on what BORIS believed (V074).
        """
        if len(names) > 1:
            text = (
                f"player 1 holds {len(names)} files; when each starts is computed from the lengths"
                " that BORIS stored, which are those of the last video stream"
            )
            self.warn("V074", place, text, "check a segment near the start of each later file")
        # BORIS adds up whole milliseconds, never more, and adds the offset rounded to milliseconds.
        whole = tuple(Fraction(math.floor(length * 1000), 1000) for length in lengths)
        return Playlist(tuple(names), whole, round(offset, 3))

    def paired(self, events: Iterable[BorisEvent]) -> list[BorisBout]:
        """Return the bouts between starts and stops, and the points, in the order of their starts.

        What starts and never stops, or the other way round, is refused (V070); a bout of no length
        is skipped (V058).
        """
        running: dict[tuple[str, str, str], BorisEvent] = {}
        bouts = []
        for event in sorted(events, key=lambda event: event.time_s):
            begun = running.get(event.key)
            if event.status == "POINT":
                bouts.append(bout_of(event, None, event.comment))
            elif event.status == "START" or (event.status == "STATE" and begun is None):
                if begun is not None:
                    self._refuse_unpaired(begun)
                running[event.key] = event
            elif begun is None:
                self._refuse_unpaired(event)
            else:
                del running[event.key]
                if begun.time_s == event.time_s:
                    self.warn("V058", begun.place, _NO_LENGTH)
                else:
                    bouts.append(bout_of(begun, event.time_s, begun.comment, event.comment))
        for event in running.values():
            self._refuse_unpaired(event)
        return sorted(bouts, key=lambda bout: bout.begun.time_s)

    def _refuse_unpaired(self, event: BorisEvent) -> None:
        fault = "stops and never started" if event.status == "STOP" else "starts and never stops"
        who = event.subject or NO_SUBJECT
        text = f"'{event.code}' of '{who}' at {shown(event.time_s)} s {fault}"
        self.refuse("V070", event.place, text, _EXPORT)

    def rows_of(
        self, place: str, bouts: Sequence[BorisBout], playlist: Playlist
    ) -> Iterator[dict[str, Any]]:
        """Yield a row for each bout and file, its times in seconds of that file."""
        for bout in self._closed(place, bouts):
            start = bout.begun.time_s - playlist.offset
            end = None if bout.end is None else bout.end - playlist.offset
            if not self._is_possible(bout.begun.place, start, end):
                continue
            parts = playlist.parts(start, end)
            for name, first, last in parts:
                yield {
                    "source_id": bout.begun.source_id,
                    "media_name": name,
                    "t_start": float(first),
                    "t_end": math.nan if last is None else float(last),
                    "kind": "point" if last is None else "state",
                    "label": bout.begun.code,
                    "subject": bout.begun.subject,
                    "comment": bout.comment,
                    "flags": f"{bout.flags} split".strip() if len(parts) > 1 else bout.flags,
                }

    def _closed(self, place: str, bouts: Sequence[BorisBout]) -> list[BorisBout]:
        """Return the bouts without the gaps that BORIS itself made, at most 2 ms (V073).

        A gap lies between the end of a state and the next start of any state of the same subject.
        """
        starts: defaultdict[str, list[Fraction]] = defaultdict(list)
        for bout in bouts:
            if bout.end is not None:
                insort(starts[bout.begun.subject], bout.begun.time_s)
        whole = list(bouts)
        for index, bout in enumerate(bouts):
            if bout.end is not None:
                later = starts[bout.begun.subject][
                    bisect_right(starts[bout.begun.subject], bout.end) :
                ]
                if later and later[0] - bout.end <= _MADE_GAP_S:
                    whole[index] = replace(bout, end=later[0], flags="snapped")
        count = sum(bout.flags == "snapped" for bout in whole)
        if count:
            gaps = f"{count} gap{'s' if count > 1 else ''} of at most 2 ms"
            text = f"{gaps} between a stop and the next start, made by BORIS; closed"
            self.warn("V073", place, text)
        return whole

    def _is_possible(self, place: str, start: Fraction, end: Fraction | None) -> bool:
        if start < 0:
            text = f"time {shown(start)} s is before the start of the recording"
            self.refuse("V053", place, text, "check the observation's time offset in BORIS")
        elif max(start, end or start) >= _CLOCK_S:
            text = f"time {shown(start)} s is a time of day, not a time in the recording"
            self.refuse(
                "V010", place, text, "code the recording again without the media creation date"
            )
        elif end is not None and float(start) >= float(end):
            self.warn("V058", place, _NO_LENGTH)
        else:
            return True
        return False


def bout_of(begun: BorisEvent, end: Fraction | None, *comments: str) -> BorisBout:
    """Return the bout that an event begins.

    Its comment is one text of the event's modifiers and these comments; a modifier `None` was not
    chosen.
    """
    chosen = [part.strip() for part in begun.modifiers.split("|")]
    modifiers = "|".join("" if part == "None" else part for part in chosen).rstrip("|")
    parts = [f"modifiers: {modifiers}" if modifiers else "", *(text.strip() for text in comments)]
    return BorisBout(begun, end, "; ".join(part for part in parts if part))


def _observation_of(row: Mapping[str, Any]) -> str:
    return str(row["source_id"]).rpartition(":")[0]


def subject_name(text: str) -> str:
    """Return a subject's name, empty where BORIS says that there is none."""
    name = text.strip()
    return "" if name == NO_SUBJECT else name


def read_boris(path: Path, tree: Any) -> Project | None:
    """Read a BORIS project, with everything that is wrong with it; None where it is none.

    Times are seconds in the recording as mpv shows them. A bout that runs over the end of a file
    is a row for each file. Points have no end.
    """
    if not isinstance(tree, dict) or not tree.keys() >= _KEYS:
        return None
    reader = _Reader()
    return reader.project_of(path, reader.rows(tree))


@dataclass
class _Reader(BorisReader):
    """Walks the observations of one project and collects what is odd about them."""

    kinds: dict[str, str] = field(default_factory=dict)  # by code: state or point

    def rows(self, tree: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """Yield the rows of all observations."""
        version = tree.get("project_format_version", "")
        major = str(version).partition(".")[0]
        if major.isdecimal() and len(major) < 10 and int(major) > _VERSION:
            text = f"project format {version} is newer than {_VERSION}.x; read anyway"
            self.warn("V006", "project_format_version", text)
        self._read_kinds(self._object("behaviors_conf", tree["behaviors_conf"]))
        for name, observation in self._object("observations", tree["observations"]).items():
            place = f"observations.{name}"
            yield from self._observation(place, name, self._object(place, observation))

    def _object(self, place: str, value: Any) -> dict[str, Any]:
        if isinstance(value, dict):
            return value
        self.refuse("V010", place, "is not an object")
        return {}

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
                self.refuse("V010", place, "has no code, or is not a state or a point")
            elif self.kinds.setdefault(code.strip(), kind) != kind:
                self.refuse("V010", place, f"'{code}' is both a state and a point")
        self.vocabulary = tuple(self.kinds)

    def _observation(
        self, place: str, name: str, observation: Mapping[str, Any]
    ) -> Iterator[dict[str, Any]]:
        kind, entries = observation.get("type"), observation.get("events")
        if not observation:
            return
        if not isinstance(entries, list) or kind not in (*_RECORDED, *_UNRECORDED):
            self.refuse("V010", place, "has no list of events, or an unknown type")
            return
        if kind in _UNRECORDED:
            if entries:
                text = f"{len(entries)} events of a {kind} observation, not a recording; skipped"
                self.warn("V075", place, text)
            return
        players = self._players(f"{place}.file", observation.get("file"))
        self._note_observer(name, observation.get("independent_variables"))
        self._note_media(players, observation)
        if not entries:
            return
        playlist = self._playlist(place, players, observation)
        if playlist:
            self._note_watched(place, name, playlist, observation.get(_INTERVAL))
        events = [self._event(place, name, *numbered) for numbered in enumerate(entries)]
        if playlist:  # pairs through files that cannot be placed would only be wrong in other ways
            bouts = self.paired(event for event in events if event)
            yield from self.rows_of(place, bouts, playlist)

    def _players(self, place: str, files: Any) -> dict[str, list[str]]:
        """Return the files of each player; before format 1 they were a list, one per player."""
        if isinstance(files, list):
            files = {str(number): [name] for number, name in enumerate(files, start=1)}
        players: dict[str, list[str]] = {}
        for number, names in self._object(place, files).items():
            if isinstance(names, list) and all(isinstance(name, str) and name for name in names):
                players[number] = names
            else:
                self.refuse("V010", f"{place}.{number}", "is not a list of file names")
        return players

    def _note_observer(self, name: str, variables: Any) -> None:
        """Note who made an observation: BORIS has no field for it, so people add a variable."""
        for question, answer in variables.items() if isinstance(variables, dict) else ():
            if str(question).strip().casefold() in _OBSERVER and str(answer or "").strip():
                self.observers.setdefault(name, str(answer).strip())

    def _note_media(self, players: Mapping[str, list[str]], observation: Mapping[str, Any]) -> None:
        """List the files; independent variables are what annotators said about them."""
        variables = observation.get("independent_variables")
        given = variables.items() if isinstance(variables, dict) else ()
        for name in (name for names in players.values() for name in names):
            answers = self.media.setdefault(name, {})
            for question, answer in given:
                known = answers.get(str(question), "")
                if answer not in ("", None) and str(answer) not in known.split(", "):
                    answers[str(question)] = f"{known}, {answer}" if known else str(answer)

    def _playlist(
        self, place: str, players: Mapping[str, list[str]], observation: Mapping[str, Any]
    ) -> Playlist | None:
        names, offset = players.get("1"), _seconds(observation.get("time offset") or 0)
        if not names:
            self.refuse("V022", f"{place}.file", "has events, but no file in player 1")
        elif offset is None:
            self.refuse("V010", f"{place}.time offset", "is not a number of seconds")
        elif observation.get("media_creation_date_as_offset"):
            text = "its times count from the date when the recording was made, not from its start"
            todo = "untick 'media creation date as offset' in BORIS and shift the events"
            self.refuse("V010", place, text, todo)
        else:
            self.warn_of_players(place, players)
            lengths = self._lengths(place, names[:-1], observation.get("media_info"))
            if lengths is not None:
                return self.playlist_of(place, names, lengths, offset)
        return None

    def _note_watched(
        self, place: str, observation: str, playlist: Playlist, interval: Any
    ) -> None:
        """Note the part of the files to which an observation was limited; [0, 0] means all.

        BORIS counts it from the start of the first file, without the time offset; an end of 0 is
        that of the last file (`export_events`, `time_budget_functions`).
        """
        if interval is None:
            return
        place, source_id = f"{place}.{_INTERVAL}", f"{observation}:"
        times = [_seconds(time) for time in interval] if isinstance(interval, list) else []
        if len(times) != 2 or None in times:
            self.refuse("V010", place, "is not two numbers of seconds")
            return
        begin, end = (time or Fraction(0) for time in times)
        if end < begin and end != 0:
            self.refuse("V010", place, "ends before it starts")
        elif begin or end:
            parts = playlist.parts(begin, end or Fraction(_CLOCK_S))
            found = {name: (float(first), float(last or 0)) for name, first, last in parts}
            for name in playlist.names:
                first, last = found.get(name, (0.0, 0.0))
                until = last if end or name != playlist.names[-1] else math.nan
                span = {"media_name": name, "t_start": first, "t_end": until}
                self.watched.append(span | {"source_id": source_id})

    def _lengths(self, place: str, names: Sequence[str], info: Any) -> list[Fraction] | None:
        """Return the lengths of these files, None where one is missing."""
        stored = info.get("length") if isinstance(info, dict) else None
        lengths = []
        for name in names:
            length = _seconds(stored.get(name)) if isinstance(stored, dict) else None
            if length is None or length <= 0:
                text = f"the length of '{name}' is missing; the files after it cannot be placed"
                self.refuse("V010", f"{place}.media_info.length", text)
                return None
            lengths.append(length)
        return lengths

    def _event(self, place: str, name: str, number: int, entry: Any) -> BorisEvent | None:
        """Return one event; fields from the sixth on (frame index) are of no use for times."""
        place = f"{place}.events[{number}]"
        if not isinstance(entry, list) or len(entry) < 5:
            self.refuse("V010", place, "is not a list of 5 or 6 fields")
            return None
        time_s, texts = _seconds(entry[0]), ["" if text is None else text for text in entry[1:5]]
        if time_s is None:
            self.refuse("V052", place, f"the time is {str(entry[0])[:40]!r}")
            return None
        if not all(isinstance(text, str) for text in texts):
            self.refuse("V010", place, "subject, code, modifiers and comment must be text")
            return None
        subject, code, modifiers, comment = texts
        code = code.strip()
        if not code:
            self.warn("V048", place, "the event has no behaviour; skipped")
        elif code not in self.kinds:
            text = f"'{code}' is not in the ethogram; it could be a state or a point"
            todo = "add it to the ethogram in BORIS, or delete its events"
            self.refuse("V010", place, text, todo)
        else:
            names = subject_name(subject), code, modifiers, comment
            return BorisEvent(place, f"{name}:{number}", time_s, self.kinds[code].upper(), *names)
        return None


def _seconds(value: Any) -> Fraction | None:
    """Return a JSON number of seconds as it was written, None where it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return exact(value) if -1e12 < value < 1e12 else None  # false for NaN
