"""What every network of this package promises.

Shapes: B clips, T frames, H x W pixels, K classes.
"""

from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass
from typing import Annotated, Any

import torch
import torch.nn.functional as F  # noqa: N812 (the name everyone knows)
from pydantic import Field
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.checkpoint import checkpoint

from dogclips.config import Count, Pixels, Share
from dogclips.errors import ModelError

# Settings that several networks share.
Checkpointing = Annotated[
    bool,
    Field(
        description="Recompute each block in the backward pass: less memory, about a third slower."
    ),
]
Dropout = Annotated[
    Share, Field(description="Share of features that are dropped before the classifier.")
]
DropPath = Annotated[
    Share,
    Field(
        description="Share of residual branches that are dropped in the last block; rises linearly "
        "from 0 in the first (stochastic depth)."
    ),
]
PatchSize = Annotated[
    Pixels, Field(description="Side of a square patch; has to divide `data.size`.")
]
Heads = Annotated[
    Count, Field(description="Number of attention heads per block; has to divide `dim`.")
]


@dataclass(frozen=True)
class ModelInput:
    """What a network was built for; it travels with the weights."""

    clip_len: int  #: Frames of one view
    size: int  #: Height and width in pixels
    #: Of each RGB channel on the scale 0..1, as used when the weights were trained.
    mean: tuple[float, float, float] = (0.45, 0.45, 0.45)
    std: tuple[float, float, float] = (0.225, 0.225, 0.225)

    def as_plain(self) -> dict[str, Any]:
        """Return only what `torch.load(weights_only=True)` reads back."""
        return asdict(self) | {"mean": list(self.mean), "std": list(self.std)}


class VideoModel(nn.Module):
    """A network from normalised clips to logits."""

    def __init__(self, expects: ModelInput, num_classes: int) -> None:
        super().__init__()
        if num_classes < 1:
            raise ModelError(
                "a model needs at least one class", where=num_classes, todo="check labels.txt"
            )
        self.expects = expects
        self.num_classes = num_classes

    def normalise(self, video_B3THW: Tensor) -> Tensor:
        """Turn RGB bytes, or floats on the scale 0..1, into what the network was trained on."""
        scale = 255.0 if video_B3THW.dtype == torch.uint8 else 1.0
        mean, std = (
            torch.tensor(values, device=video_B3THW.device).view(3, 1, 1, 1) * scale
            for values in (self.expects.mean, self.expects.std)
        )
        return (video_B3THW - mean) / std

    def check_input(self, x_B3THW: Tensor) -> None:
        """Refuse a clip of another form than the network was built for."""
        want = (3, self.expects.clip_len, self.expects.size, self.expects.size)
        if tuple(x_B3THW.shape[1:]) != want:
            raise ModelError(
                f"the model was built for clips of {want} (channels, frames, height, width)",
                where=f"got {tuple(x_B3THW.shape)}",
                todo="set data.sampling.clip_len and data.size to those of the model",
            )

    @abstractmethod
    def forward(self, x_B3THW: Tensor) -> Tensor:
        """Return the logits (B, K): never a softmax or sigmoid of them."""


def run_block(block: nn.Module, *inputs: Any, checkpointing: bool) -> Any:
    """Run a block of a network, and forget what happened inside if that is wanted.

    With `checkpointing` only the inputs are kept for the backward pass, which runs the block a
    second time: outputs and gradients are the same, for less memory and about a third more time
    (Chen et al., "Training Deep Nets with Sublinear Memory Cost", arXiv 1604.06174).
    """
    if not (checkpointing and torch.is_grad_enabled()):
        return block(*inputs)
    if torch.compiler.is_compiling():  # the compiler never repeats what changes a buffer
        return checkpoint(block, *inputs, use_reentrant=False)
    return checkpoint(
        block,
        *inputs,
        use_reentrant=False,
        context_fn=lambda: (nullcontext(), _statistics_unchanged(block)),  # first and second run
    )


@contextmanager
def _statistics_unchanged(block: nn.Module) -> Iterator[None]:
    """Keep batch norms from counting the same batch twice."""
    norms = [m for m in block.modules() if isinstance(m, _BatchNorm) and m.track_running_stats]
    before = [(norm, norm.momentum, norm.num_batches_tracked) for norm in norms]
    for norm in norms:
        norm.momentum, norm.num_batches_tracked = 0.0, None
    try:
        yield
    finally:
        for norm, momentum, counter in before:
            norm.momentum, norm.num_batches_tracked = momentum, counter


def num_params(module: nn.Module) -> int:
    """Return how many numbers a network learns."""
    return sum(parameter.numel() for parameter in module.parameters())


def nearest_multiples(value: int, step: int, least: int = 1) -> str:
    """Return the multiples of `step` next to a value, from `least` on, for a message.

    >>> nearest_multiples(7, 4), nearest_multiples(3, 4)
    ('4 or 8', '4')
    """
    below = value // step * step
    return " or ".join(str(n) for n in (below, below + step) if n >= least) or str(least)


def check_patches(size: int, patch_size: int, dim: int, heads: int) -> None:
    """Refuse what a transformer over patches of a frame cannot be built for."""
    if size % patch_size:
        raise ModelError(
            f"input size {size} is not a multiple of patch_size {patch_size}",
            where="data.size, model.patch_size",
            todo=f"set data.size to {nearest_multiples(size, patch_size)}",
        )
    check_heads(dim, heads)


def check_heads(dim: int, heads: int) -> None:
    """Refuse tokens whose width attention heads cannot share."""
    if dim % heads:
        raise ModelError(
            f"dim {dim} cannot be shared by {heads} heads",
            where="model.dim, model.heads",
            todo=f"set model.dim to a multiple of {heads}",
        )


def attend(heads: int, query_BLD: Tensor, key_BMD: Tensor, value_BMD: Tensor) -> Tensor:
    """Return what each token of a query finds among others (B, L, D), by several heads.

    Vaswani et al., "Attention Is All You Need", NeurIPS 2017 (arXiv 1706.03762), section 3.2. L
    tokens ask, M tokens answer.
    """
    query_BHLC, key_BHMC, value_BHMC = (
        x.reshape(*x.shape[:2], heads, -1).transpose(1, 2) for x in (query_BLD, key_BMD, value_BMD)
    )
    y_BHLC = F.scaled_dot_product_attention(query_BHLC, key_BHMC, value_BHMC)
    return y_BHLC.transpose(1, 2).flatten(2)
