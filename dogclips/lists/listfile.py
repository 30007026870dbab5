"""Clip lists as MMAction2's multi-label VideoDataset reads them, and their label names.

A line is `PATH LABEL [LABEL ...]`, separated by one blank, so no path may hold one. Paths are
relative to the folder of the list. `labels.txt` in that folder, or in the one above, holds one
class name a line: line number = class index, from 0.
"""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from dogclips.errors import ListError
from dogclips.files import write_whole

LABELS = "labels.txt"


@dataclass(frozen=True)
class ListedClip:
    """One line: an absolute path and class indices."""

    path: Path
    labels: tuple[int, ...]


@dataclass(frozen=True)
class ClipList:
    """A list file with the class names that its indices mean."""

    path: Path
    clips: tuple[ListedClip, ...]
    labels: tuple[str, ...]


def read_list(path: Path, root: Path | None = None) -> ClipList:
    """Read a list and its label names.

    Parameters
    ----------
    root
        What paths in the list are relative to; None means the folder of the list.

    Raises
    ------
    ListError
        The list is missing or empty, a line is wrong (its number is given), a clip is missing or
        listed twice, or an index has no name.
    """
    text = _read(path, "check the path of the list")
    labels = read_labels(path)
    clips: dict[Path, ListedClip] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        clip = _parse(line, f"{path}:{number}", root or path.parent, len(labels))
        if clip.path in clips:
            raise ListError("the clip is listed twice", where=f"{path}:{number}", todo="drop one")
        clips[clip.path] = clip
    if not clips:
        raise ListError("the list is empty", where=path, todo="cut clips first: `dogclips cut`")
    return ClipList(path, tuple(clips.values()), labels)


def read_labels(list_path: Path) -> tuple[str, ...]:
    """Return the class names that belong to a list.

    Raises
    ------
    ListError
        There is no `labels.txt`, or a line of it is empty or doubled.
    """
    folders = (list_path.parent, list_path.parent.parent)
    path = next((folder / LABELS for folder in folders if (folder / LABELS).is_file()), None)
    if path is None:
        raise ListError("no labels.txt", where=list_path.parent, todo="one class name a line")
    names = tuple(line.strip() for line in _read(path, "check the file").splitlines())
    if "" in names or len(set(names)) < len(names):
        raise ListError("an empty or doubled class name", where=path, todo="mend that line")
    return names


def write_labels(path: Path, names: Sequence[str]) -> None:
    """Write one class name a line.

    Raises
    ------
    ListError
        A name is empty or holds a line break.
    """
    for name in names:
        if not name.strip() or name.splitlines() != [name]:
            raise ListError(f"{name!r} cannot be a line", where=path, todo="use labels.rename")
    write_whole(path, "".join(f"{name}\n" for name in names))


def write_list(path: Path, clips: Iterable[ListedClip]) -> None:
    """Write a list with paths relative to its own folder.

    Raises
    ------
    ListError
        A relative path holds a blank, which readers would take for the end of the path.
    """
    lines = []
    for clip in clips:
        relative = Path(os.path.relpath(clip.path, path.parent)).as_posix()
        if len(relative.split()) != 1:
            raise ListError(
                f"a blank in {relative!r}", where=path, todo="rename the folder without blanks"
            )
        lines.append(" ".join([relative, *(str(label) for label in clip.labels)]))
    write_whole(path, "".join(f"{line}\n" for line in lines))


def _parse(line: str, where: str, folder: Path, num_classes: int) -> ListedClip:
    name, *labels = line.split(" ")
    if not name or not all(
        label.isascii() and label.isdigit() and len(label) < 10 for label in labels
    ):
        raise ListError(
            f"not `PATH LABEL [LABEL ...]`: {line!r}",
            where=where,
            todo="one blank between the parts, none in the path, no empty lines",
        )
    indices = tuple(int(label) for label in labels)
    if any(index >= num_classes for index in indices):
        raise ListError(
            f"label {max(indices)} has no name: labels.txt has {num_classes}",
            where=where,
            todo="use the labels.txt that belongs to this list",
        )
    path = Path(os.path.normpath(folder.absolute() / name))
    if not os.path.isfile(path):  # noqa: PTH113 (Path.is_file raises on a name that is too long)
        raise ListError(
            f"no such clip: {name}", where=where, todo="paths start at the list, or at data.root"
        )
    return ListedClip(path, indices)


def _read(path: Path, todo: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ListError("cannot be read", where=path, todo=todo) from error
