"""What a file of weights holds, and what became of it."""

from dataclasses import dataclass
from pathlib import Path

Triple = tuple[float, float, float]


@dataclass(frozen=True)
class TensorNote:
    """A tensor, and what became of it or why."""

    name: str
    why: str


@dataclass(frozen=True)
class LoadedWeights:
    """What became of the tensors of a file in a model."""

    path: Path  #: The file or folder
    source: str  #: Whose names its parameters had, and of which architecture
    loaded: tuple[str, ...]  #: Names of tensors that were taken as they are
    resized: tuple[TensorNote, ...]  #: Those taken in another shape
    made: tuple[TensorNote, ...]  #: Those that the file lacks and that follow from others
    dropped: tuple[TensorNote, ...]  #: Those that the model has not, or has in another shape
    #: Names in the model that keep their initial values; counters are left out.
    fresh: tuple[str, ...]
    share: float  #: Of the parameters before the head that were filled, 0..1
    #: Of the model's input from now on.
    mean: Triple
    std: Triple
    said_by: str  #: Who says so
    notes: tuple[str, ...] = ()  #: What else a user must know


@dataclass(frozen=True)
class WeightsFacts:
    """What a file of weights holds."""

    path: Path  #: The file or folder
    kind: str  #: Of file, in words
    source: str  #: Whose names its parameters have; empty if unknown
    architecture: str  #: Of ours, or an image network; empty if unknown
    #: Counters and running statistics are tensors, not parameters.
    num_tensors: int
    num_parameters: int
    num_classes: int | None  #: Of the head; None where it is missing
    labels: tuple[str, ...]  #: Class names; empty if the file has none
    #: Of the input on the scale 0..1; None if unknown.
    mean: Triple | None
    std: Triple | None
    said_by: str  #: Who says so
    unknown: tuple[str, ...]  #: Names that mean nothing to us
    notes: tuple[str, ...]  #: What else a user must know
