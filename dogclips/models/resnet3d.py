"""ResNets with one pathway and kernels over time: I3D and Slow.

I3D inflates an image network: Carreira and Zisserman, "Quo Vadis, Action Recognition?", CVPR 2017
(arXiv 1705.07750), section 2.4, as a ResNet-50 after Wang, Girshick, Gupta and He, "Non-local
Neural Networks", CVPR 2018 (arXiv 1711.07971), section 4. Slow is the slow pathway of SlowFast
alone: Feichtenhofer, Fan, Malik and He, ICCV 2019 (arXiv 1812.03982), section 3.1 and table 1.

Parameters carry the names that published checkpoints use, so that those load without a map.

Shapes: B clips, C channels, T frames, H x W pixels, K classes.
"""

from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from dogclips.config import Config
from dogclips.errors import ModelError
from dogclips.models.slowfast import EXPANSION, ResBlock
from dogclips.models.video_model import ModelInput, VideoModel, run_block

Positive = Annotated[int, Field(ge=1)]
Kernels = Annotated[tuple[Positive, ...], Field(min_length=1)]


class ResNet3DConfig(Config):
    """What I3D and Slow have in common; their own classes hold the published values.

    Parameters
    ----------
    depths
        Residual blocks of res2 to res5; (3, 4, 6, 3) is ResNet-50.
    width
        Channels of the stem.
    stem_kernel
        Frames under the first kernel; odd.
    stem_strides
        Strides in time of the stem's convolution and of its pooling.
    kernels
        Frames under the first kernel of a residual block; odd. For each of res2 to res5, repeated
        over its blocks.
    time_pool
        Frames of which the strongest is kept after res2.
    dropout
        Share of features dropped before the classifier.
    checkpointing
        Compute each residual block again in the backward pass: less memory, more time.
    """

    depths: tuple[Positive, Positive, Positive, Positive] = (3, 4, 6, 3)
    width: Positive = 64
    stem_kernel: Positive = 1
    stem_strides: tuple[Positive, Positive] = (1, 1)
    kernels: tuple[Kernels, Kernels, Kernels, Kernels] = ((1,), (1,), (3,), (3,))
    time_pool: Positive = 1
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.5
    checkpointing: bool = False


class I3DConfig(ResNet3DConfig):
    """Sizes of an I3D; the defaults are the R50 for 8 frames, 8 apart.

    Weights for 32 frames, 2 apart, that thin them out in the stem want `stem_strides` (2, 2).
    """

    name: Literal["i3d"] = "i3d"
    stem_kernel: Positive = 5
    kernels: tuple[Kernels, Kernels, Kernels, Kernels] = ((3,), (3, 1), (3, 1), (1, 3))
    time_pool: Positive = 2


class SlowConfig(ResNet3DConfig):
    """Sizes of a Slow network; the defaults are the R50 for 8 frames, 8 apart."""

    name: Literal["slow"] = "slow"


