"""Execute a clip plan: reuse what is there, cut the rest, source by source, and record it."""

import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from functools import partial
from pathlib import Path

import pandas as pd

from dogclips.clips.plan import ClipPlan
from dogclips.clips.shards import ShardHead, earlier_rows, only_writer, stale_rows, write_shard
from dogclips.clips.units import Engine, local_engine, plan_units
from dogclips.errors import MediaError
from dogclips.files import file_digest
from dogclips.media.encoding import ClipOutcome
from dogclips.media.lanes import ClipJob
from dogclips.records.manifest import with_rows, write_manifest

_WRITE_EVERY_S = 5
_STRICT = "repair the recording, or set on_corrupt to skip-clip or skip-file"


def cut_plan(
    plan: ClipPlan,
    *,
    engine: Engine | None = None,
    shard: ShardHead | None = None,
    force: bool = False,
    prune: bool = False,
    progress: Callable[[int], None] = lambda _: None,
) -> pd.DataFrame:
    """Cut all planned clips and return the manifest, which is also written to `output/`.

    A clip is reused if a manifest has a row with the same recipe and the file still has that
    row's size and digest, unless `force`. The manifest is written every few seconds and, whatever
    happens, at the end, so that a killed run loses little. Clips of an earlier plan that this one
    lacks stay, as rows with the status "stale", unless `prune` removes them.

    The engine cuts the units of work; None means one process for each core. What it leaves out
    stays "planned", and a file under the name of such a clip, which shows other frames, is removed.
    With a shard the plan is that shard's part (see `shards.shard_of`), and its manifest is one of
    its own, without stale clips. `progress` gets the number of clips that have just been finished.
    """
    output = plan.session.output
    write = partial(write_shard, head=shard) if shard else write_manifest
    save = partial(write, output=output)
    with only_writer(output, shard.shard if shard else None):
        old = earlier_rows(output, force=force)
        table = plan.table.copy()
        _make_room(plan, alone=shard is None)
        if old is not None and not force:
            _reuse(table, plan.jobs, old)
        progress(int((table["status"] == "reused").sum()))
        stale = stale_rows(output, table, old if shard is None else None)
        if prune:
            _remove(output, stale["clip"])
            stale = stale[:0]
        todo = {plan.jobs[row].path: row for row in table.index[table["status"] == "planned"]}
        units = plan_units(plan, todo)
        try:
            with closing((engine or local_engine())(units)) as outcomes:
                _record_all(table, plan, todo, outcomes, save, progress)
        finally:
            table = with_rows(table, stale)
            save(table)
    return table


def older_rules(plan: ClipPlan) -> str:
    """Return a line about clips that older rules have cut otherwise; nothing if there are none."""
    old = earlier_rows(plan.session.output, force=True)
    if old is None:
        return ""
    made = old[(old["sha256"] != "") & old["rules"].notna()].drop_duplicates("clip", keep="last")
    before = dict(zip(made["clip"], made["rules"], strict=True))
    own = plan.table.loc[plan.table["status"] == "planned", ["clip", "source", "rules"]]
    cut_again = own[[before.get(clip, rules) < rules for clip, _, rules in own.itertuples(False)]]
    if not len(cut_again):
        return ""
    count, files = len(cut_again), ", ".join(cut_again["source"].unique())
    clips = "1 clip is" if count == 1 else f"{count} clips are"
    return f"{clips} cut again: older rules took other frames from {files}"


def _make_room(plan: ClipPlan, *, alone: bool) -> None:
    """Make the folders of clips, and remove what a killed run left unfinished."""
    # Beside a shard others may be at work.
    for part in plan.session.output.rglob(".*.part") if alone else ():
        part.unlink(missing_ok=True)
    for folder in {job.path.parent for job in plan.jobs.values()}:
        folder.mkdir(parents=True, exist_ok=True)


def _reuse(table: pd.DataFrame, jobs: Mapping[int, ClipJob], old: pd.DataFrame) -> None:
    """Mark the rows whose clip an earlier run has written and that has not changed."""
    columns = (old[name].tolist() for name in ("clip", "recipe", "size_bytes", "sha256"))
    made = {
        (clip, recipe): (size_bytes, sha256)
        for clip, recipe, size_bytes, sha256 in zip(*columns, strict=True)
        if sha256
    }
    for row, job in jobs.items():
        found = made.get((table.at[row, "clip"], table.at[row, "recipe"]))
        if found and _is_unchanged(job.path, *found):
            _record(table, row, ClipOutcome(job.path, None, *found), "reused")


def _is_unchanged(path: Path, size_bytes: int, sha256: str) -> bool:
    if not path.is_file() or path.stat().st_size != size_bytes:
        return False
    return file_digest(path) == sha256


def _record_all(
    table: pd.DataFrame,
    plan: ClipPlan,
    todo: Mapping[Path, int],
    finished: Iterable[list[ClipOutcome]],
    save: Callable[[pd.DataFrame], None],
    progress: Callable[[int], None],
) -> None:
    """Record what becomes of the clips to cut, each by its path at its row."""
    saved = time.monotonic()
    for outcomes in finished:
        for outcome in outcomes:
            _record(table, todo[outcome.path], outcome)
        progress(len(outcomes))
        failed = [outcome for outcome in outcomes if outcome.error]
        if failed and plan.config.on_corrupt == "fail":
            raise MediaError(str(failed[0].error), where=failed[0].path, todo=_STRICT)
        if time.monotonic() - saved > _WRITE_EVERY_S:
            save(table)
            saved = time.monotonic()
    if plan.config.on_corrupt == "skip-file":
        _give_up_files(table, plan.jobs)
    _remove(plan.session.output, table.loc[table["status"] == "planned", "clip"])


def _give_up_files(table: pd.DataFrame, jobs: Mapping[int, ClipJob]) -> None:
    """Remove the clips of recordings of which one failed."""
    failed = table[(table["status"] == "failed") & (table["clip"] != "")]
    for source, reason in failed.groupby("source")["reason"].first().items():
        for row in table.index[table["source"] == source]:
            if table.at[row, "status"] in ("cut", "reused"):
                jobs[row].path.unlink(missing_ok=True)
                what = f"recording skipped: {reason}"
                _record(table, row, ClipOutcome(jobs[row].path, what))


def _remove(output: Path, clips: Iterable[str]) -> None:
    """Remove clips that the manifest of this folder names."""
    for clip in clips:
        path = output / clip
        if output.resolve() in path.resolve().parents:
            path.unlink(missing_ok=True)


def _record(table: pd.DataFrame, row: int, outcome: ClipOutcome, status: str = "cut") -> None:
    table.at[row, "status"] = "failed" if outcome.error else status
    table.at[row, "reason"] = outcome.error or ""
    if not outcome.error:
        table.at[row, "size_bytes"] = outcome.size_bytes
        table.at[row, "sha256"] = outcome.sha256
