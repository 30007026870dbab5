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

    code: str  #: For scripts, such as P021
    level: str  #: warning or note
    text: str  #: What was found, for people


@dataclass(frozen=True)
class ProbedContainer:
    """A file around its streams."""

    format: str  #: As FFmpeg calls it
    duration_s: float | None  #: Length that the container claims, in seconds
    start_s: float | None  #: First time of any stream, in seconds


@dataclass(frozen=True)
class ProbedGap:
    """Frames that are not there; see `streams.Gap`."""

    at_s: float  #: Time of the frame after the gap, in seconds
    missing: int  #: Frames that are not there
    jump: bool  #: Whether the clock was set or the recording paused, so that none may be missing


@dataclass(frozen=True)
class ProbedStream:
    """A stream; see `streams.Stream`. Pixels, rotation and `variable_frame_rate` are of video."""

    index: int  #: Number of the stream, as ffprobe counts
    type: str  #: video, audio, data or another kind
    codec: str  #: As FFmpeg calls it
    width: int | None  #: Width in pixels; null unless video
    height: int | None  #: Height in pixels; null unless video
    rotation: int | None  #: Degrees, counter-clockwise; null unless video
    time_base: str  #: Unit of timestamps in seconds, as an exact fraction
    default: bool  #: Whether the stream carries the default flag
    attached_picture: bool  #: Whether it is a cover, not a camera
    num_frames: int  #: Frames that a player shows, counted from packets
    num_frames_header: int | None  #: Frames that the header claims
    num_decoded: int | None  #: Frames of video that decode; null without `--deep`
    start_s: float | None  #: When the first frame is shown, in seconds
    end_s: float | None  #: When the last frame ends, in seconds
    duration_s: float | None  #: From the first frame to the end of the last, in seconds
    frame_rate: str | None  #: Frames per second, as an exact fraction
    variable_frame_rate: bool | None  #: Whether the rate varies; null unless video
    gaps: tuple[ProbedGap, ...]  #: Where frames are missing
    #: Whether left and right are swapped before the turn; null unless video.
    mirrored: bool | None = None
    interlaced: bool | None = None  #: Whether each frame holds two moments; null unless video

    @property
    def frames_per_second(self) -> float | None:
        """Return the frame rate as a number; None if unknown."""
        return float(Fraction(self.frame_rate)) if self.frame_rate else None


@dataclass(frozen=True)
class ProbedEstimates:
    """The offset of a stream by each way to know it; see `alignment.Estimates`."""

    timestamps_s: float  #: By the timestamps of the first frames, in seconds
    frame_count_s: float  #: By the numbers of frames, in seconds
    content_s: float | None  #: By the pixels, in seconds; null if they cannot tell


@dataclass(frozen=True)
class ProbedOffset:
    """How a stream lies to the one that the annotator saw."""

    stream: int  #: Number of the stream
    type: str  #: video or audio
    timestamps_s: float  #: By the timestamps of the first frames, in seconds
    frame_count_s: float  #: By the numbers of frames, in seconds
    content_s: float | None  #: By the pixels, in seconds; null if they cannot tell


@dataclass(frozen=True)
class ProbedPiece:
    """A stretch over which one line leads from the reference to the target."""

    reference_start_s: float  #: Start of the stretch in the reference, in seconds
    reference_end_s: float  #: End of the stretch in the reference, in seconds
    #: The same instant as `reference_start_s`, in seconds since the target's first frame.
    target_start_s: float
    scale: float  #: Seconds of the target for each second of the reference


@dataclass(frozen=True)
class ProbedDoubt:
    """A stretch of the reference in which the shift is unknown."""

    reference_start_s: float  #: Start of the stretch in the reference, in seconds
    reference_end_s: float  #: End of the stretch in the reference, in seconds


@dataclass(frozen=True)
class ProbedContent:
    """What was seen in the pixels; `reason` is empty where they can tell."""

    reason: str  #: Why the pixels cannot tell; empty where they can
    picture_correlation: float  #: How well the two pictures fit, up to 1
    view_scale: tuple[float, ...]  #: Size of one view in the other, for each side
    view_shift: tuple[float, ...]  #: Place of one view in the other, for each side
    windows: int  #: Stretches that were compared
    windows_believed: int  #: Those in which a peak stood out
    looked_s: float  #: Footage that was compared, in seconds
    longest_unseen_s: float  #: Longest stretch that was not compared, in seconds


@dataclass(frozen=True)
class ProbedAlignment:
    """How annotation time becomes frames of the target; see `alignment.Alignment`."""

    reference: int  #: Index of the stream that the annotator saw
    target: int  #: Index of the stream that clips are cut from; of the original, if there is one
    method: str  #: What is believed: identity, timestamps, frame-count or content
    trusted: bool  #: Whether clips may be cut
    verified: bool  #: Whether the pixels confirm it
    offset_s: float  #: How much later the target starts than the reference, in seconds
    offset_frames: int  #: The same in frames
    drift_ppm: float  #: How fast the target's clock runs off, in parts per million
    confidence: float | None  #: Of the pixels, from 0 to 1; null if they were not compared
    error_s: float  #: Bound of the error of a mapped time, outside of doubts, in seconds
    estimates: ProbedEstimates  #: The offset by each way to know it
    segments: tuple[ProbedPiece, ...]  #: The time map, piece by piece
    doubts: tuple[ProbedDoubt, ...]  #: Stretches in which the shift is unknown
    content: ProbedContent | None  #: What was seen in the pixels; null if they were not compared


@dataclass(frozen=True)
class ProbedOriginal:
    """The file that clips are cut from, where the annotated one is a copy of it."""

    path: str  #: The file
    container: ProbedContainer  #: What is around its streams
    streams: tuple[ProbedStream, ...]  #: Every stream, in the file's order


@dataclass(frozen=True)
class ProbedFile:
    """A recording as one annotator saw it."""

    path: str  #: The recording that was annotated
    status: str  #: "error" if it cannot be used, "warning" if it has warnings, else "ok"
    messages: tuple[ProbedMessage, ...]  #: What a user should know
    container: ProbedContainer | None  #: None where the file could not be opened
    streams: tuple[ProbedStream, ...]  #: Every stream, in the file's order
    shown_in: Mapping[str, int]  #: The video stream that each player shows
    read_by: Mapping[str, int]  #: The video stream that each reader takes by default
    alignment: ProbedAlignment | None  #: None where a single video stream leaves nothing to align
    #: Those of all streams to the reference; sound has no pixels to ask.
    offsets: tuple[ProbedOffset, ...]
    #: The file that clips are cut from; null where that is the recording itself.
    original: ProbedOriginal | None = None

    @property
    def cut_path(self) -> str:
        """Return the file that clips are cut from."""
        return self.original.path if self.original else self.path

    @property
    def name(self) -> str:
        """Return the file name."""
        return Path(self.path).name


@dataclass(frozen=True)
class ProbeRecord:
    """The document: a file for each way in which annotators saw a recording."""

    version: int  #: Of the document: 1
    files: tuple[ProbedFile, ...]  #: One for each recording and way of seeing it


def read_probe(folder: Path) -> ProbeRecord:
    """Return what was measured when a session was cut."""
    return read_document(ProbeRecord, folder / PROBE, todo="cut the session again")
