"""Weights of any known source under our names, and what a checkpoint says of itself beside them.

Every source writes the latter elsewhere; all are read as data, and what makes no sense is left out.
"""

import json
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from torch import Tensor

from dogclips.errors import CheckpointError
from dogclips.models.weights.files import OUR_KEY, Checkpoint, read_file
from dogclips.models.weights.namings import Adapted, Naming, Normalisation, Tensors
from dogclips.models.weights.resnet_names import IMAGE_RESNET, ONE, RESNETS
from dogclips.models.weights.transformer_names import (
    AUTHORS,
    IMAGE_VIT,
    MVIT,
    TIMESFORMER,
    UNIFORMER,
)
from dogclips.records.weights import Triple, WeightsFacts
from dogclips.reports.tables.weights import printable

# Lightning and OpenMMLab, PySlowFast, TimeSformer and timm, caffe2.
WRAPPERS = ("state_dict", "model_state", "model", "blobs")
PREFIXES = ("module.", "model.", "backbone.", "timesformer.", "_orig_mod.")

# The first that describes a file is believed; image networks have the fewest names of their own.
NAMINGS = (*TIMESFORMER, *RESNETS, *MVIT, UNIFORMER, *IMAGE_VIT, IMAGE_RESNET)

STEMS = (  # what looks at colours
    "s1.pathway0_stem.conv.weight",
    "s1.pathway1_stem.conv.weight",
    "s1.pathway0_stem.conv_xy.weight",
    "patch_embed.proj.weight",
    "conv_proj.weight",
)
CLASSIFIERS = ("head.projection.weight", "head.1.weight", "head.weight")
COUNTER = "num_batches_tracked"


@dataclass(frozen=True)
class NamedWeights:
    """Weights under our names."""

    facts: WeightsFacts  #: What is known of them
    tensors: Tensors  #: By our names
    #: Names of tensors that the file lacks and that were made up, each with the reason.
    made: Mapping[str, str] = field(default_factory=dict)

    @property
    def of_images(self) -> bool:
        """Return whether they are of a network that knows no time."""
        return self.facts.architecture.startswith("image ")


def read_weights(path: Path) -> NamedWeights:
    """Read a file or Hugging Face folder and give its weights our names."""
    checkpoint = read_file(path)
    theirs = named_tensors(checkpoint.held)
    _check_plain(theirs, path)
    named = Adapted(theirs)
    unknown: tuple[str, ...] = ()
    normalisation = stated_normalisation(checkpoint)
    naming = _naming(theirs, checkpoint)
    if (ours := our_facts(checkpoint)) is not None:
        architecture, source = ours
    elif naming is None:
        architecture, source, unknown = "", "", tuple(theirs)
    else:
        renamed, unknown = naming.renamed(theirs)
        named = _in_rgb(naming.adapt(renamed, theirs), checkpoint)
        architecture, source = _architecture(naming, named.tensors), naming.source
        normalisation = normalisation or naming.normalisation
    facts = WeightsFacts(
        path=path,
        kind=checkpoint.kind,
        source=source,
        architecture=architecture,
        num_tensors=len(named.tensors),
        num_parameters=_num_parameters(named.tensors),
        num_classes=_num_classes(named.tensors),
        labels=stated_labels(checkpoint),
        mean=normalisation.mean if normalisation else None,
        std=normalisation.std if normalisation else None,
        said_by=normalisation.said_by if normalisation else "",
        unknown=unknown,
        notes=named.notes,
    )
    return NamedWeights(facts, named.tensors, named.made)


def _naming(theirs: Tensors, checkpoint: Checkpoint) -> Naming | None:
    naming = next((naming for naming in NAMINGS if naming.describes(theirs)), None)
    if naming in IMAGE_VIT and "model_state" in checkpoint.held:
        return AUTHORS  # attention over space alone, saved as only TimeSformer's code saves
    return naming


def _architecture(naming: Naming, tensors: Tensors) -> str:
    """Return the one that a naming is of; of two with the same names, what the stem says."""
    if naming.architecture != ONE:
        return naming.architecture
    stem = tensors.get("s1.pathway0_stem.conv.weight")
    return "i3d" if stem is not None and stem.ndim == 5 and stem.shape[2] > 1 else "slow"


def named_tensors(held: Mapping[str, Any]) -> Tensors:
    """Return tensors by their bare names: out of wrappers and without prefixes."""
    for _ in WRAPPERS:  # a file could hold itself
        held = next((held[name] for name in WRAPPERS if isinstance(held.get(name), Mapping)), held)
    tensors = {
        name: value.detach() if isinstance(value, Tensor) else torch.from_numpy(value)
        for name, value in held.items()
        if isinstance(name, str) and isinstance(value, Tensor | np.ndarray)
    }
    while prefix := _prefix(tensors):
        tensors = {name.removeprefix(prefix): value for name, value in tensors.items()}
    return tensors


def _check_plain(tensors: Tensors, path: Path) -> None:
    if not tensors:
        raise CheckpointError("no weights by name", where=path, todo="save a state_dict")
    odd = [name for name, value in tensors.items() if not _is_plain(value)]
    if odd:
        raise CheckpointError(
            f"tensors that are not plain numbers, such as {printable(odd[0])}",
            where=path,
            todo="save dense tensors of the CPU",
        )


def _is_plain(value: Tensor) -> bool:
    """Return whether a tensor holds all its numbers: a few bytes can pretend to be terabytes."""
    if value.layout is not torch.strided or value.device.type != "cpu" or value.is_quantized:
        return False
    return value.numel() * value.element_size() <= value.untyped_storage().nbytes()


