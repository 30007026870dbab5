"""Pictures to see an offset with one's own eyes: before and after the correction."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from textwrap import wrap
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dogclips.clips.compared_frames import ComparedFrames, StreamFrame
from dogclips.clips.recordings import Recording
from dogclips.reports.pages.page import rendered
from dogclips.reports.pictures.figures import (
    BLUE,
    GRAY,
    GREEN,
    INK,
    ORANGE,
    YELLOW,
    drawing,
    picture_url,
    svg_of,
)
from dogclips.reports.tables.align import sheets_of, verdict_of
from dogclips.scores.lags import Lags, lags_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import SubFigure

_COLOURS = {"before": ORANGE, "after": GREEN, "guess": BLUE, "reference": INK}
# Levels of 255: noise alone is not blown up to look like motion, much motion hides no little one.
_FULL_SCALE = (40.0, 80.0)
_LINE = 120  # letters of the verdict
_EXPLANATION = (
    "Differences: black where both pictures agree, bright where they do not, on one scale for all."
    " Frames count from 0, times are container times."
)


@dataclass(frozen=True, eq=False)
class _Tile:
    """One picture with its words; a difference is shown in false colours."""

    title: str
    caption: str
    pixels: NDArray[np.uint8]
    kind: str

    @property
    def url(self) -> str:
        return picture_url(self.pixels, "png")


def alignment_html(file: Recording, compared: Sequence[ComparedFrames]) -> bytes:
    """Return one self-contained page: verdict, pictures, charts and tables."""
    values = {
        "file": file,
        "verdict": verdict_of(file),
        "trusted": file.alignment is not None and file.alignment.trusted,
        "explanation": _EXPLANATION if compared else "",
        "rows": _tiles(file, compared),
        "charts": _charts(file),
        "sheets": sheets_of(file),
    }
    return rendered("align.html.j2", values)


def alignment_png(file: Recording, compared: Sequence[ComparedFrames]) -> bytes:
    """Return one picture: verdict, a row of pictures for each compared frame, charts."""
    from matplotlib.figure import Figure  # noqa: PLC0415 (for nobody who draws nothing)

    lags = lags_of(file)
    shapes = [one.reference.pixels.shape for one in compared]
    # Inches: pictures are three wide.
    heights = [min(2.9 * rows / columns, 4.0) + 0.6 for rows, columns, _ in shapes]
    heights += [2.6] * (lags is not None)
    with drawing():
        figure = Figure(figsize=(15, 1.2 + sum(heights)), layout="constrained", dpi=110)
        head = "\n".join([file.path.name, *wrap(verdict_of(file), _LINE)])
        figure.suptitle(head, x=0.01, ha="left", fontsize=14, fontweight="bold")
        figure.supxlabel(_EXPLANATION if compared else "", x=0.01, ha="left", fontsize=10)
        if heights:
            parts = figure.subfigures(len(heights), 1, height_ratios=heights, squeeze=False)[:, 0]
            for part, tiles in zip(parts, _tiles(file, compared), strict=False):
                _draw_tiles(part, tiles)
            if lags is not None:
                left, right = parts[-1].subplots(1, 2)
                _draw_lags(left, lags)
                _draw_curve(right, file)
        buffer = BytesIO()
        figure.savefig(buffer, format="png", metadata={"Software": None})  # not what made it
        return buffer.getvalue()


def _charts(file: Recording) -> list[str]:
    """Return the charts as SVG elements that stand in a page."""
    from matplotlib.figure import Figure  # noqa: PLC0415

    lags, charts = lags_of(file), []
    if lags is not None:
        with drawing():
            for number in range(2):
                figure = Figure(figsize=(4.8, 2.9), layout="constrained")
                axes = figure.subplots()
                _draw_curve(axes, file) if number else _draw_lags(axes, lags)
                text = svg_of(figure).decode()
                charts.append(text[text.index("<svg") :])
    return charts


# The pictures of one compared frame.


def _tiles(file: Recording, compared: Sequence[ComparedFrames]) -> list[list[_Tile]]:
    """Return for each the reference's picture, then picture and difference by each rule."""
    differences = [partner.difference for one in compared for partner in (one.before, one.after)]
    brightest = max((float(np.percentile(one, 99.7)) for one in differences), default=0.0)
    full_scale = min(max(brightest, _FULL_SCALE[0]), _FULL_SCALE[1])
    _, alignment = file.measured
    rules = "before: timestamps", "after: time map"  # what the two frames of the target are
    if not alignment.trusted:
        rules = "by timestamps", "by frame counts"
    elif alignment.method == "timestamps" and alignment.estimates.timestamps_s:
        rules = "before: from its start", "after: timestamps"
    return [list(_tiles_of(one, rules, full_scale)) for one in compared]


