"""UniFormerV2: an image transformer that watches, and a small decoder that sums up the clip.

After Li, Wang, He, Li, Wang, Wang and Qiao, "UniFormerV2: Spatiotemporal Learning by Arming Image
ViTs with Video UniFormer", ICCV 2023 (arXiv 2211.09552), section 3: CLIP's ViT looks at each frame
alone; behind each of its last blocks a global UniBlock (3.3) lets one token attend to all tokens
of the clip; the multi-stage fusion (3.4) balances that token with the ViT's own. As published for
Kinetics: without the local temporal blocks (3.2) and without halving the frames.

Parameters carry the names that published checkpoints and CLIP use.

Shapes: B clips, T frames, N patches of a frame, D width of a token, H heads, C = D / H,
L tokens that attend to each other, M tokens attended to, K classes; b = B * T frames.
"""

from typing import Literal

import torch
import torch.nn.functional as F  # noqa: N812 (the name everyone knows)
from pydantic import Field
from torch import Tensor, nn

from dogclips.config import Config, Count, Share
from dogclips.errors import ModelError
from dogclips.models.video_model import (
    Checkpointing,
    Dropout,
    Heads,
    ModelInput,
    PatchSize,
    VideoModel,
    attend,
    check_patches,
    run_block,
)


class UniFormerV2Config(Config):
    """Sizes of a UniFormerV2; the defaults are the base model, CLIP's ViT-B/16."""

    name: Literal["uniformerv2"] = Field("uniformerv2", description="Architecture.")
    patch_size: PatchSize = 16
    dim: Count = Field(768, description="Width of a token.")
    depth: Count = Field(12, description="Number of blocks of the image transformer.")
    heads: Heads = 12
    global_blocks: Count = Field(
        4, description="Number of blocks, counted from the last, that a global block follows."
    )
    global_dropout: Share = Field(
        0.5, description="Share of hidden values that are dropped in the MLP of a global block."
    )
    dropout: Dropout = 0.5
    checkpointing: Checkpointing = False


