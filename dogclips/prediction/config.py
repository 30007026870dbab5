"""Settings of `dogclips predict`."""

from typing import Annotated, Literal

from pydantic import Field

from dogclips.alignment import AnnotatedIn, Trust
from dogclips.config import Config, Count, NotNegative, Positive
from dogclips.scores.bouts import Smooth
from dogclips.scores.locating import Locate

Chance = Annotated[float, Field(gt=0, lt=1)]


class LabelRulesConfig(Config):
    """What is special about one label; null means as for all others."""

    threshold: Chance | None = None
    min_bout_seconds: NotNegative | None = None
    merge_gap_seconds: NotNegative | None = None


class PredictConfig(Config):
    """How a model is shown a recording, and how what it says becomes bouts."""

    #: Length of a window; null for that of the clips of the training
    clip_seconds: Positive | None = None
    #: From one window to the next, which is also the step of time that gets a score; null for a
    #: quarter of a window
    stride_seconds: Positive | None = None
    batch_size: Count | None = None  #: Windows at a time; null for that of the training
    #: As in the evaluation of the training where they are null
    views: Count | None = None
    crops: Literal[1, 3] | None = None
    precision: Literal["auto", "32-true", "16-mixed", "bf16-mixed"] | None = None
    #: As in the cut of the clips of the training where they are null
    reference: int | Literal["auto"] | None = None
    target: int | Literal["auto", "best"] | None = None
    annotated_in: AnnotatedIn | None = None
    trust: Trust = "auto"  #: What counts as a usable alignment, as in `dogclips cut`
    #: Show the model windows in which nobody can know the shift between the streams
    keep_doubtful: bool = False
    #: How the scores of windows become scores of steps: see `scores.locating`
    locate: Locate = "counts"
    #: A median over so many seconds; or hysteresis: a bout goes on as long as its score is above
    #: `low` times the threshold
    smooth: Smooth = "none"
    smooth_seconds: Positive = 3.0
    low: Annotated[float, Field(ge=0, le=1)] = 0.5
    threshold: Chance | None = None  #: For all labels, in place of the run's
    #: Shorter gaps within a label are filled, then shorter bouts dropped
    min_bout_seconds: NotNegative = 0.0
    merge_gap_seconds: NotNegative = 0.0
    #: The last three for single labels, by name
    labels: dict[str, LabelRulesConfig] = Field(default_factory=dict)
