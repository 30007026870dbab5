"""What `dogclips cut` shows: labels and windows of a plan, the summary of a run."""

from collections import Counter
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import Group
from rich.text import Text

from dogclips import codes
from dogclips.reports.tables.style import filled_table

SKIP_REASONS = {reason: code.meaning for reason, code in codes.SKIP_REASONS.items()}
_KEPT = ("planned", "cut", "reused")


def cut_label_table(
    manifest: pd.DataFrame,
    classes: Sequence[str],
    title: str,
    annotated: Mapping[str, tuple[int, Fraction]] | None = None,
) -> Group:
    """Return for each label its clips and, if known, its segments and their seconds."""
    kept = manifest[manifest["status"].isin(_KEPT)]
    clips: Counter[int] = Counter(index for own in kept["label_indices"] for index in own)
    rows: list[tuple[object, ...] | None] = []
    for index, name in enumerate(classes):
        count, seconds = annotated[name] if annotated else (0, Fraction(0))
        more = (count, f"{float(seconds):.1f}") if annotated else ()
        rows.append((index, name, clips[index], *more))
    without = sum(not len(own) for own in kept["label_indices"])
    rows += [
        None,
        *([("", "background", without)] if without else []),
        ("", "all clips", len(kept)),
    ]
    lost = [name for index, name in enumerate(classes) if not clips[index]]
    remarks = f"no clip shows {', '.join(lost)}" if lost else ""
    heads = ("class>", "label", "clips>", *(("segments>", "seconds>") if annotated else ()))
    return filled_table(title, heads, rows, remarks)


def window_table(manifest: pd.DataFrame, title: str) -> Group:
    """Return how many windows became clips, and why the others did not."""
    by_status = Counter(manifest["status"])
    rows: list[tuple[object, ...]] = [
        (status, by_status[status], _verdicts_text(manifest, status))
        for status in _KEPT
        if by_status[status]
    ]
    stale = manifest.loc[manifest["status"] == "stale", "clip"].tolist()
    if stale:
        few = ", ".join(stale[:3]) + (", ..." if len(stale) > 3 else "")
        rows.append(("stale", len(stale), f"of an earlier plan: {few}; remove them with --prune"))
    for reason, count in skipped(manifest).items():
        rows.append((f"skipped: {reason}", count, SKIP_REASONS.get(reason, "")))
    for row in manifest[manifest["status"] == "failed"].to_dict("records"):
        why = f"{row['source'] or row['project']}: {row['reason']}"
        rows.append((Text("failed", style="red"), 1, why))
    return filled_table(title, ("windows", "number>", "why"), rows)


def cut_document(manifest: pd.DataFrame, outputs: Sequence[Path], seconds: float) -> dict[str, Any]:
    """Return the JSON document of `cut --json` over all session folders."""
    count = Counter(manifest["status"])
    kept = manifest[manifest["status"].isin(_KEPT)]
    failed = manifest[manifest["status"] == "failed"]
    columns = ["project", "source", "clip", "reason"]
    return {
        "planned": len(kept),
        "cut": count["cut"],
        "reused": count["reused"],
        "stale": manifest.loc[manifest["status"] == "stale", "clip"].tolist(),
        "skipped": skipped(manifest),
        "verdicts": verdicts(manifest),
        "labels": dict(Counter(name for own in kept["labels"] for name in own)),
        "failed": failed[columns].to_dict("records"),
        "clips_per_second": round(count["cut"] / seconds, 2) if seconds > 0 else 0.0,
        "outputs": [str(path) for path in outputs],
    }


def verdicts(manifest: pd.DataFrame) -> dict[str, int]:
    """Return the number of clips for each verdict of the pixels."""
    own = manifest.loc[manifest["status"].isin(_KEPT), "verdict"]
    return dict(sorted(Counter(verdict for verdict in own if verdict).items()))


def _verdicts_text(manifest: pd.DataFrame, status: str) -> str:
    """Say what the pixels say of clips; nothing where none were compared."""
    count = verdicts(manifest[manifest["status"] == status])
    if not count.keys() - {"not-compared"}:
        return ""
    return ", ".join(f"{number} {verdict}" for verdict, number in count.items())


def skipped(manifest: pd.DataFrame) -> dict[str, int]:
    """Return the number of skipped windows for each reason."""
    reasons = manifest[manifest["status"] == "skipped"]["reason"]
    return dict(sorted(Counter(reasons).items()))
