"""Windows that slide over a whole recording, on the annotator's time base."""

from dataclasses import dataclass
from fractions import Fraction

from dogclips.clips.frames import SourceFrames
from dogclips.clips.viewing import Viewing


@dataclass(frozen=True)
class SlidingRules:
    """How windows lie; times in seconds."""

    clip_s: Fraction  #: Length of a window: that of the clips of the training
    stride_s: Fraction  #: From one start to the next; the first is at 0
    #: What the clips of the training were resampled to; None if they kept the source's frames.
    frame_rate: Fraction | None = None
    #: Show the model windows in which nobody can know the shift between the streams.
    keep_doubtful: bool = False

    @property
    def steps(self) -> int:
        """Return how many whole strides a window covers."""
        return int(self.clip_s // self.stride_s)


# The frames of the clip that `dogclips cut` would make of a window, or the reason why of none.
SlidingWindow = SourceFrames | str


def sliding_windows(viewing: Viewing, rules: SlidingRules) -> list[SlidingWindow]:
    """Return the windows over a recording in time order, those that run past its end included.

    SlidingWindow n begins at n strides of annotation time.
    """
    rate, doubtful = rules.frame_rate, rules.keep_doubtful
    starts_s = (n * rules.stride_s for n in range(-(-viewing.length_s // rules.stride_s)))
    return [
        viewing.frames(start_s, rules.clip_s, rate, keep_doubtful=doubtful) for start_s in starts_s
    ]
