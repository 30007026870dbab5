"""What others call the parameters of SlowFast, Slow, I3D and X3D, and of the image ResNet.

Ours are those of PySlowFast, in which pathway 0 is the slow or only one.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

import torch
from torch.nn import functional

from dogclips.models.weights.namings import (
    IMAGENET,
    KINETICS,
    Adapted,
    Naming,
    Normalisation,
    Tensors,
    identity,
)

ONE = "i3d or slow"  # one pathway; the names are the same
STAGES = range(2, 6)  # res2 to res5
BRANCHES = "abc"  # convolutions of a bottleneck: ours; others count from 1

# What they call the convolution and the norm of a block's shortcut, and of its branches: by our
# letter {b}, or by number {n}.
_OUR_STYLE = ("branch1 branch1_bn", "branch2.{b} branch2.{b}_bn")
_PYTORCHVIDEO_STYLE = ("branch1_conv branch1_norm", "branch2.conv_{b} branch2.norm_{b}")
_MMACTION2_STYLE = ("downsample.conv downsample.bn", "conv{n}.conv conv{n}.bn")
_TORCHVISION_STYLE = ("downsample.0 downsample.1", "conv{n} bn{n}")
_CAFFE2_STYLE = ("branch1 branch1_bn", "branch2{b} branch2{b}_bn")


class _Unit(NamedTuple):
    """A convolution and the norm behind it, under their names and under ours."""

    conv: str
    norm: str
    our_conv: str
    our_norm: str


def _stem(conv: str, norm: str, pathway: int | str = 0) -> _Unit:
    ours = f"s1.pathway{pathway}_stem"
    return _Unit(conv, norm, f"{ours}.conv", f"{ours}.bn")


def _fusion(conv: str, norm: str, stage: int | str) -> _Unit:
    return _Unit(conv, norm, f"s{stage}_fuse.conv_f2s", f"s{stage}_fuse.bn")


def _block(
    theirs: str, style: tuple[str, str], stage: int | str, pathway: int | str = 0
) -> Iterable[_Unit]:
    """Yield the units of a residual block; `theirs` is what stands before their names."""
    shortcut, branch = style
    ours = f"s{stage}.pathway{pathway}_res{{j}}"
    own = {"branch1": shortcut}
    for n, b in enumerate(BRANCHES, 1):
        own[f"branch2.{b}"] = branch.replace("{b}", b).replace("{n}", str(n))
    for name, words in own.items():
        conv, norm = (theirs + word for word in words.split())
        yield _Unit(conv, norm, f"{ours}.{name}", f"{ours}.{name}_bn")


def _table(units: Iterable[_Unit], *heads: str) -> dict[str, str]:
    """Return the names of units, and of a classifier."""
    names = {f"{head}.{{x}}": "head.projection.{x}" for head in heads}
    for unit in units:
        names[f"{unit.conv}.weight"] = f"{unit.our_conv}.weight"
        names[f"{unit.norm}.{{x}}"] = f"{unit.our_norm}.{{x}}"
    return names


def _ours() -> dict[str, str]:
    """Return our names, with statistics of the whole where parts of a batch have theirs, too."""
    units = [
        _stem("s1.pathway{p}_stem.conv", "s1.pathway{p}_stem.bn", "{p}"),
        _fusion("s{i}_fuse.conv_f2s", "s{i}_fuse.bn", "{i}"),
        *_block("s{i}.pathway{p}_res{j}.", _OUR_STYLE, "{i}", "{p}"),
        _Unit("head.conv_5", "head.conv_5_bn", "head.conv_5", "head.conv_5_bn"),
    ]
    of_x3d = (
        "s1.pathway0_stem.conv_xy.weight",
        "s{i}.pathway{p}_res{j}.branch2.se.fc1.{x}",
        "s{i}.pathway{p}_res{j}.branch2.se.fc2.{x}",
        "head.lin_5.weight",
    )
    split = {f"{unit.norm}.bn.{{x}}": f"{unit.norm}.{{x}}" for unit in units}  # beside `split_bn`
    return {**_table(units, "head.projection"), **identity(of_x3d), **split}


def _pytorchvideo() -> dict[str, str]:
    paths = "multipathway_blocks.{p}"
    units = [_stem(f"blocks.0.{paths}.conv", f"blocks.0.{paths}.norm", "{p}")]
    for k in range(1, 5):
        fusion = f"blocks.{k - 1}.multipathway_fusion"
        units.append(_fusion(f"{fusion}.conv_fast_to_slow", f"{fusion}.norm", k))
    for k in STAGES:
        theirs = f"blocks.{k - 1}.{paths}.res_blocks.{{j}}."
        units += _block(theirs, _PYTORCHVIDEO_STYLE, k, "{p}")
    return _table(units, "blocks.6.proj", "detection_head.proj")


def _pytorchvideo_single(pool: int) -> dict[str, str]:
    """Return the names of Slow or, with `pool` 1, of I3D, whose pool after res2 counts as block."""
    units = [_stem("blocks.0.conv", "blocks.0.norm")]
    for k in STAGES:
        number = k - 1 + (pool if k > 2 else 0)
        units += _block(f"blocks.{number}.res_blocks.{{j}}.", _PYTORCHVIDEO_STYLE, k)
    return _table(units, f"blocks.{5 + pool}.proj")


def _pytorchvideo_x3d() -> dict[str, str]:
    names = _pytorchvideo_single(pool=0) | {
        # They call each of the stem's convolutions what the other does.
        "blocks.0.conv.conv_t.weight": "s1.pathway0_stem.conv_xy.weight",
        "blocks.0.conv.conv_xy.weight": "s1.pathway0_stem.conv.weight",
        "blocks.5.pool.pre_conv.weight": "head.conv_5.weight",
        "blocks.5.pool.pre_norm.{x}": "head.conv_5_bn.{x}",
        "blocks.5.pool.post_conv.weight": "head.lin_5.weight",
    }
    for k in STAGES:
        theirs = f"blocks.{k - 1}.res_blocks.{{j}}.branch2.norm_b"
        ours = f"s{k}.pathway0_res{{j}}.branch2"
        names[f"{theirs}.0.{{x}}"] = f"{ours}.b_bn.{{x}}"
        names[f"{theirs}.1.block.0.{{x}}"] = f"{ours}.se.fc1.{{x}}"
        names[f"{theirs}.1.block.2.{{x}}"] = f"{ours}.se.fc2.{{x}}"
    return names


def _in_layers(
    stem: _Unit, style: tuple[str, str], head: str, path: str = "", pathway: int = 0
) -> dict[str, str]:
    """Return the names of a pathway whose stages are called layers."""
    units = [stem]
    for k in STAGES:
        units += _block(f"{path}layer{k - 1}.{{j}}.", style, k, pathway)
    return _table(units, head)


def _mmaction2(path: str = "", pathway: int = 0) -> dict[str, str]:
    """Return the names of a pathway; `path` ends in a dot or is empty."""
    stem = _stem(f"{path}conv1.conv", f"{path}conv1.bn", pathway)
    return _in_layers(stem, _MMACTION2_STYLE, "cls_head.fc_cls", path, pathway)


def _mmaction2_slowfast() -> dict[str, str]:
    layers = (f"slow_path.{layer}_lateral" for layer in ("conv1", "layer1", "layer2", "layer3"))
    fusions = [_fusion(f"{layer}.conv", f"{layer}.bn", k) for k, layer in enumerate(layers, 1)]
    return {**_mmaction2("slow_path.", 0), **_mmaction2("fast_path.", 1), **_table(fusions)}


_CAFFE2_NORM = {"s": "weight", "b": "bias", "rm": "running_mean", "riv": "running_var"}


def _caffe2() -> dict[str, str]:
    """Return the names of caffe2's blobs; `t_` is the fast pathway."""
    units = [
        _fusion(f"{theirs}_subsample", f"{theirs}_subsample_bn", stage)
        for theirs, stage in (("t_pool1", 1), ("t_res{i}_{j}_branch2c_bn", "{i}"))
    ]
    for pathway, t in enumerate(("", "t_")):
        units.append(_stem(f"{t}conv1", f"{t}res_conv1_bn", pathway))
        units += _block(f"{t}res{{i}}_{{j}}_", _CAFFE2_STYLE, "{i}", pathway)
    names = {"pred_w": "head.projection.weight", "pred_b": "head.projection.bias"}
    for unit in units:
        names[f"{unit.conv}_w"] = f"{unit.our_conv}.weight"
        for short, word in _CAFFE2_NORM.items():
            names[f"{unit.norm}_{short}"] = f"{unit.our_norm}.{word}"
    return names


