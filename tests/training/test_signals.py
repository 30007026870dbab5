"""A run that is ended from outside, and goes on."""

import json
import multiprocessing
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn.modules.module import register_module_forward_pre_hook
from torch.optim.optimizer import register_optimizer_step_post_hook

from dogclips import train
from dogclips.errors import DogclipsError, StoppedError
from dogclips.models import VideoModel
from dogclips.records.settings import write_settings
from dogclips.steps.train import TrainedRun
from dogclips.training import TrainConfig
from tests.cli.program import dogclips
from tests.training.runs import SLOWFAST, changed, csv_scores, measured, weights_of

pytestmark = pytest.mark.training

# The program, which kills itself after its eighth step: the second of the third epoch.
KILLED = """
import itertools, os, signal
from torch.optim.optimizer import register_optimizer_step_post_hook
steps = itertools.count(1)
def send(*_):
    if next(steps) == 8:
        os.kill(os.getpid(), signal.SIGKILL)
register_optimizer_step_post_hook(send)
from dogclips.cli import main
main()
"""


def killed_program(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Train as a user would, until the program kills itself."""
    return subprocess.run(
        [sys.executable, "-c", KILLED, "train", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )


@contextmanager
def at_step(wanted: int, act: Callable[[], object]) -> Iterator[None]:
    """Call something after a step of the optimizer."""
    steps = count(1)

    def after(*_: object) -> None:
        if next(steps) == wanted:
            act()

    handle = register_optimizer_step_post_hook(after)
    try:
        yield
    finally:
        handle.remove()


def send(number: signal.Signals) -> Callable[[], None]:
    return lambda: os.kill(os.getpid(), number)


def assert_same(resumed: TrainedRun, unbroken: TrainedRun) -> None:
    assert measured(resumed.records) == measured(unbroken.records)
    assert csv_scores(resumed) == csv_scores(unbroken)
    weights = [weights_of(run) for run in (resumed, unbroken)]
    assert weights[0].keys() == weights[1].keys()
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])


def test_a_run_killed_in_mid_epoch_goes_on_from_the_epoch_before_and_ends_as_an_unbroken_one(
    config: TrainConfig, trained: TrainedRun, tmp_path: Path
) -> None:
    write_settings(config, tmp_path, "train.yaml")
    out = tmp_path / "run"
    killed = killed_program("--config", tmp_path / "train.yaml", "--out", out)
    assert killed.returncode == -signal.SIGKILL
    assert not (out / "metrics.json").exists()
    assert len((out / "metrics.csv").read_text().splitlines()) == 1 + 2
    assert_same(train(out, config, resume=True), trained)


def test_a_terminated_run_writes_a_checkpoint_in_mid_epoch_and_says_how_to_go_on(
    config: TrainConfig, trained: TrainedRun, tmp_path: Path
) -> None:
    write_settings(config, tmp_path, "train.yaml")
    out = tmp_path / "run"
    with at_step(8, send(signal.SIGTERM)):
        stopped = dogclips("train", "--config", tmp_path / "train.yaml", "--out", out)
    assert stopped.returncode == 130
    said = stopped.stderr.strip().splitlines()
    assert said[-1] == (
        "error: stopped by SIGTERM in epoch 3, after 2 of 3 batches "
        f"({out}/checkpoints/last.ckpt): continue with `dogclips train --resume --out {out}`"
    )
    assert not (out / "metrics.json").exists()
    assert_same(train(out, config, resume=True), trained)


@pytest.mark.parametrize(
    ("number", "step", "changes", "place"),
    [
        pytest.param(
            signal.SIGINT,
            3,
            {"trainer": {"ema": 0.9, "accumulate": 2}, "data": {"batch_size": 2}},
            "stopped by SIGINT after epoch 1",
            id="Ctrl-C in validation, averaged weights and two batches a step",
        ),
        pytest.param(
            signal.SIGUSR1,
            2,
            {"model": SLOWFAST, "data": {"balance": 1.0}},
            "in epoch 1, after 2 of 3 batches",
            id="SLURM's warning, batch norms and balanced classes",
        ),
        pytest.param(
            signal.SIGINT,
            5,
            {"trainer": {"ema": 0.9, "accumulate": 2}, "data": {"batch_size": 2, "workers": 1}},
            "in epoch 2, after 4 of 6 batches",
            id="Ctrl-C, averaged weights, two batches a step and a loading process",
        ),
    ],
)
def test_a_stopped_run_ends_as_an_unbroken_one(
    config: TrainConfig,
    tmp_path: Path,
    number: signal.Signals,
    step: int,
    changes: dict[str, Any],
    place: str,
) -> None:
    config = changed(config, **changes, seed=3)
    whole = train(tmp_path / "unbroken", config)
    handlers = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)]

    with pytest.raises(StoppedError, match=place), at_step(step, send(number)):
        train(tmp_path / "broken", config)
    assert handlers == [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)]

    assert_same(train(tmp_path / "broken", config, resume=True), whole)


def test_a_signal_between_two_batches_of_a_step_waits_for_the_step(
    config: TrainConfig, tmp_path: Path
) -> None:
    accumulating = changed(config, trainer={"accumulate": 2}, data={"batch_size": 2})
    batches = count(1)

    def in_third_batch(module: torch.nn.Module, _inputs: object) -> None:
        if isinstance(module, VideoModel) and next(batches) == 3:
            send(signal.SIGTERM)()

    handle = register_module_forward_pre_hook(in_third_batch)
    try:
        with pytest.raises(StoppedError, match="in epoch 1, after 4 of 6 batches"):
            train(tmp_path, accumulating)
    finally:
        handle.remove()


def test_a_second_signal_stops_at_once(config: TrainConfig, tmp_path: Path) -> None:
    def twice() -> None:
        send(signal.SIGINT)()
        send(signal.SIGINT)()

    with pytest.raises((KeyboardInterrupt, SystemExit)), at_step(2, twice):
        train(tmp_path, config)
    assert not (tmp_path / "checkpoints").exists()


def test_a_killed_loading_process_is_explained(config: TrainConfig, tmp_path: Path) -> None:
    helped = changed(config, data={"workers": 1})

    def kill() -> None:
        for worker in multiprocessing.active_children():
            os.kill(worker.pid or 0, signal.SIGKILL)

    with (
        pytest.raises(DogclipsError, match=r"loading process was killed.*data\.workers"),
        at_step(4, kill),
    ):
        train(tmp_path, helped)


def test_a_run_that_was_stopped_says_nothing_of_being_finished(
    config: TrainConfig, tmp_path: Path
) -> None:
    with (
        pytest.raises(StoppedError, match=re.escape(str(tmp_path))),
        at_step(1, send(signal.SIGTERM)),
    ):
        train(tmp_path, config)
    assert {file.name for file in tmp_path.iterdir()} == {"config.yaml", "run.json", "checkpoints"}
    assert json.loads((tmp_path / "run.json").read_text())["labels"] == ["red", "green", "never"]
