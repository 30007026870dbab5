"""Who annotated a recording: what several observers and files say of it becomes one account.

Files of other tasks, subjects or watched spans complete each other. Where two observers answered
the same question, the setting `observers` says which answers count. Pure: times are annotation
time of one viewing of one recording.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import combinations
from typing import Any, Literal, get_args

import pandas as pd

from dogclips.annotations import Project
from dogclips.clips.config import ProjectConfig
from dogclips.clips.windows import BOUT_COLUMNS
from dogclips.errors import SessionError
from dogclips.labels import LabelConfig
from dogclips.timebase import Span, exact, shown

# How the answers of several observers become one; any other text is the name of an observer.
Agreement = Literal["union", "intersection", "majority"]
AGREEMENTS: tuple[str, ...] = get_args(Agreement)


@dataclass(frozen=True, eq=False)
class Account:
    """What one observer says of a recording in one annotation file."""

    file: str  #: Name of the annotation file
    observer: str
    bouts: pd.DataFrame  #: Columns of `windows.BOUT_COLUMNS`
    #: Spans that were watched; None where nobody says, and all of it may have been.
    watched: tuple[Span, ...] | None
    #: When the observer stopped: an empty stretch after it may be one that was not annotated.
    annotated_s: Fraction

    @property
    def outside(self) -> str:
        """Return how many bouts lie outside of what was watched, in words; "" if none does."""
        if self.watched is None:
            return ""
        watched = self.watched
        spans = [Span(*times) for times in zip(self.bouts["start"], self.bouts["end"], strict=True)]
        count = sum(sum(one.overlap(own) for own in watched) < one.duration for one in spans)
        seen = ", ".join(f"{shown(own.start)} to {shown(own.end)} s" for own in watched)
        noun = "segment" if count == 1 else "segments"
        return f"{count} {noun} outside of what was watched ({seen or 'nothing'})" if count else ""


def bouts_of(segments: pd.DataFrame) -> pd.DataFrame:
    """Return the segments of a recording that last, as `windows.BOUT_COLUMNS`; times in seconds."""
    lasting = segments[segments["kind"] == "state"]
    times = (lasting[side].map(exact) for side in ("t_start", "t_end"))
    columns = (*times, lasting["label"], lasting["task"], lasting["subject"])
    found = dict(zip(BOUT_COLUMNS, columns, strict=True))
    return pd.DataFrame(found).reset_index(drop=True)


def watched_labels(project: Project, config: LabelConfig) -> pd.DataFrame:
    """Return the watched spans of a project without those of labels that are dropped."""

    def dropped(label: str) -> bool:
        name = config.rename.get(label, label)
        tasks = (f"{task}:{name}" for task in project.segments["task"].unique())
        return not {label, name, *tasks}.isdisjoint(config.drop)

    watched = project.watched
    kept = [not label or not dropped(label) for label in watched["label"]]
    return watched.loc[pd.Series(kept, watched.index, dtype=bool)]


def accounts_of(
    file: str,
    settings: ProjectConfig,
    segments: pd.DataFrame,
    watched: pd.DataFrame,
    *,
    annotated_s: Fraction,
    until_s: Fraction,
) -> list[Account]:
    """Return what each observer of one file says of one recording.

    Parameters
    ----------
    file, settings
        Name of the file without suffix, and its settings: they may name its observer and say what
        was watched, which counts more than `watched`.
    segments, watched
        Its segments (columns of `segments.SEGMENT_COLUMNS`) and what it says was watched (columns
        of `segments.WATCHED_COLUMNS`), both of this recording and in seconds.
    annotated_s
        When the last of its segments ends, in seconds.
    until_s
        When the recording ends, in seconds.
    """
    usual, stated = settings.observer or file, settings.watched_seconds
    who = segments["observer"].where(segments["observer"] != "", usual)
    named = [(str(name), own) for name, own in segments.groupby(who, sort=False)]
    found = []
    for observer, own in named or [(usual, segments)]:
        spans = _settled(watched[watched["observer"].isin(["", observer])], until_s)
        if stated is not None:
            spans = _union([Span(exact(start), exact(end)) for start, end in stated])
        end_s = annotated_s if spans is None else max((one.end for one in spans), default=until_s)
        found.append(Account(file, observer, bouts_of(own), spans, end_s))
    return found


def _settled(watched: pd.DataFrame, until_s: Fraction) -> tuple[Span, ...] | None:
    """Return when all that is looked for was looked for; None where that is unknown."""
    of_label = [
        [
            [Span(exact(start), until_s if pd.isna(end) else exact(end))]
            for start, end in zip(own["t_start"], own["t_end"], strict=True)
        ]
        for _, own in watched.groupby("label")
    ]
    return _shared([agreed(spans, 1) for spans in of_label])


def _union(spans: Iterable[Span]) -> tuple[Span, ...]:
    return agreed([[one] for one in spans], 1)


def _shared(several: Sequence[tuple[Span, ...] | None]) -> tuple[Span, ...] | None:
    return _known(several, len(several))


def _known(several: Sequence[tuple[Span, ...] | None], least: int) -> tuple[Span, ...] | None:
    """Return what at least so many have watched; who says nothing has watched all of it."""
    stated = [one for one in several if one is not None]
    more = least - (len(several) - len(stated))
    return agreed(stated, more) if more > 0 else None


def agreed(several: Sequence[Sequence[Span]], least: int) -> tuple[Span, ...]:
    """Return the spans that lie in at least so many of several sets of spans, in time order.

    >>> one, other = [Span(Fraction(0), Fraction(4))], [Span(Fraction(3), Fraction(6))]
    >>> [(str(own.start), str(own.end)) for own in agreed([one, other], 2)]
    [('3', '4')]
    """
    steps: dict[Fraction, int] = {}
    for own in several:
        for start, end in _joined(own):
            steps[start] = steps.get(start, 0) + 1
            steps[end] = steps.get(end, 0) - 1
    found: list[Span] = []
    count, begun = 0, None
    for time_s in sorted(steps):
        count += steps[time_s]
        if count >= least and begun is None:
            begun = time_s
        elif count < least and begun is not None:
            found.append(Span(begun, time_s))
            begun = None
    return tuple(found)


def _joined(spans: Iterable[Span]) -> list[tuple[Fraction, Fraction]]:
    """Return spans without those of no length; those that overlap or touch are one."""
    joined: list[tuple[Fraction, Fraction]] = []
    for start, end in sorted((own.start, own.end) for own in spans if own.start < own.end):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return joined


def merged(accounts: Sequence[Account], rule: str | None) -> Account:
    """Return one account of a recording for all; see the setting `observers` for the rule.

    Tasks complete each other: only what was watched for each of them counts as watched. Several
    observers of one task and subject without a rule, or with one that names none of them, are a
    SessionError (V091).
    """
    if len(accounts) == 1:
        return accounts[0]
    by_task: dict[str, list[Account]] = {}
    for account in accounts:
        for task, own in account.bouts.groupby("task", sort=False):
            by_task.setdefault(str(task), []).append(replace(account, bouts=own))
    files = ", ".join(dict.fromkeys(account.file for account in accounts))
    parts = [_of_task(task, own, rule) for task, own in by_task.items()]
    if not parts:  # nobody has seen anything
        last_s = max(account.annotated_s for account in accounts)
        return replace(accounts[0], file=files, annotated_s=last_s)
    observers = ", ".join(dict.fromkeys(part.observer for part in parts))
    bouts = pd.concat([part.bouts for part in parts], ignore_index=True)
    return Account(
        files,
        observers,
        bouts,
        _shared([part.watched for part in parts]),
        min(part.annotated_s for part in parts),
    )


def _of_task(task: str, accounts: Sequence[Account], rule: str | None) -> Account:
    """Return one account of a task for all of its observers."""
    names = list(dict.fromkeys(account.observer for account in accounts))
    people = [_rounds([one for one in accounts if one.observer == name]) for name in names]
    if not any(_clash(*pair) for pair in combinations(people, 2)):
        return _completed(people)
    if rule in names:
        return people[names.index(rule)]
    if rule not in AGREEMENTS:
        todo = "set observers to the name of one, or to union, intersection or majority"
        raise SessionError(f"V091 {_said(task, people)}", todo=todo)
    return _compared(people, rule)


def _said(task: str, people: Sequence[Account]) -> str:
    where = {one: "" if one.file == one.observer else f" ({one.file})" for one in people}
    who = " and ".join(f"{one.observer!r}{where[one]}" for one in people)
    return f"task {task!r} was annotated by several observers: {who}"


def _rounds(own: Sequence[Account]) -> Account:
    """Return what one observer says in several rounds, each with a file of its own."""
    if len(own) == 1:
        return own[0]
    files = ", ".join(dict.fromkeys(one.file for one in own))
    bouts = pd.concat([one.bouts for one in own]).drop_duplicates()
    last_s = max(one.annotated_s for one in own)
    return Account(files, own[0].observer, bouts, _known([one.watched for one in own], 1), last_s)


def _clash(one: Account, other: Account) -> bool:
    """Return whether two observers of one task could contradict each other."""
    if set(one.bouts["subject"]).isdisjoint(other.bouts["subject"]):
        return False
    if one.watched is None or other.watched is None:
        return True
    return bool(agreed([one.watched, other.watched], 2))


def _completed(people: Sequence[Account]) -> Account:
    """Return what observers say who looked at different subjects or different times."""
    if len(people) == 1:
        return people[0]
    subjects = [set(one.bouts["subject"]) for one in people]
    apart = all(a.isdisjoint(b) for a, b in combinations(subjects, 2))
    least = len(people) if apart else 1  # a window shows all subjects
    return _together(people, pd.concat([one.bouts for one in people]), least)


def _together(people: Sequence[Account], bouts: pd.DataFrame, least: int) -> Account:
    ends = sorted((one.annotated_s for one in people), reverse=True)
    return Account(
        ", ".join(one.file for one in people),
        ", ".join(one.observer for one in people),
        bouts,
        _known([one.watched for one in people], least),
        ends[least - 1],
    )


def _compared(people: Sequence[Account], rule: str) -> Account:
    """Return the bouts on which as many observers agree as the rule asks for."""
    rows = [row for subject in _subjects(people) for row in _agreed_bouts(people, subject, rule)]
    bouts = pd.DataFrame(rows, columns=list(BOUT_COLUMNS)).sort_values("start", kind="stable")
    return _together(people, bouts, _least(len(people), rule))


def _least(count: int, rule: str) -> int:
    return {"union": 1, "intersection": count, "majority": count // 2 + 1}[rule]


def _subjects(people: Sequence[Account]) -> list[str]:
    return list(dict.fromkeys(subject for one in people for subject in one.bouts["subject"]))


def _agreed_bouts(
    people: Sequence[Account], subject: str, rule: str
) -> Iterator[Mapping[str, Any]]:
    """Yield the bouts of one subject on which those agree who looked at it."""
    own = [one.bouts[one.bouts["subject"] == subject] for one in people]
    own = [bouts for bouts in own if len(bouts)]
    kinds = dict.fromkeys(
        pair for one in own for pair in zip(one["label"], one["task"], strict=True)
    )
    for label, task in kinds:
        spans = [
            [
                Span(start, end)
                for start, end, *kind in one[["start", "end", "label", "task"]].to_numpy()
                if kind == [label, task]
            ]
            for one in own
        ]
        for span in agreed(spans, _least(len(own), rule)):
            row = (span.start, span.end, label, task, subject)
            yield dict(zip(BOUT_COLUMNS, row, strict=True))
