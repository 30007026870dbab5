"""Optimizers, and the learning rate of every layer."""

from dataclasses import dataclass
from itertools import groupby
from typing import Any

import torch
from torch import nn

from dogclips.models import VideoModel
from dogclips.reports.learning import LayerRate, LearningRates
from dogclips.training.config import TrainConfig
from dogclips.training.layers import HEAD, LAST, blocks_of, is_embedding, layers_of
from dogclips.training.learning_config import OptimizerConfig


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
        decaying, others = _count(layers.decaying), _count(layers.others)
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


def _count(parameters: list[nn.Parameter]) -> int:
    return sum(parameter.numel() for parameter in parameters)
