from pathlib import Path
from typing import Any

import pytest
import torch

from dogclips.config import settings_of
from dogclips.errors import ConfigError
from dogclips.models import build_model
from dogclips.training import TrainConfig

CONFIGS = sorted((Path(__file__).parents[2] / "configs" / "train").glob("*.yaml"))
MODEL: dict[str, Any] = {"name": "timesformer"}


@pytest.mark.parametrize("file", CONFIGS, ids=lambda file: file.stem)
def test_every_shipped_config_builds_its_model(file: Path) -> None:

    config = settings_of(TrainConfig, [file])
    with torch.device("meta"):
        build_model(config.model, 5, config.data.sampling.clip_len, config.data.size)


def test_there_are_shipped_configs() -> None:
    assert {file.stem for file in CONFIGS} >= {
        "mvitv2_s",
        "slowfast_r50_8x8",
        "slowfast_tiny",
        "timesformer_base_8f",
        "timesformer_tiny",
        "tiny_cpu",
    }


@pytest.mark.parametrize(
    ("override", "says"),
    [
        ("optimizer.learning_rate=1", r"optimizer\.lr|unknown config key"),
        ("evaluation.average=softmax", r"evaluation\.average"),
        ("evaluation.crops=2", r"evaluation\.crops"),
        ("data.augment.scale=[0.5, 1]", r"data\.augment"),
        ("trainer.ema=1.5", r"trainer\.ema"),
        ("data={fit: stretch}", "one crop"),
        ("model.name=vgg", "model"),
    ],
)
def test_what_cannot_work_is_refused_with_its_key(override: str, says: str) -> None:
    overrides = ["model.name=timesformer", override]
    if "stretch" in override:
        overrides.append("evaluation.crops=3")
    with pytest.raises(ConfigError, match=says):
        settings_of(TrainConfig, overrides)


def test_the_protocol_says_how_a_clip_is_scored() -> None:
    config = TrainConfig.model_validate(
        {
            "model": MODEL,
            "data": {"sampling": {"clip_len": 16}, "size": 64},
            "evaluation": {"views": 4, "crops": 3},
        }
    )
    assert config.protocol == (
        "4 views x 3 crops, 16 frames uniform over the clip, 64 px, sigmoid averaged"
    )
