"""Which parameters a network sees first: its layers by depth, under names that people know."""

import re
from collections.abc import Iterable

from dogclips.models import VideoModel

STEM, LAST, HEAD = "stem", "norm", "head"
_BLOCK = re.compile(r"(?:transformer\.res)?blocks\.(\d+)\.")
_GLOBAL = re.compile(r"transformer\.(?:(?:dpe|dec)\.(\d+)\.|temporal_cls_token$)")
_STAGE = re.compile(r"s([2-5])(?:_fuse)?\.")
_LAST = ("norm.", "transformer.norm.", "transformer.balance")
_EMBEDDING = re.compile(r"_token$|_embed(?:ding)?$|_pos$|\.rel_pos_[thw]$")


def layers_of(model: VideoModel) -> dict[str, tuple[str, ...]]:
    """Return the names of a network's parameters by layer, the first layer first.

    `stem` is all before the first block, embeddings and tokens included; then come `blocks.0`,
    `blocks.1` and so on, or the stages `s2` to `s5` of a ResNet with what joins its pathways
    behind them; then the last `norm`, where there is one, and `head`. A global block of
    UniFormerV2 belongs to the block that it stands behind.
    """
    names = [name for name, _ in model.named_parameters()]
    alone = _count(_BLOCK, names) - _count(re.compile(r"transformer\.dec\.(\d+)\."), names)
    layers: dict[str, list[str]] = {}
    for name in names:
        layers.setdefault(_layer(name, alone), []).append(name)
    return {layer: tuple(layers[layer]) for layer in sorted(layers, key=_place)}


def blocks_of(layers: Iterable[str]) -> tuple[str, ...]:
    """Return the layers that repeat: blocks or stages."""
    return tuple(layer for layer in layers if layer not in (STEM, LAST, HEAD))


def is_embedding(name: str) -> bool:
    """Return whether a parameter is added to tokens, or is one.

    >>> is_embedding("blocks.0.attn.rel_pos_h"), is_embedding("patch_embed.proj.weight")
    (True, False)
    """
    return _EMBEDDING.search(name) is not None


def _layer(name: str, alone: int) -> str:
    """Return the layer of a parameter; `alone` blocks have no global one behind them."""
    if name.startswith("head."):
        return HEAD
    if name.startswith(_LAST):
        return LAST
    for pattern, layer, before in (
        (_BLOCK, "blocks.", 0),
        (_GLOBAL, "blocks.", alone),
        (_STAGE, "s", 0),
    ):
        if found := pattern.match(name):
            return f"{layer}{before + int(found[1] or 0)}"
    return STEM


def _place(layer: str) -> tuple[int, int]:
    ends = {STEM: 0, LAST: 2, HEAD: 3}
    if layer in ends:
        return ends[layer], 0
    return 1, int(re.sub(r"\D", "", layer))


def _count(pattern: re.Pattern[str], names: Iterable[str]) -> int:
    return len({found[1] for name in names if (found := pattern.match(name))})
