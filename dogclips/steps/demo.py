"""The demo: made two-stream recordings with known truth, through the whole chain."""

import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import dogclips
from dogclips.demo.recordings import make_session
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
class Returned(Event):
    """What a step of the chain returned."""

    result: Result


@dataclass(frozen=True, eq=False)
class MadeSession(Result):
    """A session folder of recordings with known truth."""

    base_dir: Path
    recordings: tuple[Path, ...]


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
        Where everything goes; `data/demo` if it is not said. Recordings that are there are used.
    uncorrected
        Ignore the half second between the streams.
    models
        Train only these of `MODELS`; empty for all.
    progress
        Called with each event of each step; `Chapter` tells where the story is, and `Returned` what a
        step returned.

    Raises
    ------
    UsageError
        There is no such model.
    DogclipsError
        A step failed.
    """
    for model in models:
        if model not in MODELS:
            todo = f"choose {' or '.join(MODELS)}"
            raise UsageError(f"no model {model!r} in the demo", where="--model", todo=todo)
    feed, began = Feed(progress), time.monotonic()
    directory = Path(directory or ("data/demo-uncorrected" if uncorrected else "data/demo"))
    base_dir, lists = directory / "Feb" / "2_2_demo", directory / "split"

    def begin(title: str) -> None:
        feed.tell(Chapter(title, time.monotonic() - began))

    begin("1. recordings")
    made = _made(base_dir)
    feed.tell(Returned(made))
    begin("2. dogclips probe: the streams of the first recording, the others are alike")
    feed.tell(Returned(dogclips.probe(made.recordings[0], content=True, progress=progress)))
    begin("3. dogclips cut")
    cut = dogclips.cut(base_dir, ["demo", UNCORRECTED if uncorrected else {}], progress=progress)
    if not cut.ok:
        raise DogclipsError("not every clip was cut", where=base_dir, todo="see manifest.csv")
    begin("4. dogclips split")
    feed.tell(Returned(dogclips.split(base_dir, lists, val=0.1, test=0.2, progress=progress)))
    reports: dict[str, TestReport] = {}
    for model in models or MODELS:
        begin(f"5. dogclips train and test: {model}")
        run_dir = directory / "runs" / model
        shutil.rmtree(run_dir, ignore_errors=True)  # of an earlier demo
        trained = dogclips.train(
            run_dir,
            f"{model}_tiny",
            train=lists / "train.txt",
            val=lists / "val.txt",
            progress=progress,
        )
        feed.tell(Returned(trained))
        tested = dogclips.test(run_dir, lists / "test.txt", progress=progress)
        feed.tell(Returned(tested))
        reports[model] = tested.report
    begin("done")
    return DemoResult(directory, reports, **feed.kept)


def _made(base_dir: Path) -> MadeSession:
    if not (base_dir / "via").is_dir():
        make_session(base_dir)
    return MadeSession(base_dir, tuple(sorted((base_dir / "video").iterdir())))
