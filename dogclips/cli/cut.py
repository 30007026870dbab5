"""`dogclips cut`: recordings and their annotations become labelled four-second clips."""

import signal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

import dogclips
from dogclips.cli.console import Show, print_document, print_result
from dogclips.cli.options import ConfigFiles, Json, OnUnknownLabel, Overrides, chosen_settings

if TYPE_CHECKING:
    from dogclips.steps.cut import SessionCut


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
        Literal["skip-clip", "skip-file", "fail"] | None,
        typer.Option(
            help="What is given up where a recording does not decode [skip-clip].",
            show_default=False,
        ),
    ] = None,
    engine: Annotated[Literal["local", "ray"], typer.Option(help="What cuts.")] = "local",
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
    from dogclips.reports.tables.cut import cut_document
    from dogclips.steps.cut import SessionCut

    stop_when_told()
    options = {"labels.unknown": on_unknown, "on_corrupt": on_corrupt}
    show = Show() if as_json else Show().on(SessionCut, _print_tables)
    result = dogclips.cut(
        base_dirs,
        chosen_settings(config, set_, options),
        dry_run=dry_run,
        workers=workers,
        force=force,
        prune=prune,
        engine=engine,
        address=address,
        shard=shard,
        virtual=virtual,
        progress=show,
    )
    if as_json:
        print_document("cut", cut_document(result.manifest, result.outputs, result.seconds), result)
    if not result.ok:
        raise typer.Exit(1)


def stop_when_told() -> None:
    """End on SIGTERM as on Ctrl-C: what is finished is kept and recorded."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def _print_tables(session: "SessionCut") -> None:
    from dogclips.reports.tables.cut import label_table, window_table

    plan, manifest = session.plan, session.manifest
    base_dir = plan.session.base_dir
    print_result(
        label_table(manifest, plan.classes, f"{base_dir}: labels", plan.annotated),
        window_table(manifest, f"{base_dir}: windows of {plan.config.clip_seconds:g} s"),
    )
