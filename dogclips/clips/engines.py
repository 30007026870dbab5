"""Where units of work are cut: in processes of this machine. The plan does not know."""

import os
from collections.abc import Generator, Sequence
from contextlib import closing

from dogclips.clips.units import Engine, Unit, cut_unit
from dogclips.files import part_of
from dogclips.media.encoding import ClipOutcome
from dogclips.processes import in_processes


def local_engine(workers: int | None = None) -> Engine:
    """Cut in processes of this machine; None means one for each core."""

    def run(units: Sequence[Unit]) -> Generator[list[ClipOutcome]]:
        unfinished = dict(enumerate(units))
        todo = "run the same command again with fewer --workers"
        finished = in_processes(_cut, units, workers or os.cpu_count() or 1, "cuts clips", todo)
        try:
            with closing(finished):
                for index, outcomes in finished:
                    del unfinished[index]
                    yield outcomes
        finally:
            for unit in unfinished.values():  # processes are ended in the middle of a clip
                for path in unit.wanted:
                    part_of(path).unlink(missing_ok=True)

    return run


def _cut(unit: Unit) -> list[ClipOutcome]:
    return list(cut_unit(unit))
