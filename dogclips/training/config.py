"""Settings of a training run; every key does something, whichever model is trained."""

from collections.abc import Collection, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from dogclips.alignment import Verdict
from dogclips.config import (
    Ascending,
    Config,
    Count,
    Epochs,
    EpochsFromZero,
    Frames,
    NotNegative,
    Pixels,
    Positive,
    Seconds,
    Share,
    Unit,
)
from dogclips.lists.verdicts import WANTED
from dogclips.loading import Augmentation
from dogclips.loading.excerpts import FramesFrom
from dogclips.loading.transforms import Crop, Fit, ResizedCrop
from dogclips.models import ModelConfig


class SamplingConfig(Config):
    """Which frames of a clip the model sees."""

    mode: Literal["uniform", "dense"] = Field(
        "uniform",
        description="`uniform` spreads the frames over the whole clip; `dense` takes them at a "
        "fixed interval, and falls back to uniform where the clip is too short.",
    )
    clip_len: Frames = Field(8, description="Number of frames per view.")
    interval: Frames | None = Field(
        None,
        description="Distance between sampled frames, for `dense`; set this or `interval_seconds`.",
    )
    interval_seconds: Seconds | None = Field(
        None, description="Time between sampled frames, for `dense`; set this or `interval`."
    )
    num_views: Count = Field(
        1, description="Number of random views of each clip in a training step."
    )

    @model_validator(mode="after")
    def _dense_has_one_interval(self) -> Self:
        given = [self.interval, self.interval_seconds].count(None)
        if self.mode == "dense" and given != 1:
            raise ValueError("dense sampling needs an interval: set interval or interval_seconds")
        if self.mode == "uniform" and given != 2:
            raise ValueError("uniform sampling does not use an interval: set mode to dense")
        return self

    @property
    def words(self) -> str:
        """Say which frames evaluation takes."""
        if self.mode == "uniform":
            return f"{self.clip_len} frames uniform over the clip"
        apart = f"{self.interval}" if self.interval else f"{self.interval_seconds} s"
        return f"{self.clip_len} frames {apart} apart, or uniform over a shorter clip"


class ColorJitterConfig(Config):
    """How far colours change, as torchvision's ColorJitter takes it."""

    brightness: NotNegative = Field(
        0.4, description="Largest change of brightness: 0.4 draws a factor from 0.6 to 1.4."
    )
    contrast: NotNegative = Field(
        0.4, description="Largest change of contrast: 0.4 draws a factor from 0.6 to 1.4."
    )
    saturation: NotNegative = Field(
        0.4, description="Largest change of saturation: 0.4 draws a factor from 0.6 to 1.4."
    )
    hue: Annotated[float, Field(ge=0, le=0.5)] = Field(
        0.1,
        description="Largest change of hue in either direction, as a share of the colour wheel.",
    )


class RandAugmentConfig(Config):
    """Random operations one after the other (Cubuk et al. 2020), as torchvision has them."""

    num_ops: Count = Field(2, description="Number of operations per clip.")
    magnitude: Annotated[int, Field(ge=0, le=30)] = Field(
        9, description="Strength of the operations, from 0 to 30."
    )


class RandomErasingConfig(Config):
    """A rectangle of each frame becomes black, at the same place (Zhong et al. 2020)."""

    probability: Annotated[float, Field(gt=0, le=1)] = Field(
        0.25, description="Share of the clips in which a rectangle is erased."
    )
    scale: Ascending = Field(
        (0.02, 1 / 3), description="Smallest and largest area, as a share of the view."
    )
    ratio: Ascending = Field(
        (0.3, 3.3), description="Smallest and largest ratio of height to width."
    )


