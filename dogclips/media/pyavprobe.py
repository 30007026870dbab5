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
from dogclips.media.facts import measured, rotation_of, with_messages
from dogclips.media.inputs import not_a_video, open_input
from dogclips.media.looking import heads_of, look_at
from dogclips.media.pictures import Packets
from dogclips.streams import Stream, StreamTable


def probe_with_pyav(path: Path, *, deep: bool = False) -> StreamTable:
    """Measure every stream of a file; the same table as `probe_with_ffprobe`."""
    return with_messages(measure_with_pyav(path, deep=deep))


def measure_with_pyav(path: Path, *, deep: bool = False) -> StreamTable:
    """Measure every stream of a file, and do not judge what was measured: no messages."""
    with open_input(path) as container:
        try:
            packets, rotations = _read_packets(container)
        except av.FFmpegError as error:
            raise not_a_video(path, str(error)) from error
        name = container.format.name
        created = container.metadata.get("creation_time")
        streams = tuple(
            measured(
                packets[stream.index],
                name,
                partial(look_at, path, stream.index),
                **_facts(stream, rotations[stream.index]),
            )
            for stream in container.streams
        )
    if deep:
        streams = tuple(_with_decoded(path, stream) for stream in streams)
    table = StreamTable(path=path, format=name, created=created, streams=streams)
    return with_empty_edits(table)


def _read_packets(container: InputContainer) -> tuple[dict[int, Packets], dict[int, int]]:
    """Return the packets and the rotation of each stream."""
    packets: defaultdict[int, Packets] = defaultdict(Packets)
    rotations: defaultdict[int, int] = defaultdict(int)
    waiting = set()
    for stream in container.streams.video:
        decoder = getattr(stream, "codec_context", None)
        if decoder is not None and not stream.disposition & Disposition.attached_pic:
            decoder.thread_count = 1  # the first frame comes with less delay
            waiting.add(stream.index)
    for packet in container.demux():
        index = packet.stream_index
        if index in waiting and (found := _rotation(packet)) is not None:
            rotations[index] = found
            waiting.discard(index)
        if packet.size:  # else it asks the decoder for what it holds back
            # An edit list hides what is discarded.
            hidden, key = packet.is_discard, packet.is_keyframe
            packets[index].add(packet.pts, packet.dts, hidden=hidden, key=key)
    return packets, rotations


def _rotation(packet: "Packet[AvStream]") -> int | None:
    """Return the rotation of a camera: PyAV tells it with a decoded frame only."""
    with suppress(av.FFmpegError):  # the next packets may decode
        for frame in packet.decode():
            if isinstance(frame, av.VideoFrame):
                return rotation_of(frame.rotation)
    return None


def _facts(stream: AvStream, rotation: int) -> dict[str, Any]:
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
        "rotation": rotation,
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
