"""X3D, a small network for few multiply-adds.

After Feichtenhofer, "X3D: Expanding Architectures for Efficient Video Recognition", CVPR 2020
(arXiv 2004.04730), section 3 and table 3: channelwise 3x3x3 convolutions inside inverted
bottlenecks, with squeeze-and-excitation in every other one.

Parameters carry the names that published checkpoints use, so that those load without a map.

Shapes: B clips, C channels, T frames, H x W pixels, K classes.
"""

from typing import Annotated, Literal

from pydantic import Field
from torch import Tensor, nn

from dogclips.config import Config, Count
from dogclips.models.resnet3d import (
    Bottleneck,
    Depths,
    OnePathway,
    ResBlock,
    convolution,
    start_as_shortcuts,
)
from dogclips.models.video_model import Checkpointing, Dropout, ModelInput

SQUEEZE = 16  # channels of a block for each one in its squeeze-and-excitation
STEP = 8  # in which those are rounded


class X3DConfig(Config):
    """Sizes of an X3D; the defaults are those of XS, S and M, which differ only in their input."""

    name: Literal["x3d"] = Field("x3d", description="Architecture.")
    depths: Depths = (3, 5, 11, 7)  # (5, 10, 25, 15) is X3D-L
    width: Count = Field(
        24, description="Channels of the stem and of res2; they double with each stage."
    )
    expansion: Annotated[float, Field(ge=1)] = Field(
        2.25, description="Channels inside a block, in multiples of those that leave it."
    )
    head_width: Count = Field(2048, description="Channels before the classifier.")
    dropout: Dropout = 0.5
    checkpointing: Checkpointing = False


def squeezed_width(channels: int) -> int:
    """Return the channels of a squeeze: a sixteenth, in steps of 8, and never 10 % below that.

    >>> [squeezed_width(channels) for channels in (54, 108, 216, 432)]
    [8, 8, 16, 32]
    """
    exact = channels / SQUEEZE
    rounded = max(STEP, int(exact + STEP / 2) // STEP * STEP)
    return rounded + STEP if rounded < 0.9 * exact else rounded


class _Stem(nn.Module):
    """A convolution over space, then a channelwise one over time; spatial stride 2."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv_xy = convolution(3, channels, (1, 3, 3), (1, 2, 2))
        self.conv = convolution(channels, channels, (5, 1, 1), groups=channels)
        self.bn = nn.BatchNorm3d(channels)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x_B3THW: Tensor) -> Tensor:
        """Return features (B, C, T, H/2, W/2)."""
        x_BCTHW: Tensor = self.relu(self.bn(self.conv(self.conv_xy(x_B3THW))))
        return x_BCTHW


class SqueezeExcitation(nn.Module):
    """Weigh each channel by what all of them are on average."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        inner = squeezed_width(channels)
        self.fc1 = nn.Conv3d(channels, inner, 1)
        self.fc2 = nn.Conv3d(inner, channels, 1)

    def forward(self, x_BCTHW: Tensor) -> Tensor:
        """Return features of the same shape."""
        mean_BC111 = x_BCTHW.mean((2, 3, 4), keepdim=True)
        weight_BC111 = self.fc2(self.fc1(mean_BC111).relu()).sigmoid()
        y_BCTHW: Tensor = x_BCTHW * weight_BC111
        return y_BCTHW


def _res_block(channels: tuple[int, int, int], stride: int, *, excited: bool) -> ResBlock:
    """Return a residual block: widen, convolve each channel alone over space and time, narrow."""
    into, inner, out = channels
    residual = Bottleneck(
        convolution(into, inner, (1, 1, 1)),
        convolution(inner, inner, (3, 3, 3), (1, stride, stride), groups=inner),
        convolution(inner, out, (1, 1, 1)),
        se=SqueezeExcitation(inner) if excited else None,
        activation=nn.SiLU(inplace=True),
    )
    return ResBlock(into, stride, residual)


class _Head(nn.Module):
    """Widen, average over time and space, widen again, classify."""

    def __init__(self, into: int, inner: int, config: X3DConfig, num_classes: int) -> None:
        super().__init__()
        self.conv_5 = convolution(into, inner, (1, 1, 1))
        self.conv_5_bn = nn.BatchNorm3d(inner)
        self.relu = nn.ReLU(inplace=True)
        self.lin_5 = convolution(inner, config.head_width, (1, 1, 1))
        self.dropout = nn.Dropout(config.dropout)
        self.projection = nn.Linear(config.head_width, num_classes)

    def forward(self, x_BCTHW: Tensor) -> Tensor:
        """Return the logits (B, K)."""
        x_BCTHW = self.relu(self.conv_5_bn(self.conv_5(x_BCTHW)))
        x_BC111 = self.relu(self.lin_5(x_BCTHW.mean((2, 3, 4), keepdim=True)))
        logits_BK: Tensor = self.projection(self.dropout(x_BC111.flatten(1)))
        return logits_BK


class X3D(OnePathway):
    """Channelwise ResNet; input (B, 3, T, size, size), output logits (B, K).

    Any frame count and size fit: nothing is thinned out in time, and odd sizes are rounded up.
    """

    def __init__(self, config: X3DConfig, expects: ModelInput, num_classes: int) -> None:
        super().__init__(expects, num_classes, checkpointing=config.checkpointing)
        self.s1 = nn.ModuleDict({"pathway0_stem": _Stem(config.width)})
        into = config.width
        for k, depth in enumerate(config.depths, start=2):
            out = config.width * 2 ** (k - 2)
            inner, blocks = int(config.expansion * out), []
            for i in range(depth):  # the first halves height and width
                stride, excited = 2 if i == 0 else 1, i % 2 == 0
                blocks.append(_res_block((into, inner, out), stride, excited=excited))
                into = out
            self.add_stage(k, blocks)
        self.head = _Head(into, inner, config, num_classes)
        start_as_shortcuts(self)
