"""What a training found: a record an epoch, and scores on a list."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dogclips.events import Event
from dogclips.records.documents import record_of


@dataclass(frozen=True)
class EpochRecord(Event):
    """One epoch of training, told when it has ended."""

    epoch: int  #: From 1
    lr: float  #: Learning rate after the last step
    train_loss: float  #: Mean loss of the training clips
    val_loss: float  #: Mean loss of the validation clips
    #: Mean average precision on the validation list; None if no class has a positive there.
    val_map: float | None
    clips_per_second: float  #: Trained clips per second, loading included
    seconds: float  #: Length of the whole epoch in seconds, validation included
    best: bool  #: Whether `val_map` is the best so far
    #: Share of the training time that passed before the next batch was there.
    waiting: float | None = None


@dataclass(frozen=True)
class ClassResult:
    """How well one class was found."""

    label: str  #: Its name
    positives: int  #: Clips that carry it; where there are none, every score is None
    average_precision: float | None  #: Area under the precision-recall curve, by its steps
    f1: float | None  #: At a probability of 0.5
    #: The probability at which F1 was best on the validation list; None if never measured.
    threshold: float | None = None
    f1_at_threshold: float | None = None  #: F1 at the threshold
    precision: float | None = None  #: Precision at the threshold; None if no clip was found
    recall: float | None = None  #: Recall at the threshold
    #: How likely a clip with the label gets a higher probability than one without; None if all
    #: clips carry it.
    auroc: float | None = None
    brier: float | None = None  #: Mean squared difference of probability and truth
    #: How far probabilities are from how often they come true, in 15 bins of equal width.
    calibration_error: float | None = None


@dataclass(frozen=True)
class ReliabilityBin:
    """Probabilities of a range, and how often what they were given to came true."""

    low: float  #: Lower end of the range
    high: float  #: Upper end of the range, which belongs to the next bin; that of the last holds 1
    count: int  #: Pairs of clip and class in it
    probability: float | None  #: Mean probability; None in an empty bin
    frequency: float | None  #: Share that came true; None in an empty bin


@dataclass(frozen=True)
class Task:
    """A question, and the classes that answer it.

    A dataset may ask several: what the animal does, where it is. Its labels.txt then writes
    `task:label`. Within a task any number of labels may be true, each with a probability of its own
    (sigmoid), or exactly one (softmax over the classes of the task).
    """

    name: str  #: As labels.txt writes it before the colon; empty if labels carry no task
    classes: tuple[int, ...]  #: Which of all classes, by index, ascending; not always side by side
    exclusive: bool  #: Whether a clip carries exactly one of them

    @property
    def shown(self) -> str:
        """Return how messages call it."""
        return f"task {self.name!r}" if self.name else "the list"


@dataclass(frozen=True, kw_only=True)
class Means:
    """Scores of several classes, each in one number.

    Only classes with positives count; None where no class has any.
    """

    mean_ap: float | None  #: Mean average precision; each class counts alike (macro)
    mean_f1: float | None  #: Mean F1 at 0.5; each class counts alike (macro)
    #: Average precision of all pairs of clip and class as one ranking.
    micro_ap: float | None = None
    #: Mean average precision; each class counts as often as it has positives.
    weighted_ap: float | None = None
    mean_auroc: float | None = None  #: Mean AUROC; each class counts alike (macro)
    mean_f1_at_threshold: float | None = None  #: Mean F1 at the thresholds (macro)
    brier: float | None = None  #: Brier score of all pairs of clip and class together
    calibration_error: float | None = None  #: Calibration error of all pairs together


@dataclass(frozen=True, kw_only=True)
class TaskResult(Means):
    """How well one question was answered."""

    name: str  #: As labels.txt writes it before the colon; empty where labels name no task
    exclusive: bool  #: Whether a clip carries exactly one of its labels
    classes: tuple[int, ...]  #: Which of all classes, by index
    #: Row i, column j: of the clips that carry i and not j, the share that j was claimed of; on the
    #: diagonal the share of the clips with i that i was claimed of. Where labels exclude each
    #: other, the most likely one is claimed and the rows add up to 1; else every label above its
    #: threshold, or 0.5 without one. None where there is no such clip.
    confusion: tuple[tuple[float | None, ...], ...]
    #: Share of clips whose label is the most likely; None unless labels exclude each other.
    top1: float | None = None
    #: Share of clips whose label is among the five most likely; only for more than five classes.
    top5: float | None = None
    #: Mean over classes of the share of their clips for which they are the most likely.
    mean_class_accuracy: float | None = None


@dataclass(frozen=True, kw_only=True)
class TestReport(Means):
    """Scores of a model on a list."""

    __test__ = False  # no test class, whatever pytest thinks

    num_clips: int  #: Clips of the list; each was decoded, or there would be no report
    loss: float  #: Mean over clips
    classes: tuple[ClassResult, ...]  #: In the order of labels.txt
    protocol: str  #: In words: which views, frames and pixels, and how views were averaged
    #: Scores of each task; a single one without a name where labels name no task.
    tasks: tuple[TaskResult, ...] = ()
    #: How often probabilities come true, bin by bin, of all classes with positives together.
    reliability: tuple[ReliabilityBin, ...] = ()

    @property
    def without_positives(self) -> tuple[str, ...]:
        """Return the labels that no clip carries, which the means leave out."""
        return tuple(result.label for result in self.classes if not result.positives)


def report_from_plain(plain: Mapping[str, Any]) -> TestReport:
    """Return the report that `asdict` took apart."""
    return record_of(TestReport, plain)
