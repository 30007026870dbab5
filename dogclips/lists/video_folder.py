"""Clips as a folder that the `datasets` library loads: `load_dataset("videofolder", data_dir=...)`.

It takes splits from the names of folders, and what it is told of each video from a file `metadata`
beside them, whose `file_name` names the video. Source: `datasets/packaged_modules/videofolder` and
`folder_based_builder.py`.
"""

import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pandas as pd

from dogclips.lists.formats import write_parquet

# Clips without a split go to `train`, too: that is what the library calls the only split, and
# elsewhere it would take a file called `yard_test_1.mp4` for a split of its own.
FOLDER_OF = {"train": "train", "val": "validation", "test": "test", "all": "train"}
# Text would leave the types of its columns to the first rows, and splits must have the same.
_METADATA = "metadata.parquet"


def write_video_folder(
    folder: Path, clips: pd.DataFrame, described: pd.DataFrame, watch: Callable[[int], None]
) -> int:
    """Write the clips of a split beside their metadata, linked where the disk allows it.

    Parameters
    ----------
    clips
        `path`, and `key`, under which the clip appears.
    described
        A row for each clip, of `formats.describe_clips`.
    watch
        Called with 1 after each clip.

    Returns
    -------
    files
        How many files were written.
    """
    folder.mkdir()
    names = []
    for path, key in zip(clips["path"], clips["key"], strict=True):
        names.append(f"{key}{Path(path).suffix.lower()}")
        _link(path, folder / names[-1])
        watch(1)
    table = described.copy()
    table.insert(0, "file_name", names)
    write_parquet(folder / _METADATA, table)
    return len(names) + 1


def _link(path: str, target: Path) -> None:
    with suppress(OSError):  # another disk, or one that has no hard links
        os.link(os.path.realpath(path), target)
        return
    shutil.copyfile(path, target)
