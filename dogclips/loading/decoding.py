"""Decode chosen frames of a clip: only the groups of pictures that hold them.

A clip is short, so its packets are read into memory once: their times say which frames there are,
and only packets that a wanted frame needs reach the decoder. The stream is named by its index,
because "the best stream" of a two-camera file depends on who is asked.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Literal, TypeAlias

import av
import numpy as np
import torch
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream
from numpy.typing import NDArray
from torch import Tensor
from torchvision.transforms.v2 import functional as v2

from dogclips.loading import torchcodec_frames
from dogclips.loading.excerpts import Excerpt, Timeline
from dogclips.loading.packets import (
    ClipPackets,
    Group,
    read_packets,
    time_base_of,
    undecodable,
    video_stream,
)
from dogclips.media.container import open_input
from dogclips.media.facts import rotation_of

DecoderName = Literal["pyav", "torchcodec"]
Pixels: TypeAlias = NDArray[np.uint8]

# When a clip's frames are shown -> the wanted instants in seconds, in any shape and order.
Choice = Callable[[Timeline], NDArray[np.float64]]
# Given the instants at which a clip starts and ends, the instants wanted of it; both in seconds.
Instants = Callable[[float, float], NDArray[np.float64]]


@dataclass(frozen=True)
class ClipFrames:
    """The frames of a clip that were asked for.

    Parameters
    ----------
    pixels
        RGB bytes (T, H, W, 3) as displayed, that is rotated as the file says.
    times_s
        When each is presented, in container time; ascending.
    """

    pixels: Tensor
    times_s: tuple[float, ...]


@dataclass(frozen=True)
class Shown:
    """A frame that was asked for.

    Parameters
    ----------
    pixels
        RGB bytes (H, W, 3), upright; of recordings with square pixels, as cut clips have them.
    positions
        Which of the wanted instants it is shown at, counted through their whole array.
    """

    pixels: Pixels
    positions: NDArray[np.int64]


def read_frames(path: Path, instants: Instants, *, stream: int | None = None) -> ClipFrames:
    """Decode the frames on screen at the wanted instants.

    Parameters
    ----------
    path
        A video file.
    instants
        Called with the start of the first frame and the end of the last one, in seconds; returns
        the wanted instants in any order. A frame on screen at several of them comes as often.
    stream
        Index among all streams of the file, as ffprobe counts; None for the first with pictures.

    Raises
    ------
    MediaError
        The file cannot be opened, is incomplete or has no such stream, or a wanted frame does
        not decode. No other frame is given in its place.
    """
    times: list[float] = []

    def chosen(timeline: Timeline) -> NDArray[np.float64]:
        wanted = np.sort(instants(timeline.start_s, timeline.end_s))
        times.extend(timeline.times_s[timeline.on_screen(wanted)].tolist())
        return wanted

    shown = list(frames_at(Excerpt(path, stream), chosen))
    pixels = {int(at): frame.pixels for frame in shown for at in frame.positions}
    stacked = np.stack([pixels[at] for at in range(len(times))])
    return ClipFrames(torch.from_numpy(stacked), tuple(times))


def frames_at(excerpt: Excerpt, choice: Choice, decoder: DecoderName = "pyav") -> Iterator[Shown]:
    """Yield each frame that is on screen at one of the wanted instants, once.

    Parameters
    ----------
    choice
        Called once with the frames of the clip, before anything is decoded.
    decoder
        Both give the same frames. Files that must be decoded from their start, such as AVI, are
        left to PyAV, and so is what TorchCodec does not decode.

    Raises
    ------
    MediaError
        As `read_frames` says.
    """
    with open_input(excerpt.path) as container:
        video = video_stream(container, excerpt)
        clip = read_packets(container, video, excerpt)
        timeline = clip.timeline
        wanted = timeline.pts[timeline.on_screen(choice(timeline).ravel())]
        shape: tuple[int, ...] = ()
        # Of a recording as a cut clip would show it.
        aspect = Fraction(1) if excerpt.window is None else video.sample_aspect_ratio
        for time, stored in _pictures(container, excerpt, clip, set(wanted.tolist()), decoder):
            pixels = _with_square_pixels(stored, aspect)
            if shape and pixels.shape != shape:
                raise undecodable(excerpt.path, "its frames differ in size")
            shape = pixels.shape
            yield Shown(pixels, np.flatnonzero(wanted == time))


def _pictures(
    container: InputContainer,
    excerpt: Excerpt,
    clip: ClipPackets,
    wanted: set[int],
    decoder: DecoderName,
) -> Iterator[tuple[int, Pixels]]:
    """Yield time and upright RGB of the wanted frames, each once."""
    left, path = set(wanted), excerpt.path
    if decoder == "torchcodec" and clip.jumps:
        video = video_stream(container, excerpt)
        for time, pixels in torchcodec_frames.pictures(path, video, clip, wanted):
            left.discard(time)
            yield time, pixels
    for time, frame in _decoded(container, excerpt, clip, left):
        yield time, _pixels(path, frame)


def check_frames(excerpt: Excerpt) -> Timeline:
    """Decode every frame of a clip, and return when they are shown.

    Raises
    ------
    MediaError
        One of them does not decode, or as `read_frames` says.
    """
    with open_input(excerpt.path) as container:
        video = video_stream(container, excerpt)
        clip = read_packets(container, video, excerpt)
        for _, frame in _decoded(container, excerpt, clip, set(clip.timeline.pts.tolist())):
            _refuse_damaged(excerpt.path, frame)
    return clip.timeline


def check_times(excerpt: Excerpt) -> Timeline:
    """Return when the frames of a clip are shown, without decoding any.

    Raises
    ------
    MediaError
        As `read_frames` says of the file.
    """
    with open_input(excerpt.path) as container:
        return read_packets(container, video_stream(container, excerpt), excerpt).timeline


def _decoded(
    container: InputContainer, excerpt: Excerpt, clip: ClipPackets, wanted: set[int]
) -> Iterator[tuple[int, VideoFrame]]:
    """Yield the wanted frames with their time, each once."""
    left, video = set(wanted), video_stream(container, excerpt)
    if clip.jumps:
        for time, frame in _jumping(video, clip, wanted):
            if time in left and not frame.is_corrupt:
                left.discard(time)
                yield time, frame
    # What is missing may need more than its group: everything from the start is the last resort.
    if left and clip.jumps and excerpt.window is not None:
        clip = read_packets(container, video, excerpt, from_start=True)
    yield from _from_the_start(excerpt.path, video, clip, left)


def _jumping(
    video: VideoStream, clip: ClipPackets, wanted: set[int]
) -> Iterator[tuple[int, VideoFrame]]:
    """Yield the wanted frames of the groups that hold them; ends at the first fault.

    It is one if a group does not begin with a picture: where frames are refreshed bit by bit,
    keyframes have none, and what decodes behind them is nearly right.
    """
    try:
        for group in clip.groups(wanted) if wanted else ():
            left, begun = set(group.wanted), False
            for frame in _of_group(video, clip, group):
                begun = begun or frame.pts == clip.packets[group.start].pts
                if frame.pts in left and not begun:
                    return
                if frame.pts in left:
                    left.discard(frame.pts)
                    yield frame.pts, frame
                if not left:
                    break
    except av.FFmpegError:
        return


def _of_group(video: VideoStream, clip: ClipPackets, group: Group) -> Iterator[VideoFrame]:
    video.codec_context.flush_buffers()
    for packet in clip.packets[group.start : group.stop]:
        if packet.size:
            yield from video.codec_context.decode(packet)
    yield from video.codec_context.decode(None)


def _from_the_start(
    path: Path, video: VideoStream, clip: ClipPackets, wanted: set[int]
) -> Iterator[tuple[int, VideoFrame]]:
    """Yield the wanted frames; decoding stops at the last one."""
    left = set(wanted)
    if not left:
        return
    video.codec_context.flush_buffers()
    try:
        for time, frame in _counted(video, clip) if clip.counted else _timed(video, clip):
            if time in left:
                left.discard(time)
                yield time, frame
                if not left:
                    return
    except av.FFmpegError as error:
        raise undecodable(path, str(error)) from error
    first = float(min(left) * time_base_of(video))
    raise undecodable(path, f"the frame at {first:.3f} s is missing")


def _timed(video: VideoStream, clip: ClipPackets) -> Iterator[tuple[int | None, VideoFrame]]:
    for packet in clip.packets:
        for frame in video.codec_context.decode(packet):
            yield frame.pts, frame


def _counted(video: VideoStream, clip: ClipPackets) -> Iterator[tuple[int | None, VideoFrame]]:
    frames: Iterable[VideoFrame] = (frame for _, frame in _timed(video, clip))
    return zip(clip.known.tolist(), frames, strict=False)


def _refuse_damaged(path: Path, frame: VideoFrame) -> None:
    if frame.is_corrupt:
        raise undecodable(path, f"the frame at {frame.time or 0:.3f} s is damaged")


# One for all frames of a process: a new one for each starts threads and takes ten times as long.
_REFORMATTER = VideoReformatter()


def _pixels(path: Path, frame: VideoFrame) -> Pixels:
    _refuse_damaged(path, frame)
    pixels = _REFORMATTER.reformat(frame, format="rgb24", threads=1).to_ndarray()
    # Both FFmpeg and numpy turn counter-clockwise.
    turns = rotation_of(frame.rotation) // 90
    stored = pixels.astype(np.uint8, copy=False)
    return np.ascontiguousarray(np.rot90(stored, turns)) if turns else stored


def _with_square_pixels(pixels: Pixels, aspect: Fraction | None) -> Pixels:
    """Return the picture as wide as it is displayed, like that of a cut clip."""
    if not aspect or aspect == 1:
        return pixels
    height, width = pixels.shape[:2]
    size = [height, max(round(width * aspect), 1)]
    resized = v2.resize(torch.from_numpy(pixels).permute(2, 0, 1), size, antialias=True)
    return np.ascontiguousarray(resized.permute(1, 2, 0).numpy())
