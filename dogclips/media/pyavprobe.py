"""Measure a file with PyAV, for machines without ffprobe."""

from collections import defaultdict
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import av
from av import Packet
from av.container import InputContainer
from av.stream import Disposition
from av.stream import Stream as AvStream
from av.video.stream import VideoStream

from dogclips.media.edits import with_empty_edits
from dogclips.media.facts import measured, with_messages
from dogclips.media.inputs import not_a_video, open_input
from dogclips.media.looking import (
    FIELD_ORDERS,
    heads_of,
    look_at,
    orientation_of_frame,
    with_levels,
)
from dogclips.media.pictures import Packets
from dogclips.streams import Orientation, Stream, StreamTable

# What FFmpeg calls the curves of a high dynamic range.
_HDR = {16: "PQ", 18: "HLG"}  # AVCOL_TRC_SMPTE2084, AVCOL_TRC_ARIB_STD_B67


def probe_with_pyav(path: Path, *, deep: bool = False) -> StreamTable:
    """Measure every stream of a file; the same table as `probe_with_ffprobe`."""
    return with_messages(measure_with_pyav(path, deep=deep))


def measure_with_pyav(path: Path, *, deep: bool = False) -> StreamTable:
    """Measure every stream of a file, and do not judge what was measured: no messages."""
    with open_input(path) as container:
        try:
            packets, orientations = _read_packets(container)
        except av.FFmpegError as error:
            raise not_a_video(path, str(error)) from error
        name = container.format.name
        created = container.metadata.get("creation_time")
        streams = tuple(
            measured(
                packets[stream.index],
                name,
                partial(look_at, path, stream.index),
                **_facts(stream, orientations[stream.index]),
            )
            for stream in container.streams
        )
    if deep:
        streams = tuple(_with_decoded(path, stream) for stream in streams)
    table = StreamTable(path=path, format=name, created=created, streams=streams)
    return with_levels(with_empty_edits(table))


def read_packets(path: Path) -> dict[int, Packets]:
    """Return the times of the packets of each stream, in file order."""
    with open_input(path) as container:
        return _read_packets(container)[0]


def _read_packets(container: InputContainer) -> tuple[dict[int, Packets], dict[int, Orientation]]:
    """Return the packets and the orientation of each stream."""
    packets: defaultdict[int, Packets] = defaultdict(Packets)
    orientations: defaultdict[int, Orientation] = defaultdict(Orientation)
    waiting = set()
    for stream in container.streams.video:
        decoder = getattr(stream, "codec_context", None)
        if decoder is not None and not stream.disposition & Disposition.attached_pic:
            decoder.thread_count = 1  # the first frame comes with less delay
            waiting.add(stream.index)
    for packet in container.demux():
        index = packet.stream_index
        if index in waiting and (found := _orientation(packet)) is not None:
            orientations[index] = found
            waiting.discard(index)
        if packet.size:  # else it asks the decoder for what it holds back
            # An edit list hides what is discarded.
            hidden, key = packet.is_discard, packet.is_keyframe
            packets[index].add(packet.pts, packet.dts, hidden=hidden, key=key)
    return packets, orientations


def _orientation(packet: "Packet[AvStream]") -> Orientation | None:
    """Return the orientation of a camera's pictures: PyAV tells it with a decoded frame only."""
    with suppress(av.FFmpegError):  # the next packets may decode
        for frame in packet.decode():
            if isinstance(frame, av.VideoFrame):
                return orientation_of_frame(frame)
    return None


def _facts(stream: AvStream, orientation: Orientation) -> dict[str, Any]:
    """Return the facts about a stream, keyed by the field names of `Stream`."""
    codec = getattr(stream, "codec_context", None)
    facts: dict[str, Any] = {
        "index": stream.index,
        "type": stream.type,
        "codec": codec.codec.canonical_name if codec is not None else "unknown",
        "time_base": stream.time_base or Fraction(1),
        "num_frames_header": stream.frames or None,
        "default": bool(stream.disposition & Disposition.default),
        "attached_picture": bool(stream.disposition & Disposition.attached_pic),
    }
    if not isinstance(stream, VideoStream):
        return facts
    return facts | {
        "width": stream.codec_context.width,
        "height": stream.codec_context.height,
        "pixel_aspect": stream.sample_aspect_ratio or Fraction(1),
        "pixel_format": stream.codec_context.pix_fmt or "",
        "orientation": orientation,
        "interlaced": int(stream.codec_context.field_order) in FIELD_ORDERS,
        "hdr": _HDR.get(int(stream.codec_context.color_trc), ""),
        **heads_of(stream),
    }


def _with_decoded(path: Path, stream: Stream) -> Stream:
    """Add how many frames of a video stream decode."""
    if stream.type != "video":
        return stream
    decoded = 0
    with open_input(path) as container:
        for packet in container.demux(container.streams[stream.index]):
            with suppress(av.FFmpegError):  # the next frames may decode
                decoded += len(packet.decode())
    return replace(stream, num_decoded=decoded)
