"""Settings of a training run; every key does something, whichever model is trained."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from dogclips.config import Config
from dogclips.loading.transforms import Crop, Fit
from dogclips.models import ModelConfig

Count = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(ge=0, lt=1)]
NotNegative = Annotated[float, Field(ge=0)]
Positive = Annotated[float, Field(gt=0)]


class SamplingConfig(Config):
    """Which frames of a clip the model sees: uniform segments over the whole clip.

    Parameters
    ----------
    clip_len
        Frames of one view.
    """

    clip_len: Count = 8


class AugmentConfig(Config):
    """Random changes to training clips.

    Parameters
    ----------
    flip
        Mirror half of them from left to right; switch off where labels tell sides apart.
    scale
        Smallest and largest short side before the crop, in multiples of `data.size`.
    crop
        Where the crop lies: `random`, or `centre` where all that is labelled happens there and a
        crop of the side would miss it.
    """

    flip: bool = True
    scale: tuple[float, float] = (1.0, 1.25)
    crop: Crop = "random"

    @model_validator(mode="after")
    def _scales_ascend_from_one(self) -> Self:
        if not 1.0 <= self.scale[0] <= self.scale[1]:
            raise ValueError("scale wants two ascending numbers from 1")
        return self


class DataConfig(Config):
    """Lists and how their clips become batches.

    Parameters
    ----------
    train, val
        List files.
    root
        What paths in the lists are relative to; null for the folder of each list.
    size
        Side of a view in pixels.
    fit
        Frames that are not square are cropped, or stretched so that nothing is cut off.
    batch_size
        Clips of a step on each device.
    workers
        Loading processes; null for one a core but one, at most 8, and 0 for none.
    """

    train: Path | None = None
    val: Path | None = None
    root: Path | None = None
    sampling: SamplingConfig = SamplingConfig()
    size: Count = 224
    fit: Fit = "crop"
    batch_size: Count = 8
    workers: Annotated[int, Field(ge=0)] | None = None
    augment: AugmentConfig = AugmentConfig()


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


class TrainerConfig(Config):
    """How long, on what and how exactly.

    Parameters
    ----------
    precision
        `auto` is bf16-mixed where CUDA has it, 16-mixed on other CUDA, else 32-true.
    devices
        `auto` for all GPUs, else one process; a number for that many.
    strategy
        `auto` is ddp for more than one device.
    clip_gradient
        Largest norm of the gradient; null for no limit.
    accumulate
        Batches of one step.
    ema
        Decay of an exponential moving average of the weights, which is then what is validated,
        kept and tested; null for none.
    """

    epochs: Count = 30
    precision: Literal["auto", "32-true", "16-mixed", "bf16-mixed"] = "auto"
    devices: Count | Literal["auto"] = "auto"
    strategy: Literal["auto", "ddp"] = "auto"
    clip_gradient: Positive | None = 1.0
    accumulate: Count = 1
    ema: Annotated[float, Field(gt=0, lt=1)] | None = None


class EvaluationConfig(Config):
    """How a clip is scored, in validation and in tests alike.

    Parameters
    ----------
    views, crops
        Views in time and crops in space; the model sees each combination.
    average
        What is averaged over them: sigmoid probabilities, or logits.
    """

    views: Count = 1
    crops: Literal[1, 3] = 1
    average: Literal["sigmoid", "logit"] = "sigmoid"


class TrainConfig(Config):
    """Everything that decides a training run."""

    model: ModelConfig
    data: DataConfig = DataConfig()
    loss: LossConfig = LossConfig()
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

    @property
    def protocol(self) -> str:
        """Say in words how a clip is scored; printed with every score."""
        scoring, data = self.evaluation, self.data
        views = f"{scoring.views} view{'s' if scoring.views > 1 else ''}"
        crops = f"{scoring.crops} crop{'s' if scoring.crops > 1 else ''}"
        pixels = f"{data.size} px" + (" stretched" if data.fit == "stretch" else "")
        return (
            f"{views} x {crops}, {data.sampling.clip_len} frames uniform over the clip, "
            f"{pixels}, {scoring.average} averaged"
        )