def _tiles_of(one: ComparedFrames, rules: tuple[str, str], full_scale: float) -> Iterator[_Tile]:
    from matplotlib import colormaps  # noqa: PLC0415

    own = one.reference
    yield _Tile("what the annotator saw", _caption(own), own.pixels, "reference")
    for rule, partner in zip(rules, (one.before, one.after), strict=True):
        name, colon, _ = rule.partition(": ")
        same = partner is one.after and one.before.index == one.after.index
        title = f"{name}{colon or ', '}the same frame" if same else rule
        kind = name if colon else "guess"
        yield _Tile(title, _caption(partner), partner.pixels, kind)
        mean = f"on average {partner.difference.mean():.2f} of 255"
        level = np.clip(partner.difference / full_scale * 255, 0, 255).astype(np.uint8)
        heat = colormaps["inferno"](level, bytes=True)[..., :3]
        yield _Tile("difference", mean, np.asarray(heat, dtype=np.uint8), kind)


def _caption(frame: StreamFrame) -> str:
    return f"stream {frame.stream}, frame {frame.index}, {float(frame.time_s):.3f} s"


def _draw_tiles(part: "SubFigure", tiles: Sequence[_Tile]) -> None:
    for axes, tile in zip(part.subplots(1, len(tiles)), tiles, strict=True):
        axes.imshow(tile.pixels, interpolation="nearest")
        colour = _COLOURS[tile.kind]
        axes.set_title(tile.title, fontsize=11, color=colour, fontweight="bold")
        axes.set_xlabel(tile.caption, fontsize=9.5)
        axes.set_anchor("N")
        axes.set(xticks=(), yticks=())
        for spine in axes.spines.values():
            spine.set(color=colour, linewidth=1.5, visible=True)


# The charts.


def _draw_lags(axes: "Axes", lags: Lags) -> None:
    """Draw what the windows show over time, refused ones as far as they are in sight."""
    from matplotlib.ticker import MaxNLocator  # noqa: PLC0415

    for number, (start, end) in enumerate(lags.doubts):
        label = "_" * bool(number) + "in doubt"
        axes.axvspan(start, end, color=YELLOW, alpha=0.4, lw=0, label=label)
    for believed, label, colour, size in (
        (False, "refused", GRAY, 3),
        (True, "believed", GREEN, 6),
    ):
        dots = [dot for dot in lags.dots if dot.believed == believed]
        points = [dot.time_s for dot in dots], [dot.late for dot in dots]
        if dots:
            axes.plot(*points, "o", color=colour, ms=size, label=f"{label} window ({len(dots)})")
    for number, ((begin, early), (stop, late)) in enumerate(lags.lines):
        label = "_" * bool(number) + "time map"
        axes.plot((begin, stop), (early, late), color=GREEN, lw=1.5, label=label)
    axes.axhline(0, color=ORANGE, lw=1, ls="--", label="timestamps")
    low, high = min(*lags.shown, 0.0), max(*lags.shown, 0.0)
    edge = max(0.15 * (high - low), 2.0)
    axes.set(xlim=lags.span_s, ylim=(low - edge, high + edge), xlabel="time on the reference, s")
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_title("frames that the target is late against its timestamps", fontsize=11)
    axes.legend(fontsize=8, framealpha=0.9, loc="best")


def _draw_curve(axes: "Axes", file: Recording) -> None:
    """Draw how alike both streams move for each shift, over all that was looked at."""
    _, alignment = file.measured
    content, (_, target) = alignment.content, file.streams
    if content is None:
        return
    shifts_s = content.grid.shifts_s
    late = -shifts_s * float(target.frame_rate or 25)
    axes.axvline(0, color=ORANGE, lw=1, ls="--", label="timestamps")
    axes.axhline(0, color=GRAY, lw=0.6)
    axes.plot(late, content.curve, color=INK, lw=1.1)
    if content.confident and not np.isnan(content.curve).all():
        best = int(np.nanargmax(content.curve))
        label = f"{round(late[best]):+d} frames: {content.curve[best]:.2f}"
        axes.plot(late[best], content.curve[best], "o", color=GREEN, ms=7, label=label)
    axes.set(xlabel="frames late", xlim=(late.min(), late.max()))
    axes.set_title("correlation of the motion, for each shift", fontsize=11)
    axes.legend(fontsize=8, framealpha=0.9, loc="upper right")
