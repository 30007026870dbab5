"""Clips of a list as samples for a model.

Shapes: V views, T frames, S side of a view, K classes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from dogclips.lists import ClipList
from dogclips.loading.decoding import read_frames
from dogclips.loading.sampling import random_instants, segment_instants
from dogclips.loading.transforms import Augmentation, Views


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


# What is made of one clip: its path and a source of chance -> views (V, 3, T, S, S).
Loader = Callable[[Path, np.random.Generator], Tensor]


@dataclass(frozen=True)
class RandomView:
    """One view a clip, random in time and space: for training."""

    clip_len: int
    augmentation: Augmentation

    def __call__(self, path: Path, rng: np.random.Generator) -> Tensor:
        """Return the view (1, 3, T, S, S)."""
        frames = read_frames(
            path, lambda start, end: random_instants(start, end, self.clip_len, rng)
        )
        return self.augmentation(frames.pixels.permute(0, 3, 1, 2), rng).unsqueeze(0)


@dataclass(frozen=True)
class FixedViews:
    """Every view in time times every crop, the same each time: for evaluation."""

    clip_len: int
    num_views: int
    crops: Views

    def __call__(self, path: Path, rng: np.random.Generator) -> Tensor:
        """Return the views (V, 3, T, S, S), V = views in time x crops; nothing is random."""
        del rng
        # One pass over the file decodes the frames of all views; they come in order of time.
        frames = read_frames(path, self._instants).pixels.permute(0, 3, 1, 2)
        views = [self.crops(frames[view :: self.num_views]) for view in range(self.num_views)]
        return torch.cat(views)

    def _instants(
        self, start: float, end: float
    ) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
        views = range(self.num_views)
        return np.concatenate(
            [
                segment_instants(start, end, self.clip_len, view=view, num_views=self.num_views)
                for view in views
            ]
        )


class ClipDataset(Dataset[Sample]):
    """The clips of a list, made into samples by `load`.

    Indexed by a number, or by a `Draw` that also brings the seed.

    Raises
    ------
    MediaError
        On access, if a clip does not decode. No other clip is given in its place.
    """

    def __init__(self, clips: ClipList, load: Loader) -> None:
        self.clips = clips
        self.load = load

    def __len__(self) -> int:
        return len(self.clips.clips)

    def __getitem__(self, draw: int | Draw) -> Sample:
        if isinstance(draw, int):
            draw = Draw(draw)
        clip = self.clips.clips[draw.index]
        target = torch.zeros(len(self.clips.labels))
        target[list(clip.labels)] = 1.0
        video = self.load(clip.path, np.random.default_rng(draw.seed))
        return Sample(video=video, target=target, index=draw.index)
