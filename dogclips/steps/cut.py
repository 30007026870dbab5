"""Cut: recordings and their annotations become labelled clips and their lists."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import pandas as pd

from dogclips.annotations import Project, read_dataset
from dogclips.clips.config import CutConfig
from dogclips.clips.engines import local_engine
from dogclips.clips.execution import cut_plan, record_plan
from dogclips.clips.plan import ClipPlan, measure_session, plan_session
from dogclips.clips.probed import PROBE, probe_document
from dogclips.clips.session import OUTPUT_DIR, Session, find_session
from dogclips.clips.shards import Shard, ShardHead, shard_of
from dogclips.clips.units import Engine
from dogclips.config import Settings, settings_of, settings_text
from dogclips.errors import MediaError, OutputError, SessionError, UsageError
from dogclips.events import Event, Feed, Progress, Result
from dogclips.files import Paths, json_text, paths_of, write_whole
from dogclips.lists.listfile import LABELS, other_order
from dogclips.lists.sessions import write_session_lists
from dogclips.media.hardware import SOFTWARE, decoder_fault, encoder_fault
from dogclips.records.manifest import manifest_table
from dogclips.records.settings import SETTINGS

EngineName = Literal["local", "ray"]


@dataclass(frozen=True, eq=False)
class SessionCut(Event):
    """A session whose clips are cut, or only planned.

    Parameters
    ----------
    classes
        Class names by index.
    manifest
        What became of each window; columns of `records.manifest.MANIFEST_COLUMNS`.
    plan
        What was planned: its settings, and what was measured of each recording. None where shards
        were merged, which have planned it elsewhere.
    """

    base_dir: Path
    classes: tuple[str, ...]
    manifest: pd.DataFrame
    plan: ClipPlan | None = None


@dataclass(frozen=True, eq=False)
class CutResult(Result):
    """What became of the windows of all sessions; a row that failed is a failure, too.

    Parameters
    ----------
    sessions
        Those that could be used.
    outputs
        The output folder of each session that was asked for.
    seconds
        What all of it took.
    """

    sessions: tuple[SessionCut, ...]
    outputs: tuple[Path, ...]
    seconds: float

    @property
    def manifest(self) -> pd.DataFrame:
        """Return the rows of all sessions."""
        tables = [one.manifest for one in self.sessions]
        return pd.concat(tables, ignore_index=True) if tables else manifest_table([])


def cut(
    base_dirs: Paths,
    settings: Settings[CutConfig] = None,
    *,
    dry_run: bool = False,
    workers: int | None = None,
    force: bool = False,
    prune: bool = False,
    engine: EngineName = "local",
    address: str | None = None,
    shard: str | None = None,
    virtual: bool = False,
    progress: Progress | None = None,
) -> CutResult:
    """Cut every session's recordings into labelled clips under `BASE_DIR/output`.

    The folder gets the clips, `dataset.txt` lists, `labels.txt`, `manifest.parquet` and `.csv`,
    `probe.json` and `config.yaml`. Clips that an earlier run has cut by the same plan are reused;
    a run that was killed goes on where it ended.

    Parameters
    ----------
    base_dirs
        Session folders, or one.
    settings
        A `CutConfig`, a YAML file or the name of a shipped one, a mapping of keys such as
        `{"encoder.crf": 18}`, or a sequence of these, later wins.
    dry_run
        Plan only; nothing is written.
    workers
        Processes at once; None means one for each core.
    force
        Cut again what could be reused.
    prune
        Remove clips that only an earlier plan had.
    engine, address
        Where clips are cut: in processes of this machine, or on the Ray cluster at an address.
    shard
        `I/N`: only the I-th of N shares, for `merge`.
    virtual
        Write the manifest and the lists, but no clips, which stay in their recordings.
    progress
        Called with each event; `SessionCut` tells of a finished session.

    Returns
    -------
    result
        A session that cannot be used, or whose output folder cannot be written to or is written to
        by another run, is a failure; so is a row of a manifest that failed. It stops no other.

    Raises
    ------
    UsageError, ConfigError
        Arguments or settings are wrong or do not go together.
    MediaError
        A clip failed, and `on_corrupt` is "fail".
    """
    feed, began = Feed(progress), time.monotonic()
    base_dirs = paths_of(base_dirs)
    share = _share(shard, prune=prune, force=force, virtual=virtual)
    cutter = _engine(engine, address, workers)
    execute = None if virtual else partial(cut_plan, engine=cutter, force=force, prune=prune)
    config = _on_this_machine(settings_of(CutConfig, settings), feed)
    sessions = _sessions(base_dirs, feed)
    projects = _projects(sessions, config, feed)
    done = []
    for session in sessions:
        plan, head = _planned(session, projects, config, feed), None
        if share is not None:
            plan, head = shard_of(plan, share, documents_of(plan))
        try:
            manifest = plan.table if dry_run else _written(plan, head, execute, feed)
        except OutputError as error:
            feed.fail(error)
            continue
        done.append(SessionCut(session.base_dir, plan.classes, manifest, plan))
        feed.tell(done[-1])
    return cut_result(base_dirs, done, feed, time.monotonic() - began)


def cut_result(
    base_dirs: Sequence[Path], done: Sequence[SessionCut], feed: Feed, seconds: float = 0.0
) -> CutResult:
    """Return the result of a cut, or of a merge."""
    for session in done:
        rows = session.manifest[session.manifest["status"] == "failed"]
        for row in rows.to_dict("records"):  # which tables show: no lines of their own
            kind = MediaError if row["clip"] else SessionError
            place = session.base_dir / (row["source"] or row["project"])
            feed.failures.append(kind(row["reason"], where=place))
    outputs = tuple(base_dir / OUTPUT_DIR for base_dir in base_dirs)
    return CutResult(tuple(done), outputs, seconds, **feed.kept)


def write_session(
    output: Path,
    manifest: pd.DataFrame,
    classes: Sequence[str],
    documents: Mapping[str, str],
    *,
    virtual: bool = False,
) -> None:
    """Write what a session has besides its clips and their manifest: lists and documents."""
    write_session_lists(output, manifest, classes, virtual=virtual)
    for name, text in documents.items():
        write_whole(output / name, text)


def documents_of(plan: ClipPlan) -> dict[str, str]:
    """Return, by file name, the settings of a plan and what was measured of every stream."""
    document = probe_document(list(dict.fromkeys(plan.recordings.values())))
    return {SETTINGS: settings_text(plan.config), PROBE: json_text(document)}


def _share(text: str | None, *, prune: bool, force: bool, virtual: bool) -> Shard | None:
    """Return which share of the work is ours, None for all of it; refuse what does not go together.

    None of several shards may remove clips, and nothing is cut for virtual ones.
    """
    if text and prune:
        raise UsageError(
            "a shard removes no clips", where="--prune", todo="prune with a plain cut after `merge`"
        )
    others = {"--shard": text is not None, "--force": force, "--prune": prune}
    for option, given in others.items():
        if virtual and given:
            raise UsageError("nothing is cut", where=f"--virtual, {option}", todo="drop one")
    return None if text is None else Shard.from_text(text)


def _engine(name: EngineName, address: str | None, workers: int | None) -> Engine:
    if name == "ray":
        from dogclips.clips.ray_engine import ray_engine  # noqa: PLC0415 (an extra)

        return ray_engine(address, workers)
    if address is not None:
        raise UsageError(
            "only a cluster has an address", where="--address", todo="add --engine ray"
        )
    return local_engine(workers)


def _on_this_machine(config: CutConfig, feed: Feed) -> CutConfig:
    """Return settings with software in place of hardware that does not work here."""
    codec, device = config.encoder.codec, config.decoder
    if codec.endswith("_nvenc") and (fault := encoder_fault(codec)):
        feed.warn(f"{codec} does not work here ({fault}): libx264 instead")
        encoder = config.encoder.model_copy(update={"codec": "libx264", "preset": "veryfast"})
        config = config.model_copy(update={"encoder": encoder})
    if fault := decoder_fault(device):
        feed.warn(f"{device} does not decode here ({fault}): software instead")
        config = config.model_copy(update={"decoder": SOFTWARE})
    return config


def _sessions(base_dirs: Sequence[Path], feed: Feed) -> list[Session]:
    """Return the sessions that can be used."""
    sessions = []
    for base_dir in base_dirs:
        try:
            sessions.append(find_session(base_dir))
        except SessionError as error:
            feed.fail(error)
    return sessions


def _projects(sessions: Sequence[Session], config: CutConfig, feed: Feed) -> list[Project]:
    """Read the annotation files of all sessions, which are one dataset."""
    paths = [path for session in sessions for path in session.projects]
    projects, others = read_dataset(paths, same_ids=config.labels.option_ids == "same")
    unknown = config.projects.keys() - {project.path.stem for project in projects}
    others.extend(f"projects.{name}: no annotation file has this name" for name in sorted(unknown))
    for text in others:
        feed.warn(text)
    return projects


def _planned(
    session: Session, projects: Sequence[Project], config: CutConfig, feed: Feed
) -> ClipPlan:
    """Measure a session's recordings and plan its clips."""
    own = [project for project in projects if project.path in session.projects]
    plan = plan_session(session, own, measure_session(session, own, config), config)
    for warning in plan.warnings:
        feed.warn(warning)
    before = other_order(session.output, plan.classes)
    if before:
        feed.warn(
            f"class indices change from {', '.join(before)} to {', '.join(plan.classes)} "
            f"({session.output / LABELS}): set labels.order to keep them"
        )
    return plan


def _written(
    plan: ClipPlan,
    head: ShardHead | None,
    execute: Callable[..., pd.DataFrame] | None,
    feed: Feed,
) -> pd.DataFrame:
    """Cut what is planned, then write the lists and what they came from; return the manifest.

    With the head of a shard's manifest the plan is the shard's, and the rest is left to the merge.
    Without anything that executes it, clips stay in their recordings.
    """
    output = plan.session.output
    if execute is None:
        manifest = record_plan(plan)
    else:
        with feed.task(f"cutting {plan.session.base_dir.name}", len(plan.jobs), "clips") as done:
            manifest = execute(plan, shard=head, progress=done)
    if head is None:
        documents = documents_of(plan)
        write_session(output, manifest, plan.classes, documents, virtual=execute is None)
    return manifest
