"""Write one clip, verify it, and only then give it its name."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
from av.video.stream import VideoStream

from dogclips.config import Config
from dogclips.errors import DogclipsError, OutputError
from dogclips.files import part_of
from dogclips.media.pyavprobe import probe_with_pyav


class EncoderConfig(Config):
    """How clips are encoded.

    The defaults are what feeds a training loader fastest for the bytes: a keyframe every 0.8 s,
    no B-frames (so that no edit list is needed to read the right frames) and `fastdecode`.
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
        options = {"preset": self.preset, "crf": str(self.crf), "g": str(interval)}
        return options | {"bf": str(self.b_frames)} | ({"tune": self.tune} if self.tune else {})


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
    places: tuple[int, ...]
    pts: tuple[int, ...]
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


class ClipWriter:
    """A clip in the making, under a temporary name until `finish`.

    Every method raises OutputError if the encoder refuses or the folder does.
    """

    def __init__(self, job: ClipJob, encoder: EncoderConfig) -> None:
        self.job = job
        self._done = 0
        self._part = part_of(job.path)
        # Readers that ignore edit lists must see the same frames, so none is written if possible.
        options = {"movflags": "+faststart", "use_editlist": "1" if encoder.b_frames else "0"}
        with _writing(job.path):
            self._container = av.open(str(self._part), "w", format="mp4", options=options)
            track = self._container.add_stream(
                encoder.codec, job.frame_rate, options=encoder.options(job.frame_rate)
            )
        self._track = cast("VideoStream", track)
        self._track.width, self._track.height = job.size
        self._track.pix_fmt = "yuv420p"
        self._track.codec_context.time_base = job.time_base
        self._track.codec_context.thread_count = 1  # as many clips at once as cores instead

    @property
    def next_place(self) -> int | None:
        """Return the place of the source frame that the clip needs next; None when complete."""
        return self.job.places[self._done] if self._done < len(self.job.places) else None

    def write(self, picture: av.VideoFrame) -> None:
        """Encode the picture as often in a row as the clip shows it."""
        if self._done == 0:
            self._tag_colours(picture)
        place = self.next_place
        while self.next_place == place is not None:
            picture.pts, picture.time_base = self.job.pts[self._done], self.job.time_base
            picture.pict_type = 0  # the encoder's choice, not the source's
            with _writing(self.job.path):
                self._container.mux(self._track.encode(picture))
            self._done += 1

    def _tag_colours(self, picture: av.VideoFrame) -> None:
        """Say in the file how its colours are meant, before the encoder starts."""
        context = self._track.codec_context
        context.color_range = picture.color_range
        context.colorspace = picture.colorspace
        context.color_primaries = picture.color_primaries
        context.color_trc = picture.color_trc

    def finish(self) -> ClipOutcome:
        """Close and verify the file, then rename it; a file that differs is removed."""
        with _writing(self.job.path):
            self._container.mux(self._track.encode(None))
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