class _Attention(nn.Module):
    """Multi-head attention of tokens to tokens, their own or others."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.in_proj_weight = nn.Parameter(torch.empty(3 * dim, dim))
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * dim))
        self.out_proj = nn.Linear(dim, dim)

    def forward(self, x_BLD: Tensor) -> Tensor:
        """Return tokens (B, L, D), each having looked at all."""
        qkv_BLD3 = F.linear(x_BLD, self.in_proj_weight, self.in_proj_bias)
        y_BLD: Tensor = self.out_proj(attend(self.heads, *qkv_BLD3.chunk(3, dim=2)))
        return y_BLD

    def across(self, x_BLD: Tensor, y_BMD: Tensor) -> Tensor:
        """Return tokens (B, L, D), each of `x` having looked at all of `y`."""
        weight, bias, dim = self.in_proj_weight, self.in_proj_bias, x_BLD.shape[2]
        query_BLD = F.linear(x_BLD, weight[:dim], bias[:dim])
        key_BMD, value_BMD = F.linear(y_BMD, weight[dim:], bias[dim:]).chunk(2, dim=2)
        y_BLD: Tensor = self.out_proj(attend(self.heads, query_BLD, key_BMD, value_BMD))
        return y_BLD


class _Mlp(nn.Module):
    """Two linear layers with CLIP's fast GELU between them."""

    def __init__(self, dim: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.c_fc = nn.Linear(dim, 4 * dim)
        self.dropout = nn.Dropout(dropout)
        self.c_proj = nn.Linear(4 * dim, dim)

    def forward(self, x_BLD: Tensor) -> Tensor:
        """Return tokens (B, L, D)."""
        hidden = self.c_fc(x_BLD)
        y_BLD: Tensor = self.c_proj(self.dropout(hidden * torch.sigmoid(1.702 * hidden)))
        return y_BLD


class _Block(nn.Module):
    """A block of CLIP's image transformer: the tokens of a frame attend to each other."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.attn = _Attention(dim, heads)
        self.ln_1 = nn.LayerNorm(dim)
        self.mlp = _Mlp(dim)
        self.ln_2 = nn.LayerNorm(dim)

    def forward(self, x_bLD: Tensor) -> Tensor:
        """Return tokens (b, L, D)."""
        x_bLD = x_bLD + self.attn(self.ln_1(x_bLD))
        y_bLD: Tensor = x_bLD + self.mlp(self.ln_2(x_bLD))
        return y_bLD


class GlobalBlock(nn.Module):
    """Let the token of the clip attend to every token of every frame."""

    def __init__(self, dim: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.attn = _Attention(dim, heads)
        self.ln_1 = nn.LayerNorm(dim)
        self.mlp = _Mlp(dim, dropout)
        self.ln_2 = nn.LayerNorm(dim)
        self.ln_3 = nn.LayerNorm(dim)

    def forward(self, clip_B1D: Tensor, x_BMD: Tensor) -> Tensor:
        """Return the token of the clip (B, 1, D)."""
        clip_B1D = clip_B1D + self.attn.across(self.ln_1(clip_B1D), self.ln_3(x_BMD))
        y_B1D: Tensor = clip_B1D + self.mlp(self.ln_2(clip_B1D))
        return y_B1D


class Transformer(nn.Module):
    """The image transformer, the global blocks behind it, and the balance of both."""

    def __init__(self, config: UniFormerV2Config, num_frames: int) -> None:
        super().__init__()
        dim, heads = config.dim, config.heads
        self.num_frames = num_frames
        self.checkpointing = config.checkpointing
        self.resblocks = nn.ModuleList(_Block(dim, heads) for _ in range(config.depth))
        self.temporal_cls_token = nn.Parameter(torch.zeros(1, 1, dim))
        count = config.global_blocks
        self.dpe = nn.ModuleList(
            nn.Conv3d(dim, dim, 3, padding=1, groups=dim) for _ in range(count)
        )
        self.dec = nn.ModuleList(
            GlobalBlock(dim, heads, config.global_dropout) for _ in range(count)
        )
        self.norm = nn.LayerNorm(dim)
        self.balance = nn.Parameter(torch.zeros(dim))

    def forward(self, x_bLD: Tensor) -> Tensor:
        """Return one vector (B, D) a clip."""
        alone = len(self.resblocks) - len(self.dec)  # blocks without a global one behind them
        for block in self.resblocks[:alone]:
            x_bLD = self._run(block, x_bLD)
        clip_B1D = self.temporal_cls_token.repeat(len(x_bLD) // self.num_frames, 1, 1)
        for block, dpe, dec in zip(self.resblocks[alone:], self.dpe, self.dec, strict=True):
            x_bLD = self._run(block, x_bLD)
            clip_B1D = self._run(dec, clip_B1D, self._placed(x_bLD, dpe))
        share_D = self.balance.sigmoid()
        frames_BD = x_bLD[:, 0].reshape(len(clip_B1D), self.num_frames, -1).mean(1)
        y_BD: Tensor = self.norm((1 - share_D) * clip_B1D[:, 0] + share_D * frames_BD)
        return y_BD

    def _run(self, block: nn.Module, *inputs: Tensor) -> Tensor:
        y: Tensor = run_block(block, *inputs, checkpointing=self.checkpointing)
        return y

    def _placed(self, x_bLD: Tensor, dpe: nn.Module) -> Tensor:
        """Return all tokens of a clip (B, M, D), the patches told where and when they are."""
        side = int((x_bLD.shape[1] - 1) ** 0.5)
        x_BTLD = x_bLD.view(-1, self.num_frames, *x_bLD.shape[1:])
        x_BThwD = x_BTLD[:, :, 1:].view(*x_BTLD.shape[:2], side, side, -1)
        where_BThwD = dpe(x_BThwD.permute(0, 4, 1, 2, 3)).permute(0, 2, 3, 4, 1)
        patches_BTND = (x_BThwD + where_BThwD).flatten(2, 3)
        return torch.cat([x_BTLD[:, :, :1], patches_BTND], dim=2).flatten(1, 2)


class UniFormerV2(VideoModel):
    """Image transformer with a video decoder; input (B, 3, T, size, size), logits (B, K).

    Fresh global blocks pass their token through and the token is 0, so that the network begins as
    its image transformer: it sees no order of frames until it has learnt some.
    """

    def __init__(self, config: UniFormerV2Config, expects: ModelInput, num_classes: int) -> None:
        super().__init__(expects, num_classes)
        _check_sizes(config, expects)
        dim, patch = config.dim, config.patch_size
        num_patches = (expects.size // patch) ** 2
        self.conv1 = nn.Conv3d(3, dim, (1, patch, patch), (1, patch, patch), bias=False)
        self.class_embedding = nn.Parameter(torch.zeros(dim))
        self.positional_embedding = nn.Parameter(torch.zeros(1 + num_patches, dim))
        self.ln_pre = nn.LayerNorm(dim)
        self.transformer = Transformer(config, expects.clip_len)
        self.dropout = nn.Dropout(config.dropout)
        self.head = nn.Linear(dim, num_classes)
        self._reset()

    def forward(self, x_B3THW: Tensor) -> Tensor:
        """Return the logits (B, K)."""
        self.check_input(x_B3THW)
        x_bND = self.conv1(x_B3THW).flatten(3).permute(0, 2, 3, 1).flatten(0, 1)
        cls_b1D = self.class_embedding.expand(len(x_bND), 1, -1)
        x_bLD = torch.cat([cls_b1D, x_bND], dim=1) + self.positional_embedding  # L = 1 + N
        clip_BD = self.transformer(self.ln_pre(x_bLD))
        logits_BK: Tensor = self.head(self.dropout(clip_BD))
        return logits_BK

    def _reset(self) -> None:
        """Start as the image transformer: every global block adds 0, as its paper starts it."""
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.trunc_normal_(module.weight, std=0.02)
                nn.init.zeros_(module.bias)
            elif isinstance(module, _Attention):
                nn.init.xavier_uniform_(module.in_proj_weight)
        for dpe in self.transformer.dpe.children():
            nn.init.zeros_(dpe.get_parameter("bias"))
        for dec in self.transformer.dec.modules():
            if isinstance(dec, GlobalBlock):
                nn.init.xavier_uniform_(dec.mlp.c_fc.weight)
                nn.init.zeros_(dec.attn.out_proj.weight)
                nn.init.zeros_(dec.mlp.c_proj.weight)
        for embedding in (self.class_embedding, self.positional_embedding):
            nn.init.normal_(embedding, std=embedding.shape[-1] ** -0.5)


def _check_sizes(config: UniFormerV2Config, expects: ModelInput) -> None:
    check_patches(expects.size, config.patch_size, config.dim, config.heads)
    if config.global_blocks > config.depth:
        raise ModelError(
            f"{config.global_blocks} global blocks cannot follow {config.depth} blocks",
            where="model.global_blocks, model.depth",
            todo=f"set model.global_blocks to {config.depth} or less",
        )