class Stem(nn.Module):
    """First convolution and pooling, spatial stride 4 in all."""

    def __init__(self, config: ResNet3DConfig) -> None:
        super().__init__()
        kernel, (conv_stride, pool_stride) = config.stem_kernel, config.stem_strides
        self.conv = nn.Conv3d(
            3,
            config.width,
            (kernel, 7, 7),
            stride=(conv_stride, 2, 2),
            padding=(kernel // 2, 3, 3),
            bias=False,
        )
        self.bn = nn.BatchNorm3d(config.width)
        self.relu = nn.ReLU(inplace=True)
        self.pool = nn.MaxPool3d((1, 3, 3), stride=(pool_stride, 2, 2), padding=(0, 1, 1))

    def forward(self, x_B3THW: Tensor) -> Tensor:
        """Return features (B, C, T, H/4, W/4)."""
        x_BCTHW: Tensor = self.pool(self.relu(self.bn(self.conv(x_B3THW))))
        return x_BCTHW


class Head(nn.Module):
    """Average over time and space, classify."""

    def __init__(self, features: int, num_classes: int, dropout: float) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.projection = nn.Linear(features, num_classes)

    def forward(self, x_BCTHW: Tensor) -> Tensor:
        """Return the logits (B, K)."""
        logits_BK: Tensor = self.projection(self.dropout(x_BCTHW.mean((2, 3, 4))))
        return logits_BK


class ResNet3D(VideoModel):
    """I3D or Slow, as the configuration says; input (B, 3, T, size, size), logits (B, K).

    Raises
    ------
    ModelError
        The frame count is no multiple of the strides in time, or a kernel is even.
    """

    def __init__(
        self, config: I3DConfig | SlowConfig, expects: ModelInput, num_classes: int
    ) -> None:
        super().__init__(expects, num_classes)
        _check_sizes(config, expects)
        self.checkpointing = config.checkpointing
        self.s1 = nn.ModuleDict({"pathway0_stem": Stem(config)})
        channels = config.width
        for k in range(2, 6):  # res2 to res5, as the papers' tables number them
            inner = config.width * 2 ** (k - 2)
            self.add_module(f"s{k}", _stage(config, k, channels, inner))
            channels = inner * EXPANSION
        self.time_pool = nn.MaxPool3d((config.time_pool, 1, 1))
        self.head = Head(channels, num_classes, config.dropout)
        self._reset()

    def forward(self, x_B3THW: Tensor) -> Tensor:
        """Return the logits (B, K)."""
        self.check_input(x_B3THW)
        # Channels innermost: convolutions and batch norms are up to twice as fast that way.
        x_B3THW = x_B3THW.contiguous(memory_format=torch.channels_last_3d)
        x_BCTHW = self.s1["pathway0_stem"](x_B3THW)
        for k in range(2, 6):
            for block in self.get_submodule(f"s{k}").children():
                x_BCTHW = run_block(block, x_BCTHW, checkpointing=self.checkpointing)
            if k == 2:
                x_BCTHW = self.time_pool(x_BCTHW)
        logits_BK: Tensor = self.head(x_BCTHW)
        return logits_BK

    def _reset(self) -> None:
        """He initialisation; every residual block starts as its shortcut (last gamma 0)."""
        for module in self.modules():
            if isinstance(module, nn.Conv3d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            elif isinstance(module, ResBlock):
                nn.init.zeros_(module.branch2.c_bn.weight)
        nn.init.normal_(self.head.projection.weight, std=0.01)
        nn.init.zeros_(self.head.projection.bias)


def _stage(config: ResNet3DConfig, k: int, into: int, inner: int) -> nn.ModuleDict:
    """Return the blocks of res k; the first widens, and halves height and width after res2."""
    kernels = config.kernels[k - 2]
    out = inner * EXPANSION
    return nn.ModuleDict(
        {
            f"pathway0_res{i}": ResBlock(
                (into if i == 0 else out, inner, out),
                kernels[i % len(kernels)],
                stride=2 if i == 0 and k > 2 else 1,
            )
            for i in range(config.depths[k - 2])
        }
    )


def _check_sizes(config: ResNet3DConfig, expects: ModelInput) -> None:
    clip_len = expects.clip_len
    step = config.stem_strides[0] * config.stem_strides[1] * config.time_pool
    if clip_len % step:
        below = clip_len // step * step
        fitting = [frames for frames in (below, below + step) if frames]
        raise ModelError(
            f"{clip_len} frames are no multiple of {step}, so that some would not be seen",
            where="data.sampling.clip_len, model.stem_strides, model.time_pool",
            todo=f"set data.sampling.clip_len to {' or '.join(map(str, fitting))}",
        )
    even = [k for k in (config.stem_kernel, *sum(config.kernels, ())) if k % 2 == 0]
    if even:
        raise ModelError(
            f"a kernel of {even[0]} frames is even and has no middle frame",
            where="model.stem_kernel, model.kernels",
            todo=f"set it to {even[0] + 1}",
        )
