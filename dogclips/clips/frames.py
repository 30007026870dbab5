"""Which frames of the target stream make up a window."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from dogclips.media.excerpt import Timing, last_of_equals
from dogclips.streams import Stream
from dogclips.timebase import ROUNDING_SLACK_S, Span, frame_at


@dataclass(frozen=True)
class SourceFrames:
    """Which frames of a stream make up a clip, and when it shows them.

    Ranges stand where the rate is constant: plans of a hundred thousand windows would fill the
    memory otherwise.
    """

    #: For each frame of the clip the index of its source frame in `Stream.pts`, ascending.
    indices: Sequence[int]
    pts: Sequence[int]  #: When the clip shows each, from 0, in units of `time_base`
    time_base: Fraction
    frame_rate: Fraction
    timing: Timing
    begin_s: Fraction  #: When the window begins, in container time of the stream


def select_frames(stream: Stream, window: Span, frame_rate: Fraction | None) -> SourceFrames | str:
    """Return the frames that a window shows, or the reason why it cannot be cut.

    Constant-rate streams give exactly seconds x rate frames from the one on screen at the start.
    Variable-rate streams give every frame shown in the window at its own time. With `frame_rate`
    each frame of that grid is the one on screen then. The window is in seconds since the stream's
    first frame.
    """
    if stream.start_s is None:
        return "no-timestamps"
    if window.start < 0:
        return "before-target-start"
    shown = Span(window.start + stream.start_s, window.end + stream.start_s)
    frames = _frames_of(stream, shown, frame_rate)
    if frames is None:
        return "after-end"
    lost = _misses_frames(stream, shown) or _is_torn(stream, frames.indices)
    return "frames-missing" if lost else frames


def _frames_of(stream: Stream, shown: Span, frame_rate: Fraction | None) -> SourceFrames | None:
    """Return the frames of a window of container time; None if it runs past the end."""
    rate = frame_rate or stream.frame_rate
    on_grid = frame_rate is None and not stream.variable_frame_rate
    until_s = shown.start if on_grid else shown.end - ROUNDING_SLACK_S
    # Without a rate all of the stream is a single moment.
    if rate is None or stream.end_s is None or until_s >= stream.end_s:
        return None
    count = max(round(shown.duration * rate), 1)
    times = _looked_up(shown, rate if frame_rate else None, count)
    indices = tuple(frame_at(stream.pts, stream.time_base, time) for time in times)
    first, stop = indices[0], indices[0] + count if on_grid else indices[-1] + 1
    if stop > len(stream.pts):
        return None
    if frame_rate is not None:
        return SourceFrames(indices, range(count), 1 / rate, rate, "resampled", shown.start)
    if on_grid:
        own = range(first, stop)
        return SourceFrames(own, range(count), 1 / rate, rate, "grid", shown.start)
    return _as_timed(stream, range(first, stop), shown.start)


def _as_timed(stream: Stream, shown: range, begin_s: Fraction) -> SourceFrames:
    """Return frames at their own times; of those that share a time the last one is seen."""
    seen: Sequence[int] = shown
    if stream.num_repeated or stream.pictures is not None:
        seen = (shown.start + last_of_equals(stream.pts[shown.start : shown.stop])).tolist()
    start = math.floor(begin_s / stream.time_base)
    pts = (0, *(int(time) - start for time in stream.pts[list(seen[1:])]))
    rate = stream.frame_rate or Fraction(1)
    return SourceFrames(seen, pts, stream.time_base, rate, "timed", begin_s)


def _looked_up(window: Span, rate: Fraction | None, count: int) -> list[Fraction]:
    """Return when frames are looked up: at each time of a new rate, else at the first and last."""
    if rate is not None:
        return [window.start + k / rate for k in range(count)]
    # A frame that begins just before the end, by no more than the rounding, is the next window's.
    return [window.start, window.end - 2 * ROUNDING_SLACK_S]


def _is_torn(stream: Stream, indices: Sequence[int]) -> bool:
    """Return whether a frame from the first to the last may show what is lost before it."""
    return any(own.start <= indices[-1] and indices[0] < own.stop for own in stream.torn)


def _misses_frames(stream: Stream, window: Span) -> bool:
    """Return whether a window spans frames which are not there."""
    rate = stream.frame_rate or Fraction(1)
    holes = (Span(gap.at_s - gap.missing / rate, gap.at_s) for gap in stream.gaps)
    # A window may begin or end within a frame, and timestamps are rounded.
    return any(hole.overlap(window) > 1 / (2 * rate) for hole in holes)
