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
from numpy.typing import NDArray

from dogclips.loading.excerpts import Timeline


@dataclass(frozen=True)
class Dense:
    """Frames at a fixed interval.

    Parameters
    ----------
    interval
        From one frame to the next: in frames of the clip, or in seconds.
    seconds
        Which of the two.
    """

    interval: float
    seconds: bool = False

    def span_s(self, timeline: Timeline, clip_len: int) -> float:
        """Return how long a view is, from the start of its first frame to the end of its last."""
        return (clip_len - 1) * self._apart_s(timeline) + timeline.step_s

    def fits(self, timeline: Timeline, clip_len: int) -> bool:
        """Return whether a view is no longer than the clip."""
        slack = 1e-3 * timeline.step_s
        return self.span_s(timeline, clip_len) <= timeline.end_s - timeline.start_s + slack

    def instants(self, timeline: Timeline, clip_len: int, share: float) -> NDArray[np.float64]:
        """Return the instants of a view that begins at a share of the room there is for it."""
        span_s = self.span_s(timeline, clip_len)
        begin_s = timeline.start_s + share * max(timeline.end_s - timeline.start_s - span_s, 0.0)
        # The middle of a frame, so that rounded times make no step longer than another.
        middle_s = begin_s + timeline.step_s / 2
        return middle_s + np.arange(clip_len, dtype=np.float64) * self._apart_s(timeline)

    def _apart_s(self, timeline: Timeline) -> float:
        return self.interval * (1.0 if self.seconds else timeline.step_s)


@dataclass(frozen=True)
class Sampling:
    """How many frames of a clip a view has, and which.

    Parameters
    ----------
    clip_len
        Frames of a view.
    dense
        None for uniform segments.
    """

    clip_len: int
    dense: Dense | None = None

    def shortens(self, timeline: Timeline) -> bool:
        """Return whether the clip is too short for the interval and is sampled uniformly."""
        return self.dense is not None and not self.dense.fits(timeline, self.clip_len)

    def random_views(
        self, timeline: Timeline, num_views: int, rng: np.random.Generator
    ) -> NDArray[np.float64]:
        """Return the instants of views for training (V, T)."""
        views = range(num_views)
        if self.dense is None or self.shortens(timeline):
            start, end = timeline.start_s, timeline.end_s
            return np.stack([random_instants(start, end, self.clip_len, rng) for _ in views])
        shares = rng.random(num_views)
        return np.stack([self.dense.instants(timeline, self.clip_len, shares[v]) for v in views])

    def fixed_views(self, timeline: Timeline, num_views: int) -> NDArray[np.float64]:
        """Return the instants of views for evaluation (V, T), the same for every call.

        Dense views lie evenly from the clip's start to its end, a single one in the middle.
        """
        views = range(num_views)
        if self.dense is None or self.shortens(timeline):
            start, end = timeline.start_s, timeline.end_s
            return np.stack(
                [
                    segment_instants(start, end, self.clip_len, view=view, num_views=num_views)
                    for view in views
                ]
            )
        shares = np.linspace(0.0, 1.0, num_views) if num_views > 1 else [0.5]
        return np.stack([self.dense.instants(timeline, self.clip_len, shares[v]) for v in views])


def segment_instants(
    start: float, end: float, clip_len: int, *, view: int = 0, num_views: int = 1
) -> NDArray[np.float64]:
    """Return one instant of each segment, the same for every call.

    Parameters
    ----------
    start, end
        When the first frame starts and the last one ends, in seconds.
    clip_len
        Number of segments.
    view, num_views
        Views take instants that lie evenly within the segments; a single view takes the middle.

    >>> segment_instants(0, 4, 4)
    array([0.5, 1.5, 2.5, 3.5])
    >>> segment_instants(0, 4, 4, view=1, num_views=2)
    array([0.75, 1.75, 2.75, 3.75])
    """
    share = (view + 0.5) / num_views
    places = np.arange(clip_len, dtype=np.float64) + share
    return _within(start, end, places, clip_len)


def random_instants(
    start: float, end: float, clip_len: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return a random instant of each segment."""
    return _within(start, end, np.arange(clip_len) + rng.random(clip_len), clip_len)


def _within(
    start: float, end: float, places: NDArray[np.float64], clip_len: int
) -> NDArray[np.float64]:
    return start + (end - start) * places / clip_len
