"""What a training runs on: devices, precision, processes, and their errors in plain words."""

import io
import logging
import os
import platform
import socket
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import torch
from lightning.fabric.plugins.environments.slurm import SLURMEnvironment
from lightning.fabric.plugins.io.torch_io import TorchCheckpointIO
from lightning.pytorch.strategies import DDPStrategy, ModelParallelStrategy, Strategy

from dogclips.errors import ConfigError, DogclipsError
from dogclips.files import whole_file
from dogclips.records.run_start import Machine
from dogclips.training.config import TrainConfig, TrainerConfig
from dogclips.training.loading_plan import num_cores, plan_loading


def machine_for(config: TrainerConfig, environment: Mapping[str, str] = os.environ) -> Machine:
    """Return what the settings mean on this machine, where torchrun or SLURM may have said more."""
    cuda = torch.cuda.is_available()
    devices, num_nodes, strategy = config.devices, config.num_nodes, config.strategy
    launched = _launched(environment)
    if launched is not None:
        if devices not in ("auto", launched[0]) or num_nodes not in (1, launched[1]):
            raise ConfigError(
                f"{launched[0]} processes on each of {launched[1]} machines were started",
                where="trainer.devices, trainer.num_nodes",
                todo="leave both out: torchrun and SLURM decide",
            )
        devices, num_nodes = launched
    if devices == "auto":
        devices = torch.cuda.device_count() if cuda else 1
    if strategy == "auto" and devices * num_nodes > 1:
        strategy = "ddp"
    backend, remark = backend_for(cuda=cuda, nccl=torch.distributed.is_nccl_available())
    alone = strategy == "auto"
    cpu = f"CPU ({platform.machine()}), {torch.get_num_threads()} threads"
    return Machine(
        device=torch.cuda.get_device_name() if cuda else cpu,
        devices=devices,
        num_nodes=num_nodes,
        strategy=strategy,
        backend=None if alone else backend,
        precision=precision_for(config),
        remark="" if alone else remark,
    )


def backend_for(*, cuda: bool, nccl: bool) -> tuple[str, str]:
    """Return what processes talk through, and a remark if it is not what one would expect.

    >>> backend_for(cuda=True, nccl=True)
    ('nccl', '')
    """
    if cuda and nccl:
        return "nccl", ""
    if cuda:
        return "gloo", "this torch has no NCCL: the GPUs talk through gloo, which is slower"
    return "gloo", ""


def is_first_process() -> bool:
    """Return whether this is the first process of a training on several devices, or the only one.

    Lightning starts the same program once for each further device, as torchrun and SLURM do.
    """
    names = ("RANK", "LOCAL_RANK", "NODE_RANK", "SLURM_PROCID")
    return all(os.environ.get(name, "0") == "0" for name in names)


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


class WholeCheckpoints(TorchCheckpointIO):
    """Checkpoints that are whole or not there, as every file of ours."""

    def save_checkpoint(
        self,
        checkpoint: dict[str, Any],
        path: str | Path,
        storage_options: Any | None = None,
    ) -> None:
        """Write beside `path`, then rename; Lightning copies over from another disk."""
        del storage_options
        held = io.BytesIO()  # torch wraps a full disk into an error of its own
        torch.save(checkpoint, held)
        with whole_file(Path(path)) as part:
            part.write_bytes(held.getbuffer())


def build_trainer(config: TrainerConfig, callbacks: list[pl.Callback], **more: Any) -> pl.Trainer:
    """Return Lightning's trainer for these settings; what it would write, we write ourselves.

    `more` are limits for runs that only try something.
    """
    machine = machine_for(config)
    if machine.precision.endswith("mixed") and torch.cuda.is_available():
        torch.set_float32_matmul_precision("high")  # what autocast leaves in 32 bit may be TF32
    # Our own signals write a checkpoint; Lightning would also queue the job again.
    slurm = [SLURMEnvironment(auto_requeue=False)] if SLURMEnvironment.detect() else []
    settings: dict[str, Any] = {"max_epochs": config.epochs, **more}
    return pl.Trainer(
        accelerator="auto",
        devices=machine.devices,
        num_nodes=machine.num_nodes,
        strategy=_strategy(machine),
        precision=machine.precision,  # type: ignore[arg-type]
        accumulate_grad_batches=config.accumulate,
        gradient_clip_val=config.clip_gradient,
        callbacks=callbacks,
        plugins=[WholeCheckpoints(), *slurm],
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        use_distributed_sampler=False,  # ours knows epochs, seeds and devices
        **settings,
    )


