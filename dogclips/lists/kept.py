"""What an earlier split decided, as its `split.json` holds it: clips stay where they are.

Clips get new names when their labels change, so that groups count as well: new clips of a group
that lay in a split follow it there.
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from dogclips.errors import ListError
from dogclips.lists.clip_paths import relative_to
from dogclips.lists.groups import PLACES, Grouping, group_clips
from dogclips.lists.verdicts import WANTED
from dogclips.records.split import SPLITS, TODO, SplitRecord, read_split_record


@dataclass(frozen=True)
class Kept:
    """A split that stays.

    `clips` and the names of recordings, projects and sessions are absolute paths. `recordings` has
    those that lie in one split as a whole, `parted` the others. Version 1 has no clips and groups.
    """

    path: Path
    version: int
    group_by: str
    seed: int
    shares: Mapping[str, float]
    labels: tuple[str, ...]
    splits: frozenset[str]
    clips: Mapping[str, str]
    groups: Mapping[tuple[str, str], str]
    recordings: Mapping[str, str]
    parted: frozenset[str]
    verdicts: tuple[str, ...]  #: Those that were wanted


@dataclass(frozen=True)
class KeptGroups:
    """What an earlier split decides of the clips that are there now.

    `splits` holds the split of each group that has one. `stayed` clips are where they were,
    `followed` ones are new in a group that stays, `gone` ones are no longer there.
    """

    splits: Mapping[str, str]
    stayed: int
    followed: int
    gone: int


def split_record(
    folder: Path,
    clips: pd.DataFrame,
    splits: pd.Series,
    names: Sequence[str],
    settings: Mapping[str, Any],
) -> SplitRecord:
    """Return what `split.json` in `folder` says of a split; `settings` say how it came about."""
    ties = group_clips(clips, str(settings.get("group_by", "recording"))).ties
    ties = ties.assign(split=splits.loc[ties["clip"]].to_numpy())
    groups: dict[str, dict[str, str]] = {}
    for kind, own in ties.drop_duplicates(["kind", "name"]).groupby("kind"):
        held = own["name"].tolist()
        found = relative_to(held, folder) if kind in PLACES else held
        groups[str(kind)] = dict(zip(found, own["split"].tolist(), strict=True))
    recordings = clips.assign(split=splits).groupby("recording")["split"].unique()
    whole = relative_to(recordings.index.tolist(), folder)
    files = {
        str(split): tuple(relative_to(clips.loc[own.index, "path"].tolist(), folder))
        for split, own in splits.groupby(splits)
    }
    left_out = dict(settings.get("left_out") or {})
    out = relative_to(list(left_out), folder)
    return SplitRecord(
        labels=tuple(names),
        verdict_counts=_verdict_counts(clips, splits),
        clips={split: len(files.get(split, ())) for split in SPLITS},
        recordings=dict(zip(whole, map(tuple, recordings), strict=True)),
        groups=groups,
        files=files,
        **{**settings, "left_out": dict(zip(out, left_out.values(), strict=True))},
    )


def _verdict_counts(clips: pd.DataFrame, splits: pd.Series) -> dict[str, dict[str, int]] | None:
    """Return how many clips of each verdict are in each split; None where none is told."""
    if "verdict" not in clips:
        return None
    return {
        str(split): {str(verdict): int(number) for verdict, number in own.value_counts().items()}
        for split, own in clips["verdict"].groupby(splits)
    }


def read_kept(path: Path) -> Kept:
    """Read the `split.json` of an earlier split."""
    record, folder = read_split_record(path), path.parent.absolute()

    def absolute(name: str) -> str:
        return os.path.normpath(folder / name)

    files, groups = record.files or {}, record.groups or {}
    clips = {absolute(name): split for split, own in files.items() for name in own}
    if len(clips) < sum(map(len, files.values())):
        raise ListError("damaged: a clip appears in it twice", where=path, todo=TODO)
    recordings = {absolute(name): own for name, own in record.recordings.items()}
    return Kept(
        path=path,
        version=record.version,
        group_by=record.group_by,
        seed=record.seed,
        shares=record.shares,
        labels=record.labels,
        splits=frozenset(split for split, number in record.clips.items() if number),
        clips=clips,
        groups={
            (kind, absolute(name) if kind in PLACES else name): split
            for kind, own in groups.items()
            for name, split in own.items()
        },
        recordings={name: own[0] for name, own in recordings.items() if len(own) == 1},
        verdicts=record.verdicts or WANTED,
        parted=frozenset(name for name, own in recordings.items() if len(own) != 1),
    )


def kept_groups(
    kept: Kept, clips: pd.DataFrame, grouping: Grouping, wanted: Iterable[str]
) -> KeptGroups:
    """Return which groups have a split already.

    The splits that want clips must be the earlier ones, and each group's kept clips lie in one.
    """
    if kept.splits != set(wanted):
        shown = [", ".join(sorted(splits)) for splits in (kept.splits, set(wanted))]
        raise ListError(
            f"the split to keep has {shown[0]}, not {shown[1]}",
            where=kept.path,
            todo="use the same splits (--val, --test), or leave out --keep",
        )
    first = kept.version == 1
    if first and not kept.parted.isdisjoint(clips["recording"]):
        raise ListError(
            "version 1 does not say where the clips of a divided recording were",
            where=kept.path,
            todo="leave out --keep",
        )
    before = clips["path"].map(kept.clips)
    stayed = clips["recording"].map(kept.recordings) if first else before
    splits = _splits_of_groups(kept, _evidence(kept, clips, grouping, stayed))
    known = int(stayed.notna().sum())
    followed = int(grouping.names.isin(splits).sum()) - known
    return KeptGroups(splits, known, followed, len(kept.clips) - int(before.notna().sum()))


def _evidence(
    kept: Kept, clips: pd.DataFrame, grouping: Grouping, stayed: pd.Series
) -> pd.DataFrame:
    """Return group and split of all that is known; a group may have several rows."""
    found = pd.DataFrame({"group": grouping.names, "split": stayed})
    if kept.version > 1 and kept.group_by == grouping.by:
        ties = grouping.ties
        keys = zip(ties["kind"], ties["name"], strict=True)
        split = pd.Series([kept.groups.get(key) for key in keys], ties.index, dtype="object")
        more = ties[["group"]].assign(split=split)
    else:
        more = found.assign(split=clips["recording"].map(kept.recordings))
    return pd.concat([found, more], ignore_index=True).dropna().drop_duplicates()


def _splits_of_groups(kept: Kept, evidence: pd.DataFrame) -> dict[str, str]:
    torn = evidence[evidence["group"].duplicated()]["group"]
    if len(torn):
        group = str(torn.iloc[0])
        splits = sorted(evidence.loc[evidence["group"] == group, "split"])
        raise ListError(
            f"kept clips of one group, {group}, lie in {' and '.join(splits)}",
            where=kept.path,
            todo="group as before (--group-by), or leave out --keep",
        )
    return dict(zip(evidence["group"], evidence["split"], strict=True))


def in_label_order(
    clips: pd.DataFrame, names: Sequence[str], first: Sequence[str]
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Renumber labels so that those of an earlier list come first, as they stood there."""
    order = tuple(dict.fromkeys([*first, *names]))
    index_of = {name: index for index, name in enumerate(order)}
    moved = [index_of[name] for name in names]
    labels = [tuple(sorted(moved[label] for label in own)) for own in clips["labels"]]
    return clips.assign(labels=pd.Series(labels, clips.index, dtype="object")), order
