"""Settings of lists, frames and batches."""

from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from dogclips.config import Config
from dogclips.loading.transforms import Crop, Fit
from dogclips.training.numbers import Count


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
