"""The table of `dogclips probe`: one row per stream."""

from collections.abc import Iterator, Mapping, Sequence

from rich.console import Group

from dogclips.alignment import read_by, shown_in
from dogclips.clips.recordings import Recording
from dogclips.reports.tables.style import filled_table, marked
from dogclips.streams import Stream, StreamTable
from dogclips.wording import rate_text


def probe_table(file: Recording) -> Group:
    """Return one row per stream; differences are against the reference stream."""
    remarks = [f"{message.code} {message.text}" for message in file.messages]
    if file.table is None:
        return filled_table(str(file.path), _columns(None), [], "\n".join(remarks))
    rows = [*_rows(file.table, file)]
    if len(file.table.cameras) > 1:
        remarks.append(f"shown in: {_by_stream(shown_in(file.table))}")
        remarks.append(f"read by default: {_by_stream(read_by(file.table))}")
    own, text = file.original, "\n".join(remarks)
    tables = [filled_table(str(file.path), _columns(file.table), rows, "" if own else text)]
    if own is not None:
        tables.append(filled_table(str(own.path), _columns(own), [*_rows(own, file)], text))
    return Group(*tables)


def _columns(table: StreamTable | None) -> tuple[str, ...]:
    heads = (_counted(table), "rate", "start\ns", "end\ns", "late\ns", "late\nframes")
    return ("#|", "stream", *marked(heads), "notes")


def _rows(table: StreamTable, file: Recording) -> Iterator[Sequence[object]]:
    """Yield the rows of one of the files; each is compared with its own first moments."""
    alignment, cameras = file.alignment, {stream.index: stream for stream in table.cameras}
    is_copy, is_original = file.original not in (None, table), file.original is table
    seen = alignment.reference if alignment and not is_original else -1
    cut = alignment.target if alignment and not is_copy else -1
    chosen = cut if is_original else seen
    reference = cameras.get(chosen, next(iter(cameras.values()), None))
    for stream in table.streams:
        yield _row(stream, reference, (seen, cut))


def _counted(table: StreamTable | None) -> str:
    """Return what is counted in a file: not all packets of damaged broadcasts give a frame."""
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


def _row(stream: Stream, reference: Stream | None, chosen: tuple[int, int]) -> Sequence[object]:
    size = f" {stream.width}x{stream.height}" if stream.type == "video" else ""
    late = "", ""  # in seconds, and in frames of the stream
    if reference and stream.start_s is not None and reference.start_s is not None:
        late_s = stream.start_s - reference.start_s
        rate = stream.frame_rate or reference.frame_rate
        frames = round(late_s * rate) if rate and stream.type == "video" else None
        late = f"{float(late_s):+.3f}", "" if frames is None else f"{frames:+d}"
    ends = ("-" if at is None else f"{float(at):.3f}" for at in (stream.start_s, stream.end_s))
    notes = {
        "reference": stream.index == chosen[0],
        "target": stream.index == chosen[1],
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
