import warnings
from typing import Any

import pytest
import torch
from torch import nn

from dogclips.errors import ModelError
from dogclips.models.resnet3d import I3DConfig, ResNet3D, SlowConfig
from dogclips.models.video_model import ModelInput
from tests.models.promises import (
    check_checkpointing,
    check_compiles_as_one_graph,
    check_evaluation_repeats_itself,
    check_half_precision,
    clips_for,
    giga_multiply_adds,
    num_parameters,
    parameters_without_gradient,
    shaken,
)

SMALL = {"depths": (1, 1, 2, 2), "width": 8}
I3D, SLOW = I3DConfig(**SMALL), SlowConfig(**SMALL)
both = pytest.mark.parametrize("config", [I3D, SLOW], ids=lambda config: config.name)


def built(config: I3DConfig | SlowConfig, clip_len: int = 4, size: int = 32) -> ResNet3D:
    return ResNet3D(config, ModelInput(clip_len, size), 3)


@pytest.mark.parametrize(
    ("config", "clip_len", "num_classes", "num_params", "giga"),
    [
        pytest.param(I3DConfig(), 8, 400, 28_043_472, 28.538, id="I3D R50 8x8"),
        pytest.param(
            I3DConfig(stem_strides=(2, 2)), 32, 400, 28_043_472, 33.272, id="I3D R50 32x2"
        ),
        pytest.param(I3DConfig(), 8, 101, 27_430_821, 28.538, id="I3D R50, 101 classes"),
        pytest.param(SlowConfig(), 8, 400, 32_454_096, 41.919, id="Slow R50 8x8"),
    ],
)
def test_parameters_and_multiply_adds_are_those_published(
    config: I3DConfig | SlowConfig, clip_len: int, num_classes: int, num_params: int, giga: float
) -> None:
    with torch.device("meta"):
        model = ResNet3D(config, ModelInput(clip_len, 224), num_classes)
    assert num_parameters(model) == num_params
    # The published numbers include batch norms and pooling, ours convolutions and linear layers.
    assert giga_multiply_adds(model) == pytest.approx(giga, rel=0.006)


def pytorchvideo(config: I3DConfig | SlowConfig, clip_len: int, side: int) -> nn.Module:
    """Build the same network there; `side` is that of the last features."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pytorchvideo.models.resnet import create_resnet  # noqa: PLC0415

    sizes: dict[str, Any] = {"stem_conv_kernel_size": (1, 7, 7)}
    if config.name == "i3d":
        sizes = {
            "stem_conv_kernel_size": (5, 7, 7),
            "stage1_pool": nn.MaxPool3d,
            "stage_conv_a_kernel_size": (
                (3, 1, 1),
                [(3, 1, 1), (1, 1, 1)],
                [(3, 1, 1), (1, 1, 1)],
                [(1, 1, 1), (3, 1, 1)],
            ),
        }
    return create_resnet(
        model_depth=50,
        model_num_class=3,
        stem_dim_out=config.width,
        head_pool_kernel_size=(clip_len // config.time_pool, side, side),
        **sizes,
    )


@pytest.mark.parametrize(("clip_len", "size", "side"), [(8, 64, 2), (4, 90, 3)])
@pytest.mark.parametrize("config", [I3DConfig(width=8), SlowConfig(width=8)], ids=lambda c: c.name)
def test_logits_are_those_of_pytorchvideo(
    config: I3DConfig | SlowConfig, clip_len: int, size: int, side: int
) -> None:
    ours = shaken(built(config, clip_len, size)).eval()
    theirs = pytorchvideo(config, clip_len, side).eval()
    values = ours.state_dict().values()  # in the order of the layers, as theirs
    theirs.load_state_dict(dict(zip(theirs.state_dict(), values, strict=True)))
    clips = clips_for(ours)
    with torch.no_grad():
        truth = theirs(clips)
        assert (ours(clips) - truth).abs().max() < 1e-4 * truth.abs().max()


@both
def test_names_are_those_of_pyslowfast(config: I3DConfig | SlowConfig) -> None:
    names = set(built(config).state_dict())
    assert {
        "s1.pathway0_stem.conv.weight",
        "s1.pathway0_stem.bn.running_mean",
        "s2.pathway0_res0.branch1.weight",
        "s2.pathway0_res0.branch1_bn.bias",
        "s4.pathway0_res1.branch2.a.weight",
        "s5.pathway0_res1.branch2.c_bn.weight",
        "head.projection.weight",
    } <= names


@pytest.mark.parametrize(("clip_len", "size"), [(2, 33), (6, 16), (2, 1)])
@both
def test_any_fitting_frame_count_and_size_gives_one_logit_a_class(
    config: I3DConfig | SlowConfig, clip_len: int, size: int
) -> None:
    model = built(config, clip_len, size).eval()
    logits = model(clips_for(model))
    assert logits.shape == (2, 3)
    assert torch.isfinite(logits).all()


def test_kernels_of_one_frame_see_no_order_and_longer_ones_do() -> None:
    for kernels, sees in ((((1,),) * 4, False), (SLOW.kernels, True)):
        model = shaken(built(SlowConfig(**SMALL, kernels=kernels))).eval()
        clips = clips_for(model)
        assert torch.allclose(model(clips), model(clips[:, :, [2, 0, 3, 1]]), rtol=1e-4) != sees


@both
def test_a_fresh_network_starts_every_residual_block_as_its_shortcut(
    config: I3DConfig | SlowConfig,
) -> None:
    gammas = [p for n, p in built(config).named_parameters() if n.endswith("branch2.c_bn.weight")]
    assert len(gammas) == sum(config.depths)
    assert not any(gamma.any() for gamma in gammas)


@pytest.mark.parametrize(
    ("config", "clip_len", "says"),
    [
        pytest.param(I3D, 7, "clip_len to 6 or 8", id="pooling over time"),
        pytest.param(I3D, 1, "clip_len to 2$", id="one frame"),
        pytest.param(
            I3DConfig(**SMALL, stem_strides=(2, 2)), 12, "clip_len to 8 or 16", id="strides"
        ),
        pytest.param(SlowConfig(stem_kernel=4), 4, "set it to 5", id="even stem"),
        pytest.param(
            SlowConfig(kernels=((1,), (1,), (1, 2), (3,))), 4, "set it to 3", id="even kernel"
        ),
    ],
)
def test_what_does_not_fit_is_refused_with_what_does(
    config: I3DConfig | SlowConfig, clip_len: int, says: str
) -> None:
    with pytest.raises(ModelError, match=says):
        built(config, clip_len)


@both
def test_every_parameter_learns(config: I3DConfig | SlowConfig) -> None:
    assert parameters_without_gradient(built(config)) == []


@both
def test_evaluation_repeats_itself(config: I3DConfig | SlowConfig) -> None:
    check_evaluation_repeats_itself(built(config))


@both
def test_half_precision_is_near_the_exact_one(config: I3DConfig | SlowConfig) -> None:
    check_half_precision(built(config))


def test_it_compiles_as_one_graph() -> None:
    check_compiles_as_one_graph(built(I3D))


def test_checkpointing_changes_nothing_but_memory() -> None:
    check_checkpointing(lambda on: built(I3DConfig(**SMALL, dropout=0.0, checkpointing=on)))
