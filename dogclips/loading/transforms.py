"""From decoded frames to square views; bytes stay bytes until they reach the device.

What is random is drawn once for a clip, from its own seed, and treats all frames alike. Frames are
cropped first and only the crop is resized. That was measured to cost less than letting FFmpeg scale
them (0.1 ms against 0.25 for a frame of 456x256, 0.3 against 1.0 for 720p), and gives the same
bytes whatever decodes.

Shapes: T frames, H x W pixels, S side of a view, C crops of a clip.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from pydantic import Field, field_validator
from torch import Tensor
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional

from dogclips.config import Ascending, Config

# "crop" keeps the aspect and cuts the sides off, "stretch" keeps everything and squeezes it.
Fit = Literal["crop", "stretch"]
Crop = Literal["random", "centre"]


@dataclass(frozen=True)
class Box:
    """A part of a frame that becomes a view, in pixels of the frame."""

    top: int
    left: int
    height: int
    width: int
    flipped: bool = False

    def view(self, frames_T3HW: Tensor, size: int) -> Tensor:
        """Return this part of all frames as squares (T, 3, S, S)."""
        part = frames_T3HW[
            ..., self.top : self.top + self.height, self.left : self.left + self.width
        ]
        view_T3SS: Tensor = functional.resize(part, [size, size], antialias=True)
        return view_T3SS.flip(-1) if self.flipped else view_T3SS


class ResizedCrop(Config):
    """A crop of random size and shape (Szegedy et al. 2015), as ImageNet models are trained."""

    scale: Ascending = Field(
        (0.08, 1.0), description="Smallest and largest share of the frame's area."
    )
    ratio: Ascending = Field(
        (3 / 4, 4 / 3), description="Smallest and largest ratio of width to height."
    )

    @field_validator("scale")
    @classmethod
    def _is_a_share(cls, scale: tuple[float, float]) -> tuple[float, float]:
        if scale[1] > 1:
            raise ValueError("the crop cannot be larger than the frame: set at most 1")
        return scale

    def box(self, height: int, width: int, rng: np.random.Generator) -> Box:
        """Return a random part; after ten that do not fit, the largest centred one that does."""
        for _ in range(10):
            area = height * width * rng.uniform(*self.scale)
            ratio = float(np.exp(rng.uniform(*np.log(self.ratio))))
            high, wide = round((area / ratio) ** 0.5), round((area * ratio) ** 0.5)
            if 0 < high <= height and 0 < wide <= width:
                top, left = rng.integers(height - high + 1), rng.integers(width - wide + 1)
                return Box(int(top), int(left), high, wide)
        ratio = min(max(width / height, self.ratio[0]), self.ratio[1])
        high, wide = min(height, round(width / ratio)), min(width, round(height * ratio))
        return Box((height - high) // 2, (width - wide) // 2, high, wide)


@dataclass(frozen=True)
class _Squares:
    """How frames become square views."""

    size: int  #: Side of a view in pixels
    fit: Fit = "crop"  #: How frames that are not square become square


@dataclass(frozen=True)
class Augmentation(_Squares):
    """Random views for training; all frames of a clip are treated alike."""

    flip: bool = True  #: Mirror half of the clips from left to right
    #: Smallest and largest short side before the crop, in multiples of `size`.
    scale: tuple[float, float] = (1.0, 1.25)
    #: At random over the whole frame, or always its centre, as evaluation does.
    crop: Crop = "random"
    resized_crop: ResizedCrop | None = None  #: In place of `scale`, `crop` and `fit`
    #: What is done to the finished view, in this order; transforms of torchvision.
    recolour: tuple[v2.Transform, ...] = ()

    def box(self, height: int, width: int, rng: np.random.Generator) -> Box:
        """Draw the part of the frames that becomes the view, and whether it is mirrored."""
        if self.resized_crop is not None:
            part = self.resized_crop.box(height, width, rng)
        else:
            part = self._part(height, width, rng)
        flipped = self.flip and bool(rng.random() < 0.5)
        return Box(part.top, part.left, part.height, part.width, flipped)

    def recoloured(self, view_T3SS: Tensor, rng: np.random.Generator) -> Tensor:
        """Change colours and the like; all frames of the clip alike.

        The transforms draw from torch's own generator: it is seeded from the clip's, and left as it
        was.
        """
        if not self.recolour:
            return view_T3SS
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(int(rng.integers(2**63)))
            for transform in self.recolour:
                view_T3SS = transform(view_T3SS)
        return view_T3SS

    def _part(self, height: int, width: int, rng: np.random.Generator) -> Box:
        """Draw a crop of `size` from frames whose short side is resized at random."""
        share = self.size / round(self.size * rng.uniform(*self.scale))
        if self.fit == "stretch":
            high, wide = max(round(height * share), 1), max(round(width * share), 1)
        else:
            high = wide = max(round(min(height, width) * share), 1)
        top, left = (height - high) // 2, (width - wide) // 2
        if self.crop == "random":
            top = int(rng.integers(height - high + 1))
            left = int(rng.integers(width - wide + 1))
        return Box(top, left, high, wide)


@dataclass(frozen=True)
class Views(_Squares):
    """The fixed crops of evaluation: 1 for the centre; 3 for both ends of the long side, too."""

    crops: Literal[1, 3] = 1

    def __call__(self, frames_T3HW: Tensor) -> Tensor:
        """Return views (C, 3, T, S, S)."""
        height, width = frames_T3HW.shape[-2:]
        high = wide = size = self.size
        if self.fit == "crop":
            scale = size / min(height, width)
            high, wide = max(round(height * scale), size), max(round(width * scale), size)
        resized_T3HW = functional.resize(frames_T3HW, [high, wide], antialias=True)
        crops = []
        for share in (0.5,) if self.crops == 1 else (0.0, 0.5, 1.0):
            top, left = round((high - size) * share), round((wide - size) * share)
            crops.append(resized_T3HW[..., top : top + size, left : left + size])
        return torch.stack(crops).transpose(1, 2).contiguous()
