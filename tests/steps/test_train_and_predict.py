"""What training and predicting write, from Python and from the command line."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch

from dogclips import predict, train
from dogclips.records.predictions import read_clip_predictions, read_step_predictions
from dogclips.records.run_start import RunStart
from dogclips.records.settings import write_settings
from dogclips.training import TrainConfig
from tests.cli.program import dogclips
from tests.moving import LARGE, SMALL, write_view
from tests.sessions import write_project, write_session
from tests.training.conftest import clips_dir, config  # noqa: F401 (fixtures)
from tests.training.runs import CLOCKS, changed, keeping_starts

pytestmark = pytest.mark.training

PREDICT = {"clip_seconds": 2.0, "stride_seconds": 1.0, "smooth": "median"}
# What clocks say, and what the system calls a file of events, differ by nature.
EVENTS = "tensorboard/events"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("twice")


@pytest.fixture(scope="module")
def settings(config: TrainConfig, folder: Path) -> Path:  # noqa: F811
    write_settings(changed(config, trainer={"epochs": 2, "keep": 2}), folder, "train.yaml")
    return folder / "train.yaml"


@pytest.fixture(scope="module")
def runs(settings: Path, clips_dir: Path, folder: Path) -> tuple[Path, Path]:  # noqa: F811
    """Train from Python and from the command line, to the same path one after the other."""
    out, lists = folder / "run", {"train": clips_dir / "train.txt", "val": clips_dir / "val.txt"}
    given = ("--config", settings, "--train", lists["train"], "--val", lists["val"])
    by_hand = moved(out, lambda: train(out, settings, **lists))
    told = moved(out, lambda: dogclips("train", *given, "--out", out))
    return by_hand, told


@pytest.fixture(scope="module")
def predicted(runs: tuple[Path, Path], folder: Path) -> tuple[Path, Path]:
    session, out = write_session(folder / "session"), folder / "predicted"
    given = [f"--set={key}={value}" for key, value in PREDICT.items()]
    by_hand = moved(out, lambda: predict(runs[0], session, out, PREDICT))
    told = moved(out, lambda: dogclips("predict", runs[0], session, "--out", out, *given))
    return by_hand, told


def moved(out: Path, write: Callable[[], object]) -> Path:
    """Write a folder, and move it away so that the next one can have its name."""
    write()
    number = len(list(out.parent.glob(f"{out.name}_*")))
    return out.rename(out.with_name(f"{out.name}_{number}"))


def files_in(folder: Path) -> dict[str, Path]:
    """Return the files of a folder by name; a file of events has a name of its own each time."""
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*.*")}
    return {EVENTS if "tfevents" in name else name: path for name, path in files.items()}


def content(path: Path) -> Any:
    """Return all of a file but what clocks say and which program was started."""
    if path.suffix == ".ckpt":
        return torch.load(path, weights_only=True)
    if path.name == "run.json":
        return json.loads(path.read_text()) | {"command": None}
    if path.parent.name == "via":
        project = json.loads(path.read_text())
        return project | {"project": project["project"] | {"created": None}}
    if path.name == "metrics.csv":
        return pd.read_csv(path).drop(columns=CLOCKS).to_csv()
    return path.read_bytes()


def test_a_training_writes_the_same_folder_from_python_and_from_the_command_line(
    runs: tuple[Path, Path],
) -> None:
    by_hand, told = (files_in(run) for run in runs)

    assert sorted(by_hand) == sorted(told)
    assert {"config.yaml", "run.json", "metrics.csv", "metrics.json", EVENTS} < set(by_hand)
    assert {"plots/curves.svg", "plots/precision_recall.svg", "plots/confusion.svg"} < set(by_hand)
    for name in sorted(set(by_hand) - {EVENTS}):
        one, other = content(by_hand[name]), content(told[name])
        if name.endswith(".ckpt"):
            assert one["dogclips"] == other["dogclips"], name
            weights = [held["state_dict"] for held in (one, other)]
            assert list(weights[0]) == list(weights[1])
            assert all(torch.equal(weights[0][key], weights[1][key]) for key in weights[0]), name
        else:
            assert one == other, name
    assert len(read_clip_predictions(by_hand["predictions.parquet"])) == 8 * 3


def test_predicting_writes_the_same_folder_from_python_and_from_the_command_line(
    predicted: tuple[Path, Path],
) -> None:
    by_hand, told = (files_in(out) for out in predicted)

    assert sorted(by_hand) == [
        "bouts.csv",
        "config.yaml",
        "predictions.parquet",
        "scores.json",
        "timelines/020500.svg",
        "via/020500.json",
    ]
    assert sorted(told) == sorted(by_hand)
    for name in by_hand:
        assert content(by_hand[name]) == content(told[name]), name
    assert len(read_step_predictions(by_hand["predictions.parquet"])) == 12 * 3


def test_without_tensorboard_a_run_writes_no_events_and_says_how_to_get_them(
    config: TrainConfig,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    starts: list[RunStart] = []

    train(tmp_path / "run", changed(config, trainer={"epochs": 1}), progress=keeping_starts(starts))

    assert [start.note for start in starts] == [
        "no TensorBoard events: they need the extra dogclips[tensorboard]"
    ]
    assert not (tmp_path / "run" / "tensorboard").exists()
    assert (tmp_path / "run" / "metrics.csv").is_file()


SCRIPT = """
import dogclips

print("begun", flush=True)
settings = ["train.yaml", {"data.workers": 1}]
run = dogclips.train("run", settings)
done = dogclips.predict(run.run_dir, "session", "predicted", {"clip_seconds": 2})
print([path.name for path in done.files], flush=True)
many = [*settings, "trainer.epochs=10000"]
dogclips.train("long", many, progress=lambda event: print(event, flush=True))
"""


def test_a_script_without_a_guard_trains_predicts_and_stops_on_ctrl_c(
    config: TrainConfig,  # noqa: F811
    tmp_path: Path,
) -> None:
    write_settings(changed(config, trainer={"epochs": 1}), tmp_path, "train.yaml")
    write_session(tmp_path / "session")
    (tmp_path / "script.py").write_text(SCRIPT)

    with subprocess.Popen(
        [sys.executable, "script.py"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as script:
        assert script.stdout is not None
        lines = []
        for line in script.stdout:
            lines.append(line)
            if line.startswith("EpochRecord(epoch=2"):
                script.send_signal(signal.SIGINT)
        _, errors = script.communicate(timeout=60)

    assert lines.count("begun\n") == 1
    assert "020500.svg" in lines[1]
    assert script.returncode == 1
    assert "StoppedError: stopped by SIGINT" in errors.splitlines()[-1]
    assert (tmp_path / "long" / "checkpoints" / "last.ckpt").is_file()


def test_what_was_annotated_in_a_copy_is_predicted_from_the_original(
    runs: tuple[Path, Path], tmp_path: Path
) -> None:
    base_dir = tmp_path / "2_2_kt"
    write_view(base_dir / "video/yard.mp4", range(120), SMALL)
    write_view(base_dir / "originals/yard.mov", range(10, 120), LARGE)
    write_project(base_dir, "0205", {"yard.mp4": [(0, 12, "1")]})
    [found] = predict(runs[0], base_dir, tmp_path / "out", PREDICT).predictions
    viewing = found.viewing
    assert (viewing.path.name, viewing.annotated.name) == ("yard.mov", "yard.mp4")
    assert (viewing.target.width, viewing.reference.width) == (LARGE[0], SMALL[0])
    assert viewing.alignment.offset_s == 1
    assert found.reasons[0] == "before-target-start"
