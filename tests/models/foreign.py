"""Our weights as others would have saved them: maps written from the published layouts alone."""

import re
from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from dogclips.models import ModelConfig, VideoModel, build_model

State = dict[str, Tensor]


def filled(config: ModelConfig, num_classes: int, clip_len: int, size: int) -> VideoModel:
    """Return a model in which no two parameters are alike, batch norms included."""
    model = build_model(config, num_classes, clip_len, size).eval()
    for name, value in model.state_dict().items():
        if name.endswith("running_var"):
            value.uniform_(0.5, 1.5)
        elif value.is_floating_point():
            value.normal_(std=0.1 if value.ndim < 2 else value[0].numel() ** -0.5)
            if value.ndim == 1 and name.endswith("weight"):
                value.add_(1)
    return model


def renamed(state: State, steps: Iterable[tuple[str, str]]) -> State:
    """Apply each step to every name, one after the other."""
    steps = list(steps)
    theirs = {}
    for name, value in state.items():
        for pattern, replacement in steps:
            name = re.sub(pattern, replacement, name)  # noqa: PLW2901
        theirs[name] = value
    return theirs


def timesformer_of_hugging_face(state: State) -> State:
    return renamed(
        state,
        [
            (r"^head\.", "classifier."),
            (r"^norm\.", "timesformer.layernorm."),
            (r"^cls_token", "timesformer.embeddings.cls_token"),
            (r"^pos_embed", "timesformer.embeddings.position_embeddings"),
            (r"^time_embed", "timesformer.embeddings.time_embeddings"),
            (r"^patch_embed\.proj", "timesformer.embeddings.patch_embeddings.projection"),
            (r"^blocks", "timesformer.encoder.layer"),
            (r"\.temporal_norm1", ".temporal_layernorm"),
            (r"\.norm1", ".layernorm_before"),
            (r"\.norm2", ".layernorm_after"),
            (r"\.temporal_fc", ".temporal_dense"),
            (r"\.temporal_attn\.qkv", ".temporal_attention.attention.qkv"),
            (r"\.temporal_attn\.proj", ".temporal_attention.output.dense"),
            (r"\.attn\.qkv", ".attention.attention.qkv"),
            (r"\.attn\.proj", ".attention.output.dense"),
            (r"\.mlp\.fc1", ".intermediate.dense"),
            (r"\.mlp\.fc2", ".output.dense"),
        ],
    )


def timesformer_of_mmaction2(state: State) -> State:
    theirs = renamed(
        state,
        [
            (r"^patch_embed\.proj", "patch_embed.projection"),
            (r"^blocks", "transformer_layers.layers"),
            (r"\.temporal_norm1", ".attentions.0.norm"),
            (r"\.norm1", ".attentions.1.norm"),
            (r"\.norm2", ".ffns.0.norm"),
            (r"\.temporal_fc", ".attentions.0.temporal_fc"),
            (r"\.attn\.qkv\.", ".attentions.1.attn.in_proj_"),
            (r"\.attn\.proj", ".attentions.1.attn.out_proj"),
            (r"\.temporal_attn\.qkv\.", ".attentions.0.attn.in_proj_"),
            (r"\.temporal_attn\.proj", ".attentions.0.attn.out_proj"),
            (r"\.mlp\.fc1", ".ffns.0.layers.0.0"),
            (r"\.mlp\.fc2", ".ffns.0.layers.1"),
            (r"^", "backbone."),
            (r"^backbone\.head", "cls_head.fc_cls"),
        ],
    )
    return {"state_dict": theirs, "meta": {"epoch": 1}}  # type: ignore[dict-item]


def plain_timesformer_of_mmaction2(state: State) -> State:
    theirs = renamed(
        state,
        [
            (r"^patch_embed\.proj", "patch_embed.projection"),
            (r"^blocks\.(\d+)\.norm1", r"blocks.\1.norms.0"),
            (r"^blocks\.(\d+)\.norm2", r"blocks.\1.norms.1"),
            (r"^blocks", "transformer_layers.layers"),
            (r"\.attn\.qkv\.", ".attentions.0.attn.in_proj_"),
            (r"\.attn\.proj", ".attentions.0.attn.out_proj"),
            (r"\.mlp\.fc1", ".ffns.0.layers.0.0"),
            (r"\.mlp\.fc2", ".ffns.0.layers.1"),
            (r"^", "backbone."),
            (r"^backbone\.head", "cls_head.fc_cls"),
        ],
    )
    return {"state_dict": theirs}  # type: ignore[dict-item]


