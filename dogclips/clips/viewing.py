"""A recording as its annotator saw it: how annotation time and its frames belong together."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from dogclips.alignment import Alignment, StreamChoice, fault_of, zero_of
from dogclips.clips.recordings import Recording
from dogclips.errors import AlignmentError
from dogclips.streams import Stream


@dataclass(frozen=True, eq=False)
class Viewing:
    """A recording as its annotator saw it, and the stream that the model is shown.

    Parameters
    ----------
    reference, target
        What the annotator saw, and what clips are cut from.
    zero_s
        The container time that the annotator's player calls zero.
    fault
        How far off that player's picture may be, in words; empty if it is exact.
    """

    path: Path
    reference: Stream
    target: Stream
    alignment: Alignment
    zero_s: Fraction
    fault: str

    @property
    def length_s(self) -> Fraction:
        """Return the annotation time at which the recording ends; 0 if nobody knows."""
        end_s = self.reference.end_s
        return Fraction(0) if end_s is None else end_s - self.zero_s


def viewing_of(recording: Recording, choice: StreamChoice) -> Viewing:
    """Return how annotation time and frames of a measured recording belong together.

    Raises
    ------
    DogclipsError
        The file cannot be used, or nobody can say which frames its annotator saw.
    """
    table, alignment = recording.measured
    if not alignment.trusted:
        text = "; ".join(message.text for message in alignment.messages)
        raise AlignmentError(text, where=recording.path, todo="see `dogclips align`")
    reference, target = choice.of(table)
    return Viewing(
        path=recording.path,
        reference=reference,
        target=target,
        alignment=alignment,
        zero_s=zero_of(choice.annotated_in, reference, table),
        fault=fault_of(choice.annotated_in, reference, table),
    )
