"""`dogclips lr-find`: find a learning rate to begin with."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

from typer import Option

import dogclips
from dogclips.cli.console import Show, print_document, print_result
from dogclips.cli.options import OUTPUT, ConfigFiles, Json, Overrides, chosen_settings
from dogclips.cli.train import TrainList, Weights, silence_all_but_first

RATES = "Learning rates"

EXAMPLES = """
  Try 100 learning rates on the first steps of a training:
  $ dogclips lr-find --config tiny_cpu --train split/train.txt

  Try fewer rates in a smaller range, and plot the loss:
  $ dogclips lr-find --config tiny_cpu --train split/train.txt \\
        --from 1e-4 --to 1e-1 --steps 20 --output lr.svg
"""


def lr_find(
    config: ConfigFiles = None,
    train_list: TrainList = None,
    set_: Overrides = None,
    weights: Weights = None,
    steps: Annotated[
        int,
        Option(
            metavar="N",
            min=10,
            help="Number of training steps, each at a higher rate.",
            rich_help_panel=RATES,
        ),
    ] = 100,
    low: Annotated[
        float,
        Option(
            "--from",
            metavar="RATE",
            help="Lowest rate.",
            show_default="1e-6",
            rich_help_panel=RATES,
        ),
    ] = 1e-6,
    high: Annotated[
        float, Option("--to", metavar="RATE", help="Highest rate.", rich_help_panel=RATES)
    ] = 1.0,
    as_json: Json = False,
    output: Annotated[
        Path | None,
        Option(
            metavar="FILE",
            help="Plot the loss over the rate to FILE, as SVG.",
            show_default="not plotted",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
) -> None:
    """Find a learning rate with a short trial.

    Trains a few steps at rising rates and shows where the loss falls fastest. Keeps no weights and
    changes no settings; takes those of `dogclips train`.
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
