"""Pictures to see an offset with one's own eyes: before and after the correction.

matplotlib and Jinja2 are imported where something is drawn: no other command pays for them.
"""

import warnings
from base64 import b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dogclips.clips.recordings import Recording
from dogclips.clips.spot_checks import Guess, Shot, SpotCheck
from dogclips.reports.pictures.lags import Lags, lags_of
from dogclips.reports.tables.align import sheets_of, verdict_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_GREEN, _ORANGE, _BLUE = "#1a7f4b", "#c4570a", "#2456a6"


_GRAY, _YELLOW = "#8a8f98", "#f3c94b"


_COLOURS = {"before": _ORANGE, "after": _GREEN, "guess": _BLUE, "reference": "#1c1f24"}


# Levels of 255: noise alone is not blown up to look like motion, much motion hides no little one.
_FULL_SCALE = (40.0, 80.0)


_NO_METADATA: dict[str, dict[str, str | None]] = {
    "png": {"Software": None},
    "svg": dict.fromkeys(("Creator", "Date", "Format", "Type")),
}


_LINE = 120  # letters of the verdict


_TEMPLATE = Path(__file__).with_name("align.html.j2")


@dataclass(frozen=True, eq=False)
class _Tile:
    """One picture with its words; a difference is shown in false colours."""

    title: str
    caption: str
    pixels: NDArray[np.uint8]
    kind: str


def alignment_html(file: Recording, checks: Sequence[SpotCheck]) -> bytes:
    """Return one self-contained page: verdict, pictures, charts and tables."""
    from jinja2 import Environment  # noqa: PLC0415 (as said above)

    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    lags = lags_of(file)
    page = environment.from_string(_TEMPLATE.read_text(encoding="utf-8")).render(
        name=file.path.name,
        path=str(file.path),
        verdict=verdict_of(file),
        trusted=file.alignment is not None and file.alignment.trusted,
        explanation=_explanation(checks),
        checks=[
            [(tile, _data_url(tile.pixels)) for tile in tiles] for tiles in _tiles(file, checks)
        ],
        charts=[_svg(lags), _svg(file)] if lags is not None else [],
        sheets=sheets_of(file),
        messages=file.messages,
    )
    return page.encode()


def alignment_png(file: Recording, checks: Sequence[SpotCheck]) -> bytes:
    """Return one picture: verdict, a row of pictures for each check, charts."""
    from matplotlib.figure import Figure  # noqa: PLC0415

    lags = lags_of(file)
    heights = [_row_height(check) for check in checks]
    charts = 2.6 if lags is not None else 0.0
    figure = Figure(figsize=(15, 1.2 + sum(heights) + charts), layout="constrained", dpi=110)
    head = "\n".join([file.path.name, *wrap(verdict_of(file), _LINE)])
    figure.suptitle(head, x=0.01, ha="left", fontsize=14, fontweight="bold", parse_math=False)
    figure.supxlabel(_explanation(checks), x=0.01, ha="left", fontsize=10)
    rows = [*heights, *([charts] if charts else [])]
    if rows:
        parts = figure.subfigures(len(rows), 1, height_ratios=rows, squeeze=False)[:, 0]
        for part, tiles in zip(parts, _tiles(file, checks), strict=False):
            _draw_moment(part, tiles)
        if lags is not None:
            left, right = parts[-1].subplots(1, 2)
            _draw_lags(left, lags)
            _draw_curve(right, file)
    return _saved(figure, "png")


# The pictures of one check.


def _tiles(file: Recording, checks: Sequence[SpotCheck]) -> list[list[_Tile]]:
    """Return for each check the reference's picture, then picture and difference by each rule."""
    differences = [guess.difference for m in checks for guess in (m.before, m.after)]
    brightest = max((float(np.percentile(one, 99.7)) for one in differences), default=0.0)
    full_scale = min(max(brightest, _FULL_SCALE[0]), _FULL_SCALE[1])
    return [list(_tiles_of(check, _rules(file), full_scale)) for check in checks]


def _rules(file: Recording) -> tuple[str, str]:
    """Return what the two target frames of each check are."""
    _, alignment = file.measured
    if not alignment.trusted:
        return "by timestamps", "by frame counts"
    if alignment.method == "timestamps" and alignment.estimates.timestamps_s:
        return "before: from its start", "after: timestamps"
    return "before: timestamps", "after: time map"


def _tiles_of(check: SpotCheck, rules: tuple[str, str], full_scale: float) -> Iterator[_Tile]:
    own = check.reference
    yield _Tile("what the annotator saw", _caption(own), own.picture, "reference")
    places = [guess.shot.place for guess in (check.before, check.after)]
    for rule, guess in zip(rules, (check.before, check.after), strict=True):
        name, colon, _ = rule.partition(": ")
        same = guess is check.after and places[0] == places[1]
        title = f"{name}{colon or ', '}the same frame" if same else rule
        kind = name if colon else "guess"
        yield _Tile(title, _caption(guess.shot), guess.shot.picture, kind)
        mean = f"on average {guess.difference.mean():.2f} of 255"
        yield _Tile("difference", mean, _heat(guess, full_scale), kind)


def _caption(shot: Shot) -> str:
    return f"stream {shot.stream}, frame {shot.place}, {float(shot.time_s):.3f} s"


