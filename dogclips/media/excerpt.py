"""What is read of a file, and when its frames are shown.

A clip is a file of its own, or a stretch of its recording. The second is shown at the times at
which the cut file would show it, so that a clip and its virtual twin give a model the same frames.
"""

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from dogclips.timebase import Pts, frame_at

# How a cut clip times its frames: at a constant rate, as the recording does, or resampled to a rate
# of its own; `clips.frames.select_frames` decides.
Timing = Literal["grid", "timed", "resampled"]


@dataclass(frozen=True)
class Window:
    """The frames of a clip within a stream of a recording, as the manifest's row says."""

    #: Of the first and the last frame, in ticks of the stream.
    first_pts: int
    last_pts: int
    #: Of the clip.
    num_frames: int
    rate: Fraction
    begin_s: Fraction  #: When the window begins, in container time of the stream
    timing: Timing  #: How the clip times its frames
    #: Width and height of the clip; None for those of the recording.
    size: tuple[int, int] | None = None
    deinterlace: bool = True  #: Whether interlaced frames show their first moment only


@dataclass(frozen=True)
class Excerpt:
    """What is to be decoded of a file."""

    path: Path  #: A video file
    #: Index among all streams, as ffprobe counts them; None for the first video stream.
    stream: int | None = None
    window: Window | None = None  #: The frames that count; None for all


@dataclass(frozen=True)
class FrameTimes:
    """When the frames of a clip are shown."""

    pts: Pts  #: Of each frame in its stream, ascending; one that is shown twice stands there twice
    times_s: NDArray[np.float64]  #: When each is shown, in seconds, ascending

    @cached_property
    def step_s(self) -> float:
        """Return how long the usual frame is shown; a single one lasts a tick or two."""
        return float(np.median(np.diff(self.times_s))) if len(self.times_s) > 1 else 1e-3

    @property
    def start_s(self) -> float:
        """Return when the first frame is shown."""
        return float(self.times_s[0])

    @property
    def end_s(self) -> float:
        """Return when the last frame ends; it is shown as long as the usual one.

        What containers say of it differs.
        """
        return float(self.times_s[-1]) + self.step_s

    def on_screen(self, instants: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the index in `pts` of the frame on screen at each instant, in any shape.

        Before the clip that is its first frame, after it the last one.
        """
        # A billionth of a second makes up for the rounding of seconds to floats.
        found = np.searchsorted(self.times_s, instants + 1e-9, side="right") - 1
        return np.maximum(found, 0).astype(np.int64)


def frame_times_of(pts: Pts, time_base: Fraction) -> FrameTimes:
    """Return when the frames of a stream are shown, given their times in ticks, ascending."""
    # Exactly rounded seconds: one division of two whole numbers.
    return FrameTimes(pts, (pts * time_base.numerator).astype(np.float64) / time_base.denominator)


def window_times_of(pts: Pts, time_base: Fraction, window: Window) -> FrameTimes | None:
    """Return when a clip shows the frames of its window; None if they are not those any more."""
    found = window_frames_of(pts, time_base, window)
    return None if found is None else FrameTimes(pts[found.pts], found.times_s)


def window_frames_of(pts: Pts, time_base: Fraction, window: Window) -> FrameTimes | None:
    """Return the same with the frames' places among `pts` in place of their times."""
    if not len(pts) or (pts[0], pts[-1]) != (window.first_pts, window.last_pts):
        return None
    if window.timing == "timed":
        begin = math.floor(window.begin_s / time_base)
        shown = last_of_equals(pts)
        # The first frame may have begun before the window did.
        times = frame_times_of(np.concatenate([[0], pts[shown[1:]] - begin]), time_base)
        return FrameTimes(shown, times.times_s)
    grid = np.arange(window.num_frames) / float(window.rate)
    if window.timing == "resampled":
        instants = (window.begin_s + k / window.rate for k in range(window.num_frames))
        own = [frame_at(pts, time_base, instant) for instant in instants]
        return FrameTimes(np.array(own, dtype=np.int64), grid)
    return FrameTimes(np.arange(len(pts)), grid) if len(pts) == window.num_frames else None


def last_of_equals(pts: Pts) -> Pts:
    """Return which frames are seen at all: of those that share a time the last one.

    >>> last_of_equals(np.array([0, 50, 50, 100])).tolist()
    [0, 2, 3]
    """
    return np.flatnonzero(np.append(np.diff(pts) > 0, True))
