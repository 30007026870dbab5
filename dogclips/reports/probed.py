"""What a probe found out about a file, and the JSON document of `dogclips probe --json`."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from dogclips.alignment import Alignment, read_by, shown_in
from dogclips.errors import DogclipsError
from dogclips.streams import Message, Stream, StreamTable


@dataclass(frozen=True, eq=False)
class ProbedFile:
    """One file: what was measured and how its streams align, or why that was not possible."""

    path: Path
    table: StreamTable | None
    alignment: Alignment | None
    error: DogclipsError | None = None

    @property
    def messages(self) -> tuple[Message, ...]:
        """Return everything that a user should know, in words."""
        found = [*(self.table.messages if self.table else ())]
        found.extend(self.alignment.messages if self.alignment else ())
        if self.error is not None:
            found.append(Message("P001", self.error.what))
        return tuple(found)

    @property
    def status(self) -> str:
        """Return "error" if the file cannot be used, "warning" if it has messages, else "ok"."""
        if self.error is not None or self.table is None or not self.table.cameras:
            return "error"
        return "warning" if self.messages else "ok"


def probe_document(files: Sequence[ProbedFile]) -> dict[str, Any]:
    """Return the JSON document of `probe --json`; times in seconds, rates as exact fractions."""
    return {"version": 1, "files": [_file_json(file) for file in files]}


def _file_json(file: ProbedFile) -> dict[str, Any]:
    table = file.table
    return {
        "path": str(file.path),
        "status": file.status,
        "messages": [{"code": m.code, "text": m.text} for m in file.messages],
        "container": table
        and {
            "format": table.format,
            "duration_s": _seconds(table.duration_s),
            "start_s": _seconds(table.start_s),
        },
        "streams": [_stream_json(stream) for stream in table.streams] if table else [],
        "shown_in": shown_in(table) if table else {},
        "read_by": read_by(table) if table else {},
        "alignment": _alignment_json(file),
    }


def _stream_json(stream: Stream) -> dict[str, Any]:
    video = stream.type == "video"
    return {
        "index": stream.index,
        "type": stream.type,
        "codec": stream.codec,
        "width": stream.width if video else None,
        "height": stream.height if video else None,
        "rotation": stream.rotation if video else None,
        "time_base": _ratio(stream.time_base),
        "default": stream.default,
        "attached_picture": stream.attached_picture,
        "num_frames": stream.num_frames,
        "num_frames_header": stream.num_frames_header,
        "num_decoded": stream.num_decoded,
        "start_s": _seconds(stream.start_s),
        "end_s": _seconds(stream.end_s),
        "duration_s": _seconds(stream.duration_s),
        "frame_rate": _ratio(stream.frame_rate),
        "variable_frame_rate": stream.variable_frame_rate if video else None,
        "gaps": [{"at_s": _seconds(gap.at_s), "missing": gap.missing} for gap in stream.gaps],
    }


def _alignment_json(file: ProbedFile) -> dict[str, Any] | None:
    """Return the alignment; None where a single video stream leaves nothing to align."""
    alignment = file.alignment
    if alignment is None or file.table is None or len(file.table.cameras) < 2:
        return None
    return {
        "reference": alignment.reference,
        "target": alignment.target,
        "method": alignment.method,
        "trusted": alignment.trusted,
        "offset_s": _seconds(alignment.offset_s),
        "offset_frames": alignment.offset_frames,
        "drift_ppm": 0.0,
        "confidence": None,  # no pixels were compared
        "estimates": {
            "timestamps_s": _seconds(alignment.timestamps_s),
            "frame_count_s": _seconds(alignment.frame_count_s),
            "content_s": None,
        },
        "segments": [
            {
                "reference_start_s": _seconds(piece.reference.start),
                "reference_end_s": _seconds(piece.reference.end),
                "target_start_s": _seconds(piece.target_start),
                "scale": float(piece.scale),
            }
            for piece in alignment.time_map.pieces
        ],
    }


def _seconds(value: Fraction | None) -> float | None:
    return None if value is None else round(float(value), 6)


def _ratio(value: Fraction | None) -> str | None:
    return None if value is None else f"{value.numerator}/{value.denominator}"
