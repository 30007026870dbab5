"""Split clips into train, val and test so that no group parts and labels spread evenly."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from dogclips.errors import ListError
from dogclips.files import json_text, safe_cell, whole_file
from dogclips.lists.formats import multi_hot, refuse_unfit, unfit_reasons
from dogclips.lists.groups import Grouping, group_clips
from dogclips.lists.kept import KeptGroups, split_record
from dogclips.lists.listfile import list_lines, list_text
from dogclips.lists.stratification import count_groups, stratify
from dogclips.records.class_names import LABELS, labels_text
from dogclips.records.split import SPLIT_JSON, SPLITS

TEST = "test"


@dataclass(frozen=True, eq=False)
class MadeSplit:
    """Clips in train, val and test, or in folds, and how they came there."""

    clips: pd.DataFrame  #: Columns of `sessions.CLIP_COLUMNS`
    names: Sequence[str]  #: Class names: what the indices in `labels` mean
    splits: pd.Series  #: The split, or fold, of each clip
    shares: Mapping[str, float]  #: The wanted share of each split, or fold
    grouping: Grouping
    #: What `split.json` says of how it was made.
    settings: Mapping[str, object] = field(default_factory=dict)
    left_out: pd.DataFrame | None = None  #: Columns of `verdicts.LEFT_OUT_COLUMNS`
    kept: KeptGroups | None = None  #: What an earlier split has decided; None where none was kept
    #: What `copies.copies_between` returns; None where nobody has looked.
    copies: pd.DataFrame | None = None
    unmatched: pd.DataFrame | None = None


def assign_splits(
    clips: pd.DataFrame,
    num_classes: int,
    shares: Mapping[str, float],
    *,
    group_by: str | Grouping = "recording",
    seed: int = 0,
    kept: Mapping[str, str] | None = None,
) -> pd.Series:
    """Return the split of each clip; all clips of a group get the same one.

    Labels are spread by iterative stratification over groups (see `stratification`). The shares
    of the splits add up to 1. `group_by` says which clips stay together, `kept` which split a group
    already has; the seed, 0 or above, orders groups that are otherwise equal.
    """
    grouping = group_by if isinstance(group_by, Grouping) else group_clips(clips, group_by)
    codes, names = pd.factorize(grouping.names, sort=True)
    wanted = [name for name, share in shares.items() if share > 0]
    index_of = {name: index for index, name in enumerate(wanted)}
    fixed = np.full(len(names), -1)
    if kept:
        fixed = np.array([index_of[kept[name]] if name in kept else -1 for name in names])
    empty = set(index_of.values()) - set(fixed.tolist())
    if int((fixed < 0).sum()) < len(empty):
        raise ListError(
            f"{len(names)} {grouping.by} groups cannot fill {len(wanted)} splits",
            where="--group-by",
            todo="add recordings, or ask for fewer splits (--val 0, --test 0, fewer --folds)",
        )
    counts = count_groups(codes, clips["labels"].tolist(), num_classes)
    found = stratify(counts, [shares[name] for name in wanted], seed=seed, fixed=fixed)
    return pd.Series(np.array(wanted, dtype="object")[found[codes]], clips.index, name="split")


def fold_shares(num_folds: int, test: float = 0.0) -> dict[str, float]:
    """Return the shares of `fold1` to `foldK`, which are equal, and of a test set held out.

    `assign_splits` takes them as it takes those of train, val and test.
    """
    shares = {f"fold{number}": (1 - test) / num_folds for number in range(1, num_folds + 1)}
    return shares | ({TEST: test} if test > 0 else {})


def fold_splits(folds: pd.Series, fold: str) -> pd.Series:
    """Return train, val and test with one fold as val: all others but test are train."""
    return folds.where(folds == TEST, "train").mask(folds == fold, "val").rename("split")


def write_split(
    out: Path,
    clips: pd.DataFrame,
    splits: pd.Series,
    names: Sequence[str],
    *,
    list_format: str = "mmaction2",
    settings: Mapping[str, object],
) -> None:
    """Write the lists of all splits, `labels.txt`, and `split.json` with how they came about.

    Nothing is replaced before all of it is written, and `split.json` last. `list_format` is one of
    `WRITERS`. Of the settings `--keep` needs `group_by` (a recording if that is not said), `seed`,
    `shares` and `verdicts`; `left_out` has the reason of each clip that is in no list, by its path.
    """
    suffix, text_of = WRITERS[list_format]
    if list_format == "slowfast":
        refuse_unfit(list_format, clips, unfit_reasons(list_format, clips))
    record = split_record(out, clips, splits, names, settings)
    parts = {f"{split}.{suffix}": clips[splits == split] for split in SPLITS}
    texts = {SPLIT_JSON: json_text(record.as_plain()), LABELS: labels_text(out / LABELS, names)}
    texts |= {name: text_of(out / name, own, names) for name, own in parts.items() if len(own)}
    with ExitStack() as stack:  # what comes in first is renamed last
        for name, text in texts.items():
            stack.enter_context(whole_file(out / name)).write_text(text, encoding="utf-8")
    earlier = {f"{split}.{ending}" for split in SPLITS for ending, _ in WRITERS.values()}
    for name in earlier - set(texts):
        (out / name).unlink(missing_ok=True)


def label_counts(
    clips: pd.DataFrame, splits: pd.Series, num_classes: int, parts: Sequence[str] = SPLITS
) -> pd.DataFrame:
    """Return clips for each label (rows) in each split (columns: `parts`)."""
    codes = pd.Categorical(splits, categories=list(parts)).codes.astype(np.int64)
    counts = count_groups(codes, clips["labels"].tolist(), num_classes)
    table = np.zeros((num_classes + 1, len(parts)), dtype=np.int64)
    table[counts.column, counts.group] = counts.number
    return pd.DataFrame(table[1:], columns=list(parts))


def groups_by_label(clips: pd.DataFrame, grouping: Grouping, num_classes: int) -> list[int]:
    """Return the number of groups that hold each label."""
    codes, _ = pd.factorize(grouping.names)
    counts = count_groups(codes, clips["labels"].tolist(), num_classes)
    return [int(number) for number in counts.groups_with()[1:]]


def _csv_text(clips: pd.DataFrame, names: Sequence[str]) -> str:
    """Return `path` and a 0/1 column for each class."""
    table = pd.DataFrame(multi_hot(clips["labels"], len(names)), columns=[*map(safe_cell, names)])
    table.insert(0, "path", clips["path"].tolist(), allow_duplicates=True)
    return table.to_csv(index=False)


# How a list is written: the ending of its name, and what returns the text of a list that will lie
# at a path, from clips of `sessions.CLIP_COLUMNS` and the names of their labels.
WRITERS: dict[str, tuple[str, Callable[[Path, pd.DataFrame, Sequence[str]], str]]] = {
    "mmaction2": ("txt", lambda path, own, _: list_text(path, own["path"], own["labels"])),
    "slowfast": ("csv", lambda _, own, __: list_lines(own["path"], own["labels"])),
    "csv": ("csv", lambda _, own, names: _csv_text(own, names)),
}
