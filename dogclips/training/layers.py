"""The layers of a network, by the names of its parameters, and those that stay as they are."""

import re
from collections.abc import Iterable, Iterator

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from dogclips.errors import ConfigError
from dogclips.models import VideoModel
from dogclips.training.config import FreezeConfig

STEM, FINAL_NORM, HEAD = "stem", "norm", "head"

_BLOCK = re.compile(r"(?:transformer\.res)?blocks\.(\d+)\.")
_GLOBAL = re.compile(r"transformer\.(?:(?:dpe|dec)\.(\d+)\.|temporal_cls_token$)")
_STAGE = re.compile(r"s([2-5])(?:_fuse)?\.")
_NORMS = ("norm.", "transformer.norm.", "transformer.balance")
_EMBEDDING = re.compile(r"_token$|_embed(?:ding)?$|_pos$|\.rel_pos_[thw]$")


def names_by_layer(model: VideoModel) -> dict[str, tuple[str, ...]]:
    """Return the names of a network's parameters by layer, the first layer first.

    `stem` is all before the first block, embeddings and tokens included; then come `blocks.0`,
    `blocks.1` and so on, or the stages `s2` to `s5` of a ResNet with what joins its pathways
    behind them; then the last `norm`, where there is one, and `head`. A global block of
    UniFormerV2 belongs to the block that it stands behind.
    """
    names = [name for name, _ in model.named_parameters()]
    alone = _numbered(_BLOCK, names) - _numbered(re.compile(r"transformer\.dec\.(\d+)\."), names)
    layers: dict[str, list[str]] = {}
    for name in names:
        layers.setdefault(_layer(name, alone), []).append(name)
    ends = {STEM: (0, 0), FINAL_NORM: (2, 0), HEAD: (3, 0)}
    depth = {name: ends.get(name) or (1, int(re.sub(r"\D", "", name))) for name in layers}
    return {layer: tuple(layers[layer]) for layer in sorted(layers, key=depth.__getitem__)}


def repeated_layers(layers: Iterable[str]) -> tuple[str, ...]:
    """Return the layers that repeat: blocks or stages."""
    return tuple(layer for layer in layers if layer not in (STEM, FINAL_NORM, HEAD))


def is_embedding(name: str) -> bool:
    """Return whether a parameter is added to tokens, or is one.

    >>> is_embedding("blocks.0.attn.rel_pos_h"), is_embedding("patch_embed.proj.weight")
    (True, False)
    """
    return _EMBEDDING.search(name) is not None


def freeze(model: VideoModel, config: FreezeConfig) -> None:
    """Take the gradients of frozen layers away; an optimizer is to leave those parameters out."""
    layers = names_by_layer(model)
    blocks = repeated_layers(layers)
    if config.blocks > len(blocks):
        raise ConfigError(
            f"the model has {len(blocks)} blocks or stages, fewer than {config.blocks}",
            where="freeze.blocks",
            todo=f"set it to {len(blocks)} or less, or set freeze.backbone",
        )
    frozen = {STEM, *blocks[: config.blocks]} if config.blocks else set()
    if config.backbone:
        frozen = set(layers) - {HEAD}
    for layer in frozen:
        for name in layers[layer]:
            model.get_parameter(name).requires_grad = False


def still_modules(model: nn.Module, config: FreezeConfig) -> Iterator[nn.Module]:
    """Yield what must stay in evaluation mode: frozen layers, and batch norms if wanted.

    So a frozen layer computes in training what it computes in a test: its batch norms count no
    batch, and nothing in it is dropped at random.
    """
    for module in model.modules():
        parameters = list(module.parameters())
        if parameters and not any(parameter.requires_grad for parameter in parameters):
            yield from module.modules()
        elif config.batch_norm and isinstance(module, _BatchNorm):
            yield module


def _layer(name: str, alone: int) -> str:
    """Return the layer of a parameter; `alone` blocks have no global one behind them."""
    if name.startswith("head."):
        return HEAD
    if name.startswith(_NORMS):
        return FINAL_NORM
    if found := _BLOCK.match(name):
        return f"blocks.{found[1]}"
    if found := _GLOBAL.match(name):
        return f"blocks.{alone + int(found[1] or 0)}"
    found = _STAGE.match(name)
    return f"s{found[1]}" if found else STEM


def _numbered(pattern: re.Pattern[str], names: Iterable[str]) -> int:
    return len({found[1] for name in names if (found := pattern.match(name))})
