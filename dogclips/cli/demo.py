"""`dogclips demo`: the whole chain on made two-stream recordings with known truth."""

from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from dogclips.cli.console import Show, print_line, print_result
from dogclips.cli.cut import print_tables
from dogclips.cli.train import print_end, showing_training

CHOICES = "What to run"

EXAMPLES = """
  Run everything with both networks:
  $ dogclips demo

  Train only the SlowFast network, and keep everything in one folder:
  $ dogclips demo /tmp/dogclips --model slowfast
"""


def demo(
    directory: Annotated[
        Path | None,
        Argument(
            metavar="DIR",
            help="Folder for recordings, clips and runs.",
            show_default="data/demo, or data/demo-uncorrected",
        ),
    ] = None,
    uncorrected: Annotated[
        bool,
        Option(
            "--uncorrected",
            help="Ignore the half second between the streams, to see what that costs.",
            rich_help_panel=CHOICES,
        ),
    ] = False,
    models: Annotated[
        list[str] | None,
        Option(
            "--model",
            metavar="slowfast|timesformer",
            help="Train only this network. Repeatable.",
            show_default="both",
            rich_help_panel=CHOICES,
        ),
    ] = None,
) -> None:
    """Run every step on made recordings, in minutes.

    Makes two-stream recordings with known truth, then probes, cuts, splits, trains and tests.
    """
    from dogclips.reports.tables.probe import probe_table
    from dogclips.reports.tables.split import split_table
    from dogclips.reports.tables.train import result_table
    from dogclips.steps.cut import SessionCut
    from dogclips.steps.demo import Chapter
    from dogclips.steps.demo import demo as run_demo
    from dogclips.steps.probe import ProbeResult
    from dogclips.steps.split import SplitResult
    from dogclips.steps.test import TestResult
    from dogclips.steps.train import TrainedRun

    show = showing_training(Show()).on(SessionCut, print_tables).on(TrainedRun, print_end)
    show.on(Chapter, lambda one: print_line(f"\n== {one.title} [{one.seconds:.0f} s]\n"))
    show.on(ProbeResult, lambda found: print_result(*map(probe_table, found.recordings)))
    show.on(SplitResult, lambda found: print_result(split_table(found.made)))
    show.on(TestResult, lambda found: print_result(result_table(found.report)))
    done = run_demo(directory, uncorrected=uncorrected, models=models or (), progress=show)
    for model, report in done.reports.items():
        print_line(f"{model}: held-out mAP {report.mean_ap:.3f} ({report.protocol})")
