"""What training and testing found, as tables."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from dogclips.records.training_run import EpochRecord, TestReport
from dogclips.reports.tables.style import new_table, with_remarks

EPOCH_COLUMNS = ("epoch", "lr", "train loss", "val loss", "val mAP", "clips/s", "wait", "seconds")


def epoch_cells(record: EpochRecord) -> tuple[str, ...]:
    """Return one row of the epoch table; a star marks the best epoch so far."""
    return (
        str(record.epoch),
        f"{record.lr:.2e}",
        f"{record.train_loss:.4f}",
        f"{record.val_loss:.4f}",
        shown_score(record.val_map) + ("*" if record.best else " "),
        f"{record.clips_per_second:.1f}",
        "-" if record.waiting is None else f"{record.waiting:.0%}",
        f"{record.seconds:.1f}",
    )


def epoch_line(record: EpochRecord | None = None) -> str:
    """Return one line of fixed width for printing as training goes; without a record, the head.

    >>> epoch_line()
    'epoch        lr  train loss  val loss  val mAP   clips/s  wait  seconds'
    """
    head = (*EPOCH_COLUMNS[:4], "val mAP ", *EPOCH_COLUMNS[5:])
    cells = head if record is None else epoch_cells(record)
    widths = (5, 8, 10, 8, 8, 7, 4, 7)
    return "  ".join(cell.rjust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()


def result_table(report: TestReport) -> Group:
    """Return one row a class and the means, the same by task, and the protocol below."""
    parts = [with_remarks("", _class_table(report), _remarks(report))]
    if len(report.tasks) > 1 or any(task.exclusive for task in report.tasks):
        parts.append(with_remarks("", _task_table(report)))
    return Group(*parts)


def report_document(
    report: TestReport, provenance: Mapping[Any, Any], skipped: Sequence[tuple[str, str]]
) -> dict[str, Any]:
    """Return what `test --json` says: scores, where they come from, and the clips left out."""
    left_out = [{"path": path, "reason": reason} for path, reason in skipped]
    return {**provenance, "skipped": left_out, **asdict(report)}


def _class_table(report: TestReport) -> Table:
    macro = (
        ("AP", _stacked(report.mean_ap, report.weighted_ap, report.micro_ap)),
        ("AUROC", shown_score(report.mean_auroc)),
        ("F1 at\n0.5", shown_score(report.mean_f1)),
        ("thres-\nhold", ""),
        ("pre-\ncision", ""),
        ("recall", ""),
        ("F1", shown_score(report.mean_f1_at_threshold)),
        ("ECE", f"\n\n{shown_score(report.calibration_error)}"),
    )
    table = new_table(footer=True)
    table.add_column("class", "mean\nweighted\nmicro", overflow="fold")
    table.add_column("clips", "", justify="right", no_wrap=True)
    for head, footer in macro:
        table.add_column(head, footer, justify="right", no_wrap=True)
    for result in report.classes:
        scores = (
            result.average_precision,
            result.auroc,
            result.f1,
            result.threshold,
            result.precision,
            result.recall,
            result.f1_at_threshold,
            result.calibration_error,
        )
        table.add_row(Text(result.label), str(result.positives), *map(shown_score, scores))
    return table


def _task_table(report: TestReport) -> Table:
    """Return one row a task; where labels exclude each other, how often the likeliest is right."""
    heads = (
        "mAP",
        "weighted\nmAP",
        "micro\nmAP",
        "mean\nF1",
        "top-1",
        "top-5",
        "mean class\naccuracy",
    )
    table = new_table()
    table.add_column("task", overflow="fold")
    table.add_column("classes", justify="right", no_wrap=True)
    for head in heads:
        table.add_column(head, justify="right", no_wrap=True)
    for task in report.tasks:
        scores = (
            task.mean_ap,
            task.weighted_ap,
            task.micro_ap,
            task.mean_f1_at_threshold,
            task.top1,
            task.top5,
            task.mean_class_accuracy,
        )
        name = task.name or "all labels"
        table.add_row(Text(name), str(len(task.classes)), *map(shown_score, scores))
    return table


def _stacked(*scores: float | None) -> str:
    return "\n".join(map(shown_score, scores))


def shown_score(score: float | None) -> str:
    """Return a score with three decimals, or a dash where there is none.

    >>> shown_score(0.51234), shown_score(None)
    ('0.512', '-')
    """
    return "-" if score is None else f"{score:.3f}"


def _remarks(report: TestReport) -> str:
    remarks = f"{report.num_clips} clips; {report.protocol}"
    if any(result.threshold is not None for result in report.classes):
        remarks += "; thresholds from the validation list"
    if report.without_positives:
        names = ", ".join(report.without_positives)
        remarks += f"; without a clip, so in no mean: {names}"
    return remarks
