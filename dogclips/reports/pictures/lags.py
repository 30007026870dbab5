"""By how many frames a stream lies about its time, as measured or in `probe.json`; and plots."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from rich.text import Text

from dogclips.clips.recordings import Recording
from dogclips.reports.pictures.recording_timeline import AxisTick, axis_ticks

PLOT_WIDTH = 78  # columns in all; the narrowest usual terminal has 80
CHART_HEIGHT = 40
_LEAST_FRAMES = 4.0  # what a chart spans at least, so that half a frame looks small
_GUTTER = 8
_MOST_ROWS = 9  # and one more at either edge
_BELIEVED, _REFUSED, _MAP, _DOUBT = "●", "·", "─", "░"
_STYLES = {_BELIEVED: "bold green", _MAP: "green", _REFUSED: "dim", _DOUBT: "yellow"}

# Two points of (container time on the reference, frames late).
_Line = tuple[tuple[float, float], tuple[float, float]]


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
    lines: tuple[_Line, ...]
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
    rate, begin_s = float(target.frame_rate or 25), float(target.start_s or 0)
    dots = (
        Dot(
            float(window.span.start + window.span.end) / 2,
            -content.grid.shift_s(window.number) * rate,
            window.accepted,
        )
        for window in content.windows
    )
    lines = (
        _line(
            (float(piece.reference.start), float(piece.reference.end)),
            begin_s + float(piece.target_start),
            float(piece.scale),
            rate,
        )
        for piece in alignment.time_map.pieces
    )
    return Lags(
        (float(reference.start_s or 0), float(reference.end_s or 0)),
        tuple(dots),
        tuple(lines) if alignment.trusted else (),
        tuple((float(doubt.start), float(doubt.end)) for doubt in alignment.time_map.doubts),
    )


def _line(span_s: tuple[float, float], target_s: float, scale: float, rate: float) -> _Line:
    """Return the ends of a piece of a time map that takes its start to `target_s`."""
    # A drifting map names the frame on screen, half a frame behind the line through its lags.
    half = 0.5 if scale != 1 else 0.0
    (start, end), length_s = span_s, span_s[1] - span_s[0]
    return (
        (start, (start - target_s) * rate + half),
        (end, (end - target_s - length_s * scale) * rate + half),
    )


# A chart for a page, of what `probe.json` holds.


@dataclass(frozen=True)
class LagChart:
    """How late a target is over the reference's container time, as parts of an SVG.

    Parameters
    ----------
    low, high
        Frames at the lower and at the upper edge, `CHART_HEIGHT` units apart.
    """

    lags: Lags
    low: float
    high: float
    text: str

    @property
    def view(self) -> str:
        """Return the view box: seconds to the right, `CHART_HEIGHT` units downward."""
        start, end = self._span_s
        return f"{start:.2f} 0 {end - start:.2f} {CHART_HEIGHT}"

    @property
    def path(self) -> str:
        """Return SVG path data of the time map."""
        lines = self.lags.lines
        return "".join(
            f"M{a:.2f} {self.down(b)}L{c:.2f} {self.down(d)}" for (a, b), (c, d) in lines
        )

    @property
    def ticks(self) -> list[AxisTick]:
        """Return the marks of the time axis."""
        return axis_ticks(*self._span_s)

    @property
    def in_doubt_s(self) -> float:
        """Return the length of all stretches at which nobody can know."""
        return sum(end - start for start, end in self.lags.doubts)

    @property
    def _span_s(self) -> tuple[float, float]:
        start, end = self.lags.span_s
        return start, max(end, start + 0.1)

    def down(self, late: float) -> float:
        """Return how many units downward so many frames lie; at 0 timestamps are right."""
        return round(CHART_HEIGHT * (self.high - late) / (self.high - self.low), 2)


def lag_chart(entry: Mapping[str, Any]) -> LagChart | None:
    """Return the chart of one entry of `probe.json`; None where nobody compared pixels."""
    alignment = entry.get("alignment")
    if not alignment or not alignment["content"] or alignment["content"]["windows"] == 0:
        return None
    streams = {stream["index"]: stream for stream in entry["streams"]}
    reference, target = streams[alignment["reference"]], streams[alignment["target"]]
    rate, begin_s = float(Fraction(target["frame_rate"] or 25)), float(target["start_s"] or 0)
    lines = tuple(
        _line(
            (piece["reference_start_s"], piece["reference_end_s"]),
            begin_s + piece["target_start_s"],
            piece["scale"],
            rate,
        )
        for piece in alignment["segments"]
        if alignment["trusted"]
    )
    doubts = ((one["reference_start_s"], one["reference_end_s"]) for one in alignment["doubts"])
    span_s = float(reference["start_s"] or 0), float(reference["end_s"] or 0)
    lates = [late for line in lines for _, late in line]
    low, high = min([*lates, 0.0]), max([*lates, 0.0])
    edge = max(0.15 * (high - low), (_LEAST_FRAMES - (high - low)) / 2)
    lags = Lags(span_s, (), lines, tuple(doubts))
    return LagChart(lags, low - edge, high + edge, _chart_text(lates, alignment["content"]))


def _chart_text(lates: list[float], content: Mapping[str, Any]) -> str:
    ends = sorted({round(late) for late in lates})
    late = f"{ends[0]:+d}" if len(ends) == 1 else f"{ends[0]:+d} to {ends[-1]:+d}" if ends else "?"
    late = "0" if late == "+0" else late
    frames = "frame" if late in ("+1", "-1") else "frames"
    return (
        f"Late against its timestamps: {late} {frames}; {content['windows_believed']} of"
        f" {content['windows']} windows believed, {content['looked_s']:.0f} s looked at"
    )


# A plot for a terminal.


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
