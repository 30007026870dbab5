"""What is read of a file, and when its frames are shown.

A clip is a file of its own, or a stretch of its recording. The second is shown at the times at
which the cut file would show it, so that a clip and its virtual twin give a model the same frames.
"""

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from dogclips.timebase import ROUNDING_SLACK_S, Pts, frame_at

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
        return _timed_frames_of(pts, time_base, window)
    grid = np.arange(window.num_frames) / float(window.rate)
    if window.timing == "resampled":
        instants = (window.begin_s + k / window.rate for k in range(window.num_frames))
        own = [frame_at(pts, time_base, instant) for instant in instants]
        return FrameTimes(np.array(own, dtype=np.int64), grid)
    places = held_frames(pts, time_base, window.rate, window.begin_s, window.num_frames)
    if places is None or (places[0], places[-1]) != (0, len(pts) - 1):
        return None
    return FrameTimes(places, grid)


def _timed_frames_of(pts: Pts, time_base: Fraction, window: Window) -> FrameTimes | None:
    begin = math.floor(window.begin_s / time_base)
    shown = last_of_equals(pts)
    # The first frame may have begun before the window did.
    ticks = np.concatenate([[0], pts[shown[1:]] - begin])
    more = repeats_of_last(int(ticks[-1]), time_base, window.rate)
    again = [next(more) for _ in range(window.num_frames - len(shown))]
    places = np.concatenate([shown, np.full(len(again), len(pts) - 1)])
    times = frame_times_of(np.concatenate([ticks, np.array(again, dtype=np.int64)]), time_base)
    return FrameTimes(places, times.times_s)


def held_frames(
    pts: Pts,
    time_base: Fraction,
    rate: Fraction,
    begin_s: Fraction,
    count: int,
    *,
    ended: bool = False,
) -> Pts | None:
    """Return which of these frames is on screen at each of `count` instants of their own rate.

    The first one is on screen when the window begins. Where frames are missing between two, the
    earlier one is held. The last frame is held as well, unless the stream has `ended` with it: then
    an instant after it makes the result None.

    >>> held_frames(np.array([0, 50, 150]), Fraction(1, 1000), Fraction(20), Fraction(0), 4)
    array([0, 1, 1, 2])
    """
    steps = rate * time_base  # frames a tick
    in_turn = np.arange(len(pts), dtype=np.int64)
    # Where a tick is as long as some frames, times tell nothing but their order.
    coarse = 2 * steps >= 1 and steps != 1
    places = in_turn if coarse else np.rint((pts - pts[0]) * float(steps)).astype(np.int64)
    begun = 0
    if len(pts) > 1:
        since_s = begin_s + ROUNDING_SLACK_S - int(pts[0]) * time_base
        begun = min(max(math.floor(since_s * rate), 0), int(places[1]) - 1)
    slots = begun + np.arange(count)
    if ended and slots[-1] > places[-1]:
        return None
    return np.searchsorted(places, slots, side="right").astype(np.int64) - 1


def repeats_of_last(last: int, time_base: Fraction, rate: Fraction) -> Iterator[int]:
    """Yield when a clip shows its last picture again, which is held: in ticks, at its rate."""
    for number in itertools.count(1):
        yield last + max(round(number / (rate * time_base)), number)


def last_of_equals(pts: Pts) -> Pts:
    """Return which frames are seen at all: of those that share a time the last one.

    >>> last_of_equals(np.array([0, 50, 50, 100])).tolist()
    [0, 2, 3]
    """
    return np.flatnonzero(np.append(np.diff(pts) > 0, True))
