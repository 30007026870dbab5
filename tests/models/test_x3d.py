import warnings

import pytest
import torch
from torch import nn

from dogclips.models.video_model import ModelInput
from dogclips.models.x3d import X3D, X3DConfig
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

SMALL = X3DConfig(depths=(1, 2, 1, 2), width=8, head_width=32)


def built(config: X3DConfig = SMALL, clip_len: int = 3, size: int = 40) -> X3D:
    return X3D(config, ModelInput(clip_len, size), 3)


@pytest.mark.parametrize(
    ("depths", "clip_len", "size", "num_params", "giga"),
    [
        pytest.param((3, 5, 11, 7), 4, 160, 3_794_322, 0.60, id="X3D-XS"),
        pytest.param((3, 5, 11, 7), 13, 160, 3_794_322, 1.96, id="X3D-S"),
        pytest.param((3, 5, 11, 7), 16, 224, 3_794_322, 4.73, id="X3D-M"),
        pytest.param((5, 10, 25, 15), 16, 312, 6_153_432, 18.37, id="X3D-L"),
    ],
)
def test_parameters_and_multiply_adds_are_those_published(
    depths: tuple[int, int, int, int], clip_len: int, size: int, num_params: int, giga: float
) -> None:
    with torch.device("meta"):
        model = X3D(X3DConfig(depths=depths), ModelInput(clip_len, size), 400)
    assert num_parameters(model) == num_params
    assert giga_multiply_adds(model) == pytest.approx(giga, abs=0.01)


def pytorchvideo(clip_len: int, size: int) -> nn.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pytorchvideo.models.x3d import create_x3d  # noqa: PLC0415

    return create_x3d(
        model_num_class=3,
        input_clip_length=clip_len,
        input_crop_size=size,
        head_activation=None,
    )


@pytest.mark.parametrize(("clip_len", "size"), [(16, 64), (5, 45)])
def test_logits_are_those_of_pytorchvideo(clip_len: int, size: int) -> None:
    ours = shaken(built(X3DConfig(), clip_len, size)).eval()
    # Its first shortcut has no batch norm, other than the published network.
    norm = ours.get_submodule("s2.pathway0_res0.branch1_bn")
    norm.load_state_dict(nn.BatchNorm3d(24).state_dict())
    norm.running_var.fill_(1 - norm.eps)
    values = [v for k, v in ours.state_dict().items() if "s2.pathway0_res0.branch1_bn" not in k]
    theirs = pytorchvideo(clip_len, size).eval()
    theirs.load_state_dict(dict(zip(theirs.state_dict(), values, strict=True)))
    clips = clips_for(ours)
    with torch.no_grad():
        truth = theirs(clips)
        assert (ours(clips) - truth).abs().max() < 1e-4 * truth.abs().max()


def test_names_are_those_of_pyslowfast() -> None:
    names = set(built().state_dict())
    assert {
        "s1.pathway0_stem.conv_xy.weight",
        "s1.pathway0_stem.conv.weight",
        "s2.pathway0_res0.branch1_bn.weight",
        "s3.pathway0_res0.branch2.se.fc1.weight",
        "s3.pathway0_res0.branch2.se.fc2.bias",
        "s3.pathway0_res1.branch2.b_bn.weight",
        "head.conv_5.weight",
        "head.conv_5_bn.weight",
        "head.lin_5.weight",
        "head.projection.bias",
    } <= names
    assert not any(".se." in name for name in names if "pathway0_res1" in name)


@pytest.mark.parametrize(("clip_len", "size"), [(1, 33), (7, 16), (2, 1)])
def test_any_frame_count_and_size_gives_one_logit_a_class(clip_len: int, size: int) -> None:
    model = built(clip_len=clip_len, size=size).eval()
    logits = model(clips_for(model))
    assert logits.shape == (2, 3)
    assert torch.isfinite(logits).all()


def test_a_fresh_network_starts_every_residual_block_as_its_shortcut() -> None:
    gammas = [p for n, p in built().named_parameters() if n.endswith("branch2.c_bn.weight")]
    assert len(gammas) == sum(SMALL.depths)
    assert not any(gamma.any() for gamma in gammas)


def test_every_parameter_learns() -> None:
    assert parameters_without_gradient(built()) == []


def test_evaluation_repeats_itself() -> None:
    check_evaluation_repeats_itself(built())


def test_half_precision_is_near_the_exact_one() -> None:
    check_half_precision(built())


def test_it_compiles_as_one_graph() -> None:
    check_compiles_as_one_graph(built())


def test_checkpointing_changes_nothing_but_memory() -> None:
    check_checkpointing(
        lambda on: built(SMALL.model_copy(update={"dropout": 0.0, "checkpointing": on}))
    )
