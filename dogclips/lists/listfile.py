"""Clip lists as MMAction2's multi-label VideoDataset reads them, and their label names.

A line is `PATH LABEL [LABEL ...]`, separated by one blank, so no path may hold one. Paths are
relative to the folder of the list. Class names stand in `labels.txt` in that folder, or above.
"""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from reprlib import repr as briefly

from dogclips.errors import ListError
from dogclips.files import write_whole
from dogclips.lists.clip_paths import relative_to
from dogclips.records.class_names import read_labels, unmarked_text
from dogclips.records.manifest import ManifestIndex
from dogclips.records.mixups import not_a_list


@dataclass(frozen=True, slots=True)
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

    @cached_property
    def with_task(self) -> bool | None:
        """Return whether labels are `task:label`, as manifests say; None if none does."""
        if not any(":" in label for label in self.labels):
            return False
        return ManifestIndex().with_task(clip.path for clip in self.clips)


@dataclass(frozen=True)
class _Fault:
    """What is wrong with a line, and what to do."""

    what: str
    todo: str


def read_list(path: Path, root: Path | None = None) -> ClipList:
    """Read a list and its label names.

    Paths in the list are relative to `root`; None means the folder of the list. A list that is
    missing or empty is a ListError, and so is a line that is blank or has a space in the path,
    anything but one blank between the parts, an index that has no name or stands there twice, or a
    clip that is missing or listed twice. The first such line is named by its number, and how many
    more there are. A clip that is still in its recording is not missing.
    """
    wrong = not_a_list(path)
    if wrong is not None:
        raise wrong
    text = unmarked_text(path, "check the path of the list")
    labels = read_labels(path)
    folder = str((root or path.parent).absolute())
    index = ManifestIndex()
    known: dict[str, tuple[int, ...]] = {"": ()}
    line_of: dict[str, int] = {}
    clips: list[ListedClip] = []
    faults: list[tuple[int, _Fault]] = []
    for number, line in enumerate(_lines(text), start=1):
        parsed = _parse(line, folder, len(labels), known, index)
        if not isinstance(parsed, _Fault):
            first = line_of.setdefault(parsed[0], number)
            if first == number:
                clips.append(ListedClip(Path(parsed[0]), parsed[1]))
                continue
            parsed = _Fault(f"the clip is listed twice, first in line {first}", "drop one")
        faults.append((number, parsed))
    if faults:
        (number, fault), more = faults[0], len(faults) - 1
        also = f"; {more} more line{'s are' if more > 1 else ' is'} wrong" if more else ""
        raise ListError(f"{fault.what}{also}", where=f"{path}:{number}", todo=fault.todo)
    if not clips:
        raise ListError("the list is empty", where=path, todo="cut clips first: `dogclips cut`")
    return ClipList(path, tuple(clips), labels)


def write_list(path: Path, clips: Iterable[ListedClip]) -> None:
    """Write a list with paths relative to its own folder.

    A relative path with a blank, which readers would take for its end, is a ListError.
    """
    listed = list(clips)
    write_whole(path, list_text(path, [str(c.path) for c in listed], [c.labels for c in listed]))


def list_text(path: Path, clips: Iterable[str], labels: Iterable[Sequence[int]]) -> str:
    """Return the text of a list that will lie at a path; see `write_list`."""
    names = relative_to([*clips], path.parent)
    for name in names:
        if len(name.split()) != 1:
            raise ListError(
                f"a space in {name!r}", where=path, todo="rename the folder without spaces"
            )
    return list_lines(names, labels)


def list_lines(paths: Iterable[str], labels: Iterable[Sequence[int]], separator: str = " ") -> str:
    """Return a line for each clip: its path and the indices of its labels."""
    rows = zip(paths, labels, strict=True)
    return "".join(f"{separator.join([path, *map(str, own)])}\n" for path, own in rows)


def _lines(text: str) -> list[str]:
    """Return lines as an editor counts them; `splitlines` breaks at rarer characters, too."""
    lines = text.split("\n")
    return lines if lines[-1] else lines[:-1]


def _parse(
    line: str,
    folder: str,
    num_classes: int,
    known: dict[str, tuple[int, ...]],
    index: ManifestIndex,
) -> tuple[str, tuple[int, ...]] | _Fault:
    """Return path and indices of a line; `known` remembers the indices that a text stands for."""
    if line.split() != line.split(" "):
        return _odd_blank(line)
    name, _, tail = line.partition(" ")
    if tail not in known:
        labels = tail.split(" ")
        if not all(_is_index(label) for label in labels):
            return _no_index(line, folder)
        indices = tuple(map(int, labels))
        fault = _wrong_index(indices, num_classes)
        if fault:
            return fault
        known[tail] = indices
    path = os.path.normpath(os.path.join(folder, name))  # noqa: PTH118 (thrice as fast as Path)
    # Path.is_file raises on a name that is too long.
    if not os.path.isfile(path) and not _is_planned(index, path):  # noqa: PTH113
        todo = "paths start at the list, or at data.root or --root"
        return _Fault(f"no such clip: {name}", todo)
    return path, known[tail]


def _is_planned(index: ManifestIndex, clip: str) -> bool:
    """Return whether a clip is still in its recording."""
    row = index.find(Path(clip))
    return row is not None and row["status"] == "planned"


def _wrong_index(indices: tuple[int, ...], num_classes: int) -> _Fault | None:
    if max(indices) >= num_classes:
        return _Fault(
            f"label {max(indices)} has no name: labels.txt has {num_classes}",
            "use the labels.txt that belongs to this list",
        )
    twice = next((index for index in indices if indices.count(index) > 1), None)
    return None if twice is None else _Fault(f"label {twice} appears twice", "drop one")


def _odd_blank(line: str) -> _Fault:
    """Say which space is not the single one between two parts."""
    other = next((letter for letter in line if letter.isspace() and letter != " "), "")
    if not line.strip():
        return _Fault("an empty line", "delete it")
    if other:
        kind = "a tab" if other == "\t" else f"an unusual space (U+{ord(other):04X})"
        return _Fault(f"{kind} in {briefly(line)}", "write one plain space between the parts")
    if line != line.strip():
        side = "before" if line[0] == " " else "after"
        return _Fault(f"a space {side} {briefly(line.strip())}", "delete it")
    first = line.partition("  ")[0]
    return _Fault(f"two spaces in a row after {briefly(first)}", "write one between the parts")


def _no_index(line: str, folder: str) -> _Fault:
    """Tell a space in a path from a label that is not a number."""
    parts = line.split(" ")
    wrong = max(number for number, part in enumerate(parts) if number and not _is_index(part))
    name = " ".join(parts[: wrong + 1])
    if os.path.isfile(os.path.join(folder, name)):  # noqa: PTH113, PTH118 (as in _parse)
        todo = "rename the clip without it: readers take it for the end of the path"
        return _Fault(f"a space in the path {name!r}", todo)
    first = next(part for part in parts[1:] if not _is_index(part))
    todo = "labels are numbers from 0, line numbers of labels.txt; a path has no spaces"
    return _Fault(f"{briefly(first)} is not a class index", todo)


def _is_index(part: str) -> bool:
    return part.isdecimal() and part.isascii() and len(part) < 10
