"""Settings of a training run; every key does something, whichever model is trained."""

from collections.abc import Collection, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from dogclips.config import Ascending, Config, Count, NotNegative, Positive, Share
from dogclips.loading import Augmentation
from dogclips.loading.excerpts import FramesFrom
from dogclips.loading.transforms import Crop, Fit, ResizedCrop
from dogclips.models import ModelConfig


class SamplingConfig(Config):
    """Which frames of a clip the model sees."""

    #: `uniform` divides the whole clip into as many segments as the model takes frames; `dense`
    #: takes frames at a fixed interval. A clip that is too short for that is sampled uniformly,
    #: which is said before training begins.
    mode: Literal["uniform", "dense"] = "uniform"
    clip_len: Count = 8  #: Frames of one view
    #: Of `dense`: from one frame to the next, in frames of the clip or in seconds; one of them
    interval: Count | None = None
    interval_seconds: Positive | None = None
    num_views: Count = 1  #: Random views of one clip in a training step

    @model_validator(mode="after")
    def _dense_has_one_interval(self) -> Self:
        given = [self.interval, self.interval_seconds].count(None)
        if self.mode == "dense" and given != 1:
            raise ValueError("dense sampling wants either interval or interval_seconds")
        if self.mode == "uniform" and given != 2:
            raise ValueError("uniform sampling has no interval: set mode to dense")
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

    #: 0.4 draws a factor from 0.6 to 1.4
    brightness: NotNegative = 0.4
    contrast: NotNegative = 0.4
    saturation: NotNegative = 0.4
    hue: Annotated[float, Field(ge=0, le=0.5)] = 0.1  #: Share of the colour circle, to either side


class RandAugmentConfig(Config):
    """Random operations one after the other (Cubuk et al. 2020), as torchvision has them."""

    num_ops: Count = 2  #: How many of them
    magnitude: Annotated[int, Field(ge=0, le=30)] = 9  #: How strong they are, of 30


class RandomErasingConfig(Config):
    """A rectangle of each frame becomes black, at the same place (Zhong et al. 2020)."""

    probability: Annotated[float, Field(gt=0, le=1)] = 0.25  #: Of a clip
    scale: Ascending = (0.02, 1 / 3)  #: Smallest and largest share of the view's area
    ratio: Ascending = (0.3, 3.3)  #: Smallest and largest height by width


class AugmentConfig(Config):
    """Random changes to training clips."""

    #: Mirror half of them from left to right; switch off where labels tell sides apart
    flip: bool = Augmentation.flip
    #: Smallest and largest short side before the crop, in multiples of `data.size`
    scale: tuple[float, float] = Augmentation.scale
    #: Where the crop lies: `random`, or `centre` where all that is labelled happens there and a
    #: crop of the side would miss it
    crop: Crop = Augmentation.crop
    #: A crop of random size and shape in place of `scale` and `crop`; null for none
    resized_crop: ResizedCrop | None = None
    #: Done to the view in this order, to all frames alike; null for none
    color_jitter: ColorJitterConfig | None = None
    rand_augment: RandAugmentConfig | None = None
    random_erasing: RandomErasingConfig | None = None
    #: Clips of a batch blended, or put into each other: alpha of the Beta distribution; 0 for none
    mixup: NotNegative = 0.0
    cutmix: NotNegative = 0.0

    @model_validator(mode="after")
    def _scales_ascend_from_one(self) -> Self:
        if not 1.0 <= self.scale[0] <= self.scale[1]:
            raise ValueError("scale wants two ascending numbers from 1")
        return self

    @model_validator(mode="after")
    def _one_kind_of_crop(self) -> Self:
        fields = type(self).model_fields
        changed = [
            name for name in ("scale", "crop") if getattr(self, name) != fields[name].default
        ]
        if self.resized_crop is not None and changed:
            raise ValueError(f"resized_crop takes the place of {' and '.join(changed)}")
        return self


