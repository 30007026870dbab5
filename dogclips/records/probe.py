"""`probe.json`: what was measured of each recording; times in seconds, rates as exact fractions."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from dogclips.records.documents import read_document

PROBE = "probe.json"


@dataclass(frozen=True)
class ProbedMessage:
    """Something to know about a file; see `streams.Message`."""

    code: str
    level: str
    text: str


@dataclass(frozen=True)
class ProbedContainer:
    """A file around its streams."""

    format: str
    duration_s: float | None
    start_s: float | None


@dataclass(frozen=True)
class ProbedGap:
    """Frames that are not there; see `streams.Gap`."""

    at_s: float
    missing: int
    jump: bool


@dataclass(frozen=True)
class ProbedStream:
    """A stream; see `streams.Stream`. Pixels, rotation and `variable_frame_rate` are of video."""

    index: int
    type: str
    codec: str
    width: int | None
    height: int | None
    rotation: int | None
    time_base: str
    default: bool
    attached_picture: bool
    num_frames: int
    num_frames_header: int | None
    num_decoded: int | None
    start_s: float | None
    end_s: float | None
    duration_s: float | None
    frame_rate: str | None
    variable_frame_rate: bool | None
    gaps: tuple[ProbedGap, ...]

    @property
    def frames_per_second(self) -> float | None:
        """Return the frame rate as a number; None if unknown."""
        return float(Fraction(self.frame_rate)) if self.frame_rate else None


@dataclass(frozen=True)
class ProbedEstimates:
    """The offset of a stream by each way to know it; see `alignment.Estimates`."""

    timestamps_s: float
    frame_count_s: float
    content_s: float | None


@dataclass(frozen=True)
class ProbedOffset:
    """How a stream lies to the one that the annotator saw."""

    stream: int
    type: str
    timestamps_s: float
    frame_count_s: float
    content_s: float | None


@dataclass(frozen=True)
class ProbedPiece:
    """A stretch over which one line leads from the reference to the target."""

    reference_start_s: float
    reference_end_s: float
    target_start_s: float
    scale: float


@dataclass(frozen=True)
class ProbedDoubt:
    """A stretch of the reference in which nobody can know the shift."""

    reference_start_s: float
    reference_end_s: float


@dataclass(frozen=True)
class ProbedContent:
    """What was seen in the pixels; `reason` is empty where they can tell."""

    reason: str
    picture_correlation: float
    view_scale: tuple[float, ...]
    view_shift: tuple[float, ...]
    windows: int
    windows_believed: int
    looked_s: float
    longest_unseen_s: float


@dataclass(frozen=True)
class ProbedAlignment:
    """How annotation time becomes frames of the target; see `alignment.Alignment`."""

    reference: int
    target: int
    method: str
    trusted: bool
    verified: bool
    offset_s: float
    offset_frames: int
    drift_ppm: float
    confidence: float | None
    error_s: float
    estimates: ProbedEstimates
    segments: tuple[ProbedPiece, ...]
    doubts: tuple[ProbedDoubt, ...]
    content: ProbedContent | None


@dataclass(frozen=True)
class ProbedFile:
    """A recording as one annotator saw it."""

    path: str
    status: str  #: "error" if it cannot be used, "warning" if it has warnings, else "ok"
    messages: tuple[ProbedMessage, ...]
    container: ProbedContainer | None  #: None where the file could not be opened
    streams: tuple[ProbedStream, ...]
    #: The video stream that each player shows, and that each reader takes if told nothing.
    shown_in: Mapping[str, int]
    read_by: Mapping[str, int]
    alignment: ProbedAlignment | None  #: None where a single video stream leaves nothing to align
    #: Those of all streams to the reference; sound has no pixels to ask.
    offsets: tuple[ProbedOffset, ...]

    @property
    def name(self) -> str:
        """Return the file name."""
        return Path(self.path).name


@dataclass(frozen=True)
class ProbeRecord:
    """The document: a file for each way in which annotators saw a recording."""

    version: int
    files: tuple[ProbedFile, ...]


def read_probe(folder: Path) -> ProbeRecord:
    """Return what was measured when a session was cut."""
    return read_document(ProbeRecord, folder / PROBE, todo="cut the session again")
