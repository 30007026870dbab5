"""What a run folder holds, read back for people."""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from dogclips.errors import OutputError
from dogclips.records.predictions import PREDICTIONS, PredictedClips, by_clip, read_clip_predictions
from dogclips.records.training_run import EpochRecord, TestReport, report_from_plain

METRICS, FACTS = "metrics.json", "run.json"


@dataclass(frozen=True, eq=False)
class RunRecords:
    """A finished training.

    Parameters
    ----------
    run_dir
        Its folder.
    records
        One row an epoch.
    best_epoch
        The one whose weights are kept.
    report, predictions
        Scores of that epoch on the validation list, and what they are of.
    config
        The settings, as YAML.
    facts
        What `run.json` says: labels, lists, versions, machine.
    """

    run_dir: Path
    records: tuple[EpochRecord, ...]
    best_epoch: int
    report: TestReport
    predictions: pd.DataFrame
    config: str
    facts: Mapping[str, Any]

    @property
    def clips(self) -> PredictedClips:
        """Return the predictions taken apart."""
        return by_clip(self.predictions)


def is_run(folder: Path) -> bool:
    """Return whether a training has begun in a folder."""
    return (folder / FACTS).is_file() or (folder / METRICS).is_file()


@dataclass(frozen=True)
class NotedList:
    """A list that a run was started with, and the digest that its bytes had then."""

    path: Path
    sha256: str


def noted_list(run_dir: Path, name: Literal["train", "val"]) -> NotedList | None:
    """Return which list a run noted that it was started with; None where nothing tells."""
    with suppress(OSError, ValueError, LookupError, TypeError):
        noted = json.loads((run_dir / FACTS).read_text(encoding="utf-8"))["lists"][name]
        return NotedList(Path(noted["path"]), noted["sha256"])
    return None


def read_run(run_dir: Path) -> RunRecords:
    """Return what a run folder holds.

    Raises
    ------
    OutputError
        The training has not ended, or a file is missing, damaged or of another version.
    """
    if not (run_dir / METRICS).is_file():
        raise OutputError(
            "no finished training here", where=run_dir, todo="go on with `dogclips train --resume`"
        )
    todo = "train again"
    try:
        metrics = json.loads((run_dir / METRICS).read_text(encoding="utf-8"))
        report, best_epoch = report_from_plain(metrics["val"]), int(metrics["best_epoch"])
        facts = json.loads((run_dir / FACTS).read_text(encoding="utf-8"))
        config = (run_dir / "config.yaml").read_text(encoding="utf-8")
        records = _records(run_dir / "metrics.csv")
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputError(
            f"cannot be read: {reason}", where=error.filename or run_dir, todo=todo
        ) from error
    except (ValueError, TypeError, KeyError) as error:
        raise OutputError(
            "the records of this run cannot be read", where=run_dir, todo=todo
        ) from error
    predictions = read_clip_predictions(run_dir / PREDICTIONS)
    return RunRecords(run_dir, records, best_epoch, report, predictions, config, facts)


def _records(path: Path) -> tuple[EpochRecord, ...]:
    table = pd.read_csv(path)
    rows = table.astype("object").where(table.notna(), None).to_dict("records")
    return tuple(EpochRecord(**{str(name): value for name, value in row.items()}) for row in rows)
