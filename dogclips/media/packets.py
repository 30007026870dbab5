"""Which packets give a frame: the rules of seeking, for all readers of frames.

A frame is decoded from a keyframe before it, and not every keyframe is believed:

- Demuxers seek by decoding time, so that the keyframe they find may be shown after the frame, and
  in transport streams they land within a group. Then reading begins further back, and in the end
  with the file.
- Frames that are stored behind a keyframe and shown before it (open groups) need the group before.
- Where frames are refreshed bit by bit, keyframes are not whole pictures, and what decodes after
  them is nearly right: a keyframe counts only if decoding it gives a picture.
- x264 wrote H.264 of full colour resolution wrongly until build 151. FFmpeg decodes it if it has
  seen the build in the first packet; without, it gives garbage and no error.
- Where packets have no presentation times (AVI), frames are counted from the first one.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import chain, takewhile
from pathlib import Path
from typing import NamedTuple, TypeAlias

import av
import numpy as np
from av.container import InputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from dogclips.errors import MediaError
from dogclips.media.excerpt import Excerpt, FrameTimes, Window, frame_times_of, window_times_of
from dogclips.media.hardware import SOFTWARE, hardware
from dogclips.media.inputs import open_input
from dogclips.timebase import Pts

VideoPacket: TypeAlias = "Packet[VideoStream]"

# How far before a frame to look for a keyframe, in seconds.
_BACK_S = (0, 2, 10)


@dataclass(frozen=True, eq=False)
class Track:
    """A video stream of an open file, read from the file's start or from a keyframe."""

    path: Path
    container: InputContainer
    video: VideoStream

    @property
    def tick_s(self) -> Fraction:
        """Return the seconds of a tick."""
        return self.video.time_base or Fraction(1)

    @property
    def counted(self) -> bool:
        """Return whether frames are told apart by their order."""
        return self.container.format.name == "avi"

    @property
    def jumps(self) -> bool:
        """Return whether decoding may begin with another packet than the first."""
        context = self.video.codec_context
        old_x264 = context.name == "h264" and "444" in (context.pix_fmt or "444")
        return not self.counted and not old_x264

    def packets(self) -> Iterator[VideoPacket]:
        """Yield packets in file order; the last one is empty and asks for what is held back."""
        return self.container.demux(self.video)

    def packets_before(self, pts: int) -> Iterator[VideoPacket] | None:
        """Yield packets from a keyframe on that is shown at or before `pts`, if one is found."""
        with suppress(av.FFmpegError):  # not every container can seek
            for back_s in _BACK_S:
                begin = pts - round(back_s / self.tick_s)
                self.container.seek(begin, stream=self.video, backward=True, any_frame=False)
                packets = self.packets()
                first = next((packet for packet in packets if _is_key(packet)), None)
                if first is not None and (first.pts or 0) <= pts:
                    return chain([first], packets)
        return None


@contextmanager
def open_track(
    path: Path, index: int | None, *, alone: bool = True, device: str = SOFTWARE
) -> Iterator[Track]:
    """Open a video stream of a file.

    The index is among all streams, as ffprobe counts, because "the best stream" of a two-camera
    file depends on who is asked; None for the first video stream. `alone` decodes on one thread, as
    there are as many processes as cores.
    """
    with open_input(path, hardware(device)) as container:
        found = [video for video in container.streams.video if index in (None, video.index)]
        if not found:
            which = "video stream" if index is None else f"video stream {index}"
            raise MediaError(f"no {which}", where=path, todo="remove the line or cut it again")
        if alone:
            found[0].codec_context.thread_count = 1
        else:
            found[0].thread_type = "AUTO"
        yield Track(path, container, found[0])


def _is_key(packet: VideoPacket) -> bool:
    return packet.is_keyframe and packet.pts is not None and packet.size > 0


def _changes_decoder(packet: VideoPacket) -> bool:
    # Most packets have nothing beside their data; to ask for a kind takes longer than to see that.
    return any(True for _ in packet.iter_sidedata()) and packet.has_sidedata("new_extradata")


class Group(NamedTuple):
    """Packets to decode, from a keyframe on, by their indices, and the times of wanted frames."""

    start: int
    stop: int
    wanted: frozenset[int]


