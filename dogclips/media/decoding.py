"""From packets to frames: of a measured stream, or of a clip whose packets are in memory."""

import math
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from itertools import chain
from pathlib import Path

import av
import numpy as np

from dogclips.errors import MediaError
from dogclips.media.excerpt import Excerpt, FrameTimes
from dogclips.media.hardware import SOFTWARE
from dogclips.media.looking import VideoPacket
from dogclips.media.packets import (
    OpenClip,
    Track,
    broken_off,
    open_clip,
    open_track,
    undecodable,
)
from dogclips.streams import Stream
from dogclips.timebase import Pts

_JUMP_S = 8  # seconds that nobody wants; keyframes are rarely further apart
_MOST_LATE = 16  # frames that a decoder holds back
# Decoders that begin with any picture, and then show what is not there until the next keyframe.
_BLIND = (
    *("mpeg1video", "mpeg2video", "mpeg4", "h263", "flv", "wmv1", "wmv2"),
    *("msmpeg4v1", "msmpeg4v2", "msmpeg4"),
)


def decode_frames(
    source: Path, stream: Stream, indices: Sequence[int], device: str = SOFTWARE
) -> Iterator[tuple[int, av.VideoFrame]]:
    """Yield (index, frame) for the wanted frames; those that do not decode are left out.

    Indices are those of `stream.pts`, ascending. Long stretches between them are jumped over.
    """
    for run in _runs(stream, np.asarray(indices)):
        wanted = set(run)
        frames = decode_from(source, stream, run[0], careful=True, device=device)
        for index, frame in _ascending(frames, wanted):
            if not frame.is_corrupt:
                yield index, frame
            if index >= run[-1]:
                break


def _runs(stream: Stream, indices: Pts) -> Iterator[list[int]]:
    """Yield the indices that are read in one go: what is between two of them is jumped over.

    Only what lies before a keyframe can be: without any, each run would begin with the file.
    """
    jump = len(stream.pts)  # frames that are more work to decode than to seek over
    if stream.frame_rate is not None:
        jump = math.ceil(_JUMP_S * stream.frame_rate)
    apart = [
        place
        for place in (np.flatnonzero(np.diff(indices) > jump) + 1).tolist()
        if stream.keyframe_before(int(indices[place])) - int(indices[place - 1]) > jump // 2
    ]
    yield from (run.tolist() for run in np.split(indices, apart) if len(run))


def _ascending(
    frames: Iterable[tuple[int, av.VideoFrame]], wanted: Collection[int]
) -> Iterator[tuple[int, av.VideoFrame]]:
    """Yield the wanted frames by index: a decoder may give one later than its time says.

    It learns only then how many it has to hold back.
    """
    left = deque(sorted(wanted))
    waiting: dict[int, av.VideoFrame] = {}
    latest = -1
    for index, frame in frames:
        if index in wanted:
            waiting[index] = frame
        latest = max(latest, index)
        # What is overdue by more than any decoder holds back does not come any more.
        while left and (left[0] in waiting or left[0] < latest - _MOST_LATE):
            if left[0] in waiting:
                yield left[0], waiting.pop(left[0])
            left.popleft()
        if not left:
            return
    yield from sorted(waiting.items())


def decode_from(
    source: Path,
    stream: Stream,
    first: int,
    *,
    careful: bool = False,
    device: str = SOFTWARE,
) -> Iterator[tuple[int, av.VideoFrame]]:
    """Yield (index in `stream.pts`, frame) in time order, from index `first` or somewhat earlier.

    After a fault a `careful` reader leaves out everything up to the next keyframe and goes on
    behind it; on one thread, where a fault belongs to its frame. Others raise MediaError, as does
    everyone where packets are counted and some are lost.
    """
    opened = partial(
        open_track,
        source,
        stream.index,
        pictures=stream.pictures,
        alone=careful,
        device=device,
    )
    place = first if stream.pictures is not None else int(stream.pts[first])
    try:
        with opened() as track:
            for packets in track.starts(place) if track.jumps else ():
                track.video.codec_context.flush_buffers()
                frames = _from_keyframe(track, packets, go_on=careful)
                opening = next(frames, None)
                if opening is not None:
                    yield from _indexed(chain([opening], frames), stream)
                    return
        with opened() as track:
            known = stream.pictures is None or stream.pictures.whole
            frames = _decoded(track, track.packets(), go_on=careful and known)
            yield from _indexed(frames, stream)
    except av.FFmpegError as error:
        raise MediaError(
            f"decoding failed: {error.strerror}", where=source, todo="check the recording"
        ) from error


def _indexed(
    frames: Iterable[av.VideoFrame], stream: Stream
) -> Iterator[tuple[int, av.VideoFrame]]:
    """Yield decoded frames with their index; hidden pre-roll has none and is left out."""
    if stream.pictures is not None:
        held = set(stream.pictures.held.tolist())
        for frame in frames:
            index = frame.pts if frame.pts is not None else -1
            while 0 <= index < stream.num_frames:
                yield index, frame
                index += 1
                if index not in held:
                    break
        return
    for frame in frames:
        index = int(np.searchsorted(stream.pts, frame.pts)) if frame.pts is not None else -1
        if 0 <= index < len(stream.pts) and stream.pts[index] == frame.pts:
            yield index, frame


def decode_wanted(clip: OpenClip, wanted: Iterable[int]) -> Iterator[tuple[int, av.VideoFrame]]:
    """Yield the wanted frames of a clip with their presentation times, each once.

    Only the groups of pictures that hold them are decoded. What is missing then may need more than
    its group: everything from the file's start is the last resort. A wanted frame that does not
    decode is a MediaError: no other frame is given in its place.
    """
    left = set(wanted)
    for time, frame in chain(_of_groups(clip, left), _of_whole(clip, left)):
        if time in left:
            left.discard(time)
            yield time, frame


