"""The JSON document of `dogclips probe --json`."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from dogclips.alignment import Alignment, Content, Estimates, estimate, read_by, shown_in
from dogclips.clips.recordings import Recording
from dogclips.streams import Stream

PROBE = "probe.json"


def probe_document(files: Sequence[Recording]) -> dict[str, Any]:
    """Return the JSON document of `probe --json`; times in seconds, rates as exact fractions."""
    return {"version": 1, "files": [_file_json(file) for file in files]}


def _file_json(file: Recording) -> dict[str, Any]:
    table = file.table
    return {
        "path": str(file.path),
        "status": file.status,
        "messages": [{"code": m.code, "level": m.level, "text": m.text} for m in file.messages],
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
        "offsets": _others_json(file),
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
        "gaps": [
            {"at_s": _seconds(gap.at_s), "missing": gap.missing, "jump": gap.jump}
            for gap in stream.gaps
        ],
    }


def _alignment_json(file: Recording) -> dict[str, Any] | None:
    """Return the alignment; None where a single video stream leaves nothing to align."""
    alignment = file.alignment
    if alignment is None or file.table is None or len(file.table.cameras) < 2:
        return None
    content = alignment.content
    return {
        "reference": alignment.reference,
        "target": alignment.target,
        "method": alignment.method,
        "trusted": alignment.trusted,
        "verified": alignment.verified,
        "offset_s": _seconds(alignment.offset_s),
        "offset_frames": alignment.offset_frames,
        "drift_ppm": round(content.drift_ppm, 1) if content else 0.0,
        "confidence": content.confidence if content else None,
        "error_s": _seconds(alignment.time_map.error_s),
        "estimates": _estimates_json(alignment.estimates),
        "segments": _segments_json(alignment),
        "doubts": [
            {"reference_start_s": _seconds(doubt.start), "reference_end_s": _seconds(doubt.end)}
            for doubt in alignment.time_map.doubts
        ],
        "content": content and _content_json(content),
    }


def _segments_json(alignment: Alignment) -> list[dict[str, Any]]:
    return [
        {
            "reference_start_s": _seconds(piece.reference.start),
            "reference_end_s": _seconds(piece.reference.end),
            "target_start_s": _seconds(piece.target_start),
            "scale": float(piece.scale),
        }
        for piece in alignment.time_map.pieces
    ]


def _content_json(content: Content) -> dict[str, Any]:
    """Return what was seen in the pixels; `reason` is empty where they can tell."""
    believed = [window for window in content.windows if window.accepted]
    return {
        "reason": content.reason,
        "picture_correlation": round(content.view.fit, 3),
        "view_scale": [round(side, 4) for side in content.view.scale],
        "view_shift": [round(side, 4) for side in content.view.shift],
        "windows": len(content.windows),
        "windows_believed": len(believed),
        "looked_s": round(content.looked_s, 3),
        "longest_unseen_s": round(content.longest_unseen_s, 3),
    }


def _others_json(file: Recording) -> list[dict[str, Any]]:
    """Return the offsets of all streams to the reference; sound has no pixels to ask."""
    if file.table is None or file.alignment is None:
        return []
    streams = {stream.index: stream for stream in file.table.streams}
    reference = streams.pop(file.alignment.reference)
    found = []
    for index, stream in streams.items():
        known = estimate(reference, stream) if stream.is_camera or stream.type == "audio" else None
        if index == file.alignment.target:
            known = file.alignment.estimates
        if known is not None:
            found.append({"stream": index, "type": stream.type, **_estimates_json(known)})
    return found


def _estimates_json(known: Estimates) -> dict[str, float | None]:
    return {
        "timestamps_s": _seconds(known.timestamps_s),
        "frame_count_s": _seconds(known.frame_count_s),
        "content_s": _seconds(known.content_s),
    }


def _seconds(value: Fraction | None) -> float | None:
    return None if value is None else round(float(value), 6)


def _ratio(value: Fraction | None) -> str | None:
    return None if value is None else f"{value.numerator}/{value.denominator}"
