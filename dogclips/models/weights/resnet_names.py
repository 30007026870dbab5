"""What others call the parameters of SlowFast, Slow, I3D and X3D, and of the image ResNet.

Ours are those of PySlowFast, in which pathway 0 is the slow or only one.
"""

import re

import torch
from torch.nn import functional

from dogclips.models.weights.namings import Adapted, Naming, Normalisation, Tensors, identity
from dogclips.models.weights.timesformer_names import IMAGENET, KINETICS

ONE = "i3d or slow"  # one pathway; the names are the same


STAGES = range(2, 6)  # res2 to res5


BRANCHES = "abc"  # convolutions of a bottleneck: ours; others count from 1


NORMS = (
    "s1.pathway{p}_stem.bn",
    "s{i}_fuse.bn",
    "s{i}.pathway{p}_res{j}.branch1_bn",
    *(f"s{{i}}.pathway{{p}}_res{{j}}.branch2.{branch}_bn" for branch in BRANCHES),
    "head.conv_5_bn",
)


OURS = (
    "s1.pathway{p}_stem.conv.weight",
    "s{i}_fuse.conv_f2s.weight",
    "s{i}.pathway{p}_res{j}.branch1.weight",
    *(f"s{{i}}.pathway{{p}}_res{{j}}.branch2.{branch}.weight" for branch in BRANCHES),
    "head.projection.{x}",
    # X3D alone
    "s1.pathway0_stem.conv_xy.weight",
    "s{i}.pathway{p}_res{j}.branch2.se.fc1.{x}",
    "s{i}.pathway{p}_res{j}.branch2.se.fc2.{x}",
    "head.conv_5.weight",
    "head.lin_5.weight",
    *(f"{norm}.{{x}}" for norm in NORMS),
)


# Statistics of the whole, where those of parts of a batch are kept beside them (`split_bn`).
SPLIT = {f"{norm}.bn.{{x}}": f"{norm}.{{x}}" for norm in NORMS}


_MM_NORM = Normalisation(
    (123.675 / 255, 116.28 / 255, 103.53 / 255),
    (58.395 / 255, 57.12 / 255, 57.375 / 255),
    "MMAction2's ResNet configurations",
)


def _pytorchvideo() -> dict[str, str]:
    names = {
        "blocks.0.multipathway_blocks.{p}.conv.weight": "s1.pathway{p}_stem.conv.weight",
        "blocks.0.multipathway_blocks.{p}.norm.{x}": "s1.pathway{p}_stem.bn.{x}",
        "blocks.6.proj.{x}": "head.projection.{x}",
        "detection_head.proj.{x}": "head.projection.{x}",
    }
    for k in range(1, 5):
        fusion = f"blocks.{k - 1}.multipathway_fusion"
        names[f"{fusion}.conv_fast_to_slow.weight"] = f"s{k}_fuse.conv_f2s.weight"
        names[f"{fusion}.norm.{{x}}"] = f"s{k}_fuse.bn.{{x}}"
    for k in STAGES:
        blocks = f"blocks.{k - 1}.multipathway_blocks.{{p}}.res_blocks.{{j}}"
        names |= _pytorchvideo_block(blocks, f"s{k}.pathway{{p}}_res{{j}}")
    return names


def _pytorchvideo_single(pool: int) -> dict[str, str]:
    """Return the names of Slow or, with `pool` 1, of I3D, whose pool after res2 counts as block."""
    names = {
        "blocks.0.conv.weight": "s1.pathway0_stem.conv.weight",
        "blocks.0.norm.{x}": "s1.pathway0_stem.bn.{x}",
        f"blocks.{5 + pool}.proj.{{x}}": "head.projection.{x}",
    }
    for k in STAGES:
        block = k - 1 + (pool if k > 2 else 0)
        theirs, ours = f"blocks.{block}.res_blocks.{{j}}", f"s{k}.pathway0_res{{j}}"
        names |= _pytorchvideo_block(theirs, ours)
    return names


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


