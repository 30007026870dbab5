"""`dogclips split`: lists of clips become train, val and test lists that share no recording."""

from pathlib import Path
from typing import Annotated, Literal

from typer import Argument, Option

import dogclips
from dogclips.cli.console import Show, leave, print_document, print_result
from dogclips.cli.options import Json


def split(
    inputs: Annotated[
        list[Path], Argument(metavar="LIST_OR_BASE_DIR...", help="Lists, or cut sessions.")
    ],
    out: Annotated[Path, Option(metavar="DIR", help="Folder for the lists.")],
    val: Annotated[float | None, Option(min=0, max=1, help="Share of clips in val [0.15].")] = None,
    test: Annotated[
        float | None, Option(min=0, max=1, help="Share of clips in test [0.15; 0 with --folds].")
    ] = None,
    folds: Annotated[
        int | None,
        Option(min=2, metavar="K", help="Write DIR/fold1 to DIR/foldK, each once as val."),
    ] = None,
    group_by: Annotated[
        str | None,
        Option(
            metavar="recording|project|session|subject|none|COLUMN",
            help="What never parts [recording]; a column such as file:camera.",
        ),
    ] = None,
    keep: Annotated[
        Path | None,
        Option(
            metavar="SPLIT.JSON",
            help="An earlier split: its clips and groups stay, its settings are the defaults.",
        ),
    ] = None,
    seed: Annotated[int | None, Option(min=0, help="Orders what is alike [0].")] = None,
    list_format: Annotated[
        Literal["mmaction2", "slowfast", "csv"], Option("--format")
    ] = "mmaction2",
    check_copies: Annotated[
        bool, Option("--check-copies", help="Decode all clips, look for copies across splits.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Split clips into train, val and test without leaks, and show how labels spread.

    Example: dogclips split dog_video/Feb/* --out data/split
    """
    from dogclips.reports.tables.split import fold_table, split_document, split_table

    result = dogclips.split(
        inputs,
        out,
        val=val,
        test=test,
        folds=folds,
        group_by=group_by,
        keep=keep,
        seed=seed,
        list_format=list_format,
        check_copies=check_copies,
        progress=Show(),
    )
    if as_json:
        print_document("split", split_document(result.made), result)
    else:
        print_result(fold_table(result.made) if folds else split_table(result.made))
    leave(result)
