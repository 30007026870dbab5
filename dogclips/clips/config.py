"""Settings of `dogclips cut`."""

from fractions import Fraction
from typing import Annotated, Literal

from pydantic import Field, field_validator

from dogclips.alignment import AnnotatedIn, StreamChoice, Trust
from dogclips.annotations import Project
from dogclips.clips.names import NameConfig
from dogclips.clips.recordings import ContentCheck
from dogclips.clips.windows import Anchor, WindowRules
from dogclips.config import Config, FrameRate, Seconds, SecondsFromZero, Stretch, Unit
from dogclips.labels import LabelConfig
from dogclips.media.encoding import EncoderConfig
from dogclips.media.hardware import SOFTWARE
from dogclips.streams import MaxHold
from dogclips.timebase import exact

OnCorrupt = Literal["skip-clip", "skip-file", "fail"]


class ProjectConfig(Config):
    """Settings of one annotation file; null means as for all others."""

    reference: int | Literal["auto"] | None = Field(
        None, description="Stream that the annotator of this file saw."
    )
    annotated_in: AnnotatedIn | None = Field(
        None, description="Player in which this file was annotated."
    )
    watched_seconds: tuple[Stretch, ...] | None = Field(
        None,
        examples=[[[0, 40], [60, 90]]],
        description="Stretches of annotation time that the annotator of this file watched, each "
        "as [start, end]; they hold for each of its recordings, and count more than what the file "
        "says.",
    )
    observer: str | None = Field(
        None,
        description="Name of who annotated this file, where the file does not say; null for the "
        "name of the file. Files of one observer complete each other.",
    )
    replaces: str | None = Field(
        None,
        description="Annotation file, by name without suffix, that this one is a corrected copy "
        "of: it is left out.",
    )


