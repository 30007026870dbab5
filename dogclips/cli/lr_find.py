"""`dogclips lr-find`: which learning rate to begin with."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

from typer import Option

import dogclips
from dogclips.cli.console import Show, print_document, print_result
from dogclips.cli.options import ConfigFiles, Json, Overrides, chosen_settings
from dogclips.cli.train import TrainList, Weights, silence_all_but_first


def lr_find(
    config: ConfigFiles = None,
    train_list: TrainList = None,
    set_: Overrides = None,
    weights: Weights = None,
    steps: Annotated[int, Option(min=10, help="Of the optimizer.")] = 100,
    low: Annotated[float, Option("--from", help="First rate.")] = 1e-6,
    high: Annotated[float, Option("--to", help="Last rate.")] = 1.0,
    as_json: Json = False,
    output: Annotated[
        Path | None, Option(metavar="FILE", help="Plot loss against rate there, as SVG.")
    ] = None,
) -> None:
    """Train a few steps at rising learning rates and say where the loss falls fastest.

    Nothing is kept, and no setting changes.

    Example: dogclips lr-find --config slowfast_tiny --train split/train.txt
    """
    from dogclips.reports.tables.train import range_table

    settings = chosen_settings(config, set_, {})
    silence_all_but_first()
    result = dogclips.lr_find(
        settings,
        train=train_list,
        weights=weights,
        steps=steps,
        low=low,
        high=high,
        output=output,
        progress=Show(),
    )
    if as_json:
        points = [asdict(point) for point in result.points]
        print_document("lr-find", {"suggestion": result.suggestion, "points": points}, result)
    else:
        print_result(range_table(result.points))
