"""`dogclips test`: a run or checkpoint is scored on a list, by a stated protocol."""

from pathlib import Path
from typing import Annotated

from typer import Argument, Option

import dogclips
from dogclips.cli.console import Show, print_document, print_result
from dogclips.cli.options import Json


def test(
    source: Annotated[Path, Argument(metavar="RUN_DIR_OR_CKPT")],
    list_path: Annotated[Path, Option("--list", metavar="LIST", help="Clips to score.")],
    views: Annotated[int | None, Option(min=1, help="Clips in time for each clip.")] = None,
    crops: Annotated[int | None, Option(min=1, help="1 or 3 crops for each view.")] = None,
    as_json: Json = False,
    output: Annotated[
        Path | None, Option(metavar="FILE", help="Write predictions there, as parquet.")
    ] = None,
    plots: Annotated[Path | None, Option(metavar="DIR", help="Write plots there, as SVG.")] = None,
) -> None:
    """Score a model on a list: AP, F1 and more for each class, their means, and the protocol.

    Views and crops are those of the run unless they are given.

    Example: dogclips test runs/first --list split/test.txt --output test.parquet
    """
    from dogclips.reports.tables.train import report_document, result_table

    result = dogclips.test(
        source, list_path, views=views, crops=crops, output=output, plots=plots, progress=Show()
    )
    if as_json:
        document = report_document(result.report, result.predictions.attrs, result.skipped)
        print_document("test", document, result)
    else:
        print_result(result_table(result.report))
