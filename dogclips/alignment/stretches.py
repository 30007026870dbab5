"""Where to look in a recording: where something moves, and where a doubt can be settled."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil

import numpy as np
from numpy.typing import NDArray

from dogclips.timebase import Span

Stretch = tuple[float, float]  # container time on the reference, in seconds

WHOLE_S = 45.0  # a recording this short is looked at from end to end
LOOK_S = 12.0  # one look into a longer one
_FIRST_LOOKS = 3
_SLIVER_S = 1.0  # too short to be worth a look of its own


@dataclass(frozen=True, eq=False)
class StretchChooser:
    """Chooses stretches of the reference, which has N frames."""

    times_s: NDArray[np.float64]  # (N,), when the frames come
    end_s: float  # when the last one ends
    activity: NDArray[np.float64]  # (N,), how much each frame has to say

    def first(self) -> Iterator[Stretch]:
        """Yield the first looks: all of a short recording, the liveliest of each third else."""
        start = float(self.times_s[0])
        if self.end_s - start <= WHOLE_S:
            yield start, self.end_s
            return
        third = (self.end_s - start) / _FIRST_LOOKS
        for number in range(_FIRST_LOOKS):
            yield self.liveliest(start + number * third, start + (number + 1) * third)

    def liveliest(self, start: float, end: float) -> Stretch:
        """Return the most active `LOOK_S` of a stretch."""
        first, stop = np.searchsorted(self.times_s, (start, end))
        times = self.times_s[first:stop]
        if len(times) == 0 or end - start <= LOOK_S:
            return start, end
        total = np.concatenate([[0.0], np.cumsum(self.activity[first:stop])])
        begins = np.flatnonzero(times <= end - LOOK_S)
        if len(begins) == 0:  # a hole, and frames only behind it
            return end - LOOK_S, end
        ends = np.searchsorted(times, times[begins] + LOOK_S)
        best = float(times[begins[np.argmax(total[ends] - total[begins])]])
        return best, best + LOOK_S

    def elsewhere(self, seen: Sequence[Stretch]) -> Stretch | None:
        """Return the liveliest stretch of the longest one that was not looked at yet."""
        longest = self._longest_unseen(seen)
        return self.liveliest(*longest) if _length(longest) > _SLIVER_S else None

    def within(self, doubts: Sequence[Span], seen: Sequence[Stretch]) -> Stretch | None:
        """Return where to look to settle the longest doubt; None where all has been seen."""
        step_s = (self.end_s - float(self.times_s[0])) / len(self.times_s)
        shared = [
            (max(gap[0], float(doubt.start)), min(gap[1], float(doubt.end)))
            for gap in self._unseen(seen)
            for doubt in doubts
        ]
        unseen = [stretch for stretch in shared if _length(stretch) > step_s]
        if not unseen:
            return None
        start, end = max(unseen, key=_length)
        if end - start <= 2 * LOOK_S:
            return start, end
        quarter = (end - start) / 4  # halve the doubt, at a place where something moves
        return self.liveliest(start + quarter, end - quarter)

    def between(self, seen: Sequence[Stretch]) -> Stretch | None:
        """Return the middle of the longest stretch that was not looked at yet."""
        start, end = self._longest_unseen(seen)
        if start == end:
            return None
        middle = (start + end) / 2
        return max(start, middle - LOOK_S), min(end, middle + LOOK_S)

    def rest(self, seen: Sequence[Stretch]) -> Iterator[Stretch]:
        """Yield all that was not looked at yet, `WHOLE_S` at a time."""
        for start, end in self._unseen(seen):
            count = max(ceil((end - start) / WHOLE_S), 1)
            edges = np.linspace(start, end, count + 1).tolist()
            yield from pairwise(edges)

    def longest_unseen_s(self, seen: Sequence[Stretch]) -> float:
        """Return the seconds of the longest stretch that was not looked at."""
        return _length(self._longest_unseen(seen))

    def _longest_unseen(self, seen: Sequence[Stretch]) -> Stretch:
        return max(self._unseen(seen), key=_length, default=(0.0, 0.0))

    def _unseen(self, seen: Sequence[Stretch]) -> list[Stretch]:
        starts, ends = zip(*sorted(seen), strict=True) if seen else ((), ())
        gaps = zip((float(self.times_s[0]), *ends), (*starts, self.end_s), strict=True)
        return [gap for gap in gaps if _length(gap) > 0]


def _length(stretch: Stretch) -> float:
    return stretch[1] - stretch[0]
