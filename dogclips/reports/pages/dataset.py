"""One page from which a person can judge a data set; it needs no network and no other file."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from dogclips.lists.session_records import KEPT, RecordingRecords
from dogclips.lists.splits import label_counts
from dogclips.records.probe import ProbedFile, ProbedStream
from dogclips.records.split import SPLITS
from dogclips.reports.pages.page import rendered
from dogclips.reports.pictures.clip_cards import LabelCards
from dogclips.reports.pictures.lag_plots import lag_chart
from dogclips.reports.pictures.recording_timeline import VERDICTS, recording_timeline
from dogclips.reports.pictures.verdict_strips import (
    StripsByRecording,
    VerdictStrips,
    contradicted,
)
from dogclips.reports.tables.cut import SKIP_REASONS
from dogclips.scores.concerns import Concern
from dogclips.scores.dataset import (
    Dataset,
    ListedSplit,
    segment_lengths,
    shown_together,
    window_counts,
)
from dogclips.wording import counted, late_start, rate_text

_FULL_SHADE = 0.75  # so that black digits stay legible
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
    strips: StripsByRecording | None = None,
    made: str = "",
) -> bytes:
    """Return the page of a data set.

    `strips` are of windows that the pixels contradict; `made` says by what and when, for its foot.
    """
    recordings = {
        name: [
            _part(one, dataset.classes, (strips or {}).get((name, one.source), ()))
            for one in session.recordings
        ]
        for name, session in dataset.sessions.items()
    }
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
        "recordings": recordings,
        "judged": any(part["timeline"].judged for own in recordings.values() for part in own),
        "verdicts": VERDICTS,
        "made": made,
    }
    return rendered("dataset_page.html.j2", values)


def _facts(dataset: Dataset) -> list[tuple[str, str]]:
    """Return the numbers at the top: a number, and what it counts."""
    numbers = {
        "session": len(dataset.sessions),
        "recording": sum(len(session.recordings) for session in dataset.sessions.values()),
        "annotated segment": len(dataset.segments),
        "label": len(dataset.classes),
        "clip": len(dataset.kept),
    }
    counts = (counted(number, noun).partition(" ") for noun, number in numbers.items())
    clip_s = float((dataset.kept["end_s"] - dataset.kept["start_s"]).sum())
    return [*((number, noun) for number, _, noun in counts), (_duration(clip_s), "of clips")]


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
    ranked = sorted(found.items(), key=lambda item: (order.index(item[0][0]), -item[1]))
    return [
        (status, reason, number, SKIP_REASONS.get(reason, _STATUSES[status]), number / whole)
        for (status, reason), number in ranked
    ]


# Recordings.


def _part(
    recording: RecordingRecords, classes: Sequence[str], strips: Sequence[VerdictStrips]
) -> Mapping[str, Any]:
    """Return a recording as the page shows it."""
    entries, status = recording.measured, recording.windows["status"]
    messages = {(m.code, m.text): m for entry in entries for m in entry.messages}
    numbers = (
        counted(int(status.isin(KEPT).sum()), "clip"),
        f"{counted(int(status.isin(['skipped', 'failed']).sum()), 'window')} skipped",
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
        "contradicted": len(contradicted(recording.windows)),
        "strips": strips,
    }


_UNKNOWN = ClipVerdict("warning", "not measured", "Its streams were not measured.")


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
        text = f"The annotated stream, {alignment.target}, is also the one that is cut."
        return ClipVerdict("ok", "one stream", text)
    if not alignment.trusted:
        text = "It is unknown which frames the labels mean; no clip is cut from it."
        return ClipVerdict("error", "not trusted", text)
    late = late_start(alignment.offset_s, alignment.offset_frames)
    source = {"content": "the pixels", "frame-count": "frame counts"}
    own, seen = f"stream {alignment.target}", f"stream {alignment.reference}"
    stamped = "its timestamps"
    if entry.original:
        own, seen = f"{own} of {Path(entry.cut_path).name}", f"{seen} of {entry.name}"
        stamped = "the lengths of both files"
    found = f"{own} {late} against {seen}, by {source.get(alignment.method, stamped)}"
    if alignment.drift_ppm:
        found += f"; its clock runs {alignment.drift_ppm:+.0f} ppm"
    if not alignment.verified:
        return ClipVerdict("warning", "not verified", f"Not verified by pixels: {found}.")
    confirmed = "" if alignment.method == "content" else ", which the pixels confirm"
    return ClipVerdict("ok", "verified", f"Verified: {found}{confirmed}.")


def _streams(entry: ProbedFile) -> list[Mapping[str, Any]]:
    """Return the streams of a recording, and those of its original, if there is one."""
    alignment, original = entry.alignment, entry.original
    seen, cut = (alignment.reference, alignment.target) if alignment else (-1, -1)
    if original is None:
        return [_stream(one, entry, (seen, cut)) for one in entry.streams]
    name = Path(original.path).name
    return [
        *(_stream(one, entry, (seen, -1)) for one in entry.streams),
        *(_stream(one, entry, (-1, cut), name) for one in original.streams),
    ]


def _stream(
    stream: ProbedStream, entry: ProbedFile, chosen: tuple[int, int], file: str = ""
) -> Mapping[str, Any]:
    """Return what `probe.json` says of a stream, and `rate` and `remarks` in words.

    `chosen` are those of the annotator and of the clips; `file` is named where it is another one.
    """
    index = stream.index
    missing = sum(gap.missing for gap in stream.gaps if not gap.jump)
    place = f"{file}: stream {index}:" if file else f"stream {index}:"
    lost = any(
        message.code == "P015" and message.text.startswith(place) for message in entry.messages
    )
    remarks = {
        f"in {file}": bool(file),
        "annotated": index == chosen[0],
        "clips are cut from it": index == chosen[1],
        "cover picture": stream.attached_picture,
        "mirrored": bool(stream.mirrored),
        f"turned by {stream.rotation}\N{DEGREE SIGN}": stream.rotation,
        f"{counted(missing, 'frame')} missing": missing and lost,
        f"{counted(len(stream.gaps), 'picture')} held": missing and not lost,
    }
    rate = rate_text(stream.frames_per_second, variable=bool(stream.variable_frame_rate))
    return asdict(stream) | {
        "rate": rate,
        "remarks": ", ".join(text for text, holds in remarks.items() if holds),
    }


# Tables whose cells are darker the more they hold, or the further off they are.


@dataclass(frozen=True)
class ShadedCell:
    """A number in words, what it means, and how dark it is, from 0 to 1."""

    text: str
    title: str = ""
    shade: float = 0.0


@dataclass(frozen=True)
class ShadedTable:
    """Rows of cells under their names."""

    columns: Sequence[str]
    rows: Sequence[tuple[str, Sequence[ShadedCell]]]


def together_table(dataset: Dataset) -> ShadedTable:
    """Show how many clips show two labels at once; shaded by the share of the row's clips."""
    classes, rows = dataset.classes, []
    for name, own in zip(classes, shown_together(dataset).tolist(), strict=True):
        whole, cells = max(own[classes.index(name)], 1), []
        for other, number in zip(classes, own, strict=True):
            share = number / whole
            title = f"{number:,} clips of {name} ({share:.0%}) also show {other}"
            cell = ShadedCell(f"{number:,}" if number else "", title, _FULL_SHADE * share)
            alone = ShadedCell(f"{number:,}", f"{name}: {number:,} clips")
            cells.append(alone if other == name else cell)
        rows.append((name, cells))
    return ShadedTable([*map(str, range(len(classes)))], rows)