class AugmentConfig(Config):
    """Random changes to training clips."""

    flip: bool = Field(
        Augmentation.flip,
        description="Mirror half of the clips; set to false if labels tell left from right.",
    )
    scale: tuple[float, float] = Field(
        Augmentation.scale,
        description="Smallest and largest short side before the crop, in multiples of `data.size`.",
    )
    crop: Crop = Field(
        Augmentation.crop,
        description="Where the crop lies: `random`, or `centre` if everything that is labelled "
        "happens there.",
    )
    resized_crop: ResizedCrop | None = Field(
        None,
        description="Crop of random size and shape, in place of `scale` and `crop`; `{}` for its "
        "defaults, null for none.",
    )
    color_jitter: ColorJitterConfig | None = Field(
        None,
        description="Random changes of colour, alike in all frames; `{}` for its defaults, null "
        "for none.",
    )
    rand_augment: RandAugmentConfig | None = Field(
        None,
        description="RandAugment, alike in all frames; `{}` for its defaults, null for none.",
    )
    random_erasing: RandomErasingConfig | None = Field(
        None,
        description="Random erasing, at the same place in all frames; `{}` for its defaults, null "
        "for none.",
    )
    mixup: NotNegative = Field(
        0.0,
        description="Blend pairs of clips of a batch: alpha of the Beta distribution; 0 for off.",
    )
    cutmix: NotNegative = Field(
        0.0,
        description="Paste a part of one clip into another of the batch: alpha of the Beta "
        "distribution; 0 for off.",
    )

    @model_validator(mode="after")
    def _scales_ascend_from_one(self) -> Self:
        if not 1.0 <= self.scale[0] <= self.scale[1]:
            raise ValueError("scale has to be two ascending numbers from 1: correct the value")
        return self

    @model_validator(mode="after")
    def _one_kind_of_crop(self) -> Self:
        fields = type(self).model_fields
        changed = [
            name for name in ("scale", "crop") if getattr(self, name) != fields[name].default
        ]
        if self.resized_crop is not None and changed:
            raise ValueError(f"resized_crop replaces {' and '.join(changed)}: set only one of them")
        return self


class DataConfig(Config):
    """Lists and how their clips become batches."""

    train: Path | None = Field(None, description="List of clips to learn from.")
    val: Path | None = Field(
        None, description="List of clips to score after every epoch; the best epoch is kept."
    )
    root: Path | None = Field(
        None,
        description="Folder that paths in the lists are relative to; null for the folder of each "
        "list.",
    )
    verdicts: Annotated[tuple[Verdict, ...], Field(min_length=1)] = Field(
        WANTED,
        description="Which clips of the lists are used, by what the pixels say of them: confirmed, "
        "still, contradicted, not-compared. The others are skipped and listed.",
    )
    sampling: SamplingConfig = Field(
        SamplingConfig(), description="Which frames of a clip the model sees."
    )
    size: Pixels = Field(224, description="Height and width of a view.")
    fit: Fit = Field(
        "crop",
        description="How frames that are not square become square: `crop` cuts off their sides, "
        "`stretch` changes their shape.",
    )
    batch_size: Count = Field(8, description="Number of clips per step on each device.")
    balance: Annotated[float, Field(ge=0, le=1)] = Field(
        0.0,
        description="How much more often rare labels are drawn: 0 draws every clip once per epoch, "
        "1 draws all classes equally often, 0.5 is halfway.",
    )
    source: FramesFrom = Field(
        "clips",
        description="Where frames are read: from the cut `clips`, or from the `recordings` that "
        "the manifest names, so that no clip has to be cut.",
    )
    decoder: Literal["auto", "pyav", "torchcodec"] = Field(
        "auto",
        description="Library that decodes video; `auto` is PyAV. TorchCodec gives the same frames.",
    )
    on_bad_clip: Literal["error", "skip"] = Field(
        "error",
        description="What happens when a clip cannot be decoded: stop, or `skip` it and list it.",
    )
    workers: Annotated[int, Field(ge=0)] | None = Field(
        None,
        description="Number of loading processes per device; null for as many as cores and memory "
        "allow, at most 8; 0 to load in the main process.",
    )
    prefetch: Count | None = Field(
        None,
        description="Number of batches that each loading process prepares in advance; null for 2, "
        "or 1 if memory is short.",
    )
    pin_memory: bool | None = Field(
        None,
        description="Keep batches in pinned memory for faster copies to a GPU; null for yes if "
        "there is a GPU.",
    )
    augment: AugmentConfig = Field(AugmentConfig(), description="Random changes to training clips.")