class DataConfig(Config):
    """Lists and how their clips become batches."""

    #: List files
    train: Path | None = None
    val: Path | None = None
    #: What paths in the lists are relative to; null for the folder of each list
    root: Path | None = None
    sampling: SamplingConfig = SamplingConfig()
    size: Count = 224  #: Side of a view in pixels
    #: Frames that are not square are cropped, or stretched so that nothing is cut off
    fit: Fit = "crop"
    batch_size: Count = 8  #: Clips of a step on each device
    #: How far rare labels are drawn more often: 0 draws every clip once an epoch, 1 every class
    #: equally often where clips have one label each, 0.5 is halfway (by a square root)
    balance: Annotated[float, Field(ge=0, le=1)] = 0.0
    #: `clips` reads the cut files; `recordings` looks each listed clip up in the manifest of its
    #: output folder and decodes its frames from the recording, so that no file need be cut
    source: FramesFrom = "clips"
    #: `auto` is PyAV, which was measured to be the faster one; TorchCodec gives the same frames
    decoder: Literal["auto", "pyav", "torchcodec"] = "auto"
    #: A clip that does not decode is an error, or is left out, counted and listed (`skip`)
    on_bad_clip: Literal["error", "skip"] = "error"
    #: Loading processes on each device; null for as many as cores and memory allow, at most 8, and
    #: 0 for none
    workers: Annotated[int, Field(ge=0)] | None = None
    #: Batches that each of them loads ahead; null for 2, or 1 where memory is short
    prefetch: Count | None = None
    #: Batches wait where a GPU can fetch them itself; null for yes where there is one
    pin_memory: bool | None = None
    augment: AugmentConfig = AugmentConfig()


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
            raise ValueError(f"{key} is a setting of {owner}: drop it or set {section}.name")


class TaskLossConfig(Config):
    """What one task has otherwise than the others."""

    name: LossName | None = None  #: Its loss; null for `loss.name`
    weight: Positive = 1.0  #: How much it counts in the mean over the tasks


class LossConfig(Config):
    """What training makes small, on logits; see `losses.py` for papers and formulas."""

    #: `bce`, `focal` and `asymmetric` take each class by itself: a clip carries any number of
    #: labels. `cross_entropy` takes classes that exclude each other: one label a clip.
    name: LossName = "bce"
    #: How many times a positive counts: one number for all classes, or `balanced` for the ratio of
    #: negatives to positives of each class in the training list. Cross-entropy knows only
    #: `balanced`: a class counts the more the rarer it is, over the list 1 on average.
    pos_weight: Positive | Literal["balanced"] | None = None
    #: Share of a target that is spread evenly, over yes and no or over all classes; in training
    #: only
    smoothing: Share = 0.0
    gamma: NotNegative = 2.0  #: Of focal: how far what is found already counts less
    #: Of asymmetric: the same for positives and negatives, and a probability below which negatives
    #: do not count at all
    gamma_pos: NotNegative = 0.0
    gamma_neg: NotNegative = 4.0
    clip: Share = 0.05
    #: By the name of a task, what it has otherwise
    tasks: dict[str, TaskLossConfig] = Field(default_factory=dict)

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
            raise ValueError("one pos_weight for all classes changes nothing here: use balanced")
        return self


class OptimizerConfig(Config):
    """How weights change in a step."""

    name: Literal["adamw", "sgd"] = "adamw"
    lr: Positive = 3e-4  #: Learning rate of the head at its highest
    #: Of matrices and kernels; biases, norm scales, embeddings and tokens do not decay
    weight_decay: NotNegative = 0.05
    momentum: Share = 0.9  #: Of SGD (Nesterov); AdamW's first beta
    #: Learning rate of a block or stage as a share of that of the next one (Bao et al., "BEiT",
    #: ICLR 2022, arXiv 2106.08254); 1 for the same rate everywhere
    layer_decay: Annotated[float, Field(gt=0, le=1)] = 1.0
    scale_lr: bool = False  #: Multiply `lr` by the clips of a step on all devices over `base_batch`
    base_batch: Count = 64  #: Clips of a step for which `lr` was chosen


class ScheduleConfig(Config):
    """How the learning rate changes, step by step."""

    #: `cosine` falls from `optimizer.lr` along half a cosine, `steps` at once after some epochs,
    #: `constant` never
    name: Literal["cosine", "steps", "constant"] = "cosine"
    warmup_epochs: NotNegative = 1.0  #: Epochs, or a part of one, of linear rise before that
    min_share: Share = 0.0  #: Share of the rate at which the cosine ends
    steps: tuple[Positive, ...] = ()  #: Epochs after which the rate falls, ascending
    gamma: Annotated[float, Field(gt=0, lt=1)] = 0.1  #: What it is multiplied by each time

    @model_validator(mode="after")
    def _settings_have_a_schedule(self) -> Self:
        _check_used(self, SCHEDULES_OF, {self.name}, "schedule")
        if self.name == "steps" and not self.steps:
            raise ValueError("steps wants the epochs at which it falls, such as [11, 14]")
        if any(after <= before for before, after in pairwise(self.steps)):
            raise ValueError("steps wants ascending epochs")
        return self


