"""The packets of a clip in memory: which frames there are, and what must be decoded for each."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TypeAlias, cast

import av
import numpy as np
from av.container import InputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from dogclips.errors import MediaError
from dogclips.loading.excerpts import Excerpt, Timeline, Window, timeline_of
from dogclips.media.container import open_input
from dogclips.media.decoding import needs_the_start
from dogclips.timebase import Pts

VideoPacket: TypeAlias = "Packet[VideoStream]"

# How far before a window to look for a keyframe: demuxers seek by decoding time, so that the first
# one found may be shown after the window's start.
_BACK_S = (0, 2, 10)
# Frames that may be shown before, and stored behind, the last one that counts; only for AVI.
_MAX_DELAY = 32


@dataclass(frozen=True)
class Group:
    """Packets to decode, from a point at which decoding can begin, and the frames wanted of them.

    Parameters
    ----------
    start, stop
        Places in the list of packets.
    wanted
        Presentation times.
    """

    start: int
    stop: int
    wanted: frozenset[int]


@dataclass(frozen=True, eq=False)
class ClipPackets:
    """All packets that the frames of a clip may need, in file order, and when frames are shown.

    Parameters
    ----------
    counted
        The container has no presentation times (AVI): frames are told apart by their order.
    jumps
        Decoding may begin at any keyframe, and not only at the first packet.
    known
        Times of all frames that the packets yield, ascending.
    """

    packets: Sequence[VideoPacket]
    counted: bool
    jumps: bool
    known: Pts
    timeline: Timeline

    def groups(self, wanted: Iterable[int]) -> list[Group]:
        """Return what to decode for frames with these times, and nothing that can be left out.

        Decoding begins at keyframes. Frames of an open group that are shown before their keyframe
        need the group before it, too.
        """
        place_of = {p.pts: n for n, p in enumerate(self.packets) if p.size and p.pts is not None}
        keys = [n for n, packet in enumerate(self.packets) if packet.is_keyframe and packet.size]
        runs: list[tuple[int, int, set[int]]] = []
        for place, time in sorted((place_of[time], time) for time in wanted):
            start = self._start_of(keys, place, time)
            if runs and start <= runs[-1][1]:
                begun, _, times = runs.pop()
                runs.append((begun, place + 1, times | {time}))
            else:
                runs.append((start, place + 1, {time}))
        return [Group(start, stop, frozenset(times)) for start, stop, times in runs]

    def _start_of(self, keys: Sequence[int], place: int, time: int) -> int:
        found = bisect_right(keys, place) - 1
        if found >= 0 and time < (self.packets[keys[found]].pts or 0):
            found -= 1
        return keys[found] if found >= 0 else 0


def video_stream(container: InputContainer, excerpt: Excerpt) -> VideoStream:
    """Return the stream that an excerpt names, set to decode on one thread.

    Raises
    ------
    MediaError
        There is no such stream, or it is none with pictures.
    """
    streams = container.streams
    found = [
        stream
        for stream in streams.video
        if excerpt.stream is None or stream.index == excerpt.stream
    ]
    if not found:
        which = "video stream" if excerpt.stream is None else f"video stream {excerpt.stream}"
        raise MediaError(f"no {which}", where=excerpt.path, todo="remove the line or cut it again")
    video = found[0]
    # The loader runs one process a core; threads in each would only compete.
    video.codec_context.thread_count = 1
    return video


def read_packets(
    container: InputContainer, video: VideoStream, excerpt: Excerpt, *, from_start: bool = False
) -> ClipPackets:
    """Read what an excerpt needs.

    Parameters
    ----------
    from_start
        Begin with the first packet of the file, as no keyframe can be trusted.

    Raises
    ------
    MediaError
        The file is incomplete, has no frames with a time, or no longer those of the window.
    """
    path, counted = excerpt.path, container.format.name == "avi"
    jumps = not (from_start or counted or needs_the_start(video))
    try:
        if excerpt.window is None:
            packets = list(container.demux(video))
        elif not jumps:
            packets = _from_the_start(container, video, excerpt.window)
        else:
            packets = _around(container, video, excerpt.window)
    except av.FFmpegError as error:
        raise undecodable(path, str(error)) from error
    if any(packet.is_corrupt for packet in packets):
        raise undecodable(path, "the file ends in the middle of a frame")
    known = _times(path, packets, counted=counted)
    pts = known if excerpt.window is None else _within(known, excerpt.window)
    timeline = timeline_of(pts, time_base_of(video), excerpt.window)
    if timeline is None:
        raise MediaError(
            "the recording has other frames than when the clip was planned",
            where=path,
            todo="cut the session again",
        )
    # What the decoder must know then lies in packets that would be left out.
    jumps = jumps and not any(packet.has_sidedata("new_extradata") for packet in packets[1:])
    return ClipPackets(packets, counted, jumps, known, timeline)


def time_base_of(video: VideoStream) -> Fraction:
    """Return the seconds of a tick."""
    return video.time_base or Fraction(1)


def undecodable(path: Path, reason: str) -> MediaError:
    """Return the error for a clip whose frames cannot be had."""
    return MediaError(
        f"the clip does not decode: {reason}", where=path, todo="cut it again or remove its line"
    )


def _times(path: Path, packets: Iterable[VideoPacket], *, counted: bool) -> Pts:
    """Return when frames are presented, ascending, without those that an edit list hides.

    Where there are no such times, the decoding times are the same ones in another order.
    """
    shown = [packet for packet in packets if packet.size and not packet.is_discard]
    times = [packet.dts if counted else packet.pts for packet in shown]
    known = {time for time in times if time is not None}
    if not times or None in times:
        raise undecodable(path, "it has no frames with a time")
    return np.array(sorted(known), dtype=np.int64)


def _within(known: Pts, window: Window) -> Pts:
    return known[(known >= window.first_pts) & (known <= window.last_pts)]


def _around(container: InputContainer, video: VideoStream, window: Window) -> list[VideoPacket]:
    """Return the packets of a window, from the keyframe that is shown at or before its start."""
    tick = float(time_base_of(video))
    for back_s in _BACK_S:
        try:
            begin = window.first_pts - round(back_s / tick)
            container.seek(begin, stream=video, backward=True, any_frame=False)
        except av.FFmpegError:  # not every container can seek
            break
        packets = _from_keyframe(container.demux(video), window)
        if packets:
            return packets
    return _from_the_start(container, video, window)


def _from_the_start(
    container: InputContainer, video: VideoStream, window: Window
) -> list[VideoPacket]:
    # Opened anew: not every container can seek.
    with open_input(Path(container.name.removeprefix("file:"))) as anew:
        whole = cast("VideoStream", anew.streams[video.index])
        return list(_until(anew.demux(whole), window))


def _from_keyframe(demuxed: Iterable[VideoPacket], window: Window) -> list[VideoPacket] | None:
    """Return the packets from the last keyframe shown at or before the window's start, if any."""
    packets: list[VideoPacket] = []
    behind = 0
    for packet in demuxed:
        if packet.is_keyframe and packet.pts is not None and packet.size:
            if packet.pts <= window.first_pts:
                packets = []
            elif not packets:
                return None
            behind += packet.pts > window.last_pts
        packets.append(packet)
        # Frames behind the first keyframe after the window may still be shown before that.
        if behind == 2:
            break
    return packets


def _until(demuxed: Iterable[VideoPacket], window: Window) -> Iterator[VideoPacket]:
    """Yield packets from the start of the file to the end of the window, in order of decoding."""
    more = _MAX_DELAY
    for packet in demuxed:
        yield packet
        if packet.dts is not None and packet.dts > window.last_pts:
            more -= 1
        if not more:
            return
