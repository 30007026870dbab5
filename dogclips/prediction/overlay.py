"""A recording with a panel below each frame: what happens now, before and after.

Every frame of the stream is shown once, at its own time.

Shapes: H x W pixels; T steps.
"""

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from itertools import takewhile
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from dogclips.media.decoding import decode_from
from dogclips.media.display import Scaler, output_size, stored_as
from dogclips.media.writing import Pixels, TimedFrame, VideoTrack, write_video
from dogclips.reports.pictures.lettering import drawable, fitting, font
from dogclips.reports.tables.predict import longest_labels
from dogclips.scores.prediction import Prediction
from dogclips.timebase import Span, shown

_LEAST_WIDTH, _MOST_WIDTH = 640, 1280  # pixels; the panel needs some, and players like few
_MOST_ROWS = 12
_ROW, _MARGIN, _TEXT = 24, 8, 14
_NAME_SHARE, _SCORE_SHARE = 0.24, 0.2  # of the width; the strip of time has the rest
_AROUND_S = 10  # seconds of the strip before and after now
_GROUND, _SLOT, _INK = (24, 26, 30), (44, 48, 55), (232, 234, 238)
_QUIET, _BUSY, _BOUT, _NOW = (110, 118, 130), (255, 176, 66), (76, 145, 235), (255, 255, 255)
_OPTIONS = {"preset": "veryfast", "crf": "20"}


def draw_overlay(path: Path, prediction: Prediction, on_frame: Callable[[], None]) -> None:
    """Write the stream that the annotator saw, with the labels that last longest below it.

    Every frame comes at its annotation time. Frames before zero were never seen and are left out,
    and so is what does not decode. The suffix of `path` chooses the container.
    """
    viewing, stream = prediction.viewing, prediction.viewing.reference
    panel = Panel(prediction)
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
        scaler, last = Scaler(stored_as(stream), (width, height)), -1
        for index, frame in decode_from(viewing.annotated, stream, 0):
            on_frame()
            ticks = int(stream.pts[index]) - round(viewing.zero_s / stream.time_base)
            if ticks <= last or frame.is_corrupt:
                continue
            last = ticks
            picture = scaler.picture(frame).to_ndarray(format="rgb24")
            below = panel.at(ticks * stream.time_base)
            yield 0, ticks, np.concatenate([picture.astype(np.uint8, copy=False), below])

    write_video(path, [track], frames())


class Panel:
    """Draws the rows of labels at any time, as wide as the stream within limits."""

    def __init__(self, prediction: Prediction) -> None:
        self.prediction = prediction
        own_width, _ = output_size(prediction.viewing.reference, None)
        width = min(max(own_width, _LEAST_WIDTH), _MOST_WIDTH) // 2 * 2
        self.labels = longest_labels(prediction, _MOST_ROWS)  #: By index, from top to bottom
        self.spans = [prediction.spans_of(prediction.labels[k]) for k in self.labels]
        self.width = width
        self.height = (len(self.labels) + 1) * _ROW + 2 * _MARGIN
        self._score_x = round(width * _NAME_SHARE), round(width * (_NAME_SHARE + _SCORE_SHARE))
        self._strip_x = self._score_x[1] + 2 * _MARGIN, width - _MARGIN
        self._ends = [np.array([float(span.end) for span in own]) for own in self.spans]
        self._ground = self._drawn()

    def at(self, time_s: Fraction) -> Pixels:
        """Return the panel at an annotation time (H, W, 3)."""
        picture = self._ground.copy()
        clock = _written(f"{shown(time_s)} s", self._score_x[0])
        picture[_MARGIN : _MARGIN + clock.shape[0], _MARGIN : _MARGIN + clock.shape[1]] = clock
        step, scores = int(time_s // self.prediction.step_s), self.prediction.score
        score_K = scores[step] if step < len(scores) else np.full(scores.shape[1], np.nan)
        for row, k in enumerate(self.labels, start=1):
            top = _MARGIN + row * _ROW
            lanes = picture[top + 5 : top + _ROW - 4]
            spans = self._near(row - 1, time_s)
            happens = any(span.start <= time_s < span.end for span in spans)
            left, right = self._score_x
            if not np.isnan(score_K[k]):
                reach = left + round((right - left) * float(score_K[k]))
                lanes[:, left:reach] = _BUSY if happens else _QUIET
            tick = left + round((right - left) * self.prediction.thresholds[k])
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
        return [*takewhile(lambda span: span.start < after, self.spans[row][first:])]

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
        for row, k in enumerate(self.labels, start=1):
            top = _MARGIN + row * _ROW
            name = fitting(
                drawable(self.prediction.labels[k]), self._score_x[0] - 2 * _MARGIN, letters
            )
            draw.text((_MARGIN, top + 3), name, fill=_INK, font=letters)
            for left, right in (self._score_x, self._strip_x):
                draw.rectangle((left, top + 5, right - 1, top + _ROW - 5), fill=_SLOT)
        return np.asarray(image, dtype=np.uint8).copy()


def _written(text: str, width: int) -> Pixels:
    image = Image.new("RGB", (width - _MARGIN, _ROW - 4), _GROUND)
    ImageDraw.Draw(image).text((0, 0), text, fill=_INK, font=font(_TEXT))
    return np.asarray(image, dtype=np.uint8)
