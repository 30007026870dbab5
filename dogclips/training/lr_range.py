"""The learning-rate range test: one short run in which the rate only rises.

Smith, "Cyclical Learning Rates for Training Neural Networks", WACV 2017 (arXiv 1506.01186).
"""

# The arguments of a hook are what Lightning calls it with, needed or not.
# ruff: noqa: ARG002

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import lightning.pytorch as pl

from dogclips.scores.lr_range import RangePoint, exponential, smoothed
from dogclips.training.config import TrainConfig
from dogclips.training.data import ClipData
from dogclips.training.machine import build_trainer, explained, quiet_lightning, shared_cores
from dogclips.training.run import build_module, read_train_list

HOPELESS = 4.0  # times the lowest loss; higher rates can only be worse


class RisingRate(pl.Callback):
    """Sets the rate of every step; layers keep their shares of it.

    Parameters
    ----------
    lrs
        One a step.
    accumulate
        Batches of a step.
    """

    def __init__(self, lrs: Sequence[float], accumulate: int) -> None:
        self.lrs = lrs
        self.accumulate = accumulate
        self.losses: list[float] = []
        self._sum = 0.0

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Set the rate, whatever the schedule would have it be."""
        groups = trainer.optimizers[0].param_groups
        highest = max(group["initial_lr"] for group in groups)
        for group in groups:
            group["lr"] = self.lrs[len(self.losses)] * group["initial_lr"] / highest

    def on_train_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Note the loss of a step, and end where nothing good can come."""
        self._sum += float(trainer.strategy.reduce(outputs["loss"].detach().clone()))
        last = batch_idx + 1 == trainer.num_training_batches
        if (batch_idx + 1) % self.accumulate and not last:
            return
        self.losses.append(self._sum)
        self._sum = 0.0
        lowest = min(point.loss for point in smoothed(self.lrs[: len(self.losses)], self.losses))
        hopeless = not math.isfinite(self.losses[-1]) or self.losses[-1] > HOPELESS * lowest
        if hopeless or len(self.losses) == len(self.lrs):
            trainer.should_stop = True


def range_test(
    config: TrainConfig,
    *,
    low: float = 1e-6,
    high: float = 1.0,
    steps: int = 100,
    weights: Path | None = None,
) -> tuple[RangePoint, ...]:
    """Return the loss at rising learning rates; nothing is written, and nothing kept.

    Parameters
    ----------
    config
        As for `train`; no validation list is needed.
    low, high
        First and last rate.
    steps
        Of the optimizer in between.
    weights
        File or folder of initial weights.

    Raises
    ------
    DogclipsError
        As `train` would.
    """
    clips = read_train_list(config)
    module, _ = build_module(config, clips, weights)
    rates = exponential(low, high, steps)
    with quiet_lightning(), explained(config), shared_cores(config):
        rising = RisingRate(rates, config.trainer.accumulate)
        limits = {"max_epochs": steps, "max_steps": steps, "limit_val_batches": 0}
        trainer = build_trainer(config.trainer, [rising], **limits)
        trainer.fit(module, datamodule=ClipData(config, train=clips))
    finite = [loss for loss in rising.losses if math.isfinite(loss)]
    return smoothed(rates[: len(finite)], finite)
