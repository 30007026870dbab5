"""How well predicted bouts agree with annotated ones: second by second, and bout by bout.

A whole second counts for a label that fills at least half of it. Bouts of one label match one to
one, those that share most first, where the time that both share is at least `MIN_IOU` of the time
that either covers. Only time is scored that was both predicted and looked at by the annotator: up
to the end of the last annotated segment, because a stretch after it may not be annotated.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from dogclips.scores.bouts import Flags
from dogclips.spans import Spans, in_ticks
from dogclips.timebase import Span

MIN_IOU = Fraction(1, 2)
PROTOCOL = (
    "whole seconds up to the last annotation, where windows were scored; a second counts for a "
    "label that fills at least half of it; bouts match one to one at IoU >= 0.5"
)
Bouts = Mapping[str, Sequence[Span]]


@dataclass(frozen=True)
class Counts:
    """What was found of what there is; counts add up over recordings."""

    hits: int = 0  #: Predicted and annotated
    #: All of either.
    predicted: int = 0
    annotated: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(
            self.hits + other.hits,
            self.predicted + other.predicted,
            self.annotated + other.annotated,
        )

    @property
    def precision(self) -> float | None:
        """Return the share of what is predicted that is annotated; None without any."""
        return self.hits / self.predicted if self.predicted else None

    @property
    def recall(self) -> float | None:
        """Return the share of what is annotated that is predicted; None without any."""
        return self.hits / self.annotated if self.annotated else None

    @property
    def f1(self) -> float | None:
        """Return the harmonic mean of both; None where there is nothing annotated."""
        total = self.predicted + self.annotated
        return 2 * self.hits / total if self.annotated else None


@dataclass(frozen=True)
class Agreement:
    """Of each label the seconds and the bouts of one recording or several."""

    seconds: Mapping[str, Counts]
    bouts: Mapping[str, Counts]
    num_seconds: int  #: Whole seconds that were compared
    #: Whole seconds up to the last annotation that were not, as no window covers them.
    num_left_out: int

    def __add__(self, other: "Agreement") -> "Agreement":
        return Agreement(
            {label: own + other.seconds[label] for label, own in self.seconds.items()},
            {label: own + other.bouts[label] for label, own in self.bouts.items()},
            self.num_seconds + other.num_seconds,
            self.num_left_out + other.num_left_out,
        )


def agreement(
    predicted: Bouts,
    annotated: Bouts,
    labels: Sequence[str],
    known: Sequence[Span],
    annotated_s: Fraction,
) -> Agreement:
    """Compare bouts of one recording, label by label; those of a label that overlap count as one.

    `known` is where there are predictions, `annotated_s` when the last annotated segment ends.
    """
    looked_at = [Span(own.start, min(own.end, annotated_s)) for own in known]
    looked_at = [own for own in looked_at if own.duration > 0]
    seconds = np.arange(math.floor(annotated_s))
    full = _filled(looked_at, seconds, Fraction(1))
    compared = seconds[full]
    by_second, by_bout = {}, {}
    for label in labels:
        found = _within(predicted.get(label, ()), looked_at)
        truth = _within(annotated.get(label, ()), looked_at)
        flags = [_filled(own, compared, Fraction(1, 2)) for own in (found, truth)]
        both = int((flags[0] & flags[1]).sum())
        by_second[label] = Counts(both, int(flags[0].sum()), int(flags[1].sum()))
        by_bout[label] = Counts(len(matches(found, truth)), len(found), len(truth))
    return Agreement(by_second, by_bout, len(compared), len(seconds) - len(compared))


def total_agreement(found: Iterable[Agreement | None]) -> Agreement | None:
    """Return the agreement of all recordings that were compared together; None without any."""
    compared = [one for one in found if one is not None]
    return sum(compared[1:], compared[0]) if compared else None


def matches(found: Sequence[Span], truth: Sequence[Span]) -> list[tuple[int, int]]:
    """Return pairs of indices of spans that mean the same, those that share most first.

    >>> truth = [Span(Fraction(0), Fraction(4)), Span(Fraction(6), Fraction(8))]
    >>> matches([Span(Fraction(1), Fraction(4)), Span(Fraction(7), Fraction(12))], truth)
    [(0, 0)]
    """
    shares = [
        (shared_share(one, other), index, partner)
        for index, one in enumerate(found)
        for partner, other in enumerate(truth)
        if one.start < other.end and other.start < one.end
    ]
    pairs: list[tuple[int, int]] = []
    taken: tuple[set[int], set[int]] = (set(), set())
    for share, index, partner in sorted(shares, key=lambda row: (-row[0], row[1], row[2])):
        if share >= MIN_IOU and index not in taken[0] and partner not in taken[1]:
            pairs.append((index, partner))
            taken[0].add(index)
            taken[1].add(partner)
    return sorted(pairs)


def shared_share(one: Span, other: Span) -> Fraction:
    """Return the time that both spans share over the time that either covers (IoU)."""
    shared = one.overlap(other)
    return shared / (one.duration + other.duration - shared)


def _within(spans: Sequence[Span], looked_at: Sequence[Span]) -> list[Span]:
    """Return the parts of spans that lie where we look, those that touch as one."""
    parts = [
        Span(max(span.start, window.start), min(span.end, window.end))
        for span in _joined(spans)
        for window in looked_at
        if span.overlap(window) > 0
    ]
    return sorted(parts, key=lambda span: span.start)


def _joined(spans: Sequence[Span]) -> list[Span]:
    joined: list[Span] = []
    for span in sorted(spans, key=lambda own: own.start):
        if joined and span.start <= joined[-1].end:
            joined[-1] = Span(joined[-1].start, max(joined[-1].end, span.end))
        else:
            joined.append(span)
    return joined


def _filled(spans: Sequence[Span], seconds: np.ndarray, share: Fraction) -> Flags:
    """Return which whole seconds spans fill at least a share of."""
    begins, ends, starts, unit = in_ticks(
        [span.start for span in spans],
        [span.end for span in spans],
        [Fraction(int(second)) for second in seconds],
        [Fraction(1), share],
    )
    one, least = unit.tolist()
    covered = Spans.union(begins, ends).covered(starts, starts + one)
    return np.asarray(covered >= least, dtype=np.bool_)
