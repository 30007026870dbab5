"""What a training writes about itself into its run folder, and how it is read back."""

import csv
import io
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from dogclips.errors import OutputError
from dogclips.files import json_text, write_whole
from dogclips.records.documents import plain_of, read_document, record_of
from dogclips.records.predictions import PREDICTIONS, PredictedClips, by_clip, read_clip_predictions
from dogclips.records.run_start import Machine
from dogclips.records.settings import SETTINGS
from dogclips.records.training_run import EpochRecord, Task, TestReport

METRICS, FACTS, EPOCHS = "metrics.json", "run.json", "metrics.csv"
_TODO = "train again"


@dataclass(frozen=True)
class ListFacts:
    """A list that a run read: where it lay, the digest of its bytes, how many clips it had."""

    path: Path | None = None  #: Where the list lay
    sha256: str = ""  #: SHA-256 digest of its bytes
    clips: int = 0  #: How many clips it listed


@dataclass(frozen=True)
class SkippedClip:
    """A clip that does not decode."""

    path: str  #: The clip
    reason: str  #: Why it was left out


@dataclass(frozen=True, kw_only=True)
class RunFacts:
    """`run.json`, so that nothing else is needed to understand a run."""

    version: int = 1  #: Of the file
    command: tuple[str, ...] = ()  #: The command as it was typed
    labels: tuple[str, ...] = ()  #: Class names, in order
    tasks: tuple[Task, ...] = ()  #: Tasks, and the classes of each
    lists: Mapping[str, ListFacts] = field(default_factory=dict)  #: The lists, by role: train, val
    skipped: tuple[SkippedClip, ...] = ()  #: Clips that were left out, and why
    #: Frames and side of a view, mean and standard deviation of its channels.
    input: Mapping[str, Any] = field(default_factory=dict)
    protocol: str = ""  #: How clips are scored, in words
    seed: int = 0  #: Seed of the run
    #: Number of parameters (`all`), and of those that learn (`trained`).
    parameters: Mapping[str, int] = field(default_factory=dict)
    machine: Machine | None = None  #: What it was trained on
    versions: Mapping[str, str] = field(default_factory=dict)  #: Versions of programs, by name
    weights: str | None = None  #: The file of initial weights, if one was given


@dataclass(frozen=True)
class RunMetrics:
    """`metrics.json`: the scores of the best epoch, and of how many it is the best."""

    best_epoch: int  #: Epoch whose weights `best.ckpt` holds, from 1
    epochs: int  #: How many epochs were trained
    val: TestReport  #: Scores of the best epoch on the validation list


@dataclass(frozen=True, eq=False)
class RunRecords:
    """A finished training."""

    run_dir: Path  #: Its folder
    records: tuple[EpochRecord, ...]  #: One row per epoch
    best_epoch: int  #: The one whose weights are kept
    #: Scores of that epoch on the validation list, and what they are of.
    report: TestReport
    predictions: pd.DataFrame
    config: str  #: The settings, as YAML
    facts: RunFacts  #: What `run.json` says: labels, lists, versions, machine

    @property
    def clips(self) -> PredictedClips:
        """Return the predictions taken apart."""
        return by_clip(self.predictions)


def is_run(folder: Path) -> bool:
    """Return whether a training has begun in a folder."""
    return (folder / FACTS).is_file() or (folder / METRICS).is_file()


def write_facts(facts: RunFacts, run_dir: Path) -> None:
    """Write `run.json`; `config.yaml` beside it holds the settings."""
    write_whole(run_dir / FACTS, json_text(plain_of(facts)))


def read_facts(run_dir: Path) -> RunFacts:
    """Read what `write_facts` wrote."""
    return read_document(RunFacts, run_dir / FACTS, todo=_TODO)


def noted_list(run_dir: Path, name: Literal["train", "val"]) -> ListFacts | None:
    """Return which list a run noted that it was started with; None where nothing tells."""
    with suppress(OutputError):
        noted = read_facts(run_dir).lists.get(name)
        return noted if noted is not None and noted.path is not None else None
    return None


def write_metrics(metrics: RunMetrics, run_dir: Path) -> None:
    """Write `metrics.json`, which says that the training has ended."""
    write_whole(run_dir / METRICS, json_text(plain_of(metrics)))


def write_epochs(records: Sequence[EpochRecord], run_dir: Path) -> None:
    """Write `metrics.csv`: one row per epoch under a head line."""
    text = io.StringIO()
    writer = csv.DictWriter(text, [one.name for one in fields(EpochRecord)], lineterminator="\n")
    writer.writeheader()
    writer.writerows(asdict(record) for record in records)
    write_whole(run_dir / EPOCHS, text.getvalue())


def _read_epochs(run_dir: Path) -> tuple[EpochRecord, ...]:
    with (run_dir / EPOCHS).open(encoding="utf-8", newline="") as file:
        rows = [{key: cell or None for key, cell in row.items()} for row in csv.DictReader(file)]
    return record_of(tuple[EpochRecord, ...], rows)


def read_run(run_dir: Path) -> RunRecords:
    """Return what a run folder holds; a training that has not ended is an OutputError, too."""
    if not (run_dir / METRICS).is_file():
        raise OutputError(
            "no finished training here",
            where=run_dir,
            todo="continue with `dogclips train --resume`",
        )
    try:
        metrics = read_document(RunMetrics, run_dir / METRICS, todo=_TODO)
        facts = read_facts(run_dir)
        config = (run_dir / SETTINGS).read_text(encoding="utf-8")
        records = _read_epochs(run_dir)
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputError(
            f"cannot be read: {reason}", where=error.filename or run_dir, todo=_TODO
        ) from error
    except OutputError as error:
        what = f"the records of this run cannot be read: {error.what}"
        raise OutputError(what, where=error.where, todo=_TODO) from error
    except ValueError as error:
        what = f"the records of this run cannot be read: damaged: {error}"
        raise OutputError(what, where=run_dir / EPOCHS, todo=_TODO) from error
    predictions = read_clip_predictions(run_dir / PREDICTIONS)
    return RunRecords(run_dir, records, metrics.best_epoch, metrics.val, predictions, config, facts)
