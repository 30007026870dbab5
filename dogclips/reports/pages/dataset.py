"""One page from which a person can judge a data set; it needs no network and no other file."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from dogclips.lists.session_records import KEPT, RecordingRecords
from dogclips.records.probe import ProbedFile, ProbedStream
from dogclips.reports.pages.page import rendered
from dogclips.reports.pages.shaded_tables import balance_table, lengths_table, together_table
from dogclips.reports.pictures.clip_cards import LabelCards
from dogclips.reports.pictures.lag_plots import lag_chart
from dogclips.reports.pictures.recording_timeline import recording_timeline
from dogclips.reports.tables.cut import SKIP_REASONS
from dogclips.scores.concerns import Concern
from dogclips.scores.dataset import Dataset, ListedSplit, window_counts
from dogclips.wording import counted, late_start

_STATUSES = {
    "cut": "clips, cut by the last run",
    "reused": "clips of an earlier run",
    "planned": "not cut yet: the run was interrupted",
    "failed": "could not be cut",
    "stale": "clips that only an earlier plan had",
    "skipped": "",
}


@dataclass(frozen=True)
class ClipVerdict:
    """Whether clips of a recording show what was annotated: a word, a sentence, a level."""

    level: str
    word: str
    text: str


def dataset_page(
    dataset: Dataset,
    concerns: Sequence[Concern],
    cards: Sequence[LabelCards],
    split: ListedSplit | None = None,
    *,
    made: str = "",
) -> bytes:
    """Return the page of a data set.

    Parameters
    ----------
    concerns, cards
        As `concerns_of` and `dataset_cards` return them.
    made
        By what and when, for the foot of the page.
    """
    values = {
        "dataset": dataset,
        "concerns": concerns,
        "facts": _facts(dataset),
        "statuses": _status_rows(dataset),
        "together": together_table(dataset),
        "lengths": lengths_table(dataset),
        "split": split,
        "balance": split and balance_table(split),
        "cards": cards,
        "recordings": {
            name: [_part(one, dataset.classes) for one in session.recordings]
            for name, session in dataset.sessions.items()
        },
        "made": made,
    }
    return rendered("dataset_page.html.j2", values)


def _facts(dataset: Dataset) -> list[tuple[str, str]]:
    """Return the numbers at the top: a number, and what it counts."""
    recordings = sum(len(session.recordings) for session in dataset.sessions.values())
    clip_s = float((dataset.kept["end_s"] - dataset.kept["start_s"]).sum())
    numbers = {
        "session": len(dataset.sessions),
        "recording": recordings,
        "annotated segment": len(dataset.segments),
        "label": len(dataset.classes),
        "clip": len(dataset.kept),
    }
    counts = (counted(number, noun).split(" ", 1) for noun, number in numbers.items())
    return [*((number, noun) for number, noun in counts), (_duration(clip_s), "of clips")]


def _duration(seconds: float) -> str:
    """Return a length of time as people say it.

    >>> _duration(52), _duration(880), _duration(8000)
    ('52 s', '14.7 min', '2.2 h')
    """
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.1f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


def _status_rows(dataset: Dataset) -> list[tuple[str, str, int, str, float]]:
    """Return status, reason, number, meaning and share of all windows, clips first."""
    found = window_counts(dataset)
    whole, order = sum(found.values()), list(_STATUSES)
    ranked = sorted(found, key=lambda key: (order.index(key[0]), -found[key]))
    return [
        (
            status,
            reason,
            found[status, reason],
            SKIP_REASONS.get(reason, _STATUSES[status]),
            found[status, reason] / whole,
        )
        for status, reason in ranked
    ]


# Recordings.


def _part(recording: RecordingRecords, classes: Sequence[str]) -> Mapping[str, Any]:
    """Return a recording as the page shows it."""
    entries, status = recording.measured, recording.windows["status"]
    messages = {(m.code, m.text): m for entry in entries for m in entry.messages}
    numbers = (
        counted(int(status.isin(KEPT).sum()), "clip"),
        f"{counted(int(status.isin(['skipped', 'failed']).sum()), 'window')} dropped",
        counted(len(recording.segments), "segment"),
    )
    return {
        "name": recording.name,
        "summary": ", ".join(numbers),
        "verdicts": [*dict.fromkeys(map(clip_verdict, entries))] or [_UNKNOWN],
        "streams": _streams(entries[0]) if entries else [],
        "messages": [*messages.values()],
        "charts": [chart for chart in map(lag_chart, entries) if chart is not None],
        "timeline": recording_timeline(recording, classes),
    }


_UNKNOWN = ClipVerdict("warning", "not measured", "Nothing is known about its streams.")


def clip_verdict(entry: ProbedFile) -> ClipVerdict:
    """Return the verdict on one entry of `probe.json`."""
    alignment = entry.alignment
    if entry.status == "error":
        why = "; ".join(message.text for message in entry.messages)
        return ClipVerdict("error", "not usable", f"No clip can be cut from it: {why}.")
    if alignment is None:
        text = "There is a single video stream: nothing to align."
        return ClipVerdict("ok", "single stream", text)
    if alignment.method == "identity":
        text = f"Annotated and cut is the same stream, {alignment.target}: nothing to align."
        return ClipVerdict("ok", "one stream", text)
    if not alignment.trusted:
        text = "Nobody can say which frames the labels mean; no clip is cut from it."
        return ClipVerdict("error", "not trusted", text)
    late = late_start(alignment.offset_s, alignment.offset_frames)
    source = {"content": "the pixels", "frame-count": "frame counts"}
    found = (
        f"stream {alignment.target} {late} against stream {alignment.reference}, by"
        f" {source.get(alignment.method, 'its timestamps')}"
    )
    if alignment.drift_ppm:
        found += f"; its clock runs {alignment.drift_ppm:+.0f} ppm"
    if not alignment.verified:
        return ClipVerdict("warning", "not verified", f"Not verified by pixels: {found}.")
    confirmed = "" if alignment.method == "content" else ", which the pixels confirm"
    return ClipVerdict("ok", "verified", f"Verified: {found}{confirmed}.")


def _streams(entry: ProbedFile) -> list[Mapping[str, Any]]:
    """Return what `probe.json` says of each stream, and `rate` and `remarks` in words."""
    return [
        asdict(stream) | {"rate": _rate(stream), "remarks": ", ".join(_remarks(stream, entry))}
        for stream in entry.streams
    ]


def _rate(stream: ProbedStream) -> str:
    rate = stream.frames_per_second
    if rate is None:
        return ""
    about = "~" if stream.variable_frame_rate else ""
    return about + f"{rate:.3f}".rstrip("0").rstrip(".")


def _remarks(stream: ProbedStream, entry: ProbedFile) -> list[str]:
    index, alignment = stream.index, entry.alignment
    missing = sum(gap.missing for gap in stream.gaps if not gap.jump)
    remarks = {
        "annotated": alignment is not None and index == alignment.reference,
        "clips are cut from it": alignment is not None and index == alignment.target,
        "cover picture": stream.attached_picture,
        f"turned by {stream.rotation}\N{DEGREE SIGN}": stream.rotation,
        f"{counted(missing, 'frame')} missing": missing,
    }
    return [text for text, holds in remarks.items() if holds]
