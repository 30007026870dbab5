"""What a checkpoint says of itself beside its weights: normalisation and class names.

Every source writes these elsewhere; all are read as data, and what makes no sense is not there.
"""

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from dogclips.models.weights.files import METADATA, Checkpoint
from dogclips.models.weights.namings import Normalisation

Triple = tuple[float, float, float]


@dataclass(frozen=True)
class OurFacts:
    """What our own files say.

    Parameters
    ----------
    architecture
        A name that `build_model` knows.
    source
        Whose names the parameters had before; empty for what was trained here.
    """

    architecture: str
    source: str


def our_facts(checkpoint: Checkpoint) -> OurFacts | None:
    """Return what we wrote into a file, None where it is not ours."""
    held = _ours(checkpoint)
    config = _mapping(_mapping(held.get("config")).get("model"))
    architecture = held.get("architecture", config.get("name"))
    if not isinstance(architecture, str):
        return None
    source = held.get("source")
    return OurFacts(architecture, source if isinstance(source, str) else "")


def stated_normalisation(checkpoint: Checkpoint) -> Normalisation | None:
    """Return mean and standard deviation if the checkpoint names them, on the scale 0..1."""
    held, ours = checkpoint.held, _mapping(_ours(checkpoint).get("input"))
    timm = _mapping(checkpoint.config.get("pretrained_cfg"))
    slowfast = _mapping(_mapping(_yaml(held.get("cfg"))).get("DATA"))
    mmaction2 = _mapping(held.get("meta")).get("cfg")
    candidates = (
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
        means, deviations = _triple(mean), _triple(std)
        if means and deviations and min(deviations) > 0:
            scale = 255.0 if max(*means, *deviations) > 2 else 1.0
            return Normalisation(_scaled(means, scale), _scaled(deviations, scale), said_by)
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


def is_bgr(checkpoint: Checkpoint) -> bool:
    """Return whether the network was trained on blue, green, red (PySlowFast's switch)."""
    data = _mapping(_mapping(_yaml(checkpoint.held.get("cfg"))).get("DATA"))
    return data.get("REVERSE_INPUT_CHANNEL") is True


def _ours(checkpoint: Checkpoint) -> Mapping[str, Any]:
    """Return our metadata: plain values in a .ckpt, JSON in safetensors."""
    held = checkpoint.held.get(METADATA)
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


def _triple(held: Any) -> Triple | None:
    if not isinstance(held, Sequence) or isinstance(held, str) or len(held) != 3:
        return None
    if not all(isinstance(x, int | float) and math.isfinite(x) for x in held):
        return None
    first, second, third = held
    return float(first), float(second), float(third)


def _scaled(values: Triple, scale: float) -> Triple:
    first, second, third = values
    return first / scale, second / scale, third / scale
