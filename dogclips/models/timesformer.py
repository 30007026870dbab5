"""TimeSformer: a ViT that attends over time and space.

After Bertasius, Wang and Torresani, "Is Space-Time Attention All You Need for Video
Understanding?", ICML 2021 (arXiv 2102.05095), section 3 and appendix, on the plain ViT of
Dosovitskiy et al. (arXiv 2010.11929).

Parameters carry the names that published checkpoints use, so that those load without a map.

Shapes: B clips, T frames, N patches of a frame, D width of a token, H heads, C = D / H,
L tokens that attend to each other, K classes.
"""

import math
from typing import Literal

import torch
import torch.nn.functional as F  # noqa: N812 (the name everyone knows)
from pydantic import Field
from torch import Tensor, nn
from torchvision.ops import StochasticDepth

from dogclips.config import Config, Count, Positive
from dogclips.models.video_model import (
    Checkpointing,
    DropPath,
    Heads,
    ModelInput,
    PatchSize,
    VideoModel,
    attend,
    check_patches,
    run_block,
)


class TimeSformerConfig(Config):
    """Sizes of a TimeSformer; the defaults are the paper's base model, ViT-B/16."""

    name: Literal["timesformer"] = Field("timesformer", description="Architecture.")
    attention: Literal["divided", "joint", "space"] = Field(
        "divided",
        description="What a patch attends to: `divided`, first itself in all frames and then its "
        "own frame; `joint`, all patches of all frames, at a much higher cost; `space`, its own "
        "frame only, so that the order of frames does not count.",
    )
    patch_size: PatchSize = 16
    dim: Count = Field(768, description="Width of a token.")
    depth: Count = Field(12, description="Number of blocks.")
    heads: Heads = 12
    mlp_ratio: Positive = Field(
        4.0, description="Hidden width of the MLP of a block, in multiples of `dim`."
    )
    drop_path: DropPath = 0.1
    # With the paper's start the gradients toward motion are close to 0, and small networks do not
    # leave chance for thousands of steps.
    start: Literal["image", "scratch"] = Field(
        "image",
        description="Initial weights of the layers over time: `image` begins as an image model, "
        "for training from published weights; `scratch` is for training without any.",
    )
    checkpointing: Checkpointing = False


class PatchEmbed(nn.Module):
    """Cut every frame into patches and project each to one token."""

    def __init__(self, patch_size: int, dim: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, dim, kernel_size=patch_size, stride=patch_size)

    def forward(self, x_B3THW: Tensor) -> Tensor:
        """Return tokens (B, N, T, D)."""
        frames = x_B3THW.transpose(1, 2)
        tokens = self.proj(frames.flatten(0, 1)).flatten(2)  # (BT, D, N): no kernel over time
        x_BNTD: Tensor = tokens.unflatten(0, frames.shape[:2]).permute(0, 3, 1, 2)
        return x_BNTD