LossName = Literal["bce", "focal", "asymmetric", "cross_entropy"]

# Which losses and schedules look at a setting; all look at the others.
LOSSES_OF = {"gamma": "focal", **dict.fromkeys(("gamma_pos", "gamma_neg", "clip"), "asymmetric")}
SCHEDULES_OF = {"min_share": "cosine", "steps": "steps", "gamma": "steps"}


def _check_used(
    config: Config, owners: Mapping[str, str], chosen: Collection[str], section: str
) -> None:
    """Refuse a setting that differs from its default and that nothing chosen looks at."""
    for key, owner in owners.items():
        if owner not in chosen and getattr(config, key) != type(config).model_fields[key].default:
            raise ValueError(f"{key} is only for {owner}: remove it, or set {section}.name")


class TaskLossConfig(Config):
    """Settings of one task that differ from those of the others."""

    name: LossName | None = Field(None, description="Loss of this task; null for `loss.name`.")
    weight: Positive = Field(1.0, description="Weight of this task in the mean over all tasks.")


class LossConfig(Config):
    """What training minimises, on logits; see `losses.py` for papers and formulas."""

    name: LossName = Field(
        "bce",
        description="`bce`, `focal` and `asymmetric` score each class by itself, so that a clip "
        "may have any number of labels; `cross_entropy` is for clips with exactly one label.",
    )
    pos_weight: Positive | Literal["balanced"] | None = Field(
        None,
        description="Weight of positive answers: one number for all classes, or `balanced` for "
        "each class's ratio of negatives to positives in the training list. With `cross_entropy` "
        "only `balanced`, which gives rare classes more weight.",
    )
    smoothing: Share = Field(
        0.0,
        description="Label smoothing: share of a training target that is spread evenly over all "
        "answers.",
    )
    gamma: NotNegative = Field(
        2.0, description="Of `focal`: how much less clips count that are already answered well."
    )
    gamma_pos: NotNegative = Field(
        0.0, description="Of `asymmetric`: the focusing parameter of positives."
    )
    gamma_neg: NotNegative = Field(
        4.0, description="Of `asymmetric`: the focusing parameter of negatives."
    )
    clip: Share = Field(
        0.05,
        description="Of `asymmetric`: probability below which negatives do not count.",
    )
    tasks: dict[str, TaskLossConfig] = Field(
        default_factory=dict, description="Loss and weight of single tasks, by name."
    )

    @property
    def names(self) -> set[str]:
        """Return the losses that may be used."""
        return {self.name} | {task.name for task in self.tasks.values() if task.name}

    def of_task(self, name: str) -> TaskLossConfig:
        """Return what holds for a task."""
        own = self.tasks.get(name, TaskLossConfig())
        return own.model_copy(update={"name": own.name or self.name})

    @model_validator(mode="after")
    def _settings_have_a_loss(self) -> Self:
        _check_used(self, LOSSES_OF, self.names, "loss")
        if isinstance(self.pos_weight, float) and self.names == {"cross_entropy"}:
            raise ValueError(
                "one pos_weight for all does not affect cross_entropy: set it to balanced"
            )
        return self


