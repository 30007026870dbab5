"""Look into the packets of a stream whose times do not tell which pictures there are."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import chain, islice
from pathlib import Path
from typing import TypeAlias

import av
import numpy as np
from av.container import InputContainer
from av.packet import Packet
from av.sidedata.sidedata import SideData
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream
from numpy.typing import NDArray

from dogclips.media.facts import is_deep_grey, orientation_of
from dogclips.media.headers import HEADERS
from dogclips.media.inputs import open_input
from dogclips.media.pictures import Head, Look, Seen
from dogclips.streams import UPRIGHT, Levels, Orientation, Stream, StreamTable

VideoPacket: TypeAlias = "Packet[VideoStream]"

# So many pictures in the order of the file, and the rest is taken to be so too.
_ENOUGH = 150
_PROGRESSIVE = 1  # AV_FIELD_PROGRESSIVE; 0 where nobody knows
FIELD_ORDERS = (2, 3, 4, 5)  # of interlaced pictures: AV_FIELD_TT to AV_FIELD_BT
_SAMPLES = 25  # frames in which levels of grey are looked for
_DEAD_SHARE = 1e-4  # of their pixels


def heads_of(stream: VideoStream) -> dict[str, bool]:
    """Return what the head of a stream says, by the names of `pictures.Head`."""
    context = stream.codec_context
    return {
        "reorders": bool(context.has_b_frames),
        "progressive": int(context.field_order) == _PROGRESSIVE,
    }


def orientation_of_frame(frame: av.VideoFrame) -> Orientation:
    """Return what the display matrix of a decoded frame asks for."""
    found = frame.side_data.get("DISPLAYMATRIX")
    if not isinstance(found, SideData):
        return UPRIGHT
    return orientation_of(np.frombuffer(memoryview(found), "<i4").tolist())


def grey_of(frame: av.VideoFrame) -> NDArray[np.uint16]:
    """Return the grey levels of a frame (H, W), of 65536."""
    return np.asarray(frame.reformat(format="gray16le").to_ndarray(), dtype=np.uint16)


def with_levels(table: StreamTable) -> StreamTable:
    """Return the table with the levels in use of streams of more than 8 bits of grey.

    They are those of frames from all over the recording, so that its clips are alike.
    """
    streams = (
        replace(stream, levels=_levels(table.path, stream))
        if stream.is_camera and is_deep_grey(stream.pixel_format)
        else stream
        for stream in table.streams
    )
    return replace(table, streams=tuple(streams))


def _levels(path: Path, stream: Stream) -> Levels | None:
    """Return the darkest and the brightest level, but for as few pixels as may be dead."""
    count = min(_SAMPLES, len(stream.pts))
    seen = list[NDArray[np.uint16]]()
    with open_input(path) as container:
        video = _stream(container, stream.index)
        video.codec_context.thread_count = 1
        for time in stream.pts[np.linspace(0, len(stream.pts) - 1, count, dtype=int)].tolist():
            with suppress(av.FFmpegError):
                container.seek(time, stream=video)
                seen += [grey_of(frame).ravel() for frame in islice(container.decode(video), 1)]
    if not seen:
        return None
    darkest, brightest = np.quantile(np.concatenate(seen), [_DEAD_SHARE, 1 - _DEAD_SHARE])
    return int(np.floor(darkest)), int(np.ceil(brightest))


def look_at(path: Path, index: int, kind: Look) -> Seen | None:
    """Look at a stream; None if nothing is seen there."""
    seen = None
    with open_input(path) as container:
        stream = _stream(container, index)
        head = Head("", False, True, container.format.name)
        if kind == "headers":
            seen = seen_in_headers(stream.codec_context, _demuxed(container, stream))
    if kind in ("decoded", "decoded whole") or (kind == "headers" and seen is None):
        seen = _decoded(path, index, whole=kind == "decoded whole")
    return _with_positions(seen, path, index) if head.placed else seen


def _with_positions(seen: Seen | None, path: Path, index: int) -> Seen:
    """Add where in the file each packet is."""
    with open_input(path) as container:
        own = _demuxed(container, _stream(container, index))
        places = np.array([-1 if packet.pos is None else packet.pos for packet in own], np.int64)
    seen = seen or Seen(np.zeros(len(places), dtype=np.int8))
    return replace(seen, positions=places)


def seen_in_headers(context: VideoCodecContext, packets: Iterable[VideoPacket]) -> Seen | None:
    """Return what the first bits of packets say; None if they do not tell the pictures."""
    headers = HEADERS[context.codec.canonical_name](context.extradata or b"")
    for packet in packets:
        headers.read(bytes(packet), key=packet.is_keyframe)
    return headers.seen()


def _stream(container: InputContainer, index: int) -> VideoStream:
    return next(stream for stream in container.streams.video if stream.index == index)


def _demuxed(container: InputContainer, stream: VideoStream) -> Iterator[VideoPacket]:
    with suppress(av.FFmpegError):  # what is read up to there
        for packet in container.demux(stream):
            if packet.size:
                yield packet


def _decoded(path: Path, index: int, *, whole: bool) -> Seen:
    """Return which packets give pictures, in the order in which a decoder gives them."""
    order = list[int]()
    count = 0
    with open_input(path) as container:
        stream = _stream(container, index)
        decoder = stream.codec_context
        decoder.thread_type = "AUTO"
        decoder.options = {"skip_loop_filter": "all"}
        for packet in chain(_demuxed(container, stream), [None]):
            if packet is not None:
                packet.pts, count = count, count + 1
            with suppress(av.FFmpegError):  # what does not decode gives no picture
                order += [frame.pts for frame in decoder.decode(packet) if frame.pts is not None]
            if len(order) == _ENOUGH and not whole and order == sorted(order):
                order = []
                break
        count += sum(1 for _ in _demuxed(container, stream))
    roles = np.zeros(count, dtype=np.int8)
    numbers = np.array(list(dict.fromkeys(order)), dtype=np.int64)
    return Seen(roles, numbers if order else None)
