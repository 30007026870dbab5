"""The table of `dogclips probe`: one row a stream."""

from collections.abc import Mapping
from fractions import Fraction

from rich.console import Group

from dogclips.alignment import Alignment, read_by, shown_in
from dogclips.clips.recordings import Recording
from dogclips.reports.tables.style import marked, new_table, with_remarks
from dogclips.streams import Stream


def probe_table(file: Recording) -> Group:
    """Return one row a stream; differences are against the reference stream."""
    heads = ("frames", "rate", "start\ns", "end\ns", "late\ns", "late\nframes")
    table = new_table("#|", "stream", *marked(heads), "notes")
    if file.table is not None:
        reference = _reference(file)
        for stream in file.table.streams:
            table.add_row(*_row(stream, reference, file.alignment))
    return with_remarks(str(file.path), table, _remarks(file))


def _remarks(file: Recording) -> str:
    lines = [f"{message.code} {message.text}" for message in file.messages]
    if file.table is not None and len(file.table.cameras) > 1:
        lines.append(f"shown in: {_by_stream(shown_in(file.table))}")
        lines.append(f"read by, if told nothing: {_by_stream(read_by(file.table))}")
    return "\n".join(lines)


def _by_stream(picks: Mapping[str, int]) -> str:
    """Return who takes which stream.

    >>> _by_stream({"ffmpeg": 1, "opencv": 0, "decord": 1})
    'ffmpeg, decord 1; opencv 0'
    """
    takers: dict[int, list[str]] = {}
    for name, index in picks.items():
        takers.setdefault(index, []).append(name)
    return "; ".join(f"{', '.join(names)} {index}" for index, names in takers.items())


def _reference(file: Recording) -> Stream | None:
    cameras = file.table.cameras if file.table else ()
    if file.alignment is None:
        return cameras[0] if cameras else None
    return next(stream for stream in cameras if stream.index == file.alignment.reference)


def _row(stream: Stream, reference: Stream | None, alignment: Alignment | None) -> list[str]:
    size = f" {stream.width}x{stream.height}" if stream.type == "video" else ""
    late_s, late_frames = _difference(stream, reference)
    return [
        str(stream.index),
        f"{stream.type} {stream.codec}{size}",
        str(stream.num_frames),
        _rate(stream),
        _short(stream.start_s),
        _short(stream.end_s),
        "" if late_s is None else f"{float(late_s):+.3f}",
        "" if late_frames is None else f"{late_frames:+d}",
        _notes(stream, alignment),
    ]


def _difference(stream: Stream, reference: Stream | None) -> tuple[Fraction | None, int | None]:
    """Return how much later than the reference a stream starts, in seconds and its own frames."""
    if reference is None or stream.start_s is None or reference.start_s is None:
        return None, None
    late_s = stream.start_s - reference.start_s
    rate = stream.frame_rate or reference.frame_rate
    return late_s, round(late_s * rate) if rate and stream.type == "video" else None


def _rate(stream: Stream) -> str:
    if stream.frame_rate is None:
        return ""
    text = f"{float(stream.frame_rate):.3f}".rstrip("0").rstrip(".")
    return f"~{text}" if stream.variable_frame_rate else text


def _notes(stream: Stream, alignment: Alignment | None) -> str:
    notes = {
        "reference": alignment is not None and stream.index == alignment.reference,
        "target": alignment is not None and stream.index == alignment.target,
        "default": stream.default,
        "cover picture": stream.attached_picture,
        f"rotated {stream.rotation}": stream.rotation != 0,
        f"{stream.num_decoded} decode": stream.num_decoded is not None,
    }
    return ", ".join(note for note, holds in notes.items() if holds)


def _short(value: Fraction | None) -> str:
    return "-" if value is None else f"{float(value):.3f}"
