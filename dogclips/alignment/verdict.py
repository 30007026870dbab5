"""Choose the streams, estimate the offset between them, and say whether it can be trusted."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from dogclips.alignment.players import AnnotatedIn, shown_in
from dogclips.alignment.timemap import MapPiece, TimeMap
from dogclips.errors import AlignmentError
from dogclips.streams import Message, Stream, StreamTable
from dogclips.timebase import Span, shown

Trust = Literal["auto", "timestamps", "frame-count"]
Method = Literal["timestamps", "frame-count", "identity"]


@dataclass(frozen=True)
class Alignment:
    """How annotation time becomes frames of the target stream, and why.

    `offset_s` > 0: the target starts later than the reference, in real time. `frame_count_s` is
    the offset if both streams end together: the difference of their lengths.
    """

    reference: int
    target: int
    method: Method
    trusted: bool
    offset_s: Fraction
    offset_frames: int
    timestamps_s: Fraction
    frame_count_s: Fraction
    time_map: TimeMap
    messages: tuple[Message, ...] = ()


def choose_streams(
    table: StreamTable,
    *,
    reference: int | Literal["auto"] = "auto",
    target: int | Literal["auto", "best"] = "best",
    annotated_in: AnnotatedIn = "chrome",
) -> tuple[Stream, Stream]:
    """Return the stream that the annotator saw and the one that clips are cut from.

    Raises
    ------
    AlignmentError
        There is no video stream, or the wanted index is not one.
    """
    cameras = table.cameras
    if not cameras:
        raise AlignmentError(
            "no video stream with frames", where=table.path, todo="check the recording"
        )
    if reference == "auto":
        reference = shown_in(table).get(annotated_in, cameras[0].index)
    if target in ("auto", "best"):
        target = max(cameras, key=lambda stream: stream.width * stream.height).index
    return _camera(table, reference), _camera(table, target)


def align(reference: Stream, target: Stream, *, trust: Trust = "auto") -> Alignment:
    """Map the reference stream's time to the target stream's frames.

    The timestamps of one container share a clock, so a stream that starts at pts 0.5 s starts
    half a second later. Only where both claim the same start but differ in length can timestamps
    lie, and then neither they nor the frame counts tell which end is missing: such an alignment
    is not trusted unless `trust` says which to believe.

    Raises
    ------
    AlignmentError
        A stream has no timestamps.
    """
    for stream in (reference, target):
        if stream.start_s is None or stream.duration_s is None:
            raise AlignmentError(
                "the stream has no timestamps", where=f"stream {stream.index}", todo="remux it"
            )
    timestamps_s = _start(target) - _start(reference)
    frame_count_s = _duration(reference) - _duration(target)
    use_counts = trust == "frame-count" and target is not reference
    offset_s = frame_count_s if use_counts else timestamps_s
    trusted, messages = _verdict(reference, target, timestamps_s, frame_count_s)
    method: Method = "frame-count" if use_counts else "timestamps"
    rate = target.frame_rate or Fraction(0)
    return Alignment(
        reference=reference.index,
        target=target.index,
        method="identity" if target is reference else method,
        trusted=trusted or trust != "auto",
        offset_s=offset_s,
        offset_frames=round(offset_s * rate),
        timestamps_s=timestamps_s,
        frame_count_s=frame_count_s,
        time_map=_offset_map(reference, target, offset_s),
        messages=messages,
    )


def _verdict(
    reference: Stream, target: Stream, timestamps_s: Fraction, frame_count_s: Fraction
) -> tuple[bool, tuple[Message, ...]]:
    if target is reference:
        return True, ()
    frame_s = 1 / (target.frame_rate or Fraction(25))
    pair = f"stream {target.index} against stream {reference.index}"
    if timestamps_s >= _duration(reference) or -timestamps_s >= _duration(target):
        return False, (Message("P014", f"{pair}: unrelated clocks, never at the same time"),)
    if timestamps_s != 0:
        frames = round(timestamps_s / frame_s)
        when = "late" if timestamps_s > 0 else "early"
        text = f"{pair}: starts {shown(abs(timestamps_s))} s ({abs(frames)} frames) {when}"
        return True, (Message("P011", f"{text}; corrected by timestamps"),)
    if abs(frame_count_s) > frame_s:
        text = (
            f"{pair}: both claim the same start, but the lengths differ by "
            f"{shown(abs(frame_count_s))} s ({abs(round(frame_count_s / frame_s))} frames): nobody"
            " can tell which end is missing; cut refuses unless `trust` says timestamps or"
            " frame-count"
        )
        return False, (Message("P012", text),)
    return True, (Message("P021", f"{pair}: same start and length; not verified by pixels"),)


def _offset_map(reference: Stream, target: Stream, offset_s: Fraction) -> TimeMap:
    """Return the map for one constant offset, over the stretch in which both streams run."""
    begin = _start(reference) + offset_s  # the reference time of the target's first frame
    both_begin = max(begin, _start(reference))
    both_end = min(begin + _duration(target), _start(reference) + _duration(reference))
    return TimeMap((MapPiece(Span(both_begin, both_end), both_begin - begin),))


def _camera(table: StreamTable, index: int | str) -> Stream:
    for stream in table.cameras:
        if stream.index == index:
            return stream
    cameras = ", ".join(str(stream.index) for stream in table.cameras)
    raise AlignmentError(
        f"stream {index} is no video stream with frames",
        where=table.path,
        todo=f"choose one of {cameras}",
    )


def _start(stream: Stream) -> Fraction:
    return stream.start_s if stream.start_s is not None else Fraction(0)


def _duration(stream: Stream) -> Fraction:
    return stream.duration_s if stream.duration_s is not None else Fraction(0)
