"""Units of work: the clips that one process cuts in one pass over a stretch of a source."""

import gc
from collections import defaultdict
from collections.abc import Callable, Collection, Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from dogclips.media.cutting import cut_source
from dogclips.media.encoding import ClipJob, ClipOutcome, EncoderConfig
from dogclips.media.hardware import SOFTWARE
from dogclips.streams import Stream

if TYPE_CHECKING:  # a process that only cuts starts in half the time without
    from dogclips.clips.plan import ClipPlan

# Clips that begin in the same minute of a stream share an encoder. Their bytes then depend on each
# other but not on the number of workers, and a killed run repeats a minute at most.
_UNIT_S = 60


@dataclass(frozen=True)
class Unit:
    """Clips of one stretch of a source; it can travel to another process or machine.

    Only the jobs of the paths in `wanted` are written: an earlier run has written the others.
    """

    source: Path
    stream: Stream
    jobs: tuple[ClipJob, ...]
    encoder: EncoderConfig
    wanted: frozenset[Path]
    device: str = SOFTWARE


# Cuts units in any order, yields the outcomes of each finished one; nothing runs on once closed.
Engine: TypeAlias = Callable[[Sequence[Unit]], Generator[list[ClipOutcome]]]


def plan_units(plan: "ClipPlan", todo: Collection[Path]) -> list[Unit]:
    """Return the units that hold clips to cut, in the order of the plan.

    Parameters
    ----------
    todo
        The clips to cut, by path.
    """
    stretches: defaultdict[tuple[str, int], list[ClipJob]] = defaultdict(list)
    sources = plan.table["source"].to_dict()
    for place, job in plan.jobs.items():
        source = str(sources[place])
        stream = plan.sources[source][1]
        begin_s = int(stream.pts[job.places[0]] - stream.pts[0]) * stream.time_base
        stretches[source, int(begin_s // _UNIT_S)].append(job)
    units, config = [], plan.config
    for (source, _), jobs in stretches.items():
        wanted = frozenset(job.path for job in jobs if job.path in todo)
        if wanted:
            path, stream = plan.sources[source]
            units.append(Unit(path, stream, tuple(jobs), config.encoder, wanted, config.decoder))
    return units


def cut_unit(unit: Unit) -> Generator[ClipOutcome]:
    """Cut the wanted clips of a unit and yield what became of each.

    Raises
    ------
    OutputError
        The encoder refuses its settings, or the output folder is full or not writable.
    """
    try:
        yield from cut_source(
            unit.source, unit.stream, unit.jobs, unit.encoder, unit.wanted, device=unit.device
        )
    finally:
        # PyAV's containers and streams hold each other, and an encoder holds 100 MB at 1080p.
        gc.collect()
