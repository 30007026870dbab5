"""By how many frames a stream lies about its time: a chart for a page, and a plot in text."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rich.text import Text

from dogclips.records.probe import ProbedContent, ProbedFile
from dogclips.reports.pictures.recording_timeline import AxisTick, axis_ticks
from dogclips.scores.lags import Lags, lags_in

PLOT_WIDTH = 78  # columns in all; the narrowest usual terminal has 80
CHART_HEIGHT = 40
_LEAST_FRAMES = 4.0  # what a chart spans at least, so that half a frame looks small
_GUTTER = 8
_COLUMNS = PLOT_WIDTH - _GUTTER
_MOST_ROWS = 9  # and one more at either edge
_BELIEVED, _REFUSED, _MAP, _DOUBT = "●", "·", "─", "░"
_STYLES = {_BELIEVED: "bold green", _MAP: "green", _REFUSED: "dim", _DOUBT: "yellow"}


@dataclass(frozen=True)
class LagChart:
    """How late a target is over the reference's container time, as parts of an SVG."""

    lags: Lags
    view: str  #: The view box: seconds to the right, `CHART_HEIGHT` units downward
    path: str  #: SVG path data of the time map
    zero: float  #: Units downward at which the streams run as their timestamps say
    #: Frames at the lower and at the upper edge.
    low: float
    high: float
    ticks: Sequence[AxisTick]
    text: str


def lag_chart(entry: ProbedFile) -> LagChart | None:
    """Return the chart of one entry of `probe.json`; None where pixels were not compared."""
    lags = lags_in(entry)
    content = entry.alignment.content if entry.alignment else None
    if lags is None or content is None:
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
        text=_chart_text(lates, content),
    )


def _chart_text(lates: list[float], content: ProbedContent) -> str:
    ends = sorted({round(late) for late in lates})
    late = f"{ends[0]:+d}" if len(ends) == 1 else f"{ends[0]:+d} to {ends[-1]:+d}" if ends else "?"
    late = "0" if late == "+0" else late
    frames = "frame" if late in ("+1", "-1") else "frames"
    return (
        f"Late against its timestamps: {late} {frames}; {content.windows_believed} of"
        f" {content.windows} windows believed, {content.looked_s:.0f} s looked at"
    )


def plot_lags(lags: Lags) -> Text:
    """Return a plot in text, at most `PLOT_WIDTH` columns wide; it needs no colour."""
    low, high = min(lags.shown), max(lags.shown)
    if max(abs(low), abs(high)) <= 2 * _MOST_ROWS:  # keep what the timestamps say in sight
        low, high = min(low, 0.0), max(high, 0.0)
    least = (high - low) / (_MOST_ROWS - 1)
    power = 10.0 ** math.floor(math.log10(max(least, 1.0)))
    # The next of 1, 2, 5, 10, 20... frames.
    step = next(n * power for n in (1.0, 2.0, 5.0, 10.0) if n * power >= least)
    bottom = math.floor(low / step + 0.5) - 1
    cells, outside = _cells(lags, step, bottom, math.floor(high / step + 0.5) + 2 - bottom)
    text = Text(no_wrap=True, overflow="crop")
    text.append("frames that the target is late against its timestamps\n", style="bold")
    for row in reversed(range(len(cells))):
        late = (bottom + row) * step
        label = f"{late:+g}" if late else "0"
        text.append(f"{label:>{_GUTTER - 2}} ┤")
        for cell in cells[row].tolist():
            text.append(cell, style=_STYLES.get(cell))
        text.append("\n")
    start, end = lags.span_s
    first, middle, last = (f"{time:.1f} s" for time in (start, (start + end) / 2, end))
    times = f"{first:<{_COLUMNS // 3}}{middle:^{_COLUMNS // 3}}"
    text.append(f"{' ' * (_GUTTER - 1)}└{'─' * _COLUMNS}\n")
    text.append(f"{' ' * _GUTTER}{times}{last:>{_COLUMNS - len(times)}}\n")
    text.append(f"{_BELIEVED} believed  {_REFUSED} refused  {_MAP} time map  {_DOUBT} in doubt")
    if outside:
        text.append(f"  ({outside} refused lie outside)")
    return text


def _cells(lags: Lags, step: float, bottom: int, num_rows: int) -> tuple[NDArray[np.str_], int]:
    """Return (rows, columns) of signs, lowest first, and how many windows lie outside."""
    cells, outside = np.full((num_rows, _COLUMNS), " "), 0
    start, end = lags.span_s

    def column(time_s: float) -> int:
        share = (time_s - start) / max(end - start, 1e-9)
        return min(max(int(share * _COLUMNS), 0), _COLUMNS - 1)

    for begin, stop in lags.doubts:
        cells[:, column(begin) : column(stop) + 1] = _DOUBT
    for (begin, early), (stop, late) in lags.lines:
        columns = np.arange(column(begin), column(stop) + 1)
        lates = np.linspace(early, late, len(columns))
        rows = np.floor(lates / step + 0.5).astype(int) - bottom
        free = cells[rows, columns] == " "  # what is in doubt hides the map
        cells[rows[free], columns[free]] = _MAP
    for dot in sorted(lags.dots, key=lambda dot: dot.believed):
        row = math.floor(dot.late / step + 0.5) - bottom
        if 0 <= row < num_rows:
            cells[row, column(dot.time_s)] = _BELIEVED if dot.believed else _REFUSED
        else:
            outside += 1
    return cells, outside