def lengths_table(dataset: Dataset) -> ShadedTable:
    """Show how many segments of each label are how long; shaded by the most of the row."""
    counts = segment_lengths(dataset)
    rows: list[tuple[str, list[ShadedCell]]] = []
    for name, own in zip(counts.index, counts.to_numpy().tolist(), strict=True):
        called = "all labels" if not rows else name
        most = max([*own, 1])
        cells = [
            ShadedCell(
                f"{number:,}" if number else "",
                f"{called}: {number:,} segments of {length} s",
                _FULL_SHADE * number / most,
            )
            for length, number in zip(counts.columns, own, strict=True)
        ]
        rows.append((name, cells))
    return ShadedTable(list(counts.columns), rows)


def balance_table(split: ListedSplit) -> ShadedTable:
    """Show clips with each label in each split; shaded by how far their ratio is off."""
    clips, whole = split.clips, max(len(split.clips), 1)
    parts = [part for part in SPLITS if (clips["split"] == part).any()]
    counts = label_counts(clips, clips["split"], len(split.names), parts)
    sizes = clips["split"].value_counts().reindex(parts)
    recordings = clips.groupby("split")["recording"].nunique()
    rows = []
    for name, own in zip(split.names, counts.to_numpy().tolist(), strict=True):
        overall = sum(own) / whole
        cells = map(_balance, own, sizes, [overall] * len(parts))
        rows.append((name, [ShadedCell(f"{sum(own):,} ({overall:.1%})"), *cells]))
    ends = [f"{whole:,}", *(f"{size:,} ({size / whole:.1%})" for size in sizes)]
    rows.append(("clips", [*map(ShadedCell, ends)]))
    ends = [f"{clips['recording'].nunique():,}", *(f"{recordings[part]:,}" for part in parts)]
    rows.append(("recordings", [*map(ShadedCell, ends)]))
    return ShadedTable(["all", *parts], rows)


def _balance(number: int, size: int, overall: float) -> ShadedCell:
    ratio = number / max(size, 1)
    off = 100 * (ratio - overall)
    title = f"{ratio:.1%} of its clips, {overall:.1%} of all: {off:+.1f} points"
    # Twenty points off, or none of a label that is there: as dark as it gets.
    shade = 1.0 if not number and overall else min(abs(off) / 20, 1.0)
    return ShadedCell(f"{number:,} ({ratio:.1%}, {off:+.1f})", title, _FULL_SHADE * shade)
