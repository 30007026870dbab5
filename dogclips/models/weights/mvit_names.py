"""What others call the parameters of an MViT; ours are torchvision's."""

from dogclips.models.weights.namings import Adapted, Naming, Normalisation, Tensors, identity
from dogclips.models.weights.timesformer_names import KINETICS

POOLS = "qkv"


SHARED = (
    "blocks.{i}.norm1.{x}",
    "blocks.{i}.norm2.{x}",
    "blocks.{i}.attn.{x}",  # rel_pos_h and the like
    "blocks.{i}.attn.qkv.{x}",
    "norm.{x}",
)


OURS = (
    *SHARED,
    "conv_proj.{x}",
    "pos_encoding.{x}",
    "blocks.{i}.attn.project.0.{x}",
    *(f"blocks.{{i}}.attn.pool_{name}.pool.{{x}}" for name in POOLS),
    *(f"blocks.{{i}}.attn.pool_{name}.norm_act.0.{{x}}" for name in POOLS),
    "blocks.{i}.mlp.0.{x}",
    "blocks.{i}.mlp.3.{x}",
    "blocks.{i}.project.{x}",
    "head.1.{x}",
)


_PYSLOWFAST = {
    "cls_token": "pos_encoding.class_token",
    "pos_embed_spatial": "pos_encoding.spatial_pos",
    "pos_embed_temporal": "pos_encoding.temporal_pos",
    "pos_embed_class": "pos_encoding.class_pos",
    "patch_embed.proj.{x}": "conv_proj.{x}",
    **identity(SHARED),
    "blocks.{i}.attn.proj.{x}": "blocks.{i}.attn.project.0.{x}",
    **{
        f"blocks.{{i}}.attn.pool_{p}.{{x}}": f"blocks.{{i}}.attn.pool_{p}.pool.{{x}}" for p in POOLS
    },
    **{
        f"blocks.{{i}}.attn.norm_{p}.{{x}}": f"blocks.{{i}}.attn.pool_{p}.norm_act.0.{{x}}"
        for p in POOLS
    },
    "blocks.{i}.mlp.fc1.{x}": "blocks.{i}.mlp.0.{x}",
    "blocks.{i}.mlp.fc2.{x}": "blocks.{i}.mlp.3.{x}",
    "blocks.{i}.proj.{x}": "blocks.{i}.project.{x}",
    "head.projection.{x}": "head.1.{x}",
}


_MMACTION2 = {
    **_PYSLOWFAST,
    "patch_embed.projection.{x}": "conv_proj.{x}",
    "norm3.{x}": "norm.{x}",
    "cls_head.fc_cls.{x}": "head.1.{x}",
}


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
        identity(OURS),
        Normalisation(*KINETICS, "torchvision's weights"),
    ),
    Naming(
        "MMAction2",
        "mvit",
        "norm3.weight",
        _MMACTION2,
        Normalisation(*KINETICS, "MMAction2's MViT configurations"),
        adapt=without_ones,
    ),
    Naming(
        "PySlowFast",
        "mvit",
        "blocks.{i}.attn.pool_k.weight",
        _PYSLOWFAST,
        Normalisation(*KINETICS, "PySlowFast's configurations"),
        adapt=without_ones,
    ),
)
