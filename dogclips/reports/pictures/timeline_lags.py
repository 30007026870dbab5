"""How late one stream of a recording runs over time, as `probe.json` holds it."""

from collections.abc import Iterator
from dataclasses import dataclass

from dogclips.records.probe import ProbedAlignment, ProbedContent, ProbedFile, ProbedStream
from dogclips.reports.pictures.timeline import Tick, ticks_of

HEIGHT = 40


_LEAST_FRAMES = 4.0  # what the drawing spans at least, so that half a frame looks small


@dataclass(frozen=True)
class LagChart:
    """How late the target is against its timestamps.

    Parameters
    ----------
    view
        The view box: container time of the reference in seconds, `HEIGHT` units downward.
    path
        SVG path data of the time map.
    zero
        Units downward at which the streams run as their timestamps say.
    doubts
        (start, length) in seconds of each stretch at which nobody can know.
    low, high
        Frames at the lower and at the upper edge.
    """

    view: str
    path: str
    zero: float
    doubts: tuple[tuple[float, float], ...]
    low: float
    high: float
    ticks: tuple[Tick, ...]
    text: str


def lag_chart(entry: ProbedFile) -> LagChart | None:
    """Return the chart of one entry of `probe.json`; None where nobody compared pixels."""
    alignment = entry.alignment
    if alignment is None or alignment.content is None or not alignment.content.windows:
        return None
    streams = {stream.index: stream for stream in entry.streams}
    reference, target = streams[alignment.reference], streams[alignment.target]
    start, end = float(reference.start_s or 0), float(reference.end_s or 0)
    lines = list(_lines(alignment, target)) if alignment.trusted else []
    lates = [late for line in lines for _, late in line]
    low, high = min([*lates, 0.0]), max([*lates, 0.0])
    edge = max(0.15 * (high - low), (_LEAST_FRAMES - (high - low)) / 2)
    low, high = low - edge, high + edge

    def down(late: float) -> float:
        return round(HEIGHT * (high - late) / (high - low), 2)

    path = "".join(f"M{a:.2f} {down(b)}L{c:.2f} {down(d)}" for (a, b), (c, d) in lines)
    doubts = tuple(
        (float(one.reference_start_s), one.reference_end_s - one.reference_start_s)
        for one in alignment.doubts
    )
    return LagChart(
        view=f"{start:.2f} 0 {max(end - start, 0.1):.2f} {HEIGHT}",
        path=path,
        zero=down(0.0),
        doubts=doubts,
        low=low,
        high=high,
        ticks=ticks_of((start, max(end, start + 0.1))),
        text=_text(lates, alignment.content),
    )


def _lines(
    alignment: ProbedAlignment, target: ProbedStream
) -> Iterator[tuple[tuple[float, float], tuple[float, float]]]:
    """Yield the ends of each piece: container time of the reference, frames late."""
    rate, begin = target.frames_per_second or 25.0, float(target.start_s or 0)
    for piece in alignment.segments:
        first, last = float(piece.reference_start_s), float(piece.reference_end_s)
        # A drifting map names the frame on screen, half a frame behind the line through its lags.
        half = 0.5 if piece.scale != 1 else 0.0
        shown = piece.target_start_s, piece.target_start_s + (last - first) * piece.scale
        yield (
            (first, (first - begin - shown[0]) * rate + half),
            (last, (last - begin - shown[1]) * rate + half),
        )


def _text(lates: list[float], content: ProbedContent) -> str:
    ends = sorted({round(late) for late in lates})
    late = f"{ends[0]:+d}" if len(ends) == 1 else f"{ends[0]:+d} to {ends[-1]:+d}" if ends else "?"
    late = "0" if late == "+0" else late
    frames = "frame" if late in ("+1", "-1") else "frames"
    return (
        f"Late against its timestamps: {late} {frames}; {content.windows_believed} of"
        f" {content.windows} windows believed, {content.looked_s:.0f} s looked at"
    )
