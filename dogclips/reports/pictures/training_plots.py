"""Plots of a training, of its scores, and of a test of learning rates, as SVG files."""

import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING
from unicodedata import east_asian_width

import numpy as np
import pandas as pd

from dogclips.files import write_whole
from dogclips.records.predictions import PredictedClips, by_clip
from dogclips.records.training_run import EpochRecord, TaskResult, TestReport
from dogclips.reports.pictures.figures import (
    BLUE,
    GRAY,
    GREEN,
    INK,
    LIGHT,
    ORANGE,
    drawing,
    svg_of,
)
from dogclips.reports.tables.train import shown_score
from dogclips.scores.bouts import Floats
from dogclips.scores.lr_range import RangePoint, suggestion
from dogclips.wording import shortened

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MOST_POINTS = 300  # of a curve; more cannot be told apart at this size


def write_plots(
    folder: Path,
    records: Sequence[EpochRecord],
    predictions: pd.DataFrame,
    report: TestReport,
) -> list[Path]:
    """Write every plot that there is something for, and return their paths.

    `records` are empty where only a test is shown; `report` holds the scores of the predictions.
    """
    paths = []
    for name, svg in draw_plots(records, predictions, report):
        paths.append(folder / f"{name}.svg")
        write_whole(paths[-1], svg)
    return paths


def draw_plots(
    records: Sequence[EpochRecord], predictions: pd.DataFrame, report: TestReport
) -> list[tuple[str, bytes]]:
    """Return the name and the SVG of every plot: curves, classes, calibration, confusion."""
    figures: dict[str, Figure] = {}
    with drawing():
        if records:
            figures["curves"] = _curves(records)
        if len(report.without_positives) < len(report.classes):
            figures["average_precision"] = _average_precision(report)
            figures["precision_recall"] = _precision_recall(by_clip(predictions), report)
            figures["calibration"] = _calibration(report)
        for number, task in enumerate(report.tasks, start=1):
            if len(task.classes) > 1:
                name = "confusion" if len(report.tasks) == 1 else f"confusion_{number}"
                figures[name] = _confusion(report, task)
        return [(name, svg_of(figure)) for name, figure in figures.items()]


def range_plot(points: Sequence[RangePoint]) -> bytes:
    """Return loss against learning rate as an SVG."""
    with drawing():
        figure = _figure(6.0, 3.5, (0.65, 0.15, 0.55, 0.35))
        axes = figure.subplots()
        axes.plot([point.lr for point in points], [point.loss for point in points], color=BLUE)
        found = suggestion(points)
        if found is not None:
            axes.axvline(found, color=GREEN, ls="--")
            axes.set_title(f"falls fastest at {found:.1e}")
        axes.set(xscale="log", xlabel="optimizer.lr", ylabel="training loss, smoothed")
        axes.xaxis.set_major_formatter("{x:g}")
        axes.xaxis.set_minor_formatter("")
        return svg_of(figure)


# Title of a panel: attribute of a record, what its line is called, its colour.
_CURVES = {
    "loss": (("train_loss", "training", GRAY), ("val_loss", "validation", BLUE)),
    "mAP on the validation list": (("val_map", "mAP", BLUE),),
    "learning rate after the epoch": (("lr", "learning rate", INK),),
}


def _curves(records: Sequence[EpochRecord]) -> "Figure":
    """Draw loss, mAP and learning rate against the epoch; the best epoch is marked."""
    from matplotlib.ticker import MaxNLocator  # noqa: PLC0415

    figure = _figure(10.5, 3.0, (0.45, 0.15, 0.5, 0.35))
    panels = figure.subplots(1, 3, gridspec_kw={"wspace": 0.22})
    values = pd.DataFrame([asdict(record) for record in records]).astype(float)
    marker = "o" if len(records) == 1 else ""
    for axes, (title, curves) in zip(panels, _CURVES.items(), strict=True):
        for name, label, colour in curves:
            axes.plot(values["epoch"], values[name], color=colour, label=label, marker=marker)
        for epoch in values["epoch"][values["best"] == 1][-1:]:
            axes.axvline(epoch, color=GREEN, lw=1, ls="--", label="best epoch")
        axes.set(title=title, xlabel="epoch", ylim=(0, 1.02 if title.startswith("mAP") else None))
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    panels[0].legend(frameon=False)
    return figure


