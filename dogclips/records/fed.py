"""What a model is fed: clips, and which of their frames it gets."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Kind = Literal["train", "test"]


@dataclass(frozen=True)
class FedView:
    """A view of a clip.

    Parameters
    ----------
    kind
        Whose transform made it.
    name
        Which of the clip's views it is, in words; empty if there is one only.
    mark
        The same in a letter or two.
    times_s
        When the frames that it shows are presented, in seconds of the clip (T,).
    """

    kind: Kind
    name: str
    mark: str
    times_s: tuple[float, ...]

    @property
    def heading(self) -> str:
        """Return transform and name."""
        return f"{self.kind}, {self.name}" if self.name else self.kind


@dataclass(frozen=True)
class FedClip:
    """A clip and the views that are made of it.

    Parameters
    ----------
    name
        As the list names it.
    start_s, end_s
        When its first frame is presented and its last one ends.
    remark
        What there is to know about its views.
    fault
        Why it cannot be shown; it has no views then.
    """

    path: Path
    name: str
    labels: tuple[str, ...]
    views: tuple[FedView, ...] = ()
    start_s: float = 0.0
    end_s: float = 0.0
    remark: str = ""
    fault: str = ""


@dataclass(frozen=True, eq=False)
class Strip:
    """Frames in the order of time.

    Parameters
    ----------
    heading
        What they are, a line each.
    times_s
        When each is presented (T,).
    pixels
        RGB bytes (T, H, W, 3).
    """

    heading: tuple[str, ...]
    times_s: tuple[float, ...]
    pixels: NDArray[np.uint8]
