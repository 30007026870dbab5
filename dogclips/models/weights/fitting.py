"""Start a model from weights of any known source, and write them as ours.

Shapes: N patches of a frame, T frames, C channels of a token.
"""

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save
from torch import Tensor
from torch.nn import functional

from dogclips.errors import CheckpointError
from dogclips.files import whole_file
from dogclips.models.video_model import VideoModel
from dogclips.models.weights.files import OUR_KEY
from dogclips.models.weights.named_weights import (
    CLASSIFIERS,
    COUNTER,
    NamedWeights,
    read_weights,
)
from dogclips.models.weights.namings import Adapted, Tensors
from dogclips.models.weights.resnet_names import inflated
from dogclips.models.weights.transformer_names import with_time
from dogclips.records.weights import LoadedWeights, TensorNote, WeightsFacts
from dogclips.reports.tables.weights import printable

__all__ = ["LoadedWeights", "convert_weights", "inspect_weights", "load_weights"]

ENOUGH = 0.5  # of the parameters before the head; below, the file is of another network

_FROM_IMAGES: Mapping[str, Callable[[Tensors, Tensors], Adapted]] = {
    "image ViT": with_time,
    "image ResNet": inflated,
}


@dataclass
class _Sorted:
    """Tensors of a file as they fit a model."""

    taken: Tensors = field(default_factory=dict)
    resized: list[TensorNote] = field(default_factory=list)
    dropped: list[TensorNote] = field(default_factory=list)


def load_weights(
    model: VideoModel, path: Path, labels: Sequence[str] | None = None
) -> LoadedWeights:
    """Start a model from the weights of a file or folder, and take over their normalisation.

    Rows of the head are matched by the names of their classes, where the `labels` of the model are
    given: classes that the file does not name stay fresh. Without them a head is taken whole if it
    has as many classes. Embeddings of positions are resized; an image network becomes one over time
    as its architecture says. `model.expects` gets mean and std of the source.
    """
    weights = read_weights(path)
    ours = model.state_dict()
    others: list[TensorNote] = []
    if labels is not None and not weights.of_images:
        weights, others = _with_classes(weights, labels, ours)
    if weights.of_images:
        adapted = _FROM_IMAGES[weights.facts.architecture](weights.tensors, ours)
        weights = replace(weights, tensors=adapted.tensors, made=adapted.made)
    fitting = _sorted(weights, ours, model.num_classes)
    fitting.dropped += others
    share = _share(model, fitting.taken)
    if share < ENOUGH:
        raise _refusal(weights, share)
    model.load_state_dict(fitting.taken, strict=False)
    return _report(model, weights, fitting, share)


def inspect_weights(path: Path) -> WeightsFacts:
    """Return what a file or folder of weights holds."""
    return read_weights(path).facts


def convert_weights(source: Path, out: Path) -> WeightsFacts:
    """Write weights of any known source under our names, with what is known of them.

    `out` becomes a safetensors file whose metadata hold architecture, source, normalisation and
    classes. An image network is refused: it takes its form from the network that it is to start.
    """
    weights = read_weights(source)
    _check_convertible(weights)
    tensors = {name: value.contiguous().clone() for name, value in weights.tensors.items()}
    metadata = {"format": "pt", OUR_KEY: json.dumps(_metadata(weights.facts))}
    with whole_file(out) as part:
        part.write_bytes(save(tensors, metadata))
    return weights.facts


def _check_convertible(weights: NamedWeights) -> None:
    facts = weights.facts
    if not facts.architecture:
        raise CheckpointError(
            "unrecognised parameter names",
            where=f"{facts.path} has {_some(facts.unknown)}",
            todo="use weights of a source that the documentation of --weights lists",
        )
    if weights.of_images:
        raise CheckpointError(
            f"an {facts.architecture} takes its form from the video network that it starts",
            where=facts.path,
            todo="pass it to `dogclips train --weights` as it is",
        )


def _metadata(facts: WeightsFacts) -> dict[str, Any]:
    held: dict[str, Any] = {"architecture": facts.architecture, "source": facts.source}
    if facts.mean is not None:
        held["input"] = {"mean": facts.mean, "std": facts.std}
    return held | ({"labels": facts.labels} if facts.labels else {})


def _with_classes(
    weights: NamedWeights, labels: Sequence[str], ours: Mapping[str, Tensor]
) -> tuple[NamedWeights, list[TensorNote]]:
    """Return weights whose head has a row for each label, and what of their head is left out.

    A head of as many classes may mean others, or the same in another order.
    """
    theirs = weights.facts.labels
    if tuple(labels) == theirs:
        return weights, []
    rows = {label: row for row, label in enumerate(theirs)}
    known = [label for label in labels if label in rows]
    tensors, made, left_out = dict(weights.tensors), dict(weights.made), list[TensorNote]()
    for name in _class_tensors(weights):
        value = tensors.pop(name)
        if known and name in ours and value.shape[1:] == ours[name].shape[1:]:
            fresh = [label for label in labels if label not in rows]
            tensors[name] = torch.stack(
                [
                    value[rows[label]].float() if label in rows else ours[name][row].float()
                    for row, label in enumerate(labels)
                ]
            )
            kept = f"rows of {', '.join(map(printable, known))}"
            made[name] = f"{kept}; fresh: {', '.join(map(printable, fresh))}" if fresh else kept
        else:
            why = f"other classes: {_some(theirs)}" if theirs else "classes without names"
            left_out.append(TensorNote(name, why))
    return replace(weights, tensors=tensors, made=made), left_out


