"""What a training is made of, lists and a network, and what its folder says about it."""

import platform
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

import lightning.pytorch as pl
import numpy as np
import pandas as pd
import torch
from lightning.pytorch.callbacks import LambdaCallback

from dogclips import __version__
from dogclips.errors import ConfigError, DogclipsError
from dogclips.events import Advanced, Began, Ended, Progress
from dogclips.files import file_digest
from dogclips.lists import ClipList, read_list
from dogclips.lists.sessions import clip_facts
from dogclips.lists.verdicts import listed_by_verdict
from dogclips.loading.checking import CheckLevel, check_clips
from dogclips.media.excerpt import FrameTimes
from dogclips.models import build_model
from dogclips.models.weights.fitting import load_weights
from dogclips.records.manifest import ManifestIndex
from dogclips.records.predictions import Provenance, with_provenance
from dogclips.records.run_folder import ListFacts, RunFacts, SkippedClip
from dogclips.records.run_start import RunStart
from dogclips.records.weights import LoadedWeights
from dogclips.scores.clip_scores import Predictions
from dogclips.training.callbacks import has_tensorboard, moving_average
from dogclips.training.checkpoints import check_labels
from dogclips.training.config import ScheduleConfig, TrainConfig
from dogclips.training.data import sampling_warning
from dogclips.training.loading_plan import loading_line, num_workers
from dogclips.training.losses import check_answers, loss_tasks, pos_weight
from dogclips.training.machine import (
    check_precision,
    errors_explained,
    machine_for,
    shared_cores,
    without_chatter,
)
from dogclips.training.module import ClipClassifier, ShardedClassifier
from dogclips.training.optimizers import gathered, learning_rates, num_batches

NO_EVENTS = "no TensorBoard events: they need the extra dogclips[tensorboard]"
PACKAGES = ("torchvision", "lightning", "av", "numpy")


@dataclass(frozen=True)
class TrainingLists:
    """The clips of a run."""

    #: To learn from, and to score after every epoch.
    train: ClipList
    val: ClipList
    #: Clips of both that do not decode or are unwanted, each with the reason; they are in neither.
    skipped: tuple[tuple[str, str], ...] = ()
    warning: str | None = None  #: What the user should know about the others


def epoch_task(tell: Progress) -> pl.Callback:
    """Return what tells of the batches of each epoch as of a task, which ends before its row."""
    return LambdaCallback(
        # Later batches are counted from here, also in an epoch that goes on.
        on_train_epoch_start=lambda trainer, _: tell(
            Began(f"epoch {trainer.current_epoch + 1}", int(trainer.num_training_batches))
        ),
        on_train_batch_end=lambda *_: tell(Advanced(1)),
        on_train_epoch_end=lambda *_: tell(Ended()),
        on_exception=lambda *_: tell(Ended()),
    )


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
    loaded = load_weights(model, Path(weights), clips.labels) if weights else None
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
    """Return the lists without clips of unwanted verdicts.

    Those that do not decode are left out, too, if the settings allow to skip them.
    """
    found: dict[str, str] = {}
    kept: list[ClipList] = []
    timelines: list[FrameTimes] = []
    for listed in dict.fromkeys((lists.train, lists.val)):
        clips, unwanted = listed_by_verdict(listed, config.data.verdicts, "data.verdicts")
        found |= unwanted
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
    """Return the settings without what makes clips hard to learn, to overfit them."""
    if config.trainer.overfit is None:
        return config
    augment = config.data.augment.model_copy(update={"mixup": 0.0, "cutmix": 0.0})
    data = config.data.model_copy(update={"augment": augment, "balance": 0.0})
    loss = config.loss.model_copy(update={"smoothing": 0.0})
    schedule = ScheduleConfig(name="constant", warmup_epochs=config.schedule.warmup_epochs)
    return config.model_copy(update={"data": data, "loss": loss, "schedule": schedule})


def read_train_list(config: TrainConfig) -> ClipList:
    """Return the clips to train on: all, or the first few, to overfit them."""
    clips = _read_list(config, "data.train", config.data.train)
    return replace(clips, clips=clips.clips[: config.trainer.overfit])