def slowfast_of_pytorchvideo(state: State) -> State:
    theirs = {}
    for name, value in state.items():
        stage, _, rest = name.partition(".")
        if stage == "head":
            theirs[name.replace("head.projection", "blocks.6.proj")] = value
            continue
        k = int(stage[1])
        rest = rest.replace("conv_f2s", "conv_fast_to_slow")
        rest = re.sub(r"branch1(_bn)?\.", lambda m: f"branch1_{'norm' if m[1] else 'conv'}.", rest)
        rest = re.sub(r"branch2\.([abc])_bn", r"branch2.norm_\1", rest)
        rest = re.sub(r"branch2\.([abc])\.", r"branch2.conv_\1.", rest)
        rest = re.sub(r"^pathway(\d)_res(\d+)", r"multipathway_blocks.\1.res_blocks.\2", rest)
        rest = re.sub(r"^pathway(\d)_stem", r"multipathway_blocks.\1", rest)
        if stage.endswith("_fuse"):
            rest = f"multipathway_fusion.{rest}"
        theirs[f"blocks.{k - 1}.{re.sub('(?<=[.])bn[.]', 'norm.', rest)}"] = value
    return theirs


def slowfast_of_mmaction2(state: State, *, lateral_norm: bool) -> dict[str, Any]:
    theirs = {}
    paths = ("slow_path", "fast_path")
    for name, value in state.items():
        if name.startswith("head."):
            slow = state["s5.pathway0_res0.branch1.weight"].shape[0]
            swapped = torch.cat([value[:, slow:], value[:, :slow]], 1) if value.ndim == 2 else value
            theirs[name.replace("head.projection", "cls_head.fc_cls")] = swapped
        elif match := re.match(r"s(\d)_fuse\.(conv_f2s|bn)\.(\w+)", name):
            at = "conv1" if match[1] == "1" else f"layer{int(match[1]) - 1}"
            part = "conv" if match[2] == "conv_f2s" else "bn"
            if lateral_norm or part == "conv":
                theirs[f"backbone.slow_path.{at}_lateral.{part}.{match[3]}"] = value
        elif match := re.match(r"s1\.pathway(\d)_stem\.(.*)", name):
            theirs[f"backbone.{paths[int(match[1])]}.conv1.{match[2]}"] = value
        else:
            theirs[f"backbone.{_mmaction2_block(name, paths)}"] = value
    return {"state_dict": theirs}


def resnet_of_mmaction2(state: State) -> dict[str, Any]:
    theirs = {}
    for name, value in state.items():
        if name.startswith("head."):
            theirs[name.replace("head.projection", "cls_head.fc_cls")] = value
        elif name.startswith("s1."):
            theirs[name.replace("s1.pathway0_stem", "backbone.conv1")] = value
        else:
            theirs[_mmaction2_block(name, ("backbone",))] = value
    return {"state_dict": theirs}


def _mmaction2_block(name: str, paths: tuple[str, ...]) -> str:
    k, pathway, block, rest = re.fullmatch(r"s(\d)\.pathway(\d)_res(\d+)\.(.*)", name).groups()  # type: ignore[union-attr]
    for number, branch in enumerate("abc", 1):
        rest = rest.replace(f"branch2.{branch}_bn.", f"conv{number}.bn.")
        rest = rest.replace(f"branch2.{branch}.", f"conv{number}.conv.")
    rest = rest.replace("branch1_bn.", "downsample.bn.").replace("branch1.", "downsample.conv.")
    return f"{paths[int(pathway)]}.layer{int(k) - 1}.{block}.{rest}"


def blobs_of_caffe2(state: State) -> dict[str, Any]:
    """Return blobs as PySlowFast's examples show them; 1x1x1 kernels have lost their axes."""
    blobs: dict[str, Any] = {}
    depths = {
        k: 1
        + max(int(m[1]) for m in map(re.compile(rf"s{k}\.pathway1_res(\d+)").match, state) if m)
        for k in (2, 3, 4, 5)
        if any(name.startswith(f"s{k}.pathway1") for name in state)
    }
    for name, value in state.items():
        if name.endswith("num_batches_tracked"):
            continue
        held = value.numpy()
        if held.ndim == 5 and held.shape[2:] == (1, 1, 1):
            held = held[:, :, 0, 0, 0]
        blob = _blob(name, depths)
        blobs[blob] = held
        blobs[f"{blob}_momentum"] = np.zeros_like(held)
    return {"blobs": {**blobs, "lr": np.float32(0.1), "model_iter": np.int64(3)}}


def _blob(name: str, depths: dict[int, int]) -> str:
    for ours, theirs in (
        (".running_mean", "_rm"),
        (".running_var", "_riv"),
        ("bn.weight", "bn_s"),
        ("bn.bias", "bn_b"),
        (".weight", "_w"),
        (".bias", "_b"),
    ):
        if name.endswith(ours):
            name = name.removesuffix(ours) + theirs
            break
    name = name.replace("head.projection", "pred")
    name = re.sub(r"^s1_fuse\.(?:conv_f2s|(bn))", _pool_fusion, name)
    name = re.sub(
        r"^s(\d)_fuse\.(?:conv_f2s|(bn))",
        lambda m: (
            f"t_res{m[1]}_{depths[int(m[1])] - 1}_branch2c_bn_subsample" + ("_bn" if m[2] else "")
        ),
        name,
    )
    name = re.sub(r"^s1\.pathway0_stem\.", "", name)
    name = re.sub(r"^s1\.pathway1_stem\.", "t_", name)
    name = re.sub(r"^(t_)?bn_", r"\1res_conv1_bn_", name)
    name = re.sub(r"^(t_)?conv_", r"\1conv1_", name)
    name = re.sub(r"^s(\d)\.pathway0_res(\d+)\.", r"res\1_\2_", name)
    name = re.sub(r"^s(\d)\.pathway1_res(\d+)\.", r"t_res\1_\2_", name)
    return name.replace("branch2.", "branch2")


