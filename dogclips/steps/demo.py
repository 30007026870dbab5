"""Demo: run every step on made two-stream recordings with known truth."""

import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import dogclips
from dogclips.config import Setting
from dogclips.errors import DogclipsError, UsageError
from dogclips.events import Event, Feed, Progress, Result
from dogclips.records.training_run import TestReport

MODELS = ("slowfast", "timesformer")

# What an export does that knows nothing of stream 0: it takes annotation time for time since the
# first frame of the stream that it cuts.
UNCORRECTED = {"reference": 1, "annotated_in": "firefox"}


@dataclass(frozen=True)
class Chapter(Event):
    """A part of the story begins, so many seconds after its beginning."""

    title: str
    seconds: float


@dataclass(frozen=True, eq=False)
class DemoResult(Result):
    """Where everything lies, and the scores of each model on the test list."""

    directory: Path
    reports: dict[str, TestReport]


def demo(
    directory: str | Path | None = None,
    *,
    uncorrected: bool = False,
    models: Sequence[str] = (),
    progress: Progress | None = None,
) -> DemoResult:
    """Make two-stream recordings with known truth, then probe, cut, split, train and test them.

    Parameters
    ----------
    directory
        Folder to work in; None for `data/demo`. Recordings that are there are reused.
    uncorrected
        Ignore the half second between the streams, to see what that costs.
    models
        Networks to train, of `MODELS`; empty for all.
    progress
        Called with each event of each step and with its result; a `Chapter` precedes each step.

    Raises
    ------
    UsageError
        A model is unknown.
    DogclipsError
        A step failed.
    """
    for model in models:
        if model not in MODELS:
            todo = f"choose {' or '.join(MODELS)}"
            raise UsageError(f"the demo has no model {model!r}", where="--model", todo=todo)
    feed, began = Feed(progress), time.monotonic()
    directory = Path(directory or ("data/demo-uncorrected" if uncorrected else "data/demo"))
    base_dir, lists = directory / "Feb" / "2_2_demo", directory / "split"

    def begin(title: str) -> None:
        feed.tell(Chapter(title, time.monotonic() - began))

    begin(f"1. recordings and their VIA projects in {base_dir}")
    if not (base_dir / "via").is_dir():
        dogclips.make_session(base_dir)
    first = min((base_dir / "video").iterdir())
    begin("2. dogclips probe: the streams of the first recording; the others are alike")
    feed.tell(dogclips.probe(first, content=True, progress=progress))
    begin("3. dogclips cut")
    settings: list[Setting] = ["demo", UNCORRECTED] if uncorrected else ["demo"]
    if not dogclips.cut(base_dir, settings, progress=progress).ok:
        raise DogclipsError("not every clip was cut", where=base_dir, todo="see manifest.csv")
    begin("4. dogclips split")
    feed.tell(dogclips.split(base_dir, lists, val=0.1, test=0.2, progress=progress))
    reports = {}
    for model in models or MODELS:
        begin(f"5. dogclips train and test: {model}")
        run = directory / "runs" / model
        shutil.rmtree(run, ignore_errors=True)  # of an earlier demo
        named = {"data.train": lists / "train.txt", "data.val": lists / "val.txt"}
        feed.tell(dogclips.train(run, [f"{model}_tiny", named], progress=progress))
        tested = dogclips.test(run, lists / "test.txt", progress=progress)
        feed.tell(tested)
        reports[model] = tested.report
    begin("done")
    return DemoResult(directory, reports, **feed.kept)