def _average_precision(report: TestReport) -> "Figure":
    """Draw a bar a class, the best first, with its clips and what chance would reach."""
    shown = sorted(
        report.classes,
        key=lambda one: (one.average_precision is None, -(one.average_precision or 0)),
    )
    names = [f"{shortened(one.label)} ({one.positives})" for one in shown]
    left = _inches(names) + 0.2
    figure = _figure(left + 5.0, 1.2 + 0.27 * len(shown), (left, 0.2, 0.85, 0.35))
    axes = figure.subplots()
    rows = np.arange(len(shown))
    axes.barh(rows, [one.average_precision or 0.0 for one in shown], color=BLUE, height=0.7)
    chance = [one.positives / report.num_clips or math.nan for one in shown]
    axes.plot(chance, rows, "|", color=ORANGE, ms=11, mew=2, label="by chance")
    for row, one in zip(rows, shown, strict=True):
        score = one.average_precision
        text = "no clip" if score is None else shown_score(score)
        axes.annotate(text, (score or 0.0, row), (4, 0), textcoords="offset points", va="center")
    if report.mean_ap is not None:
        axes.axvline(report.mean_ap, color=INK, lw=1, ls=":", label=f"mean {report.mean_ap:.3f}")
    axes.set_yticks(rows, names)
    axes.set(xlim=(0, 1.1), ylim=(len(shown) - 0.4, -0.6), xlabel="average precision")
    axes.set_xticks(np.linspace(0, 1, 6))
    axes.tick_params(axis="y", length=0)
    axes.set_title(f"average precision by class (clips with it, of {report.num_clips})", loc="left")
    figure.legend(loc="lower right", ncols=2, frameon=False)
    return figure


def _precision_recall(clips: PredictedClips, report: TestReport) -> "Figure":
    """Draw a small panel a class: precision against recall, and the chosen threshold."""
    from sklearn.metrics import precision_recall_curve  # noqa: PLC0415 (nothing else here needs it)

    shown = [k for k, one in enumerate(report.classes) if one.positives]
    columns = min(len(shown), 5)
    rows = math.ceil(len(shown) / columns)
    width = max(0.6 + 2.0 * columns, 3.6)
    figure = _figure(width, 0.9 + 1.9 * rows, (0.65, 0.15, 0.55, 0.75))
    apart = {"wspace": 0.14, "hspace": 0.4}
    panels = figure.subplots(
        rows, columns, squeeze=False, sharex=True, sharey=True, gridspec_kw=apart
    )
    for axes in panels.flat[len(shown) :]:
        axes.set_axis_off()
    for k, axes in zip(shown, panels.flat, strict=False):
        one = report.classes[k]
        precision, recall, _ = precision_recall_curve(clips.target[:, k], clips.probability[:, k])
        recall, precision = _thinned(recall[::-1], precision[::-1])
        axes.fill_between(recall, precision, step="pre", color=BLUE, alpha=0.12, lw=0)
        axes.step(recall, precision, where="pre", color=BLUE, lw=1.4)
        axes.axhline(one.positives / report.num_clips, color=ORANGE, lw=1, ls="--")
        if one.recall is not None and one.precision is not None:
            axes.plot(one.recall, one.precision, "o", color=INK, ms=5)
        title = f"{shortened(one.label, 22)}\nAP {shown_score(one.average_precision)}"
        axes.set_title(title, fontsize=9)
        axes.set(xlim=(0, 1.03), ylim=(0, 1.05), xticks=(0, 0.5, 1), yticks=(0, 0.5, 1))
    figure.supxlabel("recall", fontsize=9)
    figure.supylabel("precision", x=0.1 / width, fontsize=9)
    figure.suptitle("dot: the threshold in use; dashed: by chance", fontsize=9, color=GRAY)
    return figure


def _thinned(recall: Floats, precision: Floats) -> tuple[list[float], list[float]]:
    """Return the points at which recall rises, from 0 on, and not too many of them."""
    rises = np.flatnonzero(np.diff(recall, prepend=0.0))
    kept = rises[np.unique(np.linspace(0, len(rises) - 1, _MOST_POINTS).round().astype(int))]
    return [0.0, *recall[kept].tolist()], [float(precision[kept[0]]), *precision[kept].tolist()]


