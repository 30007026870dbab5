"""Position embeddings for another grid or another number of frames than they were trained for.

Shapes: N patches of a frame, T frames, C channels of a token.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional

_LINES = ("time_embed", "pos_encoding.temporal_pos")
_RELATIVE = ("rel_pos_h", "rel_pos_w", "rel_pos_t")

_SQUARES = {  # tokens before those of the patches
    "pos_embed": 1,
    "positional_embedding": 1,
    "pos_encoding.spatial_pos": 0,
}


def resized(name: str, value: Tensor, shape: tuple[int, ...]) -> Tensor | None:
    """Return an embedding in another shape (..., N or T, C), or None where that cannot be done.

    Positions in a frame are a square grid and are resized as a picture, bicubic, the class token
    apart. Times, and positions relative to each other, are resized linearly, each end of the line
    reaching half a step beyond its last entry. Names are ours.
    """
    if value.ndim != len(shape) or value.ndim < 2 or value.shape[-1] != shape[-1] or not len(value):
        return None
    rows, want = value.reshape(-1, shape[-1]).float(), math.prod(shape[:-1])
    if name in _SQUARES:
        grid = _square(rows, want, _SQUARES[name])
    elif name in _LINES or name.endswith(_RELATIVE):
        grid = _line(rows, want)
    else:
        return None
    return None if grid is None else grid.reshape(shape).to(value.dtype)


def _line(rows_TC: Tensor, want: int) -> Tensor:
    line_1CT = functional.interpolate(rows_TC.T[None], size=want, mode="linear")
    return line_1CT[0].T


def _square(rows_NC: Tensor, want: int, tokens: int) -> Tensor | None:
    side, wanted = math.isqrt(len(rows_NC) - tokens), math.isqrt(want - tokens)
    if side**2 != len(rows_NC) - tokens or wanted**2 != want - tokens:
        return None
    head_NC, grid_NC = rows_NC[:tokens], rows_NC[tokens:]
    grid_1CHW = grid_NC.T.reshape(1, -1, side, side)
    grid_1CHW = functional.interpolate(
        grid_1CHW, size=(wanted, wanted), mode="bicubic", antialias=True
    )
    return torch.cat([head_NC, grid_1CHW.flatten(2)[0].T])
