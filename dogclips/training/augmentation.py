"""From settings to what is done to clips: which frames are taken, and what chance changes.

mixup: Zhang, Cisse, Dauphin and Lopez-Paz, ICLR 2018 (arXiv 1710.09412), blends two clips.
CutMix: Yun et al., ICCV 2019 (arXiv 1905.04899), puts a rectangle of one into the other.

Shapes: B clips, V views, T frames, S side of a view, K classes.
"""

from collections.abc import Callable, Sequence
from functools import partial

from torch import Tensor
from torchvision import tv_tensors
from torchvision.transforms import v2

from dogclips.loading import Augmentation, Sampling
from dogclips.loading.sampling import Dense
from dogclips.media.excerpt import FrameTimes
from dogclips.training.config import DataConfig

Mix = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]


def sampling_of(data: DataConfig) -> Sampling:
    """Return which frames of a clip the settings want."""
    wanted = data.sampling
    if wanted.mode == "uniform":
        return Sampling(wanted.clip_len)
    if wanted.interval is not None:
        return Sampling(wanted.clip_len, Dense(wanted.interval))
    return Sampling(wanted.clip_len, Dense(wanted.interval_seconds or 0.0, seconds=True))


def sampling_warning(data: DataConfig, clips: Sequence[FrameTimes]) -> str | None:
    """Return a line for before training if dense views are longer than some of the clips."""
    sampling = sampling_of(data)
    short = [clip for clip in clips if sampling.shortens(clip)]
    if sampling.dense is None or not short:
        return None
    first = min(short, key=lambda clip: clip.end_s - clip.start_s)
    span_s = sampling.dense.span_s(first, sampling.clip_len)
    return (
        f"{len(short)} of {len(clips)} clips are too short for data.sampling: "
        f"{sampling.clip_len} frames at this interval take {span_s:.2f} s, and the shortest clip "
        f"has {first.end_s - first.start_s:.2f} s: these clips are sampled uniformly instead"
    )


def augmentation_of(data: DataConfig) -> Augmentation:
    """Return the random changes that the settings want."""
    wanted = data.augment
    erasing = wanted.random_erasing
    recolour: list[v2.Transform] = []
    if wanted.color_jitter:
        recolour.append(v2.ColorJitter(**dict(wanted.color_jitter)))
    if wanted.rand_augment:
        recolour.append(v2.RandAugment(**dict(wanted.rand_augment)))
    if erasing:
        recolour.append(v2.RandomErasing(erasing.probability, erasing.scale, erasing.ratio))
    return Augmentation(
        size=data.size,
        fit=data.fit,
        flip=wanted.flip,
        scale=wanted.scale,
        crop=wanted.crop,
        resized_crop=wanted.resized_crop,
        recolour=tuple(recolour),
    )


def build_mix(mixup: float, cutmix: float) -> Mix | None:
    """Return what mixes a batch once it is on the device, or None if nothing is to be mixed.

    Every batch is mixed, by Beta distributions of these alphas; with both, chance says how. Chance
    is that of torch on the CPU.
    """
    wanted: list[v2.Transform] = []
    if mixup:
        wanted.append(v2.MixUp(alpha=mixup))
    if cutmix:
        wanted.append(v2.CutMix(alpha=cutmix))
    return partial(_mix, v2.RandomChoice(wanted)) if wanted else None


def _mix(transform: v2.Transform, video: Tensor, target_BK: Tensor) -> tuple[Tensor, Tensor]:
    """Mix each clip of a batch (B, V, 3, T, S, S), normalised, with the one before it.

    All views and frames of a clip are treated alike; a target becomes the mean of both by the
    share of each in the picture, whichever numbers it holds.
    """
    # torchvision knows videos of five dimensions, and only its own class is taken for one.
    flat = tv_tensors.Video(video.flatten(1, 2))
    mixed, mixed_BK = transform(flat, target_BK)
    return mixed.as_subclass(Tensor).view_as(video), mixed_BK
