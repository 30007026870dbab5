"""The map from time on the reference stream to time on the target stream, and back."""

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from dogclips.timebase import Span


@dataclass(frozen=True)
class MapPiece:
    """A stretch in which both streams run side by side."""

    reference: Span  #: Container time on the reference stream, in seconds
    #: The same instant as `reference.start`, in seconds since the target's first frame.
    target_start: Fraction
    #: Seconds of the target for each second of the reference; 1 unless a clock drifts.
    scale: Fraction = Fraction(1)

    def __call__(self, reference_s: Fraction) -> Fraction:
        """Map a reference time of this piece."""
        return self.target_start + (reference_s - self.reference.start) * self.scale

    def back(self, target_s: Fraction) -> Fraction:
        """Map a target time of this piece to the reference."""
        return self.reference.start + (target_s - self.target_start) / self.scale


@dataclass(frozen=True)
class TimeMap:
    """Pieces in time order; between two of them the shift between the streams changes."""

    pieces: tuple[MapPiece, ...]  #: At least one; their reference spans do not overlap
    #: Stretches of the reference in which nobody can know the shift, in time order.
    doubts: tuple[Span, ...] = ()
    #: Outside of the doubts, no mapped instant is further than this from the true one.
    error_s: Fraction = Fraction(0)

    def to_target(self, reference_s: Fraction) -> Fraction:
        """Return seconds since the target's first frame, exactly.

        Nothing is clamped: before the first piece the result is negative, behind the last one it
        lies past the target's end, and the caller says so.
        """
        begun = (piece for piece in self.pieces[::-1] if piece.reference.start <= reference_s)
        return next(begun, self.pieces[0])(reference_s)

    def to_reference(self, target_s: Fraction) -> Fraction:
        """Return container time on the reference for seconds since the target's first frame.

        The way back of `to_target`, exact within a piece. Where the reference lacks frames that the
        target has, the instant lies between two pieces and belongs to the earlier one.
        """
        begun = (piece for piece in self.pieces[::-1] if piece.target_start <= target_s)
        return next(begun, self.pieces[0]).back(target_s)

    def is_doubtful(self, reference: Span) -> bool:
        """Return whether a stretch of the reference touches one whose shift nobody can know."""
        return any(doubt.overlap(reference) > 0 for doubt in self.doubts)

    def is_broken(self, reference: Span) -> bool:
        """Return whether the shift changes within a stretch: frames of it are missing."""
        changes = (later.reference.start for _, later in pairwise(self.pieces))
        return any(reference.start < change < reference.end for change in changes)
