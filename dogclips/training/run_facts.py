"""What a run folder says about itself, so that nothing else is needed to understand it."""

import hashlib
import platform
import sys
from dataclasses import asdict, dataclass
from importlib.metadata import version

import torch

from dogclips import __version__
from dogclips.lists import ClipList
from dogclips.records.run_folder import ListFacts, RunFacts, SkippedClip, TaskFacts
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
    """The clips of a run."""

    #: To learn from, and to score after every epoch.
    train: ClipList
    val: ClipList
    #: Clips of both that do not decode, each with the reason; they are in neither.
    skipped: tuple[tuple[str, str], ...] = ()
    warning: str | None = None  #: What the user should know about the others


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


def run_facts(
    config: TrainConfig, lists: TrainingLists, start: RunStart, module: ClipClassifier
) -> RunFacts:
    """Return what a run folder says about itself."""
    torch_version = str(torch.__version__)  # with its build
    return RunFacts(
        command=tuple(sys.argv),
        labels=module.labels,
        tasks=tuple(TaskFacts(**asdict(task)) for task in module.tasks),
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
    digest = hashlib.sha256(clips.path.read_bytes()).hexdigest()
    return ListFacts(clips.path.absolute(), digest, len(clips.clips))
