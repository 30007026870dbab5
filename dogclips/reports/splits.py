"""What `dogclips split` shows: how labels spread over train, val and test."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from rich.console import Group

from dogclips.reports.style import new_table, with_remarks


def split_table(
    clips: pd.DataFrame, splits: pd.Series, counts: pd.DataFrame, names: Sequence[str]
) -> Group:
    """Return clips and share of each label in each split.

    Parameters
    ----------
    clips
        Columns of `lists.sessions.CLIP_COLUMNS`.
    counts
        Clips for each label (rows) in each split (columns).
    """
    table = new_table()
    table.add_column("label")
    for split in counts.columns:
        table.add_column(str(split), justify="right")
    for name, (_, row) in zip(names, counts.iterrows(), strict=True):
        total = max(int(row.sum()), 1)
        table.add_row(name, *(f"{count} ({count / total:.0%})" for count in row))
    table.add_section()
    sizes = [int((splits == split).sum()) for split in counts.columns]
    table.add_row("clips", *(f"{size} ({size / max(len(splits), 1):.0%})" for size in sizes))
    groups = [clips[splits == split]["recording"].nunique() for split in counts.columns]
    table.add_row("recordings", *(str(number) for number in groups))
    empty = {
        split: [
            name for name, (_, row) in zip(names, counts.iterrows(), strict=True) if not row[split]
        ]
        for split in counts.columns
        if (splits == split).any()
    }
    missing = [f"in no {split} clip: {', '.join(own)}" for split, own in empty.items() if own]
    return with_remarks("clips by label and split", table, "\n".join(missing))


def split_document(
    clips: pd.DataFrame,
    splits: pd.Series,
    counts: pd.DataFrame,
    names: Sequence[str],
    settings: Mapping[str, Any],
) -> dict[str, Any]:
    """Return the JSON document of `split --json`."""
    return {
        "version": 1,
        **settings,
        "clips": {split: int((splits == split).sum()) for split in counts.columns},
        "recordings": {
            split: clips[splits == split]["recording"].nunique() for split in counts.columns
        },
        "labels": {
            name: {split: int(number) for split, number in row.items()}
            for name, (_, row) in zip(names, counts.iterrows(), strict=True)
        },
    }
