"""By how many frames a stream lies about its time, window by window; and a plot of it in text."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from rich.text import Text

from dogclips.alignment import Alignment
from dogclips.clips.recordings import Recording
from dogclips.streams import Stream

PLOT_WIDTH = 78  # columns in all; the narrowest usual terminal has 80


_GUTTER = 8


_MOST_ROWS = 9  # and one more at either edge


_BELIEVED, _REFUSED, _MAP, _DOUBT = "●", "·", "─", "░"


_STYLES = {_BELIEVED: "bold green", _MAP: "green", _REFUSED: "dim", _DOUBT: "yellow"}


@dataclass(frozen=True)
class Dot:
    """What one window shows: the time of its middle, and the frames that the target is late."""

    time_s: float
    late: float
    believed: bool


@dataclass(frozen=True)
class Lags:
    """How late the target is against its own timestamps over time, in frames of the target.

    Parameters
    ----------
    span_s
        Container time on the reference, from the first frame to the end of the last one.
    dots
        The windows, in time order.
    lines
        (start, end) points of (time, late) for each piece of a trusted time map.
    doubts
        (start, end) of the stretches at which nobody can know.
    """

    span_s: tuple[float, float]
    dots: tuple[Dot, ...]
    lines: tuple[tuple[tuple[float, float], tuple[float, float]], ...]
    doubts: tuple[tuple[float, float], ...]

    @property
    def shown(self) -> list[float]:
        """Return the values that a plot must hold: what is believed, else everything."""
        believed = [dot.late for dot in self.dots if dot.believed]
        believed.extend(late for line in self.lines for _, late in line)
        return believed or [dot.late for dot in self.dots] or [0.0]


def lags_of(file: Recording) -> Lags | None:
    """Return what the windows show; None where nobody compared pixels."""
    table, alignment = file.measured
    content = alignment.content
    if content is None or not content.windows:
        return None
    streams = {stream.index: stream for stream in table.streams}
    reference, target = streams[alignment.reference], streams[alignment.target]
    rate = float(target.frame_rate or 25)
    dots = tuple(
        Dot(
            float(window.span.start + window.span.end) / 2,
            -content.grid.shift_s(window.number) * rate,
            window.accepted,
        )
        for window in content.windows
    )
    return Lags(
        (float(reference.start_s or 0), float(reference.end_s or 0)),
        dots,
        tuple(_lines(alignment, target)) if alignment.trusted else (),
        tuple((float(doubt.start), float(doubt.end)) for doubt in alignment.time_map.doubts),
    )


def _lines(
    alignment: Alignment, target: Stream
) -> Iterator[tuple[tuple[float, float], tuple[float, float]]]:
    rate, begin = target.frame_rate or Fraction(25), target.start_s or Fraction(0)
    for piece in alignment.time_map.pieces:
        # A drifting map names the frame on screen, half a frame behind the line through its lags.
        half = Fraction(1, 2) if piece.scale != 1 else Fraction(0)
        start, end = (
            (float(time_s), float((time_s - begin - piece(time_s)) * rate + half))
            for time_s in (piece.reference.start, piece.reference.end)
        )
        yield start, end


def plot_lags(lags: Lags) -> Text:
    """Return a plot in text, at most `PLOT_WIDTH` columns wide; it needs no colour."""
    return _Plot(lags).text()


class _Plot:
    def __init__(self, lags: Lags) -> None:
        self.lags = lags
        self.columns = PLOT_WIDTH - _GUTTER
        low, high = min(lags.shown), max(lags.shown)
        if max(abs(low), abs(high)) <= 2 * _MOST_ROWS:  # keep what the timestamps say in sight
            low, high = min(low, 0.0), max(high, 0.0)
        self.step = _nice((high - low) / (_MOST_ROWS - 1))
        self.bottom = math.floor(low / self.step + 0.5) - 1
        self.rows = math.floor(high / self.step + 0.5) + 2 - self.bottom
        self.cells = [[" "] * self.columns for _ in range(self.rows)]
        self.outside = 0

    def text(self) -> Text:
        self.fill()
        text = Text(no_wrap=True, overflow="crop")
        text.append("frames that the target is late against its timestamps\n", style="bold")
        for row in reversed(range(self.rows)):
            late = (self.bottom + row) * self.step
            label = f"{late:+g}" if late else "0"
            text.append(f"{label:>{_GUTTER - 2}} ┤")
            for cell in self.cells[row]:
                text.append(cell, style=_STYLES.get(cell))
            text.append("\n")
        text.append(self.axis())
        text.append(f"{_BELIEVED} believed  {_REFUSED} refused  {_MAP} time map  {_DOUBT} in doubt")
        if self.outside:
            text.append(f"  ({self.outside} refused lie outside)")
        return text

    def fill(self) -> None:
        for start, end in self.lags.doubts:
            for column in range(self.column(start), self.column(end) + 1):
                for cells in self.cells:
                    cells[column] = _DOUBT
        for start_point, end_point in self.lags.lines:
            self.line(start_point, end_point)
        for dot in sorted(self.lags.dots, key=lambda dot: dot.believed):
            row = self.row(dot.late)
            if 0 <= row < self.rows:
                self.cells[row][self.column(dot.time_s)] = _BELIEVED if dot.believed else _REFUSED
            else:
                self.outside += 1

    def line(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        first, last = self.column(start[0]), self.column(end[0])
        for column in range(first, last + 1):
            share = (column - first) / max(last - first, 1)
            row = self.row(start[1] + share * (end[1] - start[1]))
            if self.cells[row][column] == " ":  # what is in doubt hides the map
                self.cells[row][column] = _MAP

    def row(self, late: float) -> int:
        return math.floor(late / self.step + 0.5) - self.bottom

    def column(self, time_s: float) -> int:
        start, end = self.lags.span_s
        share = (time_s - start) / max(end - start, 1e-9)
        return min(max(int(share * self.columns), 0), self.columns - 1)

    def axis(self) -> str:
        start, end = self.lags.span_s
        line = " " * (_GUTTER - 1) + "└" + "─" * self.columns
        first, middle, last = (f"{time:.1f} s" for time in (start, (start + end) / 2, end))
        labels = f"{first:<{self.columns // 3}}{middle:^{self.columns // 3}}"
        return f"{line}\n{' ' * _GUTTER}{labels}{last:>{self.columns - len(labels)}}\n"


def _nice(step: float) -> float:
    """Return the next of 1, 2, 5, 10, 20... frames."""
    if step <= 1:
        return 1.0
    power = 10.0 ** math.floor(math.log10(step))
    return next(factor * power for factor in (1.0, 2.0, 5.0, 10.0) if factor * power >= step)
