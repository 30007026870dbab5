"""Execute a clip plan: reuse what is there, cut the rest, source by source, and record it."""

import hashlib
import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
from filelock import FileLock, Timeout

from dogclips.clips.manifest import read_manifest, write_manifest
from dogclips.clips.plan import ClipPlan
from dogclips.errors import OutputError
from dogclips.media.cutting import cut_source
from dogclips.media.encoding import ClipJob, ClipOutcome, EncoderConfig
from dogclips.streams import Stream

Progress = Callable[[int], None]


def cut_plan(
    plan: ClipPlan,
    *,
    workers: int | None = None,
    force: bool = False,
    progress: Progress = lambda _: None,
) -> pd.DataFrame:
    """Cut all planned clips and return the manifest, which is also written to `output/`.

    A clip is reused if the manifest has a row with the same recipe and the file still has that
    row's size and digest. The manifest is written anew after each source, so that a killed run
    loses no finished source.

    Parameters
    ----------
    workers
        Sources to cut at the same time; None means as many as there are cores.
    force
        Cut again what could be reused.
    progress
        Called with the number of clips that have just been finished.

    Raises
    ------
    OutputError
        Another run is writing to this folder, or it cannot be written to.
    """
    output = plan.session.output
    with _only_writer(output):
        _remove_parts(output)
        table = plan.table.copy()
        for folder in {job.path.parent for job in plan.jobs.values()}:
            folder.mkdir(parents=True, exist_ok=True)
        if not force:
            _reuse(table, plan.jobs, read_manifest(output))
            progress(int((table["status"] == "reused").sum()))
        todo = {place: plan.jobs[place] for place in table.index[table["status"] == "planned"]}
        by_path = {job.path: place for place, job in todo.items()}
        for outcomes in _cut_sources(plan, todo, workers):
            for outcome in outcomes:
                _record(table, by_path[outcome.path], outcome)
            write_manifest(table, output)
            progress(len(outcomes))
        write_manifest(table, output)
    return table


@contextmanager
def _only_writer(output: Path) -> Iterator[None]:
    try:
        output.mkdir(parents=True, exist_ok=True)
        with FileLock(output / ".lock", timeout=0):
            yield
    except Timeout as error:
        raise OutputError(
            "another dogclips is writing to this folder", where=output, todo="wait for it to finish"
        ) from error
    except PermissionError as error:
        raise OutputError(
            "the folder is not writable", where=output, todo="check its permissions"
        ) from error


def _remove_parts(output: Path) -> None:
    """Remove what a killed run left unfinished."""
    for part in output.rglob(".*.part"):
        part.unlink()


def _reuse(table: pd.DataFrame, jobs: Mapping[int, ClipJob], old: pd.DataFrame | None) -> None:
    """Mark the rows whose clip an earlier run has written and nobody has touched."""
    if old is None:
        return
    made = {row["clip"]: row for row in old.to_dict("records") if row["sha256"]}
    for place, job in jobs.items():
        row = made.get(str(table.at[place, "clip"]))
        if row is None or row["recipe"] != table.at[place, "recipe"]:
            continue
        if _is_unchanged(job.path, int(row["size_bytes"]), str(row["sha256"])):
            outcome = ClipOutcome(job.path, None, int(row["size_bytes"]), str(row["sha256"]))
            _record(table, place, outcome, "reused")


def _is_unchanged(path: Path, size_bytes: int, sha256: str) -> bool:
    if not path.is_file() or path.stat().st_size != size_bytes:
        return False
    return hashlib.sha256(path.read_bytes()).hexdigest() == sha256


def _cut_sources(
    plan: ClipPlan, todo: Mapping[int, ClipJob], workers: int | None
) -> Iterator[list[ClipOutcome]]:
    """Yield the outcomes of one source after the other, in the order in which they finish."""
    tasks = []
    for source, (path, stream) in plan.sources.items():
        jobs = [job for place, job in todo.items() if plan.table.at[place, "source"] == source]
        if jobs:
            tasks.append((path, stream, jobs, plan.config.encoder))
    workers = min(workers or os.cpu_count() or 1, len(tasks))
    if workers <= 1:
        yield from (_cut_one(*task) for task in tasks)
        return
    context = multiprocessing.get_context("spawn")  # forking a threaded process can deadlock
    with ProcessPoolExecutor(workers, context, initializer=_leave_interrupts) as pool:
        futures = [pool.submit(_cut_one, *task) for task in tasks]
        try:
            yield from (future.result() for future in as_completed(futures))
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _cut_one(
    path: Path, stream: Stream, jobs: list[ClipJob], encoder: EncoderConfig
) -> list[ClipOutcome]:
    return list(cut_source(path, stream, jobs, encoder))


def _leave_interrupts() -> None:
    """Let the parent decide what Ctrl-C means; workers finish the source they are at."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _record(table: pd.DataFrame, place: int, outcome: ClipOutcome, status: str = "cut") -> None:
    table.at[place, "status"] = "failed" if outcome.error else status
    table.at[place, "reason"] = outcome.error or ""
    if not outcome.error:
        table.at[place, "size_bytes"] = outcome.size_bytes
        table.at[place, "sha256"] = outcome.sha256
