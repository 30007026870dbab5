"""A recording over time: what was annotated, which windows became clips, and why others did not.

Windows and segments are drawn as one SVG path a row, so that a page of a hundred thousand windows
holds few elements; times are the coordinates themselves.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dogclips.lists.session_records import KEPT, RecordingRecords
from dogclips.reports.tables.cut import SKIP_REASONS
from dogclips.wording import clock, counted

ROW_HEIGHT = 10  # in units of its drawing
_MOST_TICKS = 6
_STEPS_S = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400)
# What the annotator's player shows counts in seconds; beyond ten minutes nobody reads those.
_LONG_S = 600
# Reasons by which frames are lost or in doubt; the others are how windows were asked for.
_ALARMING = (
    *("frames-missing", "frames-damaged", "frames-lost"),
    *("in-doubt", "contradicted", "no-timestamps"),
)
# Rows of windows from above: what they are called, what that means, in the order of statuses.
VERDICTS = {
    "confirmed": "both streams move alike",
    "still": "nothing moves, only timestamps tell",
    "contradicted": "the streams do not move alike",
    "not-compared": "the pixels were not compared, or cannot tell",
}
_CALLED = {
    "kept": ("clips", "windows that are clips"),
    "planned": ("not cut yet", "planned, and not cut: the run was interrupted"),
    "failed": ("failed", ""),
    "skipped": ("", ""),
    "stale": ("stale", "clips that only an earlier plan had"),
}


@dataclass(frozen=True)
class AxisTick:
    """A mark of the time axis: its place from 0 to 100, and its text."""

    place: float
    text: str


@dataclass(frozen=True)
class TimelineRow:
    """One row of a timeline."""

    kind: str  #: "label", "kept", "planned", "dropped", "alarming", "failed" or "stale"
    name: str
    number: int  #: Segments or windows in this row
    title: str  #: What is shown where a pointer rests on it
    spans: Sequence[tuple[float, float]]  #: (start, end) in seconds of each stretch
    colour: int = 0  #: Number of a label's colour
    verdict: str = ""  #: What the pixels say of these clips; empty if nothing was compared in them

    @property
    def path(self) -> str:
        """Return SVG path data of closed boxes: seconds to the right, `ROW_HEIGHT` downward."""
        return "".join(
            f"M{_short(start)} 0h{_short(end - start)}v{ROW_HEIGHT}h{_short(start - end)}z"
            for start, end in self.spans
        )

    @property
    def times(self) -> str:
        """Return the stretches in words."""
        listed = (f"{_plain(start)}\N{EN DASH}{_plain(end)}" for start, end in self.spans)
        return f"{', '.join(listed)} s"


@dataclass(frozen=True)
class RecordingTimeline:
    """The rows of a recording over one axis, in seconds of annotation time."""

    #: What is drawn: all that was annotated or planned, and the recording.
    span_s: tuple[float, float]
    view: str  #: The same as the view box of every row
    length_s: float  #: When the recording ends
    rows: tuple[TimelineRow, ...]
    ticks: Sequence[AxisTick]

    @property
    def judged(self) -> bool:
        """Return whether clips have rows by verdict."""
        return any(row.verdict for row in self.rows)


def recording_timeline(recording: RecordingRecords, classes: Sequence[str]) -> RecordingTimeline:
    """Return what is known about a recording over time."""
    windows = recording.windows[recording.windows["start_s"].notna()]
    segments = recording.segments.astype({"start_s": float, "end_s": float})
    ends = [*windows["end_s"], *segments["end_s"], recording.length_s or 0.0]
    starts = [*windows["start_s"], *segments["start_s"], 0.0]
    start, end = min(starts), max(*ends, min(starts) + 0.1)
    view = f"{_short(start)} 0 {_short(end - start)} {ROW_HEIGHT}"
    length_s = end if recording.length_s is None else recording.length_s
    rows = (*_label_rows(segments, classes), *_window_rows(windows))
    return RecordingTimeline((start, end), view, length_s, rows, axis_ticks(start, end))


def axis_ticks(start: float, end: float) -> list[AxisTick]:
    """Return a few round times, and where they lie.

    >>> [tick.text for tick in axis_ticks(0.0, 59.95)]
    ['0 s', '10', '20', '30', '40', '50']
    >>> [tick.text for tick in axis_ticks(0.0, 4000.0)]
    ['0:00:00', '0:20:00', '0:40:00', '1:00:00']
    """

    def text(time_s: float) -> str:
        if end > _LONG_S:
            return clock(round(time_s), tenths=False)
        return f"{time_s:g} s" if time_s == times[0] else f"{time_s:g}"

    step = next((s for s in _STEPS_S if (end - start) / s <= _MOST_TICKS), _STEPS_S[-1])
    numbers = range(math.ceil(start / step - 1e-9), math.floor(end / step + 1e-9) + 1)
    times = [number * step for number in numbers]
    return [AxisTick(100 * (time_s - start) / (end - start), text(time_s)) for time_s in times]


def joined_spans(starts: NDArray[Any], ends: NDArray[Any]) -> list[tuple[float, float]]:
    """Return the stretches that are covered by spans, those that touch or overlap as one.

    >>> joined_spans(np.array([4.0, 0.0, 9.0]), np.array([8.0, 4.0, 10.0]))
    [(0.0, 8.0), (9.0, 10.0)]
    """
    order = np.argsort(starts, kind="stable")
    begun, until = starts[order], np.maximum.accumulate(ends[order])
    first = np.flatnonzero(np.concatenate([[True], begun[1:] > until[:-1] + 1e-6]))
    last = np.append(first[1:], len(begun)) - 1
    return list(zip(begun[first].tolist(), until[last].tolist(), strict=True))


def _label_rows(segments: pd.DataFrame, classes: Sequence[str]) -> Iterator[TimelineRow]:
    groups = {str(name): own for name, own in segments.groupby("label", sort=False)}
    for colour, name in enumerate(dict.fromkeys([*classes, *groups])):
        if name in groups:
            own = groups[name].sort_values("start_s")
            spans = list(zip(own["start_s"], own["end_s"], strict=True))
            seconds = (own["end_s"] - own["start_s"]).sum()
            title = f"{name}: {counted(len(spans), 'segment')}, {seconds:.1f} s"
            yield TimelineRow("label", name, len(spans), title, spans, colour)


def _window_rows(windows: pd.DataFrame) -> Iterator[TimelineRow]:
    status = windows["status"].where(~windows["status"].isin(KEPT), "kept")
    reasons = dict.fromkeys([*SKIP_REASONS, *sorted(windows["reason"].unique())])
    in_order = windows.assign(
        status=pd.Categorical(status, [*_CALLED]),
        reason=pd.Categorical(windows["reason"], [*reasons]),
        verdict=pd.Categorical(_judged(windows, status), ["", *VERDICTS]),
    )
    for key, own in in_order.groupby(["status", "reason", "verdict"], observed=True):
        kind, reason, verdict = map(str, key)
        name, title = _CALLED[kind]
        shown = kind
        if verdict:
            name, title = f"clips: {verdict}", f"{title}: {verdict}, {VERDICTS[verdict]}"
        elif kind == "failed":
            title = f"failed: {reason}"
        elif kind == "skipped":
            name, title = reason, ": ".join(filter(None, (reason, SKIP_REASONS.get(reason))))
            shown = "alarming" if reason in _ALARMING else "dropped"
        spans = joined_spans(own["start_s"].to_numpy(), own["end_s"].to_numpy())
        yield TimelineRow(shown, name, len(own), title, spans, verdict=verdict)


def _judged(windows: pd.DataFrame, status: "pd.Series[str]") -> "pd.Series[str]":
    """Return the verdict of each clip; empty for other windows, or if no clip was compared."""
    verdicts = windows["verdict"].where(status == "kept", "")
    return (
        verdicts
        if set(verdicts) & {*VERDICTS} - {"not-compared"}
        else verdicts.mask(verdicts != "", "")
    )


def _plain(number: float) -> str:
    """Return a number with at most two decimals."""
    text = f"{number:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _short(number: float) -> str:
    """Return a number with at most two decimals, as short as SVG reads it."""
    text = _plain(number)
    return text.replace("0.", ".", 1) if text.startswith(("0.", "-0.")) else text