def _class_tensors(weights: NamedWeights) -> list[str]:
    """Return the names of the tensors that have a row for each class."""
    heads = {name.removesuffix("weight") for name in CLASSIFIERS}
    return [
        name
        for name, value in weights.tensors.items()
        if any(name in (f"{head}weight", f"{head}bias") for head in heads)
        and value.ndim
        and len(value) == weights.facts.num_classes
    ]


def _sorted(weights: NamedWeights, ours: Mapping[str, Tensor], num_classes: int) -> _Sorted:
    """Take what fits as it is or resized, and say of the rest why it does not."""
    fitting = _Sorted(dropped=[TensorNote(name, "unknown name") for name in weights.facts.unknown])
    for name, value in weights.tensors.items():
        want = tuple(ours[name].shape) if name in ours else None
        shape = tuple(value.shape)
        if weights.of_images and name.startswith("head."):
            fitting.dropped.append(TensorNote(name, "classes of images"))
        elif want is None:
            if name not in weights.facts.unknown:
                fitting.dropped.append(TensorNote(name, "the model has no such tensor"))
        elif shape == want:
            fitting.taken[name] = value
        elif (other := resized(name, value, want)) is not None:
            fitting.taken[name] = other
            fitting.resized.append(TensorNote(name, f"{_shown(shape)} to {_shown(want)}"))
        elif name.startswith("head.") and shape[1:] == want[1:] and want[0] == num_classes:
            why = f"{shape[0]} classes, the model has {num_classes}"
            fitting.dropped.append(TensorNote(name, why))
        else:
            fitting.dropped.append(
                TensorNote(name, f"{_shown(shape)}, the model has {_shown(want)}")
            )
    return fitting


def _share(model: VideoModel, taken: Tensors) -> float:
    """Return how much of the model before its head a file fills, counted in numbers."""
    sizes = {n: p.numel() for n, p in model.named_parameters() if not n.startswith("head.")}
    return sum(size for name, size in sizes.items() if name in taken) / sum(sizes.values())


def _report(
    model: VideoModel, weights: NamedWeights, fitting: _Sorted, share: float
) -> LoadedWeights:
    facts = weights.facts
    mean, std, said_by = facts.mean, facts.std, facts.said_by
    if mean is None or std is None:
        mean, std = model.expects.mean, model.expects.std
        said_by = "the model's default; the file says nothing"
    model.expects = replace(model.expects, mean=mean, std=std)
    made, taken = weights.made, fitting.taken
    altered = {note.name for note in fitting.resized} | made.keys()
    fresh = [name for name in model.state_dict() if name not in taken]
    return LoadedWeights(
        path=facts.path,
        source=_called(facts),
        loaded=tuple(name for name in taken if name not in altered),
        resized=tuple(fitting.resized),
        made=tuple(TensorNote(name, made[name]) for name in taken if name in made),
        dropped=tuple(fitting.dropped),
        fresh=tuple(name for name in fresh if not name.endswith(COUNTER)),
        share=share,
        mean=mean,
        std=std,
        said_by=said_by,
        notes=facts.notes,
    )


def _refusal(weights: NamedWeights, share: float) -> CheckpointError:
    return CheckpointError(
        f"only {100 * share:.0f} % of the model's parameters before the head are in the file, "
        f"less than {100 * ENOUGH:.0f} %",
        where=f"{weights.facts.path}, {_called(weights.facts)}, has {_some(weights.tensors)}",
        todo="check model.name and its sizes",
    )


def _called(facts: WeightsFacts) -> str:
    return " ".join(part for part in (facts.source, facts.architecture) if part) or "unknown names"


def _some(names: Iterable[str]) -> str:
    return f"{', '.join(map(printable, sorted(names)[:3]))} ..."


def _shown(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape)) or "a number"


_LINES = ("time_embed", "pos_encoding.temporal_pos")
_RELATIVE = ("rel_pos_h", "rel_pos_w", "rel_pos_t")

_SQUARES = {  # tokens before those of the patches
    "pos_embed": 1,
    "positional_embedding": 1,
    "pos_encoding.spatial_pos": 0,
}


def resized(name: str, value: Tensor, shape: tuple[int, ...]) -> Tensor | None:
    """Return an embedding in another shape (..., N or T, C), or None where that cannot be done.

    Positions in a frame are a square grid and are resized as a picture, bicubic, the class token
    apart. Times, and positions relative to each other, are resized linearly, each end of the line
    reaching half a step beyond its last entry. Names are ours.
    """
    if value.ndim != len(shape) or value.ndim < 2 or value.shape[-1] != shape[-1] or not len(value):
        return None
    rows, want = value.reshape(-1, shape[-1]).float(), math.prod(shape[:-1])
    if name in _SQUARES:
        grid = _square(rows, want, _SQUARES[name])
    elif name in _LINES or name.endswith(_RELATIVE):
        grid = _line(rows, want)
    else:
        return None
    return None if grid is None else grid.reshape(shape).to(value.dtype)


def _line(rows_TC: Tensor, want: int) -> Tensor:
    line_1CT = functional.interpolate(rows_TC.T[None], size=want, mode="linear")
    return line_1CT[0].T


def _square(rows_NC: Tensor, want: int, tokens: int) -> Tensor | None:
    side, wanted = math.isqrt(len(rows_NC) - tokens), math.isqrt(want - tokens)
    if side**2 != len(rows_NC) - tokens or wanted**2 != want - tokens:
        return None
    head_NC, grid_NC = rows_NC[:tokens], rows_NC[tokens:]
    grid_1CHW = grid_NC.T.reshape(1, -1, side, side)
    grid_1CHW = functional.interpolate(
        grid_1CHW, size=(wanted, wanted), mode="bicubic", antialias=True
    )
    return torch.cat([head_NC, grid_1CHW.flatten(2)[0].T])