class FreezeConfig(Config):
    """Which weights stay as they are; `train` with a smaller part frozen is another run."""

    backbone: bool = False  #: All but the head
    #: The first so many blocks of a transformer, or stages of a ResNet, and all before them
    blocks: Annotated[int, Field(ge=0)] = 0
    #: Mean and variance of batch norms, which then are those of the initial weights; scales and
    #: biases still learn. Frozen layers never change theirs.
    batch_norm: bool = False

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        if self.backbone and self.blocks:
            raise ValueError("freeze.backbone freezes every block: set freeze.blocks to 0")
        return self


class EarlyStopConfig(Config):
    """When a run ends before its last epoch."""

    patience: Count  #: Epochs in a row without a gain
    min_delta: NotNegative = 0.0  #: What of mAP is a gain


class TrainerConfig(Config):
    """How long, on what and how exactly."""

    epochs: Count = 30
    #: `auto` is bf16-mixed where CUDA has it, 16-mixed on other CUDA, else 32-true
    precision: Literal["auto", "32-true", "16-mixed", "bf16-mixed"] = "auto"
    #: `auto` for all GPUs, else one process; a number for that many on each machine. Where torchrun
    #: or SLURM start the processes, they say how many.
    devices: Count | Literal["auto"] = "auto"
    num_nodes: Count = 1  #: Machines; torchrun and SLURM say that, too
    #: `auto` is ddp for more than one device; fsdp shares out the weights as well, for models that
    #: do not fit into one GPU
    strategy: Literal["auto", "ddp", "fsdp"] = "auto"
    clip_gradient: Positive | None = 1.0  #: Largest norm of the gradient; null for no limit
    accumulate: Count = 1  #: Batches of one step
    #: Decay of an exponential moving average of the weights, which is then what is validated, kept
    #: and tested; null for none
    ema: Annotated[float, Field(gt=0, lt=1)] | None = None
    #: Checkpoints of the best epochs; beyond one, each has its epoch and mAP in its name
    keep: Count = 1
    early_stop: EarlyStopConfig | None = None  #: Null for all epochs
    #: Train and validate on the first clips of the training list, as they are: a set-up that cannot
    #: learn even these is broken. Null for training in earnest.
    overfit: Count | None = None

    @model_validator(mode="after")
    def _averages_are_whole(self) -> Self:
        if self.strategy == "fsdp" and self.ema is not None:
            raise ValueError("weights that are shared out have no average: ema is for auto and ddp")
        return self


class EvaluationConfig(Config):
    """How a clip is scored, in validation and in tests alike."""

    #: Views in time and crops in space; the model sees each combination
    views: Count = 1
    crops: Literal[1, 3] = 1
    #: What is averaged over them: probabilities (`sigmoid`; of a task whose labels exclude each
    #: other, those of its softmax), or logits
    average: Literal["sigmoid", "logit"] = "sigmoid"

    @property
    def words(self) -> str:
        """Say how often a clip is seen."""
        counts = (self.views, "view"), (self.crops, "crop")
        return " x ".join(f"{n} {name}{'' if n == 1 else 's'}" for n, name in counts)


class TrainConfig(Config):
    """Everything that decides a training run."""

    model: ModelConfig
    data: DataConfig = DataConfig()
    loss: LossConfig = LossConfig()
    freeze: FreezeConfig = FreezeConfig()
    optimizer: OptimizerConfig = OptimizerConfig()
    schedule: ScheduleConfig = ScheduleConfig()
    trainer: TrainerConfig = TrainerConfig()
    evaluation: EvaluationConfig = EvaluationConfig()
    seed: Annotated[int, Field(ge=0)] = 0

    @model_validator(mode="after")
    def _crops_need_something_to_crop(self) -> Self:
        if self.data.fit == "stretch" and self.evaluation.crops > 1:
            raise ValueError("stretched frames have one crop: set evaluation.crops to 1")
        return self

    @model_validator(mode="after")
    def _mixing_needs_two_clips(self) -> Self:
        if self.data.batch_size == 1 and (self.data.augment.mixup or self.data.augment.cutmix):
            raise ValueError("mixup and cutmix mix clips of a batch: set data.batch_size to 2")
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
