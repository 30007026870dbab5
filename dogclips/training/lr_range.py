"""The learning-rate range test: one short run in which the rate only rises."""

# The arguments of a hook are what Lightning calls it with, needed or not.
# ruff: noqa: ARG002

import math
from collections.abc import Callable, Sequence
from typing import Any

import lightning.pytorch as pl

from dogclips.scores.lr_range import smoothed

HOPELESS = 4.0  # times the lowest loss; higher rates can only be worse


class RisingRate(pl.Callback):
    """Sets the rate of every step of `accumulate` batches; layers keep their shares of it."""

    def __init__(
        self, lrs: Sequence[float], accumulate: int, on_steps: Callable[[int], None]
    ) -> None:
        self.lrs = lrs
        self.accumulate = accumulate
        self.on_steps = on_steps
        self.losses: list[float] = []
        self._sum = 0.0

    def on_train_batch_start(self, trainer: pl.Trainer, *_: Any) -> None:
        """Set the rate, whatever the schedule would have it be."""
        groups = trainer.optimizers[0].param_groups
        highest = max(group["initial_lr"] for group in groups)
        for group in groups:
            group["lr"] = self.lrs[len(self.losses)] * group["initial_lr"] / highest

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: Any, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Note the loss of a step, and end where nothing good can come."""
        self._sum += float(trainer.strategy.reduce(outputs["loss"].detach().clone()))
        last = batch_idx + 1 == trainer.num_training_batches
        if (batch_idx + 1) % self.accumulate and not last:
            return
        self.losses.append(self._sum)
        self._sum = 0.0
        self.on_steps(1)
        lowest = min(point.loss for point in smoothed(self.lrs[: len(self.losses)], self.losses))
        hopeless = not math.isfinite(self.losses[-1]) or self.losses[-1] > HOPELESS * lowest
        if hopeless or len(self.losses) == len(self.lrs):
            trainer.should_stop = True
