"""X3D, a small network for few multiply-adds.

After Feichtenhofer, "X3D: Expanding Architectures for Efficient Video Recognition", CVPR 2020
(arXiv 2004.04730), section 3 and table 3: channelwise 3x3x3 convolutions inside inverted
bottlenecks, with squeeze-and-excitation in every other one.

Parameters carry the names that published checkpoints use, so that those load without a map.

Shapes: B clips, C channels, T frames, H x W pixels, K classes.
"""

from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from dogclips.config import Config
from dogclips.models.video_model import ModelInput, VideoModel, run_block

Positive = Annotated[int, Field(ge=1)]
SQUEEZE = 16  # channels of a block for each one in its squeeze-and-excitation
STEP = 8  # in which those are rounded


class X3DConfig(Config):
    """Sizes of an X3D; the defaults are those of XS, S and M, which differ only in their input.

    Parameters
    ----------
    depths
        Residual blocks of res2 to res5; (5, 10, 25, 15) is X3D-L.
    width
        Channels of the stem and of res2; they double with each stage.
    expansion
        Channels inside a block, in multiples of those that leave it.
    head_width
        Channels before the classifier.
    dropout
        Share of features dropped before the classifier.
    checkpointing
        Compute each residual block again in the backward pass: less memory, more time.
    """

    name: Literal["x3d"] = "x3d"
    depths: tuple[Positive, Positive, Positive, Positive] = (3, 5, 11, 7)
    width: Positive = 24
    expansion: Annotated[float, Field(ge=1)] = 2.25
    head_width: Positive = 2048
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.5
    checkpointing: bool = False


def squeezed_width(channels: int) -> int:
    """Return the channels of a squeeze: a sixteenth, in steps of 8, and never 10 % below that.

    >>> [squeezed_width(channels) for channels in (54, 108, 216, 432)]
    [8, 8, 16, 32]
    """
    exact = channels / SQUEEZE
    rounded = max(STEP, int(exact + STEP / 2) // STEP * STEP)
    return rounded + STEP if rounded < 0.9 * exact else rounded


class Stem(nn.Module):
    """A convolution over space, then a channelwise one over time; spatial stride 2."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv_xy = nn.Conv3d(3, channels, (1, 3, 3), (1, 2, 2), (0, 1, 1), bias=False)
        self.conv = nn.Conv3d(
            channels, channels, (5, 1, 1), padding=(2, 0, 0), groups=channels, bias=False
        )
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


class Bottleneck(nn.Module):
    """Widen, convolve each channel alone over space and time, narrow."""

    def __init__(self, channels: tuple[int, int, int], stride: int, *, excited: bool) -> None:
        super().__init__()
        into, inner, out = channels
        self.a = nn.Conv3d(into, inner, 1, bias=False)
        self.a_bn = nn.BatchNorm3d(inner)
        self.relu = nn.ReLU(inplace=True)
        self.b = nn.Conv3d(
            inner, inner, 3, stride=(1, stride, stride), padding=1, groups=inner, bias=False
        )
        self.b_bn = nn.BatchNorm3d(inner)
        self.se = SqueezeExcitation(inner) if excited else nn.Identity()
        self.swish = nn.SiLU(inplace=True)
        self.c = nn.Conv3d(inner, out, 1, bias=False)
        self.c_bn = nn.BatchNorm3d(out)

    def forward(self, x_BCTHW: Tensor) -> Tensor:
        """Return the residual."""
        x_BCTHW = self.relu(self.a_bn(self.a(x_BCTHW)))
        x_BCTHW = self.swish(self.se(self.b_bn(self.b(x_BCTHW))))
        return self.c_bn(self.c(x_BCTHW))  # type: ignore[no-any-return]


class ResBlock(nn.Module):
    """A residual block; the shortcut is projected where its shape changes."""

    def __init__(self, channels: tuple[int, int, int], stride: int, *, excited: bool) -> None:
        super().__init__()
        into, _, out = channels
        self.projected = into != out or stride != 1
        if self.projected:
            self.branch1 = nn.Conv3d(into, out, 1, stride=(1, stride, stride), bias=False)
            self.branch1_bn = nn.BatchNorm3d(out)
        self.branch2 = Bottleneck(channels, stride, excited=excited)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x_BCTHW: Tensor) -> Tensor:
        """Return features (B, C, T, H/stride, W/stride)."""
        shortcut = self.branch1_bn(self.branch1(x_BCTHW)) if self.projected else x_BCTHW
        y_BCTHW: Tensor = self.relu(shortcut + self.branch2(x_BCTHW))
        return y_BCTHW


class Head(nn.Module):
    """Widen, average over time and space, widen again, classify."""

    def __init__(self, into: int, inner: int, config: X3DConfig, num_classes: int) -> None:
        super().__init__()
        self.conv_5 = nn.Conv3d(into, inner, 1, bias=False)
        self.conv_5_bn = nn.BatchNorm3d(inner)
        self.relu = nn.ReLU(inplace=True)
        self.lin_5 = nn.Conv3d(inner, config.head_width, 1, bias=False)
        self.dropout = nn.Dropout(config.dropout)
        self.projection = nn.Linear(config.head_width, num_classes)

    def forward(self, x_BCTHW: Tensor) -> Tensor:
        """Return the logits (B, K)."""
        x_BCTHW = self.relu(self.conv_5_bn(self.conv_5(x_BCTHW)))
        x_BC111 = self.relu(self.lin_5(x_BCTHW.mean((2, 3, 4), keepdim=True)))
        logits_BK: Tensor = self.projection(self.dropout(x_BC111.flatten(1)))
        return logits_BK


class X3D(VideoModel):
    """Channelwise ResNet; input (B, 3, T, size, size), output logits (B, K).

    Any frame count and size fit: nothing is thinned out in time, and odd sizes are rounded up.
    """

    def __init__(self, config: X3DConfig, expects: ModelInput, num_classes: int) -> None:
        super().__init__(expects, num_classes)
        self.checkpointing = config.checkpointing
        self.s1 = nn.ModuleDict({"pathway0_stem": Stem(config.width)})
        into = config.width
        for k in range(2, 6):  # res2 to res5, as table 3 numbers them
            out = config.width * 2 ** (k - 2)
            inner = int(config.expansion * out)
            self.add_module(f"s{k}", _stage(config.depths[k - 2], (into, inner, out)))
            into = out
        self.head = Head(into, inner, config, num_classes)
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
        logits_BK: Tensor = self.head(x_BCTHW)
        return logits_BK

    def _reset(self) -> None:
        """He initialisation; every residual block starts as its shortcut (last gamma 0)."""
        for module in self.modules():
            if isinstance(module, nn.Conv3d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
            elif isinstance(module, Bottleneck):
                nn.init.zeros_(module.c_bn.weight)
        nn.init.normal_(self.head.projection.weight, std=0.01)
        nn.init.zeros_(self.head.projection.bias)


def _stage(depth: int, channels: tuple[int, int, int]) -> nn.ModuleDict:
    """Return the blocks of a stage; the first halves height and width."""
    into, inner, out = channels
    return nn.ModuleDict(
        {
            f"pathway0_res{i}": ResBlock(
                (into if i == 0 else out, inner, out),
                stride=2 if i == 0 else 1,
                excited=i % 2 == 0,
            )
            for i in range(depth)
        }
    )
