"""Cut clips of one source in one pass: every frame is decoded once and encoded once.

Each clip is verified when it is written, and only then gets its name.
"""

import hashlib
import io
import re
from collections.abc import Callable, Collection, Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Annotated, cast

import av
from av.container import OutputContainer
from av.video.frame import PictureType
from av.video.stream import VideoStream
from pydantic import Field

from dogclips.config import Config, Unit
from dogclips.errors import DogclipsError, MediaError, OutputError
from dogclips.files import part_of
from dogclips.media.display import AS_USUAL, Decoding, Picture, decode_pictures
from dogclips.media.lanes import ClipJob, Lane, plan_lanes
from dogclips.media.looking import VideoPacket
from dogclips.media.pyavprobe import measure_with_pyav
from dogclips.streams import Stream
from dogclips.timebase import shown


class EncoderConfig(Config):
    """How clips are encoded.

    The defaults are what feeds a training loader fastest for the bytes: a keyframe every 0.8 s,
    no B-frames (so that no edit list is needed to read the right frames) and `fastdecode`.
    """

    codec: str = Field(
        "libx264",
        description="FFmpeg's name of the encoder, such as `libx264`, or `h264_nvenc` on NVIDIA "
        "cards.",
    )
    preset: str = Field(
        "veryfast",
        description="Trade-off between speed and size, as the encoder calls it; NVIDIA encoders "
        "take p1 to p7, and p4 in place of any other.",
    )
    crf: int = Field(
        23,
        description="Constant quality: lower is better and larger. On NVIDIA encoders it sets "
        "`cq`.",
    )
    keyframe_seconds: Annotated[float, Unit("s")] = Field(
        0.8, description="Time between keyframes; shorter is faster to seek in, and larger."
    )
    b_frames: int = Field(
        0, description="Number of B-frames in a row; 0 keeps frames in display order."
    )
    tune: str | None = Field(
        "fastdecode",
        description="Tuning of x264 or x265; null for none. NVIDIA encoders ignore it.",
    )

    def options(self, frame_rate: Fraction) -> dict[str, str]:
        """Return the encoder's own options for a clip of this rate."""
        interval = max(round(self.keyframe_seconds * float(frame_rate)), 1)
        # Nothing from a clip's first frame on may need what is before it.
        options = {"g": str(interval), "bf": str(self.b_frames), "forced-idr": "1"}
        if self.codec.endswith("_nvenc"):
            preset = self.preset if re.fullmatch(r"p[1-7]", self.preset) else "p4"
            return options | {"preset": preset, "rc": "vbr", "cq": str(self.crf), "b": "0"}
        options |= {"preset": self.preset, "crf": str(self.crf)}
        return options | ({"tune": self.tune} if self.tune else {})


@dataclass(frozen=True)
class ClipOutcome:
    """What became of a job: a verified file with its size and SHA-256, or the reason why not."""

    path: Path
    error: str | None = None
    size_bytes: int = 0
    sha256: str = ""
    resized: str = ""  #: Which frames had to be fitted in, in words; empty for none


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except (av.FFmpegError, OSError, ValueError) as error:
        raise OutputError(
            f"the clip cannot be written: {error}",
            where=path,
            todo="check the encoder settings, the free space and the folder's permissions",
        ) from error


class ClipFile:
    """A clip in the making, under a temporary name until `finish`.

    It lies at a stretch of the frames of a lane, from whose packets it is made. Every method raises
    OutputError if the folder refuses.
    """

    def __init__(self, job: ClipJob, start: int, *, reordered: bool) -> None:
        self.job, self.start, self.stop = job, start, start + len(job.indices)
        self._reordered = reordered
        self._part = part_of(job.path)
        self._missing = len(job.pts)
        self.resized = ""  #: Which of its frames had to be fitted in
        self._usual = round(1 / (job.frame_rate * job.time_base))  # duration of a frame in ticks
        self._container: OutputContainer | None = None

    def add(self, packet: VideoPacket, number: int, track: VideoStream) -> bool:
        """Append a copy of the packet of a frame of the lane; return whether it was the last.

        A packet of times that no clip can have is a MediaError: the recording's fault.
        """
        with _writing(self.job.path):
            container = self._container or self._open(track)
            copy = av.Packet(bytes(packet))
            copy.stream = container.streams[0]
            copy.pts, copy.time_base = self.job.pts[number - self.start], self.job.time_base
            # Only B-frames are stored in another order than shown; their lane has the clip's ticks.
            copy.dts = packet.dts if self._reordered else copy.pts
            copy.duration = self._usual
            copy.is_keyframe = packet.is_keyframe
            try:
                container.mux(copy)
            except av.ArgumentError as error:
                at = f"frame {number - self.start} of the clip"
                raise MediaError(
                    f"{at} cannot be stored at its time", where=self.job.path, todo="remux it"
                ) from error
        self._missing -= 1
        return self._missing == 0

    def _open(self, track: VideoStream) -> OutputContainer:
        # Readers that ignore edit lists must see the same frames, so none is written if possible.
        edits = "1" if self._reordered else "0"
        options = {"movflags": "+faststart", "use_editlist": edits}
        self._container = av.open(str(self._part), "w", format="mp4", options=options)
        self._container.add_stream_from_template(track).time_base = self.job.time_base
        return self._container

    def finish(self) -> ClipOutcome:
        """Close and verify the file, then rename it; a file that differs is removed."""
        with _writing(self.job.path):
            if self._container is not None:
                self._container.close()
        error = verify_clip(self._part, self.job)
        if error is not None:
            return self.abandon(error)
        content = self._part.read_bytes()
        self._part.replace(self.job.path)
        digest = hashlib.sha256(content).hexdigest()
        return ClipOutcome(
            self.job.path, size_bytes=len(content), sha256=digest, resized=self.resized
        )

    def abandon(self, reason: str) -> ClipOutcome:
        """Remove the unfinished file."""
        if self._container is not None:
            with suppress(av.FFmpegError, OSError):  # it goes away, whatever could not be written
                self._container.close()
            self._part.unlink(missing_ok=True)
        return ClipOutcome(self.job.path, reason)


