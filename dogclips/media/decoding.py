"""Decode one stream of a source and say which measured frame each picture is."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import cast

import av
import numpy as np
from av.container import InputContainer
from av.video.stream import VideoStream

from dogclips.errors import MediaError
from dogclips.media.container import open_input
from dogclips.streams import Stream


def decode_from(source: Path, stream: Stream, first: int) -> Iterator[tuple[int, av.VideoFrame]]:
    """Yield (place in `stream.pts`, frame) in time order, from place `first` or somewhat earlier.

    Raises
    ------
    MediaError
        The source cannot be opened, or decoding stopped at a fault.
    """
    try:
        yield from _decode(source, stream, first)
    except av.FFmpegError as error:
        raise MediaError(
            f"decoding failed: {error.strerror}", where=source, todo="check the recording"
        ) from error


def _decode(source: Path, stream: Stream, first: int) -> Iterator[tuple[int, av.VideoFrame]]:
    with open_input(source) as container:
        track = _track(container, stream)
        if not stream.timed:  # frames without presentation times are counted from the first one
            yield from enumerate(container.decode(track))
            return
        if _seek_before(container, track, int(stream.pts[first])):
            yield from _placed(container, track, stream)
            return
    with open_input(source) as container:  # no keyframe before it is indexed: from the start
        yield from _placed(container, _track(container, stream), stream)


def _track(container: InputContainer, stream: Stream) -> VideoStream:
    track = cast("VideoStream", container.streams[stream.index])
    track.thread_type = "AUTO"
    return track


def _placed(
    container: InputContainer, track: VideoStream, stream: Stream
) -> Iterator[tuple[int, av.VideoFrame]]:
    """Yield decoded frames with their place; hidden pre-roll has none and is left out."""
    for frame in container.decode(track):
        place = int(np.searchsorted(stream.pts, frame.pts)) if frame.pts is not None else -1
        if 0 <= place < len(stream.pts) and stream.pts[place] == frame.pts:
            yield place, frame


def _seek_before(container: InputContainer, track: VideoStream, pts: int) -> bool:
    """Seek to a keyframe shown at or before `pts`; say whether there was one.

    Demuxers seek by decoding time, so the keyframe they find may be shown after `pts`. Frames that
    decode before the keyframe (open groups) are damaged, but lie before it in time too.
    """
    with suppress(av.FFmpegError):  # not every container can seek
        container.seek(pts, stream=track, backward=True, any_frame=False)
        for packet in container.demux(track):
            if packet.is_keyframe and packet.pts is not None:
                container.seek(pts, stream=track, backward=True, any_frame=False)
                return packet.pts <= pts
    return False
