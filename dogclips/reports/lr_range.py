"""A learning-rate range test as records, as a table and as a plot."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO

from rich.console import Group

from dogclips.reports.style import new_table, with_remarks

SMOOTHING = 0.9  # share of the mean that stays with every step
ROWS = 10


@dataclass(frozen=True)
class RangePoint:
    """One step of a range test.

    Parameters
    ----------
    lr
        Of the head, as `optimizer.lr` means it.
    loss
        Mean over the last steps, older ones counting less.
    """

    lr: float
    loss: float


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


def range_table(points: Sequence[RangePoint]) -> Group:
    """Return some of the steps, and which rate they suggest."""
    table = new_table()
    for head in ("lr", "loss"):
        table.add_column(head, justify="right")
    last = len(points) - 1
    places = sorted({round(last * row / (ROWS - 1)) for row in range(ROWS)})
    for place in places:
        table.add_row(f"{points[place].lr:.1e}", f"{points[place].loss:.4f}")
    return with_remarks("", table, suggestion_line(points))


def suggestion_line(points: Sequence[RangePoint]) -> str:
    """Say which rate the test suggests, or that it suggests none."""
    found = suggestion(points)
    if found is None:
        return "the loss falls nowhere: widen --from and --to, or add steps"
    return f"the loss falls fastest at {found:.1e}: try optimizer.lr={found:.1e}, and half of it"


def range_plot(points: Sequence[RangePoint]) -> bytes:
    """Return loss against rate as an SVG."""
    from matplotlib.figure import Figure  # noqa: PLC0415 (nothing else here draws)

    figure = Figure(figsize=(6, 3.5), layout="constrained")
    axes = figure.subplots()
    axes.plot([point.lr for point in points], [point.loss for point in points])
    found = suggestion(points)
    if found is not None:
        axes.axvline(found, linestyle="--")
        axes.set_title(f"falls fastest at {found:.1e}")
    axes.set_xscale("log")
    axes.set_xlabel("optimizer.lr")
    axes.set_ylabel("training loss, smoothed")
    drawn = BytesIO()
    figure.savefig(drawn, format="svg")
    return drawn.getvalue()


def exponential(low: float, high: float, steps: int) -> list[float]:
    """Return rates from `low` to `high`, each the same number of times the one before.

    >>> [f"{lr:.0e}" for lr in exponential(1e-4, 1e-2, 3)]
    ['1e-04', '1e-03', '1e-02']
    """
    return [low * math.exp(math.log(high / low) * step / (steps - 1)) for step in range(steps)]
