"""What a run folder says about itself, so that nothing else is needed to understand it."""

import hashlib
import json
import platform
import sys
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from dogclips import __version__
from dogclips.files import write_whole
from dogclips.lists import ClipList
from dogclips.records.run_folder import FACTS
from dogclips.records.run_start import RunStart
from dogclips.records.weights import LoadedWeights
from dogclips.training.callbacks import has_tensorboard
from dogclips.training.config import TrainConfig
from dogclips.training.loading_plan import loading_line
from dogclips.training.machine import machine_for
from dogclips.training.module import ClipClassifier
from dogclips.training.optimizers import learning_rates

NO_EVENTS = "no TensorBoard events: they need the extra dogclips[tensorboard]"
PACKAGES = ("torchvision", "lightning", "av", "numpy")


@dataclass(frozen=True)
class TrainingLists:
    """The clips of a run.

    Parameters
    ----------
    train, val
        To learn from, and to score after every epoch.
    skipped
        Clips of both that do not decode, each with the reason; they are in neither.
    warning
        What the user should know about the others.
    """

    train: ClipList
    val: ClipList
    skipped: tuple[tuple[str, str], ...] = ()
    warning: str | None = None


def run_start(
    config: TrainConfig, lists: TrainingLists, module: ClipClassifier, loaded: LoadedWeights | None
) -> RunStart:
    """Return what a run has decided before its first step."""
    machine = machine_for(config.trainer)
    return RunStart(
        machine=machine,
        batch_size=config.data.batch_size,
        accumulate=config.trainer.accumulate,
        learning=learning_rates(module.model, config, machine.num_processes),
        num_train=len(lists.train.clips),
        num_val=len(lists.val.clips),
        skipped=lists.skipped,
        loading=loading_line(config),
        warning=lists.warning,
        weights=loaded,
        note="" if has_tensorboard() else NO_EVENTS,
    )


def write_facts(
    run_dir: Path,
    config: TrainConfig,
    lists: TrainingLists,
    start: RunStart,
    module: ClipClassifier,
) -> None:
    """Write what a run folder says about itself to `run.json`; `config.yaml` has the settings.

    Raises
    ------
    OutputError
        The folder cannot be written to.
    """
    skipped = [{"path": path, "reason": reason} for path, reason in lists.skipped]
    facts = {
        "version": 1,
        "command": sys.argv,
        "labels": list(module.labels),
        "tasks": [asdict(task) for task in module.tasks],
        "lists": {"train": _list_facts(lists.train), "val": _list_facts(lists.val)},
        "skipped": skipped,
        "input": module.model.expects.as_plain(),
        "protocol": config.protocol,
        "seed": config.seed,
        "parameters": {"all": start.learning.num_params, "trained": start.learning.num_trained},
        "machine": asdict(start.machine),
        "versions": {
            "dogclips": __version__,
            "python": platform.python_version(),
            "torch": torch.__version__,  # with its build
            **{name: version(name) for name in PACKAGES},
        },
        "weights": None if start.weights is None else str(start.weights.path),
    }
    write_whole(run_dir / FACTS, json.dumps(facts, indent=2, ensure_ascii=False) + "\n")


def _list_facts(clips: ClipList) -> dict[str, Any]:
    return {
        "path": str(clips.path.absolute()),
        "sha256": hashlib.sha256(clips.path.read_bytes()).hexdigest(),
        "clips": len(clips.clips),
    }
