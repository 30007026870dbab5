"""`dogclips export`: clips and their lists in the formats of other tools."""

from pathlib import Path
from typing import Annotated, Literal

from typer import Argument, Option

import dogclips
from dogclips.cli.console import Show, leave, print_document, print_line, print_result
from dogclips.cli.options import OUTPUT, Json

PATHS = "Paths"
FORMATS = "Options of single formats"

EXAMPLES = """
  Write a split as folders that Hugging Face datasets loads:
  $ dogclips export split --format videofolder --out exported

  Write the lists that PySlowFast reads; skip clips with several labels:
  $ dogclips export split --format slowfast --out lists --skip-unfit
"""


def export(
    inputs: Annotated[
        list[Path], Argument(metavar="INPUT", help="Lists, split folders, or cut sessions.")
    ],
    out: Annotated[
        Path,
        Option(
            metavar="DIR",
            help="Folder to create, or the folder of an earlier export in this format.",
            rich_help_panel=OUTPUT,
        ),
    ],
    export_format: Annotated[
        Literal["mmaction2", "slowfast", "csv", "parquet", "kinetics", "videofolder", "webdataset"],
        Option(
            "--format",
            help="Tool or format to write for; slowfast is PySlowFast, videofolder is Hugging Face "
            "datasets.",
            rich_help_panel=OUTPUT,
        ),
    ],
    prefix: Annotated[
        Path | None,
        Option(
            metavar="DIR",
            help="Folder that paths in the new lists are relative to.",
            show_default="the folder that holds all sessions",
            rich_help_panel=PATHS,
        ),
    ] = None,
    root: Annotated[
        Path | None,
        Option(
            metavar="DIR",
            help="Folder that paths in the input lists are relative to.",
            show_default="the folder of each list",
            rich_help_panel=PATHS,
        ),
    ] = None,
    separator: Annotated[
        str | None,
        Option(
            metavar="TEXT",
            help="Separator between path and label, for slowfast.",
            show_default="one space",
            rich_help_panel=FORMATS,
        ),
    ] = None,
    shard_size: Annotated[
        int | None,
        Option(
            metavar="CLIPS",
            min=1,
            help="Number of clips per shard, for webdataset.",
            show_default="1000",
            rich_help_panel=FORMATS,
        ),
    ] = None,
    skip_unfit: Annotated[
        bool,
        Option(
            "--skip-unfit",
            help="Skip clips that the format cannot express, and count them.",
            rich_help_panel=FORMATS,
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Export clips and labels in the formats of other tools.

    Prints the lines of code that load the result. A clip belongs to the split that its list is
    named after: train, val or test.
    """
    from dogclips.reports.tables.export import export_document, export_table, loading_lines

    result = dogclips.export(
        inputs,
        out,
        format=export_format,
        prefix=prefix,
        root=root,
        separator=separator,
        shard_size=shard_size,
        skip_unfit=skip_unfit,
        progress=Show(),
    )
    if as_json:
        print_document("export", export_document(result.export), result)
    else:
        print_result(export_table(result.export))
        for line in loading_lines(result.export):  # to be copied: nothing may fold them
            print_line(line)
    leave(result)
