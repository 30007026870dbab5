"""Optimizers, and the learning rate of every layer."""

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import torch
from torch import nn

from dogclips.models import VideoModel
from dogclips.records.run_start import LayerRate, LearningRates
from dogclips.training.config import OptimizerConfig, ScheduleConfig, TrainConfig

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
    alone = _numbered(_BLOCK, names) - _numbered(re.compile(r"transformer\.dec\.(\d+)\."), names)
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


def _numbered(pattern: re.Pattern[str], names: Iterable[str]) -> int:
    return len({found[1] for name in names if (found := pattern.match(name))})


@dataclass(frozen=True)
class _Layers:
    """Neighbouring layers that learn alike.

    Parameters
    ----------
    name
        Of the first and the last of them.
    share
        Of the learning rate; 0 if they are frozen.
    decaying, others
        Their parameters: matrices and kernels; norms, biases, embeddings and tokens.
    """

    name: str
    share: float
    decaying: list[nn.Parameter]
    others: list[nn.Parameter]


def build_optimizer(
    model: VideoModel, config: OptimizerConfig, factor: float = 1.0
) -> torch.optim.Optimizer:
    """Return the optimizer of all parameters that are not frozen.

    Its groups carry a `name`. Those of the head come first, so that the learning rate of the first
    group is that of the settings.

    Parameters
    ----------
    factor
        Of the learning rate, from `lr_factor`.
    """
    lr = config.lr * factor
    groups: list[dict[str, Any]] = []
    for layers in reversed(_alike(model, config.layer_decay)):
        if layers.share:
            own = {"lr": lr * layers.share}
            decay, none = f"{layers.name}", f"{layers.name}, no decay"
            kept = {"params": layers.decaying, "weight_decay": config.weight_decay}
            plain = {"params": layers.others, "weight_decay": 0.0}
            groups += [own | kept | {"name": decay}, own | plain | {"name": none}]
    groups = [group for group in groups if group["params"]]
    if config.name == "sgd":
        nesterov = config.momentum > 0
        return torch.optim.SGD(groups, lr=lr, momentum=config.momentum, nesterov=nesterov)
    return torch.optim.AdamW(groups, lr=lr, betas=(config.momentum, 0.999))


def lr_factor(config: TrainConfig, world_size: int = 1) -> float:
    """Return what `optimizer.lr` is multiplied by: 1 unless `scale_lr` is set.

    After Goyal et al., "Accurate, Large Minibatch SGD" (arXiv 1706.02677), section 2.1.
    """
    if not config.optimizer.scale_lr:
        return 1.0
    return clips_of_a_step(config, world_size) / config.optimizer.base_batch


def clips_of_a_step(config: TrainConfig, world_size: int = 1) -> int:
    """Return how many clips all devices see before the weights change."""
    return config.data.batch_size * config.trainer.accumulate * world_size


def learning_rates(model: VideoModel, config: TrainConfig, world_size: int = 1) -> LearningRates:
    """Return how fast each layer learns at most; frozen layers are those without gradients.

    Parameters
    ----------
    world_size
        Number of devices.
    """
    optimizer, factor = config.optimizer, lr_factor(config, world_size)
    rows, plain = [], 0
    for layers in _alike(model, optimizer.layer_decay):
        decaying, others = _num_values(layers.decaying), _num_values(layers.others)
        rate = optimizer.lr * factor * layers.share if layers.share else None
        decay = optimizer.weight_decay if decaying else 0.0
        rows.append(LayerRate(layers.name, decaying + others, rate, decay))
        plain += others if layers.share and optimizer.weight_decay else 0
    return LearningRates(
        rows=tuple(rows),
        lr=optimizer.lr,
        factor=factor,
        clips=clips_of_a_step(config, world_size),
        base_batch=optimizer.base_batch if optimizer.scale_lr else None,
        num_without_decay=plain,
        still_norms=config.freeze.batch_norm,
    )


def _alike(model: VideoModel, layer_decay: float) -> list[_Layers]:
    """Return the layers by depth, neighbours of one rate together."""
    layers = layers_of(model)
    blocks = blocks_of(layers)
    above = {layer: len(blocks) - i for i, layer in enumerate(blocks)} | {LAST: 0, HEAD: 0}
    share = {
        layer: layer_decay ** above.get(layer, len(blocks) + 1)
        if any(model.get_parameter(name).requires_grad for name in names)
        else 0.0
        for layer, names in layers.items()
    }
    found = []
    for rate, group in groupby(layers, key=lambda layer: share[layer]):
        own = list(group)
        names = [name for layer in own for name in layers[layer]]
        flat = [name for name in names if model.get_parameter(name).ndim < 2 or is_embedding(name)]
        decaying = [model.get_parameter(name) for name in names if name not in set(flat)]
        called = own[0] if len(own) == 1 else f"{own[0]} to {own[-1]}"
        found.append(_Layers(called, rate, decaying, [model.get_parameter(n) for n in flat]))
    return found


def _num_values(parameters: list[nn.Parameter]) -> int:
    return sum(parameter.numel() for parameter in parameters)


def lr_share(step: int, config: ScheduleConfig, *, steps_per_epoch: int, total: int) -> float:
    """Return the learning rate of a step as a share of the highest.

    A step is one change of the weights, however many batches were gathered for it.

    Parameters
    ----------
    step
        From 0.
    config
        Its epochs become steps.
    steps_per_epoch, total
        Steps of an epoch and of the whole run.

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
