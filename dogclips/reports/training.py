"""What training and testing found, as plain records and as tables.

The records live here, below the torch line, so that a table needs no torch.
"""

from dataclasses import dataclass

from rich.console import Group

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
    """

    epoch: int
    lr: float
    train_loss: float
    val_loss: float
    val_map: float | None
    clips_per_second: float
    seconds: float
    best: bool


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
    f1_at_threshold
        F1 at that probability.
    """

    label: str
    positives: int
    average_precision: float | None
    f1: float | None
    threshold: float | None = None
    f1_at_threshold: float | None = None


@dataclass(frozen=True)
class TestReport:
    """Scores of a model on a list.

    Parameters
    ----------
    num_clips
        Clips of the list; each was decoded, or there would be no report.
    loss
        Mean over clips.
    mean_ap, mean_f1
        Mean over the classes that have positives; None if no class has.
    classes
        In the order of labels.txt.
    protocol
        In words: which views, frames and pixels, and how views were averaged.
    """

    __test__ = False  # no test class, whatever pytest thinks

    num_clips: int
    loss: float
    mean_ap: float | None
    mean_f1: float | None
    classes: tuple[ClassResult, ...]
    protocol: str

    @property
    def without_positives(self) -> tuple[str, ...]:
        """Return the labels that no clip carries, which the means leave out."""
        return tuple(result.label for result in self.classes if not result.positives)


EPOCH_COLUMNS = ("epoch", "lr", "train loss", "val loss", "val mAP", "clips/s", "seconds")


def epoch_cells(record: EpochRecord) -> tuple[str, ...]:
    """Return one row of the epoch table; a star marks the best epoch so far."""
    return (
        str(record.epoch),
        f"{record.lr:.2e}",
        f"{record.train_loss:.4f}",
        f"{record.val_loss:.4f}",
        shown_score(record.val_map) + ("*" if record.best else " "),
        f"{record.clips_per_second:.1f}",
        f"{record.seconds:.1f}",
    )


def epoch_line(record: EpochRecord | None = None) -> str:
    """Return one line of fixed width for printing as training goes; without a record, the head.

    >>> epoch_line()
    'epoch        lr  train loss  val loss  val mAP   clips/s  seconds'
    """
    head = (*EPOCH_COLUMNS[:4], "val mAP ", *EPOCH_COLUMNS[5:])
    cells = head if record is None else epoch_cells(record)
    widths = (5, 8, 10, 8, 8, 7, 7)
    return "  ".join(cell.rjust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()


def result_table(report: TestReport) -> Group:
    """Return one row a class and the means, with the protocol below."""
    tuned = any(result.threshold is not None for result in report.classes)
    table = new_table(footer=True)
    footers = ["mean", "", shown_score(report.mean_ap), shown_score(report.mean_f1)]
    heads = ["class", "positives", "AP", "F1 at 0.5"]
    if tuned:
        heads += ["threshold", "F1 at threshold"]
        footers += ["", ""]
    for head, footer in zip(heads, footers, strict=True):
        table.add_column(head, footer, justify="left" if head == "class" else "right")
    for result in report.classes:
        scores = [result.average_precision, result.f1]
        if tuned:
            scores += [result.threshold, result.f1_at_threshold]
        table.add_row(result.label, str(result.positives), *map(shown_score, scores))
    return with_remarks("", table, _remarks(report))


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
