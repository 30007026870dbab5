"""Lists as the loaders of MMAction2 and PySlowFast read them."""

from pathlib import Path

import pandas as pd

from dogclips.errors import UsageError
from dogclips.files import write_whole
from dogclips.lists.clip_paths import relative_to


def write_mmaction2(path: Path, clips: pd.DataFrame, prefix: Path | None = None) -> None:
    """Write `PATH LABEL [LABEL ...]` as VideoDataset reads it with `multi_class=True`.

    It splits lines on blanks (`mmaction/datasets/video_dataset.py`) and puts `data_prefix` before
    the path.
    """
    paths = relative_to(clips["path"].tolist(), prefix)
    rows = zip(paths, clips["labels"], strict=True)
    lines = [" ".join([name, *map(str, labels)]) for name, labels in rows]
    write_whole(path, "".join(f"{line}\n" for line in lines))


def write_slowfast(
    path: Path, clips: pd.DataFrame, prefix: Path | None = None, separator: str = " "
) -> None:
    """Write `PATH LABEL`, one label a clip, as PySlowFast's Kinetics loader reads it.

    It splits lines at every `DATA.PATH_LABEL_SEPARATOR` (`slowfast/datasets/kinetics.py`), takes a
    line of one part for class 0 and the middle of three parts for nothing; so no path may hold the
    separator. `DATA.PATH_PREFIX` comes before the path.
    """
    paths = relative_to(clips["path"].tolist(), prefix)
    rows = zip(paths, clips["labels"], strict=True)
    lines = [f"{name}{separator}{label}" for name, (label,) in rows]
    write_whole(path, "".join(f"{line}\n" for line in lines))


def check_separator(separator: str) -> None:
    """Refuse what cannot stand between a path and a number.

    Raises
    ------
    UsageError
        The separator is empty, breaks the line, or holds a digit.
    """
    breaks = separator.splitlines() != [separator]
    if breaks or any(letter.isdigit() for letter in separator):
        raise UsageError(
            f"{separator!r} cannot separate a path from a label",
            where="--separator",
            todo="text without digits and line breaks, such as ' ' or ','",
        )
