"""What training makes small, on logits and in single precision.

- bce: binary cross-entropy of each class.
- focal: what is found already counts less. Lin, Goyal, Girshick, He and Dollar, "Focal Loss for
  Dense Object Detection", ICCV 2017 (arXiv 1708.02002), equation 4; their alpha of 0.25 is a
  `pos_weight` of 1/3.
- asymmetric: so do negatives more than positives, and easy ones not at all. Ridnik et al.,
  "Asymmetric Loss For Multi-Label Classification", ICCV 2021 (arXiv 2009.14119), equation 7.
- cross_entropy: of classes that exclude each other.

Several tasks share the features of one network; the head is one matrix, each task its own rows.
The loss of a task is the mean over its classes, that of all of them the mean by `weight`: it does
not grow with the number of tasks, and a task with many classes has no more say than one with few.

All are linear in the target, so that mixed clips and smoothed labels mean what they say.

Shapes: B clips, V views, K classes, J tasks; ... any, such as clips or clips and views.
"""

from collections.abc import Collection, Sequence
from typing import Literal

import torch
import torch.nn.functional as F  # noqa: N812 (the name everyone knows)
from torch import Tensor, nn

from dogclips.errors import ConfigError, ListError
from dogclips.labels import carry_tasks, split_task
from dogclips.lists import ClipList
from dogclips.records.training_run import Task
from dogclips.training.config import LossConfig, TrainConfig


class ClipLoss(nn.Module):
    """The loss of each task; together tasks have all classes. `pos_weight` (K,) None is 1."""

    def __init__(
        self, config: LossConfig, tasks: Sequence[Task], pos_weight: Tensor | None = None
    ) -> None:
        super().__init__()
        self.config = config
        self.tasks = tuple(tasks)
        self.register_buffer("pos_weight", pos_weight, persistent=False)
        weights = torch.tensor([config.of_task(task.name).weight for task in tasks])
        self.register_buffer("share_J", weights / weights.sum(), persistent=False)

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        """Return the loss of each task (..., J), of logits and targets (..., K).

        Labels are smoothed in training mode only.
        """
        return torch.stack([self._of_task(task, logits, target) for task in self.tasks], dim=-1)

    def combined(self, loss: Tensor) -> Tensor:
        """Return the mean (...) of the losses of tasks (..., J) by their weights."""
        share_J = self.get_buffer("share_J")
        return (loss * share_J).sum(-1)

    def _of_task(self, task: Task, logits: Tensor, target: Tensor) -> Tensor:
        own = list(task.classes)
        logits, target = logits[..., own].float(), target[..., own].float()
        weight = self.pos_weight[own] if isinstance(self.pos_weight, Tensor) else None
        if self.training and self.config.smoothing:
            even = 1 / len(own) if task.exclusive else 0.5
            target = torch.lerp(target, torch.full_like(target, even), self.config.smoothing)
        config = self.config
        match config.of_task(task.name).name:
            case "cross_entropy":
                rows, targets = logits.flatten(0, -2), target.flatten(0, -2)
                loss = F.cross_entropy(rows, targets, weight=weight, reduction="none")
                return loss.view(logits.shape[:-1])
            case "focal":
                loss = focal(logits, target, gamma=config.gamma, pos_weight=weight)
            case "asymmetric":
                gammas, clip = (config.gamma_pos, config.gamma_neg), config.clip
                loss = asymmetric(logits, target, gammas=gammas, clip=clip, pos_weight=weight)
            case _:
                loss = F.binary_cross_entropy_with_logits(
                    logits, target, pos_weight=weight, reduction="none"
                )
        return loss.mean(-1)


def focal(
    logits: Tensor, target: Tensor, *, gamma: float, pos_weight: Tensor | None = None
) -> Tensor:
    """Return the focal loss, element by element: an asymmetric one with both powers alike."""
    return asymmetric(logits, target, gammas=(gamma, gamma), clip=0.0, pos_weight=pos_weight)


def asymmetric(
    logits: Tensor,
    target: Tensor,
    *,
    gammas: tuple[float, float],
    clip: float,
    pos_weight: Tensor | None = None,
) -> Tensor:
    """Return the asymmetric loss, element by element; its gradient is that of the whole formula.

    Logits and targets, between 0 and 1, have one shape (..., K); `gammas` are the powers of the
    factor for positives, 1 - p, and for negatives, p. `clip` is taken from the probability of a
    negative, which does not fall below 0.
    """
    yes, no = F.logsigmoid(logits), F.logsigmoid(-logits)  # log p and log (1 - p)
    positive = (gammas[0] * no).exp() * yes  # powers through logarithms: no infinite gradients
    if pos_weight is not None:
        positive = positive * pos_weight
    if clip:
        shifted = (yes.exp() - clip).clamp(min=0)
        negative = shifted ** gammas[1] * torch.log1p(-shifted)
    else:
        negative = (gammas[1] * yes).exp() * no
    return -(target * positive + (1 - target) * negative)


