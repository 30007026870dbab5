"""Score what training has left, on any list."""

# `test` is named after its command and is no test function.
# ruff: noqa: PT028

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from dogclips.errors import DogclipsError
from dogclips.lists import read_list
from dogclips.records.training_run import TestReport
from dogclips.training.checkpoints import check_labels, load_run
from dogclips.training.data import ClipData
from dogclips.training.machine import build_trainer, explained, quiet_lightning, shared_cores
from dogclips.training.metrics import score
from dogclips.training.predictions import predictions_table


@dataclass(frozen=True)
class TestResult:
    """Scores of a checkpoint on a list.

    Parameters
    ----------
    report
        Scores and protocol.
    predictions
        One row a clip and label, with the columns of `PREDICTION_COLUMNS`.
    checkpoint
        The file that was tested.
    skipped
        Clips that do not decode and were left out, with the reasons; only where the settings of
        the run say so (`data.on_bad_clip`).
    """

    __test__ = False  # no test class, whatever pytest thinks

    report: TestReport
    predictions: pd.DataFrame
    checkpoint: Path
    skipped: tuple[tuple[str, str], ...] = ()


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
    changes = {"batch_size": batch_size, "workers": workers}
    given = {key: value for key, value in changes.items() if value is not None}
    run = load_run(source, {"evaluation": evaluation or {}, "data": given})
    config, module = run.config, run.module
    clips = read_list(list_path, config.data.root)
    check_labels(clips, run.labels, list_path, run.checkpoint)
    with quiet_lightning(), explained(config), shared_cores(config):
        # One device scores every clip once; shares of a list would have to be filled up.
        alone = config.trainer.model_copy(update={"devices": 1, "num_nodes": 1, "strategy": "auto"})
        trainer = build_trainer(alone, [])
        data = ClipData(config, val=clips)
        trainer.validate(module, datamodule=data, verbose=False)
    if module.predictions is None:
        raise DogclipsError("nothing was scored", where=list_path, todo="check the list")
    protocol, thresholds = config.protocol, run.thresholds
    report = score(module.predictions, clips.labels, protocol, thresholds, module.tasks)
    table = predictions_table(
        module.predictions,
        clips,
        thresholds,
        scored=module.scored,
        protocol=protocol,
        checkpoint=run.checkpoint,
    )
    skipped = tuple((fault.where, fault.what) for fault in data.faults.values())
    return TestResult(report, table, run.checkpoint, skipped)
