"""Read checkpoints, ours and those that name parameters as published models do.

Nothing is ever unpickled but tensors and plain values.
"""

import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from dogclips.errors import CheckpointError
from dogclips.models.video_model import VideoModel

WRAPPERS = ("state_dict", "model_state", "model")  # Lightning, PySlowFast, TimeSformer
PREFIXES = ("module.", "model.")


@dataclass(frozen=True)
class LoadedWeights:
    """What became of the parameters of a file.

    Parameters
    ----------
    loaded
        Parameters that were taken.
    dropped
        Names in the file that the model has not, or has in another shape.
    fresh
        Names in the model that keep their initial values.
    """

    loaded: int
    dropped: tuple[str, ...]
    fresh: tuple[str, ...]


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Read a file of tensors and plain values.

    Raises
    ------
    CheckpointError
        The file is missing, incomplete, or holds code to run.
    """
    try:
        held = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise CheckpointError("no such checkpoint", where=path, todo="check the path") from error
    except pickle.UnpicklingError as error:
        raise CheckpointError(
            "the checkpoint holds more than weights, or is incomplete",
            where=f"{path}, {path.stat().st_size} bytes",
            todo="save its state_dict alone, or download it again",
        ) from error
    except (RuntimeError, EOFError, OSError, ValueError) as error:
        reason = str(error).splitlines()[0] if str(error) else "the file ends early"
        size = f", {path.stat().st_size} bytes" if path.is_file() else ""
        raise CheckpointError(
            f"not readable as a checkpoint: {reason}",
            where=f"{path}{size}",
            todo="the file may be incomplete: copy or download it again",
        ) from error
    if not isinstance(held, dict):
        raise CheckpointError("no weights by name", where=path, todo="save a state_dict")
    return held


def load_weights(model: VideoModel, path: Path) -> LoadedWeights:
    """Start a model from the weights of a file; a head for other classes stays fresh.

    Raises
    ------
    CheckpointError
        The file cannot be read, or nothing in it fits the model.
    """
    theirs = named_weights(read_checkpoint(path))
    ours = model.state_dict()
    fitting = {
        name: value
        for name, value in theirs.items()
        if name in ours and ours[name].shape == value.shape
    }
    if not fitting:
        raise CheckpointError(
            "no parameter fits the model",
            where=f"{path} has {', '.join(sorted(theirs)[:3])} ...",
            todo="check model.name and its sizes",
        )
    model.load_state_dict(fitting, strict=False)
    dropped = tuple(sorted(theirs.keys() - fitting.keys()))
    return LoadedWeights(len(fitting), dropped, tuple(sorted(ours.keys() - fitting.keys())))


def named_weights(held: Mapping[str, Any]) -> dict[str, Tensor]:
    """Return tensors by their bare names: out of wrappers and without prefixes."""
    for wrapper in WRAPPERS:
        if isinstance(held.get(wrapper), Mapping):
            return named_weights(held[wrapper])
    bare = {name: value for name, value in held.items() if isinstance(value, Tensor)}
    for prefix in PREFIXES:
        if bare and all(name.startswith(prefix) for name in bare):
            return named_weights({name.removeprefix(prefix): bare[name] for name in bare})
    return bare