@contextmanager
def shared_cores(config: TrainConfig) -> Iterator[None]:
    """Leave cores to the loading processes, and to other training processes.

    Torch takes all cores and its threads wait for each other: with one more process than cores,
    training on two of them was seen to fall to an eighth of its pace.
    """
    before = torch.get_num_threads()
    share = num_cores() // machine_for(config.trainer).devices - plan_loading(config).workers
    torch.set_num_threads(max(1, min(before, share)))
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def errors_explained(config: TrainConfig) -> Iterator[None]:
    """Say which setting helps against errors that torch words for its developers."""
    try:
        yield
    except torch.cuda.OutOfMemoryError as error:
        raise DogclipsError(
            "the GPU has too little memory",
            where=f"data.batch_size {config.data.batch_size}",
            todo="halve it and double trainer.accumulate",
        ) from error
    except (RuntimeError, ConnectionError, EOFError) as error:
        # The last two, when a process dies while it hands over a batch.
        if isinstance(error, RuntimeError) and "DataLoader worker" not in str(error):
            raise
        raise DogclipsError(
            "a loading process was killed, most likely because memory ran out",
            where="data.workers",
            todo="lower data.workers, or data.batch_size",
        ) from error


def _check_port() -> None:
    """Refuse a given port that somebody else holds, before other processes wait for it in vain.

    Without MASTER_PORT a free one is taken; torchrun holds its own.
    """
    port = os.environ.get("MASTER_PORT")
    if port is None or not is_first_process() or torch.distributed.is_torchelastic_launched():
        return
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("", int(port)))
        except (OSError, ValueError, OverflowError) as error:
            reason = error.strerror if isinstance(error, OSError) else "no port number"
            raise DogclipsError(
                f"port {port} cannot be used: {reason}",
                where="MASTER_PORT",
                todo="unset it for a free one, or name another",
            ) from error


def _strategy(machine: Machine) -> Strategy | str:
    if machine.strategy == "auto":
        return "auto"
    _check_port()
    if machine.strategy == "fsdp":
        return ModelParallelStrategy(
            data_parallel_size=machine.num_processes,
            tensor_parallel_size=1,
            save_distributed_checkpoint=False,  # one file that `test` and `predict` read
            process_group_backend=machine.backend,
        )
    return DDPStrategy(process_group_backend=machine.backend)


def _launched(environment: Mapping[str, str]) -> tuple[int, int] | None:
    """Return processes on each machine and machines, where somebody else starts them."""
    if "TORCHELASTIC_RUN_ID" in environment:
        here = int(environment["LOCAL_WORLD_SIZE"])
        return here, int(environment["WORLD_SIZE"]) // here
    if SLURMEnvironment.detect():
        nodes = int(environment.get("SLURM_NNODES", "1"))
        return int(environment["SLURM_NTASKS"]) // nodes, nodes
    return None


TALKERS = (
    "lightning.pytorch.utilities.rank_zero",
    "lightning.fabric.utilities.rank_zero",
    "lightning.fabric.utilities.distributed",
)

CHATTER = (
    "💡 Tip",
    "GPU available",
    "TPU available",
    "HPU available",
    "Using bfloat16 Automatic Mixed Precision",
    "Using 16bit Automatic Mixed Precision",
    "`Trainer.fit` stopped",
    "Loading `train_dataloader` to estimate",
    "Restoring states from the checkpoint",
    "Restored all states from the checkpoint",
    "Found current_model_state in the checkpoint",
    "Initializing distributed",
    "-" * 100,  # a box around the number of processes
)


def _is_no_chatter(record: logging.LogRecord) -> bool:
    return not record.getMessage().strip().startswith(CHATTER)


@contextmanager
def without_chatter() -> Iterator[None]:
    """Hold back tips, and warnings about choices that we made on purpose, inside the block."""
    talkers = [logging.getLogger(name) for name in TALKERS]
    for talker in talkers:
        talker.addFilter(_is_no_chatter)
    try:
        with warnings.catch_warnings():
            # `data.workers` is chosen with the number of cores in view.
            warnings.filterwarnings("ignore", message=".*does not have many workers")
            # Lightning 2.6 asks torch 2.15 in a way that torch no longer likes.
            warnings.filterwarnings("ignore", message=".*treespec, LeafSpec.*is deprecated")
            # The loader is: our sampler begins where the epoch was left.
            warnings.filterwarnings("ignore", message=".*your dataloader is not resumable")
            yield
    finally:
        for talker in talkers:
            talker.removeFilter(_is_no_chatter)
