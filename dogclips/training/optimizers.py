"""Optimizers, and learning rates step by step."""

import math

import torch
from torch import nn

from dogclips.training.learning_config import OptimizerConfig


def build_optimizer(model: nn.Module, config: OptimizerConfig) -> torch.optim.Optimizer:
    """Return the optimizer; only matrices and kernels decay."""
    decaying: list[nn.Parameter] = []
    others: list[nn.Parameter] = []
    for name, parameter in model.named_parameters():
        flat = parameter.ndim <= 1 or name.endswith(("_token", "_embed"))
        (others if flat else decaying).append(parameter)
    groups = [
        {"params": decaying, "weight_decay": config.weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]
    if config.name == "sgd":
        nesterov = config.momentum > 0
        return torch.optim.SGD(groups, lr=config.lr, momentum=config.momentum, nesterov=nesterov)
    return torch.optim.AdamW(groups, lr=config.lr, betas=(config.momentum, 0.999))


def lr_share(step: int, *, total: int, warmup: float, cosine: bool) -> float:
    """Return the learning rate of a step as a share of the highest.

    >>> [lr_share(step, total=6, warmup=2, cosine=True) for step in range(6)][:3]
    [0.3333333333333333, 0.6666666666666666, 1.0]
    >>> lr_share(100, total=6, warmup=2, cosine=False)
    1.0
    """
    if step < warmup:
        return (step + 1) / (warmup + 1)
    if not cosine:
        return 1.0
    done = min((step - warmup) / max(total - warmup, 1), 1.0)
    return 0.5 * (1 + math.cos(math.pi * done))
