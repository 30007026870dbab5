"""TimeSformer with divided space-time attention.

After Bertasius, Wang and Torresani, "Is Space-Time Attention All You Need for Video
Understanding?", ICML 2021 (arXiv 2102.05095), section 3 and appendix, on a plain ViT.

Parameters carry the names that published checkpoints use, so that those load without a map.

Shapes: B clips, T frames, N patches of a frame, D width of a token, H heads, C = D / H,
L tokens that attend to each other, K classes.
"""

import math
from typing import Annotated, Literal

import torch
import torch.nn.functional as F  # noqa: N812 (the name everyone knows)
from pydantic import Field
from torch import Tensor, nn
from torchvision.ops import StochasticDepth

from dogclips.config import Config
from dogclips.errors import ModelError
from dogclips.models.video_model import ModelInput, VideoModel

Positive = Annotated[int, Field(ge=1)]


class TimeSformerConfig(Config):
    """Sizes of a TimeSformer; the defaults are the paper's base model, ViT-B/16.

    Parameters
    ----------
    patch_size
        Side of a square patch in pixels; divides the input size.
    dim, depth, heads
        Width of a token, number of blocks, attention heads of a block.
    mlp_ratio
        Hidden width of the MLP, in multiples of `dim`.
    drop_path
        Share of residual branches dropped in the last block; rises linearly from 0.
    start
        Fresh weights. `image`: as the paper, time_embed and temporal_fc are 0, so that a network
        filled with image weights begins as that image model. `scratch`: for training without any
        other weights; there the paper's start sees no order of frames, its gradients toward
        motion are close to 0, and small networks do not leave chance for thousands of steps.
    """

    name: Literal["timesformer"] = "timesformer"
    patch_size: Positive = 16
    dim: Positive = 768
    depth: Positive = 12
    heads: Positive = 12
    mlp_ratio: Annotated[float, Field(gt=0)] = 4.0
    drop_path: Annotated[float, Field(ge=0, lt=1)] = 0.1
    start: Literal["image", "scratch"] = "image"


class PatchEmbed(nn.Module):
    """Cut every frame into patches and project each to one token."""

    def __init__(self, patch_size: int, dim: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, dim, kernel_size=patch_size, stride=patch_size)

    def forward(self, x_B3THW: Tensor) -> Tensor:
        """Return tokens (B, T, N, D)."""
        batch, _, num_frames = x_B3THW.shape[:3]
        frames = x_B3THW.transpose(1, 2).flatten(0, 1)  # (BT, 3, H, W): space only, no inflation
        tokens: Tensor = self.proj(frames).flatten(2).transpose(1, 2)  # (BT, N, D)
        return tokens.reshape(batch, num_frames, *tokens.shape[1:])


