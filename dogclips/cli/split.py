"""`dogclips split`: lists of clips become train, val and test lists that share no recording."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from dogclips.cli.console import print_json, print_result
from dogclips.cli.options import Json
from dogclips.errors import UsageError


class GroupBy(StrEnum):
    """What never parts."""

    recording = "recording"
    project = "project"
    session = "session"
    none = "none"


class Format(StrEnum):
    """How lists are written."""

    mmaction2 = "mmaction2"
    csv = "csv"


def split(
    inputs: Annotated[
        list[Path], typer.Argument(metavar="LIST_OR_BASE_DIR...", help="Lists, or cut sessions.")
    ],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the lists.")],
    val: Annotated[float, typer.Option(min=0, max=1, help="Share of clips in val.")] = 0.15,
    test: Annotated[float, typer.Option(min=0, max=1, help="Share of clips in test.")] = 0.15,
    group_by: Annotated[GroupBy, typer.Option(help="What never parts.")] = GroupBy.recording,
    seed: Annotated[int, typer.Option(help="Orders groups of equal size.")] = 0,
    list_format: Annotated[Format, typer.Option("--format")] = Format.mmaction2,
    as_json: Json = False,
) -> None:
    """Split clips into train, val and test without leaks, and show how labels spread.

    Example: dogclips split dog_video/Feb/* --out data/split
    """
    from dogclips.lists.sessions import read_clips
    from dogclips.lists.splits import assign_splits, label_counts, write_split
    from dogclips.reports.splits import split_document, split_table

    if val + test >= 1:
        raise UsageError("nothing is left to train on", where="--val, --test", todo="lower them")
    clips, names = read_clips(inputs)
    shares = {"train": 1 - val - test, "val": val, "test": test}
    splits = assign_splits(clips, len(names), shares, group_by=group_by.value, seed=seed)
    settings = {"seed": seed, "group_by": group_by.value, "shares": shares}
    write_split(out, clips, splits, names, list_format=list_format.value, settings=settings)
    counts = label_counts(clips, splits, len(names))
    if as_json:
        print_json(split_document(clips, splits, counts, names, settings))
    else:
        print_result(split_table(clips, splits, counts, names))
