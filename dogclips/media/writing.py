"""Write videos whose every timestamp is chosen by the caller.

Cameras write odd files: several video streams, late starts, gaps, variable rates. The demo and the
tests need such files with known truth, so here the caller says which frame goes to which stream at
which pts, and nothing is rounded, dropped or repeated on the way.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import TypeAlias, cast

import av
import numpy as np
from av.container import OutputContainer
from av.stream import Disposition
from av.video.stream import VideoStream
from numpy.typing import NDArray

from dogclips.errors import MediaError
from dogclips.files import whole_file

Pixels: TypeAlias = NDArray[np.uint8]
TimedFrame = tuple[int, int, Pixels]

_FORMATS = {
    ".mp4": "mp4",
    ".m4v": "mp4",
    ".mov": "mov",
    ".mkv": "matroska",
    ".webm": "webm",
    ".ts": "mpegts",
    ".avi": "avi",
}


@dataclass(frozen=True)
class VideoTrack:
    """How one video stream of a written file is encoded."""

    #: Size in pixels; both even, as 4:2:0 chroma wants.
    width: int
    height: int
    frame_rate: Fraction  #: Nominal frames per second; the pts given with each frame decide
    #: FFmpeg's encoder name, its private options and the format it is fed.
    codec: str = "libx264"
    options: Mapping[str, str] = field(default_factory=dict)
    pixel_format: str = "yuv420p"
    default: bool = False  #: Whether the stream carries the default flag
    #: Seconds a tick of the given pts; None means one tick a frame.
    time_base: Fraction | None = None

    @property
    def ticks(self) -> Fraction:
        """Seconds a tick of pts."""
        return self.time_base or 1 / self.frame_rate


def is_video_name(path: Path) -> bool:
    """Return whether `write_video` knows the container that a file name asks for."""
    return path.suffix.lower() in _FORMATS


def write_video(
    path: Path,
    tracks: Sequence[VideoTrack],
    frames: Iterable[TimedFrame],
    *,
    metadata: Mapping[str, str] | None = None,
    container_options: Mapping[str, str] | None = None,
) -> None:
    """Write `path`, whole or not at all, with one video stream for each track.

    Its suffix chooses the container: mp4, m4v, mov, mkv, webm, ts or avi. Frames are (track index,
    pts in the track's ticks, RGB bytes (H, W, 3)), in the order of time; pts rise within a track.
    Metadata are tags of the file, such as creation_time; the options are of FFmpeg's muxer.
    """
    file_format = _FORMATS.get(path.suffix.lower())
    if file_format is None:
        raise MediaError("unknown container", where=path, todo=f"use one of {', '.join(_FORMATS)}")
    options = dict(container_options or {})
    with whole_file(path) as part:
        try:
            with av.open(str(part), "w", format=file_format, options=options) as container:
                container.metadata.update(metadata or {})
                streams = [_add_stream(container, track) for track in tracks]
                _encode(container, streams, tracks, frames)
        except av.FFmpegError as error:
            reason = error.strerror or str(error)
            raise MediaError(f"cannot encode: {reason}", where=path, todo="check codec") from error


def _add_stream(container: OutputContainer, track: VideoTrack) -> VideoStream:
    added = container.add_stream(track.codec, rate=track.frame_rate, options=dict(track.options))
    stream = cast("VideoStream", added)
    stream.width = track.width
    stream.height = track.height
    stream.pix_fmt = track.pixel_format
    stream.codec_context.time_base = track.ticks
    stream.time_base = track.ticks
    # One thread: the same frames give the same bytes on every machine.
    stream.codec_context.thread_count = 1
    stream.disposition = Disposition.default if track.default else Disposition(0)
    return stream


def _encode(
    container: OutputContainer,
    streams: Sequence[VideoStream],
    tracks: Sequence[VideoTrack],
    frames: Iterable[TimedFrame],
) -> None:
    for index, pts, picture in frames:
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
        frame.pts = pts
        frame.time_base = tracks[index].ticks
        container.mux(streams[index].encode(frame))
    for stream in streams:
        container.mux(stream.encode(None))
