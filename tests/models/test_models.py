from typing import get_args

import pytest
import torch
from pydantic import ValidationError

from dogclips.config import Config, settings_of
from dogclips.errors import ConfigError, ModelError
from dogclips.models import (
    BUILDERS,
    ModelConfig,
    SlowFastConfig,
    TimeSformerConfig,
    build_model,
)

TINY_TIMESFORMER = TimeSformerConfig(patch_size=8, dim=64, depth=4, heads=4)
TINY_SLOWFAST = SlowFastConfig(depths=(1, 1, 1, 1), width=16)


class Wanted(Config):
    model: ModelConfig = TINY_TIMESFORMER


@pytest.mark.parametrize(
    ("config", "clip_len", "size"),
    [
        pytest.param(TINY_TIMESFORMER, 3, 40, id="TimeSformer, 3 frames of 40 px"),
        pytest.param(TINY_TIMESFORMER, 1, 8, id="TimeSformer, one patch"),
        pytest.param(TINY_SLOWFAST, 12, 51, id="SlowFast, 12 frames of 51 px"),
        pytest.param(TINY_SLOWFAST, 4, 16, id="SlowFast, one slow frame"),
        pytest.param(
            SlowFastConfig(depths=(1, 2, 1, 1), width=8, alpha=1, fusion_ratio=1),
            5,
            32,
            id="SlowFast, both pathways at one rate",
        ),
    ],
)
def test_any_fitting_frame_count_and_size_gives_one_logit_a_class(
    config: ModelConfig, clip_len: int, size: int
) -> None:
    model = build_model(config, 7, clip_len, size).eval()
    clips = torch.randn(2, 3, clip_len, size, size)
    assert model(clips).shape == (2, 7)
    assert torch.isfinite(model(clips)).all()


@pytest.mark.parametrize("config", [TINY_TIMESFORMER, TINY_SLOWFAST], ids=lambda c: c.name)
def test_every_parameter_learns(config: ModelConfig) -> None:
    model = build_model(config, 3, 4, 16).train()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(2):  # behind a weight that starts at zero, gradients arrive one step later
        optimizer.zero_grad()
        model(torch.randn(3, 3, 4, 16, 16)).square().sum().backward()
        optimizer.step()
    without = [
        name for name, p in model.named_parameters() if p.grad is None or not p.grad.abs().sum()
    ]
    assert without == []


def test_a_fresh_timesformer_does_not_see_the_order_of_frames() -> None:
    model = build_model(TINY_TIMESFORMER, 5, 6, 32).eval()
    clip = torch.randn(1, 3, 6, 32, 32)
    assert torch.allclose(model(clip), model(clip.flip(2)), atol=1e-5)


def test_a_timesformer_that_has_learnt_time_sees_the_order_of_frames() -> None:
    model = build_model(TINY_TIMESFORMER, 5, 6, 32).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)
    clip = torch.randn(1, 3, 6, 32, 32)
    assert not torch.allclose(model(clip), model(clip.flip(2)), atol=1e-2)


def test_a_fresh_timesformer_sees_copies_of_a_frame_as_that_frame() -> None:
    many = build_model(TINY_TIMESFORMER, 5, 6, 32).eval()
    one = build_model(TINY_TIMESFORMER, 5, 1, 32).eval()
    state = {k: v for k, v in many.state_dict().items() if k != "time_embed"}
    one.load_state_dict(state, strict=False)
    frame = torch.randn(1, 3, 1, 32, 32)
    assert torch.allclose(many(frame.expand(-1, -1, 6, -1, -1)), one(frame), atol=1e-5)


def test_a_fresh_slowfast_starts_every_residual_block_as_its_shortcut() -> None:
    model = build_model(TINY_SLOWFAST, 3, 8, 32)
    gammas = [p for name, p in model.named_parameters() if name.endswith("branch2.c_bn.weight")]
    assert len(gammas) == 8
    assert all((gamma == 0).all() for gamma in gammas)


@pytest.mark.parametrize(
    ("config", "clip_len", "size", "says"),
    [
        pytest.param(TINY_TIMESFORMER, 8, 60, "data.size to 56 or 64", id="size and patch"),
        pytest.param(TINY_TIMESFORMER, 8, 4, "data.size to 8$", id="size below one patch"),
        pytest.param(TINY_SLOWFAST, 10, 32, "clip_len to 8 or 12", id="frames and alpha"),
        pytest.param(TINY_SLOWFAST, 2, 32, "clip_len to 4$", id="fewer frames than alpha"),
        pytest.param(
            TimeSformerConfig(dim=30, heads=4), 8, 32, "multiple of 4", id="width and heads"
        ),
        pytest.param(SlowFastConfig(width=12), 8, 32, "multiple of 8", id="width and beta"),
        pytest.param(SlowFastConfig(fusion_kernel=4), 8, 32, "set it to 5", id="even kernel"),
    ],
)
def test_a_size_that_does_not_fit_is_refused_with_one_that_does(
    config: ModelConfig, clip_len: int, size: int, says: str
) -> None:
    with pytest.raises(ModelError, match=says):
        build_model(config, 3, clip_len, size)


@pytest.mark.parametrize("config", [TINY_TIMESFORMER, TINY_SLOWFAST], ids=lambda c: c.name)
@pytest.mark.parametrize("shape", [(1, 3, 4, 32, 32), (1, 3, 8, 32, 40), (1, 1, 8, 32, 32)])
def test_a_clip_of_another_form_than_built_for_is_refused(
    config: ModelConfig, shape: tuple[int, ...]
) -> None:
    with pytest.raises(ModelError, match=r"built for clips of \(3, 8, 32, 32\)"):
        build_model(config, 3, 8, 32)(torch.zeros(shape))


def test_no_classes_are_no_model() -> None:
    with pytest.raises(ModelError, match=r"labels\.txt"):
        build_model(TINY_SLOWFAST, 0, 8, 32)


def test_bytes_and_fractions_are_normalised_alike() -> None:
    model = build_model(TINY_SLOWFAST, 3, 8, 32)
    clip = torch.randint(0, 256, (2, 3, 8, 32, 32), dtype=torch.uint8)
    assert torch.allclose(model.normalise(clip), model.normalise(clip / 255), atol=1e-5)
    grey = torch.full((1, 3, 8, 32, 32), 0.45)
    assert torch.allclose(model.normalise(grey), torch.zeros(()), atol=1e-6)


def test_the_name_chooses_the_keys_of_the_model() -> None:
    wanted = settings_of(Wanted, ["model={name: slowfast, depths: [1, 1, 1, 1]}"])
    assert wanted.model == SlowFastConfig(depths=(1, 1, 1, 1))
    with pytest.raises(ConfigError, match="patch_size"):
        settings_of(Wanted, ["model={name: slowfast, patch_size: 16}"])


def test_every_architecture_is_built_by_its_name() -> None:
    kinds = get_args(get_args(ModelConfig)[0])
    assert sorted(kind().name for kind in kinds) == sorted(BUILDERS)
    for kind in kinds:
        with torch.device("meta"):
            assert isinstance(build_model(kind(), 3, 8, 224), BUILDERS[kind().name])


@pytest.mark.parametrize("key", ["depths", "width", "alpha", "dropout"])
def test_a_negative_size_is_no_configuration(key: str) -> None:
    with pytest.raises(ValidationError):
        SlowFastConfig.model_validate({key: -1})
