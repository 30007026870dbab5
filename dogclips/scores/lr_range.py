"""A learning-rate range test: loss over rising rates, and the rate to begin with."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

SMOOTHING = 0.9  # share of the mean that stays with every step


@dataclass(frozen=True)
class RangePoint:
    """One step of a range test."""

    lr: float  #: Of the head, as `optimizer.lr` means it
    loss: float  #: Mean over the last steps, older ones counting less


def smoothed(lrs: Sequence[float], losses: Sequence[float]) -> tuple[RangePoint, ...]:
    """Return the steps with their losses smoothed, the first ones without a bias to 0.

    >>> [round(point.loss, 6) for point in smoothed([1e-5, 1e-4], [0.7, 0.7])]
    [0.7, 0.7]
    """
    points, mean = [], 0.0
    for step, (lr, loss) in enumerate(zip(lrs, losses, strict=True), start=1):
        mean = SMOOTHING * mean + (1 - SMOOTHING) * loss
        points.append(RangePoint(lr, mean / (1 - SMOOTHING**step)))
    return tuple(points)


def suggestion(points: Sequence[RangePoint]) -> float | None:
    """Return the rate where the loss falls fastest over the logarithm of the rate.

    Only what comes before the lowest loss is looked at; None where nothing falls there.
    """
    lowest = min(range(len(points)), key=lambda place: points[place].loss)
    falls = [
        (points[place + 1].loss - points[place - 1].loss, points[place].lr)
        for place in range(1, lowest)
    ]
    steepest, lr = min(falls, default=(0.0, 0.0))
    return lr if steepest < 0 else None


def exponential(low: float, high: float, steps: int) -> list[float]:
    """Return rates from `low` to `high`, each the same number of times the one before.

    >>> [f"{lr:.0e}" for lr in exponential(1e-4, 1e-2, 3)]
    ['1e-04', '1e-03', '1e-02']
    """
    return [low * math.exp(math.log(high / low) * step / (steps - 1)) for step in range(steps)]
