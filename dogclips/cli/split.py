"""`dogclips split`: split clips into train, val and test lists that share no recording."""

from pathlib import Path
from typing import Annotated, Literal

from typer import Argument, Option

import dogclips
from dogclips.cli.console import Show, leave, print_document, print_result
from dogclips.cli.options import OUTPUT, Json

SHARES = "Shares"
GROUPS = "Groups"

EXAMPLES = """
  Make train, val and test lists; clips of one recording stay together:
  $ dogclips split Feb/2_2_kt --out split

  Make five folds for cross-validation, without a test list:
  $ dogclips split Feb/2_2_kt --out folds --folds 5 --group-by none
"""


def split(
    inputs: Annotated[list[Path], Argument(metavar="INPUT", help="Cut sessions, or lists.")],
    out: Annotated[
        Path, Option(metavar="DIR", help="Folder for the new lists.", rich_help_panel=OUTPUT)
    ],
    val: Annotated[
        float | None,
        Option(
            metavar="SHARE",
            min=0,
            max=1,
            help="Share of the clips for val, from 0 to 1.",
            show_default="0.15",
            rich_help_panel=SHARES,
        ),
    ] = None,
    test: Annotated[
        float | None,
        Option(
            metavar="SHARE",
            min=0,
            max=1,
            help="Share of the clips for test, from 0 to 1.",
            show_default="0.15, or 0 with --folds",
            rich_help_panel=SHARES,
        ),
    ] = None,
    folds: Annotated[
        int | None,
        Option(
            min=2,
            metavar="K",
            help="Write K splits, DIR/fold1 to DIR/foldK; each group is in val once.",
            show_default="one split",
            rich_help_panel=SHARES,
        ),
    ] = None,
    group_by: Annotated[
        str | None,
        Option(
            metavar="COLUMN",
            help="Keep clips together by recording, project, session, subject, none, or another "
            "column of the manifest such as file:camera.",
            show_default="recording",
            rich_help_panel=GROUPS,
        ),
    ] = None,
    keep: Annotated[
        Path | None,
        Option(
            metavar="FILE",
            help="Leave clips and groups where an earlier split.json has them; its settings are "
            "the defaults.",
            show_default="none",
            rich_help_panel=GROUPS,
        ),
    ] = None,
    seed: Annotated[
        int | None,
        Option(
            metavar="N",
            min=0,
            help="Seed for ordering groups with equal labels.",
            show_default="0",
            rich_help_panel=GROUPS,
        ),
    ] = None,
    verdicts: Annotated[
        str | None,
        Option(
            metavar="LIST",
            help="Clips to split, by what the pixels say of them: words with commas between, of "
            "confirmed, still, contradicted, not-compared.",
            show_default="confirmed,still,not-compared",
            rich_help_panel=SHARES,
        ),
    ] = None,
    check_copies: Annotated[
        bool,
        Option(
            "--check-copies",
            help="Decode all clips and look for the same footage in two splits.",
            rich_help_panel=GROUPS,
        ),
    ] = False,
    list_format: Annotated[
        Literal["mmaction2", "slowfast", "csv"],
        Option("--format", help="Format of the lists.", rich_help_panel=OUTPUT),
    ] = "mmaction2",
    as_json: Json = False,
) -> None:
    """Split clips into train, val and test lists without leaks.

    Clips that belong together stay in one split, and labels are spread evenly over the splits.
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
        verdicts=None if verdicts is None else [word.strip() for word in verdicts.split(",")],
        list_format=list_format,
        check_copies=check_copies,
        progress=Show(),
    )
    if as_json:
        print_document("split", split_document(result.made), result)
    else:
        print_result(fold_table(result.made) if folds else split_table(result.made))
    leave(result)
