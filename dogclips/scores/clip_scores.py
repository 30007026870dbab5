"""Scores of what a model said of clips, class by class and task by task.

Trainer, tables, plots and pages all take them from here, so that no two of them disagree. What
scikit-learn computes is taken from it. Everything is counted in double precision, and clips with
the same probability stay together.

Shapes: N clips, K classes, L distinct probabilities, descending.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import fmean

import numpy as np

from dogclips.records.predictions import PredictedClips
from dogclips.records.training_run import (
    ClassResult,
    Means,
    ReliabilityBin,
    Task,
    TaskResult,
    TestReport,
)
from dogclips.scores.bouts import Flags, Floats

NUM_BINS = 15
DEFAULT_THRESHOLD = 0.5  # what counts as found where none was measured
# Which clips of each label a person should look at.
TELLING = (
    "carry it, highest probability",
    "carry it, lowest probability",
    "do not carry it, highest probability",
)


@dataclass(frozen=True, eq=False)
class Predictions:
    """What a model said of every clip of a list, in the list's order."""

    probability_NK: Floats  #: Averaged over the views
    target_NK: Flags  #: Whether the clip carries the label
    loss: float  #: Mean over the clips


def score(
    predictions: Predictions,
    labels: Sequence[str],
    protocol: str,
    thresholds: Sequence[float | None] = (),
    tasks: Sequence[Task] = (),
) -> TestReport:
    """Return the scores of each class, and their means over all classes and by task.

    A class that no clip carries has no scores; it is named, and in no mean. Thresholds are from
    `best_thresholds` on another list, empty if there are none; without tasks all classes are a
    single one of labels that go together.
    """
    thresholds = thresholds or [None] * len(labels)
    columns = zip(predictions.probability_NK.T, predictions.target_NK.T, strict=True)
    results = [
        _class_result(label, probability_N, target_N, threshold)
        for label, threshold, (probability_N, target_N) in zip(
            labels, thresholds, columns, strict=True
        )
    ]
    everything = Task("", tuple(range(len(labels))), exclusive=False)
    means, bins = _means(predictions, results, everything)
    return TestReport(
        **asdict(means),
        num_clips=len(predictions.target_NK),
        loss=predictions.loss,
        classes=tuple(results),
        protocol=protocol,
        tasks=tuple(_task_result(predictions, results, task) for task in tasks or [everything]),
        reliability=bins,
    )


def best_thresholds(predictions: Predictions) -> list[float | None]:
    """Return the probability above which each class has its best F1; None without a positive.

    It lies half-way between two probabilities that were seen, so that ties stay together. Of
    equally good ones it is the highest.
    """
    columns = zip(predictions.probability_NK.T, predictions.target_NK.T, strict=True)
    return [_best_threshold(*column) for column in columns]


def most_telling(clips: PredictedClips, k: int, number: int) -> Mapping[str, list[int]]:
    """Return the rows of the clips to show of label `k`, by kind (`TELLING`); none of them twice.

    There are `number` of each kind at most.
    """
    order = np.argsort(-clips.probability[:, k], kind="stable")
    carry, others = (order[clips.target[order, k] == there].tolist() for there in (True, False))
    best = carry[:number]
    worst = carry[len(best) :][::-1][:number]
    return dict(zip(TELLING, (best, worst, others[:number]), strict=True))


def claimed_above(clips: PredictedClips, k: int) -> float:
    """Return above which probability a label is claimed: 0.5 where nothing better is known."""
    threshold = float(clips.threshold[k])
    return DEFAULT_THRESHOLD if np.isnan(threshold) else threshold


def _best_threshold(probability_N: Floats, target_N: Flags) -> float | None:
    if not target_N.any():
        return None
    level_L, at_N = np.unique(-probability_N, return_inverse=True)
    found_L = np.bincount(at_N).cumsum()
    hits_L = np.bincount(at_N, weights=target_N).cumsum()
    best = int(np.argmax(2 * hits_L / (found_L + hits_L[-1])))
    # Just below 0, so that even a probability of exactly 0 can be found.
    below = -level_L[best + 1] if best + 1 < len(level_L) else -1e-9
    return float((below - level_L[best]) / 2)


def _class_result(
    label: str, probability_N: Floats, target_N: Flags, threshold: float | None
) -> ClassResult:
    from sklearn import metrics  # noqa: PLC0415 (takes a second, which only scoring should take)

    positives = int(target_N.sum())
    if not positives:
        return ClassResult(label, 0, None, None, threshold)

    def found_above(cut: float) -> tuple[float | None, float, float]:
        """Return precision, None if nothing is found, recall and F1."""
        claimed_N = probability_N > cut
        found, hits = int(claimed_N.sum()), int((claimed_N & target_N).sum())
        return hits / found if found else None, hits / positives, 2 * hits / (found + positives)

    precision, recall, f1 = (None,) * 3 if threshold is None else found_above(threshold)
    return ClassResult(
        label,
        positives,
        float(metrics.average_precision_score(target_N, probability_N)),
        found_above(DEFAULT_THRESHOLD)[2],
        threshold,
        f1_at_threshold=f1,
        precision=precision,
        recall=recall,
        auroc=None if target_N.all() else float(metrics.roc_auc_score(target_N, probability_N)),
        brier=_brier(probability_N, target_N),
        calibration_error=_calibration_error(_reliability(probability_N, target_N)),
    )


