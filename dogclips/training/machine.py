"""What a training runs on: devices, precision, processes, and their errors in plain words."""

from collections.abc import Iterator
from contextlib import contextmanager

import lightning.pytorch as pl
import torch
from lightning.pytorch.strategies import DDPStrategy, Strategy

from dogclips.errors import ConfigError, DogclipsError
from dogclips.training.callbacks import WholeCheckpoints
from dogclips.training.config import TrainConfig
from dogclips.training.data import num_cores, num_workers
from dogclips.training.trainer_config import TrainerConfig


def precision_for(config: TrainerConfig) -> str:
    """Return the precision that `auto` means on this machine."""
    if config.precision != "auto":
        return config.precision
    if not torch.cuda.is_available():
        return "32-true"
    return "bf16-mixed" if torch.cuda.is_bf16_supported() else "16-mixed"


def check_precision(config: TrainerConfig) -> None:
    """Refuse what torch computes wrong: on CPUs gradients of convolutions over time in 16 bits.

    Seen in torch 2.15: for a `Conv3d` with a (3, 1, 1) kernel 40 of 50 were garbage.
    """
    if config.precision.endswith("mixed") and not torch.cuda.is_available():
        raise ConfigError(
            f"{config.precision} needs a GPU: on a CPU torch's gradients are wrong",
            where="trainer.precision",
            todo="leave it at auto, or set 32-true",
        )


def build_trainer(config: TrainerConfig, callbacks: list[pl.Callback]) -> pl.Trainer:
    """Return Lightning's trainer for these settings; what it would write, we write ourselves."""
    precision = precision_for(config)
    if precision.endswith("mixed") and torch.cuda.is_available():
        torch.set_float32_matmul_precision("high")  # what autocast leaves in 32 bit may be TF32
    return pl.Trainer(
        accelerator="auto",
        devices=_devices(config),
        strategy=_strategy(config),
        precision=precision,  # type: ignore[arg-type]
        max_epochs=config.epochs,
        accumulate_grad_batches=config.accumulate,
        gradient_clip_val=config.clip_gradient,
        callbacks=callbacks,
        plugins=[WholeCheckpoints()],
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        use_distributed_sampler=False,  # ours knows epochs, seeds and devices
    )


@contextmanager
def shared_cores(config: TrainConfig) -> Iterator[None]:
    """Leave cores to the loading processes.

    Torch takes all cores and its threads wait for each other: with one more process than cores,
    training on two of them was seen to fall to an eighth of its pace.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(max(1, min(before, num_cores() - num_workers(config.data.workers))))
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def explained(config: TrainConfig) -> Iterator[None]:
    """Say which setting helps against errors that torch words for its developers."""
    try:
        yield
    except torch.cuda.OutOfMemoryError as error:
        raise DogclipsError(
            "the GPU has too little memory",
            where=f"data.batch_size {config.data.batch_size}",
            todo="halve it and double trainer.accumulate",
        ) from error
    except RuntimeError as error:
        if "DataLoader worker" not in str(error):
            raise
        raise DogclipsError(
            "a loading process was killed, most likely for want of memory",
            where="data.workers",
            todo="lower data.workers, or data.batch_size",
        ) from error


def _devices(config: TrainerConfig) -> int | str:
    if config.devices == "auto" and not torch.cuda.is_available():
        return 1
    return config.devices


def _strategy(config: TrainerConfig) -> Strategy | str:
    several = torch.cuda.device_count() > 1 if config.devices == "auto" else config.devices > 1
    if config.strategy == "auto" and not several:
        return "auto"
    nccl = torch.cuda.is_available() and torch.distributed.is_nccl_available()
    return DDPStrategy(process_group_backend="nccl" if nccl else "gloo")
