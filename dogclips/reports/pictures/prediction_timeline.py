"""A recording over time as a picture: the score of each label, its bouts, and what people saw."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from dogclips.reports.pictures.figures import BLUE, GRAY, GREEN, LIGHT, drawing, svg_of
from dogclips.reports.tables.predict import longest_labels
from dogclips.scores.bouts import steps_of
from dogclips.scores.prediction import Prediction
from dogclips.timebase import Span
from dogclips.wording import shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST_LABELS = 30
_MOST_POINTS = 2000  # of a curve; more cannot be told apart


def timeline_svg(prediction: Prediction) -> bytes:
    """Return one row per label: its score against its threshold, bouts below, annotations in green.

    Of many labels those that last longest are drawn. What no window covers is gray.
    """
    from matplotlib.figure import Figure  # noqa: PLC0415 (for nobody who draws nothing)

    shown = longest_labels(prediction, _MOST_LABELS)
    with drawing():
        figure = Figure(figsize=(11, 0.9 + 0.62 * len(shown)), layout="constrained")
        rows = figure.subplots(len(shown), 1, sharex=True, squeeze=False)[:, 0]
        for axes, k in zip(rows, shown, strict=True):
            _draw_label(axes, prediction, k)
        rows[-1].tick_params(axis="x", length=3)
        rows[-1].set_xlabel("annotation time in seconds")
        rows[-1].set_xlim(0, max(float(prediction.length_s), float(prediction.step_s)))
        left_out = len(prediction.labels) - len(shown)
        more = f"; {left_out} labels without a bout are not drawn" if left_out else ""
        green = "; green: annotated" if prediction.annotated is not None else ""
        title = f"{prediction.path.name}: score, threshold (dashed), blue: predicted{green}{more}"
        figure.suptitle(title, x=0.01, ha="left", fontsize=10)
        return svg_of(figure)


def _draw_label(axes: "Axes", prediction: Prediction, k: int) -> None:
    annotated = prediction.annotated
    label, threshold = prediction.labels[k], prediction.thresholds[k]
    step_s, score = float(prediction.step_s), prediction.score[:, k]
    for first, stop in steps_of(np.isnan(score)):
        axes.axvspan(first * step_s, stop * step_s, color=LIGHT, lw=0)
    times, values = _stairs(score, step_s)
    axes.fill_between(times, values, color=BLUE, alpha=0.15, lw=0)
    axes.plot(times, values, color=BLUE, lw=0.8)
    axes.axhline(threshold, color=GRAY, lw=0.8, ls="--")
    own = [bout.span for bout in prediction.bouts if bout.label == label]
    axes.broken_barh(_bars(own), (-0.28, 0.2), color=BLUE, lw=0)
    if annotated is not None:
        axes.broken_barh(_bars(annotated.get(label, ())), (-0.54, 0.2), color=GREEN, lw=0)
    axes.set(ylim=(-0.6 if annotated is not None else -0.34, 1.05), yticks=())
    axes.set_ylabel(shortened(label), rotation=0, ha="right", va="center")
    axes.tick_params(axis="x", length=0)
    axes.spines["left"].set_visible(False)
    axes.spines["bottom"].set_color(LIGHT)


def _stairs(score: Any, step_s: float) -> tuple[Any, Any]:
    """Return the corners of the steps of a score; of very many the highest of each few."""
    group = -(-len(score) // _MOST_POINTS)
    padded = np.full(-(-len(score) // group) * group, np.nan)
    padded[: len(score)] = score
    values = np.fmax.reduce(padded.reshape(-1, group), axis=1)
    edges = np.arange(len(values) + 1) * group * step_s
    return np.repeat(edges, 2)[1:-1], np.repeat(values, 2)


def _bars(spans: Sequence[Span]) -> list[tuple[float, float]]:
    return [(float(span.start), float(span.duration)) for span in spans]
