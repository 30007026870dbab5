"""Which frames of the target stream make up a window."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from dogclips.alignment import TimeMap
from dogclips.streams import Stream
from dogclips.timebase import ROUNDING_SLACK_S, Span, frame_at

# At a constant rate, as the recording times them, or at a rate of the clip's own.
Timing = Literal["grid", "timed", "resampled"]


@dataclass(frozen=True)
class SourceFrames:
    """Which frames of a stream make up a clip, and when it shows them.

    Ranges stand where the rate is constant: plans of a hundred thousand windows would fill the
    memory otherwise.

    Parameters
    ----------
    places
        For each frame of the clip the place of its source frame in `Stream.pts`, ascending.
    pts
        When the clip shows each, from 0, in units of `time_base`.
    begin_s
        When the window begins, in container time of the stream.
    """

    places: Sequence[int]
    pts: Sequence[int]
    time_base: Fraction
    frame_rate: Fraction
    timing: Timing
    begin_s: Fraction


def mapped_frames(
    stream: Stream,
    time_map: TimeMap,
    seen: Span,
    frame_rate: Fraction | None,
    *,
    keep_doubtful: bool = False,
) -> SourceFrames | str:
    """Return the target frames of a window of the reference, or the reason why it cannot be cut.

    Parameters
    ----------
    stream
        The target.
    seen
        Container time on the reference.
    frame_rate
        As for `select_frames`.
    keep_doubtful
        Give frames although nobody can know the shift between the streams, or some were lost.
    """
    begin = time_map.to_target(seen.start)
    frames = select_frames(stream, Span(begin, begin + seen.duration), frame_rate)
    if isinstance(frames, str) or keep_doubtful:
        return frames
    if time_map.is_broken(seen):
        return "frames-lost"
    return "in-doubt" if time_map.is_doubtful(seen) else frames


def select_frames(stream: Stream, window: Span, frame_rate: Fraction | None) -> SourceFrames | str:
    """Return the frames that a window shows, or the reason why it cannot be cut.

    Constant-rate streams give exactly seconds x rate frames from the one on screen at the start.
    Variable-rate streams give every frame shown in the window at its own time. With `frame_rate`
    each frame of that grid is the one on screen then.

    Parameters
    ----------
    window
        Seconds since the stream's first frame.
    frame_rate
        The rate to resample to; None keeps the source's frames.
    """
    if stream.start_s is None or stream.frame_rate is None:
        return "no-timestamps"
    if window.start < 0:
        return "before-target-start"
    shown = Span(window.start + stream.start_s, window.end + stream.start_s)
    if frame_rate is not None:
        frames = _resampled(stream, shown, frame_rate)
    elif stream.variable_frame_rate:
        frames = _as_timed(stream, shown)
    else:
        frames = _on_grid(stream, shown)
    return "after-end" if frames is None else _unbroken(stream, shown, frames)


def _on_grid(stream: Stream, window: Span) -> SourceFrames | None:
    rate = stream.frame_rate or Fraction(0)
    count = max(round(window.duration * rate), 1)
    first = frame_at(stream.pts, stream.time_base, window.start)
    if first + count > len(stream.pts) or _is_past(stream, window.start):
        return None
    places = range(first, first + count)
    return SourceFrames(places, range(count), 1 / rate, rate, "grid", window.start)


def _as_timed(stream: Stream, window: Span) -> SourceFrames | None:
    if _is_past(stream, window.end - ROUNDING_SLACK_S):
        return None
    first = frame_at(stream.pts, stream.time_base, window.start)
    # A frame that begins just before the end, by no more than the rounding, is the next window's.
    last = frame_at(stream.pts, stream.time_base, window.end - 2 * ROUNDING_SLACK_S)
    start = math.floor(window.start / stream.time_base)
    pts = [0, *(int(time) - start for time in stream.pts[first + 1 : last + 1])]
    rate = stream.frame_rate or Fraction(0)
    places = range(first, last + 1)
    return SourceFrames(places, tuple(pts), stream.time_base, rate, "timed", window.start)


def _resampled(stream: Stream, window: Span, rate: Fraction) -> SourceFrames | None:
    if _is_past(stream, window.end - ROUNDING_SLACK_S):
        return None
    count = max(round(window.duration * rate), 1)
    times = [window.start + k / rate for k in range(count)]
    places = tuple(frame_at(stream.pts, stream.time_base, time) for time in times)
    return SourceFrames(places, range(count), 1 / rate, rate, "resampled", window.start)


def _is_past(stream: Stream, time_s: Fraction) -> bool:
    return stream.end_s is None or time_s >= stream.end_s


def _unbroken(stream: Stream, window: Span, frames: SourceFrames) -> SourceFrames | str:
    """Refuse a clip that spans frames which are not there."""
    rate = stream.frame_rate or Fraction(1)
    holes = (Span(gap.at_s - gap.missing / rate, gap.at_s) for gap in stream.gaps)
    # A window may begin or end within a frame, and timestamps are rounded.
    missing = any(hole.overlap(window) > 1 / (2 * rate) for hole in holes)
    return "frames-missing" if missing else frames
