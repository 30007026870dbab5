"""Settings of lists, frames and batches."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, field_validator, model_validator

from dogclips.config import Config
from dogclips.loading.excerpts import Source
from dogclips.loading.transforms import Crop, Fit
from dogclips.training.numbers import Count, NotNegative, Positive


def _ascend(pair: tuple[float, float]) -> tuple[float, float]:
    if not 0 < pair[0] <= pair[1]:
        raise ValueError("two ascending numbers above 0")
    return pair


Ascending = Annotated[tuple[float, float], AfterValidator(_ascend)]


class SamplingConfig(Config):
    """Which frames of a clip the model sees.

    Parameters
    ----------
    mode
        `uniform` divides the whole clip into as many segments as the model takes frames; `dense`
        takes frames at a fixed interval. A clip that is too short for that is sampled uniformly,
        which is said before training begins.
    clip_len
        Frames of one view.
    interval, interval_seconds
        Of `dense`: from one frame to the next, in frames of the clip or in seconds; one of them.
    num_views
        Random views of one clip in a training step.
    """

    mode: Literal["uniform", "dense"] = "uniform"
    clip_len: Count = 8
    interval: Count | None = None
    interval_seconds: Positive | None = None
    num_views: Count = 1

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


class ResizedCropConfig(Config):
    """A crop of random size and shape, as torchvision's RandomResizedCrop takes it.

    Parameters
    ----------
    scale
        Smallest and largest share of the frame's area.
    ratio
        Smallest and largest width by height.
    """

    scale: Ascending = (0.08, 1.0)
    ratio: Ascending = (3 / 4, 4 / 3)

    @field_validator("scale")
    @classmethod
    def _is_a_share(cls, scale: tuple[float, float]) -> tuple[float, float]:
        if scale[1] > 1:
            raise ValueError("a crop is no larger than the frame: at most 1")
        return scale


class ColorJitterConfig(Config):
    """How far colours change, as torchvision's ColorJitter takes it.

    Parameters
    ----------
    brightness, contrast, saturation
        0.4 draws a factor from 0.6 to 1.4.
    hue
        Share of the colour circle, to either side.
    """

    brightness: NotNegative = 0.4
    contrast: NotNegative = 0.4
    saturation: NotNegative = 0.4
    hue: Annotated[float, Field(ge=0, le=0.5)] = 0.1


class RandAugmentConfig(Config):
    """Random operations one after the other (Cubuk et al. 2020), as torchvision has them.

    Parameters
    ----------
    num_ops
        How many of them.
    magnitude
        How strong they are, of 30.
    """

    num_ops: Count = 2
    magnitude: Annotated[int, Field(ge=0, le=30)] = 9


class RandomErasingConfig(Config):
    """A rectangle of each frame becomes black, at the same place (Zhong et al. 2020).

    Parameters
    ----------
    probability
        Of a clip.
    scale
        Smallest and largest share of the view's area.
    ratio
        Smallest and largest height by width.
    """

    probability: Annotated[float, Field(gt=0, le=1)] = 0.25
    scale: Ascending = (0.02, 1 / 3)
    ratio: Ascending = (0.3, 3.3)


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
    resized_crop
        A crop of random size and shape in place of `scale` and `crop`; null for none.
    color_jitter, rand_augment, random_erasing
        Done to the view in this order, to all frames alike; null for none.
    mixup, cutmix
        Clips of a batch blended, or put into each other: alpha of the Beta distribution; 0 for
        none.
    """

    flip: bool = True
    scale: tuple[float, float] = (1.0, 1.25)
    crop: Crop = "random"
    resized_crop: ResizedCropConfig | None = None
    color_jitter: ColorJitterConfig | None = None
    rand_augment: RandAugmentConfig | None = None
    random_erasing: RandomErasingConfig | None = None
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
    balance
        How far rare labels are drawn more often: 0 draws every clip once an epoch, 1 every class
        equally often where clips have one label each, 0.5 is halfway (by a square root).
    source
        `clips` reads the cut files; `recordings` looks each listed clip up in the manifest of its
        output folder and decodes its frames from the recording, so that no file need be cut.
    decoder
        `auto` is PyAV, which was measured to be the faster one; TorchCodec gives the same frames.
    on_bad_clip
        A clip that does not decode is an error, or is left out, counted and listed (`skip`).
    workers
        Loading processes on each device; null for as many as cores and memory allow, at most 8,
        and 0 for none.
    prefetch
        Batches that each of them loads ahead; null for 2, or 1 where memory is short.
    pin_memory
        Batches wait where a GPU can fetch them itself; null for yes where there is one.
    """

    train: Path | None = None
    val: Path | None = None
    root: Path | None = None
    sampling: SamplingConfig = SamplingConfig()
    size: Count = 224
    fit: Fit = "crop"
    batch_size: Count = 8
    balance: Annotated[float, Field(ge=0, le=1)] = 0.0
    source: Source = "clips"
    decoder: Literal["auto", "pyav", "torchcodec"] = "auto"
    on_bad_clip: Literal["error", "skip"] = "error"
    workers: Annotated[int, Field(ge=0)] | None = None
    prefetch: Count | None = None
    pin_memory: bool | None = None
    augment: AugmentConfig = AugmentConfig()
