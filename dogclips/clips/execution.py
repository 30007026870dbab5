"""Execute a clip plan: reuse what is there, cut the rest, source by source, and record it."""

import hashlib
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from functools import partial
from pathlib import Path

import pandas as pd

from dogclips.clips.engines import local_engine
from dogclips.clips.plan import ClipPlan
from dogclips.clips.shards import (
    ShardHead,
    earlier_rows,
    only_writer,
    remove_shards,
    stale_rows,
    write_shard,
)
from dogclips.clips.units import Engine, plan_units
from dogclips.errors import MediaError
from dogclips.files import part_of
from dogclips.media.encoding import ClipOutcome
from dogclips.media.lanes import ClipJob
from dogclips.records.manifest import with_rows, write_manifest

Progress = Callable[[int], None]
_WRITE_EVERY_S = 5
_STRICT = "mend the recording, or set on_corrupt to skip-clip or skip-file"


def cut_plan(
    plan: ClipPlan,
    *,
    engine: Engine | None = None,
    shard: ShardHead | None = None,
    force: bool = False,
    prune: bool = False,
    progress: Progress = lambda _: None,
) -> pd.DataFrame:
    """Cut all planned clips and return the manifest, which is also written to `output/`.

    A clip is reused if a manifest has a row with the same recipe and the file still has that
    row's size and digest. The manifest is written every few seconds and, whatever happens, at the
    end, so that a killed run loses little. Clips of an earlier plan that this one lacks stay, as
    rows with the status "stale".

    Parameters
    ----------
    engine
        What cuts the units of work; None means one process for each core.
    shard
        The plan is this shard's part; see `shards.shard_of`. Its manifest is one of its own,
        without stale clips.
    prune
        Remove stale clips.
    force
        Cut again what could be reused.
    progress
        Called with the number of clips that have just been finished.

    Raises
    ------
    OutputError
        Another run is writing to this folder, or it cannot be written to.
    MediaError
        A clip failed, and the settings want the run to fail then.
    """
    output = plan.session.output
    with only_writer(output, shard.shard if shard else None):
        _remove_parts(plan, everything=shard is None)
        table = plan.table.copy()
        for folder in {job.path.parent for job in plan.jobs.values()}:
            folder.mkdir(parents=True, exist_ok=True)
        old = earlier_rows(output, force=force)
        if not force:
            _reuse(table, plan.jobs, old)
            progress(int((table["status"] == "reused").sum()))
        stale = stale_rows(output, table, old if shard is None else None)
        if prune:
            _remove(output, stale["clip"])
            stale = stale[:0]
        todo = {plan.jobs[place].path: place for place in table.index[table["status"] == "planned"]}
        write = partial(write_shard, head=shard) if shard else write_manifest
        try:
            strict = plan.config.on_corrupt == "fail"
            save = partial(write, output=output)
            with closing((engine or local_engine())(plan_units(plan, todo))) as outcomes:
                _record_all(table, todo, outcomes, save, progress, strict=strict)
            _give_up_files(table, plan)
        finally:
            table = with_rows(table, stale)
            write(table, output=output)
        if shard is None:
            remove_shards(output)
    return table


def record_plan(plan: ClipPlan) -> pd.DataFrame:
    """Write the manifest of a plan and cut nothing: clips that are not there stay "planned".

    A file under the name of such a clip shows other frames than planned and is removed, as a cut
    would replace it.

    Raises
    ------
    OutputError
        Another run is writing to this folder, or it cannot be written to.
    """
    output = plan.session.output
    with only_writer(output):
        table = plan.table.copy()
        old = earlier_rows(output, force=False)
        _reuse(table, plan.jobs, old)
        _remove(output, table.loc[table["status"] == "planned", "clip"])
        table = with_rows(table, stale_rows(output, table, old))
        write_manifest(table, output)
    return table


def _give_up_files(table: pd.DataFrame, plan: ClipPlan) -> None:
    """Remove the clips of recordings of which one failed, if the settings ask for it."""
    if plan.config.on_corrupt != "skip-file":
        return
    failed = table[(table["status"] == "failed") & (table["clip"] != "")]
    for source, reason in failed.groupby("source")["reason"].first().items():
        for place in table.index[table["source"] == source]:
            if table.at[place, "status"] in ("cut", "reused"):
                plan.jobs[place].path.unlink(missing_ok=True)
                outcome = ClipOutcome(plan.jobs[place].path, f"the recording is given up: {reason}")
                _record(table, place, outcome)


def _record_all(
    table: pd.DataFrame,
    todo: Mapping[Path, int],
    finished: Iterable[list[ClipOutcome]],
    write: Callable[[pd.DataFrame], None],
    progress: Progress,
    *,
    strict: bool,
) -> None:
    """Record what becomes of the clips to cut, each by its path at its row."""
    written = time.monotonic()
    for outcomes in finished:
        for outcome in outcomes:
            _record(table, todo[outcome.path], outcome)
        progress(len(outcomes))
        failed = [outcome for outcome in outcomes if outcome.error]
        if failed and strict:
            raise MediaError(str(failed[0].error), where=failed[0].path, todo=_STRICT)
        if time.monotonic() - written > _WRITE_EVERY_S:
            write(table)
            written = time.monotonic()


def _remove(output: Path, clips: Iterable[str]) -> None:
    """Remove clips that the manifest of this folder names."""
    for clip in clips:
        path = output / clip
        if output.resolve() in path.resolve().parents:
            path.unlink(missing_ok=True)


def _remove_parts(plan: ClipPlan, *, everything: bool) -> None:
    """Remove what a killed run left unfinished: everything, or only clips of this plan."""
    found = plan.session.output.rglob(".*.part")
    for part in found if everything else (part_of(job.path) for job in plan.jobs.values()):
        part.unlink(missing_ok=True)


def _reuse(table: pd.DataFrame, jobs: Mapping[int, ClipJob], old: pd.DataFrame | None) -> None:
    """Mark the rows whose clip an earlier run has written and nobody has touched."""
    if old is None:
        return
    made = {(row["clip"], row["recipe"]): row for row in old.to_dict("records") if row["sha256"]}
    for place, job in jobs.items():
        row = made.get((table.at[place, "clip"], table.at[place, "recipe"]))
        if row and _is_unchanged(job.path, int(row["size_bytes"]), str(row["sha256"])):
            outcome = ClipOutcome(job.path, None, int(row["size_bytes"]), str(row["sha256"]))
            _record(table, place, outcome, "reused")


def _is_unchanged(path: Path, size_bytes: int, sha256: str) -> bool:
    if not path.is_file() or path.stat().st_size != size_bytes:
        return False
    return hashlib.sha256(path.read_bytes()).hexdigest() == sha256


def _record(table: pd.DataFrame, place: int, outcome: ClipOutcome, status: str = "cut") -> None:
    table.at[place, "status"] = "failed" if outcome.error else status
    table.at[place, "reason"] = outcome.error or ""
    if not outcome.error:
        table.at[place, "size_bytes"] = outcome.size_bytes
        table.at[place, "sha256"] = outcome.sha256
