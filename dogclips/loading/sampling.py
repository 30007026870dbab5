"""Which instants of a clip the model sees: uniform segments over the whole clip.

The clip is divided into as many segments as the model takes frames, each of the same duration:
time, not frame numbers, so that a clip of variable frame rate keeps its pace. Training draws one
random instant of each segment, evaluation takes the middle (Wang et al. 2016, "Temporal Segment
Networks"). Frames at a fixed interval would need longer clips than people cut: 8 frames 32 apart
are 256 frames, and four seconds have 80.
"""

import numpy as np
from numpy.typing import NDArray


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
