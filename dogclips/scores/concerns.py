"""What to know before training on a data set, most important first.

Errors come before warnings. Among each of them comes first what can put a label on a wrong frame,
then what is odd in recordings, annotations and splits, then what makes labels rare or costs clips.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, NamedTuple

from dogclips.annotations.issues import Severity
from dogclips.scores.dataset import Dataset, ListedSplit
from dogclips.wording import counted

FEW_CLIPS, FEW_RECORDINGS = 10, 3  # below these a label cannot be in train, val and test alike
_MOST_LINES = 40
# Messages of `probe.json` that concern the alignment; P021 is said with the clips that rest on it.
_DOUBTS = ("P012", "P014", "P023", "P033")
_NOT_VERIFIED = "P021"


@dataclass(frozen=True)
class Concern:
    """Something to know."""

    level: Severity
    topic: str  #: What it concerns, in a word or two
    text: str
    code: str = ""  #: Of a message or issue; empty where there is none
    lines: tuple[str, ...] = ()  #: Each case; more than a few are cut off


def concerns_of(dataset: Dataset, split: ListedSplit | None = None) -> list[Concern]:
    """Return what to know about a data set and its split, most important first."""
    messages = list(_messages(dataset))
    found = [
        *_by_code("alignment in doubt", (one for one in messages if one.code in _DOUBTS)),
        *_unverified(dataset, messages),
        *_by_code(
            "recordings", (one for one in messages if one.code not in (*_DOUBTS, _NOT_VERIFIED))
        ),
        *_by_code("annotations", _issues(dataset)),
        *_missing(dataset),
        *(_of_split(split, dataset) if split is not None else ()),
        *_rare(dataset),
        *_not_cut(dataset),
    ]
    return sorted(found, key=lambda concern: concern.level)  # "error" < "warning"


class _Case(NamedTuple):
    level: Severity
    code: str
    where: str
    text: str


def _messages(dataset: Dataset) -> Iterator[_Case]:
    """Yield what the measurements warn of, each once a recording."""
    for name, session in dataset.sessions.items():
        for recording in session.recordings:
            found: dict[_Case, None] = {}
            for entry in recording.measured:
                refused = entry.alignment is not None and not entry.alignment.trusted
                level: Severity = "error" if refused or entry.status == "error" else "warning"
                for message in entry.messages:
                    if message.level == "warning":
                        where = f"{name}/{recording.name}"
                        found[_Case(level, message.code, where, message.text)] = None
            yield from found


def _issues(dataset: Dataset) -> Iterator[_Case]:
    for name, session in dataset.sessions.items():
        for file in session.checked:
            for issue in file.issues:
                where = f"{name}/{file.path.name}"
                where = f"{where}, {issue.place}" if issue.place else where
                text = f"{issue.text}: {issue.todo}" if issue.todo else issue.text
                yield _Case(issue.level, issue.code, where, text)


def _by_code(topic: str, cases: Iterable[_Case]) -> Iterator[Concern]:
    """Yield a concern for each code, errors first."""
    ordered = sorted(cases, key=lambda case: case[:2])  # "error" < "warning"
    for (level, code), own in groupby(ordered, key=lambda case: case[:2]):
        lines = [f"{case.where}: {case.text}" for case in own]
        yield _listed(level, topic, lines, f"{len(lines)} times", code)


def _listed(
    level: Severity, topic: str, lines: Sequence[str], number: str, code: str = ""
) -> Concern:
    """Return a concern of one case, or of several of which the first is an example."""
    if len(lines) == 1:
        return Concern(level, topic, lines[0], code)
    return Concern(level, topic, f"{number}, such as {lines[0]}", code, _cut_off(lines))


def _unverified(dataset: Dataset, messages: Sequence[_Case]) -> Iterator[Concern]:
    """Say which clips rest on an offset that no pixel confirms."""
    kept = dataset.kept
    own = kept[~kept["verified"].fillna(value=False).astype(bool)]
    if not len(own):
        return
    why = {case.where: case.text for case in messages if case.code == _NOT_VERIFIED}
    lines = []
    for (session, source, method), rows in own.groupby(["session", "source", "alignment"]):
        where = f"{session}/{str(source).rpartition('/')[2]}"
        reason = why.get(where, f"by {method}, pixels were not compared")
        lines.append(f"{where}: {counted(len(rows), 'clip')}; {reason}")
    text = (
        f"{counted(len(own), 'clip')} of {counted(len(lines), 'recording')} rely on an offset that"
        " the pixels do not confirm: check them with `dogclips align`"
    )
    yield Concern("warning", "offset not verified", text, _NOT_VERIFIED, _cut_off(lines))


def _missing(dataset: Dataset) -> Iterator[Concern]:
    for name, session in dataset.sessions.items():
        for text in session.missing:
            yield Concern("warning", "session", f"{name}: {text}")


def _of_split(split: ListedSplit, dataset: Dataset) -> Iterator[Concern]:
    if split.leaks:
        text = (
            f"clips of {counted(len(split.leaks), 'recording')} are in several splits: scores on"
            " val and test are too high"
        )
        yield Concern("error", "split", text, lines=_cut_off(split.leaks))
    there = {
        str(part): {label for labels in own for label in labels}
        for part, own in split.clips.groupby("split", sort=False)["labels"]
    }
    somewhere = sorted(set[int]().union(*there.values()))
    for part, own in there.items():
        lacking = [split.names[label] for label in somewhere if label not in own]
        if lacking:
            yield Concern("warning", "split", f"in no {part} clip: {', '.join(lacking)}")
    unlisted, others = split.strangers(dataset)
    if unlisted:
        text = (
            f"{counted(unlisted, 'clip')} of these sessions are in none of its lists: split again"
        )
        yield Concern("warning", "split", text)
    if others:
        text = f"{counted(others, 'clip')} in its lists are not of these sessions"
        yield Concern("warning", "split", text)


def _rare(dataset: Dataset) -> Iterator[Concern]:
    labels = dataset.label_numbers
    none = labels.index[labels["clips"] == 0]
    if len(none):
        yield Concern("warning", "labels", f"no clip shows {', '.join(none)}")
    few = (labels["clips"] < FEW_CLIPS) | (labels["recordings"] < FEW_RECORDINGS)
    rare = labels[(labels["clips"] > 0) & few]
    if len(rare):
        numbers = rare[["clips", "recordings"]].to_numpy().tolist()
        lines = [
            f"{name}: {counted(clips, 'clip')} of {counted(recordings, 'recording')}"
            for name, (clips, recordings) in zip(rare.index, numbers, strict=True)
        ]
        text = (
            f"{counted(len(rare), 'label')} with fewer than {FEW_CLIPS} clips, or from fewer than"
            f" {FEW_RECORDINGS} recordings: too few for train, val and test"
        )
        yield Concern("warning", "labels", text, lines=_cut_off(lines))


def _not_cut(dataset: Dataset) -> Iterator[Concern]:
    """Say which clips are not what the last plan wants."""
    status = dataset.windows["status"]
    lines = [
        f"{row['session']}/{row['clip'] or row['source'] or row['project']}: {row['reason']}"
        for row in dataset.windows[status == "failed"].to_dict("records")
    ]
    if lines:
        yield _listed("error", "failed", lines, f"{len(lines):,} of them")
    planned, stale = (int((status == one).sum()) for one in ("planned", "stale"))
    if planned:
        text = f"{counted(planned, 'clip')} planned but not cut: run `dogclips cut` again"
        yield Concern("warning", "unfinished", text)
    if stale:
        text = (
            f"{counted(stale, 'clip')} of an earlier plan: remove them with `dogclips cut --prune`"
        )
        yield Concern("warning", "stale clips", text)


def _cut_off(lines: Sequence[Any]) -> tuple[str, ...]:
    more = len(lines) - _MOST_LINES
    return (*lines[:_MOST_LINES], *([f"and {more:,} more"] if more > 0 else []))
