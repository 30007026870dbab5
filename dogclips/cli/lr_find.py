"""`dogclips lr-find`: which learning rate to begin with."""

from pathlib import Path
from typing import Annotated

import typer

from dogclips.cli.console import print_json, print_result, silence_helpers
from dogclips.cli.options import ConfigFiles, Json, Overrides
from dogclips.cli.train import TrainList, Weights, train_settings
from dogclips.errors import UsageError


def lr_find(
    config: ConfigFiles = None,
    train_list: TrainList = None,
    set_: Overrides = None,
    weights: Weights = None,
    steps: Annotated[int, typer.Option(min=10, help="Of the optimizer.")] = 100,
    low: Annotated[float, typer.Option("--from", help="First rate.")] = 1e-6,
    high: Annotated[float, typer.Option("--to", help="Last rate.")] = 1.0,
    as_json: Json = False,
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Plot loss against rate there, as SVG.")
    ] = None,
) -> None:
    """Train a few steps at rising learning rates and say where the loss falls fastest.

    Nothing is kept, and no setting changes.

    Example: dogclips lr-find --config configs/train/slowfast_tiny.yaml --train split/train.txt
    """
    if not 0 < low < high:
        raise UsageError("the rates do not rise", where="--from, --to", todo="0 < from < to")
    from dataclasses import asdict

    from dogclips.files import whole_file
    from dogclips.reports.pictures.training_plots import range_plot
    from dogclips.reports.tables.lr_find import range_table
    from dogclips.scores.lr_range import suggestion
    from dogclips.training.lr_range import range_test

    settings = train_settings(config, set_, {"data.train": train_list})
    silence_helpers()
    points = range_test(settings, low=low, high=high, steps=steps, weights=weights)
    if output is not None:
        with whole_file(output) as part:
            part.write_bytes(range_plot(points))
    if as_json:
        rows = [asdict(point) for point in points]
        print_json({"version": 1, "suggestion": suggestion(points), "points": rows})
    else:
        print_result(range_table(points))
