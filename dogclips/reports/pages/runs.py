"""One page from which a person can judge a training run, or several beside each other."""

import re
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from dogclips.records.run_folder import RunRecords
from dogclips.records.training_run import TestReport
from dogclips.reports.pages.page import rendered
from dogclips.reports.pictures.run_clips import LabelClips, label_clips
from dogclips.reports.pictures.timeline import counted
from dogclips.reports.pictures.training_plots import draw_plots
from dogclips.reports.tables.train import shown_score
from dogclips.scores.comparison import DRAWS, Comparison, compared

_FEW = 10  # clips of a label; its average precision jumps with each of them


_TITLES = {
    "curves": "Training",
    "average_precision": "Average precision",
    "precision_recall": "Precision and recall",
    "calibration": "Calibration",
    "confusion": "Confusion",
}


@dataclass(frozen=True)
class Plot:
    """A drawing as a data URL, with its size in CSS pixels."""

    kind: str
    title: str
    url: str
    width: int
    height: int


@dataclass(frozen=True, eq=False)
class RunPart:
    """What the page shows of one run.

    Parameters
    ----------
    name
        That no other run of the page has.
    tiles
        Numbers, and what they are.
    notes
        What a reader should keep in mind.
    plots, labels
        Drawings, and clips with their frames.
    details
        Rows of `run.json`.
    """

    run: RunRecords
    name: str
    tiles: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]
    plots: tuple[Plot, ...]
    labels: tuple[LabelClips, ...]
    details: tuple[tuple[str, str], ...]


def run_page(
    runs: Sequence[RunRecords],
    *,
    number: int = 3,
    made: str = "",
    progress: Callable[[int], None] = lambda _: None,
) -> bytes:
    """Return a page of one run, or of several compared with the first of them.

    Parameters
    ----------
    runs
        Finished trainings, as `read_run` returns them.
    number
        Clips to show of each label and kind: best, missed, wrongly claimed.
    made
        By what and when, for the foot of the page.
    progress
        Called with the number of clips that were read since the last call.
    """
    names = _short_names([run.run_dir for run in runs])
    comparisons = [Comparison(), *(compared(run, runs[0]) for run in runs[1:])]
    parts = [
        _part(run, name, label_clips(run.clips, number, progress))
        for run, name in zip(runs, names, strict=True)
    ]
    values = {
        "title": names[0] if len(runs) == 1 else f"{len(runs)} training runs",
        "parts": parts,
        "comparisons": list(zip(parts, comparisons, strict=True)),
        "gains": _gain_rows(runs, comparisons),
        "draws": DRAWS,
        "score": shown_score,
        "made": made,
    }
    return rendered("run_page.html.j2", values)


def _part(run: RunRecords, name: str, labels: Sequence[LabelClips]) -> RunPart:
    return RunPart(
        run,
        name,
        tuple(_tiles(run)),
        tuple(_notes(run)),
        tuple(_plots(run)),
        tuple(labels),
        tuple(_flat(asdict(run.facts))),
    )


def _short_names(folders: Sequence[Path]) -> list[str]:
    """Return the last part of each path, or as many as it takes to tell them apart."""
    resolved = [folder.absolute() for folder in folders]
    for depth in range(1, max(len(path.parts) for path in resolved)):
        names = ["/".join(path.parts[-depth:]) for path in resolved]
        if len(set(names)) == len(names):
            return names
    return [str(path) for path in resolved]


def _tiles(run: RunRecords) -> Iterator[tuple[str, str]]:
    report = run.report
    yield shown_score(report.mean_ap), "mAP, each label alike"
    yield shown_score(report.weighted_ap), "mAP, by clips"
    yield shown_score(report.micro_ap), "mAP, all together (micro)"
    yield shown_score(report.mean_f1_at_threshold), "mean F1 at thresholds"
    yield shown_score(report.mean_auroc), "mean AUROC"
    yield shown_score(report.calibration_error), "calibration error"
    for task in report.tasks:
        if task.exclusive:
            yield shown_score(task.top1), f"top-1 {task.name}".rstrip()
            yield shown_score(task.mean_class_accuracy), f"class accuracy {task.name}".rstrip()
    yield f"{report.num_clips:,}", "validation clips"
    yield f"{run.best_epoch} of {len(run.records)}", "best epoch"


def _notes(run: RunRecords) -> Iterator[str]:
    report = run.report
    yield (
        "All scores are on the validation list, by which the best epoch and the thresholds were"
        " chosen: on new recordings they will be lower. How much, dogclips test says of a list that"
        " had no part in training."
    )
    if report.without_positives:
        yield f"Without a clip, so in no mean: {', '.join(report.without_positives)}."
    few = [f"{one.label} ({one.positives})" for one in report.classes if 0 < one.positives < _FEW]
    if few:
        yield f"Fewer than {_FEW} clips, so that each of them moves the scores: {', '.join(few)}."
    skipped = run.facts.skipped
    if skipped:
        yield (
            f"{counted(len(skipped), 'clip')} could not be decoded and had no part: listed below,"
            " with the settings."
        )


def _plots(run: RunRecords) -> Iterator[Plot]:
    for name, svg in draw_plots(run.records, run.predictions, run.report):
        kind = name.partition("_")[0] if name.startswith("confusion") else name
        url = f"data:image/svg+xml;base64,{b64encode(svg).decode()}"
        yield Plot(kind, _TITLES[kind], url, *(_pixels(svg, side) for side in ("width", "height")))


def _pixels(svg: bytes, side: str) -> int:
    """Return width or height of a drawing; a point is four thirds of a pixel."""
    points = re.search(rf'{side}="([\d.]+)pt"'.encode(), svg)
    return round(float(points[1]) * 4 / 3) if points else 0


def _gain_rows(
    runs: Sequence[RunRecords], comparisons: Sequence[Comparison]
) -> list[tuple[str, int, list[tuple[float | None, Any]]]]:
    """Return label, clips, and for each run the average precision and its gain."""
    by_label: list[Mapping[str, Any]] = [one.by_label or {} for one in comparisons]
    scores = [_scores(run.report) for run in runs]
    return [
        (
            one.label,
            one.positives,
            [
                (own.get(one.label), gains.get(one.label))
                for own, gains in zip(scores, by_label, strict=True)
            ],
        )
        for one in runs[0].report.classes
    ]


def _scores(report: TestReport) -> dict[str, float | None]:
    return {one.label: one.average_precision for one in report.classes}


def _flat(tree: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield the leaves of a tree of plain values with their paths."""
    if isinstance(tree, Mapping):
        for key, node in tree.items():
            yield from _flat(node, f"{path}.{key}" if path else str(key))
    elif isinstance(tree, list | tuple) and any(isinstance(node, Mapping) for node in tree):
        for number, node in enumerate(tree):
            yield from _flat(node, f"{path}.{number}")
    elif isinstance(tree, list | tuple):
        yield path, ", ".join(map(str, tree))
    else:
        yield path, "" if tree is None else str(tree)
