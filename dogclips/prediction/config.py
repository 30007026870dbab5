"""Settings of `dogclips predict`."""

from typing import Annotated, Literal

from pydantic import Field

from dogclips.alignment import AnnotatedIn, Trust
from dogclips.config import Config, Count, Seconds, SecondsFromZero
from dogclips.scores.bouts import Smooth
from dogclips.scores.locating import Locate

Chance = Annotated[float, Field(gt=0, lt=1)]


class LabelRulesConfig(Config):
    """Settings of one label; null means as for all others."""

    threshold: Chance | None = Field(
        None, description="Probability from which on this label counts as present."
    )
    min_bout_seconds: SecondsFromZero | None = Field(
        None, description="Drop bouts of this label that are shorter."
    )
    merge_gap_seconds: SecondsFromZero | None = Field(
        None, description="Join bouts of this label across gaps that are shorter."
    )


class PredictConfig(Config):
    """How a model is shown a recording, and how its scores become bouts."""

    clip_seconds: Seconds | None = Field(
        None, description="Length of a window; null for that of the clips of the training."
    )
    stride_seconds: Seconds | None = Field(
        None,
        description="Time from one window to the next, and length of a step that gets a score; "
        "null for a quarter of a window.",
    )
    batch_size: Count | None = Field(
        None, description="Number of windows per batch; null for the batch size of the training."
    )
    views: Count | None = Field(
        None,
        description="Number of views in time per window; null for that of the training's "
        "evaluation.",
    )
    crops: Literal[1, 3] | None = Field(
        None,
        description="Number of crops per view; null for that of the training's evaluation.",
    )
    precision: Literal["auto", "32-true", "16-mixed", "bf16-mixed"] | None = Field(
        None, description="Numeric precision of the network; null for that of the training."
    )
    reference: int | Literal["auto"] | None = Field(
        None,
        description="Index of the video stream that the annotator sees; null for that of the cut "
        "that the training used.",
    )
    target: int | Literal["auto", "best"] | None = Field(
        None,
        description="Index of the video stream that the model sees; null for that of the cut that "
        "the training used.",
    )
    annotated_in: AnnotatedIn | None = Field(
        None,
        description="Player of the annotator; null for that of the cut that the training used.",
    )
    trust: Trust = Field(
        "auto",
        description="What decides how streams align: `timestamps`, `frame-count`, or `auto` for "
        "the pixels if they are clear and the timestamps if not.",
    )
    keep_doubtful: bool = Field(
        default=False,
        description="Also predict windows in which frames are lost or the alignment of the streams "
        "is unknown.",
    )
    locate: Locate = Field(
        "counts",
        description="How scores of windows become scores of steps: `counts` estimates how many "
        "steps of each window carry a label, `mean` averages the windows that cover a step, "
        "`centre` takes the window around it.",
    )
    smooth: Smooth = Field(
        "none",
        description="How scores are smoothed: `none`, a `median` over `smooth_seconds`, or "
        "`hysteresis`, where a bout continues while its score is above `low` times the threshold.",
    )
    smooth_seconds: Seconds = Field(3.0, description="Length of the median filter.")
    low: Annotated[float, Field(ge=0, le=1)] = Field(
        0.5, description="Lower threshold of the hysteresis, as a share of the threshold."
    )
    threshold: Chance | None = Field(
        None,
        description="Probability from which on a label counts as present; null for the "
        "thresholds of the run, one per label.",
    )
    min_bout_seconds: SecondsFromZero = Field(
        0.0, description="Drop bouts that are shorter, after gaps are filled."
    )
    merge_gap_seconds: SecondsFromZero = Field(
        0.0, description="Join bouts of one label across gaps that are shorter."
    )
    labels: dict[str, LabelRulesConfig] = Field(
        default_factory=dict,
        description="Threshold, shortest bout and gap of single labels, by name.",
    )
