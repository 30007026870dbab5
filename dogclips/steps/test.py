"""Test: score a trained model on any list, by a stated protocol."""

# `test` is named after its command and is no test function.
# ruff: noqa: PT028

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pandas as pd

from dogclips.events import Feed, Progress, Result
from dogclips.lists import read_list
from dogclips.records.predictions import write_clip_predictions
from dogclips.records.training_run import TestReport
from dogclips.reports.pictures.training_plots import write_plots
from dogclips.scores.clip_scores import score
from dogclips.training.checkpoints import check_labels, load_run
from dogclips.training.data import ClipData
from dogclips.training.machine import build_trainer
from dogclips.training.run import on_this_machine, predictions_table, what_was_scored


@dataclass(frozen=True, eq=False)
class TestResult(Result):
    """Scores of a checkpoint on a list."""

    __test__ = False  # no test class, whatever pytest thinks

    report: TestReport  #: Scores and protocol
    #: One row per clip and label; columns of `records.predictions.CLIP_PREDICTION_COLUMNS`.
    predictions: pd.DataFrame
    checkpoint: Path  #: The file that was tested
    #: Clips that do not decode and were left out, with the reasons; only where the settings of the
    #: run say so (`data.on_bad_clip`).
    skipped: tuple[tuple[str, str], ...] = ()
    plots: tuple[Path, ...] = ()  #: The files that were drawn


def test(
    run: str | Path,
    list_path: str | Path,
    *,
    views: int | None = None,
    crops: int | None = None,
    average: Literal["sigmoid", "logit"] | None = None,
    batch_size: int | None = None,
    workers: int | None = None,
    output: str | Path | None = None,
    plots: str | Path | None = None,
    progress: Progress | None = None,
) -> TestResult:
    """Score a run's best checkpoint, or any one, on a list.

    Parameters
    ----------
    run
        Run folder or checkpoint.
    list_path
        List of clips; its labels are those of the training list.
    views, crops, average
        Views in time per clip, crops per view, and what is averaged over both; None for those of
        the training.
    batch_size, workers
        Clips per batch and loading processes; None for those of the training.
    output
        Write the predictions to this file, as parquet.
    plots
        Write plots to this folder, as SVG.
    progress
        Called with each event; each clip that was skipped is a warning.

    Returns
    -------
    result
        Scores and their protocol, and the probability of each label of each clip.

    Raises
    ------
    CheckpointError, ConfigError, ListError
        Before anything is scored.
    MediaError
        A clip does not decode; its path is named.
    OutputError
        A file cannot be written.
    """
    feed, list_path = Feed(progress), Path(list_path)
    changes = {
        "evaluation.views": views,
        "evaluation.crops": crops,
        "evaluation.average": average,
        "data.batch_size": batch_size,
        "data.workers": workers,
    }
    saved = load_run(Path(run), changes)
    config, module = saved.config, saved.module
    clips = read_list(list_path, config.data.root)
    check_labels(clips, saved.labels, list_path, saved.checkpoint)
    with on_this_machine(config):
        # One device scores every clip once; shares of a list would have to be filled up.
        alone = config.trainer.model_copy(update={"devices": 1, "num_nodes": 1, "strategy": "auto"})
        data = ClipData(config, val=clips)
        build_trainer(alone, []).validate(module, datamodule=data, verbose=False)
    scored, thresholds = what_was_scored(module, clips), saved.thresholds
    report = score(scored, clips.labels, config.protocol, thresholds, module.tasks)
    predictions = predictions_table(module, clips, thresholds, saved.checkpoint)
    if output is not None:
        write_clip_predictions(predictions, Path(output))
    drawn = () if plots is None else write_plots(Path(plots), [], predictions, report)
    skipped = tuple((fault.where, fault.what) for fault in data.faults.values())
    for path, reason in skipped:
        feed.warn(f"skipped, {reason}", place=path)
    return TestResult(report, predictions, saved.checkpoint, skipped, tuple(drawn), **feed.kept)
