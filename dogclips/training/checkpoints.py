"""Checkpoints of our own training: all that is needed to use the weights is in them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from torch.optim import Optimizer

from dogclips.config import validate, with_keys
from dogclips.errors import CheckpointError, ListError, OutputError
from dogclips.files import file_digest
from dogclips.lists import ClipList
from dogclips.models import build_model
from dogclips.models.weights.files import OUR_KEY, read_checkpoint
from dogclips.records.mixups import not_a_run, not_an_output
from dogclips.records.run_folder import noted_list
from dogclips.training.callbacks import BEST, LAST
from dogclips.training.config import TrainConfig
from dogclips.training.module import ClipClassifier
from dogclips.training.optimizers import build_optimizer

TRAINING_STATE = ("optimizer_states", "lr_schedulers", "loops", "callbacks")
# What the steps that are done have decided, and cannot take effect in a run that goes on: what the
# network is and sees, how clips become steps, and what epochs are compared by.
FIXED = (
    "model",
    "seed",
    "data.root",
    "data.sampling",
    "data.size",
    "data.fit",
    "data.batch_size",
    "data.balance",
    "data.source",
    "data.verdicts",
    "loss",
    "optimizer.name",
    "optimizer.layer_decay",
    "freeze",
    "trainer.accumulate",
    "trainer.overfit",
    "evaluation",
)
STEP_STATE = {"AdamW": {"step", "exp_avg", "exp_avg_sq"}, "SGD": {"momentum_buffer"}}


@dataclass(frozen=True)
class Resumed:
    """Where a run goes on from."""

    checkpoint: Path
    #: Settings that differ from those of the run so far and take effect from here, in words.
    changes: tuple[str, ...] = ()


@dataclass(frozen=True)
class SavedRun:
    """A trained model and what it was trained with."""

    checkpoint: Path  #: The file that the weights come from
    module: ClipClassifier  #: With its weights; `module.model` normalises and classifies
    config: TrainConfig  #: Of the training, with the changes that were asked for
    labels: tuple[str, ...]  #: Class names, in the order of the logits
    #: Of each class, the best on the validation list; None where it had no positive.
    thresholds: tuple[float | None, ...]

    @property
    def with_task(self) -> bool:
        """Return whether labels are `task:label`."""
        return any(task.name for task in self.module.tasks)


def load_run(source: Path, changes: Mapping[str, Any] | None = None) -> SavedRun:
    """Return the best weights of a run folder, or those of any checkpoint of ours.

    `changes` are settings that differ from those of the training, by key; None for none.
    """
    wrong = not_a_run(source)
    if wrong is not None:
        raise wrong
    checkpoint = source / BEST if source.is_dir() else source
    held = read_checkpoint(checkpoint)
    metadata = metadata_of(held, checkpoint)
    asked = {key: value for key, value in (changes or {}).items() if value is not None}
    tree = with_keys(metadata["config"], asked)
    config = validate(TrainConfig, tree, where=f"config in {checkpoint}")
    module = _rebuilt(config, metadata, held, checkpoint)
    labels, thresholds = tuple(metadata["labels"]), tuple(metadata["thresholds"])
    return SavedRun(checkpoint, module, config, labels, thresholds)


def metadata_of(held: Mapping[str, Any], checkpoint: Path) -> Mapping[str, Any]:
    """Return what a checkpoint of ours says about itself."""
    metadata = held.get(OUR_KEY)
    if not isinstance(metadata, Mapping):
        raise CheckpointError(
            "no checkpoint of dogclips train: it names no labels",
            where=checkpoint,
            todo="use it as --weights of a training",
        )
    return metadata


def last_checkpoint(
    run_dir: Path, config: TrainConfig, train: ClipList, val: ClipList, *, resume: bool
) -> Resumed | None:
    """Return where a run goes on from, None for a fresh start.

    Settings that cannot take effect any more are a CheckpointError that names the first of them.
    """
    wrong = not_an_output(run_dir)
    if wrong:
        todo = "name a new folder with --out; lists go to --train and --val"
        raise OutputError(wrong, where=run_dir, todo=todo)
    last = run_dir / LAST
    if not last.exists():
        return None
    if not resume:
        raise OutputError(
            "the folder already holds a training run",
            where=run_dir,
            todo="continue with --resume, or choose another folder",
        )
    saved = read_checkpoint(last)
    metadata = metadata_of(saved, last)
    held = validate(TrainConfig, metadata["config"], where=f"config in {last}")
    check_labels(train, metadata["labels"], config.data.train or run_dir, last)
    _check_list(run_dir, "train", train)
    _check_list(run_dir, "val", val)
    changes = _changes(held, config)
    _check_fixed(changes, last)
    done = len(saved.get("callbacks", {}).get("RunRecorder", {}).get("records", ()))
    if config.trainer.epochs < done:
        raise CheckpointError(
            f"the run has done {done} epochs, more than trainer.epochs: {config.trainer.epochs}",
            where=last,
            todo="raise trainer.epochs, or score the run as it is with `dogclips test`",
        )
    return Resumed(last, tuple(f"{key} {new} (was {old})" for key, old, new in changes))


def _changes(held: TrainConfig, config: TrainConfig) -> list[tuple[str, Any, Any]]:
    """Return the settings that differ, each with its old and its new value."""
    old, new = (dict(_flat(one.model_dump(mode="json"))) for one in (held, config))
    keys = dict.fromkeys((*old, *new))
    listed = {"data.train", "data.val"}  # compared by what they hold
    return [
        (key, old.get(key), new.get(key))
        for key in keys
        if old.get(key) != new.get(key) and key not in listed
    ]


def _flat(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in tree.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def _check_fixed(changes: Sequence[tuple[str, Any, Any]], last: Path) -> None:
    for key, old, new in changes:
        # An average of the weights is kept from the first step on, or never.
        begins = key == "trainer.ema" and None in (old, new)
        if begins or any(key == fixed or key.startswith(f"{fixed}.") for fixed in FIXED):
            raise CheckpointError(
                f"{key} cannot change in a run that goes on: it is {old}, not {new}",
                where=last,
                todo="leave it as it was, or start another run with --weights",
            )


def _check_list(run_dir: Path, name: Literal["train", "val"], clips: ClipList) -> None:
    """Refuse a list with other bytes than the one that the run was started with."""
    noted = noted_list(run_dir, name)
    if noted is not None and noted.sha256 not in ("", file_digest(clips.path)):
        raise CheckpointError(
            f"data.{name} does not hold what it held when the run was started ({noted.path})",
            where=clips.path,
            todo="resume with that list, or start another run with --weights",
        )


def check_resumable(path: Path, module: ClipClassifier) -> None:
    """Refuse to go on with a state that does not belong to the optimizer of the settings."""
    held = read_checkpoint(path)
    optimizer = build_optimizer(module.model, module.config.optimizer)
    missing = [key for key in TRAINING_STATE if not held.get(key)]
    what = f"no {missing[0]}" if missing else _misfit(held["optimizer_states"][0], optimizer)
    if what:
        raise CheckpointError(
            f"the state of the optimizer does not fit: {what}",
            where=path,
            todo="resume with the run's own config.yaml, or start another run with --weights",
        )


def _misfit(saved: Mapping[str, Any], optimizer: Optimizer) -> str:
    """Return how a state differs from that of an optimizer in its form; empty if it does not."""
    fresh, found = optimizer.state_dict()["param_groups"], saved.get("param_groups", ())
    if [len(group["params"]) for group in fresh] != [len(group["params"]) for group in found]:
        return f"{len(found)} groups of parameters instead of {len(fresh)}, or others in them"
    for ours, theirs in zip(fresh, found, strict=True):
        if set(ours) - set(theirs):
            return f"no {', '.join(sorted(set(ours) - set(theirs)))}"
    wanted = (
        STEP_STATE[type(optimizer).__name__] if optimizer.defaults.get("momentum", 1) else set()
    )
    lacking = {key for state in saved.get("state", {}).values() for key in wanted - set(state)}
    return f"no {', '.join(sorted(lacking))}" if lacking else ""


def check_labels(clips: ClipList, labels: Sequence[str], path: Path, source: Path) -> None:
    """Refuse a list with other labels, or in another order, than those of `source`."""
    if list(clips.labels) == list(labels):
        return
    differing = sorted(set(clips.labels) ^ set(labels)) or ["their order"]
    raise ListError(
        f"the labels differ from those of {source}: {', '.join(differing)}",
        where=path,
        todo="make both lists with one `dogclips split`, beside the same labels.txt",
    )


def _rebuilt(
    config: TrainConfig, metadata: Mapping[str, Any], held: Mapping[str, Any], checkpoint: Path
) -> ClipClassifier:
    """Return the module of a checkpoint with its weights."""
    labels, with_task = metadata["labels"], any(task["name"] for task in metadata["tasks"])
    size, clip_len = config.data.size, config.data.sampling.clip_len
    model = build_model(config.model, len(labels), clip_len, size)
    module = ClipClassifier(model, config, labels, with_task=with_task)
    module.on_load_checkpoint(dict(held))
    try:
        module.load_state_dict(held["state_dict"])
    except (KeyError, RuntimeError) as error:
        raise CheckpointError(
            "the weights do not fit the model that the checkpoint names",
            where=checkpoint,
            todo="train again or use another checkpoint",
        ) from error
    return module
