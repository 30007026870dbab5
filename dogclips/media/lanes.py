"""Which clips of one source can share an encoder, so that no frame is encoded twice.

An encoder without B-frames may begin a clip anywhere: a keyframe is forced at each clip's first
frame, and the clip is the packets from there to its last frame. Clips that overlap therefore share
the frames of both, as long as they show the same source frames in the same order.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path


@dataclass(frozen=True)
class ClipJob:
    """One clip to write."""

    path: Path
    #: For each frame of the clip the index of its source frame in `Stream.pts`, ascending.
    indices: Sequence[int]
    #: For each frame of the clip its presentation time there, from 0, in units of `time_base`.
    pts: Sequence[int]
    time_base: Fraction
    frame_rate: Fraction
    size: tuple[int, int]  #: Width and height of the upright picture in pixels, both even


@dataclass
class Lane:
    """The frames that one encoder gets, by index in the source, and the clips cut out of them.

    `starts` says where in `indices` each of the `jobs` begins.
    """

    indices: list[int] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    jobs: list[ClipJob] = field(default_factory=list)

    def start_of(self, wanted: Sequence[int]) -> int | None:
        """Return where frames would begin that share all they can; None if they do not fit.

        >>> Lane([4, 5, 6, 7]).start_of([6, 7, 8]), Lane([4, 6, 8]).start_of([5, 7])
        (2, None)
        """
        if not self.indices or wanted[0] > self.indices[-1]:
            return len(self.indices)
        low = bisect_left(self.indices, wanted[0])
        for start in range(low, bisect_right(self.indices, wanted[0])):
            shared = self.indices[start : start + len(wanted)]
            if shared == list(wanted[: len(shared)]):
                return start
        return None

    def add(self, job: ClipJob, start: int) -> None:
        """Let a job begin where `start_of` said."""
        self.indices.extend(job.indices[len(self.indices) - start :])
        self.starts.append(start)
        self.jobs.append(job)


def plan_lanes(jobs: Iterable[ClipJob], *, share: bool = True) -> list[Lane]:
    """Return lanes, each with its jobs in the order of their starts, which is that of `jobs`.

    Unless they `share`, every job has a lane of its own, as B-frames want it.
    """
    lanes: list[Lane] = []
    for job in jobs:
        found = ((lane, lane.start_of(job.indices)) for lane in lanes if share)
        lane, start = next(((lane, at) for lane, at in found if at is not None), (Lane(), 0))
        if not lane.jobs:
            lanes.append(lane)
        lane.add(job, start)
    return lanes
