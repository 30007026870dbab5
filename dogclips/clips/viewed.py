"""Recordings as annotation files mean them: which file, seen how, and what happens in it when."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import get_args

import pandas as pd

from dogclips.alignment import AnnotatedIn, zero_of
from dogclips.annotations import Issue, Media
from dogclips.clips.config import CutConfig
from dogclips.clips.labelled import Labelled, LabelledFile, Refused
from dogclips.clips.names import RecordingName, recording_name
from dogclips.clips.observers import Account, accounts_of, bouts_of, merged, watched_labels
from dogclips.clips.originals import likely_original, originals_of
from dogclips.clips.recordings import Recording, Recordings
from dogclips.clips.session import ORIGINALS_DIR, Session
from dogclips.clips.viewing import Viewing, counted_alike, viewing_of
from dogclips.clips.windows import WindowRules
from dogclips.errors import DogclipsError, SessionError
from dogclips.segments import last_end_s
from dogclips.streams import StreamTable
from dogclips.timebase import ROUNDING_SLACK_S, Span, shown

_SIDES = ("start", "end")


@dataclass(frozen=True, eq=False)
class ViewedRecording:
    """A recording as the annotation files mean it that name it."""

    folder: str  #: Where its clips go, under `output/`
    source: str  #: What clips are cut from, relative to the session folder
    annotated: str  #: What was annotated, if that is a copy of it; else empty
    attributes: Mapping[str, str]  #: The annotators' attributes of the whole recording
    viewing: Viewing
    name: RecordingName  #: What the names of its clips share
    bouts: pd.DataFrame  #: Columns of `windows.BOUT_COLUMNS`, labels by class name
    annotated_s: Fraction  #: When the annotator stopped
    files: tuple[str, ...] = ()  #: The annotation files by name without suffix
    #: What was watched, as far as somebody says so; None where nobody does.
    watched: tuple[Span, ...] | None = None
    warnings: tuple[str, ...] = ()  #: What is odd about it

    def rules(self, config: CutConfig) -> WindowRules:
        """Return where windows of this recording lie and which labels they get."""
        rules, shared = config.windows, self.viewing.shared
        if config.phase_seconds == "auto":
            rules = replace(rules, phase_s=max(shared.start, Fraction(0)))
        return replace(rules, last_s=shared.end - rules.clip_s) if config.end_window else rules

    @property
    def until_s(self) -> Fraction:
        """Return the annotation time up to which there may be windows."""
        ends: list[Fraction] = self.bouts["end"].tolist()
        return max([self.viewing.length_s, *ends, Fraction(0)])


@dataclass(frozen=True, eq=False)
class _Part:
    """What one annotation file says of a recording."""

    viewed: ViewedRecording
    accounts: list[Account]


def view_recordings(
    session: Session, labelled: Labelled, recordings: Recordings, config: CutConfig
) -> Iterator[ViewedRecording | Refused]:
    """Yield the recordings that annotation files name, and those that cannot be used.

    A recording that several files name is one: its clips go to the folder of the first of them.
    """
    originals = originals_of(session, config.originals)
    parts: dict[Path, list[_Part]] = {}
    for file in labelled.files:
        choice = config.choice_of(file.project)
        paths = session.recordings(file.project.media_names)
        for media in file.project.media:
            try:
                path = _usable(paths[media.name])
                _usable(originals.get(path, path))
                odd = copies_cut(session, path, originals, recordings)
                recording = recordings[path, choice]
                part = _part(session.base_dir, file, media, recording, config, tuple(odd))
                parts.setdefault(path, []).append(part)
            except DogclipsError as error:
                yield Refused(file.folder, media.name, error)
    for path, own in parts.items():
        try:
            yield _merged(own, config.observers)
        except DogclipsError as error:
            where = error.where or path
            refused = SessionError(error.what, where=where, todo=error.todo)
            yield Refused(own[0].viewed.folder, own[0].viewed.source, refused)


def _usable(found: Path | SessionError) -> Path:
    if isinstance(found, SessionError):
        raise found
    return found


def copies_cut(
    session: Session,
    path: Path,
    originals: Mapping[Path, Path | SessionError],
    recordings: Recordings,
) -> Iterator[str]:
    """Yield why a recording that has no original may need one."""
    if path in originals:
        return
    name = path.name
    if session.originals:
        yield f"P062 {ORIGINALS_DIR}/ has no original of {name}: clips are cut from {name} itself"
        return
    if path in session.proxies:
        yield f"P063 {name} is a small copy that a camera made: name its original in `originals`"
        return
    tables = {one.path: one.table for one in recordings.values() if one.table is not None}
    original = likely_original(tables[path], tables.values()) if path in tables else None
    if original is not None:
        advice = f"set `originals: {{{name}: {original.path.name}}}` to cut that one"
        yield f"P063 {name} looks like a smaller copy of {original.path.name}: {advice}"


def _merged(parts: Sequence[_Part], rule: str | None) -> ViewedRecording:
    """Return what all files say of a recording, in the annotation time of the first."""
    first = parts[0].viewed
    accounts = [
        _in_time_of(first.viewing, part.viewed.viewing, account)
        for part in parts
        for account in part.accounts
    ]
    one = merged(accounts, rule)
    warnings = [text for part in parts for text in part.viewed.warnings]
    seen = first.annotated or first.source
    if len(parts) > 1:
        names = ", ".join(part.viewed.files[0] for part in parts)
        text = f"V085 named by {len(parts)} annotation files ({names}), which become one"
        warnings.append(f"{seen}: {text}")
    outside = ((account.file, account.outside) for account in accounts)
    warnings += [f"{seen}: V090 {text} ({file})" for file, text in outside if text]
    answers: dict[str, str] = {}
    for part in reversed(parts):
        answers |= part.viewed.attributes
    return replace(
        first,
        attributes=answers,
        bouts=one.bouts,
        watched=one.watched,
        annotated_s=one.annotated_s,
        files=tuple(name for part in parts for name in part.viewed.files),
        warnings=tuple(warnings),
    )


def _in_time_of(viewing: Viewing, other: Viewing, account: Account) -> Account:
    """Return an account in the annotation time of another viewing of the same recording."""

    def moved(time_s: Fraction) -> Fraction:
        return viewing.same_moment(other, time_s)

    if other.same_time(viewing):
        return account
    bouts = account.bouts.assign(**{side: account.bouts[side].map(moved) for side in _SIDES})
    watched = account.watched
    if watched is not None:
        watched = tuple(Span(moved(one.start), moved(one.end)) for one in watched)
    return replace(account, bouts=bouts, watched=watched, annotated_s=moved(account.annotated_s))


def _part(
    base_dir: Path,
    file: LabelledFile,
    media: Media,
    recording: Recording,
    config: CutConfig,
    odd: tuple[str, ...],
) -> _Part:
    choice, stem = config.choice_of(file.project), file.project.path.stem
    viewing, settings = viewing_of(recording, choice), config.project(stem)
    issue = counted_alike(file.project, media, viewing.reference, recording.path)
    own, everything, watched = (
        viewing.in_seconds(table[table["media_name"] == media.name])
        for table in (
            file.segments,
            file.project.segments,
            watched_labels(file.project, config.labels),
        )
    )
    table, _ = recording.measured
    created = (recording.original or table).created
    name, guess = recording_name(base_dir, viewing.path, created, config.name)
    source, seen = (
        path.relative_to(base_dir).as_posix() for path in (viewing.path, recording.path)
    )
    bouts = bouts_of(own)
    odd += (*_off_screen(viewing, table, bouts), *_oddities(viewing, issue, own, bouts))
    viewed = ViewedRecording(
        folder=file.folder,
        source=source,
        annotated="" if seen == source else seen,
        attributes=media.attributes,
        viewing=viewing,
        name=name,
        bouts=bouts,
        annotated_s=last_end_s(everything),
        files=(stem,),
        warnings=(*([guess] if guess else []), *(f"{seen}: {text}" for text in odd)),
    )
    accounts = accounts_of(
        stem,
        settings,
        own,
        watched,
        annotated_s=viewed.annotated_s,
        until_s=viewed.until_s + config.windows.clip_s,
    )
    return _Part(viewed, accounts)


def annotated_times(
    viewed: Sequence[ViewedRecording], classes: Sequence[str]
) -> dict[str, tuple[int, Fraction]]:
    """Return for each class how many bouts there are, and their seconds in all."""
    found = dict.fromkeys(classes, (0, Fraction(0)))
    for one in viewed:
        for label, bouts in one.bouts.groupby("label"):
            count, seconds = found[str(label)]
            more = sum(bouts["end"] - bouts["start"], Fraction(0))
            found[str(label)] = count + len(bouts), seconds + more
    return found


def _off_screen(viewing: Viewing, table: StreamTable, bouts: pd.DataFrame) -> Iterator[str]:
    """Yield that no bout falls on a frame, and for which player some would."""
    seen = viewing.reference
    if bouts.empty or seen.start_s is None or seen.end_s is None:
        return
    first, last, start_s, end_s = bouts["start"].min(), bouts["end"].max(), seen.start_s, seen.end_s

    def falls_on_frames(zero_s: Fraction) -> bool:
        return bool(first + zero_s < end_s and last + zero_s > start_s)

    if falls_on_frames(viewing.zero_s):
        return
    zeros = {player: zero_of(player, seen, table) for player in get_args(AnnotatedIn)}
    others = [player for player, zero_s in zeros.items() if falls_on_frames(zero_s)]
    advice = " or ".join(f"`annotated_in: {player}`" for player in others)
    begin, end = (shown(time - viewing.zero_s) for time in (start_s, end_s))
    yield (
        f"no segment falls on a frame: {viewing.player} shows the recording from {begin} to {end} s"
        f"; {f'set {advice}' if others else 'check that these annotations are of this recording'}"
    )


def _oddities(
    viewing: Viewing, issue: Issue | None, segments: pd.DataFrame, bouts: pd.DataFrame
) -> Iterator[str]:
    """Yield what is odd about a recording and its annotations, in words."""
    if viewing.fault:
        yield viewing.fault
    if issue is not None:
        yield f"{issue.code} {issue.text}"
    for message in viewing.alignment.messages:
        if message.level == "warning":
            yield f"{message.code} {message.text}"
    points = int((segments["kind"] == "point").sum())
    if points:
        yield f"{points} points in time have no length and get no clip"
    for label, end_s in zip(bouts["label"], bouts["end"], strict=True):
        over_s = end_s - viewing.length_s
        if viewing.reference.end_s is not None and over_s > ROUNDING_SLACK_S:
            yield f"{label!r} ends {shown(over_s)} s after the recording"
