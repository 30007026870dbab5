"""Train a model into a run folder."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import lightning.pytorch as pl
import torch

from dogclips.config import validate
from dogclips.errors import CheckpointError, ConfigError, DogclipsError, OutputError
from dogclips.lists import ClipList, read_list
from dogclips.loading.checking import Level, check_clips
from dogclips.loading.excerpts import Timeline
from dogclips.models import build_model
from dogclips.models.weights.files import read_checkpoint
from dogclips.models.weights.fitting import LoadedWeights, load_weights
from dogclips.records.clip_predictions import PREDICTIONS, write_predictions
from dogclips.records.run_folder import RunMetrics, write_facts, write_metrics
from dogclips.records.run_start import RunStart
from dogclips.records.settings import write_settings
from dogclips.records.training_run import EpochRecord, TestReport
from dogclips.training.callbacks import (
    BEST,
    LAST,
    EpochProgress,
    OnEpoch,
    RunRecorder,
    moving_average,
)
from dogclips.training.checkpoints import check_labels, check_resumable, metadata_of
from dogclips.training.config import ScheduleConfig, TrainConfig
from dogclips.training.data import ClipData, sampling_warning
from dogclips.training.loading_plan import num_workers
from dogclips.training.losses import check_answers, loss_tasks, pos_weight
from dogclips.training.machine import (
    build_trainer,
    check_precision,
    explained,
    quiet_lightning,
    shared_cores,
)
from dogclips.training.module import ClipClassifier
from dogclips.training.predictions import predictions_table
from dogclips.training.run_facts import TrainingLists, run_facts, run_start
from dogclips.training.sharding import ShardedClassifier
from dogclips.training.stopping import stop_request


def _not_told(_what: object) -> None:
    pass


@dataclass(frozen=True)
class Watch:
    """Who is told what happens; on several devices, by the first only.

    Parameters
    ----------
    on_start
        Called once the model stands, with what the run has decided.
    on_epoch
        Called with the row of every epoch.
    on_checked
        Called with the number of clips that have just been looked at.
    """

    on_start: Callable[[RunStart], None] = _not_told
    on_epoch: OnEpoch = _not_told
    on_checked: Callable[[int], None] = _not_told


UNWATCHED = Watch()


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
    skipped
        Clips that do not decode and were left out, each with the reason.
    """

    run_dir: Path
    records: tuple[EpochRecord, ...]
    report: TestReport
    weights: LoadedWeights | None = None
    skipped: tuple[tuple[str, str], ...] = ()

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
    check: Level = "fast",
    watch: Watch = UNWATCHED,
) -> TrainedRun:
    """Train a model and write everything about it to `run_dir`.

    Parameters
    ----------
    config
        With both lists named.
    run_dir
        Gets config.yaml, run.json, metrics.csv, metrics.json, predictions.parquet, checkpoints and
        TensorBoard events.
    resume
        Go on from `last.ckpt` if there is one; the result is that of an unbroken run.
    weights
        File or folder of initial weights, as `load_weights` takes them. Never an optimizer state,
        and not read by a run that goes on.
    check
        How closely clips are looked at before: packets, every frame, or not at all.
    watch
        Is told what happens.

    Raises
    ------
    ConfigError, ListError, ModelError, CheckpointError, OutputError
        Before anything is trained.
    MediaError
        A clip does not decode; its path is named.
    StoppedError
        A signal came; the run can go on.
    """
    config = plain(config)
    lists = read_lists(config)
    last = _last_checkpoint(run_dir, config, lists.train, resume=resume)
    lists = checked(config, lists, check, watch)
    module, loaded = build_module(config, lists.train, None if last else weights)
    if last is not None:
        check_resumable(read_checkpoint(last), module, last)
    with quiet_lightning(), explained(config), shared_cores(config), stop_request() as stop:
        data = ClipData(config, train=lists.train, val=lists.val)
        recorder = RunRecorder(run_dir, data, stop, watch.on_epoch)
        trainer = build_trainer(config.trainer, _callbacks(config, recorder))
        start = run_start(config, lists, module, loaded)
        if trainer.is_global_zero:
            write_settings(config, run_dir)
            write_facts(run_facts(config, lists, start, module), run_dir)
            recorder.on_best = partial(_write_predictions, run_dir, lists.val, module)
        watch.on_start(start)
        trainer.fit(module, datamodule=data, ckpt_path=last, weights_only=True)
    if recorder.best_report is None:
        raise DogclipsError("nothing was trained", where=run_dir, todo="raise trainer.epochs")
    skipped = (*lists.skipped, *recorder.faults.items())
    run = TrainedRun(run_dir, tuple(recorder.records), recorder.best_report, loaded, skipped)
    if trainer.is_global_zero:
        facts = run_facts(config, replace(lists, skipped=skipped), start, module)
        write_facts(facts, run_dir)
        write_metrics(RunMetrics(run.best.epoch, len(run.records), run.report), run_dir)
    return run


