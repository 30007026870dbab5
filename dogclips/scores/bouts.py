"""From scores in steps of time to bouts.

Times are exact: step t lasts from t to t + 1 times the step's length. A step whose score is NaN is
unknown: no bout begins, ends later or is continued there.

Shapes: T steps, K labels.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from dogclips.timebase import Span

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Smooth = Literal["none", "median", "hysteresis"]


@dataclass(frozen=True)
class BoutRules:
    """What makes a bout of one label."""

    threshold: float  #: A step is part of a bout if its score is above this
    #: So are the steps beside it as long as theirs is above this; the threshold itself for none.
    low: float
    #: Shorter bouts are dropped, after those with short gaps between them were merged.
    min_bout_s: Fraction = Fraction(0)
    #: Gaps shorter than this belong to the bouts around them, if every step of theirs is known.
    merge_gap_s: Fraction = Fraction(0)


@dataclass(frozen=True)
class Bout:
    """One thing that happens from `span.start` to `span.end`, with its mean score."""

    label: str
    span: Span
    score: float


def median_smoothed(score_TK: Floats, width: int) -> Floats:
    """Return the median of the known scores in a window of steps around each step.

    An even width counts as one more. Unknown steps stay unknown.

    >>> median_smoothed(np.array([[0.1], [0.9], [0.2], [np.nan]]), 3).ravel()
    array([0.5 , 0.2 , 0.55,  nan])
    """
    known_TK = ~np.isnan(score_TK)
    if width <= 1 or not known_TK.any():
        return score_TK
    half = width // 2
    padded = np.pad(score_TK, ((half, half), (0, 0)), constant_values=np.nan)
    around = np.lib.stride_tricks.sliding_window_view(padded, 2 * half + 1, axis=0)
    median_TK = np.full_like(score_TK, np.nan)
    median_TK[known_TK] = np.nanmedian(around[known_TK], axis=-1)
    return median_TK


def find_bouts(
    score_TK: Floats, labels: Sequence[str], rules: Sequence[BoutRules], step_s: Fraction
) -> tuple[Bout, ...]:
    """Return the bouts of all labels in the order of time, each label by its own rules."""
    found = [
        Bout(
            label,
            Span(first * step_s, stop * step_s),
            float(np.mean(score_TK[first:stop, k])),
        )
        for k, (label, own) in enumerate(zip(labels, rules, strict=True))
        for first, stop in _bout_steps(score_TK[:, k], own, step_s)
    ]
    return tuple(sorted(found, key=lambda bout: (bout.span.start, bout.span.end)))


def steps_of(flags_T: Flags) -> list[tuple[int, int]]:
    """Return (first, stop) of each run of steps that are set.

    >>> steps_of(np.array([True, True, False, True]))
    [(0, 2), (3, 4)]
    """
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags_T, [False]]).astype(np.int8)))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def known_spans(score_TK: Floats, step_s: Fraction) -> list[Span]:
    """Return the stretches of time in which every score is known."""
    runs = steps_of(np.asarray(~np.isnan(score_TK).any(axis=1)))
    return [Span(first * step_s, stop * step_s) for first, stop in runs]


def _bout_steps(score_T: Floats, rules: BoutRules, step_s: Fraction) -> Iterator[tuple[int, int]]:
    """Yield (first, stop) of each bout of one label."""
    known_T = ~np.isnan(score_T)
    scores_T = np.where(known_T, score_T, -np.inf)
    high_T = scores_T > rules.threshold
    candidates = steps_of(scores_T > min(rules.low, rules.threshold))
    runs = [(first, stop) for first, stop in candidates if high_T[first:stop].any()]
    for first, stop in _merged(runs, known_T, rules.merge_gap_s / step_s):
        if (stop - first) * step_s >= rules.min_bout_s:
            yield first, stop


def _merged(
    runs: Sequence[tuple[int, int]], known_T: Flags, shortest_gap: Fraction
) -> list[tuple[int, int]]:
    """Return runs of steps, those with a known gap of less than `shortest_gap` steps as one."""
    apart = [
        later - stop >= shortest_gap or not known_T[stop:later].all()
        for (_, stop), (later, _) in pairwise(runs)
    ]
    firsts = [first for (first, _), new in zip(runs, [True, *apart], strict=False) if new]
    stops = [stop for (_, stop), last in zip(runs, [*apart, True], strict=False) if last]
    return list(zip(firsts, stops, strict=True))
