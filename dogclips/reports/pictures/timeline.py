"""A recording over time: what was annotated, which windows became clips, and why others did not.

Windows and segments are drawn as one SVG path a row, so that a page of a hundred thousand windows
holds few elements; times are the coordinates themselves.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dogclips.lists.session_records import KEPT, RecordingRecords
from dogclips.reports.tables.cut import SKIP_REASONS

HEIGHT = 10  # of a row, in units of its drawing


_MOST_TICKS = 6


_STEPS_S = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400)


# What the annotator's player shows counts in seconds; beyond ten minutes nobody reads those.
_LONG_S = 600


# Reasons by which frames are lost or in doubt; the others are how windows were asked for.
_ALARMING = ("frames-missing", "in-doubt", "frames-lost", "no-timestamps")


@dataclass(frozen=True)
class Tick:
    """A mark of the time axis: its place from 0 to 100, and its text."""

    place: float
    text: str


@dataclass(frozen=True)
class Row:
    """One row of a timeline.

    Parameters
    ----------
    kind
        "label", "kept", "planned", "dropped", "alarming", "failed" or "stale".
    colour
        Number of a label's colour.
    number
        Segments or windows in this row.
    title
        What is shown where a pointer rests on it.
    path
        SVG path data: seconds to the right, `HEIGHT` units downward.
    times
        The stretches in words.
    """

    kind: str
    name: str
    number: int
    title: str
    path: str
    times: str
    colour: int = 0


@dataclass(frozen=True)
class Timeline:
    """The rows of a recording over one axis, in seconds of annotation time.

    Parameters
    ----------
    span_s
        What is drawn: all that was annotated or planned, and the recording.
    length_s
        When the recording ends.
    """

    span_s: tuple[float, float]
    length_s: float
    rows: tuple[Row, ...]
    ticks: tuple[Tick, ...]

    @property
    def view(self) -> str:
        """Return the view box of every row."""
        start, end = self.span_s
        return f"{_short(start)} 0 {_short(end - start)} {HEIGHT}"


def timeline_of(recording: RecordingRecords, classes: Sequence[str]) -> Timeline:
    """Return what is known about a recording over time."""
    windows = recording.windows[recording.windows["start_s"].notna()]
    segments = recording.segments
    ends = [*windows["end_s"], *segments["end_s"].astype(float), recording.length_s or 0.0]
    starts = [*windows["start_s"], *segments["start_s"].astype(float), 0.0]
    span_s = min(starts), max(*ends, min(starts) + 0.1)
    length_s = span_s[1] if recording.length_s is None else recording.length_s
    rows = (*_label_rows(segments, classes), *_window_rows(windows))
    return Timeline(span_s, length_s, rows, ticks_of(span_s))


def ticks_of(span_s: tuple[float, float]) -> tuple[Tick, ...]:
    """Return a few round times, and where they lie.

    >>> [tick.text for tick in ticks_of((0.0, 59.95))]
    ['0 s', '10', '20', '30', '40', '50']
    >>> [tick.text for tick in ticks_of((0.0, 4000.0))]
    ['0:00:00', '0:20:00', '0:40:00', '1:00:00']
    """
    start, end = span_s
    step = next((s for s in _STEPS_S if (end - start) / s <= _MOST_TICKS), _STEPS_S[-1])
    first = int(np.ceil(start / step - 1e-9))
    times = [number * step for number in range(first, int(np.floor(end / step + 1e-9)) + 1)]
    return tuple(
        Tick(100 * (time - start) / (end - start), _clock(time, end, first=not place))
        for place, time in enumerate(times)
    )


def runs_of(starts: NDArray[Any], ends: NDArray[Any]) -> list[tuple[float, float]]:
    """Return the stretches that are covered by spans, those that touch or overlap as one.

    >>> runs_of(np.array([4.0, 0.0, 9.0]), np.array([8.0, 4.0, 10.0]))
    [(0.0, 8.0), (9.0, 10.0)]
    """
    if not len(starts):
        return []
    order = np.argsort(starts, kind="stable")
    begun, until = starts[order], np.maximum.accumulate(ends[order])
    first = np.flatnonzero(np.concatenate([[True], begun[1:] > until[:-1] + 1e-6]))
    last = np.append(first[1:], len(begun)) - 1
    return list(zip(begun[first].tolist(), until[last].tolist(), strict=True))


def path_of(spans: Sequence[tuple[float, float]]) -> str:
    """Return spans as closed boxes of an SVG path.

    >>> path_of([(0.0, 4.0), (8.5, 9.25)])
    'M0 0h4v10h-4zM8.5 0h.75v10h-.75z'
    """
    return "".join(
        f"M{_short(start)} 0h{_short(end - start)}v{HEIGHT}h{_short(start - end)}z"
        for start, end in spans
    )


def _label_rows(segments: pd.DataFrame, classes: Sequence[str]) -> Iterator[Row]:
    groups = {str(name): own for name, own in segments.groupby("label", sort=False)}
    order = dict.fromkeys([*(name for name in classes if name in groups), *groups])
    colours = {name: place for place, name in enumerate(dict.fromkeys([*classes, *groups]))}
    for name in order:
        own = groups[name].sort_values("start_s")
        spans = list(zip(own["start_s"].astype(float), own["end_s"].astype(float), strict=True))
        seconds = sum(end - start for start, end in spans)
        title = f"{name}: {counted(len(spans), 'segment')}, {seconds:.1f} s"
        yield Row(
            "label", str(name), len(spans), title, path_of(spans), _times(spans), colours[name]
        )


def _window_rows(windows: pd.DataFrame) -> Iterator[Row]:
    status = windows["status"].where(~windows["status"].isin(KEPT), "kept")
    groups = {(str(key[0]), str(key[1])): own for key, own in windows.groupby([status, "reason"])}
    for kind, reason in sorted(groups, key=_rank):
        own = groups[kind, reason]
        spans = runs_of(own["start_s"].to_numpy(), own["end_s"].to_numpy())
        name, title, shown = _described(kind, reason)
        yield Row(shown, name, len(own), title, path_of(spans), _times(spans))


def _rank(key: tuple[str, str]) -> tuple[int, int, str]:
    kind, reason = key
    kinds = ("kept", "planned", "failed", "skipped", "stale")
    reasons = list(SKIP_REASONS)
    place = reasons.index(reason) if reason in reasons else len(reasons)
    return kinds.index(kind), place, reason


def _described(kind: str, reason: str) -> tuple[str, str, str]:
    """Return the name of a row of windows, what it means, and how it looks."""
    if kind == "kept":
        return "clips", "windows that are clips", "kept"
    if kind == "planned":
        return "not cut yet", "planned, and not cut: the run was interrupted", "planned"
    if kind == "stale":
        return "stale", "clips that only an earlier plan had", "stale"
    if kind == "failed":
        return "failed", f"failed: {reason}", "failed"
    meaning = SKIP_REASONS.get(reason, "")
    title = f"{reason}: {meaning}" if meaning else reason
    return reason, title, "alarming" if reason in _ALARMING else "dropped"


def counted(number: int, noun: str) -> str:
    """Return a number with its noun.

    >>> counted(1, "clip"), counted(1200, "clip")
    ('1 clip', '1,200 clips')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _times(spans: Sequence[tuple[float, float]]) -> str:
    listed = ", ".join(f"{_plain(start)}\N{EN DASH}{_plain(end)}" for start, end in spans)
    return f"{listed} s"


def _plain(number: float) -> str:
    """Return a number with at most two decimals."""
    text = f"{number:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _short(number: float) -> str:
    """Return a number with at most two decimals, as short as SVG reads it."""
    text = _plain(number)
    return text.replace("0.", ".", 1) if text.startswith(("0.", "-0.")) else text


def _clock(time_s: float, end_s: float, *, first: bool) -> str:
    if end_s > _LONG_S:
        minutes, seconds = divmod(round(time_s), 60)
        return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"
    return f"{time_s:g} s" if first else f"{time_s:g}"
