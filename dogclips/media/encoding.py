"""Write clips, verify each, and only then give it its name."""

import hashlib
import io
import re
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TypeAlias, cast

import av
from av.video.frame import PictureType
from av.video.stream import VideoStream

from dogclips.config import Config
from dogclips.errors import DogclipsError, OutputError
from dogclips.files import part_of
from dogclips.media.lanes import Lane
from dogclips.media.pyavprobe import probe_with_pyav

VideoPacket: TypeAlias = "av.Packet[VideoStream]"


class EncoderConfig(Config):
    """How clips are encoded.

    The defaults are what feeds a training loader fastest for the bytes: a keyframe every 0.8 s,
    no B-frames (so that no edit list is needed to read the right frames) and `fastdecode`.

    `codec` is FFmpeg's name. On the encoders of NVIDIA cards (`h264_nvenc`) `crf` becomes their
    constant quality, a preset of x264 their p4, and `tune` is left out.
    """

    codec: str = "libx264"
    preset: str = "veryfast"
    crf: int = 23
    keyframe_seconds: float = 0.8
    b_frames: int = 0
    tune: str | None = "fastdecode"

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
class ClipJob:
    """One clip to write.

    Parameters
    ----------
    places
        For each frame of the clip the place of its source frame in `Stream.pts`, ascending.
    pts
        For each frame of the clip its presentation time there, from 0, in units of `time_base`.
    size
        Width and height of the upright picture in pixels, both even.
    """

    path: Path
    places: Sequence[int]
    pts: Sequence[int]
    time_base: Fraction
    frame_rate: Fraction
    size: tuple[int, int]


@dataclass(frozen=True)
class ClipOutcome:
    """What became of a job: a verified file with its size and SHA-256, or the reason why not."""

    path: Path
    error: str | None = None
    size_bytes: int = 0
    sha256: str = ""


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
    """A clip in the making, under a temporary name until `finish`; its packets come from a lane.

    Every method raises OutputError if the folder refuses.
    """

    def __init__(self, job: ClipJob, track: VideoStream, *, reordered: bool) -> None:
        self.job = job
        self._reordered = reordered
        self._part = part_of(job.path)
        self._missing = len(job.pts)
        self._usual = round(1 / (job.frame_rate * job.time_base))  # duration of a frame in ticks
        # Readers that ignore edit lists must see the same frames, so none is written if possible.
        options = {"movflags": "+faststart", "use_editlist": "1" if reordered else "0"}
        with _writing(job.path):
            self._container = av.open(str(self._part), "w", format="mp4", options=options)
            self._track = self._container.add_stream_from_template(track)
        self._track.time_base = job.time_base

    @property
    def is_complete(self) -> bool:
        """Return whether the clip has all its packets."""
        return self._missing == 0

    def add(self, packet: VideoPacket, frame: int) -> None:
        """Append a copy of the packet of one of the clip's frames, counted from 0."""
        copy = av.Packet(bytes(packet))
        copy.stream = self._track
        copy.pts, copy.time_base = self.job.pts[frame], self.job.time_base
        # Only B-frames are stored in another order than shown; their lane has the clip's own ticks.
        copy.dts = packet.dts if self._reordered else copy.pts
        copy.duration = self._usual
        copy.is_keyframe = packet.is_keyframe
        with _writing(self.job.path):
            self._container.mux(copy)
        self._missing -= 1

    def finish(self) -> ClipOutcome:
        """Close and verify the file, then rename it; a file that differs is removed."""
        with _writing(self.job.path):
            self._container.close()
        error = verify_clip(self._part, self.job)
        if error is not None:
            return self.abandon(error)
        content = self._part.read_bytes()
        self._part.replace(self.job.path)
        digest = hashlib.sha256(content).hexdigest()
        return ClipOutcome(self.job.path, size_bytes=len(content), sha256=digest)

    def abandon(self, reason: str) -> ClipOutcome:
        """Remove the unfinished file."""
        with suppress(av.FFmpegError, OSError):  # the file goes away, whatever could not be written
            self._container.close()
        self._part.unlink(missing_ok=True)
        return ClipOutcome(self.job.path, reason)


