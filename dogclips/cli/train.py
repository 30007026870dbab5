"""`dogclips train`: lists of clips become a trained model in a run folder."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dogclips.cli.console import (
    is_helper,
    print_line,
    print_result,
    progress_bar,
    silence_helpers,
)
from dogclips.cli.options import ConfigFiles, Overrides
from dogclips.errors import StoppedError, UsageError

if TYPE_CHECKING:
    from dogclips.records.run_start import RunStart
    from dogclips.training import TrainConfig


class Check(StrEnum):
    """How closely clips are looked at before a training."""

    fast = "fast"
    full = "full"
    none = "none"


TrainList = Annotated[Path | None, typer.Option("--train", metavar="LIST", help="To learn from.")]
Weights = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Initial weights of any known source; file or folder."),
]


def train(
    out: Annotated[Path | None, typer.Option(metavar="RUN_DIR", help="For everything.")] = None,
    config: ConfigFiles = None,
    train_list: TrainList = None,
    val_list: Annotated[
        Path | None, typer.Option("--val", metavar="LIST", help="Scored after every epoch.")
    ] = None,
    set_: Overrides = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from last.ckpt.")] = False,
    weights: Weights = None,
    devices: Annotated[str | None, typer.Option(help="auto, or a number of devices.")] = None,
    precision: Annotated[str | None, typer.Option(help="auto, 32-true, bf16-mixed ...")] = None,
    overfit: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="Learn N clips by heart: is the set-up sound?"),
    ] = None,
    fast_dev_run: Annotated[
        bool, typer.Option("--fast-dev-run", help="One batch of everything; writes nothing.")
    ] = False,
    check: Annotated[
        Check, typer.Option(help="Look at all clips first: their packets, every frame, or not.")
    ] = Check.fast,
) -> None:
    """Train a multi-label model on a list, scored on another after every epoch.

    Example: dogclips train --config configs/train/slowfast_tiny.yaml --train split/train.txt
    --val split/val.txt --out runs/first
    """
    from dogclips.training.run import Watch, rehearse

    if out is None and not fast_dev_run:
        raise UsageError("where should the run go", where="--out", todo="name a folder")
    options = {
        "data.train": train_list,
        "data.val": val_list,
        "trainer.devices": devices,
        "trainer.precision": precision,
        "trainer.overfit": overfit,
    }
    settings = train_settings(_configs(config, out, resume=resume), set_, options)
    silence_helpers()
    if fast_dev_run:
        watch = Watch(on_start=print_start)
        rehearse(settings, weights=weights, check=check.value, watch=watch)
        print_line("one batch was trained and validated; nothing was written")
    elif out is not None:
        arguments: dict[str, Any] = {"resume": resume, "weights": weights, "check": check.value}
        _train(settings, out, arguments)


def train_settings(
    files: list[Path] | None, overrides: list[str] | None, options: dict[str, Any]
) -> "TrainConfig":
    """Return the settings of files, `--set` and options, the later ones winning."""
    from dogclips.config import load_config
    from dogclips.training.config import TrainConfig

    given = [f"{key}={value}" for key, value in options.items() if value is not None]
    return load_config(TrainConfig, files or (), [*(overrides or ()), *given])


def print_start(start: "RunStart") -> None:
    """Print what a run has decided."""
    from dogclips.reports.tables.start import learning_table, start_lines

    for line in start_lines(start):
        print_line(line)
    print_result(learning_table(start.learning))


def _configs(files: list[Path] | None, out: Path | None, *, resume: bool) -> list[Path] | None:
    """Return the files of settings; a run that goes on has one of its own."""
    if files or not resume or out is None or not (out / "config.yaml").is_file():
        return files
    return [out / "config.yaml"]


def _train(settings: "TrainConfig", out: Path, arguments: dict[str, Any]) -> None:
    from dogclips.records.clip_predictions import PREDICTIONS, read_predictions
    from dogclips.reports.pictures.training_plots import write_plots
    from dogclips.reports.tables.start import overfit_line, skipped_lines
    from dogclips.reports.tables.train import epoch_line, result_table
    from dogclips.training.run import Watch
    from dogclips.training.run import train as train_run

    def on_start(start: "RunStart") -> None:
        bar.stop()
        print_start(start)
        print_line(epoch_line())

    bar = progress_bar("clips")
    looking = bar.add_task("looking at the clips", total=None)
    watch = Watch(
        on_start,
        lambda record: print_line(epoch_line(record)),
        lambda number: bar.advance(looking, number),
    )
    try:
        with bar:
            run = train_run(settings, out, watch=watch, **arguments)
    except StoppedError:
        if is_helper():
            raise typer.Exit(0) from None  # the first process says so, once
        raise
    if not is_helper():
        write_plots(out / "plots", run.records, read_predictions(out / PREDICTIONS), run.report)
    print_result(result_table(run.report))
    for line in skipped_lines(run.skipped):
        print_line(line)
    if settings.trainer.overfit is not None:
        print_line(overfit_line(run.report.loss, settings.trainer.overfit))
    print_line(f"best epoch {run.best.epoch}; everything is in {run.run_dir}")
