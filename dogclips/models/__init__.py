"""Networks from clips to logits, one file an architecture."""

from collections.abc import Callable
from typing import Annotated, Any

from pydantic import Field

from dogclips.models.mvit import MViT, MViTConfig
from dogclips.models.resnet3d import I3DConfig, ResNet3D, SlowConfig
from dogclips.models.slowfast import SlowFast, SlowFastConfig
from dogclips.models.timesformer import TimeSformer, TimeSformerConfig
from dogclips.models.uniformer import UniFormerV2, UniFormerV2Config
from dogclips.models.video_model import ModelInput, VideoModel
from dogclips.models.x3d import X3D, X3DConfig

__all__ = ["ModelConfig", "ModelInput", "VideoModel", "build_model"]

ModelConfig = Annotated[
    TimeSformerConfig
    | SlowFastConfig
    | MViTConfig
    | I3DConfig
    | SlowConfig
    | X3DConfig
    | UniFormerV2Config,
    Field(discriminator="name"),
]

BUILDERS: dict[str, Callable[[Any, ModelInput, int], VideoModel]] = {
    "timesformer": TimeSformer,
    "slowfast": SlowFast,
    "mvit": MViT,
    "i3d": ResNet3D,
    "slow": ResNet3D,
    "x3d": X3D,
    "uniformerv2": UniFormerV2,
}


def build_model(config: ModelConfig, num_classes: int, clip_len: int, size: int) -> VideoModel:
    """Build the network that `config.name` names, with fresh weights; `size` is in pixels."""
    return BUILDERS[config.name](config, ModelInput(clip_len, size), num_classes)
