"""`dogclips demo`: the whole chain on made two-stream recordings with known truth."""

import shutil
import time
from enum import StrEnum
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dogclips.cli.console import print_line, print_result

if TYPE_CHECKING:
    from dogclips.records.training_run import TestReport


class DemoModel(StrEnum):
    """The models that the demo trains."""

    slowfast = "slowfast"
    timesformer = "timesformer"


# What an export does that knows nothing of stream 0: it takes annotation time for time since the
# first frame of the stream that it cuts.
UNCORRECTED = ("reference=1", "annotated_in=firefox")


def demo(
    directory: Annotated[
        Path | None, typer.Argument(metavar="DIR", help="Where everything goes [data/demo].")
    ] = None,
    uncorrected: Annotated[
        bool, typer.Option("--uncorrected", help="Ignore the half second between the streams.")
    ] = False,
    models: Annotated[
        list[DemoModel] | None,
        typer.Option("--model", help="Train only this one; repeatable.", show_default=False),
    ] = None,
) -> None:
    """Make two-stream recordings with known truth, then probe, cut, split, train and test them.

    Example: dogclips demo
    """
    from dogclips.cli.split import split

    directory = directory or Path("data/demo-uncorrected" if uncorrected else "data/demo")
    base_dir = directory / "Feb" / "2_2_demo"
    began = time.monotonic()
    _heading("1. recordings", began)
    _make(base_dir)
    _heading("2. dogclips probe: the streams of the first recording, the others are alike", began)
    _probe(base_dir)
    _heading("3. dogclips cut", began)
    _cut(base_dir, UNCORRECTED if uncorrected else ())
    _heading("4. dogclips split", began)
    split([base_dir], directory / "split", val=0.1, test=0.2)
    reports = {}
    for model in models or DemoModel:
        _heading(f"5. dogclips train and test: {model}", began)
        reports[model] = _train(model, directory)
    _heading("done", began)
    for model, report in reports.items():
        print_line(f"{model}: held-out mAP {report.mean_ap:.3f} ({report.protocol})")


def _heading(text: str, began: float) -> None:
    print_line(f"\n== {text} [{time.monotonic() - began:.0f} s]\n")


def _make(base_dir: Path) -> None:
    from dogclips.demo.recordings import make_session

    if not (base_dir / "via").is_dir():
        make_session(base_dir)
    recordings = len(list((base_dir / "video").iterdir()))
    print_line(f"{recordings} recordings and their VIA projects in {base_dir}")


def _probe(base_dir: Path) -> None:
    from dogclips.alignment import StreamChoice
    from dogclips.clips.recordings import measure_recordings
    from dogclips.clips.session import recordings_in
    from dogclips.reports.tables.probe import probe_table

    for recording in measure_recordings(recordings_in(base_dir)[:1], [StreamChoice()]).values():
        print_result(probe_table(recording))


def _cut(base_dir: Path, overrides: tuple[str, ...]) -> None:
    from dogclips.cli.cut import cut

    with as_file(files("dogclips.demo") / "cut.yaml") as config:
        cut([base_dir], [config], list(overrides))


def _train(model: str, directory: Path) -> "TestReport":
    """Train on the demo's split and return the score on its test list."""
    from dogclips.cli.train import train
    from dogclips.reports.tables.train import result_table
    from dogclips.training.testing import test

    run_dir, lists = directory / "runs" / model, directory / "split"
    shutil.rmtree(run_dir, ignore_errors=True)  # of an earlier demo
    with as_file(files("dogclips.demo") / f"{model}.yaml") as config:
        train(run_dir, [config], lists / "train.txt", lists / "val.txt")
    result = test(run_dir, lists / "test.txt")
    print_result(result_table(result.report))
    return result.report
