"""What a model is fed: clips, and the frames that it gets of each."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Kind = Literal["train", "test"]


@dataclass(frozen=True)
class FedView:
    """A view of a clip."""

    kind: Kind  #: Whose transform made it
    name: str  #: Which of the clip's views it is, in words; empty if there is one only
    mark: str  #: The same in a letter or two
    #: When the frames that it shows are presented, in seconds of the clip (T,).
    times_s: tuple[float, ...]

    @property
    def heading(self) -> str:
        """Return transform and name."""
        return f"{self.kind}, {self.name}" if self.name else self.kind


@dataclass(frozen=True)
class FedClip:
    """A clip and the views that are made of it."""

    path: Path
    name: str  #: As the list names it
    labels: tuple[str, ...]
    views: tuple[FedView, ...] = ()
    #: When its first frame is presented and its last one ends.
    start_s: float = 0.0
    end_s: float = 0.0
    remark: str = ""  #: What there is to know about its views
    fault: str = ""  #: Why it cannot be shown; it has no views then


@dataclass(frozen=True, eq=False)
class Strip:
    """Frames in the order of time."""

    heading: tuple[str, ...]  #: What they are, a line each
    times_s: tuple[float, ...]  #: When each is presented (T,)
    pixels: NDArray[np.uint8]  #: RGB bytes (T, H, W, 3)
