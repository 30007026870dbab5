import json
import re
import zlib

import numpy as np
import pytest
import torch
import torchvision
from torch import nn

from dogclips.errors import ModelError
from dogclips.models.mvit import MViT, MViTConfig
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
from tests.shared import SHARED, needs_shared

SMALL = {"depths": (1, 1, 1, 2), "dim": 8}
SECOND, FIRST = MViTConfig(**SMALL), MViTConfig(version=1, **SMALL)
both = pytest.mark.parametrize("config", [SECOND, FIRST], ids=["MViTv2", "MViT"])


def built(config: MViTConfig = SECOND, clip_len: int = 4, size: int = 32) -> MViT:
    return MViT(config, ModelInput(clip_len, size), 3)


def on_meta(config: MViTConfig, clip_len: int = 16) -> MViT:
    with torch.device("meta"):
        return MViT(config, ModelInput(clip_len, 224), 400)


@pytest.mark.parametrize(
    ("config", "clip_len", "num_params", "giga"),
    [
        pytest.param(MViTConfig(), 16, 34_537_744, 64.457, id="MViTv2-S 16x4"),
        pytest.param(MViTConfig(depths=(2, 3, 16, 3)), 32, 51_230_128, 225, id="MViTv2-B 32x3"),
        pytest.param(MViTConfig(version=1), 16, 36_610_672, 70.804, id="MViT-B 16x4"),
    ],
)
def test_parameters_and_multiply_adds_are_those_published(
    config: MViTConfig, clip_len: int, num_params: int, giga: float
) -> None:
    model = on_meta(config, clip_len)
    assert num_parameters(model) == num_params
    assert giga_multiply_adds(model) == pytest.approx(giga, rel=0.005)


@pytest.mark.parametrize(
    ("config", "name"), [(MViTConfig(), "mvit_v2_s"), (MViTConfig(version=1), "mvit_v1_b")]
)
def test_the_layers_are_those_torchvision_builds(config: MViTConfig, name: str) -> None:
    ours = on_meta(config)
    with torch.device("meta"):
        theirs = torchvision.models.get_model(name)
    assert {k: v.shape for k, v in ours.state_dict().items()} == {
        k: v.shape for k, v in theirs.state_dict().items()
    }
    assert [repr(block) for block in ours.blocks] == [repr(block) for block in theirs.blocks]
    switches = ("residual_pool", "residual_with_cls_embed", "num_heads")
    for mine, block in zip(ours.blocks, theirs.blocks, strict=True):
        assert mine.proj_after_attn == block.proj_after_attn
        assert all(getattr(mine.attn, s) == getattr(block.attn, s) for s in switches)


@both
def test_logits_are_those_of_torchvision(config: MViTConfig) -> None:
    model = shaken(built(config)).eval()
    clips = clips_for(model)
    assert torch.equal(model(clips), torchvision.models.video.MViT.forward(model, clips))


def name_in_pyslowfast(name: str) -> str:
    """Return what PySlowFast calls a parameter of torchvision."""
    for ours, theirs in (
        (r"^conv_proj\.", "patch_embed.proj."),
        (r"^pos_encoding\.class_token$", "cls_token"),
        (r"\.attn\.project\.0\.", ".attn.proj."),
        (r"\.pool_([qkv])\.pool\.", r".pool_\1."),
        (r"\.pool_([qkv])\.norm_act\.0\.", r".norm_\1."),
        (r"\.mlp\.0\.", ".mlp.fc1."),
        (r"\.mlp\.3\.", ".mlp.fc2."),
        (r"^(blocks\.\d+)\.project\.", r"\1.proj."),
        (r"^head\.1\.", "head.projection."),
    ):
        name = re.sub(ours, theirs, name)
    return name


def fill(model: nn.Module) -> None:
    """Fill every parameter from numpy's frozen legacy generator, seeded by its published name."""
    for ours, value in model.state_dict().items():
        name = name_in_pyslowfast(ours)
        seed = zlib.crc32(name.encode())
        noise = np.random.RandomState(seed).standard_normal(tuple(value.shape)).astype("float32")
        if name == "cls_token" or "rel_pos" in name:
            noise *= 0.02
        elif noise.ndim <= 1:
            noise = noise * 0.1 + (1 if name.endswith("weight") else 0)
        else:
            noise *= (1.0 / np.prod(noise.shape[1:])) ** 0.5
        value.copy_(torch.from_numpy(noise))


