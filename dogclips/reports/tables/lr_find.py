"""What `dogclips lr-find` shows: the loss at rising learning rates."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Group

from dogclips.reports.tables.style import new_table, with_remarks
from dogclips.scores.lr_range import RangePoint, suggestion

ROWS = 10


def range_table(points: Sequence[RangePoint]) -> Group:
    """Return some of the steps, and which rate they suggest."""
    table = new_table()
    for head in ("lr", "loss"):
        table.add_column(head, justify="right")
    last = len(points) - 1
    for step in sorted({round(last * row / (ROWS - 1)) for row in range(ROWS)}):
        table.add_row(f"{points[step].lr:.1e}", f"{points[step].loss:.4f}")
    return with_remarks("", table, suggestion_line(points))


def suggestion_line(points: Sequence[RangePoint]) -> str:
    """Say which rate the test suggests, or that it suggests none."""
    found = suggestion(points)
    if found is None:
        return "the loss falls nowhere: widen --from and --to, or add steps"
    return f"the loss falls fastest at {found:.1e}: try optimizer.lr={found:.1e}, and half of it"


def range_document(points: Sequence[RangePoint]) -> dict[str, Any]:
    """Return what `lr-find --json` says."""
    return {"suggestion": suggestion(points), "points": [asdict(point) for point in points]}
