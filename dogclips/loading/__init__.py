"""From a list of clips to batches: which frames, their pixels, their crops."""

from dogclips.loading.dataset import ClipDataset, Sample
from dogclips.loading.decoding import ClipFrames, read_frames
from dogclips.loading.sampling import Sampling, random_instants, segment_instants
from dogclips.loading.transforms import Augmentation, Views

__all__ = [
    "Augmentation",
    "ClipDataset",
    "ClipFrames",
    "Sample",
    "Sampling",
    "Views",
    "random_instants",
    "read_frames",
    "segment_instants",
]
