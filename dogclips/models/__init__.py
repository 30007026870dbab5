"""Networks from clips to logits, one file an architecture."""

from collections.abc import Callable
from typing import Annotated, Any

from pydantic import Field

from dogclips.models.slowfast import SlowFast, SlowFastConfig
from dogclips.models.timesformer import TimeSformer, TimeSformerConfig
from dogclips.models.video_model import ModelInput, VideoModel

__all__ = [
    "ModelConfig",
    "ModelInput",
    "SlowFast",
    "SlowFastConfig",
    "TimeSformer",
    "TimeSformerConfig",
    "VideoModel",
    "build_model",
]

ModelConfig = Annotated[TimeSformerConfig | SlowFastConfig, Field(discriminator="name")]

BUILDERS: dict[str, Callable[[Any, ModelInput, int], VideoModel]] = {
    "timesformer": TimeSformer,
    "slowfast": SlowFast,
}


def build_model(
    config: TimeSformerConfig | SlowFastConfig, num_classes: int, clip_len: int, size: int
) -> VideoModel:
    """Build the network that `config.name` names, with fresh weights.

    Parameters
    ----------
    config
        One of the configurations of this package.
    num_classes
        Number of logits.
    clip_len
        Frames of one view.
    size
        Height and width of a frame in pixels.

    Raises
    ------
    ModelError
        Frames or size do not fit the architecture; the message names sizes that do.
    """
    return BUILDERS[config.name](config, ModelInput(clip_len, size), num_classes)
