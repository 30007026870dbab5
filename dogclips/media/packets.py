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
- Where packets are not pictures of their own times, `pictures` says which frame each belongs to.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache, partial
from itertools import chain
from pathlib import Path
from typing import NamedTuple, cast

import av
import numpy as np
from av.container import InputContainer
from av.video.stream import VideoStream

from dogclips.errors import MediaError
from dogclips.media.excerpt import (
    Excerpt,
    FrameTimes,
    Window,
    frame_times_of,
    window_frames_of,
    window_times_of,
)
from dogclips.media.hardware import SOFTWARE, hardware
from dogclips.media.inputs import open_input
from dogclips.media.looking import VideoPacket, heads_of, look_at, seen_in_headers
from dogclips.media.pictures import (
    Head,
    Look,
    Packets,
    Seen,
    describe,
    look_for,
    times_of,
)
from dogclips.media.pyavprobe import probe_with_pyav
from dogclips.streams import NO_TIME, Pictures, Stream
from dogclips.timebase import Pts

# How far before a frame to look for a keyframe, in seconds; and how many keyframes are tried where
# all are known.
_BACK_S = (0, 2, 10)
_MOST_STARTS = 4
# Pixels. Of a smaller picture each thread decodes so little that handing it on costs more: half of
# the time at 128x72.
_WORTH_THREADS = 320 * 240


@dataclass(frozen=True, eq=False)
class Track:
    """A video stream of an open file, read from the file's start or from a keyframe.

    Where packets are not pictures of their own times, `pictures` tells which they are. Then packets
    bear the index of their picture in place of a time, and so do the frames that decode from them.
    """

    path: Path
    container: InputContainer
    video: VideoStream
    pictures: Pictures | None = None

    @property
    def tick_s(self) -> Fraction:
        """Return the seconds of a tick."""
        return self.video.time_base or Fraction(1)

    @property
    def head(self) -> Head:
        """Return what the head of the stream says of its pictures."""
        codec = self.video.codec_context.codec.canonical_name
        return Head(codec, **heads_of(self.video), container=self.container.format.name)

    @property
    def jumps(self) -> bool:
        """Return whether decoding may begin with another packet than the first."""
        context = self.video.codec_context
        old_x264 = context.name == "h264" and "444" in (context.pix_fmt or "444")
        return not old_x264 and (self.pictures is None or self.pictures.whole)

    def packets(self) -> Iterator[VideoPacket]:
        """Yield packets in file order; the last one is empty and asks for what is held back."""
        demuxed = self.container.demux(self.video)
        return demuxed if self.pictures is None else indexed(demuxed, self.pictures)

    def starts(self, place: int) -> Iterator[Iterator[VideoPacket]]:
        """Yield packets from a keyframe on that is shown at or before `place`, the nearest first.

        A place is a time; in a track with `pictures`, an index. Each start ends the one before it.
        """
        with suppress(av.FFmpegError):  # not every container can seek
            yield from self._by_time(place) if self.pictures is None else self._by_number(place)

    def _by_time(self, pts: int) -> Iterator[Iterator[VideoPacket]]:
        tried = set[int]()
        for back_s in _BACK_S:
            self._seek(pts - round(back_s / self.tick_s))
            packets = self.packets()
            first = next((packet for packet in packets if _is_key(packet)), None)
            if first is None or first.pts is None or first.pts > pts or first.pts in tried:
                continue
            tried.add(first.pts)
            yield chain([first], packets)

    def _by_number(self, index: int) -> Iterator[Iterator[VideoPacket]]:
        """Yield packets from keyframes on whose numbers are known."""
        pictures = cast("Pictures", self.pictures)
        marks = pictures.keys[:, 1] if pictures.positions is None else pictures.positions
        known = pictures.index_of[pictures.keys[:, 0]] <= index
        own = np.column_stack([pictures.keys, marks])[known]
        for number, time, mark in own[: -_MOST_STARTS - 1 : -1].tolist():
            if NO_TIME in (time, mark) or np.count_nonzero(marks == mark) > 1:
                continue
            self._seek(time)
            demuxed = self.container.demux(self.video)
            for packet in demuxed:
                found = _mark_of(packet, pictures)
                if packet.is_keyframe and packet.size and found is not None and found >= mark:
                    if found == mark:
                        yield indexed(chain([packet], demuxed), pictures, number)
                    break

    def _seek(self, time: int) -> None:
        self.container.seek(time, stream=self.video, backward=True, any_frame=False)


def _mark_of(packet: VideoPacket, pictures: Pictures) -> int | None:
    """Return by what a packet is told: its place in the file, or its time."""
    if pictures.positions is not None:
        return packet.pos
    return packet.pts if pictures.timed else packet.dts


def indexed(
    packets: Iterable[VideoPacket], pictures: Pictures, first: int = 0
) -> Iterator[VideoPacket]:
    """Yield packets, counted from `first`, with the index of their picture in place of a time."""
    number = first
    keys = frozenset(pictures.keys[:, 0].tolist())
    for packet in packets:
        if packet.size and number < len(pictures.index_of):
            packet.pts = packet.dts = int(pictures.index_of[number])
            packet.is_keyframe = number in keys
            number += 1
        yield packet


