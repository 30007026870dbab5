"""Clips of a list as samples for a model.

Shapes: V views, T frames, S side of a view, C crops, K classes.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypedDict

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from dogclips.lists import ClipList
from dogclips.loading.excerpts import FramesFrom, excerpts
from dogclips.loading.frames import DecoderName, frames_at
from dogclips.loading.sampling import Sampling
from dogclips.loading.transforms import Augmentation, Box, Views
from dogclips.media.excerpt import Excerpt
from dogclips.media.writing import Pixels

# Crops up to this size wait to be resized together, which is twice as fast as one by one. Larger
# ones are resized at once: copying them side by side costs more, and they would fill the memory.
_SMALL_BYTES = 1 << 18


class Sample(TypedDict):
    """One clip: video (V, 3, T, S, S) bytes, target (K,) of 0 and 1, index in the list."""

    video: Tensor
    target: Tensor
    index: int


@dataclass(frozen=True)
class Draw:
    """A clip to load, and the seed of its random instants and crop.

    The seed comes with the index, so that a sample does not depend on which worker makes it.
    """

    index: int
    seed: tuple[int, ...] = ()


# What is made of one clip: its frames and a source of chance -> views (V, 3, T, S, S).
Loader = Callable[[Excerpt, np.random.Generator], Tensor]


@dataclass(frozen=True)
class RandomViews:
    """Views of a clip that are random in time and space, for training."""

    sampling: Sampling  #: Which frames
    augmentation: Augmentation  #: What becomes of them; each view has draws of its own
    #: How many views a step has of one clip (Hoffer et al. 2020, "Augment your batch").
    num_views: int = 1
    decoder: DecoderName = "pyav"

    def __call__(self, excerpt: Excerpt, rng: np.random.Generator) -> Tensor:
        """Return the views (V, 3, T, S, S); every frame is decoded once, however many show it."""
        num_views, clip_len, size = self.num_views, self.sampling.clip_len, self.augmentation.size
        boxes: list[Box] = []
        waiting = [_Waiting(clip_len, size) for _ in range(num_views)]
        for shown in frames_at(
            excerpt, lambda times: self.sampling.random_views(times, num_views, rng), self.decoder
        ):
            if not boxes:
                height, width = shown.pixels.shape[:2]
                boxes = [self.augmentation.box(height, width, rng) for _ in range(num_views)]
            for view in range(num_views):
                own = shown.positions[shown.positions // clip_len == view] % clip_len
                waiting[view].add(shown.pixels, own, boxes[view])
        views = [
            self.augmentation.recoloured(own.finished(box), rng)
            for own, box in zip(waiting, boxes, strict=True)
        ]
        return torch.stack(views).transpose(1, 2)


class _Waiting:
    """The view in the making: crops that wait to be resized together, and the finished frames."""

    def __init__(self, clip_len: int, size: int) -> None:
        self._size = size
        # Colours last, as they come from the decoder and are resized fastest.
        self._view_TSS3 = torch.empty(clip_len, size, size, 3, dtype=torch.uint8)
        self._crops: list[Pixels] = []
        self._positions: list[list[int]] = []

    def add(self, pixels: Pixels, positions: NDArray[np.int64], box: Box) -> None:
        """Remember the part of a frame that is shown at these positions of the view."""
        if not len(positions):
            return
        part = pixels[box.top : box.top + box.height, box.left : box.left + box.width]
        self._crops.append(part)
        self._positions.append(positions.tolist())
        if part.nbytes > _SMALL_BYTES:
            self._resize(box)

    def finished(self, box: Box) -> Tensor:
        """Return the whole view (T, 3, S, S)."""
        self._resize(box)
        return self._view_TSS3.permute(0, 3, 1, 2)

    def _resize(self, box: Box) -> None:
        if not self._crops:
            return
        one = len(self._crops) == 1  # stays where it is
        together = self._crops[0][None] if one else np.stack(self._crops)
        crops_T3HW = torch.from_numpy(together).permute(0, 3, 1, 2)
        whole = Box(0, 0, box.height, box.width, box.flipped)
        resized_TSS3 = whole.view(crops_T3HW, self._size).permute(0, 2, 3, 1)
        for frame, positions in zip(resized_TSS3, self._positions, strict=True):
            for position in positions:
                self._view_TSS3[position] = frame
        self._crops, self._positions = [], []


@dataclass(frozen=True)
class FixedViews:
    """Every view in time times every crop, the same each time: for evaluation."""

    sampling: Sampling
    num_views: int
    crops: Views
    decoder: DecoderName = "pyav"

    def __call__(self, excerpt: Excerpt, rng: np.random.Generator) -> Tensor:
        """Return the views (V, 3, T, S, S), V = views in time x crops; nothing is random.

        One pass over the file decodes the frames of all views.
        """
        del rng
        clip_len, size = self.sampling.clip_len, self.crops.size
        views_VC3TSS = torch.empty(
            self.num_views, self.crops.crops, 3, clip_len, size, size, dtype=torch.uint8
        )
        for shown in frames_at(
            excerpt, lambda times: self.sampling.fixed_views(times, self.num_views), self.decoder
        ):
            frame_13HW = torch.from_numpy(shown.pixels).permute(2, 0, 1).unsqueeze(0)
            crops_C3SS = self.crops(frame_13HW)[:, :, 0]
            for position in shown.positions.tolist():
                views_VC3TSS[position // clip_len, :, :, position % clip_len] = crops_C3SS
        return views_VC3TSS.flatten(0, 1)


class ClipDataset(Dataset[Sample]):
    """The clips of a list, made into samples by `load`.

    Indexed by a number, or by a `Draw` that also brings the seed. A clip that does not decode is a
    MediaError on access: no other clip is given in its place.
    """

    def __init__(self, clips: ClipList, load: Loader, source: FramesFrom = "clips") -> None:
        self.clips = clips
        self.load = load
        self.excerpts: Sequence[Excerpt] = excerpts((clip.path for clip in clips.clips), source)

    def __len__(self) -> int:
        return len(self.clips.clips)

    def __getitem__(self, draw: int | Draw) -> Sample:
        if isinstance(draw, int):
            draw = Draw(draw)
        target = torch.zeros(len(self.clips.labels))
        target[list(self.clips.clips[draw.index].labels)] = 1.0
        video = self.load(self.excerpts[draw.index], np.random.default_rng(draw.seed))
        return Sample(video=video, target=target, index=draw.index)
