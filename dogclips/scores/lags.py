"""By how many frames a stream lies about its time, as measured or as `probe.json` says."""

from dataclasses import dataclass

from dogclips.clips.recordings import Recording
from dogclips.records.probe import ProbedFile

# Two points of (container time on the reference, frames late).
Line = tuple[tuple[float, float], tuple[float, float]]


@dataclass(frozen=True)
class Dot:
    """What one window shows: the time of its middle, and the frames that the target is late."""

    time_s: float
    late: float
    believed: bool


@dataclass(frozen=True)
class Lags:
    """How late the target is against its own timestamps over time, in frames of the target."""

    #: Container time on the reference, from the first frame to the end of the last one.
    span_s: tuple[float, float]
    dots: tuple[Dot, ...]  #: The windows, in time order
    #: (start, end) points of (time, late) for each piece of a trusted time map.
    lines: tuple[Line, ...]
    #: (start, end) of the stretches at which nobody can know.
    doubts: tuple[tuple[float, float], ...]

    @property
    def shown(self) -> list[float]:
        """Return the values that a plot must hold: what is believed, else everything."""
        believed = [dot.late for dot in self.dots if dot.believed]
        believed.extend(late for line in self.lines for _, late in line)
        return believed or [dot.late for dot in self.dots] or [0.0]


def lags_of(file: Recording) -> Lags | None:
    """Return what the windows show; None where pixels were not compared."""
    _, alignment = file.measured
    content = alignment.content
    if content is None or not content.windows:
        return None
    reference, target = file.streams
    rate, begin_s = float(target.frame_rate or 25), float(target.start_s or 0)
    dots = (
        Dot(
            float(window.span.start + window.span.end) / 2,
            -content.grid.shift_s(window.number) * rate,
            window.accepted,
        )
        for window in content.windows
    )
    lines = (
        _line(
            (float(piece.reference.start), float(piece.reference.end)),
            begin_s + float(piece.target_start),
            float(piece.scale),
            rate,
        )
        for piece in alignment.time_map.pieces
    )
    return Lags(
        (float(reference.start_s or 0), float(reference.end_s or 0)),
        tuple(dots),
        tuple(lines) if alignment.trusted else (),
        tuple((float(doubt.start), float(doubt.end)) for doubt in alignment.time_map.doubts),
    )


def _line(span_s: tuple[float, float], target_s: float, scale: float, rate: float) -> Line:
    """Return the ends of a piece of a time map that takes its start to `target_s`."""
    # A drifting map names the frame on screen, half a frame behind the line through its lags.
    half = 0.5 if scale != 1 else 0.0
    (start, end), length_s = span_s, span_s[1] - span_s[0]
    return (
        (start, (start - target_s) * rate + half),
        (end, (end - target_s - length_s * scale) * rate + half),
    )


def lags_in(entry: ProbedFile) -> Lags | None:
    """Return what one entry of `probe.json` holds, without windows; None without pixels."""
    alignment = entry.alignment
    if alignment is None or alignment.content is None or not alignment.content.windows:
        return None
    streams = {stream.index: stream for stream in entry.streams}
    reference, target = streams[alignment.reference], streams[alignment.target]
    rate, begin_s = target.frames_per_second or 25.0, float(target.start_s or 0)
    lines = (
        _line(
            (piece.reference_start_s, piece.reference_end_s),
            begin_s + piece.target_start_s,
            piece.scale,
            rate,
        )
        for piece in alignment.segments
    )
    return Lags(
        (float(reference.start_s or 0), float(reference.end_s or 0)),
        (),
        tuple(lines) if alignment.trusted else (),
        tuple((one.reference_start_s, one.reference_end_s) for one in alignment.doubts),
    )
