"""Learning rates step by step."""

import math

from dogclips.training.learning_config import ScheduleConfig


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
