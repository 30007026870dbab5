"""Decode one stream of a source and say which measured frame each picture is."""

import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain, pairwise
from pathlib import Path
from typing import cast

import av
import numpy as np
from av.container import InputContainer
from av.video.stream import VideoStream

from dogclips.errors import MediaError
from dogclips.media.container import open_input
from dogclips.media.hardware import SOFTWARE, hardware
from dogclips.streams import Stream

_JUMP_S = 8  # seconds that nobody wants; keyframes are rarely further apart


@dataclass(frozen=True)
class Decoder:
    """How frames are decoded.

    Parameters
    ----------
    careful
        After a fault leave out everything up to the next keyframe and go on behind it; on one
        thread, where a fault belongs to its frame.
    device
        "software", or what `hardware.hardware` knows.
    """

    careful: bool = False
    device: str = SOFTWARE


_FAST = Decoder()


def decode_places(
    source: Path, stream: Stream, places: Sequence[int], device: str = SOFTWARE
) -> Iterator[tuple[int, av.VideoFrame]]:
    """Yield (place, frame) for the wanted places; those that do not decode are left out.

    Parameters
    ----------
    places
        Wanted places in `stream.pts`, ascending. Long stretches between them are jumped over.

    Raises
    ------
    MediaError
        The source cannot be opened, or reading stopped at a fault.
    """
    decoder = Decoder(careful=True, device=device)
    for run in _runs(places, _worth_a_jump(stream)):
        wanted = set(run)
        for place, frame in decode_from(source, stream, run[0], decoder):
            if place in wanted and not frame.is_corrupt:
                yield place, frame
            if place >= run[-1]:
                break


def _worth_a_jump(stream: Stream) -> int:
    """Return the number of frames that are more work to decode than to seek over."""
    if not stream.timed or stream.frame_rate is None:
        return len(stream.pts)  # frames are counted from the first one
    return math.ceil(_JUMP_S * stream.frame_rate)


def _runs(places: Sequence[int], jump: int) -> Iterator[Sequence[int]]:
    """Cut ascending places where at least `jump` of them are not wanted."""
    breaks = [n for n in range(1, len(places)) if places[n] - places[n - 1] > jump]
    for start, end in pairwise([0, *breaks, len(places)]):
        yield places[start:end]


def decode_from(
    source: Path, stream: Stream, first: int, decoder: Decoder = _FAST
) -> Iterator[tuple[int, av.VideoFrame]]:
    """Yield (place in `stream.pts`, frame) in time order, from place `first` or somewhat earlier.

    Raises
    ------
    MediaError
        The source cannot be opened, or decoding stopped at a fault.
    """
    try:
        yield from _decode(source, stream, first, decoder)
    except av.FFmpegError as error:
        raise MediaError(
            f"decoding failed: {error.strerror}", where=source, todo="check the recording"
        ) from error


def _decode(
    source: Path, stream: Stream, first: int, decoder: Decoder
) -> Iterator[tuple[int, av.VideoFrame]]:
    # Frames without presentation times are counted, so that behind a fault nobody knows them.
    go_on = decoder.careful and stream.timed
    with open_input(source, hardware(decoder.device)) as container:
        track = _track(container, stream, decoder)
        if not stream.timed:
            yield from enumerate(_decoded(container, track, go_on))
            return
        key = _seek_before(container, track, int(stream.pts[first]))
        if key is not None and not needs_the_start(track):
            frames = _from_keyframe(_decoded(container, track, go_on), key)
            opening = next(frames, None)
            # Where frames are refreshed bit by bit, keyframes are no pictures, and what decodes
            # behind them is nearly right.
            if opening is not None and opening.pts == key:
                yield from _placed(chain([opening], frames), stream)
                return
    # No keyframe before it can be trusted: from the start.
    with open_input(source, hardware(decoder.device)) as container:
        track = _track(container, stream, decoder)
        yield from _placed(_decoded(container, track, go_on), stream)


def _track(container: InputContainer, stream: Stream, decoder: Decoder) -> VideoStream:
    track = cast("VideoStream", container.streams[stream.index])
    track.thread_type = "NONE" if decoder.careful else "AUTO"
    if decoder.careful and not stream.timed:
        # Whoever counts frames must hear of every one that is lost.
        track.codec_context.options = {"err_detect": "explode"}
    return track


def _decoded(container: InputContainer, track: VideoStream, go_on: bool) -> Iterator[av.VideoFrame]:
    """Yield frames; after a fault none until the next keyframe, as they show what is not there.

    Frames that decode after a keyframe and are shown before it (open groups) are no part of what
    follows it: where reading starts at that keyframe they cannot decode, and nothing else suffers.
    """
    damaged, keyframe_pts = False, 0
    for packet in container.demux(track):
        if packet.is_keyframe and packet.pts is not None:
            keyframe_pts = packet.pts
        try:
            frames = packet.decode()
        except av.InvalidDataError:
            if not go_on:
                raise
            leads = packet.pts is not None and packet.pts < keyframe_pts
            damaged = damaged or not leads
            continue
        for frame in frames:
            damaged = damaged and not frame.key_frame
            if not damaged:
                yield frame


def _from_keyframe(frames: Iterable[av.VideoFrame], key: int) -> Iterator[av.VideoFrame]:
    """Leave out what is shown before the keyframe that reading started at."""
    return (frame for frame in frames if frame.pts is not None and frame.pts >= key)


def needs_the_start(track: VideoStream) -> bool:
    """Return whether frames behind a keyframe may decode wrongly without the first packet.

    x264 wrote H.264 of full colour resolution wrongly until build 151. FFmpeg decodes it, if it has
    seen the build in the first packet; without, it gives garbage and no error.
    """
    context = track.codec_context
    return context.name == "h264" and "444" in (context.pix_fmt or "444")


def _placed(frames: Iterable[av.VideoFrame], stream: Stream) -> Iterator[tuple[int, av.VideoFrame]]:
    """Yield decoded frames with their place; hidden pre-roll has none and is left out."""
    for frame in frames:
        place = int(np.searchsorted(stream.pts, frame.pts)) if frame.pts is not None else -1
        if 0 <= place < len(stream.pts) and stream.pts[place] == frame.pts:
            yield place, frame


def _seek_before(container: InputContainer, track: VideoStream, pts: int) -> int | None:
    """Seek to a keyframe shown at or before `pts` and return when it is shown, if there is one.

    Demuxers seek by decoding time, so the keyframe they find may be shown after `pts`. Frames that
    decode before the keyframe (open groups) are damaged, but lie before it in time too.
    """
    with suppress(av.FFmpegError):  # not every container can seek
        container.seek(pts, stream=track, backward=True, any_frame=False)
        for packet in container.demux(track):
            if packet.is_keyframe and packet.pts is not None:
                container.seek(pts, stream=track, backward=True, any_frame=False)
                return packet.pts if packet.pts <= pts else None
    return None
