"""Exact time: seconds as `Fraction`, integer pts, half-open spans.

Floats appear only where time is shown to a person or stored in a file made for people; `exact`
reads such a number back as the decimal that was written.
"""

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

Pts = NDArray[np.int64]

# Annotation programs round times to milliseconds, which pushes up to half of all times just below
# the frame they were taken from (48 % at 29.97 fps). A time means the frame it was rounded from.
ROUNDING_SLACK_S = Fraction(6, 10_000)


@dataclass(frozen=True)
class Span:
    """A half-open stretch of time [start, end), in seconds."""

    start: Fraction
    end: Fraction

    @property
    def duration(self) -> Fraction:
        """Return the length in seconds; negative if the span is reversed."""
        return self.end - self.start

    def overlap(self, other: "Span") -> Fraction:
        """Return the seconds that both spans share.

        >>> Span(Fraction(0), Fraction(4)).overlap(Span(Fraction(3), Fraction(9)))
        Fraction(1, 1)
        """
        return max(min(self.end, other.end) - max(self.start, other.start), Fraction(0))


def exact(number: float | int | str) -> Fraction:
    """Return the decimal number as it was written.

    >>> exact(4.35)
    Fraction(87, 20)
    """
    return Fraction(number if isinstance(number, str) else repr(number))


def shown(time_s: Fraction) -> str:
    """Return seconds in the shortest decimal form with at least one decimal, at most six.

    >>> shown(Fraction(12)), shown(Fraction(25, 2)), shown(Fraction(1, 3))
    ('12.0', '12.5', '0.333333')
    """
    text = f"{float(time_s):.6f}".rstrip("0")
    return text + "0" if text.endswith(".") else text


def frame_at(pts: Pts, time_base: Fraction, time_s: Fraction) -> int:
    """Return the index of the frame that is on screen at `time_s`, -1 before the first one.

    `pts` are the presentation times of all frames, ascending, in units of `time_base`; `time_s` is
    container time in seconds, as rounded by an annotation program.

    >>> frame_at(np.array([0, 50, 100]), Fraction(1, 1000), Fraction("0.0996"))
    2
    """
    last = math.floor((time_s + ROUNDING_SLACK_S) / time_base)
    return int(np.searchsorted(pts, last, side="right")) - 1
