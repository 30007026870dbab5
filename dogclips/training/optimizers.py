"""The layers of a network by the names of its parameters: what is frozen, how fast each learns."""

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from dogclips.errors import ConfigError
from dogclips.models import VideoModel
from dogclips.records.run_start import LayerRate, LearningRates
from dogclips.training.config import FreezeConfig, OptimizerConfig, ScheduleConfig, TrainConfig

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


@dataclass(frozen=True)
class _Layers:
    """Neighbouring layers that learn alike."""

    name: str  #: Of the first and the last of them
    share: float  #: Of the learning rate; 0 if they are frozen
    #: Their parameters: matrices and kernels; norms, biases, embeddings and tokens.
    decaying: list[nn.Parameter]
    others: list[nn.Parameter]


def build_optimizer(
    model: VideoModel, config: OptimizerConfig, factor: float = 1.0
) -> torch.optim.Optimizer:
    """Return the optimizer of all parameters that are not frozen; `factor` is that of `lr_factor`.

    Its groups carry a `name`. Those of the head come first, so that the learning rate of the first
    group is that of the settings.
    """
    lr = config.lr * factor
    groups: list[dict[str, Any]] = []
    for layers in reversed(_alike(model, config.layer_decay)):
        for name, parameters, decay in (
            (layers.name, layers.decaying, config.weight_decay),
            (f"{layers.name}, no decay", layers.others, 0.0),
        ):
            if layers.share and parameters:
                own = {"params": parameters, "lr": lr * layers.share, "weight_decay": decay}
                groups.append({**own, "name": name})
    if config.name == "sgd":
        nesterov = config.momentum > 0
        return torch.optim.SGD(groups, lr=lr, momentum=config.momentum, nesterov=nesterov)
    return torch.optim.AdamW(groups, lr=lr, betas=(config.momentum, 0.999))


def gathered(config: TrainConfig, num_batches: int, index: int = 0) -> int:
    """Return how many batches the step gathers that batch `index` of an epoch belongs to.

    That is `trainer.accumulate`, or as many as the epoch has left.
    """
    accumulate = config.trainer.accumulate
    return max(min(accumulate, num_batches - index // accumulate * accumulate), 1)


def num_batches(config: TrainConfig, num_clips: int, world_size: int = 1) -> int:
    """Return how many batches of an epoch each device trains; one that is not full is left out."""
    return max(math.ceil(num_clips / world_size) // config.data.batch_size, 1)


def lr_factor(config: TrainConfig, world_size: int = 1, accumulate: int | None = None) -> float:
    """Return what `optimizer.lr` is multiplied by: 1 unless `scale_lr` is set.

    `accumulate` batches make a step; None for as many as the settings say.

    After Goyal et al., "Accurate, Large Minibatch SGD" (arXiv 1706.02677), section 2.1.
    """
    if not config.optimizer.scale_lr:
        return 1.0
    return _clips_of_a_step(config, world_size, accumulate) / config.optimizer.base_batch


def _clips_of_a_step(config: TrainConfig, world_size: int, accumulate: int | None) -> int:
    """Return how many clips all devices see before the weights change."""
    return config.data.batch_size * (accumulate or config.trainer.accumulate) * world_size


def learning_rates(
    model: VideoModel, config: TrainConfig, world_size: int = 1, accumulate: int | None = None
) -> LearningRates:
    """Return how fast each layer learns at most; frozen layers are those without gradients."""
    optimizer, factor = config.optimizer, lr_factor(config, world_size, accumulate)
    rows, plain = [], 0
    for layers in _alike(model, optimizer.layer_decay):
        decaying, others = (
            sum(parameter.numel() for parameter in parameters)
            for parameters in (layers.decaying, layers.others)
        )
        rate = optimizer.lr * factor * layers.share if layers.share else None
        decay = optimizer.weight_decay if decaying else 0.0
        rows.append(LayerRate(layers.name, decaying + others, rate, decay))
        plain += others if layers.share and optimizer.weight_decay else 0
    return LearningRates(
        rows=tuple(rows),
        lr=optimizer.lr,
        factor=factor,
        clips=_clips_of_a_step(config, world_size, accumulate),
        base_batch=optimizer.base_batch if optimizer.scale_lr else None,
        num_without_decay=plain,
        still_norms=config.freeze.batch_norm,
    )


def _alike(model: VideoModel, layer_decay: float) -> list[_Layers]:
    """Return the layers by depth, neighbours of one rate together."""
    layers = names_by_layer(model)
    blocks = repeated_layers(layers)
    above = {layer: len(blocks) - i for i, layer in enumerate(blocks)} | {FINAL_NORM: 0, HEAD: 0}
    share = {
        layer: layer_decay ** above.get(layer, len(blocks) + 1)
        if any(model.get_parameter(name).requires_grad for name in names)
        else 0.0
        for layer, names in layers.items()
    }
    found = []
    for rate, group in groupby(layers, key=share.__getitem__):
        own = list(group)
        alike = _Layers(own[0] if len(own) == 1 else f"{own[0]} to {own[-1]}", rate, [], [])
        for name in (name for layer in own for name in layers[layer]):
            parameter = model.get_parameter(name)
            flat = parameter.ndim < 2 or is_embedding(name)
            (alike.others if flat else alike.decaying).append(parameter)
        found.append(alike)
    return found


def lr_share(step: int, config: ScheduleConfig, *, steps_per_epoch: int, total: int) -> float:
    """Return the learning rate of a step, from 0, as a share of the highest.

    A step is one change of the weights, however many batches were gathered for it.

    >>> def shares(**config):
    ...     given = ScheduleConfig(**config)
    ...     return [round(lr_share(i, given, steps_per_epoch=2, total=6), 2) for i in range(6)]
    >>> shares(name="constant", warmup_epochs=1)
    [0.33, 0.67, 1.0, 1.0, 1.0, 1.0]
    >>> shares(name="cosine", warmup_epochs=0, min_share=0.1)
    [1.0, 0.94, 0.78, 0.55, 0.33, 0.16]
    >>> shares(name="steps", warmup_epochs=0, steps=[1, 2])
    [1.0, 1.0, 0.1, 0.1, 0.01, 0.01]
    """
    warmup = config.warmup_epochs * steps_per_epoch
    if step < warmup:
        return (step + 1) / (warmup + 1)
    if config.name == "steps":
        fallen = sum(step >= epoch * steps_per_epoch for epoch in config.steps)
        return float(config.gamma**fallen)
    if config.name == "constant":
        return 1.0
    done = min((step - warmup) / max(total - warmup, 1), 1.0)
    return config.min_share + (1 - config.min_share) * 0.5 * (1 + math.cos(math.pi * done))
