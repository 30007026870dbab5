"""`dogclips train`: lists of clips become a trained model in a run folder."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from typer import Option

import dogclips
from dogclips.cli.console import Show, print_line, print_result
from dogclips.cli.options import ConfigFiles, Overrides, chosen_settings
from dogclips.errors import StoppedError, UsageError

if TYPE_CHECKING:
    from dogclips.records.run_start import RunStart
    from dogclips.steps.train import TrainedRun

TrainList = Annotated[Path | None, Option("--train", metavar="LIST", help="To learn from.")]
Weights = Annotated[
    Path | None, Option(metavar="FILE", help="Initial weights of any known source; file or folder.")
]


def train(
    out: Annotated[Path | None, Option(metavar="RUN_DIR", help="For everything.")] = None,
    config: ConfigFiles = None,
    train_list: TrainList = None,
    val_list: Annotated[
        Path | None, Option("--val", metavar="LIST", help="Scored after every epoch.")
    ] = None,
    set_: Overrides = None,
    resume: Annotated[bool, Option("--resume", help="Go on from last.ckpt.")] = False,
    weights: Weights = None,
    devices: Annotated[str | None, Option(help="auto, or a number of devices.")] = None,
    precision: Annotated[str | None, Option(help="auto, 32-true, bf16-mixed ...")] = None,
    overfit: Annotated[
        int | None, Option(metavar="N", min=1, help="Overfit N clips to check the set-up.")
    ] = None,
    fast_dev_run: Annotated[
        bool, Option("--fast-dev-run", help="One batch of everything; writes nothing.")
    ] = False,
    check: Annotated[
        Literal["fast", "full", "none"],
        Option(help="Look at all clips first: their packets, every frame, or not."),
    ] = "fast",
) -> None:
    """Train a multi-label model on a list, scored on another after every epoch.

    Example: dogclips train --config slowfast_tiny --train split/train.txt --val split/val.txt
    --out runs/first
    """
    options = {
        "trainer.devices": devices,
        "trainer.precision": precision,
        "trainer.overfit": overfit,
    }
    settings = chosen_settings(config, set_, options)
    if fast_dev_run:
        from dogclips.records.run_start import RunStart

        silence_all_but_first()
        show = Show().on(RunStart, _print_start)
        dogclips.rehearse(
            settings, train=train_list, val=val_list, weights=weights, check=check, progress=show
        )
        print_line("one batch was trained and validated; nothing was written")
        return
    if out is None:
        raise UsageError("where should the run go", where="--out", todo="name a folder")
    first = silence_all_but_first()
    try:
        run = dogclips.train(
            out,
            settings,
            train=train_list,
            val=val_list,
            resume=resume,
            weights=weights,
            check=check,
            progress=showing_training(Show()),
        )
    except StoppedError:
        if first:
            raise
        raise typer.Exit(0) from None  # the first process says so, once
    print_end(run)


def silence_all_but_first() -> bool:
    """Drop the output of all but the first process of a training; return whether this is it."""
    from dogclips.training.machine import is_first_process

    first = is_first_process()
    if not first:
        sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 (until the end)
    return first


def showing_training(show: Show) -> Show:
    """Show also what a training has decided, and a row for each epoch."""
    from dogclips.records.run_start import RunStart
    from dogclips.records.training_run import EpochRecord
    from dogclips.reports.tables.train import epoch_line

    show.on(RunStart, _print_start).on(RunStart, lambda _: print_line(epoch_line()))
    return show.on(EpochRecord, lambda record: print_line(epoch_line(record)))


def _print_start(start: "RunStart") -> None:
    from dogclips.reports.tables.train import learning_table, start_lines

    for line in start_lines(start):
        print_line(line)
    print_result(learning_table(start.learning))


def print_end(run: "TrainedRun") -> None:
    """Print what became of a run."""
    from dogclips.reports.tables.train import overfit_line, result_table, skipped_lines

    print_result(result_table(run.report))
    for line in skipped_lines(run.skipped):
        print_line(line)
    overfit = run.config.trainer.overfit
    if overfit is not None:
        print_line(overfit_line(run.report.loss, overfit))
    print_line(f"best epoch {run.best.epoch}; everything is in {run.run_dir}")
