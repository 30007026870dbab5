"""From the facts and packets that either probe reads to the stream table both must give."""

from dataclasses import dataclass, field, replace

import numpy as np

from dogclips.streams import Message, Stream, StreamTable
from dogclips.timebase import Pts, shown


@dataclass
class Packets:
    """The packets of one stream that yield something: hidden pre-roll is left out."""

    pts: list[int | None] = field(default_factory=list)
    dts: list[int | None] = field(default_factory=list)

    def add(self, pts: int | None, dts: int | None) -> None:
        """Append one packet in file order."""
        self.pts.append(pts)
        self.dts.append(dts)


def with_packets(stream: Stream, packets: Packets, container: str) -> Stream:
    """Return the stream with counts and times measured from its packets.

    AVI stores no presentation times; what a demuxer offers in their place depends on its version
    (2 of 3 missing in FFmpeg 5, one frame late in FFmpeg 8). It counts frames, so the sorted
    decoding times are the frames' places and presentation only permutes them.

    A frame lasts until the next one and the last one as long as the usual one: what containers
    say of the last duration differs by up to half a frame between versions of FFmpeg.
    """
    timed = None not in packets.pts and container != "avi"
    times = packets.pts if timed else packets.dts
    # If only some frames have a time, no frame can be named by its time.
    known = [] if None in times else [time for time in times if time is not None]
    pts: Pts = np.array(sorted(known), dtype=np.int64)
    return replace(
        stream,
        num_frames=len(packets.pts),
        timed=timed,
        pts=pts,
        end_pts=int(pts[-1]) + _usual_step(pts) if len(pts) else None,
        num_repeated=int(np.count_nonzero(np.diff(pts) == 0)),
        num_backwards=_backwards(packets.dts),
    )


def checked(table: StreamTable) -> StreamTable:
    """Return the table with a warning for everything that can put a label on a wrong frame."""
    messages = [message for stream in table.cameras for message in _stream_messages(stream)]
    if not table.cameras:
        messages.append(Message("P002", "no video stream with frames"))
    return replace(table, messages=(*table.messages, *messages))


def rotation_of(degrees: float | None) -> int:
    """Return the rotation in whole degrees in (-180, 180]; 0 for a broken display matrix.

    >>> rotation_of(-90.0), rotation_of(270), rotation_of(-9.2e18)
    (-90, -90, 0)
    """
    if degrees is None or not -360 <= degrees <= 360:
        return 0
    whole = round(degrees) % 360
    return whole - 360 if whole > 180 else whole


def _usual_step(pts: Pts) -> int:
    return int(np.median(np.diff(pts))) if len(pts) > 1 else 0


def _backwards(dts: list[int | None]) -> int:
    """Return how often the decoding times step back: a clock that restarted."""
    known = np.array([time for time in dts if time is not None], dtype=np.int64)
    return int(np.count_nonzero(np.diff(known) < 0))


def _stream_messages(stream: Stream) -> list[Message]:
    found: list[tuple[str, str]] = []
    if stream.start_s is None:
        found.append(("P016", "no timestamps; nothing can be aligned to it"))
    elif not stream.timed:
        found.append(("P018", "no presentation times; frames are counted from the first one"))
    if stream.variable_frame_rate:
        found.append(("P013", "variable frame rate"))
    if stream.gaps:
        missing = sum(gap.missing for gap in stream.gaps)
        where = f"{len(stream.gaps)} gaps, the first at {shown(stream.gaps[0].at_s)} s"
        found.append(("P015", f"{missing} frames missing in {where}"))
    if stream.num_frames_header not in (None, 0, stream.num_frames):
        claim = f"{stream.num_frames_header} frames claimed, {stream.num_frames} counted"
        found.append(("P017", claim))
    if stream.num_repeated:
        found.append(("P020", f"{stream.num_repeated} timestamps repeat"))
    if stream.num_backwards:
        found.append(("P022", f"timestamps step back {stream.num_backwards} times"))
    return [Message(code, f"stream {stream.index}: {text}") for code, text in found]
