"""Train a model into a run folder, and test what lies in one."""

# `test` is named after its command and is no test function.
# ruff: noqa: PT028

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import pandas as pd
import torch
from lightning.pytorch.callbacks import EMAWeightAveraging
from lightning.pytorch.strategies import DDPStrategy, Strategy
from torch import Tensor

from dogclips.config import merge, validate, write_config
from dogclips.errors import CheckpointError, ConfigError, DogclipsError, ListError, OutputError
from dogclips.files import write_whole
from dogclips.lists import ClipList, read_list
from dogclips.models import build_model
from dogclips.models.checkpoint_files import METADATA, read_checkpoint
from dogclips.models.weights import LoadedWeights, load_weights
from dogclips.reports.training import EpochRecord, TestReport
from dogclips.training.callbacks import (
    BEST,
    LAST,
    EpochProgress,
    OnEpoch,
    RunRecorder,
    WholeCheckpoints,
)
from dogclips.training.config import TrainConfig, TrainerConfig
from dogclips.training.data import ClipData, num_cores, num_workers
from dogclips.training.metrics import Predictions, score
from dogclips.training.module import ClipClassifier
from dogclips.training.quiet import quiet_lightning


@dataclass(frozen=True)
class TrainedRun:
    """A finished training run.

    Parameters
    ----------
    run_dir
        Where everything lies.
    records
        One row an epoch.
    report
        Scores on the validation list at the best epoch, whose weights `best.ckpt` holds.
    weights
        What was taken from the file of initial weights, if one was given.
    """

    run_dir: Path
    records: tuple[EpochRecord, ...]
    report: TestReport
    weights: LoadedWeights | None = None

    @property
    def best(self) -> EpochRecord:
        """Return the row of the best epoch."""
        return [record for record in self.records if record.best][-1]


@dataclass(frozen=True)
class TestResult:
    """Scores of a checkpoint on a list.

    Parameters
    ----------
    report
        Scores and protocol.
    predictions
        One row a clip and label: path, label, target (bool), probability.
    checkpoint
        The file that was tested.
    """

    __test__ = False  # no test class, whatever pytest thinks

    report: TestReport
    predictions: pd.DataFrame
    checkpoint: Path


def train(
    config: TrainConfig,
    run_dir: Path,
    *,
    resume: bool = False,
    weights: Path | None = None,
    on_start: Callable[[LoadedWeights | None], None] | None = None,
    on_epoch: OnEpoch | None = None,
) -> TrainedRun:
    """Train a model and write everything about it to `run_dir`.

    Parameters
    ----------
    config
        With both lists named.
    run_dir
        Gets config.yaml, metrics.csv, metrics.json, checkpoints and TensorBoard events.
    resume
        Go on from `last.ckpt` if there is one; the result is that of an unbroken run.
    weights
        File or folder of initial weights, as `load_weights` takes them. Never an optimizer state.
    on_start
        Called once the model stands, with what became of `weights`.
    on_epoch
        Called with the row of every epoch.

    Raises
    ------
    ConfigError, ListError, ModelError, CheckpointError, OutputError
        Before anything is trained.
    MediaError
        A clip does not decode; its path is named.
    """
    train_list, val_list = _read_lists(config)
    last = _last_checkpoint(run_dir, config, train_list, resume=resume)
    torch.manual_seed(config.seed)
    _check_precision(config.trainer)
    size, clip_len = config.data.size, config.data.sampling.clip_len
    model = build_model(config.model, len(train_list.labels), clip_len, size)
    loaded = load_weights(model, weights) if weights else None
    if on_start is not None:
        on_start(loaded)
    module = ClipClassifier(model, config, train_list.labels, pos_weight(config, train_list))
    recorder = RunRecorder(run_dir, on_epoch)
    with quiet_lightning(), _explained(config), _shared_cores(config):
        trainer = _trainer(config.trainer, _callbacks(config, recorder))
        if trainer.is_global_zero:
            write_config(config, run_dir / "config.yaml")
        data = ClipData(config, train=train_list, val=val_list)
        trainer.fit(module, datamodule=data, ckpt_path=last, weights_only=True)
    if recorder.best_report is None:
        raise DogclipsError("nothing was trained", where=run_dir, todo="raise trainer.epochs")
    run = TrainedRun(run_dir, tuple(recorder.records), recorder.best_report, loaded)
    if trainer.is_global_zero:
        write_whole(run_dir / "metrics.json", json.dumps(_summary(run), indent=2) + "\n")
    return run