class LaneWriter:
    """One encoder, and the clips (those `wanted`, by path) that are cut out of its packets.

    Methods that yield outcomes do so for every clip that has come to its end by then.
    """

    def __init__(
        self, lane: Lane, encoder: EncoderConfig, wanted: Collection[Path] | None = None
    ) -> None:
        self._lane = lane
        self._encoder = encoder
        self._clips = [  # that are not finished
            ClipFile(job, start, reordered=encoder.b_frames > 0)
            for start, job in zip(lane.starts, lane.jobs, strict=True)
            if wanted is None or job.path in wanted
        ]
        self._keyframes = frozenset(lane.starts)
        self._next = 0
        self._ticks = lane.jobs[0].pts if len(lane.jobs) == 1 else range(len(lane.indices))
        self._numbers = {tick: number for number, tick in enumerate(self._ticks)}
        self._track: VideoStream | None = None

    @property
    def indices(self) -> Sequence[int]:
        """Return the indices of all source frames that the lane encodes."""
        return self._lane.indices

    @property
    def next_index(self) -> int | None:
        """Return the index of the source frame that is needed next; None after the last."""
        return self._lane.indices[self._next] if self._next < len(self._lane.indices) else None

    def write(self, picture: av.VideoFrame) -> Iterator[ClipOutcome]:
        """Encode the picture of the next source frame, as often in a row as it is shown."""
        track = self._track or self._start(picture)
        index = self.next_index
        while self.next_index == index is not None:
            picture.pts = self._ticks[self._next]
            picture.time_base = track.codec_context.time_base
            # Apart from where clips begin, the kind of frame is the encoder's choice.
            picture.pict_type = PictureType.I if self._next in self._keyframes else PictureType.NONE
            yield from self._encode(track, picture)
            self._next += 1

    def note(self, resized: str) -> None:
        """Remember of the clips that show the next source frame that it had to be fitted in."""
        shown = [n for n, index in enumerate(self._lane.indices) if index == self.next_index]
        for clip in self._clips:
            if not clip.resized and any(clip.start <= n < clip.stop for n in shown):
                clip.resized = resized

    def skip(self, reason: str) -> Iterator[ClipOutcome]:
        """Go on without the picture of the next source frame: clips that show it are given up."""
        index = self.next_index
        while self.next_index == index is not None:
            self._next += 1
            yield from self._abandon(reason, lambda clip: clip.start < self._next <= clip.stop)

    def finish(self) -> Iterator[ClipOutcome]:
        """Take the last packets out of the encoder."""
        if self._track is not None:
            yield from self._encode(self._track, None)

    def abandon(self, reason: str) -> Iterator[ClipOutcome]:
        """Give up all clips that are not finished."""
        yield from self._abandon(reason, lambda _: True)

    def _abandon(self, reason: str, chosen: Callable[[ClipFile], bool]) -> Iterator[ClipOutcome]:
        for clip in list(filter(chosen, self._clips)):
            self._clips.remove(clip)
            yield clip.abandon(reason)

    def _encode(self, track: VideoStream, picture: av.VideoFrame | None) -> Iterator[ClipOutcome]:
        """Encode a picture, or none for what is held back, and give packets to their clips."""
        with _writing(self._lane.jobs[0].path):
            packets = track.encode(picture)
        for packet in packets:
            number = self._numbers[packet.pts or 0]
            for clip in [own for own in self._clips if own.start <= number < own.stop]:
                try:
                    whole = clip.add(packet, number, track)
                except MediaError as error:
                    self._clips.remove(clip)
                    yield clip.abandon(error.what)
                    continue
                if whole:
                    outcome = clip.finish()  # a clip that does not come to its end stays
                    self._clips.remove(clip)
                    yield outcome

    def _start(self, picture: av.VideoFrame) -> VideoStream:
        """Open the encoder; the first picture says how the colours are meant."""
        job = self._lane.jobs[0]
        with _writing(job.path):
            # A container that is never written: it makes the encoder put its head into `track`,
            # from where every clip takes it.
            self._head = av.open(io.BytesIO(), "w", format="mp4")
            options = self._encoder.options(job.frame_rate)
            track = cast(
                "VideoStream",
                self._head.add_stream(self._encoder.codec, job.frame_rate, options=options),
            )
            track.width, track.height = job.size
            track.pix_fmt = "yuv420p"
            context = track.codec_context
            context.time_base = job.time_base if len(self._lane.jobs) == 1 else 1 / job.frame_rate
            context.thread_count = 1  # as many sources at once as cores instead
            context.color_range = picture.color_range
            context.colorspace = picture.colorspace
            context.color_primaries = picture.color_primaries
            context.color_trc = picture.color_trc
            self._head.start_encoding()
        self._track = track
        return track


