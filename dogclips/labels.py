"""From what annotators wrote to class names in a fixed order."""

import re
from collections.abc import Collection, Iterable
from typing import Literal

import pandas as pd
from pydantic import Field

from dogclips.config import Config
from dogclips.errors import AnnotationError


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

    Parameters
    ----------
    names
        Class names. Unless somebody knows, they carry tasks if each of them has a colon with text
        on both sides.
    known
        What is stored of them, such as `with_task` in a manifest; None if nothing is.

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


def several_tasks(tables: Iterable[pd.DataFrame], tasks: str | tuple[str, ...]) -> bool:
    """Return whether segments answer several questions, so that classes carry their task.

    Parameters
    ----------
    tables
        Segments of all files that are labelled together.
    tasks
        Names of the attributes that become classes, or "all".
    """
    return len(set[str]().union(*(_chosen(table, tasks) for table in tables))) > 1


def _chosen(segments: pd.DataFrame, tasks: str | tuple[str, ...]) -> set[str]:
    """Return the attributes that become classes: those named, or "all" that carry segments."""
    return {str(task) for task in segments["task"].unique() if tasks == "all" or task in tasks}


def apply_labels(
    segments: pd.DataFrame,
    config: LabelConfig,
    tasks: str | tuple[str, ...],
    *,
    with_task: bool | None = None,
) -> pd.DataFrame:
    """Return the segments that become classes, under their class names.

    Parameters
    ----------
    segments
        Columns of `segments.SEGMENT_COLUMNS`.
    tasks
        Names of the attributes that become classes, or "all".
    with_task
        Call a class `task:label`; None means if these segments have `several_tasks`. A dataset of
        several projects must decide once for all of them.

    Raises
    ------
    AnnotationError
        A label is no option of its attribute and `unknown` is "error".
    """
    if with_task is None:
        with_task = several_tasks([segments], tasks)
    segments = segments[segments["task"].isin(_chosen(segments, tasks))]
    known = segments["known"] | segments["label"].isin(list(config.rename))
    segments = segments.assign(known=known)
    unknown = segments[~segments["known"]]
    if len(unknown) and config.unknown == "error":
        first = unknown.iloc[0]
        raise AnnotationError(
            f"{first['label']!r} is no option of attribute {first['task']!r}",
            where=f"{first['source_file']}: metadata.{first['source_id']}",
            todo="add the option in VIA, or set labels.rename or labels.unknown",
        )
    if config.unknown == "drop":
        segments = segments[segments["known"]]
    names = segments["label"].replace(config.rename)
    if with_task:
        names = segments["task"] + ":" + names
    dropped = segments["label"].isin(config.drop) | names.isin(config.drop)
    return segments.assign(label=names)[~dropped].reset_index(drop=True)


def class_order(names: Iterable[str], order: Iterable[str]) -> tuple[str, ...]:
    """Return class names: those of `order` first, then the others as they are first seen.

    >>> class_order(["walk", "sit", "walk"], ["run"])
    ('run', 'walk', 'sit')
    """
    return tuple(dict.fromkeys([*order, *names]))
