"""Where clips lie: relative to a prefix, and under short names that no two of them share."""

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from dogclips.clips.names import safe


def common_folder(paths: Sequence[str]) -> Path:
    """Return the deepest folder that holds all of these absolute paths, or is one of them.

    >>> common_folder(["/d/Feb/2_2_kt", "/d/Feb/2_3_kt"]).as_posix()
    '/d/Feb'
    """
    return Path(os.path.commonpath(set(paths)))


def relative_to(paths: Sequence[str], prefix: Path | None) -> list[str]:
    """Return absolute paths as they follow a prefix; without one they stay absolute.

    >>> relative_to(["/d/Feb/2_2_kt/output/a.mp4", "/d/b.mp4"], Path("/d/Feb"))
    ['2_2_kt/output/a.mp4', '../b.mp4']
    """
    if prefix is None:
        return [*paths]
    folder = os.path.normpath(prefix.absolute())
    parts = [(path, "") if path == folder else os.path.split(path) for path in paths]
    parents = {parent: os.path.relpath(parent, folder) for parent in {one for one, _ in parts}}
    return [os.path.normpath(f"{parents[parent]}/{name}") for parent, name in parts]


def unique_keys(paths: Sequence[str]) -> list[str]:
    """Return a file name without dots for each absolute path; no two differ in case alone.

    The name of the clip's own file, where no other clip has it; else its folders stand in front,
    and what even then repeats is numbered.

    >>> unique_keys(["/d/a/x_start0.5_2.mp4", "/d/a/y.mp4", "/d/b/y.mp4"])
    ['x_start0_5_2', 'a_y', 'b_y']
    """
    short = [_key(Path(path).stem) for path in paths]
    repeats = Counter(key.casefold() for key in short)
    folder = common_folder([os.path.dirname(path) for path in paths])  # noqa: PTH120 (as they are)
    long = (_key(Path(path).with_suffix("").as_posix()) for path in relative_to(paths, folder))
    taken = {key for key, number in repeats.items() if number == 1}
    return [
        _free(full, taken) if repeats[key.casefold()] > 1 else key
        for key, full in zip(short, long, strict=True)
    ]


def _free(key: str, taken: set[str]) -> str:
    """Return the key, numbered if it is taken, and take it."""
    free, number = key, 2
    while free.casefold() in taken:
        free, number = f"{key}-{number}", number + 1
    taken.add(free.casefold())
    return free


def _key(text: str) -> str:
    return safe(text.replace("/", "_").replace(".", "_"))
