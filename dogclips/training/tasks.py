"""Which classes are answers to one question.

A dataset may ask several: what the animal does, where it is. Its labels.txt then writes
`task:label`. Within a task any number of labels may be true, each with a probability of its own
(sigmoid), or exactly one (softmax over the classes of the task).

Shapes: B clips, V views, K classes of all tasks.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from dogclips.errors import ConfigError


@dataclass(frozen=True)
class Task:
    """A question, and the classes that answer it.

    Parameters
    ----------
    name
        As labels.txt writes it before the colon; empty if labels carry no task.
    classes
        Which of all classes, by index, ascending; not always side by side.
    exclusive
        Whether a clip carries exactly one of them.
    """

    name: str
    classes: tuple[int, ...]
    exclusive: bool

    @property
    def shown(self) -> str:
        """Return how messages call it."""
        return f"task {self.name!r}" if self.name else "the list"


def tasks_of(labels: Sequence[str], exclusive: bool | Collection[str]) -> tuple[Task, ...]:
    """Return the tasks of a labels.txt, in the order in which they first come.

    Labels are read as `task:label` only if each of them has a text on both sides of its first
    colon; otherwise all are one task without a name.

    Parameters
    ----------
    labels
        Class names in order.
    exclusive
        Whether a clip carries exactly one label of each task, or the names of the tasks for which
        that is so.

    Raises
    ------
    ConfigError
        A name of `exclusive` is no task.

    >>> tasks_of(["does:sit", "does:walk", "at:door"], ["does"])  # doctest: +NORMALIZE_WHITESPACE
    (Task(name='does', classes=(0, 1), exclusive=True),
     Task(name='at', classes=(2,), exclusive=False))
    >>> tasks_of(["sit", "at 10:30"], False)
    (Task(name='', classes=(0, 1), exclusive=False),)
    """
    classes: dict[str, list[int]] = {}
    for index, name in enumerate(_task_names(labels)):
        classes.setdefault(name, []).append(index)
    if not isinstance(exclusive, bool):
        check_names(exclusive, classes, where="loss.tasks")
    return tuple(
        Task(name, tuple(own), exclusive if isinstance(exclusive, bool) else name in exclusive)
        for name, own in classes.items()
    )


def check_names(names: Collection[str], known: Collection[str], *, where: str) -> None:
    """Refuse a name that is no task.

    Raises
    ------
    ConfigError
        Names the tasks that there are.
    """
    for name in names:
        if name not in known:
            there = ", ".join(sorted(known)) if any(known) else "labels.txt has no `task:label`"
            raise ConfigError(f"no task {name!r}", where=where, todo=f"tasks: {there}")


def probabilities(logits: Tensor, tasks: Sequence[Task]) -> Tensor:
    """Return the probability of each class, in single precision.

    Parameters
    ----------
    logits
        Any shape (..., K).
    tasks
        That together have all K classes.
    """
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

    Parameters
    ----------
    average
        Probabilities are averaged (`sigmoid`), or logits.
    """
    if average == "logit":
        return probabilities(logits_BVK.mean(1), tasks)
    return probabilities(logits_BVK, tasks).mean(1)


def _task_names(labels: Sequence[str]) -> list[str]:
    """Return the task of each label."""
    parts = [label.partition(":") for label in labels]
    if not all(task and label for task, _, label in parts):
        return [""] * len(labels)
    return [task for task, _, _ in parts]