def loss_tasks(
    config: LossConfig, labels: Sequence[str], with_task: bool | None = None
) -> tuple[Task, ...]:
    """Return the tasks of a labels.txt; those with a cross-entropy have one label a clip."""
    names = [task.name for task in tasks_of_labels(labels, exclusive=False, with_task=with_task)]
    check_task_names(config.tasks, names)
    exclusive = [name for name in names if config.of_task(name).name == "cross_entropy"]
    return tasks_of_labels(labels, exclusive, with_task=with_task)


def tasks_of_labels(
    labels: Sequence[str], exclusive: bool | Collection[str], *, with_task: bool | None = None
) -> tuple[Task, ...]:
    """Return the tasks of a labels.txt, in the order in which they first come.

    `exclusive` says whether a clip carries exactly one label of each task, or names the tasks for
    which that is so. Labels are `task:label` if `with_task`, else all are one task without a name;
    None leaves it to `labels.carry_tasks`.

    >>> tasks_of_labels(["does:sit", "does:walk", "at:door"], ["does"])
    ... # doctest: +NORMALIZE_WHITESPACE
    (Task(name='does', classes=(0, 1), exclusive=True),
     Task(name='at', classes=(2,), exclusive=False))
    >>> tasks_of_labels(["sit", "at 10:30"], False)
    (Task(name='', classes=(0, 1), exclusive=False),)
    """
    carry = carry_tasks(labels, with_task)
    classes: dict[str, list[int]] = {}
    for index, label in enumerate(labels):
        classes.setdefault(split_task(label)[0] if carry else "", []).append(index)
    if isinstance(exclusive, bool):
        exclusive = list(classes) if exclusive else ()
    check_task_names(exclusive, classes)
    return tuple(Task(name, tuple(own), name in exclusive) for name, own in classes.items())


def check_task_names(names: Collection[str], known: Collection[str]) -> None:
    """Refuse a name in the settings that is not a task."""
    for name in names:
        if name not in known:
            there = ", ".join(sorted(known)) if any(known) else "labels.txt has no `task:label`"
            raise ConfigError(f"no task {name!r}", where="loss.tasks", todo=f"tasks: {there}")


def probabilities(logits: Tensor, tasks: Sequence[Task]) -> Tensor:
    """Return the probability of each class (..., K), in single precision, from its logit."""
    found = logits.float().sigmoid()
    for task in tasks:
        if task.exclusive:
            own = list(task.classes)
            found[..., own] = torch.softmax(logits[..., own].float(), dim=-1)
    return found


def view_mean(
    logits_BVK: Tensor, tasks: Sequence[Task], average: Literal["sigmoid", "logit"]
) -> Tensor:
    """Return the probability of each label of a clip (B, K) from the logits of its views (B, V, K).

    Probabilities are averaged (`sigmoid`), or logits.
    """
    if average == "logit":
        return probabilities(logits_BVK.mean(1), tasks)
    return probabilities(logits_BVK, tasks).mean(1)


def check_answers(clips: ClipList, tasks: Sequence[Task]) -> None:
    """Refuse a list in which a line has several labels, or none, of a task that needs one."""
    for task in tasks:
        if not task.exclusive:
            continue
        if len(task.classes) < 2:
            raise ListError(
                f"{task.shown} has one class, so that every clip would carry it",
                where=clips.path,
                todo="set loss.name, or that of the task, to bce",
            )
        own = set(task.classes)
        counts = [len(own.intersection(clip.labels)) for clip in clips.clips]
        wrong = [(line, count) for line, count in enumerate(counts, start=1) if count != 1]
        if wrong:
            line, count = wrong[0]
            more = f"; so are {len(wrong) - 1} more lines" if len(wrong) > 1 else ""
            found = f"{count} labels" if count else "no label"
            raise ListError(
                f"{found} of {task.shown}, and cross_entropy needs one{more}",
                where=f"{clips.path}:{line}",
                todo="correct the line, or set loss.name, or the name of the task's loss, to bce",
            )


def pos_weight(config: TrainConfig, clips: ClipList) -> Tensor | None:
    """Return how many times a positive of each class counts in the loss (K,).

    Balanced, that is negatives over positives; for classes that exclude each other N / (K n), n
    the clips of a class, as scikit-learn balances. A class that no clip or every clip carries is
    left as it is.
    """
    wanted, num_labels = config.loss.pos_weight, len(clips.labels)
    if wanted is None:
        return None
    carried = [label for clip in clips.clips for label in set(clip.labels)]
    positives = torch.bincount(torch.tensor(carried, dtype=torch.long), minlength=num_labels)
    weight = torch.ones(num_labels)
    for task in loss_tasks(config.loss, clips.labels, clips.with_task):
        own, count = list(task.classes), positives[list(task.classes)]
        if wanted != "balanced":
            weight[own] = 1.0 if task.exclusive else float(wanted)
            continue
        ratio = len(clips.clips) / (count.clamp(min=1) * len(own))
        if not task.exclusive:
            ratio = (len(clips.clips) - count) / count.clamp(min=1)
        weight[own] = torch.where((count > 0) & (ratio > 0), ratio, 1.0)
    return weight
