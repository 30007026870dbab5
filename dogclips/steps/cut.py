"""Cut: cut recordings into labelled clips by their annotations."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pandas as pd

from dogclips.annotations import Project
from dogclips.clips.config import CutConfig
from dogclips.clips.execution import cut_plan, older_rules
from dogclips.clips.labelled import read_projects, shared_classes
from dogclips.clips.plan import ClipPlan, measure_session, plan_session, plan_verified
from dogclips.clips.session import OUTPUT_DIR, Session, find_sessions, no_annotations
from dogclips.clips.shards import Shard, earlier_rows, shard_of
from dogclips.clips.units import Engine, local_engine, no_engine, telling
from dogclips.config import Settings, settings_of
from dogclips.errors import DogclipsError, MediaError, OutputError, SessionError, UsageError
from dogclips.events import Event, Feed, Progress, Result
from dogclips.files import Paths, paths_of
from dogclips.lists.sessions import write_session_lists
from dogclips.media.hardware import SOFTWARE, decoder_fault, encoder_fault
from dogclips.records.class_names import earlier_labels, order_change
from dogclips.records.manifest import manifest_table

_FAILED = "see its row in output/manifest.csv, correct the cause and cut again"

EngineName = Literal["local", "ray"]


@dataclass(frozen=True, eq=False)
class SessionCut(Event):
    """A session whose clips are cut, or only planned."""

    base_dir: Path
    classes: tuple[str, ...]  #: Class names by index
    #: What became of each window; columns of `records.manifest.MANIFEST_COLUMNS`.
    manifest: pd.DataFrame
    #: What was planned: its settings, and what was measured of each recording. None where shards
    #: were merged, which have planned it elsewhere.
    plan: ClipPlan | None = None

    @property
    def failures(self) -> list[DogclipsError]:
        """Return the rows that failed, which tables show: they get no lines of their own."""
        failed = self.manifest[self.manifest["status"] == "failed"]
        names = ["clip", "reason", "source", "project"]
        return [
            (MediaError if clip else SessionError)(
                reason, where=self.base_dir / (source or project), todo=_FAILED
            )
            for clip, reason, source, project in failed[names].itertuples(index=False)
        ]


@dataclass(frozen=True, eq=False)
class CutResult(Result):
    """What became of the windows of all sessions; a row that failed is a failure, too."""

    sessions: tuple[SessionCut, ...]  #: Those that could be used
    outputs: tuple[Path, ...]  #: The output folder of each session that was asked for
    seconds: float  #: What all of it took

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
    verify: bool = False,
    progress: Progress | None = None,
) -> CutResult:
    """Cut the recordings of sessions into labelled clips in the `output` folder of each session.

    The folder gets the clips, `dataset.txt` lists, `labels.txt`, `manifest.parquet` and `.csv`,
    `probe.json` and `config.yaml`. Clips that an earlier run cut by the same plan are reused;
    a run that was killed continues where it stopped.

    Parameters
    ----------
    base_dirs
        Session folders; one or several.
    settings
        A `CutConfig`, a YAML file or the name of a shipped one, a mapping of keys such as
        `{"encoder.crf": 18}`, or a sequence of these; later ones win.
    dry_run
        Plan only and write nothing.
    workers
        Number of processes; None for one per core.
    force
        Cut clips again that could be reused.
    prune
        Delete clips of an earlier plan that are no longer planned.
    engine, address
        Where to cut: in processes of this machine, or on the Ray cluster at an address.
    shard
        `I/N` cuts only part I of N; call `merge` after the last part.
    virtual
        Write the manifest and the lists but no clips.
    verify
        Compare the pixels of both streams for each clip even if no clip is written; where clips
        are, they are compared anyway.
    progress
        Called with each event; a `SessionCut` follows each finished session.

    Returns
    -------
    result
        A session is a failure if it cannot be used, or if its output folder cannot be written or
        is in use by another run; so is a manifest row that failed. Failures do not stop others.

    Raises
    ------
    UsageError, ConfigError
        Arguments or settings are wrong or conflict.
    MediaError
        A clip failed, and `on_corrupt` is "fail".
    """
    feed, began = Feed(progress), time.monotonic()
    share = _share(shard, prune=prune, force=force, virtual=virtual)
    chosen = no_engine if virtual else _engine(engine, address, workers)
    cutting = telling(chosen, lambda source, text: feed.warn(text, "P053", source))
    config = _on_this_machine(settings_of(CutConfig, settings), feed)
    base_dirs = paths_of(base_dirs)
    sessions = find_sessions(base_dirs, feed.fail)
    projects = read_projects(sessions, config, feed.warn)
    sessions = _annotated(sessions, projects, feed)
    shared = shared_classes(projects, config, earlier_labels(one.output for one in sessions))
    done = []
    for session in sessions:
        own = [project for project in projects if project.path in session.projects]
        if verify or not (dry_run or virtual):
            # Shards have to come to the same plan, whatever others have cut by now.
            new = force or share is not None
            earlier = None if new else earlier_rows(session.output, force=True)
            plan = plan_verified(session, own, config, earlier, shared)
        else:
            measured = measure_session(session, own, config)
            plan = plan_session(session, own, measured, config, shared)
        head = None
        if share is not None:
            plan, head = shard_of(plan, share)
        order = order_change(session.output, plan.classes)
        for text in filter(None, (*plan.warnings, older_rules(plan), order)):
            feed.warn(text)
        manifest = plan.table
        try:
            if not dry_run:
                with feed.task(f"cutting {session.base_dir.name}", len(plan.jobs), "clips") as more:
                    manifest = cut_plan(
                        plan, engine=cutting, shard=head, force=force, prune=prune, progress=more
                    )
            if not dry_run and head is None:
                write_session_lists(
                    session.output, manifest, plan.classes, plan.documents, virtual=virtual
                )
        except OutputError as error:
            feed.fail(error)
            continue
        done.append(SessionCut(session.base_dir, plan.classes, manifest, plan))
        feed.failures.extend(done[-1].failures)
        feed.tell(done[-1])
    outputs = tuple(base_dir / OUTPUT_DIR for base_dir in base_dirs)
    return CutResult(tuple(done), outputs, time.monotonic() - began, **feed.kept)


def _annotated(
    sessions: Sequence[Session], projects: Sequence[Project], feed: Feed
) -> list[Session]:
    """Return the sessions with an annotation file, and refuse the others."""
    used = {project.path for project in projects}
    for session in sessions:
        if used.isdisjoint(session.projects):
            feed.fail(no_annotations(session))
    return [session for session in sessions if not used.isdisjoint(session.projects)]


def _share(text: str | None, *, prune: bool, force: bool, virtual: bool) -> Shard | None:
    """Return which share of the work is ours, None for all of it; refuse what does not go together.

    A shard may not delete clips, and nothing is cut for virtual clips.
    """
    if text and prune:
        raise UsageError(
            "a shard cannot delete clips",
            where="--prune",
            todo="run `dogclips cut --prune` after `dogclips merge`",
        )
    others = {"--shard": text is not None, "--force": force, "--prune": prune}
    for option, given in others.items():
        if virtual and given:
            raise UsageError("these options conflict", where=f"--virtual, {option}", todo="use one")
    return None if text is None else Shard.from_text(text)


def _engine(name: EngineName, address: str | None, workers: int | None) -> Engine:
    if name == "ray":
        from dogclips.clips.ray_engine import ray_engine  # noqa: PLC0415 (an extra)

        return ray_engine(address, workers)
    if address is not None:
        raise UsageError(
            "only a Ray cluster has an address", where="--address", todo="add --engine ray"
        )
    return local_engine(workers)


def _on_this_machine(config: CutConfig, feed: Feed) -> CutConfig:
    """Return settings with software in place of hardware that does not work here."""
    codec, device = config.encoder.codec, config.decoder
    if codec.endswith("_nvenc") and (fault := encoder_fault(codec)):
        feed.warn(f"{codec} does not work here ({fault}): using libx264")
        encoder = config.encoder.model_copy(update={"codec": "libx264", "preset": "veryfast"})
        config = config.model_copy(update={"encoder": encoder})
    if fault := decoder_fault(device):
        feed.warn(f"{device} does not decode here ({fault}): using software")
        config = config.model_copy(update={"decoder": SOFTWARE})
    return config