def from_mmaction2(named: Tensors, theirs: Tensors) -> Adapted:
    """Put the head's columns in our order, and norms without effect behind lateral connections.

    MMAction2 joins fast before slow features for its head, and its published SlowFast has neither
    batch norm nor ReLU behind the lateral convolutions (mmaction2 `resnet3d_slowfast.py`).
    """
    tensors, made = dict(named), dict[str, str]()
    notes = []
    weight = tensors.get("head.projection.weight")
    last = theirs.get("fast_path.layer4.0.conv3.conv.weight")
    if weight is not None and weight.ndim == 2 and last is not None and last.ndim == 5:
        fast = last.shape[0]
        tensors["head.projection.weight"] = torch.cat([weight[:, fast:], weight[:, :fast]], dim=1)
        notes.append("the head's columns were put in our order, slow before fast")
    for name, value in named.items():
        norm = name.replace(".conv_f2s.weight", ".bn.")
        if norm == name or f"{norm}weight" in named or value.ndim != 5:
            continue
        values = _norm_without_effect(value)
        tensors |= {norm + word: tensor for word, tensor in values.items()}
        made |= {norm + word: "a batch norm without effect" for word in values}
    if made:
        notes.append(
            "its lateral connections had no batch norm, so one without effect was put in; they had "
            "no ReLU either and took every alpha-th frame: outputs differ from MMAction2's"
        )
    return Adapted(tensors, made, tuple(notes))


