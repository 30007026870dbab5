"""`dogclips cut`: recordings and their annotations become labelled four-second clips."""

import signal
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from typer import Argument, Option

import dogclips
from dogclips.cli.console import Show, leave, print_document, print_result
from dogclips.cli.options import ConfigFiles, Json, OnUnknownLabel, Overrides, chosen_settings

if TYPE_CHECKING:
    from dogclips.steps.cut import CutResult, SessionCut


def cut(
    base_dirs: Annotated[list[Path], Argument(metavar="BASE_DIR...", help="Sessions.")],
    config: ConfigFiles = None,
    set_: Overrides = None,
    dry_run: Annotated[bool, Option("--dry-run", help="Print the plan only.")] = False,
    workers: Annotated[int | None, Option(min=1, help="Processes at once.")] = None,
    force: Annotated[bool, Option("--force", help="Cut again what is there.")] = False,
    prune: Annotated[
        bool, Option("--prune", help="Remove clips that only an earlier plan had.")
    ] = False,
    on_unknown: OnUnknownLabel = None,
    on_corrupt: Annotated[
        Literal["skip-clip", "skip-file", "fail"] | None,
        Option(
            help="What is given up where a recording does not decode [skip-clip].",
            show_default=False,
        ),
    ] = None,
    engine: Annotated[Literal["local", "ray"], Option(help="What cuts.")] = "local",
    address: Annotated[
        str | None,
        Option(metavar="HOST:PORT|auto", help="The cluster; without one Ray starts here."),
    ] = None,
    shard: Annotated[
        str | None, Option(metavar="I/N", help="Only the I-th of N shares; then `dogclips merge`.")
    ] = None,
    virtual: Annotated[
        bool, Option("--virtual", help="Write manifest and lists, no clips; see data.source.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Cut every session's recordings into labelled clips under BASE_DIR/output.

    Example: dogclips cut dog_video/Feb/2_2_kt --set short_side=256
    """
    # SIGTERM ends as Ctrl-C does: what is finished is kept and recorded.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    options = {"labels.unknown": on_unknown, "on_corrupt": on_corrupt}
    settings = chosen_settings(config, set_, options)
    show_cut(
        "cut",
        lambda show: dogclips.cut(
            base_dirs,
            settings,
            dry_run=dry_run,
            workers=workers,
            force=force,
            prune=prune,
            engine=engine,
            address=address,
            shard=shard,
            virtual=virtual,
            progress=show,
        ),
        as_json=as_json,
    )


def show_cut(command: str, run: Callable[[Show], "CutResult"], *, as_json: bool) -> None:
    """Run `cut` or `merge` and show what became of the windows of each session."""
    from dogclips.reports.tables.cut import cut_document
    from dogclips.steps.cut import SessionCut

    result = run(Show() if as_json else Show().on(SessionCut, print_tables))
    if as_json:
        print_document(
            command, cut_document(result.manifest, result.outputs, result.seconds), result
        )
    leave(result)


def print_tables(session: "SessionCut") -> None:
    """Print what became of the windows of a session."""
    from dogclips.reports.tables.cut import cut_label_table, window_table

    plan = session.plan
    length = f" of {plan.config.clip_seconds:g} s" if plan else ""
    print_result(
        cut_label_table(
            session.manifest,
            session.classes,
            f"{session.base_dir}: labels",
            plan.annotated if plan else None,
        ),
        window_table(session.manifest, f"{session.base_dir}: windows{length}"),
    )