class CutConfig(Config):
    """What is cut, from which stream, with which labels, and how it is written."""

    reference: int | Literal["auto"] = Field(
        "auto",
        description="Index of the video stream that the annotator saw; `auto` takes the one that "
        "`annotated_in` shows.",
    )
    target: int | Literal["auto", "best"] = Field(
        "best",
        description="Index of the video stream that clips are cut from; `best` and `auto` take the "
        "one with the largest picture.",
    )
    annotated_in: AnnotatedIn = Field(
        "chrome",
        description="Player in which the recordings were annotated; it decides which stream was "
        "seen and which instant is zero.",
    )
    projects: dict[str, ProjectConfig] = Field(
        default_factory=dict,
        description="Settings of single annotation files, by file name without suffix.",
    )
    originals: dict[str, str] = Field(
        default_factory=dict,
        examples=[{"*_proxy.mp4": "*.mov"}],
        description="For recordings that are copies of others, as small proxies are, the file that "
        "clips are cut from: names in `video/`, and of files in `originals/` or `video/`. One `*` "
        "stands for the same text in both.",
    )
    observers: str | None = Field(
        None,
        examples=["union", "intersection", "majority", "ann"],
        description="What counts where several observers annotated the same task of a recording: "
        "what any of them saw (`union`), what all saw (`intersection`), what more than half of "
        "them saw (`majority`), or what the observer with this name saw; null refuses such "
        "recordings.",
    )
    trust: Trust = Field(
        "auto",
        description="What decides how streams align: `timestamps`, `frame-count`, or `auto` for "
        "the pixels if they are clear and the timestamps if not.",
    )
    content: ContentCheck = Field(
        "always",
        description="When the pixels of the two streams are compared to verify their alignment.",
    )
    max_hold_seconds: SecondsFromZero | Literal["auto"] | None = Field(
        "auto",
        examples=["auto", 2],
        description="Skip windows in which one picture is shown for longer than this, because "
        "frames are missing; `auto` for 0.25 s, or 4 frames where these are longer; null for no "
        "limit, as for screen recordings that store a frame only when the picture changes.",
    )
    keep_doubtful: bool = Field(
        default=False,
        description="Keep windows in which frames are lost or the alignment of the streams is "
        "unknown, whatever `max_hold_seconds` says.",
    )
    clip_seconds: Seconds = Field(4, description="Length of a clip.")
    stride_seconds: Seconds = Field(
        4,
        description="Time from the start of one window to the start of the next on the `grid`; the "
        "largest distance between windows of one segment with `segment-spread`.",
    )
    phase_seconds: SecondsFromZero | Literal["auto"] = Field(
        0,
        examples=[0, "auto"],
        description="Annotation time at which the first window of the `grid` starts; `auto` for "
        "that of the first frame that both the annotator's stream and the target have.",
    )
    end_window: bool = Field(
        default=False,
        description="Add a window that ends with the recording, where the windows of the `grid` "
        "leave a rest.",
    )
    anchor: Anchor = Field(
        "grid",
        description="Where windows start: on a regular `grid`, with each segment "
        "(`segment-start`), around its middle (`segment-center`), or spread over it "
        "(`segment-spread`).",
    )
    min_overlap_seconds: SecondsFromZero | None = Field(
        1.0,
        description="A window gets a label that fills at least this much of it; null for no limit.",
    )
    min_overlap_fraction: Annotated[float, Field(ge=0, le=1)] | None = Field(
        None,
        description="A window gets a label that fills at least this share of `min_overlap_of`; "
        "null for no limit.",
    )
    min_overlap_of: Literal["window", "segment"] = Field(
        "window",
        description="What `min_overlap_fraction` is a share of: the window, or one of the "
        "label's segments.",
    )
    min_overlap_rules: Literal["both", "either"] = Field(
        "both",
        description="Whether a label has to pass both minimum overlaps, or one of them is enough.",
    )
    background: Annotated[str, Field(pattern=r"^(drop|keep|sample:\d+(\.\d+)?)$")] = Field(
        "drop",
        examples=["drop", "keep", "sample:0.5"],
        description="What happens to windows without a label: `drop`, `keep`, or `sample:0.5` to "
        "keep half as many as there are labelled windows.",
    )
    label_free_margin_seconds: SecondsFromZero = Field(
        0, description="Background windows keep at least this distance from every segment."
    )
    per_subject: bool = Field(
        default=False,
        description="Give each subject of a recording windows of its own, with its labels only.",
    )
    labels: LabelConfig = Field(LabelConfig(), description="How annotated labels become classes.")
    tasks: Literal["all"] | tuple[str, ...] = Field(
        "all",
        description="Tasks (VIA attributes) that labels are taken from: `all`, or their names.",
    )
    short_side: Annotated[int, Field(ge=16), Unit("px")] | None = Field(
        None,
        description="Scale clips so that their short side has this length; null keeps the size of "
        "the recording.",
    )
    frame_rate: Literal["source"] | FrameRate = Field(
        "source",
        description="Frame rate of the clips; `source` keeps the frames of the recording.",
    )
    deinterlace: Literal["auto", "off"] = Field(
        "auto",
        description="What to do with interlaced recordings, in which each frame holds two moments "
        "in alternate lines: show the first moment only (FFmpeg's `bwdif`), or `off` for both.",
    )
    encoder: EncoderConfig = Field(EncoderConfig(), description="How clips are encoded.")
    decoder: str = Field(
        SOFTWARE,
        description="What decodes the recordings: `software`, or a hardware device that FFmpeg "
        "knows, such as `cuda`.",
    )
    on_corrupt: OnCorrupt = Field(
        "skip-clip",
        description="What to give up when part of a recording cannot be decoded: the clip, all "
        "clips of the recording, or the whole run.",
    )
    name: NameConfig = Field(NameConfig(), description="How clips are named.")

    def project(self, stem: str) -> ProjectConfig:
        """Return the settings of one annotation file, by its name without suffix."""
        return self.projects.get(stem, ProjectConfig())

    def choice_of(self, project: Project) -> StreamChoice:
        """Return the streams and the player of an annotation file.

        What `projects` says of the file counts most. A program with a player of its own comes
        before `annotated_in`; one that counts frames counts those of the first video stream.
        """
        own = self.project(project.path.stem)
        reference = self.reference if own.reference is None else own.reference
        if project.player == "frames":
            reference = "auto" if own.reference is None else own.reference
            return StreamChoice(reference, self.target, "container")
        return StreamChoice(
            reference, self.target, own.annotated_in or project.player or self.annotated_in
        )

    @field_validator("originals")
    @classmethod
    def _names(cls, originals: dict[str, str]) -> dict[str, str]:
        """Refuse folders, and stars that stand for nothing."""
        for name, original in originals.items():
            if any(mark in text for text in (name, original) for mark in "/\\"):
                raise ValueError(f"{name}: {original}: write file names without a folder")
            if name.count("*") > 1 or ("*" in original and "*" not in name):
                raise ValueError(f"{name}: {original}: write one * in both names, or none")
        return originals

    @field_validator("projects", mode="before")
    @classmethod
    def _quoted(cls, projects: object) -> object:
        """Refuse 0205 without quotes, which YAML reads as the octal number 133."""
        if isinstance(projects, dict) and not all(isinstance(key, str) for key in projects):
            raise ValueError("an annotation file's name is a number: put it in quotes, like '0205'")
        return projects

    @property
    def windows(self) -> WindowRules:
        """Return where windows lie and which labels they get, in exact seconds."""
        least_s, fraction = self.min_overlap_seconds, self.min_overlap_fraction
        return WindowRules(
            clip_s=exact(self.clip_seconds),
            stride_s=exact(self.stride_seconds),
            phase_s=Fraction(0) if self.phase_seconds == "auto" else exact(self.phase_seconds),
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
    def max_hold_s(self) -> MaxHold:
        """Return for how long a picture may be held, in seconds; None for any time."""
        limit = self.max_hold_seconds
        return exact(limit) if isinstance(limit, (int, float)) else limit

    @property
    def resample_to(self) -> Fraction | None:
        """Return the rate to resample to; None keeps the source's frames."""
        return None if self.frame_rate == "source" else exact(self.frame_rate)
