"""What a training found: a record an epoch, and scores on a list."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dogclips.events import Event
from dogclips.records.documents import record_of


@dataclass(frozen=True)
class EpochRecord(Event):
    """One epoch of training, told when it has ended.

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
    """Return the report that `asdict` took apart."""
    return record_of(TestReport, plain)