def _pytorchvideo_block(theirs: str, ours: str) -> dict[str, str]:
    names = {
        f"{theirs}.branch1_conv.weight": f"{ours}.branch1.weight",
        f"{theirs}.branch1_norm.{{x}}": f"{ours}.branch1_bn.{{x}}",
    }
    for branch in BRANCHES:
        names[f"{theirs}.branch2.conv_{branch}.weight"] = f"{ours}.branch2.{branch}.weight"
        names[f"{theirs}.branch2.norm_{branch}.{{x}}"] = f"{ours}.branch2.{branch}_bn.{{x}}"
    return names


def _mmaction2(path: str, pathway: int) -> dict[str, str]:
    """Return the names of a pathway; `path` ends in a dot or is empty."""
    names = {
        f"{path}conv1.conv.weight": f"s1.pathway{pathway}_stem.conv.weight",
        f"{path}conv1.bn.{{x}}": f"s1.pathway{pathway}_stem.bn.{{x}}",
    }
    for k in STAGES:
        theirs, ours = f"{path}layer{k - 1}.{{j}}", f"s{k}.pathway{pathway}_res{{j}}"
        names[f"{theirs}.downsample.conv.weight"] = f"{ours}.branch1.weight"
        names[f"{theirs}.downsample.bn.{{x}}"] = f"{ours}.branch1_bn.{{x}}"
        for number, branch in enumerate(BRANCHES, 1):
            names[f"{theirs}.conv{number}.conv.weight"] = f"{ours}.branch2.{branch}.weight"
            names[f"{theirs}.conv{number}.bn.{{x}}"] = f"{ours}.branch2.{branch}_bn.{{x}}"
    return names | {"cls_head.fc_cls.{x}": "head.projection.{x}"}


def _mmaction2_fusions() -> dict[str, str]:
    names = {}
    for k, layer in enumerate(("conv1", "layer1", "layer2", "layer3"), 1):
        names[f"slow_path.{layer}_lateral.conv.weight"] = f"s{k}_fuse.conv_f2s.weight"
        names[f"slow_path.{layer}_lateral.bn.{{x}}"] = f"s{k}_fuse.bn.{{x}}"
    return names


def _image_resnet() -> dict[str, str]:
    """Return torchvision's names, which timm shares."""
    names = {
        "conv1.weight": "s1.pathway0_stem.conv.weight",
        "bn1.{x}": "s1.pathway0_stem.bn.{x}",
        "fc.{x}": "head.projection.{x}",
    }
    for k in STAGES:
        theirs, ours = f"layer{k - 1}.{{j}}", f"s{k}.pathway0_res{{j}}"
        names[f"{theirs}.downsample.0.weight"] = f"{ours}.branch1.weight"
        names[f"{theirs}.downsample.1.{{x}}"] = f"{ours}.branch1_bn.{{x}}"
        for number, branch in enumerate(BRANCHES, 1):
            names[f"{theirs}.conv{number}.weight"] = f"{ours}.branch2.{branch}.weight"
            names[f"{theirs}.bn{number}.{{x}}"] = f"{ours}.branch2.{branch}_bn.{{x}}"
    return names


_CAFFE2_NORM = {"s": "weight", "b": "bias", "rm": "running_mean", "riv": "running_var"}


