"""A recording over time as a picture: the score of each label, its bouts, and what people saw.

Letters stay letters in the SVG: a label in any script is drawn with the fonts of whoever looks at
it. matplotlib is imported where something is drawn: no other command pays for it.
"""

import warnings
from collections.abc import Sequence
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np

from dogclips.reports.tables.predict import longest_labels
from dogclips.scores.bouts import steps_of
from dogclips.scores.prediction import Prediction
from dogclips.timebase import Span

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_BLUE, _GREEN, _GRAY, _LIGHT = "#2456a6", "#1a7f4b", "#8a8f98", "#e4e6ea"


_SETTINGS: dict[Any, Any] = {
    "font.size": 9,
    "text.parse_math": False,  # a label may hold dollars
    "svg.fonttype": "none",
    "svg.hashsalt": "dogclips",  # the same plot is the same file
}


_NO_METADATA: dict[str, str | None] = dict.fromkeys(("Creator", "Date", "Format", "Type"))


_MOST_LABELS = 30


_LONGEST = 28  # letters of a label


_MOST_POINTS = 2000  # of a curve; more cannot be told apart


def timeline_svg(prediction: Prediction) -> bytes:
    """Return a row a label: its score against its threshold, bouts below, annotations in green.

    Of many labels those that last longest are drawn. What no window covers is gray.
    """
    import matplotlib as mpl  # noqa: PLC0415 (as said above)
    from matplotlib.figure import Figure  # noqa: PLC0415

    places = longest_labels(prediction, _MOST_LABELS)
    with mpl.rc_context(_SETTINGS):
        figure = Figure(figsize=(11, 0.9 + 0.62 * len(places)), layout="constrained")
        rows = figure.subplots(len(places), 1, sharex=True, squeeze=False)[:, 0]
        for axes, place in zip(rows, places, strict=True):
            _row(axes, prediction, place)
        rows[-1].set_xlabel("annotation time in seconds")
        rows[-1].set_xlim(0, max(float(prediction.length_s), float(prediction.step_s)))
        left_out = len(prediction.labels) - len(places)
        more = f"; {left_out} labels without a bout are not drawn" if left_out else ""
        green = "; green: annotated" if prediction.annotated is not None else ""
        title = f"{prediction.path.name}: score, threshold (dashed), blue: predicted{green}{more}"
        figure.suptitle(title, x=0.01, ha="left", fontsize=10)
        buffer = BytesIO()
        with warnings.catch_warnings():
            # Letters that matplotlib's own font lacks come from the viewer's fonts.
            warnings.filterwarnings("ignore", message="Glyph .* missing", category=UserWarning)
            figure.savefig(buffer, format="svg", metadata=_NO_METADATA)
    return buffer.getvalue()


def _row(axes: "Axes", prediction: Prediction, place: int) -> None:
    annotated = prediction.annotated
    label, threshold = prediction.labels[place], prediction.thresholds[place]
    step_s, score = float(prediction.step_s), prediction.score[:, place]
    for first, stop in steps_of(np.isnan(score)):
        axes.axvspan(first * step_s, stop * step_s, color=_LIGHT, lw=0)
    times, values = _stairs(score, step_s)
    axes.fill_between(times, values, color=_BLUE, alpha=0.15, lw=0)
    axes.plot(times, values, color=_BLUE, lw=0.8)
    axes.axhline(threshold, color=_GRAY, lw=0.8, ls="--")
    own = [bout.span for bout in prediction.bouts if bout.label == label]
    axes.broken_barh(_bars(own), (-0.28, 0.2), color=_BLUE, lw=0)
    if annotated is not None:
        axes.broken_barh(_bars(annotated.get(label, ())), (-0.54, 0.2), color=_GREEN, lw=0)
    axes.set_ylim(-0.6 if annotated is not None else -0.34, 1.05)
    axes.set_yticks([])
    name = label if len(label) <= _LONGEST else f"{label[: _LONGEST - 1]}…"
    axes.set_ylabel(name, rotation=0, ha="right", va="center")
    axes.tick_params(axis="x", length=0 if not axes.get_subplotspec().is_last_row() else 3)  # type: ignore[union-attr]
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(_LIGHT)


def _stairs(score: Any, step_s: float) -> tuple[Any, Any]:
    """Return the corners of the steps of a score; of very many the highest of each few."""
    group = -(-len(score) // _MOST_POINTS)
    padded = np.full(-(-len(score) // group) * group, np.nan)
    padded[: len(score)] = score
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", category=RuntimeWarning)  # groups without any score
        values = np.nanmax(padded.reshape(-1, group), axis=1)
    edges = np.arange(len(values) + 1) * group * step_s
    return np.repeat(edges, 2)[1:-1], np.repeat(values, 2)


def _bars(spans: Sequence[Span]) -> list[tuple[float, float]]:
    return [(float(span.start), float(span.duration)) for span in spans]
