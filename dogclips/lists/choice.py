"""Choose clips of a list: by name, or evenly at random."""

import difflib
from collections.abc import Sequence
from pathlib import Path
from random import Random

from dogclips.errors import UsageError
from dogclips.lists.listfile import ClipList


def listed_name(clips: ClipList, path: Path) -> str:
    """Return the name of a clip, relative to its list where it lies below it."""
    folder = clips.path.parent.absolute()
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else str(path)


def drawn_clips(clips: ClipList, number: int, label: str | None, seed: int) -> list[int]:
    """Return the indices of clips that lie evenly in a list, from a random start.

    With a label only those that carry it.
    """
    indices = list(range(len(clips.clips)))
    if label is not None:
        if label not in clips.labels:
            raise _unknown("label", label, clips.labels)
        wanted = clips.labels.index(label)
        indices = [index for index in indices if wanted in clips.clips[index].labels]
        if not indices:
            raise UsageError(f"no clip has label {label!r}", where=clips.path, todo="name another")
    return evenly_drawn(indices, number, Random(seed))  # noqa: S311 (no secret)


def evenly_drawn(indices: Sequence[int], number: int, random: Random) -> list[int]:
    """Return at most so many of the indices that lie evenly among them, from a random start."""
    number = min(number, len(indices))
    start = random.random()
    return [indices[int((step + start) * len(indices) / number)] for step in range(number)]


def named_clips(clips: ClipList, names: Sequence[str]) -> list[int]:
    """Return the indices of clips by name: as listed, or file names with or without suffix."""
    known: dict[str, list[int]] = {}
    for index, clip in enumerate(clips.clips):
        ways = (listed_name(clips, clip.path), str(clip.path), clip.path.name, clip.path.stem)
        for name in dict.fromkeys(ways):
            known.setdefault(name, []).append(index)
    for name in names:
        if name not in known:
            raise _unknown("clip", name, list(known))
    return list(dict.fromkeys(index for name in names for index in known[name]))


def _unknown(what: str, name: str, known: Sequence[str]) -> UsageError:
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    todo = f"did you mean {near[0]!r}?" if near else "see the list"
    return UsageError(f"no {what} {name!r}", where="list", todo=todo)
