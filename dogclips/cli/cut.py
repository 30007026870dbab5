"""`dogclips cut`: cut recordings into labelled clips by their annotations."""

import signal
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from typer import Argument, Option

import dogclips
from dogclips.cli.console import Show, leave, print_document, print_result
from dogclips.cli.options import (
    SETTINGS,
    ConfigFiles,
    Json,
    OnUnknownLabel,
    Overrides,
    chosen_settings,
)

if TYPE_CHECKING:
    from dogclips.steps.cut import CutResult, SessionCut

CUTTING = "Cutting"
MACHINES = "Processes and machines"

EXAMPLES = """
  See what would be cut, and why other windows would be skipped:
  $ dogclips cut Feb/2_2_kt --dry-run

  Cut clips of 2 seconds with a short side of 256 pixels:
  $ dogclips cut Feb/2_2_kt --set clip_seconds=2 stride_seconds=2 short_side=256
"""


def cut(
    base_dirs: Annotated[
        list[Path],
        Argument(metavar="SESSION", help="Folders with video/ and via/; clips go to output/."),
    ],
    config: ConfigFiles = None,
    set_: Overrides = None,
    on_unknown: OnUnknownLabel = None,
    on_corrupt: Annotated[
        Literal["skip-clip", "skip-file", "fail"] | None,
        Option(
            help="What to do with a recording that does not decode: skip the clip, skip all of its "
            "clips, or stop (setting: on_corrupt).",
            show_default="skip-clip",
            rich_help_panel=SETTINGS,
        ),
    ] = None,
    dry_run: Annotated[
        bool,
        Option("--dry-run", help="Show the plan and write nothing.", rich_help_panel=CUTTING),
    ] = False,
    verify: Annotated[
        bool,
        Option(
            "--verify",
            help="Compare the pixels of both streams for each clip with --dry-run and --virtual "
            "too.",
            rich_help_panel=CUTTING,
        ),
    ] = False,
    force: Annotated[
        bool,
        Option("--force", help="Cut clips again even if they exist.", rich_help_panel=CUTTING),
    ] = False,
    prune: Annotated[
        bool,
        Option(
            "--prune",
            help="Delete clips of an earlier run that are no longer planned.",
            rich_help_panel=CUTTING,
        ),
    ] = False,
    virtual: Annotated[
        bool,
        Option(
            "--virtual",
            help="Write manifest and lists but no clips; train with data.source=recordings.",
            rich_help_panel=CUTTING,
        ),
    ] = False,
    workers: Annotated[
        int | None,
        Option(
            min=1,
            metavar="N",
            help="Number of processes.",
            show_default="one per core",
            rich_help_panel=MACHINES,
        ),
    ] = None,
    engine: Annotated[
        Literal["local", "ray"],
        Option(help="Cut on this machine, or on a Ray cluster.", rich_help_panel=MACHINES),
    ] = "local",
    address: Annotated[
        str | None,
        Option(
            metavar="HOST:PORT|auto",
            help="Ray cluster to use.",
            show_default="a new one on this machine",
            rich_help_panel=MACHINES,
        ),
    ] = None,
    shard: Annotated[
        str | None,
        Option(
            metavar="I/N",
            help="Cut only part I of N; run `dogclips merge` after the last one.",
            show_default="everything",
            rich_help_panel=MACHINES,
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Cut the recordings of sessions into labelled clips.

    Clips that an earlier run has cut by the same settings are reused, and an interrupted run
    continues. All settings: `dogclips config cut`.
    """
    stop_when_told()
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
            verify=verify,
            progress=show,
        ),
        as_json=as_json,
    )


def stop_when_told() -> None:
    """Let SIGTERM end as Ctrl-C does: what is finished is kept and recorded.

    A shell script that starts a program in the background lets it ignore Ctrl-C, and whatever
    starts it may have blocked both signals. A run can be stopped anyway.
    """
    both = signal.SIGINT, signal.SIGTERM
    for number in both:
        signal.signal(number, signal.default_int_handler)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, both)


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
