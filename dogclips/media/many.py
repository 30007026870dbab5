"""The same work on many files, side by side where that pays."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TypeVar

from dogclips.errors import MediaError
from dogclips.processes import in_processes

Made = TypeVar("Made")

# Two processes start in half a second, in which one measures some 20 files of three minutes.
_WORTH_PROCESSES = 64


def of_each(
    read: Callable[[Path], Made],
    paths: Sequence[Path],
    progress: Callable[[int], None] = lambda _: None,
    *,
    in_threads: bool = False,
) -> list[Made | MediaError]:
    """Return what `read` makes of each file; a bad file becomes its error.

    Parameters
    ----------
    progress
        Called with the number of files that were read since the last call.
    in_threads
        `read` waits for another program. With PyAV, which hands its lock over with each packet,
        two threads are slower than one.
    """
    attempt, cores = partial(_attempt, read), os.cpu_count() or 1
    if in_threads:
        with ThreadPoolExecutor(cores) as pool:
            return list(pool.map(attempt, paths))
    workers = cores if len(paths) >= _WORTH_PROCESSES else 1
    found: dict[int, Made | MediaError] = {}
    with closing(in_processes(attempt, paths, workers, "reads files")) as made:
        for index, one in made:
            found[index] = one
            progress(1)
    return [found[index] for index in range(len(paths))]


def _attempt(read: Callable[[Path], Made], path: Path) -> Made | MediaError:
    try:
        return read(path)
    except MediaError as error:
        return error
