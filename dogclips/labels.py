"""Class names: how labels become classes, and whether class names contain their task."""

import re
from collections.abc import Collection
from typing import Any, Literal

from pydantic import Field, field_validator

from dogclips.config import Config
from dogclips.wording import one_spelling


class LabelConfig(Config):
    """How annotated labels become classes."""

    rename: dict[str, str] = Field(
        default_factory=dict,
        description="New names of labels, by the name in the annotations; several labels may get "
        "one name.",
    )
    drop: tuple[str, ...] = Field((), description="Labels to ignore.")
    order: tuple[str, ...] = Field(
        (),
        description="Classes that come first, in this order; the others follow as in an earlier "
        "`labels.txt`, in the order of the options, and in the order of their first use.",
    )
    unknown: Literal["keep", "drop", "error"] = Field(
        "keep",
        description="What happens to a label that is not an option of its VIA attribute: keep it "
        "as a class, ignore it, or stop.",
    )

    @field_validator("rename", "drop", "order")
    @classmethod
    def _spelt(cls, given: Any) -> Any:
        """Spell labels as those of annotation files are spelt."""
        if isinstance(given, dict):
            return {one_spelling(old): one_spelling(new) for old, new in given.items()}
        return tuple(map(one_spelling, given))

    option_ids: Literal["same", "by-file"] = Field(
        "same",
        description="Whether an option id has to mean the same label in all annotation files "
        "(`same`), or each file is read by its own options (`by-file`).",
    )


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
