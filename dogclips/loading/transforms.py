"""From decoded frames to square views; bytes stay bytes until they reach the device.

Shapes: T frames, H x W pixels, S side of a view, C crops of a clip.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor
from torchvision.transforms.v2 import functional as v2

# "crop" keeps the aspect and cuts the sides off, "stretch" keeps everything and squeezes it.
Fit = Literal["crop", "stretch"]
Crop = Literal["random", "centre"]


@dataclass(frozen=True)
class Augmentation:
    """Random views for training.

    Parameters
    ----------
    size
        Side of a view in pixels.
    fit
        How frames that are not square become square.
    flip
        Mirror half of the clips from left to right.
    scale
        Smallest and largest short side before the crop, in multiples of `size`.
    crop
        At random over the whole frame, or always its centre, as evaluation does.
    """

    size: int
    fit: Fit = "crop"
    flip: bool = True
    scale: tuple[float, float] = (1.0, 1.25)
    crop: Crop = "random"

    def __call__(self, frames_T3HW: Tensor, rng: np.random.Generator) -> Tensor:
        """Return one random view (3, T, S, S); all frames of a clip are treated alike."""
        short_side = round(self.size * rng.uniform(*self.scale))
        frames_T3HW = _resize(frames_T3HW, short_side, self.fit)
        height, width = frames_T3HW.shape[-2:]
        top, left = (height - self.size) // 2, (width - self.size) // 2
        if self.crop == "random":
            top = int(rng.integers(height - self.size + 1))
            left = int(rng.integers(width - self.size + 1))
        view_T3SS = frames_T3HW[..., top : top + self.size, left : left + self.size]
        if self.flip and rng.random() < 0.5:
            view_T3SS = view_T3SS.flip(-1)
        return view_T3SS.transpose(0, 1).contiguous()


@dataclass(frozen=True)
class Views:
    """The fixed crops of evaluation.

    Parameters
    ----------
    size
        Side of a view in pixels.
    fit
        How frames that are not square become square.
    crops
        1 for the centre; 3 for both ends of the long side and the centre.
    """

    size: int
    fit: Fit = "crop"
    crops: Literal[1, 3] = 1

    def __call__(self, frames_T3HW: Tensor) -> Tensor:
        """Return views (C, 3, T, S, S)."""
        frames_T3HW = _resize(frames_T3HW, self.size, self.fit)
        height, width = frames_T3HW.shape[-2:]
        shares = (0.5,) if self.crops == 1 else (0.0, 0.5, 1.0)
        crops = []
        for share in shares:
            top, left = round((height - self.size) * share), round((width - self.size) * share)
            crops.append(frames_T3HW[..., top : top + self.size, left : left + self.size])
        return torch.stack(crops).transpose(1, 2).contiguous()


def _resize(frames_T3HW: Tensor, short_side: int, fit: Fit) -> Tensor:
    """Resize to a short side of `short_side`, or to a square of it."""
    height, width = frames_T3HW.shape[-2:]
    size = [short_side, short_side]
    if fit == "crop":
        scale = short_side / min(height, width)
        size = [max(round(height * scale), short_side), max(round(width * scale), short_side)]
    resized: Tensor = v2.resize(frames_T3HW, size, antialias=True)
    return resized
