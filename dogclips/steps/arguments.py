"""Arguments that several steps take, checked and read in one way."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd

from dogclips.alignment import AnnotatedIn, StreamChoice
from dogclips.errors import DogclipsError, UsageError
from dogclips.events import Feed
from dogclips.lists.listfile import LABELS, ClipList
from dogclips.lists.sessions import has_clips, merged_clips, moved_labels, read_lists

FoundT = TypeVar("FoundT")

Reference = int | str  # the index of a stream, or "auto"
Target = int | str  # the index of a stream, "auto" or "best"


def stream_choice(reference: Reference, target: Target, annotated_in: AnnotatedIn) -> StreamChoice:
    """Return which stream the annotator saw, in which player, and which one clips are cut from.

    Raises
    ------
    UsageError
        A stream is neither a number nor a known word.
    """
    return StreamChoice(
        reference=_stream(reference, "--reference", ("auto",)),
        target=_stream(target, "--target", ("auto", "best")),
        annotated_in=annotated_in,
    )


def _stream(given: int | str, option: str, words: Sequence[str]) -> Any:
    if isinstance(given, int) or given in words:
        return given
    if given.isdigit():
        return int(given)
    raise UsageError(
        f"{given!r} is no stream", where=option, todo=f"a number, or {' or '.join(words)}"
    )


def suffix_of(output: Path, known: Sequence[str]) -> str:
    """Return the suffix of a file to write, in lower case.

    Raises
    ------
    UsageError
        It is none of those known.
    """
    suffix = output.suffix.lower()
    if suffix not in known:
        raise UsageError(
            f"cannot write {output.suffix or 'a file without suffix'}",
            where="--output",
            todo=f"name a file that ends in {' or '.join(known)}",
        )
    return suffix


def read_each(
    paths: Sequence[Path], read: Callable[[Path], FoundT], feed: Feed, task: str
) -> list[FoundT]:
    """Return what was read from the inputs that can be read; the others are failures.

    Raises
    ------
    DogclipsError
        Nothing can be read: the fault of the first one, and those of the others are failures.
    """
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

    An input whose lists are empty is left out with a warning, unless all are.

    Raises
    ------
    ListError
        No input can be read, or two of them list the same clip.
    """
    empty: list[Path] = []

    def lists_of(path: Path) -> list[ClipList]:
        if has_clips(path):
            return read_lists(path, root)
        empty.append(path)
        return []

    found = read_each(inputs, lists_of, feed, "reading lists")
    lists = [own for lists in found for own in lists] or read_lists(empty[0], root)
    for path in empty:
        feed.warn(f"no window became a clip here, left out ({path}): see its manifest.csv")
    return merged_clips(lists)


def warn_of_moved_labels(clips: pd.DataFrame, names: Sequence[str], feed: Feed) -> None:
    """Warn where class indices change from an input to the merged list."""
    for path, moved in moved_labels(clips, names).items():
        shown = [f"{name} {own} -> {merged}" for name, (own, merged) in moved.items()]
        feed.warn(
            f"class indices differ from the input's own: {few(shown)} ({path}): "
            f"use the {LABELS} beside the new lists"
        )


def few(texts: Sequence[str]) -> str:
    """Return the first texts on one line."""
    return ", ".join(texts[:5]) + (", ..." if len(texts) > 5 else "")
