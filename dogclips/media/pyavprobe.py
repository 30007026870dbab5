"""Measure a file with PyAV, for machines without ffprobe."""

from collections import defaultdict
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av import Packet
from av.container import InputContainer
from av.stream import Disposition
from av.stream import Stream as AvStream
from av.video.stream import VideoStream

from dogclips.media.container import open_input
from dogclips.media.edits import with_empty_edits
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
        rotations = _Rotations(container)
        try:
            packets = _read_packets(container, rotations)
        except av.FFmpegError as error:
            raise not_a_video(path, str(error)) from error
        name = container.format.name
        created = container.metadata.get("creation_time")
        streams = [
            with_packets(
                _stream(stream, rotations.found.get(stream.index, 0)), packets[stream.index], name
            )
            for stream in container.streams
        ]
    if deep:
        streams = [_with_decoded(path, stream) for stream in streams]
    table = StreamTable(path=path, format=name, created=created, streams=tuple(streams))
    return checked(with_empty_edits(table))


class _Rotations:
    """The rotations of the cameras of a file: PyAV tells them with a decoded frame only."""

    def __init__(self, container: InputContainer) -> None:
        self.found: dict[int, int] = {}
        self.waiting: set[int] = set()
        for stream in container.streams.video:
            decoder = getattr(stream, "codec_context", None)
            if decoder is not None and not stream.disposition & Disposition.attached_pic:
                decoder.thread_count = 1  # the first frame comes with less delay
                self.waiting.add(stream.index)

    def look(self, packet: "Packet[AvStream]") -> None:
        """Decode one packet; the first frame that comes out settles the matter."""
        with suppress(av.FFmpegError):  # the next packets may decode
            for frame in packet.decode():
                if isinstance(frame, av.VideoFrame):
                    self.found[packet.stream_index] = rotation_of(frame.rotation)
                    self.waiting.discard(packet.stream_index)
                    return


def _read_packets(container: InputContainer, rotations: _Rotations) -> defaultdict[int, Packets]:
    packets: defaultdict[int, Packets] = defaultdict(Packets)
    waiting = rotations.waiting
    for packet in container.demux():
        index = packet.stream_index
        if waiting and index in waiting:
            rotations.look(packet)
        if not packet.size:  # asks the decoder for what it holds back
            continue
        if packet.is_discard:  # hidden by an edit list
            packets[index].hide(packet.pts)
        else:
            packets[index].add(packet.pts, packet.dts)
    return packets


def _stream(stream: AvStream, rotation: int) -> Stream:
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
        rotation=rotation,
    )


def _codec_name(stream: AvStream) -> str:
    codec = getattr(stream, "codec_context", None)
    return codec.codec.canonical_name if codec is not None else "unknown"


def _with_decoded(path: Path, stream: Stream) -> Stream:
    """Add how many frames decode."""
    if stream.type not in ("video", "audio"):
        return stream
    decoded = 0
    with open_input(path) as container:
        for packet in container.demux(container.streams[stream.index]):
            with suppress(av.FFmpegError):  # the next frames may decode
                decoded += len(packet.decode())
    return replace(stream, num_decoded=decoded)