@dataclass(frozen=True, eq=False)
class OpenClip:
    """An excerpt whose packets are in memory: which frames there are, and what each needs."""

    track: Track
    #: In file order; not all of those that decoding from the file's start would take.
    packets: Sequence[VideoPacket]
    known: Pts  #: Times of all frames that the packets yield, ascending
    times: FrameTimes  #: When the frames that count are shown

    @cached_property
    def jumps(self) -> bool:
        """Return whether decoding may begin at any keyframe among the packets."""
        # The decoder needs what comes with other packets, which would otherwise be skipped.
        return self.track.jumps and not any(map(_changes_decoder, self.packets[1:]))

    def groups(self, wanted: Iterable[int]) -> list[Group]:
        """Return what to decode for frames with these times, and nothing that can be left out."""
        index_of = {packet.pts: index for index, packet in enumerate(self.packets)}
        keys = [index for index, packet in enumerate(self.packets) if _is_key(packet)]
        groups: list[Group] = []
        for index, time in sorted((index_of[time], time) for time in wanted):
            found = bisect_right(keys, index) - 1
            if found >= 0 and time < (self.packets[keys[found]].pts or 0):
                found -= 1  # shown before its keyframe
            start, own = (keys[found] if found >= 0 else 0), frozenset({time})
            if groups and start <= groups[-1].stop:
                last = groups.pop()
                start, own = last.start, last.wanted | own
            groups.append(Group(start, index + 1, own))
        return groups


@contextmanager
def open_clip(excerpt: Excerpt) -> Iterator[OpenClip]:
    """Read the packets of an excerpt; a clip is short.

    If the file is incomplete, has no frames with a time, or no longer those of the window, that is
    a MediaError.
    """
    path, window = excerpt.path, excerpt.window
    with open_track(path, excerpt.stream) as track:
        try:
            packets = _packets_of(track, window)
        except av.FFmpegError as error:
            raise undecodable(path, str(error)) from error
        if any(packet.is_corrupt for packet in packets):
            raise broken_off(path)
        known = _times(track, packets)
        times: FrameTimes | None = frame_times_of(known, track.tick_s)
        if window is not None:
            own = known[(known >= window.first_pts) & (known <= window.last_pts)]
            times = window_times_of(own, track.tick_s, window)
        if times is None:
            raise MediaError(
                "the recording has changed since the clip was planned",
                where=path,
                todo="cut the session again",
            )
        yield OpenClip(track, packets, known, times)


def undecodable(path: Path, reason: str) -> MediaError:
    """Return the error for a clip whose frames cannot be had."""
    return MediaError(
        f"the clip does not decode: {reason}", where=path, todo="cut it again or remove its line"
    )


def broken_off(path: Path) -> MediaError:
    """Return the error for a clip whose packets are not whole."""
    return undecodable(path, "the file ends in the middle of a frame")


def _packets_of(track: Track, window: Window | None) -> list[VideoPacket]:
    """Return the packets of a window, from the last keyframe that is shown before it; or all."""
    if window is None:
        return [packet for packet in track.packets() if packet.size]
    if track.counted:
        before = takewhile(lambda packet: packet.dts is not None, track.packets())
        return list(takewhile(lambda packet: (packet.dts or 0) <= window.last_pts, before))
    found = track.packets_before(window.first_pts)
    if found is not None:
        return _around(found, window)
    with open_track(track.path, track.video.index) as anew:
        return _around(anew.packets(), window)


def _around(demuxed: Iterable[VideoPacket], window: Window) -> list[VideoPacket]:
    packets: list[VideoPacket] = []
    behind = 0
    for packet in demuxed:
        if _is_key(packet) and packet.pts is not None:
            if packet.pts <= window.first_pts:
                packets = []
            behind += packet.pts > window.last_pts
        if packet.size:
            packets.append(packet)
        # Frames behind the first keyframe after the window may still be shown before that.
        if behind == 2:
            break
    return packets


def _times(track: Track, packets: Iterable[VideoPacket]) -> Pts:
    """Return when frames are presented, ascending, without those that an edit list hides.

    Where there are no such times, the decoding times are the same ones in another order.
    """
    shown = [packet for packet in packets if not packet.is_discard]
    times = [packet.dts if track.counted else packet.pts for packet in shown]
    known = {time for time in times if time is not None}
    if not times or None in times:
        raise undecodable(track.path, "it has no frames with a time")
    return np.array(sorted(known), dtype=np.int64)
