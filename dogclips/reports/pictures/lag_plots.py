"""By how many frames a stream lies about its time: a chart for a page, and a plot in text."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.text import Text

from dogclips.reports.pictures.recording_timeline import AxisTick, axis_ticks
from dogclips.scores.lags import Lags, lags_in

PLOT_WIDTH = 78  # columns in all; the narrowest usual terminal has 80
CHART_HEIGHT = 40
_LEAST_FRAMES = 4.0  # what a chart spans at least, so that half a frame looks small
_GUTTER = 8
_MOST_ROWS = 9  # and one more at either edge
_BELIEVED, _REFUSED, _MAP, _DOUBT = "●", "·", "─", "░"
_STYLES = {_BELIEVED: "bold green", _MAP: "green", _REFUSED: "dim", _DOUBT: "yellow"}


@dataclass(frozen=True)
class LagChart:
    """How late a target is over the reference's container time, as parts of an SVG.

    Parameters
    ----------
    view
        The view box: seconds to the right, `CHART_HEIGHT` units downward.
    path
        SVG path data of the time map.
    zero
        Units downward at which the streams run as their timestamps say.
    low, high
        Frames at the lower and at the upper edge.
    """

    lags: Lags
    view: str
    path: str
    zero: float
    low: float
    high: float
    ticks: Sequence[AxisTick]
    text: str


def lag_chart(entry: Mapping[str, Any]) -> LagChart | None:
    """Return the chart of one entry of `probe.json`; None where nobody compared pixels."""
    lags = lags_in(entry)
    if lags is None:
        return None
    lates = [late for line in lags.lines for _, late in line]
    low, high = min([*lates, 0.0]), max([*lates, 0.0])
    edge = max(0.15 * (high - low), (_LEAST_FRAMES - (high - low)) / 2)
    low, high = low - edge, high + edge
    start, end = lags.span_s[0], max(lags.span_s[1], lags.span_s[0] + 0.1)

    def down(late: float) -> float:
        return round(CHART_HEIGHT * (high - late) / (high - low), 2)

    return LagChart(
        lags,
        view=f"{start:.2f} 0 {end - start:.2f} {CHART_HEIGHT}",
        path="".join(f"M{a:.2f} {down(b)}L{c:.2f} {down(d)}" for (a, b), (c, d) in lags.lines),
        zero=down(0.0),
        low=low,
        high=high,
        ticks=axis_ticks(start, end),
        text=_chart_text(lates, entry["alignment"]["content"]),
    )


def _chart_text(lates: list[float], content: Mapping[str, Any]) -> str:
    ends = sorted({round(late) for late in lates})
    late = f"{ends[0]:+d}" if len(ends) == 1 else f"{ends[0]:+d} to {ends[-1]:+d}" if ends else "?"
    late = "0" if late == "+0" else late
    frames = "frame" if late in ("+1", "-1") else "frames"
    return (
        f"Late against its timestamps: {late} {frames}; {content['windows_believed']} of"
        f" {content['windows']} windows believed, {content['looked_s']:.0f} s looked at"
    )


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
