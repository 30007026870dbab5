"""Settings of how long a run takes, and on what."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from dogclips.config import Config
from dogclips.training.numbers import Count, NotNegative, Positive


class EarlyStop(Config):
    """When a run ends before its last epoch.

    Parameters
    ----------
    patience
        Epochs in a row without a gain.
    min_delta
        What of mAP is a gain.
    """

    patience: Count
    min_delta: NotNegative = 0.0


class TrainerConfig(Config):
    """How long, on what and how exactly.

    Parameters
    ----------
    precision
        `auto` is bf16-mixed where CUDA has it, 16-mixed on other CUDA, else 32-true.
    devices
        `auto` for all GPUs, else one process; a number for that many on each machine. Where
        torchrun or SLURM start the processes, they say how many.
    num_nodes
        Machines; torchrun and SLURM say that, too.
    strategy
        `auto` is ddp for more than one device; fsdp shares out the weights as well, for models that
        do not fit into one GPU.
    clip_gradient
        Largest norm of the gradient; null for no limit.
    accumulate
        Batches of one step.
    ema
        Decay of an exponential moving average of the weights, which is then what is validated,
        kept and tested; null for none.
    keep
        Checkpoints of the best epochs; beyond one, each has its epoch and mAP in its name.
    early_stop
        Null for all epochs.
    overfit
        Train and validate on the first clips of the training list, as they are: a set-up that
        cannot learn even these is broken. Null for training in earnest.
    """

    epochs: Count = 30
    precision: Literal["auto", "32-true", "16-mixed", "bf16-mixed"] = "auto"
    devices: Count | Literal["auto"] = "auto"
    num_nodes: Count = 1
    strategy: Literal["auto", "ddp", "fsdp"] = "auto"
    clip_gradient: Positive | None = 1.0
    accumulate: Count = 1
    ema: Annotated[float, Field(gt=0, lt=1)] | None = None
    keep: Count = 1
    early_stop: EarlyStop | None = None
    overfit: Count | None = None

    @model_validator(mode="after")
    def _averages_are_whole(self) -> Self:
        if self.strategy == "fsdp" and self.ema is not None:
            raise ValueError("weights that are shared out have no average: ema is for auto and ddp")
        return self