@pytest.mark.shared
@needs_shared
def test_logits_are_those_of_the_reference() -> None:
    stored = json.loads((SHARED / "data" / "model_parity.json").read_text(encoding="utf-8"))
    truth = next(entry for entry in stored["cases"] if "MVITv2_S" in entry["name"])
    with torch.device("meta"):
        model = MViT(MViTConfig(), ModelInput(16, 224), truth["out_shape"][1])
    model = model.to_empty(device="cpu").eval()
    fill(model)
    clip = np.random.RandomState(7).standard_normal((1, 3, 16, 224, 224)).astype("float32")
    with torch.inference_mode():
        logits = model(torch.from_numpy(clip))[0]
    assert num_parameters(model) == truth["params"]
    expected = torch.tensor(truth["logits"])
    assert (logits[:8] - expected).abs().max() < 1e-4 * expected.abs().max()
    assert logits.sum().item() == pytest.approx(truth["sum"], abs=1e-3)
    assert logits.norm().item() == pytest.approx(truth["l2"], rel=1e-4)


@pytest.mark.parametrize(("clip_len", "size"), [(2, 36), (6, 44), (2, 64)])
@both
def test_any_fitting_frame_count_and_size_gives_one_logit_a_class(
    config: MViTConfig, clip_len: int, size: int
) -> None:
    model = shaken(built(config, clip_len, size)).eval()
    logits = model(clips_for(model))
    assert logits.shape == (2, 3)
    assert torch.isfinite(logits).all()


@pytest.mark.parametrize(("size", "exact"), [(64, True), (96, True), (72, False)])
def test_position_tables_need_resizing_only_where_the_size_is_no_multiple_of_32(
    size: int, exact: bool
) -> None:
    rows, needed, side = [], [], size // 4
    for block in built(size=size).blocks:
        queries, keys = (  # pooling rounds up
            -(-side // pool.pool.stride[1]) for pool in (block.attn.pool_q, block.attn.pool_k)
        )
        needed.append(2 * max(queries, keys) - 1)
        rows.append(len(block.attn.rel_pos_h))
        side = queries
    assert (rows == needed) == exact


def test_a_table_of_another_length_does_what_the_same_one_resized_before_does() -> None:
    long, short = built(size=64).eval(), built(size=64).eval()
    short.load_state_dict(shaken(long).state_dict())
    for block_long, block_short in zip(long.blocks, short.blocks, strict=True):
        for axis in "hwt":
            table = torch.randn(9, block_short.attn.head_dim)
            setattr(block_short.attn, f"rel_pos_{axis}", nn.Parameter(table))
            length = len(getattr(block_long.attn, f"rel_pos_{axis}"))
            resized = nn.functional.interpolate(table.T[None], size=length, mode="linear")[0].T
            setattr(block_long.attn, f"rel_pos_{axis}", nn.Parameter(resized))
    clips = clips_for(long)
    assert torch.allclose(long(clips), short(clips), atol=1e-5)


@pytest.mark.parametrize(
    ("config", "clip_len", "size", "says"),
    [
        pytest.param(SECOND, 5, 32, "set it to 4 or 6", id="odd frames"),
        pytest.param(SECOND, 1, 32, "set it to 2$", id="one frame"),
        pytest.param(SECOND, 4, 50, "set it to 48 or 52", id="size and patch"),
        pytest.param(FIRST, 4, 30, "set it to 32$", id="size below one last token"),
        pytest.param(SECOND, 4, 16, "set it to 32$", id="small size"),
        pytest.param(MViTConfig(dim=30, heads=4), 4, 32, "multiple of 4", id="width and heads"),
    ],
)
def test_what_does_not_fit_is_refused_with_what_does(
    config: MViTConfig, clip_len: int, size: int, says: str
) -> None:
    with pytest.raises(ModelError, match=says):
        built(config, clip_len, size)


@both
def test_every_parameter_learns_but_those_that_cannot_matter(config: MViTConfig) -> None:
    without = set(parameters_without_gradient(built(config)))
    # A softmax is blind to what is added to every key.
    expected = {f"blocks.{i}.attn.pool_k.norm_act.0.bias" for i in range(sum(config.depths))}
    if config.version == 2:
        # Only the class token leaves the last block, and that has no position.
        last = f"blocks.{sum(config.depths) - 1}.attn"
        expected |= {f"{last}.rel_pos_{axis}" for axis in "hwt"} | {f"{last}.pool_q.pool.weight"}
    assert without == expected


@both
def test_evaluation_repeats_itself(config: MViTConfig) -> None:
    check_evaluation_repeats_itself(built(config))


@both
def test_half_precision_is_near_the_exact_one(config: MViTConfig) -> None:
    check_half_precision(built(config))


def test_it_compiles_as_one_graph() -> None:
    check_compiles_as_one_graph(built())


def test_checkpointing_changes_nothing_but_memory() -> None:
    check_checkpointing(lambda on: built(MViTConfig(**SMALL, checkpointing=on)))
