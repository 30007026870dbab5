"""Windows that slide over a whole recording, on the annotator's time base."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from dogclips.alignment import Alignment, StreamChoice, fault_of, zero_of
from dogclips.clips.frames import ClipFrames, mapped_frames
from dogclips.clips.recordings import Recording
from dogclips.errors import AlignmentError
from dogclips.streams import Stream
from dogclips.timebase import Span


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


@dataclass(frozen=True)
class SlidingRules:
    """How windows lie; times in seconds.

    Parameters
    ----------
    clip_s
        Length of a window: that of the clips of the training.
    stride_s
        From one start to the next; the first is at 0.
    frame_rate
        What the clips of the training were resampled to; None if they kept the source's frames.
    keep_doubtful
        Show the model windows in which nobody can know the shift between the streams.
    """

    clip_s: Fraction
    stride_s: Fraction
    frame_rate: Fraction | None = None
    keep_doubtful: bool = False


@dataclass(frozen=True, eq=False)
class SlidingWindow:
    """One window from annotation time `start`: its frames, or the reason why it has none."""

    start: Fraction
    frames: ClipFrames | None
    reason: str = ""


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


def sliding_windows(viewing: Viewing, rules: SlidingRules) -> Iterator[SlidingWindow]:
    """Yield windows over a recording in time order, those that run past its end included.

    Each has the frames of the clip that `dogclips cut` would make of it.
    """
    time_map = viewing.alignment.time_map
    for number in range(-(-viewing.length_s // rules.stride_s)):
        start = number * rules.stride_s
        shown = Span(start + viewing.zero_s, start + viewing.zero_s + rules.clip_s)
        frames = mapped_frames(
            viewing.target, time_map, shown, rules.frame_rate, keep_doubtful=rules.keep_doubtful
        )
        if isinstance(frames, str):
            yield SlidingWindow(start, None, frames)
        else:
            yield SlidingWindow(start, frames)