def _prefix(tensors: Tensors) -> str:
    """Return the prefix that most names have: a head may stand outside of it."""
    counts = Counter({p: sum(name.startswith(p) for name in tensors) for p in PREFIXES})
    prefix, number = counts.most_common(1)[0]
    return prefix if 2 * number > len(tensors) else ""


def _num_parameters(tensors: Tensors) -> int:
    counted = ("running_mean", "running_var", COUNTER)
    return sum(value.numel() for name, value in tensors.items() if not name.endswith(counted))


def _num_classes(tensors: Tensors) -> int | None:
    """Return the classes of the head, None where it is missing."""
    heads = [tensors[name] for name in CLASSIFIERS if name in tensors]
    return heads[0].shape[0] if heads and heads[0].ndim else None


def _in_rgb(weights: Adapted, checkpoint: Checkpoint) -> Adapted:
    """Turn the first convolutions round where they expect BGR (by PySlowFast's switch)."""
    data = _mapping(_mapping(_yaml(checkpoint.held.get("cfg"))).get("DATA"))
    if data.get("REVERSE_INPUT_CHANNEL") is not True:
        return weights
    held = weights.tensors
    stems = [name for name in STEMS if name in held and held[name].shape[1:2] == (3,)]
    turned = {name: held[name].flip(1) for name in stems}
    note = f"trained on BGR; reversed to RGB: {', '.join(turned)}"
    return replace(weights, tensors=held | turned, notes=(*weights.notes, note))


def our_facts(checkpoint: Checkpoint) -> tuple[str, str] | None:
    """Return the architecture and the source that we wrote into a file, None if it is not ours.

    The source is whose names the parameters had before; ours for what was trained here.
    """
    held = _ours(checkpoint)
    config = _mapping(_mapping(held.get("config")).get("model"))
    architecture = held.get("architecture", config.get("name"))
    if not isinstance(architecture, str):
        return None
    source = held.get("source")
    return architecture, source if source and isinstance(source, str) else "dogclips"


def stated_normalisation(checkpoint: Checkpoint) -> Normalisation | None:
    """Return mean and standard deviation if the checkpoint names them, on the scale 0..1."""
    held, ours = checkpoint.held, _mapping(_ours(checkpoint).get("input"))
    timm = _mapping(checkpoint.config.get("pretrained_cfg"))
    slowfast = _mapping(_mapping(_yaml(held.get("cfg"))).get("DATA"))
    mmaction2 = _mapping(held.get("meta")).get("cfg")
    candidates: tuple[tuple[Any, Any, str], ...] = (
        (ours.get("mean"), ours.get("std"), "the file"),
        (
            checkpoint.preprocessor.get("image_mean"),
            checkpoint.preprocessor.get("image_std"),
            "preprocessor_config.json",
        ),
        (timm.get("mean"), timm.get("std"), "config.json"),
        (slowfast.get("MEAN"), slowfast.get("STD"), "the file's cfg"),
        (_in_text(mmaction2, "mean"), _in_text(mmaction2, "std"), "the file's cfg"),
    )
    for mean, std, said_by in candidates:
        if _is_triple(mean) and _is_triple(std) and min(std) > 0:
            scale = 255.0 if max(*mean, *std) > 2 else 1.0
            return Normalisation(_scaled(mean, scale), _scaled(std, scale), said_by)
    return None


def stated_labels(checkpoint: Checkpoint) -> tuple[str, ...]:
    """Return the class names, in their order, if the checkpoint has them."""
    meta = _mapping(checkpoint.held.get("meta"))
    by_number = _mapping(checkpoint.config.get("id2label"))
    in_order = [by_number.get(str(i)) for i in range(len(by_number))]
    for labels in (
        _ours(checkpoint).get("labels"),
        _mapping(meta.get("dataset_meta")).get("classes"),
        meta.get("CLASSES"),
        in_order if in_order != [f"LABEL_{i}" for i in range(len(in_order))] else (),
    ):
        if isinstance(labels, list | tuple) and labels and all(isinstance(x, str) for x in labels):
            return tuple(labels)
    return ()


def _ours(checkpoint: Checkpoint) -> Mapping[str, Any]:
    """Return our metadata: plain values in a .ckpt, JSON in safetensors."""
    held = checkpoint.held.get(OUR_KEY)
    if isinstance(held, str):
        try:
            held = json.loads(held)
        except (ValueError, RecursionError):
            return {}
    return _mapping(held)


def _mapping(held: Any) -> Mapping[str, Any]:
    return held if isinstance(held, Mapping) else {}


def _yaml(text: Any) -> Any:
    try:
        return yaml.safe_load(text) if isinstance(text, str) else None
    except (yaml.YAMLError, RecursionError, ValueError):
        return None


def _in_text(text: Any, name: str) -> Any:
    """Return the first list of numbers that a configuration in Python calls `name`."""
    if not isinstance(text, str):
        return None
    match = re.search(rf"\b{name}\s*=\s*[\[(]([\d.,\s]+)[\])]", text)
    return match and [float(n) for n in re.findall(r"\d+(?:\.\d*)?", match[1])]


def _is_triple(held: Any) -> bool:
    if not isinstance(held, Sequence) or isinstance(held, str) or len(held) != 3:
        return False
    return all(isinstance(value, int | float) and math.isfinite(value) for value in held)


def _scaled(values: Sequence[float], scale: float) -> Triple:
    first, second, third = (float(value) / scale for value in values)
    return first, second, third
