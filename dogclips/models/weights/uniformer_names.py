"""What others call the parameters of a UniFormerV2; ours are those of its authors and of CLIP."""

from dogclips.models.weights.namings import KINETICS, Naming, Normalisation, identity

_BLOCKS = tuple(
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
_OURS = (
    "class_embedding",
    "positional_embedding",
    "conv1.weight",
    "ln_pre.{x}",
    "transformer.temporal_cls_token",
    "transformer.balance",
    "transformer.norm.{x}",
    "transformer.dpe.{i}.{x}",
    *_BLOCKS,
    "head.{x}",
)

UNIFORMER = Naming(
    "MMAction2",
    "uniformerv2",
    "transformer.dec.{i}.ln_1.weight",
    {**identity(_OURS), "cls_head.fc_cls.{x}": "head.{x}"},
    Normalisation(*KINETICS, "UniFormerV2's configurations"),
)
