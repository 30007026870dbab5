"""What a checkpoint says of itself beside its weights: normalisation and class names.

Every source writes these elsewhere; all are read as data, and what makes no sense is not there.
"""

import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from dogclips.models.weights.files import OUR_KEY, Checkpoint
from dogclips.models.weights.namings import Normalisation
from dogclips.records.weights import Triple


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


def is_bgr(checkpoint: Checkpoint) -> bool:
    """Return whether the network was trained on blue, green, red (PySlowFast's switch)."""
    data = _mapping(_mapping(_yaml(checkpoint.held.get("cfg"))).get("DATA"))
    return data.get("REVERSE_INPUT_CHANNEL") is True


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
