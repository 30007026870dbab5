"""What others call the parameters of an MViT; ours are torchvision's."""

from dogclips.models.weights.namings import (
    KINETICS,
    Adapted,
    Naming,
    Normalisation,
    Tensors,
    identity,
    inside,
)

# Of a block, those that torchvision and PySlowFast have in common; rel_pos_h is one of the second.
_IN_BOTH = ("norm1.{x}", "norm2.{x}", "attn.{x}", "attn.qkv.{x}")
_IN_BLOCKS = {
    **identity(_IN_BOTH),
    "attn.proj.{x}": "attn.project.0.{x}",
    **{f"attn.pool_{p}.{{x}}": f"attn.pool_{p}.pool.{{x}}" for p in "qkv"},
    **{f"attn.norm_{p}.{{x}}": f"attn.pool_{p}.norm_act.0.{{x}}" for p in "qkv"},
    "mlp.fc1.{x}": "mlp.0.{x}",
    "mlp.fc2.{x}": "mlp.3.{x}",
    "proj.{x}": "project.{x}",
}
_PYSLOWFAST = {
    "cls_token": "pos_encoding.class_token",
    "pos_embed_spatial": "pos_encoding.spatial_pos",
    "pos_embed_temporal": "pos_encoding.temporal_pos",
    "pos_embed_class": "pos_encoding.class_pos",
    "patch_embed.proj.{x}": "conv_proj.{x}",
    **inside(("blocks.{i}.", "blocks.{i}."), _IN_BLOCKS),
    "norm.{x}": "norm.{x}",
    "head.projection.{x}": "head.1.{x}",
}
_MMACTION2 = {
    **_PYSLOWFAST,
    "patch_embed.projection.{x}": "conv_proj.{x}",
    "norm3.{x}": "norm.{x}",
    "cls_head.fc_cls.{x}": "head.1.{x}",
}
_OURS = ["pos_encoding.{x}", *(ours for ours in _PYSLOWFAST.values() if "encoding" not in ours)]


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
        identity(_OURS),
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