class LaneWriter:
    """One encoder, and the clips that are cut out of its packets.

    Methods that yield outcomes do so for every clip that has come to its end by then.

    Parameters
    ----------
    lane
        The frames to encode, by their place in the source.
    jobs
        One for each of `lane.starts`.
    wanted
        The jobs to write, by path; None means all.
    """

    def __init__(
        self,
        lane: Lane,
        jobs: Sequence[ClipJob],
        encoder: EncoderConfig,
        wanted: Collection[Path] | None = None,
    ) -> None:
        self._lane = lane
        self._jobs = jobs
        self._encoder = encoder
        self._waiting = deque(
            (start, job)
            for start, job in zip(lane.starts, jobs, strict=True)
            if wanted is None or job.path in wanted
        )
        self._open: list[tuple[int, ClipFile]] = []
        self._keyframes = frozenset(lane.starts)
        self._next = 0
        self._ticks = jobs[0].pts if len(jobs) == 1 else range(len(lane.places))
        self._numbers = {tick: number for number, tick in enumerate(self._ticks)}
        self._track: VideoStream | None = None

    @property
    def places(self) -> Sequence[int]:
        """Return the places of all source frames that the lane encodes."""
        return self._lane.places

    @property
    def next_place(self) -> int | None:
        """Return the place of the source frame that is needed next; None after the last."""
        return self._lane.places[self._next] if self._next < len(self._lane.places) else None

    def write(self, picture: av.VideoFrame) -> Iterator[ClipOutcome]:
        """Encode the picture of the next place, as often in a row as it is shown."""
        track = self._track or self._start(picture)
        place = self.next_place
        while self.next_place == place is not None:
            picture.pts = self._ticks[self._next]
            picture.time_base = track.codec_context.time_base
            # Apart from where clips begin, the kind of frame is the encoder's choice.
            picture.pict_type = PictureType.I if self._next in self._keyframes else PictureType.NONE
            with _writing(self._jobs[0].path):
                packets = track.encode(picture)
            yield from self._share(packets)
            self._next += 1

    def skip(self, reason: str) -> Iterator[ClipOutcome]:
        """Go on without the picture of the next place: clips that show it are given up."""
        place = self.next_place
        while self.next_place == place is not None:
            self._next += 1
            for start, job in list(self._waiting):
                if start < self._next <= start + len(job.places):
                    self._waiting.remove((start, job))
                    yield ClipOutcome(job.path, reason)
            for start, clip in list(self._open):
                if start < self._next <= start + len(clip.job.places):
                    self._open.remove((start, clip))
                    yield clip.abandon(reason)

    def finish(self) -> Iterator[ClipOutcome]:
        """Take the last packets out of the encoder."""
        if self._track is not None:
            with _writing(self._jobs[0].path):
                packets = self._track.encode(None)
            yield from self._share(packets)

    def abandon(self, reason: str) -> Iterator[ClipOutcome]:
        """Give up all clips that are not finished."""
        for _, clip in self._open:
            yield clip.abandon(reason)
        yield from (ClipOutcome(job.path, reason) for _, job in self._waiting)
        self._open.clear()
        self._waiting.clear()

    def _share(self, packets: Iterable[VideoPacket]) -> Iterator[ClipOutcome]:
        """Give packets to all clips that they belong to."""
        for packet in packets:
            number = self._numbers[packet.pts or 0]
            while self._waiting and self._waiting[0][0] <= number:
                start, job = self._waiting.popleft()
                self._open.append((start, self._opened(job)))
            for start, clip in list(self._open):
                if 0 <= number - start < len(clip.job.pts):
                    clip.add(packet, number - start)
                if clip.is_complete:
                    outcome = clip.finish()  # a clip that does not come to its end stays open
                    self._open.remove((start, clip))
                    yield outcome

    def _opened(self, job: ClipJob) -> ClipFile:
        if self._track is None:
            raise AssertionError("packets come from an encoder")
        return ClipFile(job, self._track, reordered=self._encoder.b_frames > 0)

    def _start(self, picture: av.VideoFrame) -> VideoStream:
        """Open the encoder; the first picture says how the colours are meant."""
        job = self._jobs[0]
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
            context.time_base = job.time_base if len(self._jobs) == 1 else 1 / job.frame_rate
            context.thread_count = 1  # as many sources at once as cores instead
            context.color_range = picture.color_range
            context.colorspace = picture.colorspace
            context.color_primaries = picture.color_primaries
            context.color_trc = picture.color_trc
            self._head.start_encoding()
        self._track = track
        return track


def verify_clip(path: Path, job: ClipJob) -> str | None:
    """Measure a written clip; return what differs from the plan, or None."""
    try:
        table = probe_with_pyav(path)
    except DogclipsError as error:
        return f"the written clip cannot be read: {error.what}"
    if len(table.streams) != 1 or len(table.cameras) != 1:
        return "the written clip does not hold exactly one video stream"
    clip = table.cameras[0]
    if clip.num_frames != len(job.pts):
        return f"the written clip has {clip.num_frames} frames, not {len(job.pts)}"
    if [int(pts) * clip.time_base for pts in clip.pts] != [pts * job.time_base for pts in job.pts]:
        return "the written clip's frames are not at their planned times"
    if (clip.width, clip.height) != job.size or clip.rotation:
        size = f"{clip.width}x{clip.height}, rotated by {clip.rotation}"
        return f"the written clip is {size}, not {job.size[0]}x{job.size[1]} upright"
    return None