def _means(
    predictions: Predictions, results: Sequence[ClassResult], task: Task
) -> tuple[Means, tuple[ReliabilityBin, ...]]:
    """Return the means over the classes of a task that have positives, and their reliability."""
    from sklearn import metrics  # noqa: PLC0415 (as said above)

    present = [k for k in task.classes if results[k].positives]
    if not present:
        return Means(mean_ap=None, mean_f1=None), ()
    own = [results[k] for k in present]
    probability = predictions.probability_NK[:, present].ravel()
    target = predictions.target_NK[:, present].ravel()
    bins = _reliability(probability, target)
    weighted = sum(one.positives * (one.average_precision or 0.0) for one in own)
    means = Means(
        mean_ap=_mean(own, lambda one: one.average_precision),
        mean_f1=_mean(own, lambda one: one.f1),
        micro_ap=float(metrics.average_precision_score(target, probability)),
        weighted_ap=weighted / sum(one.positives for one in own),
        mean_auroc=_mean(own, lambda one: one.auroc),
        mean_f1_at_threshold=_mean(own, lambda one: one.f1_at_threshold),
        brier=_brier(probability, target),
        calibration_error=_calibration_error(bins),
    )
    return means, bins


def _mean(
    results: Sequence[ClassResult], taken: Callable[[ClassResult], float | None]
) -> float | None:
    known = [value for one in results if (value := taken(one)) is not None]
    return fmean(known) if known else None


def _task_result(
    predictions: Predictions, results: Sequence[ClassResult], task: Task
) -> TaskResult:
    own = list(task.classes)
    probability_NK, target_NK = predictions.probability_NK[:, own], predictions.target_NK[:, own]
    accuracy: dict[str, float | None] = {}
    if task.exclusive:
        counted_N = target_NK.sum(1) == 1
        probability_NK, target_NK = probability_NK[counted_N], target_NK[counted_N]
        claimed_NK = np.equal.outer(probability_NK.argmax(1), np.arange(len(own)))
        accuracy = _accuracy(probability_NK, target_NK)
    else:
        cuts = [results[k].threshold for k in own]
        claimed_NK = probability_NK > [DEFAULT_THRESHOLD if cut is None else cut for cut in cuts]
    means, _ = _means(predictions, results, task)
    return TaskResult(
        **asdict(means),
        name=task.name,
        exclusive=task.exclusive,
        classes=task.classes,
        confusion=_confusion(target_NK, claimed_NK),
        **accuracy,
    )


def _accuracy(probability_NK: Floats, target_NK: Flags) -> dict[str, float | None]:
    """Return how often the true one of labels that exclude each other is among the likeliest.

    Of classes with the same probability the one that labels.txt names first comes first.
    """
    if not len(target_NK):
        return {}
    order_NK = np.argsort(-probability_NK, axis=1, kind="stable")
    rank_N = np.take_along_axis(target_NK, order_NK, axis=1).argmax(1)  # of the true one, from 0
    by_class = [float((rank_N[truth_N] == 0).mean()) for truth_N in target_NK.T if truth_N.any()]
    return {
        "top1": float((rank_N == 0).mean()),
        "top5": float((rank_N < 5).mean()) if target_NK.shape[1] > 5 else None,
        "mean_class_accuracy": fmean(by_class),
    }


def _confusion(target_NK: Flags, claimed_NK: Flags) -> tuple[tuple[float | None, ...], ...]:
    """Return what is claimed of clips that carry each label (K, K).

    Row i, column j: of the clips that carry i and do not carry j, the share for which j was claimed
    anyway. So a label that rightly comes along with i counts as no confusion. On the
    diagonal stands the share of the clips with i that i was claimed of, its recall. None where
    there is no such clip.
    """
    carried, other = target_NK.astype(np.float64), (~target_NK).astype(np.float64)
    wrong, possible = carried.T @ (claimed_NK * other), carried.T @ other
    np.fill_diagonal(wrong, (carried * claimed_NK).sum(0))
    np.fill_diagonal(possible, carried.sum(0))
    return tuple(
        tuple(float(w / p) if p else None for w, p in zip(*rows, strict=True))
        for rows in zip(wrong, possible, strict=True)
    )


def _brier(probability: Floats, target: Flags) -> float:
    """Return the mean squared difference of probability and truth (Brier 1950)."""
    return float(np.mean((probability - target) ** 2))


def _reliability(probability: Floats, target: Flags) -> tuple[ReliabilityBin, ...]:
    """Return how often what was given a probability came true, in 15 bins of equal width.

    A bin holds its lower edge, the last one 1 as well.
    """
    edges = np.linspace(0.0, 1.0, NUM_BINS + 1)
    at = np.clip(np.searchsorted(edges, probability, side="right") - 1, 0, NUM_BINS - 1)
    count, given, true = (
        np.bincount(at, weights=weights, minlength=NUM_BINS).tolist()
        for weights in (None, probability, target)
    )
    return tuple(
        ReliabilityBin(
            low=float(edges[n]),
            high=float(edges[n + 1]),
            count=count[n],
            probability=given[n] / count[n] if count[n] else None,
            frequency=true[n] / count[n] if count[n] else None,
        )
        for n in range(NUM_BINS)
    )


def _calibration_error(bins: Sequence[ReliabilityBin]) -> float:
    """Return the mean distance of probability and frequency, weighted by the bins' counts.

    The expected calibration error of Naeini et al. 2015, of each class against the rest.
    """
    apart = (abs((one.probability or 0) - (one.frequency or 0)) * one.count for one in bins)
    return sum(apart) / sum(one.count for one in bins)
