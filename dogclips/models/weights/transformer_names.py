"""What others call the parameters of the transformers, and of the image ViT that one starts from.

Ours are those of the TimeSformer authors' checkpoints, torchvision's of an MViT, and those of the
UniFormerV2 authors and of CLIP. Queries, keys and values lie one below the other in the same order
everywhere, so that nothing is permuted.
"""

from dogclips.models.weights.namings import (
    IMAGENET,
    KINETICS,
    PLUS_MINUS_ONE,
    Adapted,
    Naming,
    Normalisation,
    Tensors,
    identity,
    in_blocks,
)

VIT = (
    "cls_token",
    "pos_embed",
    "patch_embed.proj.{x}",
    "blocks.{i}.norm1.{x}",
    "blocks.{i}.norm2.{x}",
    "blocks.{i}.attn.qkv.{x}",
    "blocks.{i}.attn.proj.{x}",
    "blocks.{i}.mlp.fc1.{x}",
    "blocks.{i}.mlp.fc2.{x}",
    "norm.{x}",
    "head.{x}",
)
TIME = (
    "time_embed",
    "blocks.{i}.temporal_norm1.{x}",
    "blocks.{i}.temporal_attn.qkv.{x}",
    "blocks.{i}.temporal_attn.proj.{x}",
    "blocks.{i}.temporal_fc.{x}",
)
_HF = "encoder.layer.{i}."
_HF_BLOCK = {
    "temporal_layernorm.{x}": "temporal_norm1.{x}",
    "layernorm_before.{x}": "norm1.{x}",
    "layernorm_after.{x}": "norm2.{x}",
    "temporal_attention.attention.qkv.{x}": "temporal_attn.qkv.{x}",
    "temporal_attention.output.dense.{x}": "temporal_attn.proj.{x}",
    "temporal_dense.{x}": "temporal_fc.{x}",
    "attention.attention.qkv.{x}": "attn.qkv.{x}",
    "attention.output.dense.{x}": "attn.proj.{x}",
    "intermediate.dense.{x}": "mlp.fc1.{x}",
    "output.dense.{x}": "mlp.fc2.{x}",
}
_HF_NAMES = {
    "embeddings.cls_token": "cls_token",
    "embeddings.position_embeddings": "pos_embed",
    "embeddings.time_embeddings": "time_embed",
    "embeddings.patch_embeddings.projection.{x}": "patch_embed.proj.{x}",
    **in_blocks(_HF, _HF_BLOCK),
    "layernorm.{x}": "norm.{x}",
    "classifier.{x}": "head.{x}",
}

_MM = "transformer_layers.layers.{i}."

_MM_SHARED = {
    **identity(("cls_token", "pos_embed", "time_embed", "norm.{x}")),
    "patch_embed.projection.{x}": "patch_embed.proj.{x}",
    f"{_MM}ffns.0.layers.0.0.{{x}}": "blocks.{i}.mlp.fc1.{x}",
    f"{_MM}ffns.0.layers.1.{{x}}": "blocks.{i}.mlp.fc2.{x}",
    "cls_head.fc_cls.{x}": "head.{x}",
}
_MM_BLOCK = {
    "attentions.0.norm.{x}": "temporal_norm1.{x}",
    "attentions.0.attn.in_proj_{x}": "temporal_attn.qkv.{x}",
    "attentions.0.attn.out_proj.{x}": "temporal_attn.proj.{x}",
    "attentions.0.temporal_fc.{x}": "temporal_fc.{x}",
    "attentions.1.norm.{x}": "norm1.{x}",
    "attentions.1.attn.in_proj_{x}": "attn.qkv.{x}",
    "attentions.1.attn.out_proj.{x}": "attn.proj.{x}",
    "ffns.0.norm.{x}": "norm2.{x}",
}
# With one attention a block, over space or over both.
_MM_PLAIN_BLOCK = {
    "norms.0.{x}": "norm1.{x}",
    "norms.1.{x}": "norm2.{x}",
    "attentions.0.attn.in_proj_{x}": "attn.qkv.{x}",
    "attentions.0.attn.out_proj.{x}": "attn.proj.{x}",
}

_TORCHVISION = "encoder.layers.encoder_layer_{i}."
_TORCHVISION_BLOCK = {
    "ln_1.{x}": "norm1.{x}",
    "ln_2.{x}": "norm2.{x}",
    "self_attention.in_proj_{x}": "attn.qkv.{x}",
    "self_attention.out_proj.{x}": "attn.proj.{x}",
    "mlp.0.{x}": "mlp.fc1.{x}",
    "mlp.3.{x}": "mlp.fc2.{x}",
    "mlp.linear_1.{x}": "mlp.fc1.{x}",  # before torchvision 0.14
    "mlp.linear_2.{x}": "mlp.fc2.{x}",
}
_TORCHVISION_VIT_NAMES = {
    "class_token": "cls_token",
    "encoder.pos_embedding": "pos_embed",
    "conv_proj.{x}": "patch_embed.proj.{x}",
    **in_blocks(_TORCHVISION, _TORCHVISION_BLOCK),
    "encoder.ln.{x}": "norm.{x}",
    "heads.head.{x}": "head.{x}",
}

_MM_NORM = Normalisation(*PLUS_MINUS_ONE, "MMAction2's TimeSformer configurations")

AUTHORS = Naming(
    "TimeSformer",
    "timesformer",
    "time_embed",
    identity((*VIT, *TIME)),
    Normalisation(*KINETICS, "TimeSformer's configurations"),
)

