"""What training and testing found, as plain records and as tables.

The records live here, below the torch line, so that a table needs no torch.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from dogclips.reports.style import new_table, with_remarks


@dataclass(frozen=True)
class EpochRecord:
    """One epoch of training.

    Parameters
    ----------
    epoch
        From 1.
    lr
        Learning rate after the last step.
    train_loss, val_loss
        Mean over clips.
    val_map
        Mean average precision on the validation list; None if no class has a positive there.
    clips_per_second
        Trained clips, loading included.
    seconds
        Of the whole epoch, validation included.
    best
        Whether `val_map` is the best so far.
    waiting
        Share of the training time that passed before the next batch was there.
    """

    epoch: int
    lr: float
    train_loss: float
    val_loss: float
    val_map: float | None
    clips_per_second: float
    seconds: float
    best: bool
    waiting: float | None = None


@dataclass(frozen=True)
class ClassResult:
    """How well one class was found.

    Parameters
    ----------
    label
        Its name.
    positives
        Clips that carry it; where there are none, every score is None.
    average_precision
        Area under the precision-recall curve, by its steps.
    f1
        At a probability of 0.5.
    threshold
        The probability at which F1 was best on the validation list; None if never measured.
    f1_at_threshold, precision, recall
        At that probability. No clip found at all is no precision.
    auroc
        How likely a clip with the label gets a higher probability than one without; None if all
        clips carry it.
    brier
        Mean squared difference of probability and truth.
    calibration_error
        How far probabilities are from how often they come true, in 15 bins of equal width.
    """

    label: str
    positives: int
    average_precision: float | None
    f1: float | None
    threshold: float | None = None
    f1_at_threshold: float | None = None
    precision: float | None = None
    recall: float | None = None
    auroc: float | None = None
    brier: float | None = None
    calibration_error: float | None = None


@dataclass(frozen=True)
class ReliabilityBin:
    """Probabilities of a range, and how often what they were given to came true.

    Parameters
    ----------
    low, high
        The range, without its upper end; that of the last bin holds 1.
    count
        Pairs of clip and class in it.
    probability, frequency
        Mean probability, and the share that came true; None in an empty bin.
    """

    low: float
    high: float
    count: int
    probability: float | None
    frequency: float | None


@dataclass(frozen=True, kw_only=True)
class Means:
    """Scores of several classes, each in one number.

    Only classes with positives count; None where no class has any.

    Parameters
    ----------
    mean_ap, mean_auroc, mean_f1, mean_f1_at_threshold
        Each class counts alike (macro).
    weighted_ap
        Each class counts as often as it has positives.
    micro_ap
        Average precision of all pairs of clip and class as one ranking.
    brier, calibration_error
        Of all pairs of clip and class together.
    """

    mean_ap: float | None
    mean_f1: float | None
    micro_ap: float | None = None
    weighted_ap: float | None = None
    mean_auroc: float | None = None
    mean_f1_at_threshold: float | None = None
    brier: float | None = None
    calibration_error: float | None = None


@dataclass(frozen=True, kw_only=True)
class TaskResult(Means):
    """How well one question was answered.

    Parameters
    ----------
    name
        As labels.txt writes it before the colon; empty where labels name no task.
    exclusive
        Whether a clip carries exactly one of its labels.
    classes
        Which of all classes, by index.
    confusion
        Row i, column j: of the clips that carry i and not j, the share that j was claimed of; on
        the diagonal the share of the clips with i that i was claimed of. Where labels exclude each
        other, the most likely one is claimed and the rows add up to 1; else every label above its
        threshold, or 0.5 without one. None where there is no such clip.
    top1, top5
        Share of clips whose label is the most likely, or among the five most likely; None unless
        labels exclude each other. `top5` only for more than five classes.
    mean_class_accuracy
        Mean over classes of the share of their clips for which they are the most likely.
    """

    name: str
    exclusive: bool
    classes: tuple[int, ...]
    confusion: tuple[tuple[float | None, ...], ...]
    top1: float | None = None
    top5: float | None = None
    mean_class_accuracy: float | None = None


@dataclass(frozen=True, kw_only=True)
class TestReport(Means):
    """Scores of a model on a list.

    Parameters
    ----------
    num_clips
        Clips of the list; each was decoded, or there would be no report.
    loss
        Mean over clips.
    classes
        In the order of labels.txt.
    protocol
        In words: which views, frames and pixels, and how views were averaged.
    tasks
        One by one; a single one without a name where labels name no task.
    reliability
        Of all classes with positives together.
    """

    __test__ = False  # no test class, whatever pytest thinks

    num_clips: int
    loss: float
    classes: tuple[ClassResult, ...]
    protocol: str
    tasks: tuple[TaskResult, ...] = ()
    reliability: tuple[ReliabilityBin, ...] = ()

    @property
    def without_positives(self) -> tuple[str, ...]:
        """Return the labels that no clip carries, which the means leave out."""
        return tuple(result.label for result in self.classes if not result.positives)


def report_from_plain(plain: Mapping[str, Any]) -> TestReport:
    """Return the report that `asdict` took apart, or that a metrics.json holds."""
    kinds: dict[str, Callable[..., Any]] = {
        "classes": ClassResult,
        "tasks": _task_from_plain,
        "reliability": ReliabilityBin,
    }
    nested = {
        name: tuple(kind(**one) for one in plain[name])
        for name, kind in kinds.items()
        if name in plain
    }
    return TestReport(**{**plain, **nested})


def _task_from_plain(**plain: Any) -> TaskResult:
    confusion = tuple(tuple(row) for row in plain["confusion"])
    return TaskResult(**{**plain, "classes": tuple(plain["classes"]), "confusion": confusion})


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