class _Attention(nn.Module):
    """Multi-head self-attention over one axis of tokens."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(dim, 3 * dim)
        self.proj = nn.Linear(dim, dim)

    def forward(self, x_BLD: Tensor) -> Tensor:
        """Return tokens (B, L, D)."""
        y_BLD: Tensor = self.proj(attend(self.heads, *self.qkv(x_BLD).chunk(3, dim=2)))
        return y_BLD


class _Mlp(nn.Module):
    """Two linear layers with GELU between them."""

    def __init__(self, dim: int, hidden: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(dim, hidden)
        self.fc2 = nn.Linear(hidden, dim)

    def forward(self, x_BLD: Tensor) -> Tensor:
        """Return tokens (B, L, D)."""
        y_BLD: Tensor = self.fc2(F.gelu(self.fc1(x_BLD)))
        return y_BLD


class _Block(nn.Module):
    """Attention over the tokens that it is given, then an MLP: a block of a ViT."""

    def __init__(self, config: TimeSformerConfig, drop_path: float) -> None:
        super().__init__()
        dim = config.dim
        self.norm1 = nn.LayerNorm(dim, eps=1e-6)
        self.attn = _Attention(dim, config.heads)
        self.norm2 = nn.LayerNorm(dim, eps=1e-6)
        self.mlp = _Mlp(dim, int(dim * config.mlp_ratio))
        self.drop_path = StochasticDepth(drop_path, mode="row")

    def forward(self, x_BLD: Tensor) -> Tensor:
        """Return tokens (B, L, D)."""
        x_BLD = x_BLD + self.drop_path(self.attn(self.norm1(x_BLD)))
        y_BLD: Tensor = x_BLD + self.drop_path(self.mlp(self.norm2(x_BLD)))
        return y_BLD


class DividedBlock(nn.Module):
    """Attention over time, then over space, then an MLP (the paper's equation 8 and figure 2)."""

    def __init__(self, config: TimeSformerConfig, drop_path: float) -> None:
        super().__init__()
        dim = config.dim
        self.temporal_norm1 = nn.LayerNorm(dim, eps=1e-6)
        self.temporal_attn = _Attention(dim, config.heads)
        self.temporal_fc = nn.Linear(dim, dim)
        self.norm1 = nn.LayerNorm(dim, eps=1e-6)
        self.attn = _Attention(dim, config.heads)
        self.norm2 = nn.LayerNorm(dim, eps=1e-6)
        self.mlp = _Mlp(dim, int(dim * config.mlp_ratio))
        self.drop_path = StochasticDepth(drop_path, mode="row")

    def forward(self, cls_B1D: Tensor, x_BNTD: Tensor) -> tuple[Tensor, Tensor]:
        """Return the class token and the patch tokens, shapes unchanged."""
        x_BNTD = x_BNTD + self._over_time(x_BNTD)
        cls_B1D, x_BNTD = self._over_space(cls_B1D, x_BNTD)
        x_BLD = torch.cat([cls_B1D, x_BNTD.flatten(1, 2)], dim=1)  # L = 1 + NT
        x_BLD = x_BLD + self.drop_path(self.mlp(self.norm2(x_BLD)))
        return x_BLD[:, :1], x_BLD[:, 1:].view_as(x_BNTD)

    def _over_time(self, x_BNTD: Tensor) -> Tensor:
        """Let each patch attend to itself in the other frames; the class token takes no part."""
        x_BnTD = x_BNTD.flatten(0, 1)  # Bn = B * N
        y_BnTD = self.drop_path(self.temporal_attn(self.temporal_norm1(x_BnTD)))
        y_BNTD: Tensor = self.temporal_fc(y_BnTD).view(x_BNTD.shape)
        return y_BNTD

    def _over_space(self, cls_B1D: Tensor, x_BNTD: Tensor) -> tuple[Tensor, Tensor]:
        """Let the tokens of a frame attend to each other; every frame sees the class token."""
        x_BtLD = per_frame(cls_B1D, x_BNTD)
        y_BtLD = self.drop_path(self.attn(self.norm1(x_BtLD)))
        y_BTLD = y_BtLD.unflatten(0, (len(x_BNTD), -1))
        cls_B1D = cls_B1D + y_BTLD[:, :, 0].mean(1, keepdim=True)
        return cls_B1D, x_BNTD + y_BTLD[:, :, 1:].transpose(1, 2)


def per_frame(cls_B1D: Tensor, x_BNTD: Tensor) -> Tensor:
    """Return the class token and the patches of each frame, (Bt, L, D): Bt = B * T, L = 1 + N."""
    cls_BT1D = cls_B1D.unsqueeze(1).expand(-1, x_BNTD.shape[2], -1, -1)
    return torch.cat([cls_BT1D, x_BNTD.transpose(1, 2)], dim=2).flatten(0, 1)


class TimeSformer(VideoModel):
    """Space-time transformer; input (B, 3, T, size, size), output logits (B, K)."""

    def __init__(self, config: TimeSformerConfig, expects: ModelInput, num_classes: int) -> None:
        super().__init__(expects, num_classes)
        check_patches(expects.size, config.patch_size, config.dim, config.heads)
        self.config = config
        dim = config.dim
        num_patches = (expects.size // config.patch_size) ** 2
        self.patch_embed = PatchEmbed(config.patch_size, dim)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, dim))
        self.pos_embed = nn.Parameter(torch.zeros(1, 1 + num_patches, dim))
        if config.attention != "space":
            self.time_embed = nn.Parameter(torch.zeros(1, expects.clip_len, dim))
        rates = [config.drop_path * i / max(config.depth - 1, 1) for i in range(config.depth)]
        block = DividedBlock if config.attention == "divided" else _Block
        self.blocks = nn.ModuleList(block(config, rate) for rate in rates)
        self.norm = nn.LayerNorm(dim, eps=1e-6)
        self.head = nn.Linear(dim, num_classes)
        self._reset()
        if config.start == "scratch":
            self._reset_for_scratch()

    def forward(self, x_B3THW: Tensor) -> Tensor:
        """Return the logits (B, K)."""
        self.check_input(x_B3THW)
        x_BNTD = self.patch_embed(x_B3THW) + self.pos_embed[:, 1:, None]
        if self.config.attention != "space":
            x_BNTD = x_BNTD + self.time_embed[:, None]
        cls_B1D = (self.cls_token + self.pos_embed[:, :1]).expand(len(x_BNTD), -1, -1)
        attend = self._divided if self.config.attention == "divided" else self._as_images
        logits_BK: Tensor = self.head(self.norm(attend(cls_B1D, x_BNTD.contiguous())))
        return logits_BK

    def _divided(self, cls_B1D: Tensor, x_BNTD: Tensor) -> Tensor:
        """Return the class token (B, D)."""
        for block in self.blocks:
            cls_B1D, x_BNTD = run_block(
                block, cls_B1D, x_BNTD, checkpointing=self.config.checkpointing
            )
        return cls_B1D[:, 0]

    def _as_images(self, cls_B1D: Tensor, x_BNTD: Tensor) -> Tensor:
        """Return the class token (B, D) of one image of all patches, or the mean over frames."""
        if self.config.attention == "joint":
            x_BLD = torch.cat([cls_B1D, x_BNTD.flatten(1, 2)], dim=1)  # L = 1 + NT
        else:
            x_BLD = per_frame(cls_B1D, x_BNTD)
        for block in self.blocks:
            x_BLD = run_block(block, x_BLD, checkpointing=self.config.checkpointing)
        return x_BLD[:, 0].view(len(x_BNTD), -1, x_BLD.shape[2]).mean(1)

    def _reset(self) -> None:
        """Start as an image model: time_embed and every temporal_fc are 0, so order is unseen."""
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.trunc_normal_(module.weight, std=0.02)
                nn.init.zeros_(module.bias)
        nn.init.trunc_normal_(self.cls_token, std=0.02)
        nn.init.trunc_normal_(self.pos_embed, std=0.02)
        for name, parameter in self.named_parameters():
            if ".temporal_fc." in name:
                nn.init.zeros_(parameter)

    def _reset_for_scratch(self) -> None:
        """Branches of full strength, and embeddings that tell near times from far ones."""
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)
        nn.init.normal_(self.pos_embed, std=0.3)
        if self.config.attention != "space":
            with torch.no_grad():
                self.time_embed.copy_(_waves(*self.time_embed.shape[1:]))


def _waves(num_frames: int, dim: int) -> Tensor:
    """Return sines and cosines of frame numbers (1, T, D), periods 4 to 64 frames."""
    rates_C = torch.logspace(math.log10(2 * math.pi / 64), math.log10(math.pi / 2), (dim + 1) // 2)
    angles_TC = torch.arange(num_frames)[:, None] * rates_C
    return torch.cat([angles_TC.sin(), angles_TC.cos()], dim=1)[None, :, :dim]
