"""Runs, and what of them can be compared."""

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from dogclips.config import merge_trees
from dogclips.events import Progress
from dogclips.records.run_start import RunStart
from dogclips.records.training_run import EpochRecord
from dogclips.steps.train import TrainedRun
from dogclips.training import TrainConfig

SLOWFAST = {
    "_delete_": True,
    "name": "slowfast",
    "depths": [1, 1, 1, 1],
    "width": 8,
    "alpha": 2,
    "dropout": 0.1,
}
CLOCKS = ["clips_per_second", "seconds", "waiting"]


def changed(config: TrainConfig, **changes: Any) -> TrainConfig:
    return TrainConfig.model_validate(merge_trees(config.model_dump(), changes))


def copied(run: TrainedRun, folder: Path) -> Path:
    """Copy a run that several tests begin with."""
    return shutil.copytree(run.run_dir, folder, dirs_exist_ok=True)


def measured(records: Sequence[EpochRecord]) -> list[EpochRecord]:
    """Return the records without what a clock says."""
    return [replace(record, clips_per_second=0.0, seconds=0.0, waiting=0.0) for record in records]


def keeping_starts(starts: list[RunStart]) -> Progress:
    """Return what keeps the starts that a training tells of."""
    return lambda event: starts.extend([event] if isinstance(event, RunStart) else [])


def csv_scores(run: TrainedRun) -> str:
    table = pd.read_csv(run.run_dir / "metrics.csv")
    return str(table.drop(columns=CLOCKS).to_csv())


def weights_of(run: TrainedRun) -> dict[str, torch.Tensor]:
    held = torch.load(run.run_dir / "checkpoints" / "last.ckpt", weights_only=True)
    return dict(held["state_dict"])
