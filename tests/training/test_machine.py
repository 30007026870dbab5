"""What a run is spread over: devices, processes, machines."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

import dogclips
from dogclips import train
from dogclips.errors import ConfigError, DogclipsError
from dogclips.lists import read_list, write_labels, write_list
from dogclips.records.settings import write_settings
from dogclips.steps.train import TrainedRun
from dogclips.training import TrainConfig
from dogclips.training.config import TrainerConfig
from dogclips.training.machine import backend_for, build_trainer, machine_for
from tests.training.runs import changed

pytestmark = pytest.mark.training
CPU_ONLY = pytest.mark.skipif(torch.cuda.is_available(), reason="counts processes on a CPU")

TORCHRUN = {"TORCHELASTIC_RUN_ID": "none", "LOCAL_WORLD_SIZE": "4", "WORLD_SIZE": "8"}
SLURM = {"SLURM_JOB_NAME": "train", "SLURM_NTASKS": "8", "SLURM_NNODES": "2"}


def trained(
    config: TrainConfig, folder: Path, *arguments: object
) -> subprocess.CompletedProcess[str]:
    """Train as a user would on two processes."""
    write_settings(config, folder, "both.yaml")
    command = ["-m", "dogclips", "train", "--config", folder / "both.yaml", *arguments]
    return subprocess.run(
        [sys.executable, *map(str, command)],
        check=False,
        capture_output=True,
        text=True,
        timeout=200,
        env={**os.environ, "CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1"},
    )


@pytest.fixture(scope="module")
def odd_config(
    config: TrainConfig, clips_dir: Path, tmp_path_factory: pytest.TempPathFactory
) -> TrainConfig:
    """Return settings with five clips to validate, which two processes cannot share evenly."""
    folder = tmp_path_factory.mktemp("odd")
    write_labels(folder / "labels.txt", ["red", "green", "never"])
    write_list(folder / "val.txt", read_list(clips_dir / "val.txt").clips[:5])
    # Chance inside the network is another on each device, and so are batch norms, which
    # TimeSformer has none of.
    return changed(
        config,
        model={"drop_path": 0.0},
        data={"val": folder / "val.txt"},
        trainer={"epochs": 2},
    )


@pytest.fixture(scope="module")
def alone(odd_config: TrainConfig, tmp_path_factory: pytest.TempPathFactory) -> TrainedRun:
    return train(tmp_path_factory.mktemp("alone") / "run", odd_config)


@pytest.mark.parametrize("strategy", ["auto", "fsdp"])
def test_two_processes_train_what_one_trains_with_their_batch(
    odd_config: TrainConfig, alone: TrainedRun, tmp_path: Path, strategy: str
) -> None:
    both = changed(odd_config, data={"batch_size": 2}, trainer={"devices": 2, "strategy": strategy})
    out = tmp_path / "both"
    done = trained(both, tmp_path, "--out", out)
    assert (done.returncode, done.stderr) == (0, "")
    name = "ddp" if strategy == "auto" else strategy
    assert f"2 processes ({name}, gloo)" in done.stdout
    assert "4 a step (2 a device x 2 devices)" in done.stdout

    found = json.loads((out / "metrics.json").read_text())["val"]
    assert found["num_clips"] == alone.report.num_clips == 5
    assert found["mean_ap"] == pytest.approx(alone.report.mean_ap)
    assert found["loss"] == pytest.approx(alone.report.loss, rel=1e-4)
    held = [
        torch.load(folder / "checkpoints/last.ckpt", weights_only=True)["state_dict"]
        for folder in (out, alone.run_dir)
    ]
    assert held[0].keys() == held[1].keys()
    assert all(torch.allclose(held[0][key], held[1][key], atol=1e-4) for key in held[0])
    assert both.data.val is not None
    tested = dogclips.test(out, both.data.val).report
    assert tested.mean_ap == pytest.approx(found["mean_ap"])
    assert tested.loss == pytest.approx(found["loss"], rel=1e-5)


def test_a_port_that_is_taken_is_named_before_anything_starts(
    config: TrainConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    both = changed(config, trainer={"devices": 2})
    with socket.socket() as holder:
        holder.bind(("", 0))
        holder.listen()
        port = holder.getsockname()[1]
        monkeypatch.setenv("MASTER_PORT", str(port))
        with pytest.raises(DogclipsError, match=rf"port {port} cannot be used.*MASTER_PORT"):
            build_trainer(both.trainer, [])
    build_trainer(both.trainer, [])  # as soon as it is free
    monkeypatch.setenv("MASTER_PORT", "http")
    with pytest.raises(DogclipsError, match="port http cannot be used: no port number"):
        build_trainer(both.trainer, [])


def test_gloo_takes_the_place_of_a_missing_nccl_and_says_so() -> None:
    assert backend_for(cuda=True, nccl=True) == ("nccl", "")
    assert backend_for(cuda=False, nccl=True) == ("gloo", "")
    backend, remark = backend_for(cuda=True, nccl=False)
    assert backend == "gloo"
    assert "no NCCL" in remark
    assert "\n" not in remark


@CPU_ONLY
@pytest.mark.parametrize(
    ("settings", "environment", "wanted"),
    [
        pytest.param({}, {}, (1, 1, "auto", None), id="one process"),
        pytest.param({"devices": 2}, {}, (2, 1, "ddp", "gloo"), id="two processes"),
        pytest.param({}, TORCHRUN, (4, 2, "ddp", "gloo"), id="torchrun, two machines"),
        pytest.param({}, SLURM, (4, 2, "ddp", "gloo"), id="SLURM, two machines"),
        pytest.param(
            {"num_nodes": 2, "strategy": "fsdp"}, {}, (1, 2, "fsdp", "gloo"), id="by hand"
        ),
    ],
)
def test_a_run_is_spread_as_settings_and_launchers_say(
    monkeypatch: pytest.MonkeyPatch,
    settings: dict[str, Any],
    environment: dict[str, str],
    wanted: tuple[int, int, str, str | None],
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    found = machine_for(TrainerConfig.model_validate(settings))
    assert (found.devices, found.num_nodes, found.strategy, found.backend) == wanted
    assert found.remark == ""


def test_settings_that_contradict_the_launcher_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in TORCHRUN.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError, match=r"4 processes on each of 2 machines.*trainer\.devices"):
        machine_for(TrainerConfig(devices=2))


def test_weights_that_are_shared_out_have_no_average() -> None:
    with pytest.raises(ValueError, match="ema does not work with fsdp"):
        TrainerConfig.model_validate({"strategy": "fsdp", "ema": 0.9})
