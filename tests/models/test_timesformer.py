"""TimeSformer against timm's ViT, transformers' TimeSformer, and its own promises."""

import re
from typing import Any

import pytest
import timm
import torch
from torch import Tensor, nn
from transformers import TimesformerConfig as TheirConfig
from transformers import TimesformerForVideoClassification

from dogclips.models import TimeSformerConfig, VideoModel, build_model
from tests.models.promises import (
    check_checkpointing,
    check_compiles_as_one_graph,
    check_evaluation_repeats_itself,
    check_half_precision,
    clips_for,
    parameters_without_gradient,
    shaken,
)

KINDS = ("divided", "joint", "space")
SMALL: dict[str, Any] = {"patch_size": 8, "dim": 48, "depth": 3, "heads": 4}
# Each pattern becomes its replacement, in this order: our names to those of transformers.
THEIR_NAMES = (
    (r"^blocks\.", "encoder.layer."),
    (r"\.temporal_norm1\.", ".temporal_layernorm."),
    (r"\.norm1\.", ".layernorm_before."),
    (r"\.norm2\.", ".layernorm_after."),
    (r"\.temporal_attn\.qkv\.", ".temporal_attention.attention.qkv."),
    (r"\.temporal_attn\.proj\.", ".temporal_attention.output.dense."),
    (r"\.attn\.qkv\.", ".attention.attention.qkv."),
    (r"\.attn\.proj\.", ".attention.output.dense."),
    (r"\.temporal_fc\.", ".temporal_dense."),
    (r"\.mlp\.fc1\.", ".intermediate.dense."),
    (r"\.mlp\.fc2\.", ".output.dense."),
    (r"^pos_embed", "embeddings.position_embeddings"),
    (r"^time_embed", "embeddings.time_embeddings"),
    (r"^cls_token", "embeddings.cls_token"),
    (r"^patch_embed\.proj\.", "embeddings.patch_embeddings.projection."),
    (r"^norm\.", "layernorm."),
    (r"^", "timesformer."),
    (r"^timesformer\.head\.", "classifier."),
)


def built(attention: str = "divided", clip_len: int = 4, size: int = 32, **keys: Any) -> VideoModel:
    config = TimeSformerConfig.model_validate(SMALL | keys | {"attention": attention})
    return build_model(config, 5, clip_len, size)


def test_copies_of_a_frame_are_seen_as_timms_vit_sees_the_frame() -> None:
    ours = built(clip_len=8, size=32).eval()
    theirs = timm.create_model(
        "vit_base_patch16_224",
        img_size=32,
        patch_size=8,
        embed_dim=48,
        depth=3,
        num_heads=4,
        num_classes=5,
    ).eval()
    with torch.no_grad():
        for parameter in theirs.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)
    left = ours.load_state_dict(theirs.state_dict(), strict=False)
    assert left.unexpected_keys == []
    assert all("temporal_" in name or name == "time_embed" for name in left.missing_keys)
    frame = torch.randn(2, 3, 32, 32)

    with torch.inference_mode():
        logits = ours(frame[:, :, None].expand(-1, -1, 8, -1, -1))
        assert torch.allclose(logits, theirs(frame), rtol=1e-4, atol=1e-5)


def their_logits(ours: VideoModel, attention: str, clips: Tensor) -> Tensor:
    """Return what transformers' network says with our weights; (B, K)."""
    theirs = transformers_network(ours, attention)
    state = dict(ours.state_dict())
    for pattern, replacement in THEIR_NAMES:
        state = {re.sub(pattern, replacement, name): value for name, value in state.items()}
    theirs.load_state_dict(state, strict=True)
    frames = clips.transpose(1, 2)
    if attention != "space":
        return theirs(frames).logits
    # Theirs leaves one row a frame; the authors' code takes the mean before the last norm.
    hidden = theirs.timesformer(frames, output_hidden_states=True).hidden_states[-1]
    tokens = hidden[:, 0].unflatten(0, (len(clips), -1)).mean(1)
    return theirs.classifier(theirs.timesformer.layernorm(tokens))


def transformers_network(ours: VideoModel, attention: str) -> nn.Module:
    kinds = {"divided": "divided_space_time", "joint": "joint_space_time", "space": "space_only"}
    config = TheirConfig(
        image_size=ours.expects.size,
        patch_size=SMALL["patch_size"],
        num_frames=ours.expects.clip_len,
        hidden_size=SMALL["dim"],
        num_hidden_layers=SMALL["depth"],
        num_attention_heads=SMALL["heads"],
        intermediate_size=4 * SMALL["dim"],
        attention_type=kinds[attention],
        num_labels=5,
    )
    return TimesformerForVideoClassification(config).eval()


@pytest.mark.parametrize("attention", KINDS)
def test_logits_are_those_of_transformers(attention: str) -> None:
    ours = shaken(built(attention)).eval()
    clips = clips_for(ours)
    with torch.inference_mode():
        theirs = their_logits(ours, attention, clips)
        assert torch.allclose(ours(clips), theirs, rtol=1e-4, atol=1e-5)
        assert not torch.allclose(theirs[0], theirs[1], rtol=1e-2)


@pytest.mark.parametrize("attention", KINDS)
def test_every_parameter_gets_a_gradient(attention: str) -> None:
    assert parameters_without_gradient(built(attention)) == []


@pytest.mark.parametrize("attention", KINDS)
@pytest.mark.parametrize("start", ["image", "scratch"])
def test_only_attention_over_space_never_sees_the_order_of_frames(
    attention: str, start: str
) -> None:
    model = built(attention, start=start)
    model = (shaken(model) if start == "image" else model).eval()
    clips = clips_for(model)
    blind = torch.allclose(model(clips), model(clips.flip(2)), atol=1e-5)
    assert blind == (attention == "space")


@pytest.mark.parametrize("attention", KINDS)
def test_evaluation_repeats_itself_and_training_drops_branches(attention: str) -> None:
    check_evaluation_repeats_itself(built(attention, drop_path=0.5))


@pytest.mark.parametrize("attention", KINDS)
def test_half_precision_stays_near_single(attention: str) -> None:
    check_half_precision(built(attention))


@pytest.mark.parametrize("attention", KINDS)
def test_the_compiler_sees_one_graph(attention: str) -> None:
    check_compiles_as_one_graph(shaken(built(attention)))


@pytest.mark.parametrize("attention", KINDS)
def test_checkpointing_keeps_less_and_changes_no_gradient(attention: str) -> None:
    def build(checkpointing: bool) -> VideoModel:
        return built(attention, drop_path=0.5, start="scratch", checkpointing=checkpointing)

    check_checkpointing(build)


def test_training_with_checkpointing_compiles_as_one_graph() -> None:
    torch.compiler.reset()
    model = built(start="scratch", checkpointing=True, drop_path=0.0, depth=1)
    clips = clips_for(model)
    compiled = torch.compile(model, backend="aot_eager", fullgraph=True)
    exact = torch.autograd.grad(model(clips).square().sum(), list(model.parameters()))
    found = torch.autograd.grad(compiled(clips).square().sum(), list(model.parameters()))
    assert all(torch.allclose(a, b, atol=1e-4) for a, b in zip(exact, found, strict=True))