def cut_source(
    source: Path,
    stream: Stream,
    jobs: Sequence[ClipJob],
    encoder: EncoderConfig,
    wanted: Collection[Path] | None = None,
    *,
    decoding: Decoding = AS_USUAL,
) -> Generator[ClipOutcome]:
    """Cut clips of one picture size out of one stream and yield each outcome as it is known.

    A file appears under its name only after it was verified: one video stream, every frame at
    its planned time, the planned size, upright. Closing the iterator leaves no unfinished file.
    What the source cannot give is an outcome with its reason; what the encoder or the folder
    refuses is an OutputError.

    Only the `wanted` paths are written; None means all. Other jobs are encoded anyway where
    they share an encoder with these, so that a clip has the same bytes whichever are written.
    """
    ordered = sorted(jobs, key=lambda job: job.indices[0])
    lanes = [
        LaneWriter(lane, encoder, wanted)
        for lane in plan_lanes(ordered, share=encoder.b_frames == 0)
        if wanted is None or any(job.path in wanted for job in lane.jobs)
    ]
    reason = "the recording ended early"
    try:
        try:
            indices = sorted({index for lane in lanes for index in lane.indices})
            size = ordered[0].size
            for picture in decode_pictures(source, stream, indices, size, decoding):
                for lane in lanes:
                    yield from _feed(lane, picture, stream)
        except MediaError as error:
            reason = error.what
        for lane in lanes:
            yield from lane.finish()
    finally:
        lost = [outcome for lane in lanes for outcome in lane.abandon(reason)]
    starts = {job.path: int(stream.pts[job.indices[0]]) * stream.time_base for job in ordered}
    for outcome in lost:
        begins = f"the clip begins at {shown(starts[outcome.path])} s of the stream"
        yield replace(outcome, error=f"{outcome.error}; {begins}")


def _feed(lane: LaneWriter, picture: Picture, stream: Stream) -> Iterator[ClipOutcome]:
    """Give a picture to a lane if it is the one that comes next there."""
    while lane.next_index is not None and lane.next_index < picture.place:
        at_s = shown(int(stream.pts[lane.next_index]) * stream.time_base)
        yield from lane.skip(f"the frame at {at_s} s of the stream does not decode")
    if lane.next_index == picture.place:
        if picture.fitted_from is not None:
            lane.note(_resized(picture, stream))
        yield from lane.write(picture.frame)


def _resized(picture: Picture, stream: Stream) -> str:
    width, height = picture.fitted_from or (0, 0)
    at_s = shown(int(stream.pts[picture.place]) * stream.time_base)
    first = f"{stream.width}x{stream.height}"
    return (
        f"frames are {width}x{height} at {at_s} s and {first} at the start: fitted into the picture"
    )


def verify_clip(path: Path, job: ClipJob) -> str | None:
    """Measure a written clip; return what differs from the plan, or None."""
    try:
        table = measure_with_pyav(path)
    except DogclipsError as error:
        return f"the written clip cannot be read: {error.what}"
    if len(table.streams) != 1 or len(table.cameras) != 1:
        return "the written clip does not hold exactly one video stream"
    clip = table.cameras[0]
    if clip.num_frames != len(job.pts):
        return f"the written clip has {clip.num_frames} frames, not {len(job.pts)}"
    ratio = clip.time_base / job.time_base
    shown_at = [pts * ratio.numerator for pts in clip.pts.tolist()]
    if shown_at != [pts * ratio.denominator for pts in job.pts]:
        return "the written clip's frames are not at their planned times"
    if (clip.width, clip.height) != job.size or clip.rotation:
        size = f"{clip.width}x{clip.height}, rotated by {clip.rotation}"
        return f"the written clip is {size}, not {job.size[0]}x{job.size[1]} upright"
    return None
