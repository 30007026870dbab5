"""A recording with a panel below each frame: what happens now, before and after.

Every frame of the stream is shown once, at its own time.

Shapes: H x W pixels; T steps.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import takewhile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from dogclips.media.decoding import decode_from
from dogclips.media.lettering import drawable, fitting, font
from dogclips.media.picture import Scaler, output_size
from dogclips.media.writing import Pixels, TimedFrame, VideoTrack, write_video
from dogclips.streams import Stream
from dogclips.timebase import Span, shown

_LEAST_WIDTH, _MOST_WIDTH = 640, 1280  # pixels; the panel needs some, and players like few
_ROW, _MARGIN, _TEXT = 24, 8, 14
_NAME_SHARE, _SCORE_SHARE = 0.24, 0.2  # of the width; the strip of time has the rest
_AROUND_S = 10  # seconds of the strip before and after now
_GROUND, _SLOT, _INK = (24, 26, 30), (44, 48, 55), (232, 234, 238)
_QUIET, _BUSY, _BOUT, _NOW = (110, 118, 130), (255, 176, 66), (76, 145, 235), (255, 255, 255)
_OPTIONS = {"preset": "veryfast", "crf": "20"}


@dataclass(frozen=True, eq=False)
class LabelTrack:
    """One row of the panel."""

    label: str
    spans: Sequence[Span]  #: Its bouts, in annotation time and in its order; they do not overlap
    score: NDArray[np.float64]  #: Of each step (T,), NaN where it is unknown
    threshold: float  #: Marked on the bar of the score


def write_overlay(
    path: Path,
    source: Path,
    stream: Stream,
    zero_s: Fraction,
    panel: "Panel",
    on_frame: Callable[[], None] = lambda: None,
) -> None:
    """Write every frame of a stream at its annotation time, with the panel below it.

    The stream is the one that the annotator saw, in whose player container time `zero_s` is 0.
    Frames before that were never seen and are left out, and so is what does not decode. The suffix
    of `path` chooses the container.
    """
    own_width, own_height = output_size(stream, None)
    width = panel.width
    height = max(round(Fraction(own_height * width, own_width) / 2) * 2, 2)
    track = VideoTrack(
        width=width,
        height=height + panel.height,
        frame_rate=stream.frame_rate or Fraction(25),
        options=_OPTIONS,
        time_base=stream.time_base,
        default=True,
    )

    def frames() -> Iterator[TimedFrame]:
        scaler, last = Scaler(stream, (width, height)), -1
        for index, frame in decode_from(source, stream, 0):
            on_frame()
            ticks = int(stream.pts[index]) - round(zero_s / stream.time_base)
            if ticks <= last or frame.is_corrupt:
                continue
            last = ticks
            picture = scaler.picture(index, frame).to_ndarray(format="rgb24")
            below = panel.at(ticks * stream.time_base)
            yield 0, ticks, np.concatenate([picture.astype(np.uint8, copy=False), below])

    write_video(path, [track], frames())


def panel_width(stream: Stream) -> int:
    """Return the even width at which a stream is shown: its own, within limits."""
    width, _ = output_size(stream, None)
    return min(max(width, _LEAST_WIDTH), _MOST_WIDTH) // 2 * 2


class Panel:
    """Draws the rows of labels at any time; `step_s` is that of their scores, `width` in pixels."""

    def __init__(self, tracks: Sequence[LabelTrack], step_s: Fraction, width: int) -> None:
        self.tracks, self.step_s, self.width = tracks, step_s, width
        self.height = (len(tracks) + 1) * _ROW + 2 * _MARGIN
        self._score_x = round(width * _NAME_SHARE), round(width * (_NAME_SHARE + _SCORE_SHARE))
        self._strip_x = self._score_x[1] + 2 * _MARGIN, width - _MARGIN
        self._ends = [np.array([float(span.end) for span in own.spans]) for own in tracks]
        self._ground = self._drawn()

    def at(self, time_s: Fraction) -> Pixels:
        """Return the panel at an annotation time (H, W, 3)."""
        picture = self._ground.copy()
        clock = _written(f"{shown(time_s)} s", self._score_x[0])
        picture[_MARGIN : _MARGIN + clock.shape[0], _MARGIN : _MARGIN + clock.shape[1]] = clock
        step = int(time_s // self.step_s)
        for row, track in enumerate(self.tracks, start=1):
            top = _MARGIN + row * _ROW
            lanes = picture[top + 5 : top + _ROW - 4]
            spans = self._near(row - 1, time_s)
            happens = any(span.start <= time_s < span.end for span in spans)
            score = track.score[step] if step < len(track.score) else np.nan
            left, right = self._score_x
            if not np.isnan(score):
                reach = left + round((right - left) * float(score))
                lanes[:, left:reach] = _BUSY if happens else _QUIET
            tick = left + round((right - left) * track.threshold)
            lanes[:, tick : tick + 2] = _INK
            for span in spans:
                begin, end = self._x(span.start, time_s), self._x(span.end, time_s)
                lanes[:, begin:end] = _BUSY if span.start <= time_s < span.end else _BOUT
        middle = self._x(time_s, time_s)
        picture[_MARGIN + _ROW : -_MARGIN, middle : middle + 2] = _NOW
        return picture

    def _near(self, row: int, now_s: Fraction) -> Sequence[Span]:
        """Return the bouts of a row that the strip shows; they are in the order of time."""
        first = int(np.searchsorted(self._ends[row], float(now_s) - _AROUND_S - 1))
        after = now_s + _AROUND_S
        return [*takewhile(lambda span: span.start < after, self.tracks[row].spans[first:])]

    def _x(self, time_s: Fraction, now_s: Fraction) -> int:
        left, right = self._strip_x
        share = (time_s - now_s + _AROUND_S) / (2 * _AROUND_S)
        return round(left + (right - left) * min(max(share, Fraction(0)), Fraction(1)))

    def _drawn(self) -> Pixels:
        """Return what never changes: names, slots and headings."""
        image = Image.new("RGB", (self.width, self.height), _GROUND)
        draw, letters = ImageDraw.Draw(image), font(_TEXT)
        heads = ((self._score_x[0], "score"), (self._strip_x[0], f"bouts, ±{_AROUND_S} s"))
        for left, text in heads:
            draw.text((left, _MARGIN), text, fill=_QUIET, font=letters)
        for row, track in enumerate(self.tracks, start=1):
            top = _MARGIN + row * _ROW
            name = fitting(drawable(track.label), self._score_x[0] - 2 * _MARGIN, letters)
            draw.text((_MARGIN, top + 3), name, fill=_INK, font=letters)
            for left, right in (self._score_x, self._strip_x):
                draw.rectangle((left, top + 5, right - 1, top + _ROW - 5), fill=_SLOT)
        return np.asarray(image, dtype=np.uint8).copy()


def _written(text: str, width: int) -> Pixels:
    image = Image.new("RGB", (width - _MARGIN, _ROW - 4), _GROUND)
    ImageDraw.Draw(image).text((0, 0), text, fill=_INK, font=font(_TEXT))
    return np.asarray(image, dtype=np.uint8)
