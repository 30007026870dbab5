"""Windows that slide over a whole recording, on the annotator's time base."""

from dataclasses import dataclass
from fractions import Fraction

from dogclips.clips.frames import ClipFrames, mapped_frames
from dogclips.clips.viewing import Viewing
from dogclips.timebase import Span


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

    @property
    def steps(self) -> int:
        """Return how many whole strides a window covers."""
        return int(self.clip_s // self.stride_s)


# The frames of the clip that `dogclips cut` would make of a window, or the reason why of none.
SlidingWindow = ClipFrames | str


def sliding_windows(viewing: Viewing, rules: SlidingRules) -> list[SlidingWindow]:
    """Return the windows over a recording in time order, those that run past its end included.

    SlidingWindow n begins at n strides of annotation time.
    """
    time_map, windows = viewing.alignment.time_map, []
    for number in range(-(-viewing.length_s // rules.stride_s)):
        start_s = number * rules.stride_s + viewing.zero_s
        shown, doubtful = Span(start_s, start_s + rules.clip_s), rules.keep_doubtful
        windows.append(
            mapped_frames(viewing.target, time_map, shown, rules.frame_rate, keep_doubtful=doubtful)
        )
    return windows
