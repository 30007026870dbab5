"""The plot of a learning-rate range test."""

from collections.abc import Sequence
from io import BytesIO

from dogclips.scores.lr_range import RangePoint, suggestion


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
