"""Inputs that several steps read in one way."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import pandas as pd

from dogclips.errors import DogclipsError, UsageError
from dogclips.events import Feed
from dogclips.lists.sessions import has_clips, moved_labels, read_clips
from dogclips.records.class_names import LABELS

FoundT = TypeVar("FoundT")


def read_each(
    paths: Sequence[Path], read: Callable[[Path], FoundT], feed: Feed, task: str
) -> list[FoundT]:
    """Return what was read from the inputs that can be read; raise only if none can."""
    if not paths:
        raise UsageError("nothing to read", todo="name a folder or a file")
    found: list[FoundT] = []
    faults: list[DogclipsError] = []
    with feed.task(task, len(paths)) as done:
        for path in paths:
            try:
                found.append(read(path))
            except DogclipsError as error:
                faults.append(error)
            done(1)
    for fault in faults if found else faults[1:]:
        feed.fail(fault)
    if not found:
        raise faults[0]
    return found


def read_inputs(
    inputs: Sequence[Path], feed: Feed, root: Path | None = None
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return the clips of sessions, splits and lists; see `lists.sessions.read_clips`.

    An input with empty lists is skipped with a warning, unless all are empty. An input that cannot
    be read is an error: the result is made of all of them.
    """
    if not inputs:
        raise UsageError("nothing to read", todo="name a folder or a file")
    filled = [path for path in inputs if has_clips(path)]
    for path in inputs if filled else ():
        if path not in filled:
            feed.warn(f"no clips here, skipped ({path}): see its manifest.csv")
    return read_clips(filled or inputs, root)


def warn_of_moved_labels(clips: pd.DataFrame, names: Sequence[str], feed: Feed) -> None:
    """Warn where class indices change from an input to the merged list."""
    for path, moved in moved_labels(clips, names).items():
        shown = [f"{name} {own} -> {merged}" for name, (own, merged) in moved.items()]
        feed.warn(
            f"class indices differ from the input's own, which the names of its clips carry: "
            f"{few(shown)} ({path}): use the {LABELS} beside the new lists, or cut all sessions "
            f"together"
        )


def few(texts: Sequence[str]) -> str:
    """Return the first texts on one line."""
    return ", ".join(texts[:5]) + (", ..." if len(texts) > 5 else "")
