"""What training makes small.

Shapes: K classes.
"""

import torch
from torch import Tensor

from dogclips.lists import ClipList
from dogclips.training.config import TrainConfig


def pos_weight(config: TrainConfig, clips: ClipList) -> Tensor | None:
    """Return how many times a positive of each class counts in the loss (K,)."""
    wanted, num_labels = config.loss.pos_weight, len(clips.labels)
    if wanted is None:
        return None
    if wanted != "balanced":
        return torch.full((num_labels,), float(wanted))
    carried = [label for clip in clips.clips for label in set(clip.labels)]
    positives = torch.bincount(torch.tensor(carried, dtype=torch.long), minlength=num_labels)
    # A class that nobody carries, or everybody, is left as it is.
    ratio = (len(clips.clips) - positives) / positives.clamp(min=1)
    return torch.where((positives > 0) & (ratio > 0), ratio, 1.0)
