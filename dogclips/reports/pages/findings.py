"""What somebody should know before training on a data set, in order of weight.

Errors come before warnings. Among each of them comes first what can put a label on a wrong frame,
then what is odd in recordings, annotations and splits, then what makes labels rare or costs clips.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

from dogclips.lists.session_records import KEPT, SessionRecords
from dogclips.records.probe import ProbedAlignment
from dogclips.reports.pages.dataset_numbers import LabelRow, Split, leaks, outside
from dogclips.reports.pictures.timeline import counted

FEW_CLIPS, FEW_RECORDINGS = 10, 3  # below these a label cannot be in train, val and test alike


_MOST_LINES = 40


# Messages of `probe.json` that concern the alignment; P021 is said with the clips that rest on it.
_DOUBTS = ("P012", "P014", "P023", "P033")


_NOT_VERIFIED = "P021"


@dataclass(frozen=True)
class Finding:
    """Something to know.

    Parameters
    ----------
    topic
        What it concerns, in a word or two.
    code
        Of a message or issue; empty where there is none.
    lines
        Each case; more than a few are cut off.
    """

    level: Literal["error", "warning"]
    topic: str
    text: str
    code: str = ""
    lines: tuple[str, ...] = ()


def findings_of(
    sessions: Mapping[str, SessionRecords],
    windows: pd.DataFrame,
    labels: Sequence[LabelRow],
    split: Split | None,
) -> list[Finding]:
    """Return all findings, the weightiest first.

    Parameters
    ----------
    sessions
        By name.
    windows
        All manifests, as `dataset_page_numbers.windows_of` returns them.
    """
    messages = list(_messages(sessions))
    found = [
        *_by_code("alignment in doubt", (m for m in messages if m[1] in _DOUBTS)),
        *_unverified(windows, messages),
        *_by_code("recordings", (m for m in messages if m[1] not in (*_DOUBTS, _NOT_VERIFIED))),
        *_by_code("annotations", _issues(sessions)),
        *_missing(sessions),
        *(_of_split(split, windows) if split is not None else ()),
        *_rare(labels),
        *_failed(windows),
    ]
    return sorted(found, key=lambda finding: finding.level)  # "error" < "warning"


# A case: level, code, where, text.
_Case = tuple[str, str, str, str]


def _messages(sessions: Mapping[str, SessionRecords]) -> Iterator[_Case]:
    """Yield what the measurements warn of, each once a recording."""
    for name, session in sessions.items():
        for recording in session.recordings:
            found: dict[_Case, None] = {}
            for entry in recording.measured:
                useless = entry.status == "error" or _is_refused(entry.alignment)
                level = "error" if useless else "warning"
                for message in entry.messages:
                    if message.level == "warning":
                        where = f"{name}/{recording.name}"
                        found[level, message.code, where, message.text] = None
            yield from found


def _is_refused(alignment: ProbedAlignment | None) -> bool:
    return alignment is not None and not alignment.trusted


def _issues(sessions: Mapping[str, SessionRecords]) -> Iterator[_Case]:
    for name, session in sessions.items():
        for file in session.checked:
            for issue in file.issues:
                where = f"{name}/{file.path.name}"
                where = f"{where}, {issue.place}" if issue.place else where
                text = f"{issue.text}: {issue.todo}" if issue.todo else issue.text
                yield issue.level, issue.code, where, text


def _by_code(topic: str, cases: Iterable[_Case]) -> list[Finding]:
    """Return a finding for each code, errors first."""
    groups: dict[tuple[str, str], list[_Case]] = {}
    for case in cases:
        groups.setdefault((case[0], case[1]), []).append(case)
    found = []
    for level, code in sorted(groups):  # "error" < "warning"
        own = groups[level, code]
        lines = tuple(f"{where}: {text}" for *_, where, text in own)
        text = lines[0] if len(own) == 1 else f"{len(own)} times, such as {lines[0]}"
        more = _cut_off(lines) if len(own) > 1 else ()
        found.append(Finding("error" if level == "error" else "warning", topic, text, code, more))
    return found


def _unverified(windows: pd.DataFrame, messages: Sequence[_Case]) -> Iterator[Finding]:
    """Say which clips rest on an offset that no pixel confirms."""
    kept = windows[windows["status"].isin(KEPT)]
    own = kept[~kept["verified"].fillna(value=False).astype(bool)]
    if not len(own):
        return
    why = {where: text for _, code, where, text in messages if code == _NOT_VERIFIED}
    lines = []
    for keys, rows in own.groupby(["session", "source", "alignment"]):
        session, source, method = map(str, keys)
        where = f"{session}/{source.rpartition('/')[2]}"
        said = why.get(where, f"by {method}, pixels were not compared")
        lines.append(f"{where}: {counted(len(rows), 'clip')}; {said}")
    text = (
        f"{counted(len(own), 'clip')} of {counted(len(lines), 'recording')} rest on an offset that"
        " no pixel confirms: look at them with `dogclips align`"
    )
    yield Finding("warning", "offset not verified", text, _NOT_VERIFIED, _cut_off(lines))


def _missing(sessions: Mapping[str, SessionRecords]) -> Iterator[Finding]:
    for name, session in sessions.items():
        for text in session.missing:
            yield Finding("warning", "session", f"{name}: {text}")


def _of_split(split: Split, windows: pd.DataFrame) -> Iterator[Finding]:
    shared = leaks(split)
    if shared:
        text = (
            f"clips of {counted(len(shared), 'recording')} are in several splits: numbers on val"
            " and test are too good"
        )
        yield Finding("error", "split", text, lines=_cut_off(shared))
    there = {
        str(part): {label for labels in own for label in labels}
        for part, own in split.clips.groupby("split", sort=False)["labels"]
    }
    somewhere = sorted(set[int]().union(*there.values()))
    for part, own in there.items():
        lacking = [split.names[label] for label in somewhere if label not in own]
        if lacking:
            text = f"in no {part} clip: {', '.join(lacking)}"
            yield Finding("warning", "split", text)
    unlisted, others = outside(split, windows)
    if unlisted:
        text = f"{counted(unlisted, 'clip')} of these sessions in none of its lists: split again"
        yield Finding("warning", "split", text)
    if others:
        text = f"{counted(others, 'clip')} in its lists are not of these sessions"
        yield Finding("warning", "split", text)


def _rare(labels: Sequence[LabelRow]) -> Iterator[Finding]:
    none = [row.name for row in labels if not row.clips]
    if none:
        yield Finding("warning", "labels", f"no clip shows {', '.join(none)}")
    rare = [
        row
        for row in labels
        if row.clips and (row.clips < FEW_CLIPS or row.recordings < FEW_RECORDINGS)
    ]
    if rare:
        lines = [
            f"{row.name}: {counted(row.clips, 'clip')} of {counted(row.recordings, 'recording')}"
            for row in rare
        ]
        text = (
            f"{counted(len(rare), 'label')} with fewer than {FEW_CLIPS} clips, or from fewer than"
            f" {FEW_RECORDINGS} recordings: too few for train, val and test"
        )
        yield Finding("warning", "labels", text, lines=_cut_off(lines))


def _failed(windows: pd.DataFrame) -> Iterator[Finding]:
    failed = windows[windows["status"] == "failed"]
    if len(failed):
        lines = [
            f"{row['session']}/{row['clip'] or row['source'] or row['project']}: {row['reason']}"
            for row in failed.to_dict("records")
        ]
        text = lines[0] if len(lines) == 1 else f"{len(lines):,} of them, such as {lines[0]}"
        more = _cut_off(lines) if len(lines) > 1 else ()
        yield Finding("error", "failed", text, lines=more)
    planned, stale = (int((windows["status"] == one).sum()) for one in ("planned", "stale"))
    if planned:
        text = f"{counted(planned, 'clip')} planned and not cut: run `dogclips cut` again"
        yield Finding("warning", "unfinished", text)
    if stale:
        text = f"{counted(stale, 'clip')} of an earlier plan: remove them by `dogclips cut --prune`"
        yield Finding("warning", "stale clips", text)


def _cut_off(lines: Sequence[Any]) -> tuple[str, ...]:
    more = len(lines) - _MOST_LINES
    return (*lines[:_MOST_LINES], *([f"and {more:,} more"] if more > 0 else []))
