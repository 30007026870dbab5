"""`dogclips split`: lists of clips become train, val and test lists that share no recording."""

from collections.abc import Collection, Iterable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dogclips.cli.console import print_json, print_result, print_warning, progress_bar
from dogclips.cli.options import Json, with_clips
from dogclips.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

    from dogclips.lists.kept import Kept
    from dogclips.lists.splits import Decided

_SHARE = 0.15
_Settings = dict[str, Any]


class Format(StrEnum):
    """How lists are written: a key of `lists.splits.WRITERS`."""

    mmaction2 = "mmaction2"
    slowfast = "slowfast"
    csv = "csv"


def split(
    inputs: Annotated[
        list[Path], typer.Argument(metavar="LIST_OR_BASE_DIR...", help="Lists, or cut sessions.")
    ],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the lists.")],
    val: Annotated[
        float | None, typer.Option(min=0, max=1, help="Share of clips in val [0.15].")
    ] = None,
    test: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="Share of clips in test [0.15; 0 with --folds]."),
    ] = None,
    folds: Annotated[
        int | None,
        typer.Option(min=2, metavar="K", help="Write DIR/fold1 to DIR/foldK, each once as val."),
    ] = None,
    group_by: Annotated[
        str | None,
        typer.Option(
            metavar="recording|project|session|subject|none|COLUMN",
            help="What never parts [recording]; a column such as file:camera.",
        ),
    ] = None,
    keep: Annotated[
        Path | None,
        typer.Option(
            metavar="SPLIT.JSON",
            help="An earlier split: its clips and groups stay, its settings are the defaults.",
        ),
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Orders what is alike [0].")] = None,
    list_format: Annotated[Format, typer.Option("--format")] = Format.mmaction2,
    check_copies: Annotated[
        bool,
        typer.Option("--check-copies", help="Decode all clips, look for copies across splits."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Split clips into train, val and test without leaks, and show how labels spread.

    Example: dogclips split dog_video/Feb/* --out data/split
    """
    from dogclips.lists.groups import group_clips
    from dogclips.lists.kept import in_label_order, kept_groups, read_kept
    from dogclips.lists.sessions import read_clips
    from dogclips.lists.splits import Decided, assign_splits, write_split

    _check_usage(val, test, folds, keep)
    kept = read_kept(keep) if keep else None
    shares = _shares(val, test, folds, kept)
    clips, names = read_clips(with_clips(inputs))
    if kept:
        clips, names = in_label_order(clips, names, kept.labels)
        group_by, seed = group_by or kept.group_by, kept.seed if seed is None else seed
    grouping = group_clips(clips, group_by or "recording")
    wanted = [name for name, share in shares.items() if share > 0]
    held = kept_groups(kept, clips, grouping, wanted) if kept else None
    splits = assign_splits(
        clips,
        len(names),
        shares,
        group_by=grouping,
        seed=seed or 0,
        kept=held.splits if held else None,
    )
    copies, unmatched = _copies(clips, splits) if check_copies else (None, None)
    settings = {"seed": seed or 0, "group_by": grouping.by, "shares": shares}
    parts = _fold_parts(out, splits, settings, folds) if folds else {out: (splits, settings)}
    _warn_of_labels(parts, clips, names)
    for folder, (own, how) in parts.items():
        write_split(folder, clips, own, names, list_format=list_format, settings=how)
    _warn_of_leftovers(out, parts)
    if folds:
        settings["folds"] = folds
    decided = Decided(settings, shares, grouping, held, copies, unmatched)
    _show(clips, splits, names, decided, as_json=as_json)
    if unmatched is not None and (unmatched["status"] == "unread").any():
        raise typer.Exit(1)


def _check_usage(
    val: float | None, test: float | None, folds: int | None, keep: Path | None
) -> None:
    if folds and val is not None:
        raise UsageError("each fold is val once", where="--folds, --val", todo="drop --val")
    if folds and keep:
        raise UsageError("folds cannot be kept", where="--folds, --keep", todo="drop one of them")
    if folds and (test or 0) >= 1:
        raise UsageError("nothing is left for the folds", where="--test", todo="lower it")


def _shares(
    val: float | None, test: float | None, folds: int | None, kept: "Kept | None"
) -> dict[str, float]:
    """Return the wanted share of each split, or of each fold."""
    from dogclips.lists.splits import fold_shares

    if folds:
        return fold_shares(folds, test or 0.0)
    before = kept.shares if kept else {}
    val = before.get("val", _SHARE) if val is None else val
    test = before.get("test", _SHARE) if test is None else test
    if val + test >= 1:
        raise UsageError("nothing is left to train on", where="--val, --test", todo="lower them")
    return {"train": 1 - val - test, "val": val, "test": test}


def _fold_parts(
    out: Path, folds: "pd.Series", settings: _Settings, num_folds: int
) -> dict[Path, tuple["pd.Series", _Settings]]:
    """Return, by folder, the split of each clip with one fold as val, and how it came about."""
    from dogclips.lists.splits import fold_splits

    test = settings["shares"].get("test", 0.0)
    val = (1 - test) / num_folds
    shares = {"train": 1 - test - val, "val": val, "test": test}
    how = settings | {"shares": shares, "folds": num_folds}
    return {
        out / f"fold{fold}": (fold_splits(folds, f"fold{fold}"), how | {"fold": fold})
        for fold in range(1, num_folds + 1)
    }


def _copies(
    clips: "pd.DataFrame", splits: "pd.Series"
) -> tuple["pd.DataFrame | None", "pd.DataFrame | None"]:
    """Look for clips of different splits that show the same footage, and warn of them."""
    from dogclips.lists.copies import copies_between

    with progress_bar("clips") as bar:
        task = bar.add_task("copies", total=len(clips))
        copies, unmatched = copies_between(
            clips, splits, progress=lambda done: bar.advance(task, done)
        )
    if len(copies):
        first = copies.iloc[0]
        pairs = "1 pair" if len(copies) == 1 else f"{len(copies)} pairs"
        print_warning(
            f"{pairs} of clips in different splits show the same footage ({first['path']} in "
            f"{first['split']}, {first['other']} in {first['other_split']}): use a group that "
            f"holds both together, such as --group-by session"
        )
    if len(unmatched):
        first = unmatched.iloc[0]
        number = "1 clip" if len(unmatched) == 1 else f"{len(unmatched)} clips"
        print_warning(
            f"{number} could not be told from others by motion ({first['path']}: "
            f"{first['reason']}): --json lists all"
        )
    return copies, unmatched


def _warn_of_labels(folders: Iterable[Path], clips: "pd.DataFrame", names: Sequence[str]) -> None:
    """Say where class indices change: from an input to the merged list, or from an earlier list."""
    from dogclips.lists.sessions import moved_labels
    from dogclips.records.class_names import LABELS, other_order

    for path, moved in moved_labels(clips, names).items():
        shown = [f"{name} {own} -> {merged}" for name, (own, merged) in moved.items()]
        print_warning(
            f"class indices differ from the input's own: {_few(shown)} ({path}): "
            f"use the {LABELS} beside the new lists"
        )
    said = set()
    for folder in folders:
        before = other_order(folder, names)
        if before and before not in said:
            said.add(before)
            print_warning(
                f"the classes had another order: {_few(before)} ({folder / LABELS}): models that "
                f"were trained with it need the earlier order (--keep)"
            )


def _few(texts: Sequence[str]) -> str:
    return ", ".join(texts[:5]) + (", ..." if len(texts) > 5 else "")


def _warn_of_leftovers(out: Path, written: Collection[Path]) -> None:
    """Say which lists in the folder an earlier split left: other folds, or no folds."""
    found = [path.parent for path in (out / "split.json", *sorted(out.glob("fold*/split.json")))]
    for folder in found:
        if folder not in written and (folder / "split.json").is_file():
            print_warning(f"lists of an earlier split are still there ({folder}): delete them")


def _show(
    clips: "pd.DataFrame",
    splits: "pd.Series",
    names: Sequence[str],
    decided: "Decided",
    *,
    as_json: bool,
) -> None:
    from dogclips.lists.splits import label_counts
    from dogclips.reports.tables.split import fold_table, split_document, split_table

    counts = label_counts(clips, splits, len(names), list(decided.shares))
    if as_json:
        print_json(split_document(clips, splits, counts, names, decided))
    elif "folds" in decided.settings:
        print_result(fold_table(clips, splits, counts, names, decided))
    else:
        print_result(split_table(clips, splits, counts, names, decided))