class OptimizerConfig(Config):
    """How weights change in a step."""

    name: Literal["adamw", "sgd"] = Field(
        "adamw", description="`adamw`, or `sgd` with Nesterov momentum."
    )
    lr: Positive = Field(3e-4, description="Highest learning rate of the head.")
    weight_decay: NotNegative = Field(
        0.05,
        description="Weight decay of matrices and kernels; biases, norms, embeddings and tokens "
        "have none.",
    )
    momentum: Share = Field(
        0.9, description="Nesterov momentum of SGD, or the first beta of AdamW."
    )
    layer_decay: Annotated[float, Field(gt=0, le=1)] = Field(
        1.0,
        description="Learning rate of a block or stage as a share of that of the next one (BEiT, "
        "arXiv 2106.08254); 1 for the same rate everywhere.",
    )
    scale_lr: bool = Field(
        default=False,
        description="Multiply `lr` by the number of clips per step on all devices divided by "
        "`base_batch`.",
    )
    base_batch: Count = Field(64, description="Number of clips per step that `lr` was chosen for.")


class ScheduleConfig(Config):
    """How the learning rate changes, step by step."""

    name: Literal["cosine", "steps", "constant"] = Field(
        "cosine",
        description="`cosine` lowers the rate along half a cosine, `steps` at given epochs, "
        "`constant` not at all.",
    )
    warmup_epochs: EpochsFromZero = Field(
        1.0, description="Length of the linear rise of the rate at the start; may be a fraction."
    )
    min_share: Share = Field(
        0.0, description="Of `cosine`: rate at the end, as a share of the highest."
    )
    steps: tuple[Annotated[Positive, Unit("epochs")], ...] = Field(
        (), description="Of `steps`: when the rate falls, in ascending order, such as [11, 14]."
    )
    gamma: Annotated[float, Field(gt=0, lt=1)] = Field(
        0.1, description="Of `steps`: factor by which the rate falls each time."
    )

    @model_validator(mode="after")
    def _settings_have_a_schedule(self) -> Self:
        _check_used(self, SCHEDULES_OF, {self.name}, "schedule")
        if self.name == "steps" and not self.steps:
            raise ValueError("steps has no epochs: set schedule.steps, for example to [11, 14]")
        if any(after <= before for before, after in pairwise(self.steps)):
            raise ValueError("the epochs of steps do not ascend: sort them")
        return self


class FreezeConfig(Config):
    """Which weights do not learn."""

    backbone: bool = Field(default=False, description="Freeze everything but the head.")
    blocks: Annotated[int, Field(ge=0)] = Field(
        0,
        description="Freeze this many blocks of a transformer, or stages of a ResNet, counted from "
        "the input, and all layers before them.",
    )
    batch_norm: bool = Field(
        default=False,
        description="Keep mean and variance of batch norms as in the initial weights; their "
        "scales and biases still learn.",
    )

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        if self.backbone and self.blocks:
            raise ValueError("backbone already freezes every block: set blocks to 0")
        return self


class EarlyStopConfig(Config):
    """When a run ends before its last epoch."""

    patience: Epochs = Field(description="Stop after this many epochs in a row without a gain.")
    min_delta: NotNegative = Field(0.0, description="Smallest increase of mAP that is a gain.")


class TrainerConfig(Config):
    """How long training runs, on which devices, and how exactly."""

    epochs: Epochs = Field(30, description="Number of passes over the training list.")
    precision: Literal["auto", "32-true", "16-mixed", "bf16-mixed"] = Field(
        "auto",
        description="Numeric precision; `auto` is bf16-mixed on GPUs that support it, 16-mixed on "
        "other GPUs, and 32-true without a GPU.",
    )
    devices: Count | Literal["auto"] = Field(
        "auto",
        description="Number of devices on each machine; `auto` for all GPUs, or one process "
        "without a GPU. torchrun and SLURM set it themselves.",
    )
    num_nodes: Count = Field(
        1, description="Number of machines; torchrun and SLURM set it themselves."
    )
    strategy: Literal["auto", "ddp", "fsdp"] = Field(
        "auto",
        description="How several devices share the work: `auto` is ddp; `fsdp` also distributes "
        "the weights, for models that do not fit into one GPU.",
    )
    clip_gradient: Positive | None = Field(
        1.0, description="Largest norm of the gradient; null for no limit."
    )
    accumulate: Count = Field(
        1, description="Number of batches per optimizer step; their gradients are added up."
    )
    ema: Annotated[float, Field(gt=0, lt=1)] | None = Field(
        None,
        description="Decay of an exponential moving average of the weights, which is then "
        "validated, kept and tested in their place; null for none.",
    )
    keep: Count = Field(1, description="Number of best checkpoints to keep.")
    early_stop: EarlyStopConfig | None = Field(
        None, description="Stop when the validation mAP no longer rises; null to run all epochs."
    )
    overfit: Count | None = Field(
        None,
        description="Train and validate on this many clips of the training list, unchanged, to "
        "check the set-up; null for a normal training.",
    )

    @model_validator(mode="after")
    def _averages_are_whole(self) -> Self:
        if self.strategy == "fsdp" and self.ema is not None:
            raise ValueError("ema does not work with fsdp: set ema to null, or strategy to ddp")
        return self