def test(
    source: Path,
    list_path: Path,
    *,
    evaluation: Mapping[str, Any] | None = None,
    batch_size: int | None = None,
    workers: int | None = None,
) -> TestResult:
    """Score a run's best checkpoint, or any one, on a list.

    Parameters
    ----------
    source
        A run folder or a checkpoint.
    list_path
        The list; its labels are those of the training list.
    evaluation
        Keys of the evaluation config that differ from those of the training, such as views.
    batch_size, workers
        In place of those of the training.

    Raises
    ------
    CheckpointError, ListError
        Before anything is scored.
    MediaError
        A clip does not decode; its path is named.
    """
    checkpoint = source / BEST if source.is_dir() else source
    held = read_checkpoint(checkpoint)
    metadata = _metadata(held, checkpoint)
    changes = {"batch_size": batch_size, "workers": workers}
    given = {key: value for key, value in changes.items() if value is not None}
    tree = merge(metadata["config"], {"evaluation": evaluation or {}, "data": given})
    config = validate(TrainConfig, tree, where=f"config in {checkpoint}")
    clips = read_list(list_path, config.data.root)
    _check_labels(clips, metadata["labels"], list_path, checkpoint)
    module = _rebuilt(config, metadata["labels"], held, checkpoint)
    with quiet_lightning(), _explained(config), _shared_cores(config):
        # One device scores every clip once; shares of a list would have to be filled up.
        trainer = _trainer(config.trainer.model_copy(update={"devices": 1, "strategy": "auto"}), [])
        trainer.validate(module, datamodule=ClipData(config, val=clips), verbose=False)
    if module.predictions is None:
        raise DogclipsError("nothing was scored", where=list_path, todo="check the list")
    report = score(module.predictions, clips.labels, config.protocol, metadata["thresholds"])
    return TestResult(report, _table(module.predictions, clips), checkpoint)


def pos_weight(config: TrainConfig, clips: ClipList) -> Tensor | None:
    """Return how many times a positive of each class counts in the loss (K,)."""
    wanted, num_labels = config.loss.pos_weight, len(clips.labels)
    if wanted is None:
        return None
    if wanted != "balanced":
        return torch.full((num_labels,), float(wanted))
    carried = [label for clip in clips.clips for label in set(clip.labels)]
    positives = torch.bincount(torch.tensor(carried, dtype=torch.long), minlength=num_labels)
    # A class that nobody carries, or everybody, is left as it is.
    ratio = (len(clips.clips) - positives) / positives.clamp(min=1)
    return torch.where((positives > 0) & (ratio > 0), ratio, 1.0)


def precision_for(config: TrainerConfig) -> str:
    """Return the precision that `auto` means on this machine."""
    if config.precision != "auto":
        return config.precision
    if not torch.cuda.is_available():
        return "32-true"
    return "bf16-mixed" if torch.cuda.is_bf16_supported() else "16-mixed"


def _check_precision(config: TrainerConfig) -> None:
    """Refuse what torch computes wrong: on CPUs gradients of convolutions over time in 16 bits.

    Seen in torch 2.15: for a `Conv3d` with a (3, 1, 1) kernel 40 of 50 were garbage.
    """
    if config.precision.endswith("mixed") and not torch.cuda.is_available():
        raise ConfigError(
            f"{config.precision} needs a GPU: on a CPU torch's gradients are wrong",
            where="trainer.precision",
            todo="leave it at auto, or set 32-true",
        )


