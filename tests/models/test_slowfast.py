"""SlowFast against pytorchvideo's, and its own promises."""

import re
import warnings
from typing import Any

import pytest
import torch
from torch import nn

from dogclips.models import SlowFastConfig, VideoModel, build_model
from dogclips.models.slowfast import SlowFast, Stage
from tests.models.promises import (
    check_checkpointing,
    check_compiles_as_one_graph,
    check_evaluation_repeats_itself,
    check_half_precision,
    clips_for,
    parameters_without_gradient,
    shaken,
)

SMALL: dict[str, Any] = {"depths": (1, 2, 1, 2), "width": 16}
# Each pattern becomes its replacement, in this order: our names to those of pytorchvideo.
THEIR_NAMES = (
    (r"\.pathway(\d)_stem\.", r".multipathway_blocks.\1."),
    (r"(multipathway_blocks\.\d)\.bn\.", r"\1.norm."),
    (r"_fuse\.conv_f2s\.", ".multipathway_fusion.conv_fast_to_slow."),
    (r"_fuse\.bn\.", ".multipathway_fusion.norm."),
    (r"\.pathway(\d)_res(\d+)\.", r".multipathway_blocks.\1.res_blocks.\2."),
    (r"\.branch1\.", ".branch1_conv."),
    (r"\.branch1_bn\.", ".branch1_norm."),
    (r"\.branch2\.([abc])\.", r".branch2.conv_\1."),
    (r"\.branch2\.([abc])_bn\.", r".branch2.norm_\1."),
    (r"^head\.projection\.", "blocks.6.proj."),
)


def built(clip_len: int = 8, size: int = 32, **keys: Any) -> VideoModel:
    return build_model(SlowFastConfig.model_validate(SMALL | keys), 5, clip_len, size)


def pytorchvideo(config: SlowFastConfig) -> nn.Module:
    """Return their network of the depth of a ResNet-50, for 8 frames of 64 px."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pytorchvideo.models.slowfast import create_slowfast  # noqa: PLC0415

    return create_slowfast(
        slowfast_fusion_conv_kernel_size=(config.fusion_kernel, 1, 1),
        slowfast_fusion_conv_stride=(config.alpha, 1, 1),
        slowfast_channel_reduction_ratio=(config.beta_inv,),
        stem_dim_outs=(config.width, config.width // config.beta_inv),
        model_num_class=5,
        head_pool_kernel_sizes=((8 // config.alpha, 2, 2), (8, 2, 2)),
    ).eval()


@pytest.mark.parametrize(
    "keys",
    [
        pytest.param({"width": 16}, id="as 8x8"),
        pytest.param(
            {"width": 16, "alpha": 8, "beta_inv": 4, "fusion_kernel": 5}, id="as 4x16, wide fast"
        ),
    ],
)
def test_logits_are_those_of_pytorchvideo(keys: dict[str, Any]) -> None:
    config = SlowFastConfig.model_validate(keys)
    ours, theirs = build_model(config, 5, 8, 64), pytorchvideo(config)
    assert isinstance(ours, SlowFast)
    shaken(ours).eval()
    state = {in_theirs(name): value for name, value in ours.state_dict().items()}
    theirs.load_state_dict(state, strict=True)
    clips = clips_for(ours)

    with torch.inference_mode():
        logits = theirs([clips[:, :, ours.slow_frames], clips])
        assert torch.allclose(ours(clips), logits, rtol=1e-4, atol=1e-5 * logits.abs().max())


def in_theirs(name: str) -> str:
    name = re.sub(r"^s(\d)", lambda match: f"blocks.{int(match[1]) - 1}", name)
    for pattern, replacement in THEIR_NAMES:
        name = re.sub(pattern, replacement, name)
    return name


@pytest.mark.parametrize("looking", [(1, 1, 0, 2), (0, 0, 0, 0)])
def test_only_the_first_temporal_depths_convolve_over_time(looking: tuple[int, ...]) -> None:
    model = built(temporal_depths=looking)
    kernels = [
        [
            model.get_submodule(f"s{k}.pathway1_res{i}.branch2.a").kernel_size[0]
            for i in range(depth)
        ]
        for k, depth in enumerate(SMALL["depths"], start=2)
    ]
    assert [stage.count(3) for stage in kernels] == list(looking)
    assert all(stage == sorted(stage, reverse=True) for stage in kernels)


def test_every_parameter_gets_a_gradient() -> None:
    assert parameters_without_gradient(built(size=16)) == []


def test_evaluation_repeats_itself_and_training_drops_features() -> None:
    check_evaluation_repeats_itself(shaken(built()))


def test_half_precision_stays_near_single() -> None:
    check_half_precision(built())


def test_the_compiler_sees_one_graph() -> None:
    check_compiles_as_one_graph(shaken(built()))


def test_checkpointing_keeps_less_and_changes_neither_gradients_nor_statistics() -> None:
    check_checkpointing(lambda wanted: built(dropout=0.5, checkpointing=wanted))


def test_training_with_checkpointing_compiles_as_one_graph() -> None:
    torch.compiler.reset()
    plain, saving = (
        Stage(SlowFastConfig.model_validate(SMALL | {"checkpointing": wanted}), 2, (20, 2))
        for wanted in (False, True)
    )
    saving.load_state_dict(plain.state_dict())
    compiled = torch.compile(saving, backend="aot_eager", fullgraph=True)
    slow, fast = torch.randn(2, 20, 2, 8, 8), torch.randn(2, 2, 8, 8, 8)
    for stage in (plain, compiled):
        sum(out.square().sum() for out in stage(slow, fast)).backward()
    for (name, a), (_, b) in zip(saving.named_buffers(), plain.named_buffers(), strict=True):
        assert torch.allclose(a, b, atol=1e-5), name
    for (name, a), (_, b) in zip(saving.named_parameters(), plain.named_parameters(), strict=True):
        assert torch.allclose(a.grad, b.grad, atol=1e-3), name