def _calibration(report: TestReport) -> "Figure":
    """Draw how often what got a probability came true, and clips and classes by probability."""
    figure = _figure(9.0, 4.2, (0.55, 0.2, 0.55, 0.35))
    left, right = figure.subplots(1, 2, gridspec_kw={"wspace": 0.25})
    filled = [(one.probability, one.frequency) for one in report.reliability if one.count]
    left.plot((0, 1), (0, 1), color=GRAY, lw=1, ls="--", label="ideal")
    left.plot(
        *zip(*filled, strict=True), "o-", color=BLUE, clip_on=False, label="all classes together"
    )
    left.set(xlim=(0, 1), ylim=(0, 1), xlabel="predicted probability", ylabel="observed share")
    left.set_aspect("equal")
    error, score = shown_score(report.calibration_error), shown_score(report.brier)
    left.set_title(f"calibration error {error}, Brier score {score}", loc="left")
    left.legend(frameon=False, loc="upper left")
    lows, counts = zip(*((one.low, one.count) for one in report.reliability), strict=True)
    right.bar(lows, counts, width=1 / len(lows), align="edge", color=LIGHT, edgecolor=GRAY)
    right.set(xlim=(0, 1), xlabel="predicted probability", ylabel="clips x classes")
    right.set_yscale("log")
    right.yaxis.set_major_formatter("{x:,.0f}")
    right.yaxis.set_minor_formatter("")
    right.set_title("clips and classes by probability", loc="left")
    return figure


def _confusion(report: TestReport, task: TaskResult) -> "Figure":
    """Draw what is claimed of clips that carry each label, in percent."""
    from matplotlib.colors import LinearSegmentedColormap  # noqa: PLC0415

    own = [report.classes[k] for k in task.classes]
    percent = np.array(task.confusion, dtype=np.float64) * 100
    labels = [shortened(one.label) for one in own]
    names = [f"{label} ({one.positives})" for label, one in zip(labels, own, strict=True)]
    side = max(0.42 * len(own), 1.7)
    left, below = _inches(names) + 0.45, _inches(labels) + 0.45
    width = max(left + side + 0.2, 4.8)
    figure = _figure(width, side + below + 0.65, (left, width - left - side, below, 0.65))
    axes = figure.subplots()
    diagonal = np.eye(len(own), dtype=bool)
    for mask, colour in ((diagonal, GREEN), (~diagonal, ORANGE)):
        colours = LinearSegmentedColormap.from_list(colour, ["#ffffff", colour])
        shown = np.ma.masked_where(~mask | np.isnan(percent), percent)
        axes.pcolormesh(shown, cmap=colours, vmin=0, vmax=100, edgecolors=LIGHT, lw=0.5)
    for (row, column), value in np.ndenumerate(percent):
        text = "-" if np.isnan(value) else f"{value:.0f}"
        if text == "0" and row != column:
            continue
        colour = "white" if value > 60 else INK
        axes.text(column + 0.5, row + 0.5, text, ha="center", va="center", fontsize=8, color=colour)
    places = np.arange(len(own)) + 0.5
    axes.set_yticks(places, names)
    axes.set_xticks(places, labels, rotation=90)
    axes.tick_params(length=0)
    axes.set(xlim=(0, len(own)), ylim=(len(own), 0), ylabel="clips with the label (number)")
    axes.set_xlabel("predicted")
    axes.set_aspect("equal")
    title = f"{task.name}: " if task.name else ""
    figure.suptitle(f"{title}{_CONFUSED[task.exclusive]}", x=0.02, ha="left", fontsize=10)
    return figure


_CONFUSED = {
    True: "of the clips in a row, % with the\ncolumn as the likeliest label",
    False: "of the clips in a row, % for which the column is predicted:\n"
    "green: correct, orange: wrong",
}


def _inches(names: Sequence[str]) -> float:
    """Return how long the longest of several names is in print.

    By what letters usually take: the viewer's font is not known, and may be another for each.
    """
    letters = (sum(2 if east_asian_width(one) in "WF" else 1 for one in name) for name in names)
    return 0.075 * max(letters)


def _figure(width: float, height: float, edges: tuple[float, float, float, float]) -> "Figure":
    """Return an empty figure; `edges` are what is left free left, right, below and above."""
    from matplotlib.figure import Figure  # noqa: PLC0415

    left, right, below, above = edges
    figure = Figure(figsize=(width, height))
    figure.subplots_adjust(
        left=left / width, right=1 - right / width, bottom=below / height, top=1 - above / height
    )
    return figure