class Attention(nn.Module):
    """Multi-head self-attention over one axis of tokens."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(dim, 3 * dim)
        self.proj = nn.Linear(dim, dim)

    def forward(self, x_BLD: Tensor) -> Tensor:
        """Return tokens (B, L, D)."""
        qkv_3BHLC = self.qkv(x_BLD).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        y_BHLC = F.scaled_dot_product_attention(*qkv_3BHLC.unbind(0))
        y_BLD: Tensor = self.proj(y_BHLC.transpose(1, 2).flatten(2))
        return y_BLD


class Mlp(nn.Module):
    """Two linear layers with GELU between them."""

    def __init__(self, dim: int, hidden: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(dim, hidden)
        self.fc2 = nn.Linear(hidden, dim)

    def forward(self, x_BLD: Tensor) -> Tensor:
        """Return tokens (B, L, D)."""
        y_BLD: Tensor = self.fc2(F.gelu(self.fc1(x_BLD)))
        return y_BLD


class Block(nn.Module):
    """Attention over time, then over space, then an MLP (the paper's equation 8 and figure 2)."""

    def __init__(self, config: TimeSformerConfig, drop_path: float) -> None:
        super().__init__()
        dim = config.dim
        self.temporal_norm1 = nn.LayerNorm(dim, eps=1e-6)
        self.temporal_attn = Attention(dim, config.heads)
        self.temporal_fc = nn.Linear(dim, dim)
        self.norm1 = nn.LayerNorm(dim, eps=1e-6)
        self.attn = Attention(dim, config.heads)
        self.norm2 = nn.LayerNorm(dim, eps=1e-6)
        self.mlp = Mlp(dim, int(dim * config.mlp_ratio))
        self.drop_path = StochasticDepth(drop_path, mode="row")

    def forward(self, cls_B1D: Tensor, x_BTND: Tensor) -> tuple[Tensor, Tensor]:
        """Return the class token and the patch tokens, shapes unchanged."""
        x_BTND = x_BTND + self._over_time(x_BTND)
        cls_B1D, x_BTND = self._over_space(cls_B1D, x_BTND)
        x_BLD = torch.cat([cls_B1D, x_BTND.flatten(1, 2)], dim=1)  # L = 1 + TN
        x_BLD = x_BLD + self.drop_path(self.mlp(self.norm2(x_BLD)))
        return x_BLD[:, :1], x_BLD[:, 1:].view_as(x_BTND)

    def _over_time(self, x_BTND: Tensor) -> Tensor:
        """Let each patch attend to itself in the other frames; the class token takes no part."""
        batch = x_BTND.shape[0]
        x_BnTD = x_BTND.transpose(1, 2).flatten(0, 1)  # Bn = B * N
        y_BnTD = self.drop_path(self.temporal_attn(self.temporal_norm1(x_BnTD)))
        y_BTND: Tensor = self.temporal_fc(y_BnTD).unflatten(0, (batch, -1)).transpose(1, 2)
        return y_BTND

    def _over_space(self, cls_B1D: Tensor, x_BTND: Tensor) -> tuple[Tensor, Tensor]:
        """Let the tokens of a frame attend to each other; every frame sees the class token."""
        batch, num_frames = x_BTND.shape[:2]
        cls_BT1D = cls_B1D.unsqueeze(1).expand(-1, num_frames, -1, -1)
        x_BtLD = torch.cat([cls_BT1D, x_BTND], dim=2).flatten(0, 1)  # Bt = B * T, L = 1 + N
        y_BtLD = self.drop_path(self.attn(self.norm1(x_BtLD)))
        y_BTLD = y_BtLD.unflatten(0, (batch, num_frames))
        return cls_B1D + y_BTLD[:, :, 0].mean(1, keepdim=True), x_BTND + y_BTLD[:, :, 1:]


class TimeSformer(VideoModel):
    """Divided space-time transformer; input (B, 3, T, size, size), output logits (B, K).

    Raises
    ------
    ModelError
        The input size is no multiple of the patch size, or `dim` none of `heads`.
    """

    def __init__(self, config: TimeSformerConfig, expects: ModelInput, num_classes: int) -> None:
        super().__init__(expects, num_classes)
        _check_sizes(config, expects)
        dim = config.dim
        num_patches = (expects.size // config.patch_size) ** 2
        self.patch_embed = PatchEmbed(config.patch_size, dim)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, dim))
        self.pos_embed = nn.Parameter(torch.zeros(1, 1 + num_patches, dim))
        self.time_embed = nn.Parameter(torch.zeros(1, expects.clip_len, dim))
        rates = [config.drop_path * i / max(config.depth - 1, 1) for i in range(config.depth)]
        self.blocks = nn.ModuleList(Block(config, rate) for rate in rates)
        self.norm = nn.LayerNorm(dim, eps=1e-6)
        self.head = nn.Linear(dim, num_classes)
        self._reset()
        if config.start == "scratch":
            self._reset_for_scratch()

    def forward(self, x_B3THW: Tensor) -> Tensor:
        """Return the logits (B, K)."""
        self.check_input(x_B3THW)
        x_BTND = self.patch_embed(x_B3THW) + self.pos_embed[:, None, 1:]
        x_BTND = x_BTND + self.time_embed[:, :, None]
        cls_B1D = (self.cls_token + self.pos_embed[:, :1]).expand(len(x_BTND), -1, -1)
        for block in self.blocks:
            cls_B1D, x_BTND = block(cls_B1D, x_BTND)
        logits_BK: Tensor = self.head(self.norm(cls_B1D[:, 0]))
        return logits_BK

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
        with torch.no_grad():
            self.time_embed.copy_(_waves(*self.time_embed.shape[1:]))


def _waves(num_frames: int, dim: int) -> Tensor:
    """Return sines and cosines of frame numbers (1, T, D), periods 4 to 64 frames."""
    rates_C = torch.logspace(math.log10(2 * math.pi / 64), math.log10(math.pi / 2), (dim + 1) // 2)
    angles_TC = torch.arange(num_frames)[:, None] * rates_C
    return torch.cat([angles_TC.sin(), angles_TC.cos()], dim=1)[None, :, :dim]


def _check_sizes(config: TimeSformerConfig, expects: ModelInput) -> None:
    if expects.size % config.patch_size:
        below = expects.size // config.patch_size * config.patch_size
        fitting = [size for size in (below, below + config.patch_size) if size]
        raise ModelError(
            f"input size {expects.size} is no multiple of patch_size {config.patch_size}",
            where="data.size, model.patch_size",
            todo=f"set data.size to {' or '.join(map(str, fitting))}",
        )
    if config.dim % config.heads:
        raise ModelError(
            f"dim {config.dim} cannot be shared by {config.heads} heads",
            where="model.dim, model.heads",
            todo=f"set model.dim to a multiple of {config.heads}",
        )