def _caffe2() -> dict[str, str]:
    """Return the names of caffe2's blobs; `t_` is the fast pathway."""
    names = {"pred_w": "head.projection.weight", "pred_b": "head.projection.bias"}
    convolutions = {
        "t_pool1_subsample": ("s1_fuse.conv_f2s", "t_pool1_subsample_bn", "s1_fuse.bn"),
        "t_res{i}_{j}_branch2c_bn_subsample": (
            "s{i}_fuse.conv_f2s",
            "t_res{i}_{j}_branch2c_bn_subsample_bn",
            "s{i}_fuse.bn",
        ),
    }
    for pathway, t in enumerate(("", "t_")):
        stem, block = f"s1.pathway{pathway}_stem", f"s{{i}}.pathway{pathway}_res{{j}}"
        convolutions[f"{t}conv1"] = (f"{stem}.conv", f"{t}res_conv1_bn", f"{stem}.bn")
        for branch in ("1", *(f"2{branch}" for branch in BRANCHES)):
            theirs = f"{t}res{{i}}_{{j}}_branch{branch}"
            ours = f"{block}.branch{branch[0]}" + (f".{branch[1]}" if branch[1:] else "")
            convolutions[theirs] = (ours, f"{theirs}_bn", f"{ours}_bn")
    for theirs, (ours, their_norm, our_norm) in convolutions.items():
        names[f"{theirs}_w"] = f"{ours}.weight"
        for short, word in _CAFFE2_NORM.items():
            names[f"{their_norm}_{short}"] = f"{our_norm}.{word}"
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
    """Return an image ResNet as the slow, or only, pathway of a video network.

    A kernel over k frames gets the image kernel k times, divided by k, so that a still clip gives
    what its frame gave (Carreira and Zisserman, CVPR 2017, section 2.4.1). Channels that come from
    a lateral connection begin with 0.

    Parameters
    ----------
    image
        Of the image network.
    wanted
        Of our network.
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


_PYSLOWFAST = Normalisation(*KINETICS, "PySlowFast's configurations")


_PYTORCHVIDEO = Normalisation(*KINETICS, "pytorchvideo's models")


_OURS = {**identity(OURS), **SPLIT}


_PARTS = ("{any}.split_bn.{x}",)


_CAFFE2 = ("{any}_momentum", "lr", "model_iter")


RESNETS = (
    Naming(
        "MMAction2",
        "slowfast",
        "slow_path.conv1.conv.weight",
        {**_mmaction2("slow_path.", 0), **_mmaction2("fast_path.", 1), **_mmaction2_fusions()},
        _MM_NORM,
        adapt=from_mmaction2,
    ),
    Naming("MMAction2", ONE, "layer1.{i}.conv1.conv.weight", _mmaction2("", 0), _MM_NORM),
    Naming(
        "pytorchvideo",
        "slowfast",
        "blocks.0.multipathway_blocks.1.conv.weight",
        _pytorchvideo(),
        _PYTORCHVIDEO,
    ),
    Naming(
        "pytorchvideo", "x3d", "blocks.0.conv.conv_t.weight", _pytorchvideo_x3d(), _PYTORCHVIDEO
    ),
    Naming(
        "pytorchvideo",
        ONE,
        "blocks.5.res_blocks.0.branch2.conv_a.weight",
        _pytorchvideo_single(pool=1),
        _PYTORCHVIDEO,
    ),
    Naming(
        "pytorchvideo",
        ONE,
        "blocks.4.res_blocks.0.branch2.conv_a.weight",
        _pytorchvideo_single(pool=0),
        _PYTORCHVIDEO,
    ),
    Naming("caffe2", "slowfast", "t_conv1_w", _caffe2(), _PYSLOWFAST, _CAFFE2, as_kernels),
    Naming("caffe2", ONE, "conv1_w", _caffe2(), _PYSLOWFAST, _CAFFE2, as_kernels),
    Naming("PySlowFast", "slowfast", "s1.pathway1_stem.conv.weight", _OURS, _PYSLOWFAST, _PARTS),
    Naming("PySlowFast", "x3d", "s1.pathway0_stem.conv_xy.weight", _OURS, _PYSLOWFAST, _PARTS),
    Naming("PySlowFast", ONE, "s1.pathway0_stem.conv.weight", _OURS, _PYSLOWFAST, _PARTS),
)


IMAGE_RESNET = Naming(
    "torchvision or timm",
    "image ResNet",
    "layer1.{i}.conv1.weight",
    _image_resnet(),
    Normalisation(*IMAGENET, "what image ResNets are trained with"),
)
