"""Split clips into train, val and test so that no group parts and labels spread evenly."""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from dogclips.errors import ListError
from dogclips.files import inert, whole_file, write_whole
from dogclips.lists.listfile import LABELS, ListedClip, write_labels, write_list

GroupBy = Literal["recording", "project", "session", "none"]
ListFormat = Literal["mmaction2", "csv"]
SPLITS = ("train", "val", "test")


def assign_splits(
    clips: pd.DataFrame,
    num_classes: int,
    shares: Mapping[str, float],
    *,
    group_by: GroupBy = "recording",
    seed: int = 0,
) -> pd.Series:
    """Return the split of each clip; all clips of a group get the same one.

    Groups are placed one after the other, large ones first, each where it brings clip and label
    counts nearest to the wanted shares; `seed` orders groups of equal size.

    Parameters
    ----------
    clips
        Columns of `sessions.CLIP_COLUMNS`.
    shares
        Wanted share of all clips by split name; the shares add up to 1.

    Raises
    ------
    ListError
        There are fewer groups than splits that want clips.
    """
    groups = clips["path"] if group_by == "none" else clips[group_by]
    names = sorted(groups.unique())
    wanted = [name for name, share in shares.items() if share > 0]
    if len(names) < len(wanted):
        raise ListError(
            f"{len(names)} {group_by} groups cannot fill {len(wanted)} splits",
            where="--group-by",
            todo="add recordings, or ask for fewer splits (--val 0 or --test 0)",
        )
    counts = np.stack([_counts(clips[groups == name], num_classes) for name in names])
    shuffled = np.random.default_rng(seed).permutation(len(names)).tolist()
    order = sorted(shuffled, key=lambda place: -counts[place, 0])
    targets = np.array([[shares[name]] for name in wanted]) * counts.sum(axis=0)
    filled = np.zeros_like(targets)
    placed: dict[str, str] = {}
    for left, place in zip(range(len(order), 0, -1), order, strict=True):
        empty = [split for split in range(len(wanted)) if not filled[split].any()]
        # The last groups go to splits that would otherwise stay empty.
        options = empty if len(empty) >= left else range(len(wanted))
        split = min(options, key=lambda split: _distance(filled, targets, split, counts[place]))
        filled[split] += counts[place]
        placed[names[place]] = wanted[split]
    return groups.map(placed).rename("split")


def write_split(
    out: Path,
    clips: pd.DataFrame,
    splits: pd.Series,
    names: Sequence[str],
    *,
    list_format: ListFormat = "mmaction2",
    settings: Mapping[str, object],
) -> None:
    """Write the lists of all splits, `labels.txt`, and `split.json` with how they came about."""
    write_labels(out / LABELS, names)
    for split in SPLITS:
        own = clips[splits == split]
        for suffix in ("txt", "csv"):
            (out / f"{split}.{suffix}").unlink(missing_ok=True)  # of an earlier split
        if own.empty:
            continue
        if list_format == "csv":
            _write_csv(out / f"{split}.csv", own, names)
        else:
            rows = zip(own["path"], own["labels"], strict=True)
            write_list(
                out / f"{split}.txt", [ListedClip(Path(clip), labels) for clip, labels in rows]
            )
    split_of = clips.assign(split=splits).groupby("recording")["split"].unique()
    record = {
        "version": 1,
        **settings,
        "labels": list(names),
        "clips": {split: int((splits == split).sum()) for split in SPLITS},
        "recordings": {
            os.path.relpath(str(name), out): list(found) for name, found in split_of.items()
        },
    }
    write_whole(out / "split.json", json.dumps(record, indent=2, ensure_ascii=False) + "\n")


def label_counts(clips: pd.DataFrame, splits: pd.Series, num_classes: int) -> pd.DataFrame:
    """Return clips for each label (rows) in each split (columns)."""
    counts = {
        split: _counts(clips[splits == split], num_classes)[1:].astype(int) for split in SPLITS
    }
    return pd.DataFrame(counts)


def _counts(clips: pd.DataFrame, num_classes: int) -> np.ndarray:
    """Return the number of clips, then of clips with each label."""
    counts = np.zeros(num_classes + 1)
    counts[0] = len(clips)
    for labels in clips["labels"]:
        counts[[label + 1 for label in labels]] += 1
    return counts


def _distance(filled: np.ndarray, targets: np.ndarray, split: int, added: np.ndarray) -> float:
    """Return how far all splits are from their targets once a group is added to one."""
    after = filled.copy()
    after[split] += added
    scale = np.maximum(targets.sum(axis=0), 1)
    return float((((after - targets) / scale) ** 2).sum())


def _write_csv(path: Path, clips: pd.DataFrame, names: Sequence[str]) -> None:
    """Write `path` and a 0/1 column for each class."""
    hot = {
        inert(name): [int(index in labels) for labels in clips["labels"]]
        for index, name in enumerate(names)
    }
    with whole_file(path) as part:
        table = pd.DataFrame(hot, index=range(len(clips)))
        table.insert(0, "path", clips["path"].tolist(), allow_duplicates=True)
        table.to_csv(part, index=False)
