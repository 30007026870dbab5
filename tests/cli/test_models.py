"""What `dogclips models` lists and shows."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dogclips.cli.app import app
from dogclips.config import settings_of
from dogclips.errors import ConfigError, ModelError, UsageError
from dogclips.models import SlowFastConfig, build_model
from dogclips.models.catalogue import VARIANTS
from dogclips.training.config import TrainConfig
from tests.cli.program import dogclips


def shown(*arguments: str) -> str:
    """Return what a command prints, run inside this process: torch is loaded once."""
    result = CliRunner().invoke(app, ["models", *arguments], catch_exceptions=False)
    assert (result.exit_code, result.stderr) == (0, "")
    return result.stdout


def test_the_program_lists_all_published_networks_as_one_document() -> None:
    run = dogclips("models", "--json")

    assert (run.returncode, run.stderr) == (0, "")
    document = json.loads(run.stdout)
    assert document["version"] == 1
    assert [model["name"] for model in document["models"]] == list(VARIANTS)
    assert document["models"][0] == {
        "name": "timesformer-8x32",
        "architecture": "timesformer",
        "num_params": 121_566_352,
        "num_classes": 400,
        "multiply_adds": 195_830_280_192,
        "clip_len": 8,
        "interval": 32,
        "size": 224,
        "mean": [0.45, 0.45, 0.45],
        "std": [0.225, 0.225, 0.225],
        "paper": "Bertasius et al., ICML 2021, arXiv 2102.05095",
        "licence": "CC-BY-NC-4.0",
    }


def test_the_list_takes_no_torch_and_so_no_time() -> None:
    program = "import sys; sys.modules['torch'] = None; from dogclips.cli import main; main()"
    run = subprocess.run(
        [sys.executable, "-c", program, "models"], check=False, capture_output=True, text=True
    )
    assert (run.returncode, run.stderr) == (0, "")
    assert all(name in run.stdout for name in VARIANTS)


def test_the_table_says_size_cost_input_normalisation_and_licence() -> None:
    lines = shown().splitlines()

    row = next(line for line in lines if "slowfast-r50-8x8" in line)
    numbers = ("34.566", "50.3", "32", "x", "2", "224")
    assert row.split() == ["slowfast-r50-8x8", *numbers, "Apache-2.0"]
    assert any(line.endswith("0..1: 0.45 / 0.225 (all)") for line in lines)
    assert any("multiply-adds of one view" in line for line in lines)
    assert max(map(len, lines)) <= 100


def test_the_layers_of_a_network_are_shown_with_shapes_and_counts() -> None:
    lines = [line.split() for line in shown("show", "timesformer-8x32").splitlines()]

    assert ["cls_token", "parameter", "1", "x", "1", "x", "768", "768"] in lines
    assert ["head", "Linear", "1", "x", "400", "307,600"] in lines
    [block] = [line for line in lines if line[:3] == ["0", "...", "11"]]
    assert block[3:6] == ["(12", "times)", "DividedBlock"]
    assert block[-1] == "10,042,368"


def test_settings_change_what_is_shown_and_depth_how_much() -> None:
    settings = ["--set", "model.width=16", "--set", "data.size=64", "--classes", "9"]
    few = shown("show", "slowfast-r50-8x8", *settings, "--depth", "1").splitlines()
    many = shown("show", "slowfast-r50-8x8", *settings, "--depth", "9").splitlines()

    config = SlowFastConfig(width=16)
    total = sum(value.numel() for value in build_model(config, 9, 32, 64).parameters())
    assert f"{total:,} parameters, 9 classes" in few[0]
    assert any(line.split()[:5] == ["head", "Head", "1", "x", "9"] for line in few)
    assert len(few) + 40 < len(many)


def test_the_document_of_a_network_goes_down_to_its_last_layer() -> None:
    document = json.loads(shown("show", "timesformer-8x32", "--json"))

    assert document["model"]["name"] == "timesformer-8x32"
    blocks = next(layer for layer in document["layers"] if layer["name"] == "blocks")
    attention = next(part for part in blocks["parts"][0]["parts"] if part["name"] == "attn")
    assert [part["name"] for part in attention["parts"]] == ["qkv", "proj"]
    assert attention["parts"][0]["shapes"] == [[8, 197, 2304]]


@pytest.mark.parametrize("name", VARIANTS)
def test_the_yaml_of_a_network_is_a_training_config_with_it(tmp_path: Path, name: str) -> None:
    text = shown("show", name, "--yaml")
    (tmp_path / "train.yaml").write_text(text)

    config = settings_of(TrainConfig, [tmp_path / "train.yaml"])

    assert config.model == VARIANTS[name].config
    assert config.data.sampling.clip_len == VARIANTS[name].expects.clip_len
    assert config.data.size == VARIANTS[name].expects.size


WRONG = {
    "no name": ["show"],
    "no classes": ["show", "slowfast-r50-8x8", "--classes", "0"],
    "two answers": ["show", "slowfast-r50-8x8", "--yaml", "--json"],
    "json of what": ["--json", "show", "slowfast-r50-8x8"],
}


@pytest.mark.parametrize("arguments", WRONG.values(), ids=WRONG)
def test_wrong_usage_is_one_line_and_exit_code_2(arguments: list[str]) -> None:
    run = dogclips("models", *arguments)

    assert run.returncode == 2
    if "--json" in arguments:
        assert json.loads(run.stdout)["error"]["code"] == "usage"
    else:
        assert run.stdout == ""
    assert len(run.stderr.splitlines()) == 1
    assert run.stderr.startswith("error: ")


@pytest.mark.parametrize(
    ("arguments", "kind", "says"),
    [
        pytest.param(["slowfast-r50"], UsageError, "slowfast-r50-8x8", id="unknown name"),
        pytest.param(
            ["slowfast-r50-8x8", "--set", "model.widht=3"],
            ConfigError,
            "did you mean `model.width`",
            id="unknown key",
        ),
        pytest.param(
            ["timesformer-8x32", "--set", "data.size=230"],
            ModelError,
            "set data.size to 224 or 240",
            id="size that does not fit",
        ),
        pytest.param(
            ["timesformer-8x32", "--yaml", "--set", "data.size=230"],
            ModelError,
            "set data.size to 224 or 240",
            id="settings for a size that does not fit",
        ),
    ],
)
def test_what_cannot_be_shown_is_refused_with_what_can(
    arguments: list[str], kind: type[Exception], says: str
) -> None:
    with pytest.raises(kind, match=says):
        shown("show", *arguments)
