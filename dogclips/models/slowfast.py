"""SlowFast ResNets.

After Feichtenhofer, Fan, Malik and He, "SlowFast Networks for Video Recognition", ICCV 2019
(arXiv 1812.03982), section 3 and table 1: a slow pathway with many channels and few frames, a
fast one with few channels and all frames, and lateral connections from fast to slow.

Parameters carry the names that published checkpoints use, so that those load without a map.

Shapes: B clips, C channels, T frames, H x W pixels, K classes; `slow` has T / alpha frames.
"""

from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from dogclips.config import Config, Count, Frames
from dogclips.errors import ModelError
from dogclips.models.resnet3d import (
    EXPANSION,
    Depths,
    Head,
    Stem,
    channels_innermost,
    convolution,
    res_stage,
    start_as_shortcuts,
)
from dogclips.models.video_model import (
    Checkpointing,
    Dropout,
    ModelInput,
    VideoModel,
    nearest_multiples,
    run_block,
)

_Blocks = Annotated[int, Field(ge=0)]


class SlowFastConfig(Config):
    """Sizes of a SlowFast network; the defaults are the R50 8x8 of the paper."""

    name: Literal["slowfast"] = Field("slowfast", description="Architecture.")
    depths: Depths = (3, 4, 6, 3)  # ResNet-50
    # With (3, 4, 6, 3) the published ResNet-101 looks at time as often as a ResNet-50.
    temporal_depths: tuple[_Blocks, _Blocks, _Blocks, _Blocks] | None = Field(
        None,
        description="Number of blocks in res2 to res5, counted from the first, that convolve over "
        "time where table 1 of the paper says so; null for all.",
    )
    width: Count = Field(64, description="Channels of the stem of the slow pathway.")
    alpha: Count = Field(
        4, description="How many times more frames the fast pathway sees than the slow one."
    )
    beta_inv: Count = Field(
        8, description="How many times more channels the slow pathway has than the fast one."
    )
    fusion_kernel: Frames = Field(
        7, description="Length in time of the kernel of a lateral connection; odd."
    )
    fusion_ratio: Count = Field(
        2, description="Channels of a lateral connection, in multiples of the fast pathway's."
    )
    dropout: Dropout = 0.5
    checkpointing: Checkpointing = False


def slow_frames(num_frames: int, alpha: int) -> list[int]:
    """Return which of the fast frames the slow pathway sees: the first, the last, evenly between.

    >>> slow_frames(32, 4)
    [0, 4, 8, 13, 17, 22, 26, 31]
    """
    at = torch.linspace(0, num_frames - 1, num_frames // alpha, device="cpu")
    return [int(i) for i in at.long()]


class Fusion(nn.Module):
    """Lateral connection: fast features, strided in time, join the slow channels."""

    def __init__(self, fast: int, config: SlowFastConfig) -> None:
        super().__init__()
        channels = fast * config.fusion_ratio
        kernel, stride = (config.fusion_kernel, 1, 1), (config.alpha, 1, 1)
        self.conv_f2s = convolution(fast, channels, kernel, stride)
        self.bn = nn.BatchNorm3d(channels)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, slow: Tensor, fast: Tensor) -> tuple[Tensor, Tensor]:
        """Return the widened slow features and the fast ones as they came."""
        lateral = self.relu(self.bn(self.conv_f2s(fast)))
        return torch.cat([slow, lateral], dim=1), fast


class Stems(nn.ModuleDict):
    """The stems of both pathways."""


class Stage(nn.ModuleDict):
    """Res k of both pathways, as table 1 numbers them from 2 to 5, for channels (slow, fast)."""

    def __init__(self, config: SlowFastConfig, k: int, into: tuple[int, int]) -> None:
        depth, in_time = config.depths[k - 2], (config.temporal_depths or config.depths)[k - 2]
        kernels = (1 if k < 4 else 3, 3)  # the slow pathway looks at time late
        blocks: dict[str, nn.Module] = {}
        for pathway, inner in enumerate(_inner_channels(config, k)):
            over = [kernels[pathway] if i < in_time else 1 for i in range(depth)]
            own = res_stage(into[pathway], inner, over, stride=2 if k > 2 else 1)
            blocks |= {f"pathway{pathway}_res{i}": block for i, block in enumerate(own)}
        super().__init__(blocks)
        self.checkpointing = config.checkpointing

    def forward(self, slow: Tensor, fast: Tensor) -> tuple[Tensor, Tensor]:
        """Return features of both pathways."""
        for name, block in self.items():
            if name.startswith("pathway0"):
                slow = run_block(block, slow, checkpointing=self.checkpointing)
            else:
                fast = run_block(block, fast, checkpointing=self.checkpointing)
        return slow, fast


class SlowFast(VideoModel):
    """Two-pathway ResNet; input (B, 3, T, size, size), output logits (B, K)."""

    def __init__(self, config: SlowFastConfig, expects: ModelInput, num_classes: int) -> None:
        super().__init__(expects, num_classes)
        _check_sizes(config, expects)
        self.slow_frames = slow_frames(expects.clip_len, config.alpha)
        into = _inner_channels(config, 2)
        stems = Stem(into[0], kernel=1), Stem(into[1], kernel=5)
        self.s1 = Stems({f"pathway{p}_stem": stem for p, stem in enumerate(stems)})
        for k in range(2, 6):  # res2 to res5, as table 1 numbers them
            lateral = into[1] * config.fusion_ratio
            self.add_module(f"s{k - 1}_fuse", Fusion(into[1], config))
            self.add_module(f"s{k}", Stage(config, k, (into[0] + lateral, into[1])))
            inner = _inner_channels(config, k)
            into = (inner[0] * EXPANSION, inner[1] * EXPANSION)
        self.head = Head(sum(into), num_classes, config.dropout)
        start_as_shortcuts(self)

    def forward(self, x_B3THW: Tensor) -> Tensor:
        """Return the logits (B, K)."""
        self.check_input(x_B3THW)
        slow = self.s1["pathway0_stem"](channels_innermost(x_B3THW[:, :, self.slow_frames]))
        fast = self.s1["pathway1_stem"](channels_innermost(x_B3THW))
        for k in range(2, 6):
            slow, fast = self.get_submodule(f"s{k - 1}_fuse")(slow, fast)
            slow, fast = self.get_submodule(f"s{k}")(slow, fast)
        logits_BK: Tensor = self.head(slow, fast)
        return logits_BK


def _inner_channels(config: SlowFastConfig, k: int) -> tuple[int, int]:
    """Return the channels inside a bottleneck of stage `k`, slow and fast."""
    slow = config.width * 2 ** (k - 2)
    return slow, slow // config.beta_inv


def _check_sizes(config: SlowFastConfig, expects: ModelInput) -> None:
    clip_len, alpha = expects.clip_len, config.alpha
    if clip_len % alpha:
        raise ModelError(
            f"{clip_len} frames are not a multiple of alpha {alpha}",
            where="data.sampling.clip_len, model.alpha",
            todo=f"set data.sampling.clip_len to {nearest_multiples(clip_len, alpha)}",
        )
    if config.width % config.beta_inv:
        raise ModelError(
            f"width {config.width} is not a multiple of beta_inv {config.beta_inv}",
            where="model.width, model.beta_inv",
            todo=f"set model.width to a multiple of {config.beta_inv}",
        )
    if config.fusion_kernel % 2 == 0:
        raise ModelError(
            f"fusion_kernel {config.fusion_kernel} is even and has no middle frame",
            where="model.fusion_kernel",
            todo=f"set it to {config.fusion_kernel + 1}",
        )
