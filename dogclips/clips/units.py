"""Units of work: the clips that one process cuts in one pass over a stretch of a source."""

import gc
import os
from collections import defaultdict
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from dogclips.files import part_of
from dogclips.media.display import AS_USUAL, Decoding
from dogclips.media.encoding import ClipOutcome, EncoderConfig, cut_source
from dogclips.media.lanes import ClipJob
from dogclips.processes import in_processes
from dogclips.streams import Stream

if TYPE_CHECKING:  # a process that only cuts starts in half the time without
    from dogclips.clips.plan import ClipPlan

# Clips that begin in the same minute of a stream may share an encoder. Their bytes then depend on
# each other but not on the number of workers, and a killed run repeats a minute at most. Where no
# clip crosses, a minute is cut again, so that all workers end at about the same time.
_UNIT_S, _PIECE_S = 60, 20
# Who cuts a piece decodes from the keyframe before it: no piece begins more than a minute behind
# one, or the time for a recording without keyframes would grow with the square of its length.


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
    decoding: Decoding = AS_USUAL


# Cuts units in any order, yields the outcomes of each finished one; nothing runs on once closed.
Engine: TypeAlias = Callable[[Sequence[Unit]], Generator[list[ClipOutcome]]]


def local_engine(workers: int | None = None) -> Engine:
    """Cut in processes of this machine; None means one for each core."""

    def run(units: Sequence[Unit]) -> Generator[list[ClipOutcome]]:
        unfinished = dict(enumerate(units))
        todo = "run the same command again with fewer --workers"
        finished = in_processes(cut_unit, units, workers or os.cpu_count() or 1, "cuts clips", todo)
        ours = gc.get_freeze_count() == 0  # who calls us may have done so, and needs it longer
        if ours:
            gc.freeze()  # what is loaded by now stays: a look for garbage after each unit is short
        try:
            with closing(finished):
                for index, outcomes in finished:
                    del unfinished[index]
                    yield outcomes
        finally:
            if ours:
                gc.unfreeze()
            for unit in unfinished.values():  # processes are ended in the middle of a clip
                for path in unit.wanted:
                    part_of(path).unlink(missing_ok=True)

    return run


def telling(engine: Engine, tell: Callable[[Path, str], None]) -> Engine:
    """Return an engine that tells once of each recording whose frames had to be fitted in."""

    def run(units: Sequence[Unit]) -> Generator[list[ClipOutcome]]:
        source_of = {path: unit.source for unit in units for path in unit.wanted}
        told = set[Path]()
        with closing(engine(units)) as finished:
            for outcomes in finished:
                for outcome in outcomes:
                    source = source_of[outcome.path]
                    if outcome.resized and source not in told:
                        told.add(source)
                        tell(source, outcome.resized)
                yield outcomes

    return run


def no_engine(_units: Sequence[Unit]) -> Generator[list[ClipOutcome]]:
    """Cut nothing: clips stay in their recordings."""
    yield from ()


def plan_units(plan: "ClipPlan", todo: Collection[Path]) -> list[Unit]:
    """Return the units that hold clips to cut (`todo`, by path), in the order of the plan."""
    jobs_of: defaultdict[str, list[ClipJob]] = defaultdict(list)
    sources = plan.table["source"].to_dict()
    for row, job in plan.jobs.items():
        jobs_of[str(sources[row])].append(job)
    units, config = [], plan.config
    decoding = Decoding(config.decoder, deinterlace=config.deinterlace == "auto")
    for source, jobs in jobs_of.items():
        path, stream = plan.sources[source]
        for piece in _pieces(jobs, stream):
            wanted = frozenset(job.path for job in piece if job.path in todo)
            if wanted:
                own = path, stream, tuple(piece), config.encoder, wanted
                units.append(Unit(*own, decoding))
    return units


def _pieces(jobs: Iterable[ClipJob], stream: Stream) -> Iterator[list[ClipJob]]:
    """Yield the clips of one source that are cut together, in time order."""
    piece: list[ClipJob] = []
    begun_s, last = Fraction(0), -1
    for job in sorted(jobs, key=lambda job: job.indices[0]):
        begin_s = int(stream.pts[job.indices[0]] - stream.pts[0]) * stream.time_base
        other_minute = begin_s // _UNIT_S != begun_s // _UNIT_S
        apart = job.indices[0] > last and begin_s // _PIECE_S != begun_s // _PIECE_S
        if piece and (other_minute or apart) and _lead_s(stream, job.indices[0]) <= _UNIT_S:
            yield piece
            piece = []
        if not piece:
            begun_s, last = begin_s, -1
        piece.append(job)
        last = max(last, job.indices[-1])
    if piece:
        yield piece


def _lead_s(stream: Stream, index: int) -> Fraction:
    """Return how much has to be decoded before a frame, in seconds."""
    ticks = int(stream.pts[index] - stream.pts[stream.keyframe_before(index)])
    return ticks * stream.time_base


def cut_unit(unit: Unit) -> list[ClipOutcome]:
    """Cut the wanted clips of a unit and return what became of each."""
    own = unit.stream, unit.jobs, unit.encoder, unit.wanted
    try:
        return list(cut_source(unit.source, *own, decoding=unit.decoding))
    finally:
        # PyAV's containers and streams hold each other, and an encoder holds 100 MB at 1080p.
        gc.collect()
