"""Scores of multi-label predictions, class by class.

Shapes: N clips, K classes.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torchmetrics.functional.classification import binary_average_precision, binary_f1_score

from dogclips.reports.training import ClassResult, TestReport

Metric = Callable[[Tensor, Tensor], Tensor]  # probabilities (N,) and targets (N,) -> score


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
) -> TestReport:
    """Return average precision and F1 of each class, and their means.

    A class that no clip carries has no average precision; it is named, and in no mean.

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
    """
    target_NK = predictions.target_NK.int()
    positives = [int(count) for count in target_NK.sum(0)]
    precision = _of_present(binary_average_precision, predictions)
    f1 = _of_present(binary_f1_score, predictions)
    kept = list(thresholds) or [None] * len(labels)
    tuned = _f1_at(predictions, kept)
    classes = [
        ClassResult(label, positives[k], precision[k], f1[k], kept[k], tuned[k])
        for k, label in enumerate(labels)
    ]
    return TestReport(
        num_clips=len(target_NK),
        loss=float(predictions.loss_N.mean()),
        mean_ap=_mean(precision),
        mean_f1=_mean(f1),
        classes=tuple(classes),
        protocol=protocol,
    )


def best_thresholds(predictions: Predictions) -> list[float | None]:
    """Return the probability at which each class has its best F1; None without a positive.

    It lies half-way between two probabilities that were seen, so that ties stay together.
    """
    columns = zip(predictions.probability_NK.T, predictions.target_NK.T, strict=True)
    return [_best_threshold(scores, truth) for scores, truth in columns]


def _best_threshold(probability_N: Tensor, target_N: Tensor) -> float | None:
    if not target_N.any():
        return None
    values, order = probability_N.double().sort(descending=True)
    hits = target_N[order].double().cumsum(0)
    found = torch.arange(1, len(values) + 1, dtype=torch.float64)
    f1 = 2 * hits / (found + hits[-1])
    # Just below 0, so that even a probability of exactly 0 can be found.
    below = torch.cat([values[1:], values.new_tensor([-1e-9])])
    f1[values == below] = -1.0  # a cut between equal probabilities is none
    best = int(f1.argmax())
    return float((values[best] + below[best]) / 2)


def _of_present(metric: Metric, predictions: Predictions) -> list[float | None]:
    """Apply a metric class by class, None for a class without positives."""
    # One class at a time: the multi-label functions refuse a list with a single label.
    columns = zip(predictions.probability_NK.T, predictions.target_NK.int().T, strict=True)
    return [float(metric(scores, truth)) if truth.any() else None for scores, truth in columns]


def _f1_at(predictions: Predictions, thresholds: Sequence[float | None]) -> list[float | None]:
    scores: list[float | None] = []
    for k, threshold in enumerate(thresholds):
        truth = predictions.target_NK[:, k].bool()
        if threshold is None or not truth.any():
            scores.append(None)
            continue
        found = predictions.probability_NK[:, k].double() > threshold
        scores.append(2 * int((found & truth).sum()) / int(found.sum() + truth.sum()))
    return scores


def _mean(scores: Sequence[float | None]) -> float | None:
    known = [value for value in scores if value is not None]
    return sum(known) / len(known) if known else None
