"""The map from time on the reference stream to time on the target stream."""

from dataclasses import dataclass
from fractions import Fraction

from dogclips.timebase import Span


@dataclass(frozen=True)
class MapPiece:
    """A stretch in which both streams run side by side.

    Parameters
    ----------
    reference
        Container time on the reference stream, in seconds.
    target_start
        The same instant as `reference.start`, in seconds since the target's first frame.
    scale
        Seconds of the target for each second of the reference; 1 unless a clock drifts.
    """

    reference: Span
    target_start: Fraction
    scale: Fraction = Fraction(1)

    def __call__(self, reference_s: Fraction) -> Fraction:
        """Map a reference time of this piece."""
        return self.target_start + (reference_s - self.reference.start) * self.scale


@dataclass(frozen=True)
class TimeMap:
    """Pieces in time order; between them the target has nothing to show."""

    pieces: tuple[MapPiece, ...]

    def to_target(self, reference_s: Fraction) -> Fraction:
        """Return seconds since the target's first frame, exactly.

        Nothing is clamped: before the first piece the result is negative, behind the last one it
        lies past the target's end, and the caller says so.
        """
        piece = self.pieces[0]
        for later in self.pieces[1:]:
            if reference_s >= later.reference.start:
                piece = later
        return piece(reference_s)
