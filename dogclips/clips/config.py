"""Settings of `dogclips cut`."""

from fractions import Fraction
from typing import Annotated, Literal

from pydantic import Field, field_validator

from dogclips.alignment import AnnotatedIn, StreamChoice, Trust
from dogclips.annotations import Project
from dogclips.clips.names import NameConfig
from dogclips.clips.recordings import ContentCheck
from dogclips.clips.windows import Anchor, WindowRules
from dogclips.config import Config
from dogclips.labels import LabelConfig
from dogclips.media.encoding import EncoderConfig
from dogclips.media.hardware import SOFTWARE
from dogclips.timebase import exact

OnCorrupt = Literal["skip-clip", "skip-file", "fail"]
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
    are dropped unless `keep_doubtful`.

    `anchor` says where windows begin: on a "grid" of `stride_seconds` from `phase_seconds`, with
    each segment ("segment-start"), around its middle ("segment-center"), or spread over it, at most
    `stride_seconds` apart ("segment-spread"). A window gets a label that fills at least
    `min_overlap_seconds` of it and `min_overlap_fraction` of it or, with `min_overlap_of`
    "segment", of one of its segments; one of the two is enough where `min_overlap_rules` is
    "either", and null asks for nothing. `background` says what becomes of windows without a label:
    "drop", "keep", or "sample:0.5" for half as many as there are labelled ones; none is kept within
    `label_free_margin_seconds` of a segment, or after the last one of its recording. With
    `per_subject` every subject of a recording has windows of its own.

    `decoder` is "software" or a kind of device, such as "cuda". Where a recording does not decode,
    `on_corrupt` gives up the clip, all clips of the recording, or the whole run.
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
    phase_seconds: Annotated[float, Field(ge=0)] = 0
    anchor: Anchor = "grid"
    min_overlap_seconds: Annotated[float, Field(ge=0)] | None = 1.0
    min_overlap_fraction: Annotated[float, Field(ge=0, le=1)] | None = None
    min_overlap_of: Literal["window", "segment"] = "window"
    min_overlap_rules: Literal["both", "either"] = "both"
    background: Annotated[str, Field(pattern=r"^(drop|keep|sample:\d+(\.\d+)?)$")] = "drop"
    label_free_margin_seconds: Annotated[float, Field(ge=0)] = 0
    per_subject: bool = False
    labels: LabelConfig = LabelConfig()
    tasks: Literal["all"] | tuple[str, ...] = "all"
    short_side: Annotated[int, Field(ge=16)] | None = None
    frame_rate: Literal["source"] | Annotated[float, Field(gt=0)] = "source"
    encoder: EncoderConfig = EncoderConfig()
    decoder: str = SOFTWARE
    on_corrupt: OnCorrupt = "skip-clip"
    name: NameConfig = NameConfig()

    def choice_of(self, project: Project) -> StreamChoice:
        """Return the streams and the player of an annotation file.

        What `projects` says of the file counts most. A program with a player of its own comes
        before `annotated_in`; one that counts frames counts those of the first video stream.
        """
        own = self.projects.get(project.path.stem, ProjectConfig())
        reference = self.reference if own.reference is None else own.reference
        if project.player == "frames":
            reference = "auto" if own.reference is None else own.reference
            return StreamChoice(reference, self.target, "container")
        return StreamChoice(
            reference, self.target, own.annotated_in or project.player or self.annotated_in
        )

    @field_validator("projects", mode="before")
    @classmethod
    def _quoted(cls, projects: object) -> object:
        """Refuse 0205 without quotes, which YAML reads as the octal number 133."""
        if isinstance(projects, dict) and not all(isinstance(key, str) for key in projects):
            raise ValueError("write the names of annotation files in quotes, like '0205'")
        return projects

    @property
    def windows(self) -> WindowRules:
        """Return where windows lie and which labels they get, in exact seconds."""
        least_s, fraction = self.min_overlap_seconds, self.min_overlap_fraction
        return WindowRules(
            clip_s=exact(self.clip_seconds),
            stride_s=exact(self.stride_seconds),
            phase_s=exact(self.phase_seconds),
            anchor=self.anchor,
            min_overlap_s=None if least_s is None else exact(least_s),
            min_overlap_fraction=None if fraction is None else exact(fraction),
            of_segment=self.min_overlap_of == "segment",
            either=self.min_overlap_rules == "either",
            background=self.background != "drop",
            margin_s=exact(self.label_free_margin_seconds),
            per_subject=self.per_subject,
        )

    @property
    def background_ratio(self) -> Fraction | None:
        """Return how many background windows are kept for each labelled one; None keeps all."""
        _, _, ratio = self.background.partition("sample:")
        return Fraction(ratio) if ratio else None

    @property
    def resample_to(self) -> Fraction | None:
        """Return the rate to resample to; None keeps the source's frames."""
        return None if self.frame_rate == "source" else exact(self.frame_rate)
