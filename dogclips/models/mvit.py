"""MViTv2 and MViT: transformers that pool space while they widen channels.

After Li, Wu, Fan, Mangalam, Xiong, Malik and Feichtenhofer, "MViTv2: Improved Multiscale Vision
Transformers for Classification and Detection", CVPR 2022 (arXiv 2112.01526), section 4.1, and
Fan, Xiong, Mangalam, Li, Yan, Malik and Feichtenhofer, "Multiscale Vision Transformers", ICCV 2021
(arXiv 2104.11227), section 3. The layers are torchvision's; this file says how many of which, for
any frame count and size, and keeps the names, so that torchvision's checkpoints load without a map.

Position tables are made for the grid halved and rounded down, while pooling rounds up. Where both
differ (sizes that are not a multiple of 32), and where a checkpoint's grid was another one, each
forward pass resizes the relative ones linearly; so do the published implementations.

Shapes: B clips, T frames, D width of a token, L tokens of a clip, K classes.
"""

from typing import Any, Literal

from pydantic import Field
from torch import Tensor
from torchvision.models.video import MViT as Layers
from torchvision.models.video.mvit import MSBlockConfig

from dogclips.config import Config, Count
from dogclips.errors import ModelError
from dogclips.models.video_model import (
    Checkpointing,
    Dropout,
    DropPath,
    Heads,
    ModelInput,
    VideoModel,
    check_heads,
    nearest_multiples,
    run_block,
)

TUBE = (2, 4, 4)  # frames, rows and columns between neighbouring tokens of the first grid
SMALLEST = 32  # pixels; a grid of one token is left after the last stage
KERNEL = [3, 3, 3]  # of every pooling convolution


class MViTConfig(Config):
    """Sizes of an MViT; the defaults are MViTv2-S for 16 frames, 4 apart."""

    name: Literal["mvit"] = Field("mvit", description="Architecture.")
    version: Literal[1, 2] = Field(
        2,
        description="2: relative positions, and queries that are added to what they attended to. "
        "1: absolute positions.",
    )
    depths: tuple[Count, Count, Count, Count] = Field(
        (1, 2, 11, 2),
        description="Number of blocks in each of the four stages; each stage but the first halves "
        "height and width. MViTv2-B has [2, 3, 16, 3].",
    )
    dim: Count = Field(96, description="Width of a token in the first stage.")
    heads: Heads = 1
    drop_path: DropPath = 0.2
    dropout: Dropout = 0.5
    checkpointing: Checkpointing = False


class MViT(VideoModel):
    """Multiscale transformer; input (B, 3, T, size, size), output logits (B, K)."""

    def __init__(self, config: MViTConfig, expects: ModelInput, num_classes: int) -> None:
        super().__init__(expects, num_classes)
        _check_sizes(config, expects)
        second = config.version == 2
        layers = Layers(
            spatial_size=(expects.size, expects.size),
            temporal_size=expects.clip_len,
            block_setting=_blocks(config),
            residual_pool=second,
            residual_with_cls_embed=False,
            rel_pos_embed=second,
            proj_after_attn=second,
            dropout=config.dropout,
            stochastic_depth_prob=config.drop_path,
            num_classes=num_classes,
        )
        # Taken out one by one: a module inside a module would put a prefix before every name.
        self.conv_proj = layers.conv_proj
        self.pos_encoding = layers.pos_encoding
        self.blocks = layers.blocks
        self.norm = layers.norm
        self.head = layers.head
        self.checkpointing = config.checkpointing
        self.grid = tuple(
            n // step
            for n, step in zip((expects.clip_len, expects.size, expects.size), TUBE, strict=True)
        )

    def forward(self, x_B3THW: Tensor) -> Tensor:
        """Return the logits (B, K)."""
        self.check_input(x_B3THW)
        x_BLD = self.pos_encoding(self.conv_proj(x_B3THW).flatten(2).transpose(1, 2))
        grid: Any = self.grid
        for block in self.blocks:
            x_BLD, grid = run_block(block, x_BLD, grid, checkpointing=self.checkpointing)
        logits_BK: Tensor = self.head(self.norm(x_BLD)[:, 0])
        return logits_BK


def _blocks(config: MViTConfig) -> list[MSBlockConfig]:
    """Return what torchvision wants to know of each block, the stages one after another."""
    return [
        _block(config, stage, first=i == 0, last=i == depth - 1)
        for stage, depth in enumerate(config.depths)
        for i in range(depth)
    ]


def _block(config: MViTConfig, stage: int, *, first: bool, last: bool) -> MSBlockConfig:
    second = config.version == 2
    halves = first and stage > 0
    into = out = config.dim * 2**stage
    if second and halves:
        into //= 2
    if not second and last and stage < len(config.depths) - 1:
        out *= 2
    kv_stride = 8 >> stage  # keys and values keep one grid while that of the queries shrinks
    return MSBlockConfig(
        num_heads=config.heads * 2**stage,
        input_channels=into,
        output_channels=out,
        kernel_q=KERNEL if second or halves else [],
        kernel_kv=KERNEL,
        stride_q=[1, 2, 2] if halves else [1, 1, 1] if second else [],
        stride_kv=[1, kv_stride, kv_stride],
    )


def _check_sizes(config: MViTConfig, expects: ModelInput) -> None:
    clip_len, size = expects.clip_len, expects.size
    if clip_len % TUBE[0]:
        raise ModelError(
            f"{clip_len} frames are not a multiple of {TUBE[0]}, the frames of a token",
            where="data.sampling.clip_len",
            todo=f"set it to {nearest_multiples(clip_len, TUBE[0])}",
        )
    if size % TUBE[1] or size < SMALLEST:
        raise ModelError(
            f"input size {size} is not a multiple of {TUBE[1]} from {SMALLEST} on",
            where="data.size",
            todo=f"set it to {nearest_multiples(size, TUBE[1], SMALLEST)}",
        )
    check_heads(config.dim, config.heads)
