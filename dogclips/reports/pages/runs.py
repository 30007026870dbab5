"""One page from which a person can judge a training run, or several beside each other."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from dogclips.records.run_folder import RunRecords
from dogclips.reports.pages.page import rendered
from dogclips.reports.pictures.clip_cards import run_cards
from dogclips.reports.pictures.figures import data_url
from dogclips.reports.pictures.training_plots import draw_plots
from dogclips.reports.tables.train import shown_score
from dogclips.scores.comparison import DRAWS, Comparison, compared
from dogclips.wording import counted, distinct_names

_FEW = 10  # clips of a label; its average precision jumps with each of them
_TITLES = {
    "curves": "Training",
    "average_precision": "Average precision",
    "precision_recall": "Precision and recall",
    "calibration": "Calibration",
    "confusion": "Confusion",
}


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
    number
        Clips to show of each label and kind: best, missed, wrongly claimed.
    made
        By what and when, for the foot of the page.
    progress
        Called with the number of clips that were read since the last call.
    """
    names = distinct_names([run.run_dir for run in runs])
    parts = [
        _part(run, runs[0]) | {"name": name, "cards": run_cards(run.clips, number, progress)}
        for run, name in zip(runs, names, strict=True)
    ]
    title = names[0] if len(runs) == 1 else f"{len(runs)} training runs"
    return rendered(
        "run_page.html.j2",
        {"title": title, "parts": parts, "draws": DRAWS, "score": shown_score, "made": made},
    )


def _part(run: RunRecords, first: RunRecords) -> dict[str, Any]:
    """Return what the page shows of one run, beside the first one."""
    return {
        "run": run,
        "comparison": Comparison() if run is first else compared(run, first),
        "tiles": [*_tiles(run)],
        "notes": [*_notes(run)],
        "plots": [
            (
                next(text for kind, text in _TITLES.items() if name.startswith(kind)),
                data_url(svg, "svg+xml"),
            )
            for name, svg in draw_plots(run.records, run.predictions, run.report)
        ],
        "details": [*_leaves(asdict(run.facts))],
        "scores": {one.label: one.average_precision for one in run.report.classes},
    }


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
        "All scores are on the validation list, which also chose the best epoch and the thresholds:"
        " on new recordings they will be lower. To see by how much, run dogclips test on a list"
        " that took no part in training."
    )
    if report.without_positives:
        yield f"Classes without clips, not in the means: {', '.join(report.without_positives)}."
    few = [f"{one.label} ({one.positives})" for one in report.classes if 0 < one.positives < _FEW]
    if few:
        yield f"Fewer than {_FEW} clips, so a single clip changes the scores: {', '.join(few)}."
    skipped = run.facts.skipped
    if skipped:
        yield (
            f"{counted(len(skipped), 'clip')} skipped: listed below with the reason, after the"
            " settings."
        )


def _leaves(tree: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield the leaves of a tree of plain values with their paths."""
    listed = isinstance(tree, list | tuple)
    if listed and any(isinstance(node, Mapping) for node in tree):
        tree = dict(enumerate(tree))
    if isinstance(tree, Mapping):
        for key, node in tree.items():
            yield from _leaves(node, f"{path}.{key}" if path else str(key))
    elif listed:
        yield path, ", ".join(map(str, tree))
    else:
        yield path, "" if tree is None else str(tree)
