"""Weights of any known source under our names."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from dogclips.errors import CheckpointError
from dogclips.models.weights.facts import is_bgr, our_facts, stated_labels, stated_normalisation
from dogclips.models.weights.files import Checkpoint, read_file
from dogclips.models.weights.namings import Adapted, Naming, Tensors
from dogclips.models.weights.resnet_names import IMAGE_RESNET, ONE, RESNETS
from dogclips.models.weights.transformer_names import (
    AUTHORS,
    IMAGE_VIT,
    MVIT,
    TIMESFORMER,
    UNIFORMER,
)
from dogclips.records.weights import WeightsFacts
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
    """Turn the first convolutions round where they expect blue, green, red."""
    if not is_bgr(checkpoint):
        return weights
    held = weights.tensors
    stems = [name for name in STEMS if name in held and held[name].shape[1:2] == (3,)]
    turned = {name: held[name].flip(1) for name in stems}
    note = f"trained on BGR; turned round to RGB: {', '.join(turned)}"
    return replace(weights, tensors=held | turned, notes=(*weights.notes, note))