def _explanation(checks: Sequence[SpotCheck]) -> str:
    if not checks:
        return ""
    return (
        "Differences: black where both pictures agree, bright where they do not, on one scale for"
        " all. Frames count from 0, times are container times."
    )


def _heat(guess: Guess, full_scale: float) -> NDArray[np.uint8]:
    """Return a difference in colours that rise from black: (rows, columns, 3)."""
    from matplotlib import colormaps  # noqa: PLC0415

    level = np.clip(guess.difference / full_scale * 255, 0, 255).astype(np.uint8)
    return np.asarray(colormaps["inferno"](level, bytes=True)[..., :3], dtype=np.uint8)


def _row_height(check: SpotCheck) -> float:
    """Return inches: pictures are three wide."""
    rows, columns, _ = check.reference.picture.shape
    return min(2.9 * int(rows) / int(columns), 4.0) + 0.6


def _draw_moment(part: "Figure", tiles: Sequence[_Tile]) -> None:
    for axes, tile in zip(part.subplots(1, len(tiles)), tiles, strict=True):
        axes.imshow(tile.pixels, interpolation="nearest")
        colour = _COLOURS[tile.kind]
        axes.set_title(tile.title, fontsize=11, color=colour, fontweight="bold")
        axes.set_xlabel(tile.caption, fontsize=9.5)
        axes.set_anchor("N")
        axes.set_xticks([])
        axes.set_yticks([])
        for spine in axes.spines.values():
            spine.set(color=colour, linewidth=1.5)


# The charts.


def _draw_lags(axes: "Axes", lags: Lags) -> None:
    """Draw what the windows show over time, refused ones as far as they are in sight."""
    from matplotlib.ticker import MaxNLocator  # noqa: PLC0415

    for number, (start, end) in enumerate(lags.doubts):
        axes.axvspan(
            start, end, color=_YELLOW, alpha=0.4, lw=0, label="_" * bool(number) + "in doubt"
        )
    for believed, label, colour, size in (
        (False, "refused", _GRAY, 3),
        (True, "believed", _GREEN, 6),
    ):
        dots = [dot for dot in lags.dots if dot.believed == believed]
        points = [dot.time_s for dot in dots], [dot.late for dot in dots]
        if dots:
            axes.plot(*points, "o", color=colour, ms=size, label=f"{label} window ({len(dots)})")
    for number, ((begin, early), (stop, late)) in enumerate(lags.lines):
        label = "_" * bool(number) + "time map"
        axes.plot((begin, stop), (early, late), color=_GREEN, lw=1.5, label=label)
    axes.axhline(0, color=_ORANGE, lw=1, ls="--", label="timestamps")
    low, high = min(*lags.shown, 0.0), max(*lags.shown, 0.0)
    edge = max(0.15 * (high - low), 2.0)
    axes.set(xlim=lags.span_s, ylim=(low - edge, high + edge), xlabel="time on the reference, s")
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_title("frames that the target is late against its timestamps", fontsize=11)
    axes.legend(fontsize=8, framealpha=0.9, loc="best")


def _draw_curve(axes: "Axes", file: Recording) -> None:
    """Draw how alike both streams move for each shift, over all that was looked at."""
    table, alignment = file.measured
    content = alignment.content
    target = next(stream for stream in table.streams if stream.index == alignment.target)
    if content is None:
        return
    shifts_s = content.grid.origin_s + content.grid.numbers * content.grid.step_s
    late = -shifts_s * float(target.frame_rate or 25)
    axes.axvline(0, color=_ORANGE, lw=1, ls="--", label="timestamps")
    axes.axhline(0, color=_GRAY, lw=0.6)
    axes.plot(late, content.curve, color="black", lw=1.1)
    if content.confident and not np.isnan(content.curve).all():
        best = int(np.nanargmax(content.curve))
        label = f"{round(late[best]):+d} frames: {content.curve[best]:.2f}"
        axes.plot(late[best], content.curve[best], "o", color=_GREEN, ms=7, label=label)
    axes.set(xlabel="frames late", xlim=(late.min(), late.max()))
    axes.set_title("correlation of the motion, for each shift", fontsize=11)
    axes.legend(fontsize=8, framealpha=0.9, loc="upper right")


def _svg(subject: Recording | Lags) -> str:
    """Return one chart as an SVG element that stands in a page."""
    from matplotlib.figure import Figure  # noqa: PLC0415

    figure = Figure(figsize=(4.8, 2.9), layout="constrained")
    axes = figure.subplots()
    if isinstance(subject, Lags):
        _draw_lags(axes, subject)
    else:
        _draw_curve(axes, subject)
    text = _saved(figure, "svg").decode()
    return text[text.index("<svg") :]


def _saved(figure: "Figure", file_format: str) -> bytes:
    buffer = BytesIO()
    with warnings.catch_warnings():
        # Names may hold letters that matplotlib's own font lacks; a box stands for those.
        warnings.filterwarnings("ignore", message="Glyph .* missing", category=UserWarning)
        figure.savefig(buffer, format=file_format, metadata=_NO_METADATA[file_format])
    return buffer.getvalue()


def _data_url(pixels: NDArray[np.uint8]) -> str:
    from matplotlib.image import imsave  # noqa: PLC0415

    buffer = BytesIO()
    imsave(buffer, pixels, format="png")
    return f"data:image/png;base64,{b64encode(buffer.getvalue()).decode()}"
