"""Which instants of a clip the model sees: uniform segments over all of it, or a dense stretch.

Uniform: the clip is divided into as many segments as the model takes frames, each of the same
duration: time, not frame numbers, so that a clip of variable frame rate keeps its pace. Training
draws one random instant of each segment, evaluation takes the middle (Wang et al. 2016, "Temporal
Segment Networks").

Dense: frames at a fixed interval, somewhere in the clip (Feichtenhofer et al. 2019, "SlowFast
Networks"). They often need longer clips than people cut: 8 frames 32 apart are 225 frames, and four
seconds have 80. A clip that is too short is sampled uniformly; nothing is repeated.

Training and evaluation have functions of their own, and no branch in common.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dogclips.media.excerpt import FrameTimes


@dataclass(frozen=True)
class Dense:
    """Frames at a fixed interval."""

    interval: float  #: From one frame to the next: in frames of the clip, or in seconds
    seconds: bool = False  #: Which of the two

    def span_s(self, times: FrameTimes, clip_len: int) -> float:
        """Return how long a view is, from the start of its first frame to the end of its last."""
        return (clip_len - 1) * self._apart_s(times) + times.step_s

    def instants(self, times: FrameTimes, clip_len: int, shares: ArrayLike) -> NDArray[np.float64]:
        """Return the instants of views (V, T), each at a share (V,) of the room there is for it."""
        room_s = max(times.end_s - times.start_s - self.span_s(times, clip_len), 0.0)
        begin_s = times.start_s + np.asarray(shares)[:, None] * room_s
        # The middle of a frame, so that rounded times make no step longer than another.
        middle_s = begin_s + times.step_s / 2
        return middle_s + np.arange(clip_len, dtype=np.float64) * self._apart_s(times)

    def _apart_s(self, times: FrameTimes) -> float:
        return self.interval * (1.0 if self.seconds else times.step_s)


@dataclass(frozen=True)
class Sampling:
    """How many frames of a clip a view has, and which."""

    clip_len: int  #: Frames of a view
    dense: Dense | None = None  #: None for uniform segments

    def shortens(self, times: FrameTimes) -> bool:
        """Return whether the clip is too short for the interval and is sampled uniformly."""
        if self.dense is None:
            return False
        slack = 1e-3 * times.step_s
        return self.dense.span_s(times, self.clip_len) > times.end_s - times.start_s + slack

    def random_views(
        self, times: FrameTimes, num_views: int, rng: np.random.Generator
    ) -> NDArray[np.float64]:
        """Return the instants of views for training (V, T)."""
        if self.dense is None or self.shortens(times):
            shares = rng.random((num_views, self.clip_len))
            return segment_instants(times.start_s, times.end_s, self.clip_len, shares)
        return self.dense.instants(times, self.clip_len, rng.random(num_views))

    def fixed_views(self, times: FrameTimes, num_views: int) -> NDArray[np.float64]:
        """Return the instants of views for evaluation (V, T), the same for every call.

        Views share the segments evenly, and a single one takes their middles. Dense ones lie evenly
        from the clip's start to its end, a single one in the middle.
        """
        if self.dense is None or self.shortens(times):
            shares = (np.arange(num_views)[:, None] + 0.5) / num_views
            return segment_instants(times.start_s, times.end_s, self.clip_len, shares)
        even = np.linspace(0.0, 1.0, num_views) if num_views > 1 else [0.5]
        return self.dense.instants(times, self.clip_len, even)


def segment_instants(
    start: float, end: float, clip_len: int, shares: ArrayLike = 0.5
) -> NDArray[np.float64]:
    """Return one instant of each segment of a clip that lasts from `start` to `end`, in seconds.

    `shares` say where in its segment each instant lies, from 0 to 1: one number, (T,), (V, 1) or
    (V, T) for T segments.

    >>> segment_instants(0, 4, 4)
    array([0.5, 1.5, 2.5, 3.5])
    >>> segment_instants(0, 4, 4, [[0.25], [0.75]])
    array([[0.25, 1.25, 2.25, 3.25],
           [0.75, 1.75, 2.75, 3.75]])
    """
    segments = np.arange(clip_len) + np.asarray(shares, dtype=np.float64)
    return start + (end - start) * segments / clip_len