def _norm_without_effect(convolution: torch.Tensor) -> Tensors:
    channels = convolution.shape[0]
    return {
        "weight": torch.ones(channels),
        "bias": torch.zeros(channels),
        "running_mean": torch.zeros(channels),
        "running_var": torch.full((channels,), 1 - 1e-5),  # the norm adds its eps of 1e-5
    }


def as_kernels(named: Tensors, theirs: Tensors) -> Adapted:
    """Give kernels the five axes that caffe2's blobs leave out where they are 1."""
    del theirs
    kernel = re.compile(r".*(?:conv|conv_xy|conv_f2s|conv_5|lin_5|branch1|\.[abc]|fc[12])\.weight")
    return Adapted(
        {
            name: value[(...,) + (None,) * (5 - value.ndim)] if kernel.fullmatch(name) else value
            for name, value in named.items()
        }
    )


def inflated(image: Tensors, wanted: Tensors) -> Adapted:
    """Return an image ResNet as the slow, or only, pathway of our video network.

    A kernel over k frames gets the image kernel k times, divided by k, so that a still clip gives
    what its frame gave (Carreira and Zisserman, CVPR 2017, section 2.4.1). Channels that come from
    a lateral connection begin with 0.
    """
    tensors, made = dict(image), dict[str, str]()
    for name, value in image.items():
        ours = wanted.get(name)
        if value.ndim != 4 or ours is None or ours.ndim != 5:
            continue
        frames, channels = ours.shape[2], ours.shape[1] - value.shape[1]
        kernel = value[:, :, None].expand(-1, -1, frames, -1, -1) / frames
        tensors[name] = functional.pad(kernel, (0,) * 6 + (0, max(channels, 0)))
        lateral = f", {channels} channels of 0" if channels > 0 else ""
        made[name] = f"image kernel over {frames} frames{lateral}"
    return Adapted(tensors, made)


_MM_NORM = Normalisation(
    (123.675 / 255, 116.28 / 255, 103.53 / 255),
    (58.395 / 255, 57.12 / 255, 57.375 / 255),
    "MMAction2's ResNet configurations",
)
_PYSLOWFAST = Normalisation(*KINETICS, "PySlowFast's configurations")
_PYTORCHVIDEO = Normalisation(*KINETICS, "pytorchvideo's models")
_PARTS = ("{any}.split_bn.{x}",)
_CAFFE2 = ("{any}_momentum", "lr", "model_iter")

RESNETS = (
    Naming(
        "MMAction2",
        "slowfast",
        "slow_path.conv1.conv.weight",
        _mmaction2_slowfast(),
        _MM_NORM,
        adapt=from_mmaction2,
    ),
    Naming("MMAction2", ONE, "layer1.{i}.conv1.conv.weight", _mmaction2(), _MM_NORM),
    *(
        Naming("pytorchvideo", architecture, mark, names, _PYTORCHVIDEO)
        for architecture, mark, names in (
            ("slowfast", "blocks.0.multipathway_blocks.1.conv.weight", _pytorchvideo()),
            ("x3d", "blocks.0.conv.conv_t.weight", _pytorchvideo_x3d()),
            (ONE, "blocks.5.res_blocks.0.branch2.conv_a.weight", _pytorchvideo_single(pool=1)),
            (ONE, "blocks.4.res_blocks.0.branch2.conv_a.weight", _pytorchvideo_single(pool=0)),
        )
    ),
    *(
        Naming("caffe2", architecture, mark, _caffe2(), _PYSLOWFAST, _CAFFE2, as_kernels)
        for architecture, mark in (("slowfast", "t_conv1_w"), (ONE, "conv1_w"))
    ),
    *(
        Naming("PySlowFast", architecture, f"s1.{mark}.weight", _ours(), _PYSLOWFAST, _PARTS)
        for architecture, mark in (
            ("slowfast", "pathway1_stem.conv"),
            ("x3d", "pathway0_stem.conv_xy"),
            (ONE, "pathway0_stem.conv"),
        )
    ),
)

IMAGE_RESNET = Naming(
    "torchvision or timm",
    "image ResNet",
    "layer1.{i}.conv1.weight",
    _in_layers(_stem("conv1", "bn1"), _TORCHVISION_STYLE, "fc"),
    Normalisation(*IMAGENET, "what image ResNets are trained with"),
)
