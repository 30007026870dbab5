"""`labels.txt`: one class name per line; line numbers from 0 are class indices."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from dogclips.errors import ListError
from dogclips.files import write_whole

LABELS = "labels.txt"


def read_labels(list_path: Path) -> tuple[str, ...]:
    """Return the class names that belong to a list; none of them is empty or doubled."""
    folders = (list_path.parent, list_path.parent.parent)
    path = next((folder / LABELS for folder in folders if (folder / LABELS).is_file()), None)
    if path is None:
        todo = f"write {LABELS} beside the list: one class name per line"
        raise ListError(f"no {LABELS}", where=list_path.parent, todo=todo)
    names: dict[str, int] = {}
    for number, line in enumerate(unmarked_text(path, "check the file").splitlines(), start=1):
        name = line.strip()
        if not name:
            raise ListError("a class has no name", where=f"{path}:{number}", todo="write its name")
        if names.setdefault(name, number) != number:
            what = f"two classes are called {name!r}: lines {names[name]} and {number}"
            raise ListError(what, where=f"{path}:{number}", todo="rename one of them")
    return tuple(names)


def other_order(folder: Path, names: Sequence[str]) -> tuple[str, ...]:
    """Return the class names of an earlier list if one of its indices means another class now.

    Where the folder has no readable `labels.txt` nothing was said before.
    """
    if not (folder / LABELS).is_file():
        return ()
    try:
        before = read_labels(folder / LABELS)
    except ListError:
        return ()
    return before if any(one != two for one, two in zip(before, names, strict=False)) else ()


def earlier_labels(folders: Iterable[Path]) -> tuple[str, ...]:
    """Return the class names of the first folder with a readable `labels.txt`; none without."""
    for folder in folders:
        if (folder / LABELS).is_file():
            try:
                return read_labels(folder / LABELS)
            except ListError:
                continue
    return ()


def order_change(folder: Path, names: Sequence[str]) -> str:
    """Return a warning if class indices will mean other classes than before; else nothing."""
    before = other_order(folder, names)
    change = f"class indices change from {', '.join(before)} to {', '.join(names)}"
    return f"{change} ({folder / LABELS}): set labels.order to keep them" if before else ""


def write_labels(path: Path, names: Sequence[str]) -> None:
    """Write one class name per line."""
    write_whole(path, labels_text(path, names))


def labels_text(path: Path, names: Sequence[str]) -> str:
    """Return the text of a `labels.txt`; faults name its path, as `write_labels` would."""
    for name in names:
        if not name.strip() or name.splitlines() != [name]:
            raise ListError(
                f"{name!r} cannot be written on one line", where=path, todo="use labels.rename"
            )
    return "".join(f"{name}\n" for name in names)


def unmarked_text(path: Path, todo: str) -> str:
    """Return the text without the mark that some editors put in front of it."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ListError("cannot be read", where=path, todo=todo) from error
