"""`dogclips demo`: the whole chain on made two-stream recordings with known truth."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dogclips.cli.console import Show, print_line, print_result
from dogclips.cli.cut import print_tables
from dogclips.cli.train import print_end, showing_training

if TYPE_CHECKING:
    from dogclips.steps.demo import Chapter, Returned


def demo(
    directory: Annotated[
        Path | None, typer.Argument(metavar="DIR", help="Where everything goes [data/demo].")
    ] = None,
    uncorrected: Annotated[
        bool, typer.Option("--uncorrected", help="Ignore the half second between the streams.")
    ] = False,
    models: Annotated[
        list[str] | None,
        typer.Option(
            "--model", metavar="slowfast|timesformer", help="Train only this one; repeatable."
        ),
    ] = None,
) -> None:
    """Make two-stream recordings with known truth, then probe, cut, split, train and test them.

    Example: dogclips demo
    """
    from dogclips.steps import demo as story
    from dogclips.steps.cut import SessionCut

    show = showing_training(Show()).on(SessionCut, print_tables)
    show.on(story.Chapter, _print_heading).on(story.Returned, _print_returned)
    done = story.demo(directory, uncorrected=uncorrected, models=models or (), progress=show)
    for model, report in done.reports.items():
        print_line(f"{model}: held-out mAP {report.mean_ap:.3f} ({report.protocol})")


def _print_heading(chapter: "Chapter") -> None:
    print_line(f"\n== {chapter.title} [{chapter.seconds:.0f} s]\n")


def _print_returned(returned: "Returned") -> None:
    from dogclips.reports.tables.probe import probe_table
    from dogclips.reports.tables.split import split_table
    from dogclips.reports.tables.train import result_table
    from dogclips.steps.demo import MadeSession
    from dogclips.steps.probe import ProbeResult
    from dogclips.steps.split import SplitResult
    from dogclips.steps.test import TestResult
    from dogclips.steps.train import TrainedRun

    match returned.result:
        case MadeSession(base_dir=base_dir, recordings=recordings):
            print_line(f"{len(recordings)} recordings and their VIA projects in {base_dir}")
        case ProbeResult(recordings=measured):
            print_result(*map(probe_table, measured))
        case SplitResult(made=made):
            print_result(split_table(made))
        case TrainedRun() as run:
            print_end(run)
        case TestResult(report=report):
            print_result(result_table(report))
