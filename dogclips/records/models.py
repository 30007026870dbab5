"""What a network is: its size, cost, input and layers."""

from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter

PUBLISHED = Path(__file__).with_name("published_models.json")


@dataclass(frozen=True)
class ModelFacts:
    """One network and what it costs.

    Parameters
    ----------
    name, architecture
        Of the published network, and `model.name` of a training run.
    num_params, num_classes
        Learnt numbers, with a classifier for that many classes.
    multiply_adds
        Of one view in matrix products and convolutions.
    clip_len, interval, size
        Frames of a view, frames from one to the next (0: spread over the whole clip), pixels.
    mean, std
        Of each RGB channel on the scale 0..1, as used for known weights.
    paper, licence
        Where it was published; terms of known weights.
    """

    name: str
    architecture: str
    num_params: int
    num_classes: int
    multiply_adds: int
    clip_len: int
    interval: int
    size: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    paper: str
    licence: str


@dataclass(frozen=True)
class Layer:
    """A part of a network.

    Parameters
    ----------
    name
        Inside the part that holds it.
    kind
        Its class, or `parameter`.
    shapes
        Of its outputs for one clip, or of the parameter; none where it is never called itself.
    num_params
        Learnt numbers, parts included.
    parts
        What it is made of; those that learn nothing are left out.
    """

    name: str
    kind: str
    shapes: tuple[tuple[int, ...], ...]
    num_params: int
    parts: tuple["Layer", ...] = ()


def published_models() -> list[ModelFacts]:
    """Return the published networks as `models.facts` has measured them, which takes seconds."""
    return TypeAdapter(list[ModelFacts]).validate_json(PUBLISHED.read_bytes())
