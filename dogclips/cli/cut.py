"""`dogclips cut`: recordings and their annotations become labelled four-second clips."""

import json
import signal
import time
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dogclips.cli.console import print_error, print_json, print_result, print_warning, progress_bar
from dogclips.cli.options import ConfigFiles, Json, OnUnknownLabel, Overrides, unknown_labels
from dogclips.errors import SessionError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from dogclips.annotations import Project
    from dogclips.clips.config import CutConfig
    from dogclips.clips.plan import ClipPlan
    from dogclips.clips.session import Session
    from dogclips.clips.shards import Shard, ShardHead
    from dogclips.clips.units import Engine


class CorruptFiles(StrEnum):
    """What is given up where a recording does not decode."""

    skip_clip = "skip-clip"
    skip_file = "skip-file"
    fail = "fail"


class EngineName(StrEnum):
    """Where clips are cut: in processes of this machine, or on those of a Ray cluster."""

    local = "local"
    ray = "ray"


def cut(
    base_dirs: Annotated[list[Path], typer.Argument(metavar="BASE_DIR...", help="Sessions.")],
    config: ConfigFiles = None,
    set_: Overrides = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plan only.")] = False,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes at once.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Cut again what is there.")] = False,
    prune: Annotated[
        bool, typer.Option("--prune", help="Remove clips that only an earlier plan had.")
    ] = False,
    on_unknown: OnUnknownLabel = None,
    on_corrupt: Annotated[
        CorruptFiles | None,
        typer.Option(
            "--on-corrupt",
            help="What is given up where a recording does not decode [skip-clip].",
            show_default=False,
        ),
    ] = None,
    engine: Annotated[EngineName, typer.Option("--engine", help="What cuts.")] = EngineName.local,
    address: Annotated[
        str | None,
        typer.Option(metavar="HOST:PORT|auto", help="The cluster; without one Ray starts here."),
    ] = None,
    shard: Annotated[
        str | None,
        typer.Option(metavar="I/N", help="Only the I-th of N shares; then `dogclips merge`."),
    ] = None,
    virtual: Annotated[
        bool,
        typer.Option("--virtual", help="Write manifest and lists, no clips; see data.source."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Cut every session's recordings into labelled clips under BASE_DIR/output.

    Example: dogclips cut dog_video/Feb/2_2_kt --set short_side=256
    """
    from dogclips.clips.config import CutConfig
    from dogclips.clips.shards import shard_of
    from dogclips.config import load_config
    from dogclips.reports.tables.cut import cut_document

    stop_when_told()
    share = chosen_shard(shard, prune=prune)
    check_virtual(shard, virtual=virtual, force=force, prune=prune)
    chosen = chosen_engine(engine, address, workers)
    said = [*(set_ or ()), *unknown_labels(on_unknown), *corrupt_files(on_corrupt)]
    settings = on_this_machine(load_config(CutConfig, config or (), said))
    began = time.monotonic()
    sessions = found_sessions(base_dirs)
    projects = read_projects(sessions, settings)
    manifests = []
    for session in sessions:
        own = [project for project in projects if project.path in session.projects]
        plan = measure_and_plan(session, own, settings)
        head = None
        if share is not None:
            plan, head = shard_of(plan, share, documents_of(plan))
        manifest = plan.table
        if virtual and not dry_run:
            manifest = record(plan)
        elif not dry_run:
            manifest = execute(plan, head, chosen, force=force, prune=prune)
        if not as_json:
            _print_tables(plan, manifest)
        manifests.append(manifest)
    if as_json:
        outputs = [str(base_dir / "output") for base_dir in base_dirs]
        print_json(cut_document(manifests, outputs, time.monotonic() - began))
    failed = any((manifest["status"] == "failed").any() for manifest in manifests)
    if failed or len(sessions) < len(base_dirs):
        raise typer.Exit(1)


def stop_when_told() -> None:
    """End on SIGTERM as on Ctrl-C: what is finished is kept and recorded."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def corrupt_files(choice: CorruptFiles | None) -> list[str]:
    """Return the setting that an option stands for; none where it was not given."""
    return [] if choice is None else [f"on_corrupt={choice.value}"]


def on_this_machine(settings: "CutConfig") -> "CutConfig":
    """Return settings with software in place of hardware that does not work here, and say so."""
    from dogclips.media.hardware import SOFTWARE, decoder_fault, encoder_fault

    codec, device = settings.encoder.codec, settings.decoder
    if codec.endswith("_nvenc") and (fault := encoder_fault(codec)):
        print_warning(f"{codec} does not work here ({fault}): libx264 instead")
        encoder = settings.encoder.model_copy(update={"codec": "libx264", "preset": "veryfast"})
        settings = settings.model_copy(update={"encoder": encoder})
    if fault := decoder_fault(device):
        print_warning(f"{device} does not decode here ({fault}): software instead")
        settings = settings.model_copy(update={"decoder": SOFTWARE})
    return settings


def chosen_shard(text: str | None, *, prune: bool) -> "Shard | None":
    """Return which share of the work is ours; None means all of it.

    Raises
    ------
    UsageError
        The text is no shard, or stale clips are to be removed, which none of several may do.
    """
    from dogclips.clips.shards import Shard

    if text and prune:
        raise UsageError(
            "a shard removes no clips", where="--prune", todo="prune with a plain cut after `merge`"
        )
    return None if text is None else Shard.from_text(text)


def check_virtual(shard: str | None, *, virtual: bool, force: bool, prune: bool) -> None:
    """Refuse what means nothing where no clip is cut.

    Raises
    ------
    UsageError
        One of them was given.
    """
    given = {"--shard": shard is not None, "--force": force, "--prune": prune}
    for option, said in given.items():
        if virtual and said:
            raise UsageError("nothing is cut", where=f"--virtual, {option}", todo="drop one")


def chosen_engine(name: EngineName, address: str | None, workers: int | None) -> "Engine":
    """Return what cuts the units of work.

    Raises
    ------
    UsageError
        Ray is not installed, or an address is none or has no use.
    """
    if name is EngineName.ray:
        from dogclips.clips.ray_engine import ray_engine

        return ray_engine(address, workers)
    if address is not None:
        raise UsageError(
            "only a cluster has an address", where="--address", todo="add --engine ray"
        )
    from dogclips.clips.engines import local_engine

    return local_engine(workers)


def found_sessions(base_dirs: "Sequence[Path]") -> "list[Session]":
    """Return the sessions that can be used; what is wrong with the others goes to stderr."""
    from dogclips.clips.session import find_session

    sessions = []
    for base_dir in base_dirs:
        try:
            sessions.append(find_session(base_dir))
        except SessionError as error:
            print_error(str(error))
    return sessions


def read_projects(sessions: "Sequence[Session]", settings: "CutConfig") -> "list[Project]":
    """Read the annotation files of all sessions, which are one dataset."""
    from dogclips.annotations import read_dataset

    paths = [path for session in sessions for path in session.projects]
    same_ids = settings.labels.option_ids == "same"
    projects, others = read_dataset(paths, same_ids=same_ids)
    unknown = settings.projects.keys() - {project.path.stem for project in projects}
    for name in sorted(unknown):
        others.append(f"projects.{name}: no annotation file has this name")
    for text in others:
        print_warning(text)
    return projects


def measure_and_plan(
    session: "Session", projects: "Sequence[Project]", settings: "CutConfig"
) -> "ClipPlan":
    """Measure a session's recordings and plan its clips; what is odd goes to stderr."""
    from dogclips.clips.plan import measure_session, plan_session
    from dogclips.lists.listfile import LABELS, other_order

    recordings = measure_session(session, projects, settings)
    plan = plan_session(session, projects, recordings, settings)
    for warning in plan.warnings:
        print_warning(warning)
    before = other_order(session.output, plan.classes)
    if before:
        print_warning(
            f"class indices change from {', '.join(before)} to {', '.join(plan.classes)} "
            f"({session.output / LABELS}): set labels.order to keep them"
        )
    return plan


def execute(
    plan: "ClipPlan", head: "ShardHead | None", engine: "Engine", *, force: bool, prune: bool
) -> "pd.DataFrame":
    """Cut what is planned, then write the lists and what they came from.

    With the head of a shard's manifest the plan is the shard's, and the rest is left to the merge.
    """
    from dogclips.clips.execution import cut_plan
    from dogclips.files import write_whole
    from dogclips.lists.sessions import write_session_lists

    output = plan.session.output
    with progress_bar("clips") as progress:
        task = progress.add_task(f"cutting {plan.session.base_dir.name}", total=len(plan.jobs))
        manifest = cut_plan(
            plan,
            engine=engine,
            shard=head,
            force=force,
            prune=prune,
            progress=lambda n: progress.advance(task, n),
        )
    if head is None:
        write_session_lists(output, manifest, plan.classes)
        for name, text in documents_of(plan).items():
            write_whole(output / name, text)
    return manifest


def record(plan: "ClipPlan") -> "pd.DataFrame":
    """Write all that a cut writes but the clips, which stay in their recordings."""
    from dogclips.clips.execution import record_plan
    from dogclips.files import write_whole
    from dogclips.lists.sessions import write_session_lists

    output = plan.session.output
    manifest = record_plan(plan)
    write_session_lists(output, manifest, plan.classes, virtual=True)
    for name, text in documents_of(plan).items():
        write_whole(output / name, text)
    return manifest


def documents_of(plan: "ClipPlan") -> dict[str, str]:
    """Return, by file name, the settings of a plan and what was measured of every stream."""
    from dogclips.clips.probed import probe_document
    from dogclips.config import config_text

    document = probe_document(list(dict.fromkeys(plan.recordings.values())))
    return {
        "config.yaml": config_text(plan.config),
        "probe.json": json.dumps(document, indent=2) + "\n",
    }


def _print_tables(plan: "ClipPlan", manifest: "pd.DataFrame") -> None:
    from dogclips.reports.tables.cut import label_table, window_table

    base_dir = plan.session.base_dir
    print_result(
        label_table(manifest, plan.classes, f"{base_dir}: labels", plan.annotated),
        window_table(manifest, f"{base_dir}: windows of {plan.config.clip_seconds:g} s"),
    )
