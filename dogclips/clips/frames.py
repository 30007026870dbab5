"""Which frames of the target stream make up a window."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import takewhile

import numpy as np

from dogclips.media.excerpt import Timing, held_frames, last_of_equals, repeats_of_last
from dogclips.streams import MaxHold, Stream
from dogclips.timebase import ROUNDING_SLACK_S, Span, frame_at

_TAIL_STEPS = 5  # usual steps for which the last picture of a clip may stand without being repeated


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


def select_frames(
    stream: Stream,
    window: Span,
    frame_rate: Fraction | None,
    *,
    max_hold_s: MaxHold = "auto",
    keep_doubtful: bool = False,
) -> SourceFrames | str:
    """Return the frames that a window shows, or the reason why it cannot be cut.

    Constant-rate streams give exactly seconds x rate frames from the one on screen at the start;
    where frames are missing, the one before is held. Variable-rate streams give every frame shown
    in the window at its own time. With `frame_rate` each frame of that grid is the one on screen
    then. The window is in seconds since the stream's first frame.

    A window in which a picture is held for more than `max_hold_s`, or that shows what may be
    damaged by a loss before it, is cut only if doubtful ones are kept.
    """
    if stream.start_s is None:
        return "no-timestamps"
    if window.start < 0:
        return "before-target-start"
    shown = Span(window.start + stream.start_s, window.end + stream.start_s)
    frames = _frames_of(stream, shown, frame_rate)
    if frames is None:
        return "after-end"
    if keep_doubtful:
        return frames
    if _holds_too_long(stream, shown, max_hold_s):
        return "frames-missing"
    return "frames-damaged" if _is_torn(stream, frames.indices) else frames


def _frames_of(stream: Stream, shown: Span, frame_rate: Fraction | None) -> SourceFrames | None:
    """Return the frames of a window of container time; None if it runs past the end."""
    rate = frame_rate or stream.frame_rate
    on_grid = frame_rate is None and not stream.variable_frame_rate
    until_s = shown.start if on_grid else shown.end - ROUNDING_SLACK_S
    # Without a rate all of the stream is a single moment.
    if rate is None or stream.end_s is None or until_s >= stream.end_s:
        return None
    count = max(round(shown.duration * rate), 1)
    if on_grid:
        return _on_grid(stream, shown.start, rate, count)
    times = _looked_up(shown, rate if frame_rate else None, count)
    indices = tuple(frame_at(stream.pts, stream.time_base, time) for time in times)
    if indices[-1] >= len(stream.pts):
        return None
    if frame_rate is not None:
        return SourceFrames(indices, range(count), 1 / rate, rate, "resampled", shown.start)
    return _as_timed(stream, range(indices[0], indices[-1] + 1), shown)


def _on_grid(stream: Stream, begin_s: Fraction, rate: Fraction, count: int) -> SourceFrames | None:
    """Return so many frames of a constant rate from the one on screen then."""
    first = frame_at(stream.pts, stream.time_base, begin_s)
    own = stream.pts[first : first + count]
    ended = first + count > len(stream.pts)
    places = held_frames(own, stream.time_base, rate, begin_s, count, ended=ended)
    if places is None:
        return None
    in_turn = places[-1] == count - 1
    indices = range(first, first + count) if in_turn else (first + places).tolist()
    return SourceFrames(indices, range(count), 1 / rate, rate, "grid", begin_s)


def _as_timed(stream: Stream, own: range, window: Span) -> SourceFrames:
    """Return frames at their own times; of those that share a time the last one is seen.

    A last picture that is held is shown again, so that the clip lasts as long as its window.
    """
    seen: Sequence[int] = own
    if stream.num_repeated or stream.pictures is not None:
        seen = (own.start + last_of_equals(stream.pts[own.start : own.stop])).tolist()
    begin = math.floor(window.start / stream.time_base)
    pts = [0, *(int(time) - begin for time in stream.pts[list(seen[1:])])]
    rate = stream.frame_rate or Fraction(1)
    if window.duration - pts[-1] * stream.time_base > _TAIL_STEPS * stream.step_s:
        more = repeats_of_last(pts[-1], stream.time_base, rate)
        until = window.duration / stream.time_base
        pts += takewhile(lambda time: time < until, more)
        seen = [*seen, *[seen[-1]] * (len(pts) - len(seen))]
    return SourceFrames(seen, tuple(pts), stream.time_base, rate, "timed", window.start)


def _looked_up(window: Span, rate: Fraction | None, count: int) -> list[Fraction]:
    """Return when frames are looked up: at each time of a new rate, else at the first and last."""
    if rate is not None:
        return [window.start + k / rate for k in range(count)]
    # A frame that begins just before the end, by no more than the rounding, is the next window's.
    return [window.start, window.end - 2 * ROUNDING_SLACK_S]


def _is_torn(stream: Stream, indices: Sequence[int]) -> bool:
    """Return whether a frame from the first to the last may show what is lost before it."""
    return any(own.start <= indices[-1] and indices[0] < own.stop for own in stream.torn)


def _holds_too_long(stream: Stream, window: Span, max_hold_s: MaxHold) -> bool:
    """Return whether a window shows a picture that is held for too long."""
    most_s = stream.longest_hold_s(max_hold_s)
    if most_s is None:
        return False
    first = max(frame_at(stream.pts, stream.time_base, window.start), 0)
    stop = frame_at(stream.pts, stream.time_base, window.end) + 2
    own = stream.pts[first:stop]
    # Times may be rounded to a tick.
    held = np.flatnonzero(np.diff(own) > math.floor(most_s / stream.time_base) + 1).tolist()
    spans = (
        Span(int(own[at]) * stream.time_base + stream.step_s, int(own[at + 1]) * stream.time_base)
        for at in held
    )
    # A window may begin or end within a frame.
    return any(span.overlap(window) > stream.step_s / 2 for span in spans)
