"""Clips mixed with each other, after they have reached the device.

mixup: Zhang, Cisse, Dauphin and Lopez-Paz, ICLR 2018 (arXiv 1710.09412), blends two clips.
CutMix: Yun et al., ICCV 2019 (arXiv 1905.04899), puts a rectangle of one into the other.

Shapes: B clips, V views, T frames, S side of a view, K classes.
"""

from collections.abc import Callable
from functools import partial

from torch import Tensor
from torchvision import tv_tensors
from torchvision.transforms import v2

Mix = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]


def build_mix(mixup: float, cutmix: float) -> Mix | None:
    """Return what mixes a batch, or None if nothing is to be mixed.

    Every batch is mixed; with both, chance says how. Chance is that of torch on the CPU.

    Parameters
    ----------
    mixup, cutmix
        Alphas of the Beta distribution; 0 for none.
    """
    wanted: list[v2.Transform] = []
    if mixup:
        wanted.append(v2.MixUp(alpha=mixup))
    if cutmix:
        wanted.append(v2.CutMix(alpha=cutmix))
    return partial(_mix, v2.RandomChoice(wanted)) if wanted else None


def _mix(transform: v2.Transform, video: Tensor, target_BK: Tensor) -> tuple[Tensor, Tensor]:
    """Mix each clip with the one before it in the batch.

    All views and frames of a clip are treated alike; a target becomes the mean of both by the
    share of each in the picture, whichever numbers it holds.

    Parameters
    ----------
    video
        (B, V, 3, T, S, S), normalised.
    """
    # torchvision knows videos of five dimensions, and only its own class is taken for one.
    flat = tv_tensors.Video(video.flatten(1, 2))
    mixed, mixed_BK = transform(flat, target_BK)
    return mixed.as_subclass(Tensor).view_as(video), mixed_BK
