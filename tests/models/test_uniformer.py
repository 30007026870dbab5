import zlib

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from dogclips.errors import ModelError
from dogclips.models.uniformer import UniFormerV2, UniFormerV2Config, _Attention
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

SMALL = UniFormerV2Config(dim=64, depth=3, heads=4, global_blocks=2)
# Logits of MMAction2's UniFormerV2 with patches of 8, for 4 frames of 32 pixels, filled by `fill`.
PUBLISHED = [
    [0.60847, -0.03246, -2.19125, 0.8221, 1.54277],
    [0.04933, -0.65768, -2.78397, 0.86437, 1.40871],
]


def built(config: UniFormerV2Config = SMALL, clip_len: int = 4, size: int = 32) -> UniFormerV2:
    return UniFormerV2(config, ModelInput(clip_len, size), 5)


@pytest.mark.parametrize(
    ("num_classes", "num_params"), [(400, 114_552_208), (101, 114_322_277)], ids=str
)
def test_a_full_size_model_has_as_many_parameters_as_the_published_one(
    num_classes: int, num_params: int
) -> None:
    with torch.device("meta"):
        model = UniFormerV2(UniFormerV2Config(), ModelInput(8, 224), num_classes)
    assert num_parameters(model) == num_params


def test_multiply_adds_are_those_published_and_the_attention_they_leave_out() -> None:
    with torch.device("meta"):
        model = UniFormerV2(UniFormerV2Config(), ModelInput(8, 224), 400)
    tokens = 1 + 14 * 14
    unseen = 12 * 8 * 2 * tokens**2 * 768 / 1e9  # blocks, frames, two products of the attention
    assert giga_multiply_adds(model) == pytest.approx(142.558 + unseen, rel=0.002)


def fill(model: nn.Module) -> None:
    """Fill every parameter from numpy's frozen legacy generator, seeded by its name."""
    for name, value in model.state_dict().items():
        seed = zlib.crc32(name.encode())
        noise = np.random.RandomState(seed).standard_normal(tuple(value.shape)).astype("float32")
        if noise.ndim <= 1:
            noise = noise * 0.1 + (1 if name.endswith("weight") else 0)
        elif noise.ndim == 3 or "embedding" in name:
            noise *= 0.02
        else:
            noise *= (1 / np.prod(noise.shape[1:])) ** 0.5
        value.copy_(torch.from_numpy(noise))


def test_logits_are_those_of_the_published_implementation() -> None:
    model = built(SMALL.model_copy(update={"patch_size": 8})).eval()
    fill(model)
    clips = np.random.RandomState(7).standard_normal((2, 3, 4, 32, 32)).astype("float32")
    with torch.inference_mode():
        logits = model(torch.from_numpy(clips))
    assert torch.allclose(logits, torch.tensor(PUBLISHED), atol=2e-5)


def test_names_and_shapes_are_those_of_mmaction2_and_clip() -> None:
    model = built(UniFormerV2Config(dim=8, depth=1, heads=2, global_blocks=1))
    block = {
        "attn.in_proj_weight": (24, 8),
        "attn.in_proj_bias": (24,),
        "attn.out_proj.weight": (8, 8),
        "attn.out_proj.bias": (8,),
        "ln_1.weight": (8,),
        "ln_1.bias": (8,),
        "mlp.c_fc.weight": (32, 8),
        "mlp.c_fc.bias": (32,),
        "mlp.c_proj.weight": (8, 32),
        "mlp.c_proj.bias": (8,),
        "ln_2.weight": (8,),
        "ln_2.bias": (8,),
    }
    assert {name: tuple(value.shape) for name, value in model.state_dict().items()} == {
        "conv1.weight": (8, 3, 1, 16, 16),
        "class_embedding": (8,),
        "positional_embedding": (5, 8),
        "ln_pre.weight": (8,),
        "ln_pre.bias": (8,),
        **{f"transformer.resblocks.0.{name}": shape for name, shape in block.items()},
        "transformer.temporal_cls_token": (1, 1, 8),
        "transformer.dpe.0.weight": (8, 1, 3, 3, 3),
        "transformer.dpe.0.bias": (8,),
        **{f"transformer.dec.0.{name}": shape for name, shape in block.items()},
        "transformer.dec.0.ln_3.weight": (8,),
        "transformer.dec.0.ln_3.bias": (8,),
        "transformer.norm.weight": (8,),
        "transformer.norm.bias": (8,),
        "transformer.balance": (8,),
        "head.weight": (5, 8),
        "head.bias": (5,),
    }


