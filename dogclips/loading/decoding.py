"""Decode chosen frames of a clip with PyAV.

A clip is short, so its packets are read into memory once: their times say which frames there
are, and only those up to the last wanted one are decoded. The stream is named by its index,
because "the best stream" of a two-camera file depends on who is asked.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import av
import numpy as np
import torch
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray
from torch import Tensor

from dogclips.errors import MediaError
from dogclips.media.container import open_input
from dogclips.media.facts import rotation_of
from dogclips.timebase import Pts

VideoPacket: TypeAlias = "Packet[VideoStream]"

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


def read_frames(path: Path, instants: Instants, *, stream: int = 0) -> ClipFrames:
    """Decode the frames on screen at the wanted instants.

    Parameters
    ----------
    path
        A video file.
    instants
        Called with the start of the first frame and the end of the last one, in seconds; returns
        the wanted instants in any order. A frame on screen at several of them comes as often.
    stream
        Index among the video streams of the file.

    Raises
    ------
    MediaError
        The file cannot be opened, is incomplete or has no such stream, or a wanted frame does
        not decode. No other frame is given in its place.
    """
    with open_input(path) as container:
        if stream >= len(container.streams.video):
            raise MediaError(
                f"no video stream {stream}", where=path, todo="remove the line or cut it again"
            )
        video = container.streams.video[stream]
        # The loader runs one process a core; threads in each would only compete.
        video.codec_context.thread_count = 1
        # AVI stores no presentation times: frames are told apart by their order.
        counted = container.format.name == "avi"
        packets = _read_packets(path, container.demux(video))
        pts = _frame_times(path, packets, counted=counted)
        wanted = pts[_on_screen(pts, float(video.time_base or 1), instants)]
        frames = _counted(packets, pts) if counted else _timed(packets)
        shown = _decode(path, frames, set(wanted.tolist()), video)
    pixels = torch.from_numpy(np.stack([shown[int(time)] for time in wanted]))
    return ClipFrames(pixels, tuple(float(t * (video.time_base or 1)) for t in wanted))


def _read_packets(path: Path, demuxed: Iterator[VideoPacket]) -> list[VideoPacket]:
    try:
        packets = list(demuxed)
    except av.FFmpegError as error:
        raise _undecodable(path, str(error)) from error
    if any(packet.is_corrupt for packet in packets):
        raise _undecodable(path, "the file ends in the middle of a frame")
    return packets


def _frame_times(path: Path, packets: Iterable[VideoPacket], *, counted: bool) -> Pts:
    """Return when frames are presented, ascending, without those that an edit list hides.

    Where there are no such times, the decoding times are the same ones in another order.
    """
    shown = [packet for packet in packets if packet.size and not packet.is_discard]
    times = [packet.dts if counted else packet.pts for packet in shown]
    known = {time for time in times if time is not None}
    if not times or None in times:
        raise _undecodable(path, "it has no frames with a time")
    return np.array(sorted(known), dtype=np.int64)


def _on_screen(pts: Pts, time_base: float, instants: Instants) -> NDArray[np.int64]:
    """Return the index of the frame on screen at each instant, ascending."""
    # The last frame stays as long as the usual one; what containers say of it differs.
    step = float(np.median(np.diff(pts))) if len(pts) > 1 else 1.0
    wanted = instants(float(pts[0]) * time_base, (float(pts[-1]) + step) * time_base)
    # A billionth of a second makes up for the rounding of seconds to floats.
    found = np.searchsorted(pts, (np.sort(wanted) + 1e-9) / time_base, side="right") - 1
    return np.maximum(found, 0).astype(np.int64)


def _timed(packets: Iterable[VideoPacket]) -> Iterator[tuple[int | None, VideoFrame]]:
    for packet in packets:
        for frame in packet.decode():
            yield frame.pts, frame


def _counted(packets: Iterable[VideoPacket], pts: Pts) -> Iterator[tuple[int | None, VideoFrame]]:
    frames = (frame for _, frame in _timed(packets))
    return zip(pts.tolist(), frames, strict=False)


def _decode(
    path: Path,
    frames: Iterable[tuple[int | None, VideoFrame]],
    wanted: set[int],
    video: VideoStream,
) -> dict[int, NDArray[np.uint8]]:
    """Return the wanted frames by their pts; decoding stops at the last one."""
    shown: dict[int, NDArray[np.uint8]] = {}
    try:
        for time, frame in frames:
            if time in wanted and time not in shown:
                shown[time] = _pixels(path, frame)
                if len(shown) == len(wanted):
                    return shown
    except av.FFmpegError as error:
        raise _undecodable(path, str(error)) from error
    first = float(min(wanted - shown.keys()) * (video.time_base or 1))
    raise _undecodable(path, f"the frame at {first:.3f} s is missing")


def _pixels(path: Path, frame: VideoFrame) -> NDArray[np.uint8]:
    if frame.is_corrupt:
        raise _undecodable(path, f"the frame at {frame.time or 0:.3f} s is damaged")
    pixels = frame.to_ndarray(format="rgb24").astype(np.uint8, copy=False)
    # Both FFmpeg and numpy turn counter-clockwise.
    return np.rot90(pixels, rotation_of(frame.rotation) // 90)


def _undecodable(path: Path, reason: str) -> MediaError:
    return MediaError(
        f"the clip does not decode: {reason}", where=path, todo="cut it again or remove its line"
    )