class EvaluationConfig(Config):
    """How a clip is scored, in validation and in tests alike."""

    views: Count = Field(1, description="Number of views in time per clip.")
    crops: Literal[1, 3] = Field(
        1, description="Number of crops per view: the centre, or three along the longer side."
    )
    average: Literal["sigmoid", "logit"] = Field(
        "sigmoid",
        description="What is averaged over views and crops: probabilities, or logits.",
    )

    @property
    def words(self) -> str:
        """Say how often a clip is seen."""
        counts = (self.views, "view"), (self.crops, "crop")
        return " x ".join(f"{n} {name}{'' if n == 1 else 's'}" for n, name in counts)


class TrainConfig(Config):
    """Everything that decides a training run."""

    model: ModelConfig = Field(description="The network and its sizes.")
    data: DataConfig = Field(DataConfig(), description="Lists and how their clips become batches.")
    loss: LossConfig = Field(LossConfig(), description="What training minimises.")
    freeze: FreezeConfig = Field(FreezeConfig(), description="Which weights do not learn.")
    optimizer: OptimizerConfig = Field(
        OptimizerConfig(), description="How weights change in a step."
    )
    schedule: ScheduleConfig = Field(
        ScheduleConfig(), description="How the learning rate changes over the epochs."
    )
    trainer: TrainerConfig = Field(
        TrainerConfig(), description="How long training runs, and on which devices."
    )
    evaluation: EvaluationConfig = Field(
        EvaluationConfig(), description="How clips are scored, in validation and in tests."
    )
    seed: Annotated[int, Field(ge=0)] = Field(
        0, description="Seed of everything random: initial weights, order of clips, augmentation."
    )

    @model_validator(mode="after")
    def _crops_need_something_to_crop(self) -> Self:
        if self.data.fit == "stretch" and self.evaluation.crops > 1:
            raise ValueError("stretched frames have only one crop: set evaluation.crops to 1")
        return self

    @model_validator(mode="after")
    def _mixing_needs_two_clips(self) -> Self:
        if self.data.batch_size == 1 and (self.data.augment.mixup or self.data.augment.cutmix):
            raise ValueError("mixup and cutmix need two clips per batch: set data.batch_size to 2")
        return self

    @property
    def protocol(self) -> str:
        """Say in words how a clip is scored: all that decides a score but weights and clips.

        Stored with every score; scores whose protocols differ are not compared.
        """
        views, data = self.evaluation.words, self.data
        pixels = f"{data.size} px" + (" stretched" if data.fit == "stretch" else "")
        source = "" if data.source == "clips" else " of the recordings"
        return f"{views}, {data.sampling.words}, {pixels}{source}, {self._averaged} averaged"

    @property
    def _averaged(self) -> str:
        if self.evaluation.average == "logit":
            return "logit"
        kinds = {"softmax" if name == "cross_entropy" else "sigmoid" for name in self.loss.names}
        return " and ".join(sorted(kinds))
