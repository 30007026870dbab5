"""Class names: how annotated labels become them, and whether they name their task."""

import re
from collections.abc import Collection
from typing import Literal

from pydantic import Field

from dogclips.config import Config


class LabelConfig(Config):
    """How annotated labels become classes.

    `rename` maps names, `drop` forgets them, `order` fixes the first class indices; the rest
    follows in first-seen order over the sorted project files. `unknown` says what becomes of text
    that is no option of its attribute. `option_ids` says whether one option id may mean different
    labels in different files of a dataset: "by-file" believes each file, "same" refuses them, as
    somebody may have edited the list of options after annotating.
    """

    rename: dict[str, str] = Field(default_factory=dict)
    drop: tuple[str, ...] = ()
    order: tuple[str, ...] = ()
    unknown: Literal["keep", "drop", "error"] = "keep"
    option_ids: Literal["same", "by-file"] = "same"


_TASK_AND_LABEL = re.compile("(.+?):(.+)", re.DOTALL)


def carry_tasks(names: Collection[str], known: bool | None = None) -> bool:
    """Return whether classes are called `task:label`.

    What is stored of them counts, as `with_task` in a manifest; where nothing is `known`, each of
    them has to have a colon with text on both sides.

    >>> carry_tasks(["does:sit", "at:door"]), carry_tasks(["sit", "at 10:30"])
    (True, False)
    """
    if known is not None:
        return known
    return bool(names) and all(_TASK_AND_LABEL.fullmatch(name) for name in names)


def split_task(name: str) -> tuple[str, str]:
    """Return task and label of a class that is called `task:label`.

    Labels may hold colons: the first one with text on both sides stands between the two.

    >>> split_task("does:sit"), split_task("time:10:30"), split_task(":a:b"), split_task("a::")
    (('does', 'sit'), ('time', '10:30'), (':a', 'b'), ('a', ':'))
    """
    found = _TASK_AND_LABEL.fullmatch(name)
    task, _, label = name.rpartition(":")
    return (found[1], found[2]) if found else (task, label)
