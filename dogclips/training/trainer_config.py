"""Settings of how long a run takes, and on what."""

from typing import Annotated, Literal

from pydantic import Field

from dogclips.config import Config
from dogclips.training.numbers import Count, Positive


class TrainerConfig(Config):
    """How long, on what and how exactly.

    Parameters
    ----------
    precision
        `auto` is bf16-mixed where CUDA has it, 16-mixed on other CUDA, else 32-true.
    devices
        `auto` for all GPUs, else one process; a number for that many.
    strategy
        `auto` is ddp for more than one device.
    clip_gradient
        Largest norm of the gradient; null for no limit.
    accumulate
        Batches of one step.
    ema
        Decay of an exponential moving average of the weights, which is then what is validated,
        kept and tested; null for none.
    """

    epochs: Count = 30
    precision: Literal["auto", "32-true", "16-mixed", "bf16-mixed"] = "auto"
    devices: Count | Literal["auto"] = "auto"
    strategy: Literal["auto", "ddp"] = "auto"
    clip_gradient: Positive | None = 1.0
    accumulate: Count = 1
    ema: Annotated[float, Field(gt=0, lt=1)] | None = None
