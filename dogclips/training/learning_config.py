"""Settings of the loss, and of how weights change."""

from typing import Literal

from dogclips.config import Config
from dogclips.training.numbers import NotNegative, Positive, Share


class LossConfig(Config):
    """Binary cross-entropy on logits.

    Parameters
    ----------
    pos_weight
        How many times a positive counts: one number for all classes, or `balanced` for the ratio
        of negatives to positives of each class in the training list.
    """

    name: Literal["bce"] = "bce"
    pos_weight: Positive | Literal["balanced"] | None = None


class OptimizerConfig(Config):
    """How weights change in a step.

    Parameters
    ----------
    lr
        Learning rate at its highest.
    weight_decay
        Of matrices and kernels; biases, norm scales and embeddings do not decay.
    momentum
        Of SGD (Nesterov); AdamW's first beta.
    """

    name: Literal["adamw", "sgd"] = "adamw"
    lr: Positive = 3e-4
    weight_decay: NotNegative = 0.05
    momentum: Share = 0.9


class ScheduleConfig(Config):
    """How the learning rate changes, step by step.

    Parameters
    ----------
    name
        From `optimizer.lr` to 0 along half a cosine, or constant.
    warmup_epochs
        Epochs, or a part of one, of linear rise before that.
    """

    name: Literal["cosine", "constant"] = "cosine"
    warmup_epochs: NotNegative = 1.0