def _read_lists(config: TrainConfig) -> tuple[ClipList, ClipList]:
    files = []
    for key, file in (("data.train", config.data.train), ("data.val", config.data.val)):
        if file is None:
            raise ConfigError("no list to train with", where=key, todo=f"set {key} to a list file")
        files.append(file)
    train_list, val_list = (read_list(file, config.data.root) for file in files)
    _check_labels(val_list, train_list.labels, *reversed(files))
    return train_list, val_list


def _check_labels(
    clips: ClipList, labels: tuple[str, ...] | list[str], path: Path, source: Path
) -> None:
    if list(clips.labels) == list(labels):
        return
    differing = sorted(set(clips.labels) ^ set(labels)) or ["their order"]
    raise ListError(
        f"the labels differ from those of {source}: {', '.join(differing)}",
        where=path,
        todo="make both lists with one `dogclips split`, beside the same labels.txt",
    )


def _last_checkpoint(
    run_dir: Path, config: TrainConfig, clips: ClipList, *, resume: bool
) -> Path | None:
    """Return the checkpoint to go on from, None for a fresh start."""
    last = run_dir / LAST
    if not last.exists():
        return None
    if not resume:
        raise OutputError(
            "the folder already holds a training run",
            where=run_dir,
            todo="go on with --resume, or choose another folder",
        )
    metadata = _metadata(read_checkpoint(last), last)
    held = validate(TrainConfig, metadata["config"], where=f"config in {last}")
    _check_labels(clips, metadata["labels"], config.data.train or run_dir, last)
    if (held.model, held.data.sampling, held.data.size) != (
        config.model,
        config.data.sampling,
        config.data.size,
    ):
        raise CheckpointError(
            "the run was started with another model, clip_len or size",
            where=last,
            todo="resume with its config.yaml, or choose another folder",
        )
    return last


def _metadata(held: Mapping[str, Any], checkpoint: Path) -> Mapping[str, Any]:
    metadata = held.get(METADATA)
    if not isinstance(metadata, Mapping):
        raise CheckpointError(
            "no checkpoint of dogclips train: it names no labels",
            where=checkpoint,
            todo="use it as --weights of a training",
        )
    return metadata


def _rebuilt(
    config: TrainConfig, labels: list[str], held: Mapping[str, Any], checkpoint: Path
) -> ClipClassifier:
    """Return the module of a checkpoint with its weights."""
    size, clip_len = config.data.size, config.data.sampling.clip_len
    model = build_model(config.model, len(labels), clip_len, size)
    module = ClipClassifier(model, config, labels)
    module.on_load_checkpoint(dict(held))
    try:
        module.load_state_dict(held["state_dict"])
    except (KeyError, RuntimeError) as error:
        raise CheckpointError(
            "the weights do not fit the model that the checkpoint names",
            where=checkpoint,
            todo="train again or use another checkpoint",
        ) from error
    return module


def _callbacks(config: TrainConfig, recorder: RunRecorder) -> list[pl.Callback]:
    callbacks: list[pl.Callback] = []
    if config.trainer.ema is not None:
        callbacks.append(EMAWeightAveraging(decay=config.trainer.ema))
    if EpochProgress.wanted():
        callbacks.append(EpochProgress())
    return [*callbacks, recorder]


def _trainer(config: TrainerConfig, callbacks: list[pl.Callback]) -> pl.Trainer:
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


@contextmanager
def _shared_cores(config: TrainConfig) -> Iterator[None]:
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
def _explained(config: TrainConfig) -> Iterator[None]:
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


def _summary(run: TrainedRun) -> dict[str, Any]:
    return {"best_epoch": run.best.epoch, "epochs": len(run.records), "val": asdict(run.report)}


def _table(predictions: Predictions, clips: ClipList) -> pd.DataFrame:
    """Return one row a clip and label, in the order of the list."""
    num_labels = len(clips.labels)
    return pd.DataFrame(
        {
            "path": [str(clip.path) for clip in clips.clips for _ in range(num_labels)],
            "label": list(clips.labels) * len(clips.clips),
            "target": predictions.target_NK.bool().flatten().numpy(),
            "probability": predictions.probability_NK.flatten().numpy(),
        }
    )
