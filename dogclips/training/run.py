"""Train a model into a run folder."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import torch
from lightning.pytorch.callbacks import EMAWeightAveraging

from dogclips.config import validate, write_config
from dogclips.errors import CheckpointError, ConfigError, DogclipsError, OutputError
from dogclips.files import write_whole
from dogclips.lists import ClipList, read_list
from dogclips.models import build_model
from dogclips.models.checkpoint_files import read_checkpoint
from dogclips.models.weights import LoadedWeights, load_weights
from dogclips.reports.training import EpochRecord, TestReport
from dogclips.training.callbacks import LAST, EpochProgress, OnEpoch, RunRecorder
from dogclips.training.checkpoints import check_labels, metadata_of
from dogclips.training.config import TrainConfig
from dogclips.training.data import ClipData
from dogclips.training.losses import pos_weight
from dogclips.training.machine import build_trainer, check_precision, explained, shared_cores
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
    check_precision(config.trainer)
    size, clip_len = config.data.size, config.data.sampling.clip_len
    model = build_model(config.model, len(train_list.labels), clip_len, size)
    loaded = load_weights(model, weights) if weights else None
    if on_start is not None:
        on_start(loaded)
    module = ClipClassifier(model, config, train_list.labels, pos_weight(config, train_list))
    recorder = RunRecorder(run_dir, on_epoch)
    with quiet_lightning(), explained(config), shared_cores(config):
        trainer = build_trainer(config.trainer, _callbacks(config, recorder))
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


def _read_lists(config: TrainConfig) -> tuple[ClipList, ClipList]:
    files = []
    for key, file in (("data.train", config.data.train), ("data.val", config.data.val)):
        if file is None:
            raise ConfigError("no list to train with", where=key, todo=f"set {key} to a list file")
        files.append(file)
    train_list, val_list = (read_list(file, config.data.root) for file in files)
    check_labels(val_list, train_list.labels, *reversed(files))
    return train_list, val_list


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
    metadata = metadata_of(read_checkpoint(last), last)
    held = validate(TrainConfig, metadata["config"], where=f"config in {last}")
    check_labels(clips, metadata["labels"], config.data.train or run_dir, last)
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


def _callbacks(config: TrainConfig, recorder: RunRecorder) -> list[pl.Callback]:
    callbacks: list[pl.Callback] = []
    if config.trainer.ema is not None:
        callbacks.append(EMAWeightAveraging(decay=config.trainer.ema))
    if EpochProgress.wanted():
        callbacks.append(EpochProgress())
    return [*callbacks, recorder]


def _summary(run: TrainedRun) -> dict[str, Any]:
    return {"best_epoch": run.best.epoch, "epochs": len(run.records), "val": asdict(run.report)}