def plain_keyframe(clip: OpenClip) -> av.VideoFrame | None:
    """Return the last keyframe of a clip; None if a reader without our rules may not jump there."""
    alike = clip.track.pictures is None
    if not (clip.jumps and alike) or clip.track.container.format.name == "mpegts":
        return None
    clip.track.video.codec_context.flush_buffers()
    with suppress(av.FFmpegError):
        last = next((packet for packet in reversed(clip.packets) if packet.is_keyframe), None)
        return next(_from_keyframe(clip.track, [last, None]), None)
    return None


def check_frames(excerpt: Excerpt) -> FrameTimes:
    """Decode every frame of a clip, and return when they are shown."""
    with open_clip(excerpt) as clip:
        for _ in decode_wanted(clip, clip.times.pts.tolist()):
            pass
        return clip.times


def check_times(excerpt: Excerpt) -> FrameTimes:
    """Return when the frames of a clip are shown, without decoding any."""
    with open_clip(excerpt) as clip:
        return clip.times


def _of_groups(clip: OpenClip, left: Collection[int]) -> Iterator[tuple[int, av.VideoFrame]]:
    """Yield what decodes of the groups that hold the frames that are left."""
    for group in clip.groups(left) if clip.jumps else ():
        clip.track.video.codec_context.flush_buffers()
        packets = [*clip.packets[group.start : group.stop], None]
        with suppress(av.FFmpegError):
            for time, frame in _placed(_from_keyframe(clip.track, packets), clip.track):
                if not frame.is_corrupt:
                    yield time, frame
                if group.wanted.isdisjoint(left):
                    break


def _of_whole(clip: OpenClip, left: Collection[int]) -> Iterator[tuple[int, av.VideoFrame]]:
    """Yield frames from the file's start until none is left; a fault is an error."""
    path, tick_s = clip.track.path, clip.track.tick_s
    if not left:
        return
    try:
        with open_track(path, clip.track.video.index, pictures=clip.track.pictures) as track:
            frames = _decoded(track, _intact(track))
            for time, frame in _placed(frames, track):
                if time in left and frame.is_corrupt:
                    raise undecodable(path, f"the frame at {float(time * tick_s):.3f} s is damaged")
                if time in left:
                    yield time, frame
                if not left:
                    return
    except av.FFmpegError as error:
        raise undecodable(path, str(error)) from error
    raise undecodable(path, f"the frame at {float(min(left) * tick_s):.3f} s is missing")


def _placed(frames: Iterable[av.VideoFrame], track: Track) -> Iterator[tuple[int, av.VideoFrame]]:
    """Yield frames with their times, or their indices where they are named by these."""
    held = set(track.pictures.held.tolist()) if track.pictures is not None else set()
    for frame in frames:
        if frame.pts is None:
            continue
        yield frame.pts, frame
        place = frame.pts + 1
        while place in held:
            yield place, frame
            place += 1


def _intact(track: Track) -> Iterator[VideoPacket]:
    for packet in track.packets():
        if packet.is_corrupt:
            raise broken_off(track.path)
        yield packet


def _from_keyframe(
    track: Track, packets: "Iterable[VideoPacket | None]", *, go_on: bool = False
) -> Iterator[av.VideoFrame]:
    """Yield frames from the keyframe on that packets begin with; none if that is not a picture."""
    packets = iter(packets)
    first = next(packets, None)
    if first is None or first.pts is None:
        return
    key = first.pts
    frames = _decoded(track, chain([first], packets), go_on=go_on)
    shown = (frame for frame in frames if frame.pts is not None and frame.pts >= key)
    opening = next(shown, None)
    # Containers flag packets as keyframes that are none.
    is_whole = opening is not None and opening.key_frame and not opening.is_corrupt
    if opening is not None and opening.pts == key and is_whole:
        yield opening
        yield from shown


def _decoded(
    track: Track, packets: "Iterable[VideoPacket | None]", *, go_on: bool = False
) -> Iterator[av.VideoFrame]:
    """Yield frames; after a fault none until the next keyframe, as they show what is not there.

    A packet that lacks bytes is a fault, whether or not the decoder complains. So is all that comes
    out with it: some of these frames may be whole, but which ones depends on the codec.

    Frames that decode after a keyframe and are shown before it (open groups) do not belong to what
    follows it: where reading starts at that keyframe they cannot decode, and nothing else suffers.
    """
    decoder = track.video.codec_context
    damaged, keyframe_pts = decoder.name in _BLIND, 0
    lacking, follows = set[int | None](), False
    for packet in packets:
        if packet is not None and (packet.is_corrupt or follows):
            damaged = True
            lacking.add(packet.pts)
        # A demuxer may learn of a loss with the packet before the one that lacks bytes.
        follows = packet is not None and packet.is_corrupt
        if packet is not None and packet.is_keyframe and packet.pts is not None:
            keyframe_pts = packet.pts
        try:
            frames = decoder.decode(packet)
        except av.InvalidDataError:
            if not go_on:
                raise
            leads = packet is not None and packet.pts is not None and packet.pts < keyframe_pts
            damaged = damaged or not leads
            continue
        # A decoder keeps to itself what an edit list hides.
        hidden_key = packet is not None and packet.is_discard and packet.is_keyframe
        damaged = damaged and not hidden_key
        for frame in frames:
            damaged = damaged and not (frame.key_frame and frame.pts not in lacking)
            if not damaged:
                yield frame
