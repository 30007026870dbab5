"""Settings of `dogclips cut`."""

from fractions import Fraction
from typing import Annotated, Literal

from pydantic import Field, field_validator

from dogclips.alignment import AnnotatedIn, StreamChoice, Trust
from dogclips.clips.names import NameConfig
from dogclips.clips.recordings import ContentCheck
from dogclips.config import Config
from dogclips.labels import LabelConfig
from dogclips.media.encoding import EncoderConfig
from dogclips.timebase import exact

Seconds = Annotated[float, Field(gt=0)]


class ProjectConfig(Config):
    """What is special about one annotation file; None means as for all others."""

    reference: int | Literal["auto"] | None = None
    annotated_in: AnnotatedIn | None = None


class CutConfig(Config):
    """What is cut, from which stream, with which labels, and how it is written.

    `reference` is the stream that the annotator saw ("auto": the one that `annotated_in` shows),
    `target` the one that clips are cut from ("best": the largest picture); `projects` says it for
    single annotation files, by file stem. `content` says when the pixels of the two streams are
    compared. Windows in which nobody can know the shift between the streams, or frames are lost,
    are dropped unless `keep_doubtful`. A window gets a label that fills at least
    `min_overlap_seconds` of it and, if given, `min_overlap_fraction` of it.
    """

    reference: int | Literal["auto"] = "auto"
    target: int | Literal["auto", "best"] = "best"
    annotated_in: AnnotatedIn = "chrome"
    projects: dict[str, ProjectConfig] = Field(default_factory=dict)
    trust: Trust = "auto"
    content: ContentCheck = "always"
    keep_doubtful: bool = False
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

    def choice_of(self, project: str) -> StreamChoice:
        """Return the streams and the player of an annotation file, by its stem."""
        own = self.projects.get(project, ProjectConfig())
        return StreamChoice(
            reference=self.reference if own.reference is None else own.reference,
            target=self.target,
            annotated_in=own.annotated_in or self.annotated_in,
        )

    @field_validator("projects", mode="before")
    @classmethod
    def _quoted(cls, projects: object) -> object:
        """Refuse 0205 without quotes, which YAML reads as the octal number 133."""
        if isinstance(projects, dict) and not all(isinstance(key, str) for key in projects):
            raise ValueError("write the names of annotation files in quotes, like '0205'")
        return projects

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
