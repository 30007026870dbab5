"""Split: split clips into train, val and test lists that share no recording."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from dogclips.errors import MediaError, UsageError
from dogclips.events import Feed, Progress, Result
from dogclips.files import Paths, paths_of
from dogclips.lists.copies import copies_between
from dogclips.lists.groups import SUBJECT, Grouping, group_clips
from dogclips.lists.kept import in_label_order, kept_groups, read_kept
from dogclips.lists.splits import MadeSplit, assign_splits, fold_shares, fold_splits, write_split
from dogclips.lists.verdicts import WANTED, by_verdict, checked_verdicts
from dogclips.records.class_names import LABELS, other_order
from dogclips.records.split import SPLIT_JSON
from dogclips.steps.inputs import few, read_inputs, warn_of_moved_labels

SplitFormat = Literal["mmaction2", "slowfast", "csv"]  # keys of `lists.splits.WRITERS`
_SHARE = 0.15
_UNREAD = "cut the clip again, or take it out of the list"

# By folder: the split of each clip, and how it came about.
_Parts = dict[Path, tuple[pd.Series, dict[str, Any]]]


@dataclass(frozen=True, eq=False)
class SplitResult(Result):
    """What was split, and where the lists are; clips that could not be compared are failures."""

    made: MadeSplit  #: Which clip went where; with folds, these stand for the splits
    #: Each holds the lists of a whole split: `out`, or `fold1` to `foldK` in it.
    folders: tuple[Path, ...]


def split(
    inputs: Paths,
    out: str | Path,
    *,
    val: float | None = None,
    test: float | None = None,
    folds: int | None = None,
    group_by: str | None = None,
    keep: str | Path | None = None,
    seed: int | None = None,
    verdicts: Sequence[str] | None = None,
    list_format: SplitFormat = "mmaction2",
    check_copies: bool = False,
    progress: Progress | None = None,
) -> SplitResult:
    """Split clips into train, val and test: groups stay together, labels spread evenly.

    Writes the lists, `labels.txt` and `split.json` to `out`, or to a folder in it for each fold.

    Parameters
    ----------
    inputs
        Lists, folders with lists, or cut sessions.
    out
        The folder that gets the lists.
    val, test
        Shares of all clips; None for 0.15 each, for the shares of `keep`, or, with folds, for no
        test list.
    folds
        Write K splits, `out/fold1` to `out/foldK`; each group is in val once.
    group_by
        Keep clips together by recording (None), project, session, subject, none, or another column
        such as `file:camera`.
    keep
        `split.json` of an earlier split: its clips and groups stay where they are, and its settings
        are the defaults.
    seed
        Seed for ordering groups with equal labels; None for 0.
    verdicts
        Which clips to split, by what the pixels say of them; None for confirmed, still and
        not-compared, or for those of `keep`.
    list_format
        Format of the lists.
    check_copies
        Decode all clips and look for copies across splits.
    progress
        Called with each event.

    Returns
    -------
    result
        The split of each clip, how labels spread, and which clips were left out.

    Raises
    ------
    UsageError
        Arguments conflict, or `group_by` or a verdict is unknown.
    ListError
        An input cannot be read, two of them list the same clip, or there are too few groups.
    OutputError
        `out` cannot be written to.
    """
    feed, out = Feed(progress), Path(out)
    _check_usage(val, test, folds, keep)
    before = read_kept(Path(keep)) if keep else None
    shares = _shares(val, test, folds, before.shares if before else {})
    wished = before.verdicts if before and verdicts is None else verdicts or WANTED
    wanted_verdicts = checked_verdicts(wished, "--verdicts")
    clips, names = read_inputs(paths_of(inputs), feed)
    clips, left_out = by_verdict(clips, wanted_verdicts, "--verdicts")
    if before:
        clips, names = in_label_order(clips, names, before.labels)
        group_by, seed = group_by or before.group_by, before.seed if seed is None else seed
    seed, grouping = seed or 0, group_clips(clips, group_by or "recording")
    _check_groups(grouping)
    wanted = [name for name, share in shares.items() if share > 0]
    held = kept_groups(before, clips, grouping, wanted) if before else None
    stay = held.splits if held else None
    splits = assign_splits(clips, len(names), shares, group_by=grouping, seed=seed, kept=stay)
    copies, unmatched = _copies(clips, splits, feed) if check_copies else (None, None)
    settings = {
        "seed": seed,
        "group_by": grouping.by,
        "shares": shares,
        "verdicts": wanted_verdicts,
        "left_out": dict(zip(left_out["path"], left_out["reason"], strict=True)),
    }
    parts: _Parts = {out: (splits, settings)}
    if folds:
        parts, settings = _fold_parts(out, splits, settings, folds), settings | {"folds": folds}
    _warn_of_labels(parts, clips, names, feed)
    for folder, (own, how) in parts.items():
        write_split(folder, clips, own, names, list_format=list_format, settings=how)
    _warn_of_leftovers(out, parts, feed)
    made = MadeSplit(
        clips, names, splits, shares, grouping, settings, left_out, held, copies, unmatched
    )
    return SplitResult(made, tuple(parts), **feed.kept)


def _check_usage(
    val: float | None, test: float | None, folds: int | None, keep: str | Path | None
) -> None:
    if folds and val is not None:
        raise UsageError("each fold is val once", where="--folds, --val", todo="remove --val")
    if folds and keep:
        raise UsageError("these options conflict", where="--folds, --keep", todo="use one of them")
    if folds and (test or 0) >= 1:
        raise UsageError("nothing is left for the folds", where="--test", todo="lower it")


def _check_groups(grouping: Grouping) -> None:
    """Refuse groups that no clip is in: recordings in their place would not keep animals apart."""
    if grouping.strays and grouping.strays == len(grouping.names):
        what = "subject" if grouping.by == SUBJECT else f"value of {grouping.by!r}"
        raise UsageError(
            f"no clip has a {what}",
            where=f"--group-by {grouping.by}",
            todo="use --group-by recording, or annotate it and cut again",
        )


def _shares(
    val: float | None, test: float | None, folds: int | None, before: Mapping[str, float]
) -> dict[str, float]:
    """Return the wanted share of each split, or of each fold."""
    if folds:
        return fold_shares(folds, test or 0.0)
    val = before.get("val", _SHARE) if val is None else val
    test = before.get("test", _SHARE) if test is None else test
    if val + test >= 1:
        raise UsageError("nothing is left to train on", where="--val, --test", todo="lower them")
    return {"train": 1 - val - test, "val": val, "test": test}


def _fold_parts(out: Path, folds: pd.Series, settings: dict[str, Any], num_folds: int) -> _Parts:
    """Return the parts in which one fold each is val."""
    test = settings["shares"].get("test", 0.0)
    val = (1 - test) / num_folds
    shares = {"train": 1 - test - val, "val": val, "test": test}
    how = settings | {"shares": shares, "folds": num_folds}
    return {
        out / f"fold{fold}": (fold_splits(folds, f"fold{fold}"), how | {"fold": fold})
        for fold in range(1, num_folds + 1)
    }


def _copies(
    clips: pd.DataFrame, splits: pd.Series, feed: Feed
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Look for clips of different splits that show the same footage, and warn of them."""
    with feed.task("looking for copies", len(clips), "clips") as done:
        copies, unmatched = copies_between(clips, splits, progress=done)
    if len(copies):
        first = copies.iloc[0]
        pairs = "1 pair" if len(copies) == 1 else f"{len(copies)} pairs"
        feed.warn(
            f"{pairs} of clips in different splits show the same footage ({first['path']} in "
            f"{first['split']}, {first['other']} in {first['other_split']}): use a group that "
            f"holds both together, such as --group-by session"
        )
    if len(unmatched):
        first = unmatched.iloc[0]
        number = "1 clip" if len(unmatched) == 1 else f"{len(unmatched)} clips"
        feed.warn(
            f"{number} could not be compared by motion ({first['path']}: "
            f"{first['reason']}): --json lists all"
        )
    for row in unmatched[unmatched["status"] == "unread"].to_dict("records"):
        feed.failures.append(
            MediaError(row["reason"], where=row["path"], todo=_UNREAD)
        )  # as the warning says
    return copies, unmatched


def _warn_of_labels(
    folders: Collection[Path], clips: pd.DataFrame, names: Sequence[str], feed: Feed
) -> None:
    """Warn where class indices change: from an input to the merged list, or from earlier lists."""
    warn_of_moved_labels(clips, names, feed)
    orders: dict[tuple[str, ...], Path] = {}
    for folder in folders:
        orders.setdefault(other_order(folder, names), folder)
    for before, folder in orders.items():
        if before:
            feed.warn(
                f"the class order has changed from {few(before)} ({folder / LABELS}): models that "
                f"were trained with it need the earlier order (--keep)"
            )


def _warn_of_leftovers(out: Path, written: Collection[Path], feed: Feed) -> None:
    """Warn of lists that an earlier split left in the folder: other folds, or no folds."""
    for record in (out / SPLIT_JSON, *sorted(out.glob(f"fold*/{SPLIT_JSON}"))):
        if record.parent not in written and record.is_file():
            feed.warn(f"lists of an earlier split are still there ({record.parent}): delete them")
