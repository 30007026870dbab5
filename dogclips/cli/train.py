"""`dogclips train`: train a model on a list of clips."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from typer import Option

import dogclips
from dogclips.cli.console import Show, print_line, print_result
from dogclips.cli.options import OUTPUT, ConfigFiles, Overrides, chosen_settings
from dogclips.errors import StoppedError, UsageError

if TYPE_CHECKING:
    from dogclips.records.run_start import RunStart
    from dogclips.steps.train import TrainedRun

LISTS = "Lists"
STARTING = "Starting point"
MACHINE = "Machine"
CHECKS = "Checks"

TrainList = Annotated[
    Path | None,
    Option(
        "--train",
        metavar="LIST",
        help="Clips to learn from (setting: data.train).",
        show_default="from the settings",
        rich_help_panel=LISTS,
    ),
]
Weights = Annotated[
    Path | None,
    Option(
        metavar="FILE|DIR",
        help="Weights to start from: of dogclips or of another tool (`dogclips weights inspect`).",
        show_default="random weights",
        rich_help_panel=STARTING,
    ),
]

EXAMPLES = """
  Train a small network that a CPU can train:
  $ dogclips train --config tiny_cpu --train split/train.txt \\
        --val split/val.txt --out runs/second

  Check the set-up with one batch before a long training:
  $ dogclips train --config tiny_cpu --train split/train.txt \\
        --val split/val.txt --fast-dev-run

  Continue a run that was stopped, for one more epoch than before:
  $ dogclips train --resume --out runs/first --set trainer.epochs=2
"""


def train(
    out: Annotated[
        Path | None,
        Option(
            metavar="DIR",
            help="Run folder to create. Required, except with --fast-dev-run.",
            show_default="none",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    config: ConfigFiles = None,
    train_list: TrainList = None,
    val_list: Annotated[
        Path | None,
        Option(
            "--val",
            metavar="LIST",
            help="Clips to score after every epoch (setting: data.val).",
            show_default="from the settings",
            rich_help_panel=LISTS,
        ),
    ] = None,
    set_: Overrides = None,
    resume: Annotated[
        bool,
        Option(
            "--resume",
            help="Continue the run in --out from its last checkpoint, with its settings.",
            rich_help_panel=STARTING,
        ),
    ] = False,
    weights: Weights = None,
    devices: Annotated[
        str | None,
        Option(
            metavar="N|auto",
            help="Number of devices on each machine (setting: trainer.devices).",
            show_default="from the settings",
            rich_help_panel=MACHINE,
        ),
    ] = None,
    precision: Annotated[
        str | None,
        Option(
            metavar="PRECISION",
            help="Precision: auto, 32-true, 16-mixed or bf16-mixed (setting: trainer.precision).",
            show_default="from the settings",
            rich_help_panel=MACHINE,
        ),
    ] = None,
    overfit: Annotated[
        int | None,
        Option(
            metavar="N",
            min=1,
            help="Train and validate on the first N clips only (setting: trainer.overfit).",
            show_default="all clips",
            rich_help_panel=CHECKS,
        ),
    ] = None,
    fast_dev_run: Annotated[
        bool,
        Option(
            "--fast-dev-run",
            help="Train and validate one batch, and write nothing.",
            rich_help_panel=CHECKS,
        ),
    ] = False,
    check: Annotated[
        Literal["fast", "full", "none"],
        Option(
            help="Check all clips first: their packets, every frame, or nothing.",
            rich_help_panel=CHECKS,
        ),
    ] = "fast",
) -> None:
    """Train a multi-label model on a list of clips.

    The settings name the network (`dogclips models`). The model is scored on the validation list
    after every epoch; the best weights are kept. All settings: `dogclips config train`.
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
        print_line("trained and validated one batch; nothing was written")
        return
    if out is None:
        raise UsageError("no run folder", where="--out", todo="name a folder to create")
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
    print_line(f"best epoch {run.best.epoch}; results are in {run.run_dir}")
