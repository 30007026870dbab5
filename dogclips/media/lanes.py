"""Which clips of one source can share an encoder, so that no frame is encoded twice.

An encoder without B-frames may begin a clip anywhere: a keyframe is forced at each clip's first
frame, and the clip is the packets from there to its last frame. Clips that overlap therefore share
the frames of both, as long as they show the same source frames in the same order.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol


class Placed(Protocol):
    """What shows source frames, by their place in `Stream.pts`, ascending."""

    @property
    def places(self) -> Sequence[int]:
        """Return the place of each frame's source frame."""


@dataclass
class Lane:
    """The frames that one encoder gets, and where in them each clip begins.

    `starts` has one index into `places` for each job that the lane serves.
    """

    places: list[int] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)

    def start_of(self, wanted: Sequence[int]) -> int | None:
        """Return where frames would begin that share all they can; None if they do not fit.

        >>> Lane([4, 5, 6, 7]).start_of([6, 7, 8]), Lane([4, 6, 8]).start_of([5, 7])
        (2, None)
        """
        if not self.places or wanted[0] > self.places[-1]:
            return len(self.places)
        low = bisect_left(self.places, wanted[0])
        for start in range(low, bisect_right(self.places, wanted[0])):
            shared = len(self.places) - start
            if self.places[start:] == list(wanted[:shared]):
                return start
            if self.places[start : start + len(wanted)] == list(wanted):
                return start
        return None

    def add(self, wanted: Sequence[int], start: int) -> None:
        """Let a job begin at an index that `start_of` gave."""
        self.places.extend(wanted[len(self.places) - start :])
        self.starts.append(start)


def plan_lanes(jobs: Iterable[Placed], *, share: bool = True) -> list[tuple[Lane, list[int]]]:
    """Return lanes, each with the indices of the jobs that it serves in the order of `starts`.

    Parameters
    ----------
    jobs
        In the order of their first places.
    share
        False gives every job a lane of its own, as B-frames want it.
    """
    lanes: list[tuple[Lane, list[int]]] = []
    for number, job in enumerate(jobs):
        found = ((lane.start_of(job.places), lane, own) for lane, own in lanes if share)
        fitting = next(((s, lane, own) for s, lane, own in found if s is not None), None)
        if fitting is None:
            lane, own, start = Lane(), list[int](), 0
            lanes.append((lane, own))
        else:
            start, lane, own = fitting
        lane.add(job.places, start)
        own.append(number)
    return lanes
