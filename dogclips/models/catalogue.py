"""Published networks by name: what to build, what it was shown, and under which terms.

A name stands for a configuration and an input. A training run spells both out, under `model` and
`data`; `dogclips models show NAME --yaml` writes them.
"""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, replace

from pydantic import Field

from dogclips.config import Config, Frames, Pixels, merge_trees, parse_override, validate
from dogclips.errors import UsageError
from dogclips.models import ModelConfig
from dogclips.models.mvit import MViTConfig
from dogclips.models.resnet3d import I3DConfig, SlowConfig
from dogclips.models.slowfast import SlowFastConfig
from dogclips.models.timesformer import TimeSformerConfig
from dogclips.models.uniformer import UniFormerV2Config
from dogclips.models.video_model import ModelInput
from dogclips.models.x3d import X3DConfig

NUM_CLASSES = 400  # of Kinetics-400, for which all of them were published

GREY = (0.45, 0.45, 0.45), (0.225, 0.225, 0.225)


@dataclass(frozen=True)
class Variant:
    """A published network."""

    config: ModelConfig  #: What to build
    expects: ModelInput  #: Frames and size of a view; mean and standard deviation of its channels
    #: Frames from one frame of a view to the next; 0 for frames spread over the whole video.
    interval: int
    paper: str  #: Where it was published
    licence: str  #: Of the weights that its authors gave away; those of a dataset may come on top


class _FramesConfig(Config):
    """How many frames a view has."""

    clip_len: Frames = Field(description="Number of frames per view.")


class _ViewConfig(Config):
    """Frames and pixels of a view."""

    sampling: _FramesConfig = Field(description="Which frames of a clip the model sees.")
    size: Pixels = Field(description="Height and width of a view.")


class NetworkConfig(Config):
    """The part of a training configuration that decides about the network, under its keys."""

    model: ModelConfig = Field(description="The network and its sizes.")
    data: _ViewConfig = Field(description="What the network sees.")

    @classmethod
    def of(cls, variant: Variant, overrides: Iterable[str] = ()) -> "NetworkConfig":
        """Return a published network's settings, changed by `key.path=value`."""
        expects = variant.expects
        tree = {
            "model": variant.config.model_dump(),
            "data": {"sampling": {"clip_len": expects.clip_len}, "size": expects.size},
        }
        for override in overrides:
            tree = merge_trees(tree, parse_override(override))
        return validate(cls, tree, where="--set")

    def applied(self, variant: Variant) -> Variant:
        """Return a published network with these settings in place of its own."""
        data = self.data
        expects = replace(variant.expects, clip_len=data.sampling.clip_len, size=data.size)
        return replace(variant, config=self.model, expects=expects)

    def difference(self) -> dict[str, object]:
        """Return what differs from the defaults, as plain values."""
        named = {"model": {"name": self.model.name}}
        return merge_trees(named, self.model_dump(mode="json", exclude_defaults=True))


def variant(name: str) -> Variant:
    """Return the published network of a name."""
    if name in VARIANTS:
        return VARIANTS[name]
    begun = [one for one in VARIANTS if one.startswith(name)]
    near = difflib.get_close_matches(name, begun or VARIANTS, n=1, cutoff=0.0 if begun else 0.6)
    todo = f"did you mean {near[0]}? " if near else ""
    raise UsageError("no such model", where=name, todo=f"{todo}`dogclips models` lists all")


def _published(
    config: ModelConfig,
    clip_len: int,
    interval: int,
    paper: str,
    licence: str = "Apache-2.0",
    size: int = 224,
) -> Variant:
    return Variant(config, ModelInput(clip_len, size, *GREY), interval, paper, licence)


_TIMESFORMER = "Bertasius et al., ICML 2021, arXiv 2102.05095"
_SLOWFAST = "Feichtenhofer et al., ICCV 2019, arXiv 1812.03982"
_I3D = "Wang et al., CVPR 2018, arXiv 1711.07971"
_X3D = "Feichtenhofer, CVPR 2020, arXiv 2004.04730"
_MVIT = "Fan et al., ICCV 2021, arXiv 2104.11227"
_MVIT2 = "Li et al., CVPR 2022, arXiv 2112.01526"
_UNIFORMER2 = "Li et al., ICCV 2023, arXiv 2211.09552"
_NOT_COMMERCIAL = "CC-BY-NC-4.0"
_R101 = (3, 4, 23, 3)
_R101_50 = SlowFastConfig(depths=_R101, temporal_depths=(3, 4, 6, 3), fusion_kernel=5)
_VIT_L = TimeSformerConfig(dim=1024, depth=24, heads=16)  # tried in the paper, never given away

VARIANTS: dict[str, Variant] = {
    "timesformer-8x32": _published(TimeSformerConfig(), 8, 32, _TIMESFORMER, _NOT_COMMERCIAL),
    "timesformer-hr-16x16": _published(
        TimeSformerConfig(), 16, 16, _TIMESFORMER, _NOT_COMMERCIAL, size=448
    ),
    "timesformer-l-96x4": _published(TimeSformerConfig(), 96, 4, _TIMESFORMER, _NOT_COMMERCIAL),
    "timesformer-joint-8x32": _published(
        TimeSformerConfig(attention="joint"), 8, 32, _TIMESFORMER, _NOT_COMMERCIAL
    ),
    "timesformer-space-8x32": _published(
        TimeSformerConfig(attention="space"), 8, 32, _TIMESFORMER, _NOT_COMMERCIAL
    ),
    "timesformer-vit-l-8x32": _published(_VIT_L, 8, 32, _TIMESFORMER, "none known"),
    "slowfast-r50-4x16": _published(SlowFastConfig(alpha=8, fusion_kernel=5), 32, 2, _SLOWFAST),
    "slowfast-r50-8x8": _published(SlowFastConfig(), 32, 2, _SLOWFAST),
    "slowfast-r101-8x8": _published(
        SlowFastConfig(depths=_R101, fusion_kernel=5), 32, 2, _SLOWFAST
    ),
    "slowfast-r101-16x8": _published(_R101_50, 64, 2, _SLOWFAST),
    "slow-r50-8x8": _published(SlowConfig(), 8, 8, _SLOWFAST),
    "i3d-r50-8x8": _published(I3DConfig(), 8, 8, _I3D),
    "x3d-m": _published(X3DConfig(), 16, 5, _X3D),
    "mvit-b-16x4": _published(MViTConfig(version=1, depths=(1, 2, 11, 2)), 16, 4, _MVIT),
    "mvitv2-s-16x4": _published(MViTConfig(), 16, 4, _MVIT2),
    "mvitv2-b-32x3": _published(MViTConfig(depths=(2, 3, 16, 3), drop_path=0.3), 32, 3, _MVIT2),
    "uniformerv2-b16-8": _published(UniFormerV2Config(), 8, 0, _UNIFORMER2, "MIT"),
}
