"""One page from which a person can judge a data set; it needs no network and no other file."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from dogclips.lists.session_records import KEPT, RecordingRecords, SessionRecords
from dogclips.records.probe import ProbedAlignment, ProbedFile, ProbedMessage, ProbedStream
from dogclips.reports.pages.dataset_numbers import (
    Split,
    classes_of,
    durations,
    label_rows,
    segments_of,
    split_grid,
    statuses,
    together,
    windows_of,
)
from dogclips.reports.pages.findings import Finding, findings_of
from dogclips.reports.pages.page import rendered
from dogclips.reports.pictures.contact_sheet import Sheet
from dogclips.reports.pictures.timeline import Timeline, counted, timeline_of
from dogclips.reports.pictures.timeline_lags import LagChart, lag_chart
from dogclips.reports.tables.cut import SKIP_REASONS

_MOST_OPEN = 8  # recordings that are unfolded; of more a reader picks some


_STATUSES = {
    "cut": "clips, cut by the last run",
    "reused": "clips of an earlier run",
    "planned": "not cut yet: the run was interrupted",
    "failed": "could not be cut",
    "stale": "clips that only an earlier plan had",
}


@dataclass(frozen=True, eq=False)
class Dataset:
    """Sessions as one data set.

    Parameters
    ----------
    names
        A short name for each session.
    windows
        All manifests, as `dataset_page_numbers.windows_of` returns them.
    """

    sessions: tuple[SessionRecords, ...]
    names: tuple[str, ...]
    classes: tuple[str, ...]
    windows: pd.DataFrame

    @classmethod
    def of(cls, sessions: Sequence[SessionRecords]) -> "Dataset":
        """Gather sessions."""
        names = _short_names([session.base_dir for session in sessions])
        windows = windows_of(sessions, names)
        return cls(tuple(sessions), names, classes_of(sessions), windows)

    @property
    def kept(self) -> pd.DataFrame:
        """Return the windows that are clips."""
        return self.windows[self.windows["status"].isin(KEPT)]


@dataclass(frozen=True)
class Verdict:
    """Whether clips of a recording show what was annotated: a word, a sentence, a level."""

    level: str
    word: str
    text: str


@dataclass(frozen=True, eq=False)
class _Part:
    """A recording as the page shows it."""

    recording: RecordingRecords
    verdicts: tuple[Verdict, ...]
    streams: tuple[tuple[str, ...], ...]
    messages: tuple[ProbedMessage, ...]
    charts: tuple[LagChart, ...]
    timeline: Timeline
    summary: str


def dataset_page(
    dataset: Dataset,
    findings: Sequence[Finding],
    sheets: Sequence[Sheet],
    split: Split | None = None,
    *,
    made: str = "",
) -> bytes:
    """Return the page of a data set.

    Parameters
    ----------
    findings
        As `dataset_findings` returns them.
    sheets
        As `contact_sheet.sheets_of` returns them.
    made
        By what and when, for the foot of the page.
    """
    windows, classes = dataset.windows, dataset.classes
    segments = segments_of(dataset.sessions)
    labels = label_rows(windows, segments, classes)
    recordings = {
        name: [_part(one, classes) for one in session.recordings]
        for name, session in zip(dataset.names, dataset.sessions, strict=True)
    }
    values = {
        "title": _title(dataset),
        "findings": findings,
        "facts": _facts(dataset, segments),
        "statuses": _status_rows(windows),
        "per_session": _session_rows(dataset),
        "labels": labels,
        "together": together(windows, classes),
        "durations": durations(segments, classes),
        "split": split and split_grid(split),
        "split_folder": "" if split is None else split.folder.name,
        "sheets": sheets,
        "recordings": recordings,
        "opened": sum(map(len, recordings.values())) <= _MOST_OPEN,
        "made": made,
    }
    return rendered("dataset_page.html.j2", values)


def dataset_findings(dataset: Dataset, split: Split | None = None) -> list[Finding]:
    """Return what is to know of a data set before anybody trains on it, the weightiest first."""
    labels = label_rows(dataset.windows, segments_of(dataset.sessions), dataset.classes)
    by_name = dict(zip(dataset.names, dataset.sessions, strict=True))
    return findings_of(by_name, dataset.windows, labels, split)


def _short_names(folders: Sequence[Path]) -> tuple[str, ...]:
    names = [folder.resolve().name for folder in folders]
    twice = {name for name, number in Counter(names).items() if number > 1}
    pairs = zip(folders, names, strict=True)
    return tuple(str(folder) if name in twice else name for folder, name in pairs)


def _title(dataset: Dataset) -> str:
    return dataset.names[0] if len(dataset.names) == 1 else f"{len(dataset.names)} sessions"


def _facts(dataset: Dataset, segments: pd.DataFrame) -> list[tuple[str, str]]:
    """Return the numbers at the top: a number, and what it counts."""
    kept = dataset.kept
    recordings = sum(len(session.recordings) for session in dataset.sessions)
    clip_s = float((kept["end_s"] - kept["start_s"]).sum())
    return [
        (f"{len(dataset.sessions):,}", "session" if len(dataset.sessions) == 1 else "sessions"),
        (f"{recordings:,}", "recording" if recordings == 1 else "recordings"),
        (f"{len(segments):,}", "annotated segments"),
        (f"{len(dataset.classes):,}", "labels"),
        (f"{len(kept):,}", "clips"),
        (_duration(clip_s), "of clips"),
    ]


def _duration(seconds: float) -> str:
    """Return a length of time as people say it.

    >>> _duration(52), _duration(880), _duration(8000)
    ('52 s', '14.7 min', '2.2 h')
    """
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.1f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


def _status_rows(windows: pd.DataFrame) -> list[tuple[str, str, int, str, float]]:
    """Return status, reason, number, meaning and share of all windows, clips first."""
    found = statuses(windows)
    whole = max(sum(found.values()), 1)
    order = [*_STATUSES, "skipped"]
    ranked = sorted(found, key=lambda key: (order.index(key[0]), -found[key]))
    return [
        (
            status,
            reason,
            found[status, reason],
            SKIP_REASONS.get(reason, "") if status == "skipped" else _STATUSES[status],
            found[status, reason] / whole,
        )
        for status, reason in ranked
    ]


def _session_rows(dataset: Dataset) -> list[tuple[str, int, int, int, int]]:
    """Return for each session its recordings, windows, clips and windows without a clip."""
    rows = []
    for name, session in zip(dataset.names, dataset.sessions, strict=True):
        windows = int(session.manifest["start_s"].notna().sum())
        kept = len(session.kept)
        rows.append((name, len(session.recordings), windows, kept, windows - kept))
    return rows


# Recordings.


def _part(recording: RecordingRecords, classes: Sequence[str]) -> _Part:
    entries = recording.measured
    messages = {(m.code, m.text): m for entry in entries for m in entry.messages}
    charts = (lag_chart(entry) for entry in entries)
    kept = int(recording.windows["status"].isin(KEPT).sum())
    dropped = int(recording.windows["status"].isin(["skipped", "failed"]).sum())
    summary = (
        f"{counted(kept, 'clip')}, {counted(dropped, 'window')} dropped,"
        f" {counted(len(recording.segments), 'segment')}"
    )
    return _Part(
        recording=recording,
        verdicts=tuple(dict.fromkeys(verdict_of(entry) for entry in entries)) or (_UNKNOWN,),
        streams=tuple(_streams(entries[0])) if entries else (),
        messages=tuple(messages.values()),
        charts=tuple(chart for chart in charts if chart is not None),
        timeline=timeline_of(recording, classes),
        summary=summary,
    )


_UNKNOWN = Verdict("warning", "not measured", "Nothing is known about its streams.")


def verdict_of(entry: ProbedFile) -> Verdict:
    """Return the verdict on one entry of `probe.json`."""
    alignment = entry.alignment
    if entry.status == "error":
        why = "; ".join(message.text for message in entry.messages)
        return Verdict("error", "not usable", f"No clip can be cut from it: {why}.")
    if alignment is None:
        text = "There is a single video stream: nothing to align."
        return Verdict("ok", "single stream", text)
    target = f"stream {alignment.target}"
    if alignment.method == "identity":
        text = f"Annotated and cut is the same stream, {alignment.target}: nothing to align."
        return Verdict("ok", "one stream", text)
    if not alignment.trusted:
        text = "Nobody can say which frames the labels mean; no clip is cut from it."
        return Verdict("error", "not trusted", text)
    found = f"{target} {_late(alignment)} against stream {alignment.reference}, by"
    source = {"content": "the pixels", "frame-count": "frame counts"}
    found = f"{found} {source.get(alignment.method, 'its timestamps')}"
    if alignment.drift_ppm:
        found += f"; its clock runs {alignment.drift_ppm:+.0f} ppm"
    if not alignment.verified:
        return Verdict("warning", "not verified", f"Not verified by pixels: {found}.")
    confirmed = "" if alignment.method == "content" else ", which the pixels confirm"
    return Verdict("ok", "verified", f"Verified: {found}{confirmed}.")


def _late(alignment: ProbedAlignment) -> str:
    offset_s, frames = alignment.offset_s, alignment.offset_frames
    if not offset_s:
        return "starts together"
    size = f"{abs(offset_s):.3f} s ({counted(abs(frames), 'frame')})"
    return f"starts {size} {'late' if offset_s > 0 else 'early'}"


def _streams(entry: ProbedFile) -> list[tuple[str, ...]]:
    """Return number, kind, frames, rate, start, end and remarks of each stream."""
    return [
        (
            str(stream.index),
            f"{stream.type} {stream.codec}{_size(stream)}",
            f"{stream.num_frames:,}",
            _rate(stream),
            _seconds(stream.start_s),
            _seconds(stream.end_s),
            ", ".join(_remarks(stream, entry)),
        )
        for stream in entry.streams
    ]


def _size(stream: ProbedStream) -> str:
    return f" {stream.width}\N{MULTIPLICATION SIGN}{stream.height}" if stream.width else ""


def _rate(stream: ProbedStream) -> str:
    rate = stream.frames_per_second
    if rate is None:
        return ""
    about = "~" if stream.variable_frame_rate else ""
    return about + f"{rate:.3f}".rstrip("0").rstrip(".")


def _seconds(value: float | None) -> str:
    return "?" if value is None else f"{value:.3f}"


def _remarks(stream: ProbedStream, entry: ProbedFile) -> list[str]:
    index, alignment = stream.index, entry.alignment
    missing = sum(gap.missing for gap in stream.gaps if not gap.jump)
    said = {
        "annotated": alignment is not None and index == alignment.reference,
        "clips are cut from it": alignment is not None and index == alignment.target,
        "cover picture": stream.attached_picture,
        f"turned by {stream.rotation}\N{DEGREE SIGN}": stream.rotation,
        f"{counted(missing, 'frame')} missing": missing,
    }
    return [text for text, holds in said.items() if holds]
