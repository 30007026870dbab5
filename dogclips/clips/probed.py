"""What was measured of recordings, as `probe.json` and `dogclips probe --json` say it."""

from collections.abc import Iterator, Sequence
from dataclasses import fields
from fractions import Fraction
from typing import Any, TypeVar

from dogclips.alignment import Alignment, Content, estimate, read_by, shown_in
from dogclips.clips.recordings import Recording
from dogclips.records.documents import plain_of
from dogclips.records.probe import (
    ProbedAlignment,
    ProbedContainer,
    ProbedContent,
    ProbedDoubt,
    ProbedEstimates,
    ProbedFile,
    ProbedGap,
    ProbedMessage,
    ProbedOffset,
    ProbedOriginal,
    ProbedPiece,
    ProbedStream,
    ProbeRecord,
)
from dogclips.streams import Stream

R = TypeVar("R")


def probe_document(files: Sequence[Recording]) -> dict[str, Any]:
    """Return the JSON document of `probe --json`; times in seconds, rates as exact fractions."""
    return plain_of(ProbeRecord(1, tuple(_file(file) for file in files)))


def _file(file: Recording) -> ProbedFile:
    table = file.table
    return ProbedFile(
        path=str(file.path),
        status=file.status,
        messages=tuple(_record(ProbedMessage, message) for message in file.messages),
        container=_record(ProbedContainer, table) if table else None,
        streams=tuple(_stream(stream) for stream in table.streams) if table else (),
        shown_in=shown_in(table) if table else {},
        read_by=read_by(table) if table else {},
        alignment=_alignment(file),
        offsets=tuple(_offsets(file)),
        original=_original(file),
    )


def _original(file: Recording) -> ProbedOriginal | None:
    own = file.original
    if own is None:
        return None
    streams = tuple(_stream(stream) for stream in own.streams)
    return ProbedOriginal(str(own.path), _record(ProbedContainer, own), streams)


def _stream(stream: Stream) -> ProbedStream:
    of_video = ("width", "height", "rotation", "mirrored", "interlaced", "variable_frame_rate")
    return _record(
        ProbedStream,
        stream,
        gaps=tuple(_record(ProbedGap, gap) for gap in stream.gaps),
        **({} if stream.type == "video" else dict.fromkeys(of_video)),
    )


def _alignment(file: Recording) -> ProbedAlignment | None:
    """Return the alignment; None where a single video stream leaves nothing to align."""
    alignment = file.alignment
    if alignment is None or file.table is None:
        return None
    if len(file.table.cameras) < 2 and file.original is None:
        return None
    content = alignment.content
    doubts = alignment.time_map.doubts
    return _record(
        ProbedAlignment,
        alignment,
        drift_ppm=round(content.drift_ppm, 1) if content else 0.0,
        confidence=content.confidence if content else None,
        error_s=_seconds(alignment.time_map.error_s),
        estimates=_record(ProbedEstimates, alignment.estimates),
        segments=tuple(_pieces(alignment)),
        doubts=tuple(ProbedDoubt(_seconds(doubt.start), _seconds(doubt.end)) for doubt in doubts),
        content=_content(content) if content else None,
    )


def _pieces(alignment: Alignment) -> Iterator[ProbedPiece]:
    for piece in alignment.time_map.pieces:
        yield ProbedPiece(
            reference_start_s=_seconds(piece.reference.start),
            reference_end_s=_seconds(piece.reference.end),
            target_start_s=_seconds(piece.target_start),
            scale=float(piece.scale),
        )


def _content(content: Content) -> ProbedContent:
    return ProbedContent(
        reason=content.reason,
        picture_correlation=round(content.view.fit, 3),
        view_scale=tuple(round(side, 4) for side in content.view.scale),
        view_shift=tuple(round(side, 4) for side in content.view.shift),
        windows=len(content.windows),
        windows_believed=sum(window.accepted for window in content.windows),
        looked_s=round(content.looked_s, 3),
        longest_unseen_s=round(content.longest_unseen_s, 3),
    )


def _offsets(file: Recording) -> Iterator[ProbedOffset]:
    """Yield the offsets of all streams to the reference; sound has no pixels to ask."""
    if file.table is None or file.alignment is None:
        return
    streams = {stream.index: stream for stream in file.table.streams}
    reference = streams.pop(file.alignment.reference)
    for index, stream in streams.items():
        known = estimate(reference, stream) if stream.is_camera or stream.type == "audio" else None
        if index == file.alignment.target and file.original is None:
            known = file.alignment.estimates
        if known is not None:
            yield _record(ProbedOffset, known, stream=index, type=stream.type)


def _record(kind: type[R], measured: object, **own: Any) -> R:
    """Return a record with the values that bear the same names where they were measured."""
    names = [field.name for field in fields(kind) if field.name not in own]  # type: ignore[arg-type]
    return kind(**{name: _plain(name, getattr(measured, name)) for name in names}, **own)


def _plain(name: str, value: Any) -> Any:
    """Return seconds rounded to microseconds, and any other fraction as text."""
    if not isinstance(value, Fraction):
        return value
    return _seconds(value) if name.endswith("_s") else f"{value.numerator}/{value.denominator}"


def _seconds(value: Fraction) -> float:
    return round(float(value), 6)
