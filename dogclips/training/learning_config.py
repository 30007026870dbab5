"""Settings of the loss, and of how weights change."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from dogclips.config import Config
from dogclips.training.numbers import Count, NotNegative, Positive, Share

LossName = Literal["bce", "focal", "asymmetric", "cross_entropy"]
LOSSES_OF = {
    "pos_weight": {"bce", "focal", "asymmetric", "cross_entropy"},
    "gamma": {"focal"},
    "gamma_pos": {"asymmetric"},
    "gamma_neg": {"asymmetric"},
    "clip": {"asymmetric"},
}
SCHEDULES_OF = {"min_share": {"cosine"}, "steps": {"steps"}, "gamma": {"steps"}}


class TaskLossConfig(Config):
    """What one task has otherwise than the others.

    Parameters
    ----------
    name
        Its loss; null for `loss.name`.
    weight
        How much it counts in the mean over the tasks.
    """

    name: LossName | None = None
    weight: Positive = 1.0


class LossConfig(Config):
    """What training makes small, on logits; see `losses.py` for papers and formulas.

    Parameters
    ----------
    name
        `bce`, `focal` and `asymmetric` take each class by itself: a clip carries any number of
        labels. `cross_entropy` takes classes that exclude each other: one label a clip.
    pos_weight
        How many times a positive counts: one number for all classes, or `balanced` for the ratio
        of negatives to positives of each class in the training list. Cross-entropy knows only
        `balanced`: a class counts the more the rarer it is, over the list 1 on average.
    smoothing
        Share of a target that is spread evenly, over yes and no or over all classes; in training
        only.
    gamma
        Of focal: how far what is found already counts less.
    gamma_pos, gamma_neg, clip
        Of asymmetric: the same for positives and negatives, and a probability below which
        negatives do not count at all.
    tasks
        By the name of a task, what it has otherwise.
    """

    name: LossName = "bce"
    pos_weight: Positive | Literal["balanced"] | None = None
    smoothing: Share = 0.0
    gamma: NotNegative = 2.0
    gamma_pos: NotNegative = 0.0
    gamma_neg: NotNegative = 4.0
    clip: Share = 0.05
    tasks: dict[str, TaskLossConfig] = Field(default_factory=dict)

    @property
    def names(self) -> set[str]:
        """Return the losses that may be used."""
        return {self.name} | {task.name for task in self.tasks.values() if task.name}

    @model_validator(mode="after")
    def _settings_have_a_loss(self) -> Self:
        _check_used(self, LOSSES_OF, self.names, "loss")
        if isinstance(self.pos_weight, float) and self.names == {"cross_entropy"}:
            raise ValueError("one pos_weight for all classes changes nothing here: use balanced")
        return self


class OptimizerConfig(Config):
    """How weights change in a step.

    Parameters
    ----------
    lr
        Learning rate of the head at its highest.
    weight_decay
        Of matrices and kernels; biases, norm scales, embeddings and tokens do not decay.
    momentum
        Of SGD (Nesterov); AdamW's first beta.
    layer_decay
        Learning rate of a block or stage as a share of that of the next one (Bao et al., "BEiT",
        ICLR 2022, arXiv 2106.08254); 1 for the same rate everywhere.
    scale_lr
        Multiply `lr` by the clips of a step on all devices over `base_batch`.
    base_batch
        Clips of a step for which `lr` was chosen.
    """

    name: Literal["adamw", "sgd"] = "adamw"
    lr: Positive = 3e-4
    weight_decay: NotNegative = 0.05
    momentum: Share = 0.9
    layer_decay: Annotated[float, Field(gt=0, le=1)] = 1.0
    scale_lr: bool = False
    base_batch: Count = 64


class ScheduleConfig(Config):
    """How the learning rate changes, step by step.

    Parameters
    ----------
    name
        `cosine` falls from `optimizer.lr` along half a cosine, `steps` at once after some epochs,
        `constant` never.
    warmup_epochs
        Epochs, or a part of one, of linear rise before that.
    min_share
        Share of the rate at which the cosine ends.
    steps
        Epochs after which the rate falls, ascending.
    gamma
        What it is multiplied by each time.
    """

    name: Literal["cosine", "steps", "constant"] = "cosine"
    warmup_epochs: NotNegative = 1.0
    min_share: Share = 0.0
    steps: tuple[Positive, ...] = ()
    gamma: Annotated[float, Field(gt=0, lt=1)] = 0.1

    @model_validator(mode="after")
    def _settings_have_a_schedule(self) -> Self:
        _check_used(self, SCHEDULES_OF, {self.name}, "schedule")
        if self.name == "steps" and not self.steps:
            raise ValueError("steps wants the epochs at which it falls, such as [11, 14]")
        if any(after <= before for before, after in pairwise(self.steps)):
            raise ValueError("steps wants ascending epochs")
        return self


class FreezeConfig(Config):
    """Which weights stay as they are; `train` with a smaller part frozen is another run.

    Parameters
    ----------
    backbone
        All but the head.
    blocks
        The first so many blocks of a transformer, or stages of a ResNet, and all before them.
    batch_norm
        Mean and variance of batch norms, which then are those of the initial weights; scales and
        biases still learn. Frozen layers never change theirs.
    """

    backbone: bool = False
    blocks: Annotated[int, Field(ge=0)] = 0
    batch_norm: bool = False

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        if self.backbone and self.blocks:
            raise ValueError("freeze.backbone freezes every block: set freeze.blocks to 0")
        return self


def _check_used(
    config: Config, owners: Mapping[str, set[str]], chosen: set[str], section: str
) -> None:
    """Refuse a setting that differs from its default and that nothing chosen looks at."""
    for key, names in owners.items():
        if getattr(config, key) != type(config).model_fields[key].default and not names & chosen:
            wanted = " or ".join(sorted(names))
            raise ValueError(f"{key} is a setting of {wanted}: drop it or set {section}.name")
