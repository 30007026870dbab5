"""`dogclips test`: a run or checkpoint is scored on a list, by a stated protocol."""

from pathlib import Path
from typing import Annotated

import typer

from dogclips.cli.console import print_json, print_result
from dogclips.cli.options import Json


def test(
    source: Annotated[Path, typer.Argument(metavar="RUN_DIR_OR_CKPT")],
    list_path: Annotated[Path, typer.Option("--list", metavar="LIST", help="Clips to score.")],
    views: Annotated[int | None, typer.Option(min=1, help="Clips in time for each clip.")] = None,
    crops: Annotated[int | None, typer.Option(min=1, help="1 or 3 crops for each view.")] = None,
    as_json: Json = False,
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write predictions there, as parquet.")
    ] = None,
) -> None:
    """Score a model on a list: AP and F1 for each class, their means, and the protocol.

    Example: dogclips test runs/first --list split/test.txt
    """
    from dataclasses import asdict

    from dogclips.files import whole_file
    from dogclips.reports.training import result_table
    from dogclips.training.testing import test as test_run

    given = {"views": views, "crops": crops}
    evaluation = {key: value for key, value in given.items() if value is not None}
    result = test_run(source, list_path, evaluation=evaluation)
    if output is not None:
        with whole_file(output) as part:
            result.predictions.to_parquet(part, index=False)
    if as_json:
        print_json({"version": 1, "checkpoint": str(result.checkpoint), **asdict(result.report)})
    else:
        print_result(result_table(result.report))
