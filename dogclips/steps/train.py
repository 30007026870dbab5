"""Train: train a model on a list of clips."""

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from dogclips.config import Settings, names_file, settings_of
from dogclips.errors import DogclipsError
from dogclips.events import Feed, Progress, Result
from dogclips.lists import ClipList
from dogclips.loading.checking import CheckLevel
from dogclips.records.predictions import (
    PREDICTIONS,
    read_clip_predictions,
    write_clip_predictions,
)
from dogclips.records.run_folder import RunMetrics, write_facts, write_metrics
from dogclips.records.settings import SETTINGS, write_settings
from dogclips.records.training_run import EpochRecord, TestReport
from dogclips.records.weights import LoadedWeights
from dogclips.reports.pictures.training_plots import write_plots
from dogclips.training.callbacks import BEST, RunRecorder, stop_request
from dogclips.training.checkpoints import check_resumable, last_checkpoint
from dogclips.training.config import TrainConfig
from dogclips.training.data import ClipData
from dogclips.training.machine import build_trainer, is_first_process
from dogclips.training.module import ClipClassifier
from dogclips.training.run import (
    TrainingLists,
    build_module,
    checked_lists,
    epoch_task,
    named_lists,
    on_this_machine,
    overfit_settings,
    predictions_table,
    read_lists,
    run_facts,
    run_start,
    weight_averaging,
)

PLOTS = "plots"


@dataclass(frozen=True, eq=False)
class TrainedRun(Result):
    """A finished training run."""

    run_dir: Path  #: Where everything lies
    config: TrainConfig  #: The settings that it was trained with
    records: tuple[EpochRecord, ...]  #: One row per epoch
    #: Scores on the validation list at the best epoch, whose weights `best.ckpt` holds.
    report: TestReport
    #: What was taken from the file of initial weights, if one was given.
    weights: LoadedWeights | None = None
    #: Clips that were left out, each with the reason: they do not decode, or were unwanted.
    skipped: tuple[tuple[str, str], ...] = ()

    @property
    def best(self) -> EpochRecord:
        """Return the row of the best epoch."""
        return [record for record in self.records if record.best][-1]


def train(
    out: str | Path,
    settings: Settings[TrainConfig] = None,
    *,
    train: str | Path | None = None,
    val: str | Path | None = None,
    resume: bool = False,
    weights: str | Path | None = None,
    check: CheckLevel = "fast",
    progress: Progress | None = None,
) -> TrainedRun:
    """Train a multi-label model on a list, and score it on another after every epoch.

    Parameters
    ----------
    out
        Run folder. It gets config.yaml, run.json, metrics.csv, metrics.json,
        predictions.parquet, checkpoints, plots and, with the extra `tensorboard`, events.
    settings
        A `TrainConfig`, a YAML file or the name of a shipped one such as "tiny_cpu", a mapping of
        keys such as `{"optimizer.lr": 1e-3}`, or a sequence of these; later ones
        win.
    train, val
        Lists to train on and to validate on; None for `data.train` and `data.val`.
    resume
        Continue from `last.ckpt` if it exists, with the settings of the run where no others are
        given; the result is that of an uninterrupted run. Others take effect from there, or are
        refused by name.
    weights
        File or folder of initial weights, of dogclips or of another tool. Optimizer states are not
        read, and a run that continues does not read the file.
    check
        How to check the clips first: their packets, every frame, or not at all.
    progress
        Called with each event: a `RunStart` with what was decided, an `EpochRecord` after each
        epoch. On several devices only the first process calls it; all of them return.

    Returns
    -------
    result
        The run folder, a record of each epoch, and the scores of the best one.

    Raises
    ------
    ConfigError, ListError, ModelError, CheckpointError, OutputError
        Before anything is trained.
    MediaError
        A clip does not decode; its path is named.
    StoppedError
        A signal stopped the run; it can be resumed.
    """
    first, run_dir = is_first_process(), Path(out)
    feed = Feed(progress if first else None)
    own = run_dir / SETTINGS
    goes_on = resume and own.is_file() and not names_file(settings)
    config = settings_of(TrainConfig, settings, under=[own] if goes_on else [])
    config = overfit_settings(named_lists(config, train, val))
    lists = read_lists(config)
    resumed = last_checkpoint(run_dir, config, lists.train, lists.val, resume=resume)
    lists = _checked(config, lists, check, feed)
    module, loaded = build_module(config, lists.train, None if resumed else weights)
    if resumed is not None:
        check_resumable(resumed.checkpoint, module)
    with on_this_machine(config), stop_request() as stop:
        start = run_start(config, lists, module, loaded)
        start = replace(start, changes=resumed.changes if resumed else ())
        data = ClipData(config, train=lists.train, val=lists.val)
        on_best = partial(_write_predictions, run_dir, lists.val, module)
        recorder = RunRecorder(run_dir, data, stop, feed.tell, on_best)
        callbacks = [*weight_averaging(config), epoch_task(feed.tell), recorder]
        trainer = build_trainer(config.trainer, callbacks)
        if first:
            write_settings(config, run_dir)
            write_facts(run_facts(config, lists, start, module), run_dir)
        feed.tell(start)
        last = resumed.checkpoint if resumed else None
        trainer.fit(module, datamodule=data, ckpt_path=last, weights_only=True)
    if recorder.best_report is None:
        raise DogclipsError("nothing was trained", where=run_dir, todo="raise trainer.epochs")
    lists = replace(lists, skipped=(*lists.skipped, *recorder.faults.items()))
    records, report = tuple(recorder.records), recorder.best_report
    run = TrainedRun(run_dir, config, records, report, loaded, lists.skipped, **feed.kept)
    if first:
        write_facts(run_facts(config, lists, start, module), run_dir)
        write_metrics(RunMetrics(run.best.epoch, len(records), report), run_dir)
        predictions = read_clip_predictions(run_dir / PREDICTIONS)
        write_plots(run_dir / PLOTS, records, predictions, report)
    return run


def rehearse(
    settings: Settings[TrainConfig] = None,
    *,
    train: str | Path | None = None,
    val: str | Path | None = None,
    weights: str | Path | None = None,
    check: CheckLevel = "fast",
    progress: Progress | None = None,
) -> None:
    """Train and validate one batch, and write nothing.

    Parameters
    ----------
    settings, train, val, weights, check, progress
        As for `train`.

    Raises
    ------
    DogclipsError
        As `train` would.
    """
    feed = Feed(progress if is_first_process() else None)
    config = settings_of(TrainConfig, settings)
    config = overfit_settings(named_lists(config, train, val))
    lists = _checked(config, read_lists(config), check, feed)
    module, loaded = build_module(config, lists.train, weights)
    with on_this_machine(config):
        once = {"max_epochs": 1, "limit_train_batches": 1, "limit_val_batches": 1}
        trainer = build_trainer(config.trainer, weight_averaging(config), **once)
        feed.tell(run_start(config, lists, module, loaded))
        trainer.fit(module, datamodule=ClipData(config, train=lists.train, val=lists.val))


def _checked(
    config: TrainConfig, lists: TrainingLists, level: CheckLevel, feed: Feed
) -> TrainingLists:
    number = len(lists.train.clips) + len(lists.val.clips) * (lists.val is not lists.train)
    with feed.task("looking at the clips", number, "clips") as on_checked:
        return checked_lists(config, lists, level, on_checked)


def _write_predictions(run_dir: Path, clips: ClipList, module: ClipClassifier) -> None:
    """Write what the best epoch said of the validation list."""
    table = predictions_table(module, clips, module.thresholds, run_dir / BEST)
    write_clip_predictions(table, run_dir / PREDICTIONS)
