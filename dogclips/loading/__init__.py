"""From a list of clips to batches: which frames, their pixels, their crops."""

from dogclips.loading.dataset import ClipDataset, Sample
from dogclips.loading.sampling import Sampling, segment_instants
from dogclips.loading.transforms import Augmentation, Views

__all__ = [
    "Augmentation",
    "ClipDataset",
    "Sample",
    "Sampling",
    "Views",
    "segment_instants",
]