def _read_list(config: TrainConfig, key: str, file: Path | None) -> ClipList:
    if file is None:
        kind = "training" if key == "data.train" else "validation"
        todo = f"pass --{key.removeprefix('data.')} LIST, or set {key}"
        raise ConfigError(f"no {kind} list", where=key, todo=todo)
    clips = read_list(file, config.data.root)
    check_answers(clips, loss_tasks(config.loss, clips.labels, clips.with_task))
    return clips


def run_start(
    config: TrainConfig, lists: TrainingLists, module: ClipClassifier, loaded: LoadedWeights | None
) -> RunStart:
    """Return what a run has decided before its first step."""
    machine = machine_for(config.trainer)
    batches = num_batches(config, len(lists.train.clips), machine.num_processes)
    accumulate = gathered(config, batches)
    return RunStart(
        machine=machine,
        batch_size=config.data.batch_size,
        accumulate=accumulate,
        learning=learning_rates(module.model, config, machine.num_processes, accumulate),
        num_train=len(lists.train.clips),
        num_val=len(lists.val.clips),
        skipped=lists.skipped,
        loading=loading_line(config),
        warning=lists.warning,
        weights=loaded,
        note="" if has_tensorboard() else NO_EVENTS,
    )


def run_facts(
    config: TrainConfig, lists: TrainingLists, start: RunStart, module: ClipClassifier
) -> RunFacts:
    """Return what a run folder says about itself."""
    torch_version = str(torch.__version__)  # with its build
    return RunFacts(
        command=tuple(sys.argv),
        labels=module.labels,
        tasks=module.tasks,
        lists={"train": _list_facts(lists.train), "val": _list_facts(lists.val)},
        skipped=tuple(SkippedClip(*skipped) for skipped in lists.skipped),
        input=module.model.expects.as_plain(),
        protocol=config.protocol,
        seed=config.seed,
        parameters={"all": start.learning.num_params, "trained": start.learning.num_trained},
        machine=start.machine,
        versions={
            "dogclips": __version__,
            "python": platform.python_version(),
            "torch": torch_version,
            **{name: version(name) for name in PACKAGES},
        },
        weights=None if start.weights is None else str(start.weights.path),
    )


def _list_facts(clips: ClipList) -> ListFacts:
    digest = file_digest(clips.path)
    return ListFacts(clips.path.absolute(), digest, len(clips.clips))


def what_was_scored(module: ClipClassifier, clips: ClipList) -> Predictions:
    """Return what a module has just said of a list."""
    if module.predictions is None:
        raise DogclipsError("nothing was scored", where=clips.path, todo="check the list")
    return module.predictions


def predictions_table(
    module: ClipClassifier,
    clips: ClipList,
    thresholds: Sequence[float | None],
    checkpoint: Path,
) -> pd.DataFrame:
    """Return one row a clip and label of a list that a module has just scored.

    Thresholds are those of the validation list. Columns are `CLIP_PREDICTION_COLUMNS`;
    `table.attrs` holds the fields of `Provenance`.
    """
    predictions = what_was_scored(module, clips)
    paths, num_labels = [clips.clips[n].path for n in module.scored], len(clips.labels)
    index = ManifestIndex()
    rows = pd.DataFrame(
        [{"clip": str(path), **clip_facts(path, index)} for path in paths],
        columns=["clip", "recording", "start_s", "end_s"],
    )
    table = rows.loc[np.repeat(rows.index, num_labels)].reset_index(drop=True)
    table["label"] = list(clips.labels) * len(paths)
    table["target"] = predictions.target_NK.ravel()
    table["probability"] = predictions.probability_NK.ravel()
    kept = [float("nan") if one is None else one for one in thresholds]
    table["threshold"] = kept * len(paths)
    listed = clips.path.absolute()
    provenance = Provenance(
        protocol=module.config.protocol,
        list=str(listed),
        list_sha256=file_digest(listed),
        checkpoint=str(checkpoint.absolute()),
    )
    return with_provenance(table, provenance)
