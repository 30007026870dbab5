"""From packets to frames: of a measured stream, or of a clip whose packets are in memory."""

import math
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
from dogclips.media.packets import (
    OpenClip,
    Track,
    VideoPacket,
    broken_off,
    open_clip,
    open_track,
    undecodable,
)
from dogclips.streams import Stream

_JUMP_S = 8  # seconds that nobody wants; keyframes are rarely further apart


def decode_frames(
    source: Path, stream: Stream, indices: Sequence[int], device: str = SOFTWARE
) -> Iterator[tuple[int, av.VideoFrame]]:
    """Yield (index, frame) for the wanted frames; those that do not decode are left out.

    Indices are those of `stream.pts`, ascending. Long stretches between them are jumped over.
    """
    jump = len(stream.pts)  # frames that are more work to decode than to seek over
    if stream.timed and stream.frame_rate is not None:  # else they are counted from the first one
        jump = math.ceil(_JUMP_S * stream.frame_rate)
    runs = np.split(np.asarray(indices), np.flatnonzero(np.diff(indices) > jump) + 1)
    for run in (own.tolist() for own in runs if len(own)):
        wanted = set(run)
        for index, frame in decode_from(source, stream, run[0], careful=True, device=device):
            if index in wanted and not frame.is_corrupt:
                yield index, frame
            if index >= run[-1]:
                break


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
    behind it; on one thread, where a fault belongs to its frame. Others raise MediaError.
    """
    opened = partial(open_track, source, stream.index, alone=careful, device=device)
    try:
        if stream.timed:
            with opened() as track:
                packets = track.packets_before(int(stream.pts[first])) if track.jumps else None
                frames = _from_keyframe(track, packets or (), go_on=careful)
                opening = next(frames, None)
                if opening is not None:
                    yield from _indexed(chain([opening], frames), stream)
                    return
        with opened() as track:
            if careful and not stream.timed:
                # Frames are counted: behind one that is lost without a word nobody knows them.
                track.video.codec_context.options = {"err_detect": "explode"}
            frames = _decoded(track, track.packets(), go_on=careful and stream.timed)
            yield from _indexed(frames, stream) if stream.timed else enumerate(frames)
    except av.FFmpegError as error:
        raise MediaError(
            f"decoding failed: {error.strerror}", where=source, todo="check the recording"
        ) from error


def _indexed(
    frames: Iterable[av.VideoFrame], stream: Stream
) -> Iterator[tuple[int, av.VideoFrame]]:
    """Yield decoded frames with their index; hidden pre-roll has none and is left out."""
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


def has_plain_keyframes(clip: OpenClip) -> bool:
    """Return whether a reader without our rules may jump to any keyframe of a clip."""
    if not clip.jumps or clip.track.container.format.name == "mpegts":
        return False
    clip.track.video.codec_context.flush_buffers()
    with suppress(av.FFmpegError):
        last = next((packet for packet in reversed(clip.packets) if packet.is_keyframe), None)
        return next(_from_keyframe(clip.track, [last, None]), None) is not None
    return False


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
            for frame in _from_keyframe(clip.track, packets):
                if frame.pts is not None and not frame.is_corrupt:
                    yield frame.pts, frame
                if group.wanted.isdisjoint(left):
                    break


def _of_whole(clip: OpenClip, left: Collection[int]) -> Iterator[tuple[int, av.VideoFrame]]:
    """Yield frames from the file's start until none is left; a fault is an error."""
    path, tick_s = clip.track.path, clip.track.tick_s
    if not left:
        return
    try:
        with open_track(path, clip.track.video.index) as track:
            frames = _decoded(track, _intact(track))
            counted = zip(clip.known.tolist(), frames, strict=False)
            timed = ((frame.pts, frame) for frame in frames if frame.pts is not None)
            for time, frame in counted if track.counted else timed:
                if time in left and frame.is_corrupt:
                    raise undecodable(path, f"the frame at {float(time * tick_s):.3f} s is damaged")
                if time in left:
                    yield time, frame
                if not left:
                    return
    except av.FFmpegError as error:
        raise undecodable(path, str(error)) from error
    raise undecodable(path, f"the frame at {float(min(left) * tick_s):.3f} s is missing")


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
    if opening is not None and opening.pts == key:
        yield opening
        yield from shown


def _decoded(
    track: Track, packets: "Iterable[VideoPacket | None]", *, go_on: bool = False
) -> Iterator[av.VideoFrame]:
    """Yield frames; after a fault none until the next keyframe, as they show what is not there.

    Frames that decode after a keyframe and are shown before it (open groups) do not belong to what
    follows it: where reading starts at that keyframe they cannot decode, and nothing else suffers.
    """
    decoder = track.video.codec_context
    damaged, keyframe_pts = False, 0
    for packet in packets:
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
        for frame in frames:
            damaged = damaged and not frame.key_frame
            if not damaged:
                yield frame
