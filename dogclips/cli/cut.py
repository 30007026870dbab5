"""`dogclips cut`: recordings and their VIA projects become labelled four-second clips."""

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dogclips.cli.console import print_error, print_json, print_result, print_warning, progress_bar
from dogclips.cli.options import ConfigFiles, Json, Overrides
from dogclips.errors import SessionError

if TYPE_CHECKING:
    import pandas as pd

    from dogclips.clips.config import CutConfig
    from dogclips.clips.plan import ClipPlan


def cut(
    base_dirs: Annotated[list[Path], typer.Argument(metavar="BASE_DIR...", help="Sessions.")],
    config: ConfigFiles = None,
    set_: Overrides = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plan only.")] = False,
    workers: Annotated[int | None, typer.Option(min=1, help="Recordings at once.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Cut again what is there.")] = False,
    as_json: Json = False,
) -> None:
    """Cut every session's recordings into labelled clips under BASE_DIR/output.

    Example: dogclips cut dog_video/Feb/2_2_kt --set short_side=256
    """
    from dogclips.clips.config import CutConfig
    from dogclips.config import load_config
    from dogclips.reports.clips import cut_document

    settings = load_config(CutConfig, config or (), set_ or ())
    began = time.monotonic()
    manifests, refused, unknown = [], False, set(settings.projects)
    for base_dir in base_dirs:
        try:
            plan = plan_base_dir(base_dir, settings)
        except SessionError as error:
            print_error(str(error))
            refused = True
            continue
        unknown -= {path.stem for path in plan.session.projects}
        manifest = plan.table if dry_run else execute(plan, workers=workers, force=force)
        if not as_json:
            _print_tables(plan, manifest)
        manifests.append(manifest)
    for name in sorted(unknown):
        print_warning(f"projects.{name}: no annotation file has this name")
    if as_json:
        outputs = [str(base_dir / "output") for base_dir in base_dirs]
        print_json(cut_document(manifests, outputs, time.monotonic() - began))
    if refused or any((manifest["status"] == "failed").any() for manifest in manifests):
        raise typer.Exit(1)


def plan_base_dir(base_dir: Path, settings: "CutConfig") -> "ClipPlan":
    """Measure a session's recordings and plan its clips; what is odd goes to stderr."""
    from dogclips.clips.plan import measure_session, plan_session
    from dogclips.clips.session import find_session

    session = find_session(base_dir)
    recordings = measure_session(session, settings)
    plan = plan_session(session, recordings, settings)
    for warning in plan.warnings:
        print_warning(warning)
    return plan


def execute(plan: "ClipPlan", *, workers: int | None, force: bool) -> "pd.DataFrame":
    """Cut what is planned, then write the lists and what they came from."""
    from dogclips.clips.execution import cut_plan
    from dogclips.config import write_config
    from dogclips.lists.sessions import write_session_lists

    output = plan.session.output
    with progress_bar() as progress:
        task = progress.add_task(f"cutting {plan.session.base_dir.name}", total=len(plan.jobs))
        manifest = cut_plan(
            plan, workers=workers, force=force, progress=lambda n: progress.advance(task, n)
        )
    write_session_lists(output, manifest, plan.classes)
    write_config(plan.config, output / "config.yaml")
    _write_probe(plan)
    return manifest


def _write_probe(plan: "ClipPlan") -> None:
    """Write what was measured of every stream, and each alignment used, to probe.json."""
    from dogclips.files import write_whole
    from dogclips.reports.probed import probe_document

    document = probe_document(list(dict.fromkeys(plan.recordings.values())))
    write_whole(plan.session.output / "probe.json", json.dumps(document, indent=2) + "\n")


def _print_tables(plan: "ClipPlan", manifest: "pd.DataFrame") -> None:
    from dogclips.reports.clips import label_table, window_table

    base_dir = plan.session.base_dir
    print_result(
        label_table(manifest, plan.classes, f"{base_dir}: labels"),
        window_table(manifest, f"{base_dir}: windows of {plan.config.clip_seconds:g} s"),
    )
