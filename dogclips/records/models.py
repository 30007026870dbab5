"""What a network is: its size, cost, input and layers."""

from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter

PUBLISHED = Path(__file__).with_name("published_models.json")


@dataclass(frozen=True)
class ModelFacts:
    """One network and what it costs."""

    #: Of the published network, and `model.name` of a training run.
    name: str
    architecture: str
    #: Learnt numbers, with a classifier for that many classes.
    num_params: int
    num_classes: int
    multiply_adds: int  #: Of one view in matrix products and convolutions
    #: Frames of a view, frames from one to the next (0: spread over the whole clip), pixels.
    clip_len: int
    interval: int
    size: int
    #: Of each RGB channel on the scale 0..1, as used for known weights.
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    #: Where it was published; terms of known weights.
    paper: str
    licence: str


@dataclass(frozen=True)
class Layer:
    """A part of a network."""

    name: str  #: Inside the part that holds it
    kind: str  #: Its class, or `parameter`
    #: Of its outputs for one clip, or of the parameter; none where it is never called itself.
    shapes: tuple[tuple[int, ...], ...]
    num_params: int  #: Learnt numbers, parts included
    parts: tuple["Layer", ...] = ()  #: What it is made of; those that learn nothing are left out


def published_models() -> list[ModelFacts]:
    """Return the published networks as `models.facts` has measured them, which takes seconds."""
    return TypeAdapter(list[ModelFacts]).validate_json(PUBLISHED.read_bytes())
