"""Measure a file with PyAV, for machines without ffprobe."""

from collections import defaultdict
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer
from av.stream import Disposition
from av.stream import Stream as AvStream
from av.video.stream import VideoStream

from dogclips.media.container import open_input
from dogclips.media.facts import Packets, checked, rotation_of, with_packets
from dogclips.media.inputs import not_a_video
from dogclips.streams import Stream, StreamTable


def probe_with_pyav(path: Path, *, deep: bool = False) -> StreamTable:
    """Measure every stream of a file; the same table as `probe_with_ffprobe`.

    Raises
    ------
    MediaError
        The file is missing or no container that we read.
    """
    with open_input(path) as container:
        try:
            packets = _read_packets(container)
        except av.FFmpegError as error:
            raise not_a_video(path, str(error)) from error
        name = container.format.name
        created = container.metadata.get("creation_time")
        streams = [
            with_packets(_stream(stream), packets[stream.index], name)
            for stream in container.streams
        ]
    shown = tuple(_with_picture_facts(path, stream, deep=deep) for stream in streams)
    return checked(StreamTable(path=path, format=name, created=created, streams=shown))


def _read_packets(container: InputContainer) -> defaultdict[int, Packets]:
    packets: defaultdict[int, Packets] = defaultdict(Packets)
    for packet in container.demux():
        if packet.size and not packet.is_discard:
            packets[packet.stream_index].add(packet.pts, packet.dts)
    return packets


def _stream(stream: AvStream) -> Stream:
    measured = Stream(
        index=stream.index,
        type=stream.type,
        codec=_codec_name(stream),
        time_base=stream.time_base or Fraction(1),
        pts=np.array([], dtype=np.int64),
        end_pts=None,
        num_frames=0,
        num_frames_header=stream.frames or None,
        default=bool(stream.disposition & Disposition.default),
        attached_picture=bool(stream.disposition & Disposition.attached_pic),
    )
    if not isinstance(stream, VideoStream):
        return measured
    return replace(
        measured,
        width=stream.codec_context.width,
        height=stream.codec_context.height,
        pixel_aspect=stream.sample_aspect_ratio or Fraction(1),
    )


def _codec_name(stream: AvStream) -> str:
    codec = getattr(stream, "codec_context", None)
    return codec.codec.canonical_name if codec is not None else "unknown"


def _with_picture_facts(path: Path, stream: Stream, *, deep: bool) -> Stream:
    """Add what only decoding tells PyAV: the rotation, and with `deep` the frames that decode."""
    if stream.type not in ("video", "audio") or not (stream.is_camera or deep):
        return stream
    rotation, decoded = 0, 0
    # A frame that does not decode ends the loop: the count says how far decoding went.
    with open_input(path) as container, suppress(av.FFmpegError):
        for frame in container.decode(container.streams[stream.index]):
            if decoded == 0 and isinstance(frame, av.VideoFrame):
                rotation = rotation_of(frame.rotation)
            decoded += 1
            if not deep:
                break
    return replace(stream, rotation=rotation, num_decoded=decoded if deep else None)
