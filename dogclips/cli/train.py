"""`dogclips train`: lists of clips become a trained model in a run folder."""

from pathlib import Path
from typing import Annotated

import typer

from dogclips.cli.console import print_line, print_result, silence_helpers
from dogclips.cli.options import ConfigFiles, Overrides


def train(
    out: Annotated[Path, typer.Option(metavar="RUN_DIR", help="Folder for everything.")],
    config: ConfigFiles = None,
    train_list: Annotated[Path | None, typer.Option("--train", metavar="LIST")] = None,
    val_list: Annotated[Path | None, typer.Option("--val", metavar="LIST")] = None,
    set_: Overrides = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from last.ckpt.")] = False,
    weights: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Initial weights of any known source; file or folder."),
    ] = None,
    devices: Annotated[str | None, typer.Option(help="auto, or a number of devices.")] = None,
    precision: Annotated[str | None, typer.Option(help="auto, 32-true, bf16-mixed ...")] = None,
) -> None:
    """Train a multi-label model on a list, scored on another after every epoch.

    Example: dogclips train --config configs/train/slowfast_tiny.yaml --train split/train.txt
    --val split/val.txt --out runs/first
    """
    from dogclips.config import load_config
    from dogclips.reports.training import epoch_line, result_table
    from dogclips.reports.weights import LoadedWeights, loaded_lines
    from dogclips.training.config import TrainConfig
    from dogclips.training.run import train as train_run

    options = {
        "data.train": train_list,
        "data.val": val_list,
        "trainer.devices": devices,
        "trainer.precision": precision,
    }
    given = [f"{key}={value}" for key, value in options.items() if value is not None]
    settings = load_config(TrainConfig, config or (), [*(set_ or ()), *given])
    silence_helpers()

    def on_start(loaded: LoadedWeights | None) -> None:
        for line in loaded_lines(loaded) if loaded else ():
            print_line(line)
        print_line(epoch_line())

    run = train_run(
        settings,
        out,
        resume=resume,
        weights=weights,
        on_start=on_start,
        on_epoch=lambda record: print_line(epoch_line(record)),
    )
    print_result(result_table(run.report))
    print_line(f"best epoch {run.best.epoch}; everything is in {run.run_dir}")
