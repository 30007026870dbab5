"""How much of many windows a set of spans covers: exact, and whole columns at once.

Times are integers in one unit of a recording, so that nothing is rounded.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import lcm
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Times in units: int64, or Python's own integers where those could overflow.
Ticks = NDArray[Any]
_MOST = 2**61


def in_ticks(*columns: Sequence[Fraction]) -> list[Ticks]:
    """Return columns of seconds as whole numbers of the largest unit that measures them all.

    >>> in_ticks([Fraction(1, 2), Fraction(3)], [Fraction(1, 4)])
    [array([ 2, 12]), array([1])]
    """
    unit = lcm(*(time.denominator for column in columns for time in column))
    found = [[time.numerator * (unit // time.denominator) for time in own] for own in columns]
    fits = all(-_MOST < tick < _MOST for own in found for tick in own)
    return [np.array(own, dtype=np.int64 if fits else object) for own in found]


@dataclass(frozen=True, eq=False)
class Spans:
    """Half-open spans in time order that neither overlap nor touch."""

    begins: Ticks
    ends: Ticks

    @classmethod
    def union(cls, begins: Ticks, ends: Ticks) -> "Spans":
        """Return the time that any of the spans covers.

        >>> Spans.union(np.array([2, 0, 7]), np.array([5, 3, 8]))
        Spans(begins=array([0, 7]), ends=array([5, 8]))
        """
        order = np.argsort(begins, kind="stable")
        begins, ends = begins[order], np.maximum.accumulate(ends[order])
        first = np.ones(len(begins), dtype=bool)
        first[1:] = begins[1:] > ends[:-1]
        return cls(begins[first], ends[np.append(first[1:], True)[: len(ends)]])

    def covered(self, starts: Ticks, stops: Ticks) -> Ticks:
        """Return how much of each window [start, stop) the spans cover.

        >>> Spans(np.array([0, 7]), np.array([5, 8])).covered(np.array([4, 5]), np.array([8, 7]))
        array([2, 0])
        """
        return self._before(stops) - self._before(starts)

    def held(self, starts: Ticks, stops: Ticks, fraction: Fraction) -> NDArray[np.bool_]:
        """Return which windows [start, stop) hold at least a fraction of one of the spans."""
        # From the first span that ends in or after a window to the last that begins before its end.
        first = np.searchsorted(self.ends, starts, side="right")
        count = np.maximum(np.searchsorted(self.begins, stops, side="left") - first, 0)
        window = np.repeat(np.arange(len(starts)), count)
        within = np.arange(len(window)) - np.repeat(np.cumsum(count) - count, count)
        span = np.repeat(first, count) + within
        shared = np.minimum(stops[window], self.ends[span])
        shared = shared - np.maximum(starts[window], self.begins[span])
        lengths = (int(length) for length in self.ends - self.begins)
        least = [-(-fraction.numerator * length // fraction.denominator) for length in lengths]
        enough = shared >= np.array(least, dtype=self.ends.dtype)[span]
        return np.bincount(window[enough], minlength=len(starts)) > 0

    def _before(self, times: Ticks) -> Ticks:
        """Return how much the spans cover before each time."""
        if not len(self.begins):
            return np.zeros(len(times), dtype=np.int64)
        begun = np.searchsorted(self.begins, times, side="right")
        total = np.append(0, np.cumsum(self.ends - self.begins))[begun]
        left = np.maximum(self.ends[begun - 1] - times, 0)
        return np.asarray(total - np.where(begun > 0, left, 0))
