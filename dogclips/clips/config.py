"""Settings of `dogclips cut`."""

from fractions import Fraction
from typing import Annotated, Literal

from pydantic import Field

from dogclips.alignment import AnnotatedIn, Trust
from dogclips.clips.names import NameConfig
from dogclips.config import Config
from dogclips.labels import LabelConfig
from dogclips.media.encoding import EncoderConfig
from dogclips.timebase import exact

Seconds = Annotated[float, Field(gt=0)]


class CutConfig(Config):
    """What is cut, from which stream, with which labels, and how it is written.

    `reference` is the stream that the annotator saw ("auto": the one that `annotated_in` shows),
    `target` the one that clips are cut from ("best": the largest picture). A window gets a label
    that fills at least `min_overlap_seconds` of it and, if given, `min_overlap_fraction` of it.
    """

    reference: int | Literal["auto"] = "auto"
    target: int | Literal["auto", "best"] = "best"
    annotated_in: AnnotatedIn = "chrome"
    trust: Trust = "auto"
    clip_seconds: Seconds = 4
    stride_seconds: Seconds = 4
    min_overlap_seconds: Annotated[float, Field(ge=0)] = 1.0
    min_overlap_fraction: Annotated[float, Field(ge=0, le=1)] | None = None
    labels: LabelConfig = LabelConfig()
    tasks: Literal["all"] | tuple[str, ...] = "all"
    short_side: Annotated[int, Field(ge=16)] | None = None
    frame_rate: Literal["source"] | Annotated[float, Field(gt=0)] = "source"
    encoder: EncoderConfig = EncoderConfig()
    name: NameConfig = NameConfig()

    @property
    def clip_s(self) -> Fraction:
        """Return the length of a clip in seconds, exactly."""
        return exact(self.clip_seconds)

    @property
    def min_overlap_s(self) -> Fraction:
        """Return the seconds of a window that a label must fill, by both rules."""
        fraction = exact(self.min_overlap_fraction or 0)
        return max(exact(self.min_overlap_seconds), fraction * self.clip_s)

    @property
    def resample_to(self) -> Fraction | None:
        """Return the rate to resample to; None keeps the source's frames."""
        return None if self.frame_rate == "source" else exact(self.frame_rate)
