"""Scores of predictions, class by class and task by task.

Shapes: N clips, K classes.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from statistics import fmean

import numpy as np
from torch import Tensor

from dogclips.records.training_run import ClassResult, Means, ReliabilityBin, TaskResult, TestReport
from dogclips.scores.ranking import (
    HALF,
    Flags,
    Floats,
    brier,
    calibration_error,
    confusion,
    found_at,
    places,
    ranking,
    reliability,
)
from dogclips.training.tasks import Task


@dataclass(frozen=True)
class Predictions:
    """What a model said of every clip of a list, in the list's order.

    Parameters
    ----------
    probability_NK
        Averaged over the views.
    target_NK
        1 where the clip carries the label.
    loss_N
        Of each clip.
    """

    probability_NK: Tensor
    target_NK: Tensor
    loss_N: Tensor


def score(
    predictions: Predictions,
    labels: Sequence[str],
    protocol: str,
    thresholds: Sequence[float | None] = (),
    tasks: Sequence[Task] = (),
) -> TestReport:
    """Return the scores of each class, and their means over all classes and by task.

    A class that no clip carries has no scores; it is named, and in no mean.

    Parameters
    ----------
    predictions
        Of all clips of a list.
    labels
        Class names.
    protocol
        How the clips were scored, in words.
    thresholds
        Of each class, from `best_thresholds` on another list; empty if there are none.
    tasks
        That together have all classes; empty for a single one of labels that go together.
    """
    told = _Told.of(predictions, thresholds)
    results = [_class_result(told, k, label) for k, label in enumerate(labels)]
    everything = Task("", tuple(range(len(labels))), exclusive=False)
    means, bins = _means(told, results, everything.classes)
    return TestReport(
        **asdict(means),
        num_clips=len(told.target_NK),
        loss=float(predictions.loss_N.mean()),
        classes=tuple(results),
        protocol=protocol,
        tasks=tuple(_task_result(told, results, task) for task in tasks or [everything]),
        reliability=bins,
    )


def best_thresholds(predictions: Predictions) -> list[float | None]:
    """Return the probability at which each class has its best F1; None without a positive.

    It lies half-way between two probabilities that were seen, so that ties stay together.
    """
    told = _Told.of(predictions)
    columns = zip(told.probability_NK.T, told.target_NK.T, strict=True)
    return [ranking(scores, truth).best_threshold for scores, truth in columns]


@dataclass(frozen=True, eq=False)
class _Told:
    """Predictions in double precision, with a threshold or None for each class."""

    probability_NK: Floats
    target_NK: Flags
    thresholds: Sequence[float | None]

    @classmethod
    def of(cls, predictions: Predictions, thresholds: Sequence[float | None] = ()) -> "_Told":
        probability_NK = predictions.probability_NK.double().numpy()
        target_NK = predictions.target_NK.bool().numpy()
        return cls(probability_NK, target_NK, list(thresholds) or [None] * target_NK.shape[1])

    def claimed(self, task: Task) -> Flags:
        """Return which classes of a task are claimed of each clip (N, classes of the task)."""
        probability_NK = self.probability_NK[:, list(task.classes)]
        if task.exclusive:
            likeliest_N = probability_NK.argmax(1)
            return np.asarray(likeliest_N[:, None] == np.arange(probability_NK.shape[1]))
        kept = [self.thresholds[k] for k in task.classes]
        return np.asarray(probability_NK > [HALF if one is None else one for one in kept])


def _class_result(told: _Told, k: int, label: str) -> ClassResult:
    scores_N, truth_N = told.probability_NK[:, k], told.target_NK[:, k]
    threshold = told.thresholds[k]
    at_half = found_at(scores_N, truth_N, HALF)
    if at_half is None:
        return ClassResult(label, 0, None, None, threshold)
    ranked = ranking(scores_N, truth_N)
    found = None if threshold is None else found_at(scores_N, truth_N, threshold)
    return ClassResult(
        label,
        int(truth_N.sum()),
        ranked.average_precision,
        at_half.f1,
        threshold,
        f1_at_threshold=found.f1 if found else None,
        precision=found.precision if found else None,
        recall=found.recall if found else None,
        auroc=ranked.auroc,
        brier=brier(scores_N, truth_N),
        calibration_error=calibration_error(reliability(scores_N, truth_N)),
    )


def _means(
    told: _Told, results: Sequence[ClassResult], classes: Sequence[int]
) -> tuple[Means, tuple[ReliabilityBin, ...]]:
    """Return the means over those of the classes that have positives, and their reliability."""
    present = [k for k in classes if results[k].positives]
    if not present:
        return Means(mean_ap=None, mean_f1=None), ()
    own = [results[k] for k in present]
    scores, truth = told.probability_NK[:, present], told.target_NK[:, present]
    bins = reliability(scores, truth)
    weighted = sum(one.positives * (one.average_precision or 0.0) for one in own)
    means = Means(
        mean_ap=_mean(own, lambda one: one.average_precision),
        mean_f1=_mean(own, lambda one: one.f1),
        micro_ap=ranking(scores.ravel(), truth.ravel()).average_precision,
        weighted_ap=weighted / sum(one.positives for one in own),
        mean_auroc=_mean(own, lambda one: one.auroc),
        mean_f1_at_threshold=_mean(own, lambda one: one.f1_at_threshold),
        brier=brier(scores, truth),
        calibration_error=calibration_error(bins),
    )
    return means, bins


def _task_result(told: _Told, results: Sequence[ClassResult], task: Task) -> TaskResult:
    own = list(task.classes)
    probability_NK, target_NK = told.probability_NK[:, own], told.target_NK[:, own]
    counted_N = np.ones(len(target_NK), dtype=np.bool_)
    accuracy: dict[str, float | None] = {}
    if task.exclusive:
        counted_N = target_NK.sum(1) == 1
        accuracy = _accuracy(probability_NK[counted_N], target_NK[counted_N])
    means, _ = _means(told, results, own)
    return TaskResult(
        **asdict(means),
        name=task.name,
        exclusive=task.exclusive,
        classes=task.classes,
        confusion=confusion(target_NK[counted_N], told.claimed(task)[counted_N]),
        **accuracy,
    )


def _accuracy(probability_NK: Floats, target_NK: Flags) -> dict[str, float | None]:
    """Return how often the true one of labels that exclude each other is among the likeliest."""
    if not len(target_NK):
        return {}
    place_N = places(probability_NK, target_NK)
    by_class = [float((place_N[truth_N] == 0).mean()) for truth_N in target_NK.T if truth_N.any()]
    return {
        "top1": float((place_N == 0).mean()),
        "top5": float((place_N < 5).mean()) if target_NK.shape[1] > 5 else None,
        "mean_class_accuracy": fmean(by_class),
    }


def _mean(
    results: Sequence[ClassResult], taken: Callable[[ClassResult], float | None]
) -> float | None:
    known = [value for one in results if (value := taken(one)) is not None]
    return fmean(known) if known else None