@contextmanager
def open_track(
    path: Path,
    index: int | None,
    *,
    pictures: Pictures | None = None,
    alone: bool = True,
    device: str = SOFTWARE,
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
        if alone or 0 < found[0].width * found[0].height < _WORTH_THREADS:
            found[0].codec_context.thread_count = 1
        else:
            found[0].thread_type = "AUTO"
        if pictures is not None and not pictures.whole:
            # Where a packet is lost without a word, the decoder has to notice.
            found[0].codec_context.options = {"err_detect": "explode"}
        yield Track(path, container, found[0], pictures)


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
    jumps: bool  #: Decoding may begin at any keyframe among them
    known: Pts  #: Times of all frames that the packets yield, ascending
    times: FrameTimes  #: When the frames that count are shown

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
        found = _described(track, packets, window)
        if found is None and window is not None:
            with _measured(track, window) as measured:
                yield measured
                return
        if found is None:
            raise undecodable(path, "it has no frames with a time")
        # The decoder then needs packets that would otherwise be skipped.
        changes = any(map(_changes_decoder, packets[1:]))
        yield replace(found, jumps=track.jumps and not changes)


def _described(track: Track, packets: list[VideoPacket], window: Window | None) -> OpenClip | None:
    """Return the clip whose packets these are; None if they alone do not tell its frames."""
    known = Packets()
    for packet in packets:
        hidden, key = packet.is_discard, packet.is_keyframe
        known.add(packet.pts, packet.dts, hidden=hidden, key=key)
    head = track.head
    if window is not None:
        return None if head.counted or head.guessed else _of_window(track, packets, known, window)
    found = describe(known, head, partial(_look, track, packets))
    if not len(found.pts):
        return None
    times = frame_times_of(found.pts, track.tick_s)
    if found.pictures is None:
        return OpenClip(track, packets, True, found.pts, times)
    own = replace(track, pictures=found.pictures)
    places = np.arange(len(found.pts))
    stamped = list(indexed(packets, found.pictures))
    return OpenClip(own, stamped, True, places, replace(times, pts=places))


def _of_window(
    track: Track, packets: list[VideoPacket], known: Packets, window: Window
) -> OpenClip | None:
    pts = times_of(known.pts)[known.shown]
    if NO_TIME in pts or look_for(times_of(known.pts), track.head) is not None:
        return None
    pts = np.unique(pts)
    own = pts[(pts >= window.first_pts) & (pts <= window.last_pts)]
    times = window_times_of(own, track.tick_s, window)
    if times is None or len(pts) < len(known.shown):
        return None
    return OpenClip(track, packets, True, pts, times)


def _look(track: Track, packets: Sequence[VideoPacket], kind: Look) -> Seen | None:
    """Look into packets that are in memory, or decode the file's."""
    seen = None
    if kind == "headers":
        seen = seen_in_headers(track.video.codec_context, packets)
    return seen or look_at(track.path, track.video.index, "decoded" if kind == "headers" else kind)


@contextmanager
def _measured(track: Track, window: Window) -> Iterator[OpenClip]:
    """Read the packets of a window of a recording of which all pictures have to be known."""
    stream = measured_stream(track.path, track.video.index)
    first = max(int(np.searchsorted(stream.pts, window.first_pts, side="right")) - 1, 0)
    stop = int(np.searchsorted(stream.pts, window.last_pts, side="right"))
    if window.timing == "grid":  # of frames that share their time some may be the next window's
        stop = min(first + window.num_frames, stop)
    found = window_frames_of(stream.pts[first:stop], stream.time_base, window)
    if found is None:
        raise MediaError(
            "the recording has changed since the clip was planned",
            where=track.path,
            todo="cut the session again",
        )
    with open_track(track.path, track.video.index, pictures=stream.pictures) as anew:
        if stream.pictures is None:
            packets = _around(anew.packets(), window.first_pts, window.last_pts)
            times = FrameTimes(stream.pts[first:stop][found.pts], found.times_s)
            yield OpenClip(anew, packets, anew.jumps, stream.pts, times)
            return
        start = next(anew.starts(first), None) if anew.jumps else None
        if start is None:
            with open_track(track.path, track.video.index, pictures=stream.pictures) as whole:
                packets = _around(whole.packets(), first, stop - 1)
        else:
            packets = _around(start, first, stop - 1)
        times = FrameTimes(found.pts + first, found.times_s)
        yield OpenClip(anew, packets, anew.jumps, np.arange(first, stop), times)


def measured_stream(path: Path, index: int) -> Stream:
    """Return a stream of a recording, measured once in a process."""
    return _measured_stream(path, index, *_identity(path))


def _identity(path: Path) -> tuple[int, int]:
    facts = path.stat()
    return facts.st_size, facts.st_mtime_ns


@lru_cache(maxsize=64)
def _measured_stream(path: Path, index: int, _size: int, _mtime_ns: int) -> Stream:
    return next(s for s in probe_with_pyav(path).streams if s.index == index)


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
    if track.head.counted:
        return []
    found = next(track.starts(window.first_pts), None)
    if found is not None:
        return _around(found, window.first_pts, window.last_pts)
    with open_track(track.path, track.video.index) as anew:
        return _around(anew.packets(), window.first_pts, window.last_pts)


def _around(demuxed: Iterable[VideoPacket], first: int, last: int) -> list[VideoPacket]:
    """Return the packets from a keyframe on that frames from `first` to `last` need."""
    packets: list[VideoPacket] = []
    behind = stop = 0
    for packet in demuxed:
        if _is_key(packet) and packet.pts is not None:
            if packet.pts <= first:
                packets = []
            behind += packet.pts > last
        if packet.size:
            packets.append(packet)
        if packet.size and (packet.pts is None or packet.pts <= last):
            stop = len(packets)
        # Frames behind the first keyframe after the window may still be shown before that.
        if behind == 2:
            break
    return packets[:stop]  # what comes after the last frame of the window may be damaged