TIMESFORMER = (
    Naming(
        "MMAction2",
        "timesformer",
        f"{_MM}attentions.1.norm.weight",
        _MM_SHARED | in_blocks(_MM, _MM_BLOCK),
        _MM_NORM,
    ),
    Naming(
        "MMAction2",
        "timesformer",
        f"{_MM}norms.0.weight",
        _MM_SHARED | in_blocks(_MM, _MM_PLAIN_BLOCK),
        _MM_NORM,
    ),
    Naming(
        "Hugging Face",
        "timesformer",
        f"{_HF}layernorm_before.weight",
        _HF_NAMES,
        Normalisation(*KINETICS, "the published TimeSformer models"),
    ),
    AUTHORS,
)

IMAGE_VIT = (
    Naming(
        "timm",
        "image ViT",
        "blocks.{i}.attn.qkv.weight",
        identity(VIT),
        Normalisation(*PLUS_MINUS_ONE, "timm's ViTs; some have others"),
    ),
    Naming(
        "torchvision",
        "image ViT",
        f"{_TORCHVISION}ln_1.weight",
        _TORCHVISION_VIT_NAMES,
        Normalisation(*IMAGENET, "torchvision's weights"),
    ),
)


def with_time(image: Tensors, wanted: Tensors) -> Adapted:
    """Return an image ViT with branches over time, as the TimeSformer paper starts from one.

    Attention over time and its norm begin as those over space; `temporal_fc` stays 0, so that the
    network sees every frame as the image network does.
    """
    tensors, made = dict(image), dict[str, str]()
    for name in wanted:
        source = name.replace(".temporal_attn.", ".attn.").replace(".temporal_norm1.", ".norm1.")
        if source != name and source in image:
            tensors[name] = image[source]
            made[name] = f"copy of {source}"
    return Adapted(tensors, made)


# The first are those that torchvision and PySlowFast have in common, rel_pos_h among them.
_MVIT_IN_BLOCKS = {
    **identity(("norm1.{x}", "norm2.{x}", "attn.{x}", "attn.qkv.{x}")),
    "attn.proj.{x}": "attn.project.0.{x}",
    **{f"attn.pool_{p}.{{x}}": f"attn.pool_{p}.pool.{{x}}" for p in "qkv"},
    **{f"attn.norm_{p}.{{x}}": f"attn.pool_{p}.norm_act.0.{{x}}" for p in "qkv"},
    "mlp.fc1.{x}": "mlp.0.{x}",
    "mlp.fc2.{x}": "mlp.3.{x}",
    "proj.{x}": "project.{x}",
}
_MVIT_PYSLOWFAST = {
    "cls_token": "pos_encoding.class_token",
    "pos_embed_spatial": "pos_encoding.spatial_pos",
    "pos_embed_temporal": "pos_encoding.temporal_pos",
    "pos_embed_class": "pos_encoding.class_pos",
    "patch_embed.proj.{x}": "conv_proj.{x}",
    **in_blocks("blocks.{i}.", _MVIT_IN_BLOCKS),
    "norm.{x}": "norm.{x}",
    "head.projection.{x}": "head.1.{x}",
}
_MVIT_MMACTION2 = {
    **_MVIT_PYSLOWFAST,
    "patch_embed.projection.{x}": "conv_proj.{x}",
    "norm3.{x}": "norm.{x}",
    "cls_head.fc_cls.{x}": "head.1.{x}",
}
_MVIT_OURS = [
    "pos_encoding.{x}",
    *(ours for ours in _MVIT_PYSLOWFAST.values() if "encoding" not in ours),
]


def without_ones(named: Tensors, theirs: Tensors) -> Adapted:
    """Drop the leading axes of 1 that others give to tokens and positions."""
    del theirs
    tensors = dict(named)
    for name, value in named.items():
        if name in ("pos_encoding.class_token", "pos_encoding.class_pos"):
            tensors[name] = value.flatten()
        elif name.startswith("pos_encoding.") and value.ndim == 3:
            tensors[name] = value[0]
    return Adapted(tensors)


MVIT = (
    Naming(
        "torchvision",
        "mvit",
        "pos_encoding.class_token",
        identity(_MVIT_OURS),
        Normalisation(*KINETICS, "torchvision's weights"),
    ),
    Naming(
        "MMAction2",
        "mvit",
        "norm3.weight",
        _MVIT_MMACTION2,
        Normalisation(*KINETICS, "MMAction2's MViT configurations"),
        adapt=without_ones,
    ),
    Naming(
        "PySlowFast",
        "mvit",
        "blocks.{i}.attn.pool_k.weight",
        _MVIT_PYSLOWFAST,
        Normalisation(*KINETICS, "PySlowFast's configurations"),
        adapt=without_ones,
    ),
)

_UNIFORMER_BLOCKS = tuple(
    f"transformer.{part}.{{i}}.{name}"
    for part in ("resblocks", "dec")
    for name in (
        "attn.in_proj_{x}",
        "attn.out_proj.{x}",
        "ln_1.{x}",
        "ln_2.{x}",
        "ln_3.{x}",
        "mlp.c_fc.{x}",
        "mlp.c_proj.{x}",
    )
)
_UNIFORMER_OURS = (
    "class_embedding",
    "positional_embedding",
    "conv1.weight",
    "ln_pre.{x}",
    "transformer.temporal_cls_token",
    "transformer.balance",
    "transformer.norm.{x}",
    "transformer.dpe.{i}.{x}",
    *_UNIFORMER_BLOCKS,
    "head.{x}",
)

UNIFORMER = Naming(
    "MMAction2",
    "uniformerv2",
    "transformer.dec.{i}.ln_1.weight",
    {**identity(_UNIFORMER_OURS), "cls_head.fc_cls.{x}": "head.{x}"},
    Normalisation(*KINETICS, "UniFormerV2's configurations"),
)
