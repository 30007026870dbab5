"""`dogclips export`: clips and their lists in the formats of other tools."""

from pathlib import Path
from typing import Annotated, Literal

from typer import Argument, Option

import dogclips
from dogclips.cli.console import Show, leave, print_document, print_line, print_result
from dogclips.cli.options import Json


def export(
    inputs: Annotated[
        list[Path], Argument(metavar="INPUT...", help="Lists, splits, or cut sessions.")
    ],
    out: Annotated[Path, Option(metavar="DIR", help="New folder, or that of the last run.")],
    export_format: Annotated[
        Literal["mmaction2", "slowfast", "csv", "parquet", "kinetics", "videofolder", "webdataset"],
        Option("--format", help="Who reads it."),
    ],
    prefix: Annotated[
        Path | None,
        Option(metavar="DIR", help="What paths are relative to [folder of all sessions]."),
    ] = None,
    root: Annotated[
        Path | None, Option(metavar="DIR", help="What paths in the inputs are relative to.")
    ] = None,
    separator: Annotated[
        str | None, Option(help="slowfast: between path and label [one blank].")
    ] = None,
    shard_size: Annotated[
        int | None, Option(metavar="CLIPS", min=1, help="webdataset: clips a shard [1000].")
    ] = None,
    skip_unfit: Annotated[
        bool, Option("--skip-unfit", help="Leave out what the format cannot express.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Write clips and labels as other tools read them, and say how these load the result.

    A clip's split is the name of its list if that is train, val or test.

    Example: dogclips export data/split --format videofolder --out data/export
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
        for line in loading_lines(result.export):  # for a file: nothing may fold them
            print_line(line)
    leave(result)
