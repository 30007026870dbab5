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
    """What became of the tensors of a file in a model.

    Parameters
    ----------
    path
        The file or folder.
    source
        Whose names its parameters had, and of which architecture.
    loaded
        Names of tensors that were taken as they are.
    resized
        Those taken in another shape.
    made
        Those that the file lacks and that follow from others.
    dropped
        Those that the model has not, or has in another shape.
    fresh
        Names in the model that keep their initial values; counters are left out.
    share
        Of the parameters before the head that were filled, 0..1.
    mean, std
        Of the model's input from now on.
    said_by
        Who says so.
    notes
        What else a user must know.
    """

    path: Path
    source: str
    loaded: tuple[str, ...]
    resized: tuple[TensorNote, ...]
    made: tuple[TensorNote, ...]
    dropped: tuple[TensorNote, ...]
    fresh: tuple[str, ...]
    share: float
    mean: Triple
    std: Triple
    said_by: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class WeightsFacts:
    """What a file of weights holds.

    Parameters
    ----------
    path
        The file or folder.
    kind
        Of file, in words.
    source
        Whose names its parameters have; empty if nobody knows.
    architecture
        Of ours, or an image network; empty if nobody knows.
    num_tensors, num_parameters
        Counters and running statistics are tensors, not parameters.
    num_classes
        Of the head; None where it is missing.
    labels
        Class names; empty if the file has none.
    mean, std
        Of the input on the scale 0..1; None if nobody knows.
    said_by
        Who says so.
    unknown
        Names that mean nothing to us.
    notes
        What else a user must know.
    """

    path: Path
    kind: str
    source: str
    architecture: str
    num_tensors: int
    num_parameters: int
    num_classes: int | None
    labels: tuple[str, ...]
    mean: Triple | None
    std: Triple | None
    said_by: str
    unknown: tuple[str, ...]
    notes: tuple[str, ...]
