"""What the residual networks over time are made of, and those with one pathway: I3D and Slow.

He, Zhang, Ren and Sun, "Deep Residual Learning for Image Recognition", CVPR 2016 (arXiv
1512.03385), with kernels over time. I3D inflates an image network: Carreira and Zisserman, "Quo
Vadis, Action Recognition?", CVPR 2017 (arXiv 1705.07750), section 2.4, as a ResNet-50 after Wang,
Girshick, Gupta and He, "Non-local Neural Networks", CVPR 2018 (arXiv 1711.07971), section 4. Slow
is the slow pathway of SlowFast alone: Feichtenhofer, Fan, Malik and He, ICCV 2019 (arXiv
1812.03982), section 3.1 and table 1.

Parameters carry the names that published checkpoints use, so that those load without a map.

Shapes: B clips, C channels, T frames, H x W pixels, K classes.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from dogclips.config import Config, Count, Frames
from dogclips.errors import ModelError
from dogclips.models.video_model import (
    Checkpointing,
    Dropout,
    ModelInput,
    VideoModel,
    nearest_multiples,
    run_block,
)

# Stages are numbered as in the papers' tables.
Depths = Annotated[
    tuple[Count, Count, Count, Count],
    Field(
        description="Number of residual blocks in res2 to res5; [3, 4, 6, 3] is a ResNet-50, "
        "[3, 4, 23, 3] a ResNet-101."
    ),
]
EXPANSION = 4  # channels out of a bottleneck, in multiples of its inner width
Kernels = Annotated[tuple[Frames, ...], Field(min_length=1)]
StageKernels = Annotated[
    tuple[Kernels, Kernels, Kernels, Kernels],
    Field(
        description="Length in time of the first kernel of a residual block, odd; a list for each "
        "of res2 to res5 that is repeated over its blocks."
    ),
]
StemKernel = Annotated[Frames, Field(description="Length in time of the first kernel; odd.")]
TimePool = Annotated[
    Frames, Field(description="Length in time of the max pooling after res2; 1 for none.")
]


def convolution(
    into: int,
    out: int,
    kernel: tuple[int, int, int],
    stride: tuple[int, int, int] = (1, 1, 1),
    groups: int = 1,
) -> nn.Conv3d:
    """Return a convolution that keeps the shape but for its stride; a batch norm follows."""
    padding = (kernel[0] // 2, kernel[1] // 2, kernel[2] // 2)
    return nn.Conv3d(into, out, kernel, stride, padding, groups=groups, bias=False)


class Stem(nn.Module):
    """First convolution, over `kernel` frames, and pooling; spatial stride 4 in all.

    `strides` are those in time, of the convolution and of the pooling.
    """

    def __init__(self, channels: int, kernel: int, strides: tuple[int, int] = (1, 1)) -> None:
        super().__init__()
        self.conv = convolution(3, channels, (kernel, 7, 7), (strides[0], 2, 2))
        self.bn = nn.BatchNorm3d(channels)
        self.relu = nn.ReLU(inplace=True)
        self.pool = nn.MaxPool3d((1, 3, 3), (strides[1], 2, 2), padding=(0, 1, 1))

    def forward(self, x_B3THW: Tensor) -> Tensor:
        """Return features (B, C, T, H/4, W/4)."""
        x_BCTHW: Tensor = self.pool(self.relu(self.bn(self.conv(x_B3THW))))
        return x_BCTHW


class Bottleneck(nn.Module):
    """The three convolutions of a residual block, each with its norm.

    `se` and `activation` come behind the second norm.
    """

    def __init__(
        self,
        a: nn.Conv3d,
        b: nn.Conv3d,
        c: nn.Conv3d,
        se: nn.Module | None = None,
        activation: nn.Module | None = None,
    ) -> None:
        super().__init__()
        self.a = a
        self.a_bn = nn.BatchNorm3d(a.out_channels)
        self.relu = nn.ReLU(inplace=True)
        self.b = b
        self.b_bn = nn.BatchNorm3d(b.out_channels)
        self.se = se or nn.Identity()
        self.activation = activation or self.relu
        self.c = c
        self.c_bn = nn.BatchNorm3d(c.out_channels)

    def forward(self, x_BCTHW: Tensor) -> Tensor:
        """Return the residual."""
        x_BCTHW = self.relu(self.a_bn(self.a(x_BCTHW)))
        x_BCTHW = self.activation(self.se(self.b_bn(self.b(x_BCTHW))))
        return self.c_bn(self.c(x_BCTHW))  # type: ignore[no-any-return]


class ResBlock(nn.Module):
    """A residual block; the shortcut is projected where its shape changes."""

    def __init__(self, into: int, stride: int, residual: Bottleneck) -> None:
        super().__init__()
        out = residual.c.out_channels
        self.projected = into != out or stride != 1
        if self.projected:
            self.branch1 = convolution(into, out, (1, 1, 1), (1, stride, stride))
            self.branch1_bn = nn.BatchNorm3d(out)
        self.branch2 = residual
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x_BCTHW: Tensor) -> Tensor:
        """Return features (B, C, T, H/stride, W/stride)."""
        shortcut = self.branch1_bn(self.branch1(x_BCTHW)) if self.projected else x_BCTHW
        y_BCTHW: Tensor = self.relu(shortcut + self.branch2(x_BCTHW))
        return y_BCTHW


def res_block(channels: tuple[int, int], kernel: int, stride: int) -> ResBlock:
    """Return a block of channels (into, inner): time in convolution a, stride in b."""
    into, inner = channels
    residual = Bottleneck(
        convolution(into, inner, (kernel, 1, 1)),
        convolution(inner, inner, (1, 3, 3), (1, stride, stride)),
        convolution(inner, inner * EXPANSION, (1, 1, 1)),
    )
    return ResBlock(into, stride, residual)


def res_stage(into: int, inner: int, kernels: Sequence[int], stride: int) -> Iterator[ResBlock]:
    """Yield the blocks of a stage, each with its frames under the kernel; the first one strides."""
    for i, kernel in enumerate(kernels):
        yield res_block((into, inner), kernel, stride if i == 0 else 1)
        into = inner * EXPANSION


class Head(nn.Module):
    """Average each pathway over time and space, join them, classify."""

    def __init__(self, features: int, num_classes: int, dropout: float) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.projection = nn.Linear(features, num_classes)

    def forward(self, *pathways: Tensor) -> Tensor:
        """Return the logits (B, K)."""
        features_BC = torch.cat([x_BCTHW.mean((2, 3, 4)) for x_BCTHW in pathways], dim=1)
        logits_BK: Tensor = self.projection(self.dropout(features_BC))
        return logits_BK


class OnePathway(VideoModel):
    """A network of a stem `s1`, stages `s2` to `s5` and a `head`, one behind the other."""

    s1: nn.ModuleDict
    head: nn.Module

    def __init__(self, expects: ModelInput, num_classes: int, *, checkpointing: bool) -> None:
        super().__init__(expects, num_classes)
        self.checkpointing = checkpointing
        self.time_pool: nn.Module = nn.Identity()  # behind res2

    def add_stage(self, k: int, blocks: Iterable[ResBlock]) -> None:
        """Add res k."""
        named = {f"pathway0_res{i}": block for i, block in enumerate(blocks)}
        self.add_module(f"s{k}", nn.ModuleDict(named))

    def forward(self, x_B3THW: Tensor) -> Tensor:
        """Return the logits (B, K)."""
        self.check_input(x_B3THW)
        x_BCTHW = self.s1["pathway0_stem"](channels_innermost(x_B3THW))
        for k in range(2, 6):
            for block in self.get_submodule(f"s{k}").children():
                x_BCTHW = run_block(block, x_BCTHW, checkpointing=self.checkpointing)
            if k == 2:
                x_BCTHW = self.time_pool(x_BCTHW)
        logits_BK: Tensor = self.head(x_BCTHW)
        return logits_BK


def channels_innermost(x_BCTHW: Tensor) -> Tensor:
    """Return the same numbers as convolutions and batch norms want them: up to twice as fast."""
    return x_BCTHW.contiguous(memory_format=torch.channels_last_3d)


def start_as_shortcuts(model: nn.Module) -> None:
    """He initialisation; every residual block starts as its shortcut (last gamma 0)."""
    for module in model.modules():
        if isinstance(module, nn.Conv3d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, Bottleneck):
            nn.init.zeros_(module.c_bn.weight)
    projection = model.get_submodule("head.projection")
    nn.init.normal_(projection.get_parameter("weight"), std=0.01)
    nn.init.zeros_(projection.get_parameter("bias"))


class ResNet3DConfig(Config):
    """What I3D and Slow have in common; their own classes hold the published values."""

    depths: Depths = (3, 4, 6, 3)  # ResNet-50
    width: Count = Field(64, description="Channels of the stem.")
    stem_kernel: StemKernel = 1
    stem_strides: tuple[Count, Count] = Field(
        (1, 1), description="Strides in time of the stem's convolution and of its pooling."
    )
    kernels: StageKernels = ((1,), (1,), (3,), (3,))
    time_pool: TimePool = 1
    dropout: Dropout = 0.5
    checkpointing: Checkpointing = False


class I3DConfig(ResNet3DConfig):
    """Sizes of an I3D; the defaults are the R50 for 8 frames, 8 apart.

    Weights for 32 frames, 2 apart, that thin them out in the stem want `stem_strides` (2, 2).
    """

    name: Literal["i3d"] = Field("i3d", description="Architecture.")
    stem_kernel: StemKernel = 5
    kernels: StageKernels = ((3,), (3, 1), (3, 1), (1, 3))
    time_pool: TimePool = 2


class SlowConfig(ResNet3DConfig):
    """Sizes of a Slow network; the defaults are the R50 for 8 frames, 8 apart."""

    name: Literal["slow"] = Field("slow", description="Architecture.")


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
            inner = config.width * 2 ** (k - 2)
            repeated = [kernels[i % len(kernels)] for i in range(depth)]
            self.add_stage(k, res_stage(channels, inner, repeated, stride=2 if k > 2 else 1))
            channels = inner * EXPANSION
        self.time_pool = nn.MaxPool3d((config.time_pool, 1, 1))
        self.head = Head(channels, num_classes, config.dropout)
        start_as_shortcuts(self)


def _check_sizes(config: ResNet3DConfig, expects: ModelInput) -> None:
    clip_len = expects.clip_len
    step = config.stem_strides[0] * config.stem_strides[1] * config.time_pool
    if clip_len % step:
        raise ModelError(
            f"{clip_len} frames are not a multiple of {step}, so some would not be seen",
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
