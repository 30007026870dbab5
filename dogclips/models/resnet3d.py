"""ResNets with one pathway and kernels over time: I3D and Slow.

I3D inflates an image network: Carreira and Zisserman, "Quo Vadis, Action Recognition?", CVPR 2017
(arXiv 1705.07750), section 2.4, as a ResNet-50 after Wang, Girshick, Gupta and He, "Non-local
Neural Networks", CVPR 2018 (arXiv 1711.07971), section 4. Slow is the slow pathway of SlowFast
alone: Feichtenhofer, Fan, Malik and He, ICCV 2019 (arXiv 1812.03982), section 3.1 and table 1.

Parameters carry the names that published checkpoints use, so that those load without a map.

Shapes: B clips, C channels, T frames, H x W pixels, K classes.
"""

from typing import Annotated, Literal

from pydantic import Field
from torch import nn

from dogclips.config import Config, Count, Share
from dogclips.errors import ModelError
from dogclips.models.residual import (
    EXPANSION,
    Depths,
    Head,
    OnePathway,
    Stem,
    res_block,
    start_as_shortcuts,
)
from dogclips.models.video_model import ModelInput, nearest_multiples

Kernels = Annotated[tuple[Count, ...], Field(min_length=1)]


class ResNet3DConfig(Config):
    """What I3D and Slow have in common; their own classes hold the published values."""

    depths: Depths = (3, 4, 6, 3)  #: Residual blocks of res2 to res5; (3, 4, 6, 3) is ResNet-50
    width: Count = 64  #: Channels of the stem
    stem_kernel: Count = 1  #: Frames under the first kernel; odd
    #: Strides in time of the stem's convolution and of its pooling
    stem_strides: tuple[Count, Count] = (1, 1)
    #: Frames under the first kernel of a residual block; odd. For each of res2 to res5, repeated
    #: over its blocks.
    kernels: tuple[Kernels, Kernels, Kernels, Kernels] = ((1,), (1,), (3,), (3,))
    time_pool: Count = 1  #: Frames of which the strongest is kept after res2
    dropout: Share = 0.5  #: Share of features dropped before the classifier
    #: Compute each residual block again in the backward pass: less memory, more time
    checkpointing: bool = False


class I3DConfig(ResNet3DConfig):
    """Sizes of an I3D; the defaults are the R50 for 8 frames, 8 apart.

    Weights for 32 frames, 2 apart, that thin them out in the stem want `stem_strides` (2, 2).
    """

    name: Literal["i3d"] = "i3d"
    stem_kernel: Count = 5
    kernels: tuple[Kernels, Kernels, Kernels, Kernels] = ((3,), (3, 1), (3, 1), (1, 3))
    time_pool: Count = 2


class SlowConfig(ResNet3DConfig):
    """Sizes of a Slow network; the defaults are the R50 for 8 frames, 8 apart."""

    name: Literal["slow"] = "slow"


class ResNet3D(OnePathway):
    """I3D or Slow, as the configuration says; input (B, 3, T, size, size), logits (B, K)."""

    def __init__(
        self, config: I3DConfig | SlowConfig, expects: ModelInput, num_classes: int
    ) -> None:
        super().__init__(expects, num_classes, checkpointing=config.checkpointing)
        _check_sizes(config, expects)
        stem = Stem(config.width, config.stem_kernel, config.stem_strides)
        self.s1 = nn.ModuleDict({"pathway0_stem": stem})
        channels = config.width
        for k, depth, kernels in zip(range(2, 6), config.depths, config.kernels, strict=True):
            inner, blocks = config.width * 2 ** (k - 2), []
            for i in range(depth):  # the first widens, and halves height and width after res2
                stride = 2 if i == 0 and k > 2 else 1
                blocks.append(res_block((channels, inner), kernels[i % len(kernels)], stride))
                channels = inner * EXPANSION
            self.add_stage(k, blocks)
        self.time_pool = nn.MaxPool3d((config.time_pool, 1, 1))
        self.head = Head(channels, num_classes, config.dropout)
        start_as_shortcuts(self)


def _check_sizes(config: ResNet3DConfig, expects: ModelInput) -> None:
    clip_len = expects.clip_len
    step = config.stem_strides[0] * config.stem_strides[1] * config.time_pool
    if clip_len % step:
        raise ModelError(
            f"{clip_len} frames are no multiple of {step}, so that some would not be seen",
            where="data.sampling.clip_len, model.stem_strides, model.time_pool",
            todo=f"set data.sampling.clip_len to {nearest_multiples(clip_len, step)}",
        )
    even = [k for k in (config.stem_kernel, *sum(config.kernels, ())) if k % 2 == 0]
    if even:
        raise ModelError(
            f"a kernel of {even[0]} frames is even and has no middle frame",
            where="model.stem_kernel, model.kernels",
            todo=f"set it to {even[0] + 1}",
        )
