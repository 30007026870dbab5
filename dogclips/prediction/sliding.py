"""Windows that slide over a whole recording, on the annotator's time base."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from dogclips.clips.frames import SourceFrames
from dogclips.clips.viewing import Viewing


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
    frames: SourceFrames | None
    reason: str = ""


def sliding_windows(viewing: Viewing, rules: SlidingRules) -> Iterator[SlidingWindow]:
    """Yield windows over a recording in time order, those that run past its end included.

    Each has the frames of the clip that `dogclips cut` would make of it.
    """
    for number in range(-(-viewing.length_s // rules.stride_s)):
        start = number * rules.stride_s
        frames = viewing.frames(
            start, rules.clip_s, rules.frame_rate, keep_doubtful=rules.keep_doubtful
        )
        if isinstance(frames, str):
            yield SlidingWindow(start, None, frames)
        else:
            yield SlidingWindow(start, frames)
