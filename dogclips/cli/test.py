"""`dogclips test`: a run or checkpoint is scored on a list, by a stated protocol."""

from pathlib import Path
from typing import Annotated

import typer

from dogclips.cli.console import print_json, print_result, print_warning
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
    plots: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write plots there, as SVG.")
    ] = None,
) -> None:
    """Score a model on a list: AP, F1 and more for each class, their means, and the protocol.

    Views and crops are those of the run unless they are given.

    Example: dogclips test runs/first --list split/test.txt --output test.parquet
    """
    from dataclasses import asdict

    from dogclips.records.clip_predictions import write_predictions
    from dogclips.reports.pictures.training_plots import write_plots
    from dogclips.reports.tables.train import result_table
    from dogclips.training.testing import test as test_run

    given = {"views": views, "crops": crops}
    evaluation = {key: value for key, value in given.items() if value is not None}
    result = test_run(source, list_path, evaluation=evaluation)
    if output is not None:
        write_predictions(result.predictions, output)
    if plots is not None:
        write_plots(plots, [], result.predictions, result.report)
    for path, reason in result.skipped:
        print_warning(f"left out, {reason} ({path})")
    if as_json:
        skipped = [{"path": path, "reason": reason} for path, reason in result.skipped]
        origin = {"version": 1, **result.predictions.attrs, "skipped": skipped}
        print_json(origin | asdict(result.report))
    else:
        print_result(result_table(result.report))
