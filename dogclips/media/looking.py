"""Look into the packets of a stream whose times do not tell which pictures there are."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import TypeAlias

import av
import numpy as np
from av.container import InputContainer
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream

from dogclips.media.headers import HEADERS
from dogclips.media.inputs import open_input
from dogclips.media.pictures import Head, Look, Seen

VideoPacket: TypeAlias = "Packet[VideoStream]"

# So many pictures in the order of the file, and the rest is taken to be so too.
_ENOUGH = 150
_PROGRESSIVE = 1  # AV_FIELD_PROGRESSIVE; 0 where nobody knows


def heads_of(stream: VideoStream) -> dict[str, bool]:
    """Return what the head of a stream says, by the names of `pictures.Head`."""
    context = stream.codec_context
    return {
        "reorders": bool(context.has_b_frames),
        "progressive": int(context.field_order) == _PROGRESSIVE,
    }


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