def _pool_fusion(match: re.Match[str]) -> str:
    return "t_pool1_subsample" + ("_bn" if match[1] else "")


def with_split_norms(state: State) -> State:
    """Return PySlowFast's sub-batch norms: common scale, statistics of parts and of the whole."""
    theirs: State = {}
    for name, value in state.items():
        stem, _, leaf = name.rpartition(".")
        if leaf.startswith(("running_", "num_batches")):
            theirs[f"{stem}.bn.{leaf}"] = value
            theirs[f"{stem}.split_bn.{leaf}"] = torch.cat([value, value]) if value.ndim else value
        else:
            theirs[name] = value
    return theirs


def mvit_of_pyslowfast(state: State) -> State:
    theirs = renamed(
        state,
        [
            (r"^pos_encoding\.class_token", "cls_token"),
            (r"^pos_encoding\.spatial_pos", "pos_embed_spatial"),
            (r"^pos_encoding\.temporal_pos", "pos_embed_temporal"),
            (r"^pos_encoding\.class_pos", "pos_embed_class"),
            (r"^conv_proj", "patch_embed.proj"),
            (r"\.attn\.project\.0", ".attn.proj"),
            (r"\.attn\.pool_(.)\.pool", r".attn.pool_\1"),
            (r"\.attn\.pool_(.)\.norm_act\.0", r".attn.norm_\1"),
            (r"\.mlp\.0", ".mlp.fc1"),
            (r"\.mlp\.3", ".mlp.fc2"),
            (r"\.project\.", ".proj."),
            (r"^head\.1", "head.projection"),
        ],
    )
    axes = {"cls_token": 2, "pos_embed_class": 2, "pos_embed_spatial": 1, "pos_embed_temporal": 1}
    return {name: value[(None,) * axes.get(name, 0)] for name, value in theirs.items()}


def mvit_of_mmaction2(state: State) -> State:
    return renamed(
        mvit_of_pyslowfast(state),
        [
            (r"^patch_embed\.proj", "patch_embed.projection"),
            (r"^norm\.", "norm3."),
            (r"^", "backbone."),
            (r"^backbone\.head\.projection", "cls_head.fc_cls"),
        ],
    )


def uniformer_of_mmaction2(state: State) -> State:
    return renamed(state, [(r"^", "backbone."), (r"^backbone\.head", "cls_head.fc_cls")])


def x3d_of_pytorchvideo(state: State) -> State:
    theirs = slowfast_of_pytorchvideo(
        {n: v for n, v in state.items() if n.startswith("s") and "_stem" not in n}
    )
    theirs = renamed(
        theirs,
        [
            (r"multipathway_blocks\.0\.", ""),
            (r"\.norm_b\.", ".norm_b.0."),
            (r"\.se\.fc1\.", ".norm_b.1.block.0."),
            (r"\.se\.fc2\.", ".norm_b.1.block.2."),
        ],
    )
    rest = {n: v for n, v in state.items() if "_stem" in n or n.startswith("head")}
    return theirs | renamed(
        rest,
        [
            (r"^s1\.pathway0_stem\.conv_xy", "blocks.0.conv.conv_t"),
            (r"^s1\.pathway0_stem\.conv", "blocks.0.conv.conv_xy"),
            (r"^s1\.pathway0_stem\.bn", "blocks.0.norm"),
            (r"^head\.conv_5_bn", "blocks.5.pool.pre_norm"),
            (r"^head\.conv_5", "blocks.5.pool.pre_conv"),
            (r"^head\.lin_5", "blocks.5.pool.post_conv"),
            (r"^head\.projection", "blocks.5.proj"),
        ],
    )


def resnet_of_pytorchvideo(state: State, *, pool: bool) -> State:
    """Return Slow, or I3D with its pool after res2."""
    moved = int(pool)
    theirs = slowfast_of_pytorchvideo({n: v for n, v in state.items() if not n.startswith("head")})
    return {
        re.sub(
            r"^blocks\.(\d)",
            lambda m: f"blocks.{int(m[1]) + (moved if int(m[1]) > 1 else 0)}",
            name.replace("multipathway_blocks.0.", ""),
        ): value
        for name, value in theirs.items()
    } | {
        name.replace("head.projection", f"blocks.{5 + moved}.proj"): value
        for name, value in state.items()
        if name.startswith("head")
    }
