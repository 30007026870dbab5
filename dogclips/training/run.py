"""What a training is made of before its first step: lists, a network, a state to go on from."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import torch

from dogclips.errors import ConfigError
from dogclips.events import Advanced, Began, Ended, Progress
from dogclips.lists import ClipList, read_list
from dogclips.loading.checking import CheckLevel, check_clips
from dogclips.media.excerpt import FrameTimes
from dogclips.models import build_model
from dogclips.models.weights.fitting import LoadedWeights, load_weights
from dogclips.training.augmentation import sampling_warning
from dogclips.training.callbacks import moving_average
from dogclips.training.checkpoints import check_labels
from dogclips.training.config import ScheduleConfig, TrainConfig
from dogclips.training.loading_plan import num_workers
from dogclips.training.losses import check_answers, loss_tasks, pos_weight
from dogclips.training.machine import (
    check_precision,
    errors_explained,
    shared_cores,
    without_chatter,
)
from dogclips.training.module import ClipClassifier, ShardedClassifier
from dogclips.training.run_facts import TrainingLists


class EpochTask(pl.Callback):
    """Tells of the batches of each epoch as of a task."""

    def __init__(self, tell: Progress) -> None:
        self._tell = tell

    def on_train_epoch_start(self, trainer: pl.Trainer, *_: Any) -> None:
        """Begin; later batches are counted from here, also in an epoch that goes on."""
        self._tell(Began(f"epoch {trainer.current_epoch + 1}", int(trainer.num_training_batches)))

    def on_train_batch_end(self, *_: Any) -> None:
        """Count a batch."""
        self._tell(Advanced(1))

    def on_train_epoch_end(self, *_: Any) -> None:
        """End before the row of the epoch is told."""
        self._tell(Ended())

    def on_exception(self, *_: Any) -> None:
        """End before the error is told."""
        self._tell(Ended())


@contextmanager
def on_this_machine(config: TrainConfig) -> Iterator[None]:
    """Share the cores, keep Lightning silent and explain torch's errors inside the block."""
    with without_chatter(), errors_explained(config), shared_cores(config):
        yield


def build_module(
    config: TrainConfig, clips: ClipList, weights: str | Path | None
) -> tuple[ClipClassifier, LoadedWeights | None]:
    """Return a module in its first state, and what was taken from a file of weights."""
    torch.manual_seed(config.seed)
    check_precision(config.trainer)
    size, clip_len = config.data.size, config.data.sampling.clip_len
    model = build_model(config.model, len(clips.labels), clip_len, size)
    loaded = load_weights(model, Path(weights)) if weights else None
    kind = ShardedClassifier if config.trainer.strategy == "fsdp" else ClipClassifier
    weight = pos_weight(config, clips)
    return kind(model, config, clips.labels, weight, clips.with_task), loaded


def weight_averaging(config: TrainConfig) -> list[pl.Callback]:
    """Return what keeps a moving average of the weights, if the settings want one."""
    decay = config.trainer.ema
    return [] if decay is None else [moving_average(decay)]


def read_lists(config: TrainConfig) -> TrainingLists:
    """Return the clips to train and to validate on."""
    train_list = read_train_list(config)
    if config.trainer.overfit is not None:
        return TrainingLists(train_list, train_list)
    val_list = _read_list(config, "data.val", config.data.val)
    check_labels(val_list, train_list.labels, val_list.path, train_list.path)
    return TrainingLists(train_list, val_list)


def checked_lists(
    config: TrainConfig, lists: TrainingLists, level: CheckLevel, on_checked: Callable[[int], None]
) -> TrainingLists:
    """Return the lists without the clips that do not decode, if the settings allow to skip them."""
    found: dict[str, str] = {}
    kept: list[ClipList] = []
    timelines: list[FrameTimes] = []
    for clips in dict.fromkeys((lists.train, lists.val)):
        workers = num_workers(config.data.workers)
        check = check_clips(
            clips, level, source=config.data.source, workers=workers, progress=on_checked
        )
        error = check.error()
        if error is not None and config.data.on_bad_clip == "error":
            raise error
        kept.append(check.kept(clips))
        timelines += check.timelines
        found |= dict(zip(check.bad["path"], check.bad["reason"], strict=True))
    warning = sampling_warning(config.data, timelines)
    return TrainingLists(kept[0], kept[-1], tuple(found.items()), warning)


def named_lists(
    config: TrainConfig, train: str | Path | None = None, val: str | Path | None = None
) -> TrainConfig:
    """Return the settings with these lists in place of their own."""
    given = {"train": train, "val": val}
    lists = {name: Path(path) for name, path in given.items() if path is not None}
    return config.model_copy(update={"data": config.data.model_copy(update=lists)})


def overfit_settings(config: TrainConfig) -> TrainConfig:
    """Return the settings without what makes clips hard to learn, if they are learned by heart."""
    if config.trainer.overfit is None:
        return config
    augment = config.data.augment.model_copy(update={"mixup": 0.0, "cutmix": 0.0})
    data = config.data.model_copy(update={"augment": augment, "balance": 0.0})
    loss = config.loss.model_copy(update={"smoothing": 0.0})
    schedule = ScheduleConfig(name="constant", warmup_epochs=config.schedule.warmup_epochs)
    return config.model_copy(update={"data": data, "loss": loss, "schedule": schedule})


def read_train_list(config: TrainConfig) -> ClipList:
    """Return the clips to train on: all, or the first that are to be learned by heart."""
    clips = _read_list(config, "data.train", config.data.train)
    return replace(clips, clips=clips.clips[: config.trainer.overfit])


def _read_list(config: TrainConfig, key: str, file: Path | None) -> ClipList:
    if file is None:
        raise ConfigError("no list to train with", where=key, todo=f"set {key} to a list file")
    clips = read_list(file, config.data.root)
    check_answers(clips, loss_tasks(config.loss, clips.labels, clips.with_task))
    return clips
