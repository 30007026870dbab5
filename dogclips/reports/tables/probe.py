"""The table of `dogclips probe`: one row per stream."""

from collections.abc import Mapping, Sequence

from rich.console import Group

from dogclips.alignment import Alignment, read_by, shown_in
from dogclips.clips.recordings import Recording
from dogclips.reports.tables.style import filled_table, marked
from dogclips.streams import Stream
from dogclips.wording import rate_text


def probe_table(file: Recording) -> Group:
    """Return one row per stream; differences are against the reference stream."""
    heads = (_counted(file), "rate", "start\ns", "end\ns", "late\ns", "late\nframes")
    remarks = [f"{message.code} {message.text}" for message in file.messages]
    rows = []
    if file.table is not None:
        cameras = {stream.index: stream for stream in file.table.cameras}
        chosen = file.alignment.reference if file.alignment else next(iter(cameras), -1)
        reference = cameras.get(chosen)
        rows = [_row(stream, reference, file.alignment) for stream in file.table.streams]
        if len(cameras) > 1:
            remarks.append(f"shown in: {_by_stream(shown_in(file.table))}")
            remarks.append(f"read by default: {_by_stream(read_by(file.table))}")
    columns = ("#|", "stream", *marked(heads), "notes")
    return filled_table(str(file.path), columns, rows, "\n".join(remarks))


def _counted(file: Recording) -> str:
    """Return what is counted in a file: not all packets of damaged broadcasts give a frame."""
    table = file.table
    if table is None or table.format not in ("mpegts", "mpeg"):
        return "frames"
    return "packets" if any(one.num_decoded is None for one in table.cameras) else "frames"


def _by_stream(picks: Mapping[str, int]) -> str:
    """Return who takes which stream.

    >>> _by_stream({"ffmpeg": 1, "opencv": 0, "decord": 1})
    'ffmpeg, decord 1; opencv 0'
    """
    takers: dict[int, list[str]] = {}
    for name, index in picks.items():
        takers.setdefault(index, []).append(name)
    return "; ".join(f"{', '.join(names)} {index}" for index, names in takers.items())


def _row(stream: Stream, reference: Stream | None, alignment: Alignment | None) -> Sequence[object]:
    size = f" {stream.width}x{stream.height}" if stream.type == "video" else ""
    late = "", ""  # in seconds, and in frames of the stream
    if reference and stream.start_s is not None and reference.start_s is not None:
        late_s = stream.start_s - reference.start_s
        rate = stream.frame_rate or reference.frame_rate
        frames = round(late_s * rate) if rate and stream.type == "video" else None
        late = f"{float(late_s):+.3f}", "" if frames is None else f"{frames:+d}"
    ends = ("-" if at is None else f"{float(at):.3f}" for at in (stream.start_s, stream.end_s))
    notes = {
        "reference": alignment is not None and stream.index == alignment.reference,
        "target": alignment is not None and stream.index == alignment.target,
        "default": stream.default,
        "cover picture": stream.attached_picture,
        "mirrored": stream.mirrored,
        f"rotated {stream.rotation}": stream.rotation != 0,
        "interlaced": stream.interlaced,
        f"{stream.num_decoded} decode": stream.num_decoded is not None,
    }
    return (
        stream.index,
        f"{stream.type} {stream.codec}{size}",
        stream.num_frames,
        rate_text(stream.frame_rate, variable=stream.variable_frame_rate),
        *ends,
        *late,
        ", ".join(note for note, holds in notes.items() if holds),
    )