def test_attention_is_that_of_torch() -> None:
    theirs = nn.MultiheadAttention(16, 4, batch_first=True)
    nn.init.normal_(theirs.in_proj_bias)
    ours = _Attention(16, 4)
    ours.load_state_dict(theirs.state_dict())
    x, y = torch.randn(2, 3, 16), torch.randn(2, 7, 16)
    assert torch.allclose(ours(x), theirs(x, x, x)[0], atol=1e-6)
    assert torch.allclose(ours.across(x, y), theirs(x, y, y)[0], atol=1e-6)


def image_logits(model: UniFormerV2, clips: Tensor) -> Tensor:
    """Score a clip by the mean over its frames of what the image transformer alone sees."""
    views = []
    for frame in clips.unbind(2):
        patches = model.conv1(frame[:, :, None]).flatten(2).mT
        cls = model.class_embedding.expand(len(patches), 1, -1)
        tokens = model.ln_pre(torch.cat([cls, patches], dim=1) + model.positional_embedding)
        for block in model.transformer.resblocks:
            tokens = block(tokens)
        views.append(tokens[:, 0])
    return model.head(model.transformer.norm(torch.stack(views).mean(0)))


def test_a_fresh_network_is_its_image_transformer() -> None:
    # It halves what the norm behind it scales up again, but for the norm's eps.
    model = built().eval()
    clips = clips_for(model)
    assert torch.allclose(model(clips), image_logits(model, clips), rtol=1e-4, atol=1e-6)
    assert not torch.allclose(shaken(model)(clips), image_logits(model, clips), rtol=1e-2)


def test_a_fresh_global_block_passes_the_token_of_the_clip_through() -> None:
    token, tokens = torch.randn(2, 1, 64), torch.randn(2, 9, 64)
    for block in built().eval().transformer.dec:
        assert torch.equal(block(token, tokens), token)


def test_a_fresh_network_places_tokens_by_their_content_alone() -> None:
    assert not any(dpe.bias.any() for dpe in built().transformer.dpe)


def test_a_fresh_network_sees_no_order_of_frames_and_one_that_has_learnt_does() -> None:
    model = built().eval()
    clips = clips_for(model)
    assert torch.allclose(model(clips), model(clips.flip(2)), atol=1e-6)
    model = shaken(model)
    assert not torch.allclose(model(clips), model(clips.flip(2)), atol=1e-4)


def test_a_fresh_network_sees_copies_of_a_frame_as_that_frame() -> None:
    many, one = built(clip_len=4).eval(), built(clip_len=1).eval()
    one.load_state_dict(many.state_dict())
    frame = torch.randn(1, 3, 1, 32, 32)
    assert torch.allclose(many(frame.expand(-1, -1, 4, -1, -1)), one(frame), atol=1e-6)


@pytest.mark.parametrize(("clip_len", "size"), [(1, 16), (3, 48)])
def test_any_fitting_frame_count_and_size_gives_one_logit_a_class(clip_len: int, size: int) -> None:
    model = shaken(built(clip_len=clip_len, size=size)).eval()
    logits = model(clips_for(model))
    assert logits.shape == (2, 5)
    assert torch.isfinite(logits).all()


@pytest.mark.parametrize(
    ("changed", "size", "says"),
    [
        pytest.param({}, 60, "data.size to 48 or 64", id="size and patch"),
        pytest.param({}, 8, "data.size to 16$", id="size below one patch"),
        pytest.param({"heads": 5}, 32, "multiple of 5", id="width and heads"),
        pytest.param({"global_blocks": 4}, 32, "to 3 or less", id="more global blocks than blocks"),
    ],
)
def test_what_does_not_fit_is_refused_with_what_does(
    changed: dict[str, int], size: int, says: str
) -> None:
    with pytest.raises(ModelError, match=says):
        built(SMALL.model_copy(update=changed), size=size)


def test_every_parameter_learns() -> None:
    assert parameters_without_gradient(built()) == []


@pytest.mark.parametrize("off", ["dropout", "global_dropout"])
def test_evaluation_repeats_itself(off: str) -> None:
    check_evaluation_repeats_itself(shaken(built(SMALL.model_copy(update={off: 0.0}))))


def test_half_precision_is_near_the_exact_one() -> None:
    check_half_precision(built())


def test_it_compiles_as_one_graph() -> None:
    check_compiles_as_one_graph(built())


def test_checkpointing_changes_nothing_but_memory() -> None:
    check_checkpointing(lambda on: built(SMALL.model_copy(update={"checkpointing": on})))