def rehearse(
    config: TrainConfig,
    *,
    weights: Path | None = None,
    check: Level = "fast",
    watch: Watch = UNWATCHED,
) -> None:
    """Train and validate one batch, and write nothing.

    Raises
    ------
    DogclipsError
        As `train` would.
    """
    config = plain(config)
    lists = checked(config, read_lists(config), check, watch)
    module, loaded = build_module(config, lists.train, weights)
    with quiet_lightning(), explained(config), shared_cores(config):
        once = {"max_epochs": 1, "limit_train_batches": 1, "limit_val_batches": 1}
        trainer = build_trainer(config.trainer, _averaging(config), **once)
        watch.on_start(run_start(config, lists, module, loaded))
        trainer.fit(module, datamodule=ClipData(config, train=lists.train, val=lists.val))


def build_module(
    config: TrainConfig, clips: ClipList, weights: Path | None
) -> tuple[ClipClassifier, LoadedWeights | None]:
    """Return a module in its first state, and what was taken from a file of weights.

    Raises
    ------
    ConfigError, ModelError, CheckpointError
        The network cannot be built, or the weights are no weights.
    """
    torch.manual_seed(config.seed)
    check_precision(config.trainer)
    size, clip_len = config.data.size, config.data.sampling.clip_len
    model = build_model(config.model, len(clips.labels), clip_len, size)
    loaded = load_weights(model, weights) if weights else None
    kind = ShardedClassifier if config.trainer.strategy == "fsdp" else ClipClassifier
    weight = pos_weight(config, clips)
    return kind(model, config, clips.labels, weight, clips.with_task), loaded


def read_lists(config: TrainConfig) -> TrainingLists:
    """Return the clips to train and to validate on.

    Raises
    ------
    ConfigError, ListError
        A list is not named, is wrong, or has other labels than the other.
    """
    train_list = read_train_list(config)
    if config.trainer.overfit is not None:
        return TrainingLists(train_list, train_list)
    val_list = _read_list(config, "data.val", config.data.val)
    check_labels(val_list, train_list.labels, val_list.path, train_list.path)
    return TrainingLists(train_list, val_list)


def checked(config: TrainConfig, lists: TrainingLists, level: Level, watch: Watch) -> TrainingLists:
    """Return the lists without the clips that do not decode, if the settings allow to skip them.

    Raises
    ------
    MediaError
        A clip does not decode, and may not be skipped or is the last one.
    """
    found: dict[str, str] = {}
    kept: list[ClipList] = []
    timelines: list[Timeline] = []
    for clips in dict.fromkeys((lists.train, lists.val)):
        workers = num_workers(config.data.workers)
        check = check_clips(
            clips, level, source=config.data.source, workers=workers, progress=watch.on_checked
        )
        error = check.error()
        if error is not None and config.data.on_bad_clip == "error":
            raise error
        kept.append(check.kept(clips))
        timelines += check.timelines
        found |= dict(zip(check.bad["path"], check.bad["reason"], strict=True))
    warning = sampling_warning(config.data, timelines)
    return TrainingLists(kept[0], kept[-1], tuple(found.items()), warning)


def plain(config: TrainConfig) -> TrainConfig:
    """Return the settings without what makes clips hard to learn, if they are learned by heart."""
    if config.trainer.overfit is None:
        return config
    augment = config.data.augment.model_copy(update={"mixup": 0.0, "cutmix": 0.0})
    data = config.data.model_copy(update={"augment": augment, "balance": 0.0})
    loss = config.loss.model_copy(update={"smoothing": 0.0})
    schedule = ScheduleConfig(name="constant", warmup_epochs=config.schedule.warmup_epochs)
    return config.model_copy(update={"data": data, "loss": loss, "schedule": schedule})


def read_train_list(config: TrainConfig) -> ClipList:
    """Return the clips to train on: all, or the first that are to be learned by heart.

    Raises
    ------
    ConfigError, ListError
        The list is not named, or is wrong.
    """
    clips = _read_list(config, "data.train", config.data.train)
    return replace(clips, clips=clips.clips[: config.trainer.overfit])


def _read_list(config: TrainConfig, key: str, file: Path | None) -> ClipList:
    if file is None:
        raise ConfigError("no list to train with", where=key, todo=f"set {key} to a list file")
    clips = read_list(file, config.data.root)
    check_answers(clips, loss_tasks(config.loss, clips.labels, clips.with_task))
    return clips


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
    progress = [EpochProgress()] if EpochProgress.wanted() else []
    return [*_averaging(config), *progress, recorder]


def _averaging(config: TrainConfig) -> list[pl.Callback]:
    decay = config.trainer.ema
    return [] if decay is None else [moving_average(decay)]


def _write_predictions(run_dir: Path, clips: ClipList, module: ClipClassifier) -> None:
    """Write what the best epoch said of the validation list."""
    if module.predictions is None:
        return
    table = predictions_table(
        module.predictions,
        clips,
        module.thresholds,
        scored=module.scored,
        protocol=module.config.protocol,
        checkpoint=run_dir / BEST,
    )
    write_predictions(table, run_dir / PREDICTIONS)
