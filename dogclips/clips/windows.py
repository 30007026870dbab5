"""Fixed windows over annotation time, and the labels that each of them gets."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dogclips.spans import Spans, in_ticks
from dogclips.timebase import Span

Anchor = Literal["grid", "segment-start", "segment-center", "segment-spread"]

# Labelled stretches of annotation time: `start` and `end` are `Fraction` seconds, the rest is text.
BOUT_COLUMNS = ("start", "end", "label", "task", "subject")

# One row per window, in time order. `start` is `Fraction` seconds; `labels` are class names in
# class order, `tasks` and `subjects` those of their bouts, sorted. `subject` is the one that a
# window is about, "" where windows are about everybody. `reason` says why it is not to be cut.
WINDOW_COLUMNS = ("start", "labels", "tasks", "subjects", "subject", "reason")

_Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class WindowRules:
    """Where windows lie, and which labels they get; times in seconds."""

    clip_s: Fraction
    stride_s: Fraction
    phase_s: Fraction = Fraction(0)
    #: When a window of the grid begins that ends with the recording; None for none of its own.
    last_s: Fraction | None = None
    #: "grid" begins windows every `stride_s` from `phase_s`; "segment-start" with each bout,
    #: "segment-center" centers one on each bout, "segment-spread" spreads windows over each bout
    #: from end to end, at most `stride_s` apart, and centers one on those that are shorter.
    anchor: Anchor = "grid"
    #: What a label must fill, and which share: of the window, or of one of its bouts if
    #: `of_segment`; bouts that overlap or touch are one. None asks for nothing.
    min_overlap_s: Fraction | None = None
    min_overlap_fraction: Fraction | None = None
    of_segment: bool = False
    either: bool = False  #: Whether one of the two rules is enough
    background: bool = False  #: Whether windows in which nothing happens are kept
    margin_s: Fraction = Fraction(0)  #: How far such a window stays away from every bout
    #: Whether each subject has windows of its own, with nobody else's labels. Bouts without a
    #: subject have windows, too, but no background where others have subjects.
    per_subject: bool = False


def plan_windows(
    bouts: pd.DataFrame,
    classes: Sequence[str],
    rules: WindowRules,
    *,
    until_s: Fraction,
    annotated_s: Fraction,
    watched: Sequence[Span] | None = None,
) -> pd.DataFrame:
    """Lay windows over a recording and label them, as `WINDOW_COLUMNS`.

    Windows start before `until_s`. Where the spans that were `watched` are known, a window that
    lies outside of them has the reason "not-watched", one that they cover in part
    "partly-watched". An empty stretch from `annotated_s` on may be one that was not annotated. A
    window without labels has the reason "no-label"; where background is kept, "near-label" or
    "after-annotations" if it cannot be background.
    """
    groups = [(subject, own) for subject, own in bouts.groupby("subject")]
    if not rules.per_subject or not groups:
        groups = [("", bouts)]
    # Who nobody named is not an animal of its own, which could do nothing while others do.
    nobody = rules if len(groups) == 1 else replace(rules, background=False)
    parts = [
        _plan(
            own.reset_index(drop=True),
            classes,
            rules if subject else nobody,
            until_s,
            annotated_s,
            watched,
        ).assign(subject=subject)
        for subject, own in groups
    ]
    windows = pd.concat(parts, ignore_index=True) if len(parts) > 1 else parts[0]
    return windows.sort_values("start", kind="stable", ignore_index=True)[[*WINDOW_COLUMNS]]


def _plan(
    bouts: pd.DataFrame,
    classes: Sequence[str],
    rules: WindowRules,
    until_s: Fraction,
    annotated_s: Fraction,
    watched: Sequence[Span] | None,
) -> pd.DataFrame:
    """Return windows that get their labels from all of the bouts."""
    starts = _starts(bouts, rules, until_s)
    timed = _Timed(bouts, starts, rules, annotated_s, watched)
    nobody = np.zeros(len(starts), dtype=bool)
    kinds: Mapping[Any, Any] = bouts.groupby(["label", "task", "subject"]).indices
    of_label: Mapping[Any, Any] = bouts.groupby("label").indices
    labels = {name: timed.is_labelled(timed.spans(of_label.get(name, []))) for name in classes}
    tasks: dict[str, _Flags] = dict.fromkeys(sorted(set(bouts["task"])), nobody)
    subjects: dict[str, _Flags] = dict.fromkeys(sorted(set(bouts["subject"]) - {""}), nobody)
    for (label, task, subject), rows in kinds.items():
        touched = timed.spans(rows).covered(timed.starts, timed.stops) > 0
        behind = labels[label] & touched
        tasks[task] = tasks[task] | behind
        if subject:
            subjects[subject] = subjects[subject] | behind
    labelled = np.any([nobody, *labels.values()], axis=0)
    unwatched = timed.unwatched()
    return pd.DataFrame(
        {
            "start": pd.Series(starts, dtype=object),
            "labels": _names(labels, len(starts)),
            "tasks": _names(tasks, len(starts)),
            "subjects": _names(subjects, len(starts)),
            "reason": np.where(labelled & (unwatched == ""), "", timed.faults(unwatched)),
        }
    )


def _starts(bouts: pd.DataFrame, rules: WindowRules, until_s: Fraction) -> list[Fraction]:
    """Return when windows begin, ascending, each time once."""
    if rules.anchor == "grid":
        count = max(-((rules.phase_s - until_s) // rules.stride_s), 0)
        grid = [rules.phase_s + number * rules.stride_s for number in range(count)]
        more = [] if rules.last_s is None or rules.last_s < rules.phase_s else [rules.last_s]
        return sorted({*grid, *more})
    spans = zip(bouts["start"], bouts["end"], strict=True)
    found = {start for begin, end in spans for start in _anchored(begin, end, rules)}
    return sorted(start for start in found if start < until_s)


def _anchored(begin: Fraction, end: Fraction, rules: WindowRules) -> Iterator[Fraction]:
    """Yield when the windows of one bout begin."""
    room = end - begin - rules.clip_s
    if rules.anchor == "segment-start":
        yield begin
    elif rules.anchor == "segment-center" or room <= 0:
        yield begin + room / 2
    else:
        steps = -(-room // rules.stride_s)
        yield from (begin + room * number / steps for number in range(steps + 1))


class _Timed:
    """Bouts and windows of one recording, all their times in one unit."""

    def __init__(
        self,
        bouts: pd.DataFrame,
        starts: Sequence[Fraction],
        rules: WindowRules,
        annotated_s: Fraction,
        watched: Sequence[Span] | None,
    ) -> None:
        self.rules = rules
        least_s = rules.min_overlap_s or Fraction(0)
        seconds = (rules.clip_s, rules.margin_s, least_s, annotated_s)
        own = [(one.start, one.end) for one in watched or ()]
        self.starts, self.begins, self.ends, *spans, others = in_ticks(
            starts,
            bouts["start"].tolist(),
            bouts["end"].tolist(),
            [start for start, _ in own],
            [end for _, end in own],
            seconds,
        )
        self.watched = None if watched is None else Spans.union(*spans)
        clip, self.margin, self.least, self.annotated = others.tolist()
        self.stops = self.starts + clip
        self.share = rules.min_overlap_fraction and ceil(rules.min_overlap_fraction * clip)

    def spans(self, bouts: Sequence[int]) -> Spans:
        return Spans.union(self.begins[bouts], self.ends[bouts])

    def is_labelled(self, spans: Spans) -> _Flags:
        """Return which windows a label's spans fill enough of."""
        rules, filled = self.rules, spans.covered(self.starts, self.stops)
        met: list[_Flags] = []
        if rules.min_overlap_s is not None:
            met.append(filled >= self.least)
        if rules.min_overlap_fraction is not None and rules.of_segment:
            met.append(spans.held(self.starts, self.stops, rules.min_overlap_fraction))
        elif self.share is not None:
            met.append(filled >= self.share)
        together = np.any if rules.either else np.all
        return np.asarray((filled > 0) & (together(met, axis=0) if met else True))

    def unwatched(self) -> NDArray[np.object_]:
        """Return why it is unknown what happens in each window; "" where it is known."""
        if self.watched is None:
            return np.full(len(self.starts), "", dtype=object)
        seen = self.watched.covered(self.starts, self.stops)
        part = np.where(seen < self.stops - self.starts, "partly-watched", "")
        return np.where(seen > 0, part, "not-watched").astype(object)

    def faults(self, unwatched: NDArray[np.object_]) -> NDArray[np.object_]:
        """Return why each window cannot be background; "" if it can."""
        return np.where(unwatched == "", self._unlabelled(), unwatched)

    def _unlabelled(self) -> NDArray[np.object_]:
        if not self.rules.background:
            return np.full(len(self.starts), "no-label", dtype=object)
        union = Spans.union(self.begins, self.ends)
        near = union.covered(self.starts - self.margin, self.stops + self.margin) > 0
        unknown = self.stops > self.annotated
        faults = np.where(unknown, "after-annotations", np.where(near, "near-label", ""))
        return faults.astype(object)


def _names(columns: Mapping[str, _Flags], count: int) -> NDArray[np.object_]:
    """Return for each of `count` rows the names whose flag it has; equal rows share their tuple."""
    names = list(columns)
    flags = np.stack([*columns.values(), np.zeros(count, dtype=bool)], axis=1)
    packed = np.packbits(flags, axis=1)
    keys = packed.view(f"V{packed.shape[1]}").ravel()
    _, firsts, kinds = np.unique(keys, return_index=True, return_inverse=True)
    tuples = np.empty(len(firsts), dtype=object)
    for kind, row in enumerate(firsts):
        tuples[kind] = tuple(names[int(column)] for column in np.flatnonzero(flags[row]))
    return np.asarray(tuples[kinds])
