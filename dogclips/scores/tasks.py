"""Which classes are answers to one question.

A dataset may ask several: what the animal does, where it is. Its labels.txt then writes
`task:label`. Within a task any number of labels may be true, each with a probability of its own
(sigmoid), or exactly one (softmax over the classes of the task).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from dogclips.errors import ConfigError
from dogclips.labels import carry_tasks, split_task


@dataclass(frozen=True)
class Task:
    """A question, and the classes that answer it."""

    name: str  #: As labels.txt writes it before the colon; empty if labels carry no task
    classes: tuple[int, ...]  #: Which of all classes, by index, ascending; not always side by side
    exclusive: bool  #: Whether a clip carries exactly one of them

    @property
    def shown(self) -> str:
        """Return how messages call it."""
        return f"task {self.name!r}" if self.name else "the list"


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
    """Refuse a name in the settings that is no task."""
    for name in names:
        if name not in known:
            there = ", ".join(sorted(known)) if any(known) else "labels.txt has no `task:label`"
            raise ConfigError(f"no task {name!r}", where="loss.tasks", todo=f"tasks: {there}")
