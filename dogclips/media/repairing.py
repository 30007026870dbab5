"""Copy a recording so that each packet bears the time of its picture; nothing is decoded.

What a player makes of missing or wrong times is its own affair. `pictures` says when each picture
is shown, and here that is written down: then every reader sees the same.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.container import InputContainer, OutputContainer
from numpy.typing import NDArray

from dogclips.errors import MediaError, OutputError
from dogclips.files import whole_file
from dogclips.media.inputs import open_input
from dogclips.media.pictures import Packets, times_of
from dogclips.media.pyavprobe import measure_with_pyav, probe_with_pyav, read_packets
from dogclips.streams import NO_TIME, Stream, StreamTable
from dogclips.timebase import Pts
from dogclips.wording import counted

# Containers that store a time for each packet, with what their muxers need to keep times as they
# are; MP4 rounds the wait before a late stream to ticks of the movie, a millisecond if not told.
_CONTAINERS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    ".mp4": ("mp4", {"movflags": "+faststart", "movie_timescale": "90000"}),
    ".m4v": ("mp4", {"movflags": "+faststart", "movie_timescale": "90000"}),
    ".mov": ("mov", {"movflags": "+faststart", "movie_timescale": "90000"}),
    ".mkv": ("matroska", {"avoid_negative_ts": "disabled"}),
}
SUFFIXES = tuple(_CONTAINERS)
_COPIED = ("video", "audio", "subtitle")
_ROUNDING_S = Fraction(1, 1000)  # Matroska counts milliseconds


@dataclass(frozen=True)
class Change:
    """What is repaired of one stream: the code of what was odd, and what becomes of it."""

    stream: int
    code: str
    text: str


@dataclass(frozen=True)
class Restart:
    """From the container time `at_s` on the original's times were too early by `later_s`."""

    at_s: Fraction
    later_s: Fraction


@dataclass(frozen=True, eq=False)
class Retimed:
    """The packets of a video stream, in file order, with the times that they get."""

    pts: Pts  #: Shape (packets,), in ticks of the stream
    dts: Pts  #: Shape (packets,), ascending, never after `pts`
    joined: NDArray[np.bool_]  #: Shape (packets,): completes the picture of the packet before
    usual: int  #: Ticks from one picture to the next; MP4 hides a last one that has no length


@dataclass(frozen=True, eq=False)
class RepairPlan:
    """What a copy of a recording will be."""

    table: StreamTable  #: The original
    changes: tuple[Change, ...]  #: Empty where nothing can be repaired
    restarts: tuple[Restart, ...] = ()
    retimed: Mapping[int, Retimed] = field(default_factory=dict)
    #: For each stream that is copied how much is added to the time of each packet, in seconds.
    later_s: Mapping[int, tuple[Fraction, ...]] = field(default_factory=dict)


def plan_repair(source: Path) -> RepairPlan:
    """Measure a recording and return what of it a copy would repair."""
    table = probe_with_pyav(source)
    changes = tuple(change for stream in table.cameras for change in _changes(stream))
    if not changes:
        return RepairPlan(table, ())
    packets = read_packets(source)
    restarts, later_s = _continued(table, packets)
    retimed = {
        stream.index: _retimed(stream, packets[stream.index], later_s[stream.index])
        for stream in table.cameras
    }
    return RepairPlan(table, changes, restarts, retimed, later_s)


def write_repaired(plan: RepairPlan, out: Path) -> StreamTable:
    """Write the copy, verify it, and return what it holds.

    Raises
    ------
    OutputError
        The container that the name asks for cannot hold the streams, or the folder refuses.
    MediaError
        The copy would show other frames than the original; it is removed.
    """
    source = plan.table.path
    name, options = _CONTAINERS[out.suffix.lower()]
    with whole_file(out) as part:
        try:
            with (
                open_input(source) as old,
                av.open(str(part), "w", format=name, options=dict(options)) as new,
            ):
                _copy(plan, old, new)
        except (av.FFmpegError, ValueError) as error:
            raise OutputError(
                f"the copy cannot be written: {error}",
                where=out,
                todo="name a file that ends in .mkv, or check the free space",
            ) from error
        made = measure_with_pyav(part)
        fault = _fault(plan, made)
        if fault:
            raise MediaError(f"cannot be repaired: {fault}", where=source, todo="use the original")
    return probe_with_pyav(out)


def _changes(stream: Stream) -> Iterator[Change]:
    """Yield what a copy repairs of a stream."""
    pictures, frames = stream.pictures, counted(stream.num_frames, "frame")
    restarts = sum(step.restart for step in stream.steps_back)
    if restarts:
        yield Change(
            stream.index, "P023", f"the clock goes on after {counted(restarts, 'restart')}"
        )
    if pictures is None:
        return
    if not stream.timed and len(stream.pts):
        yield Change(stream.index, "P018", f"{frames} get presentation times")
    if pictures.num_filled:
        filled = counted(pictures.num_filled, "frame")
        yield Change(stream.index, "P025", f"{filled} get the time that was missing")
    if pictures.reordered and pictures.counted and stream.timed:
        yield Change(
            stream.index, "P026", f"{frames} get times in the order in which they are shown"
        )
    if pictures.num_second_fields:
        fields = counted(pictures.num_second_fields, "picture")
        yield Change(stream.index, "P027", f"{fields} get both fields in one packet")


def _continued(
    table: StreamTable, packets: Mapping[int, Packets]
) -> tuple[tuple[Restart, ...], Mapping[int, tuple[Fraction, ...]]]:
    """Return where clocks restart, and how much later each packet becomes, so that they go on.

    All streams restart together: where the first one does, the next piece begins after all that
    came before, and the others move by as much as it.
    """
    bases = {stream.index: stream.time_base for stream in table.streams}
    restarting = any(step.restart for stream in table.cameras for step in stream.steps_back)
    pieces = {
        index: _pieces(own) if restarting else [range(len(own.pts))]
        for index, own in packets.items()
    }
    later_s, restarts = [Fraction(0)], list[Restart]()
    for number in range(1, max(map(len, pieces.values()), default=1)):
        before = [
            _bounds(packets[i], own[number - 1], bases[i])
            for i, own in pieces.items()
            if len(own) > number
        ]
        after = [
            _bounds(packets[i], own[number], bases[i])
            for i, own in pieces.items()
            if len(own) > number
        ]
        end_s = max(end for _, end in before) + later_s[-1]
        begin_s = min(begin for begin, _ in after)
        restarts.append(Restart(end_s, end_s - begin_s))
        later_s.append(end_s - begin_s)
    return tuple(restarts), {
        index: tuple(late for late, piece in zip(later_s, own, strict=False) for _ in piece)
        for index, own in pieces.items()
    }


def _pieces(packets: Packets) -> list[range]:
    """Return the stretches of packets between which a clock restarts."""
    known = [(n, time) for n, time in enumerate(packets.dts) if time != NO_TIME]
    if not known:
        return [range(len(packets.dts))]
    first = known[0][1]
    edges = [0]
    for (_, before), (number, after) in pairwise(known):
        if after < before and 10 * (after - first) <= before - after:
            edges.append(number)
    return [range(*edge) for edge in pairwise([*edges, len(packets.dts)])]


def _bounds(packets: Packets, piece: range, time_base: Fraction) -> tuple[Fraction, Fraction]:
    """Return when the first packet of a stretch is shown and when the last one ends."""
    times = sorted(time for time in packets.pts[piece.start : piece.stop] if time != NO_TIME)
    if not times:
        return Fraction(0), Fraction(0)
    usual = int(np.median(np.diff(times))) if len(times) > 1 else 1
    return times[0] * time_base, (times[-1] + usual) * time_base


def _retimed(stream: Stream, packets: Packets, later_s: Iterable[Fraction]) -> Retimed:
    count = len(packets.pts)
    joined = np.zeros(count, dtype=bool)
    if stream.pictures is not None and not any(step.restart for step in stream.steps_back):
        places = stream.pictures.index_of
        joined[1:] = (places[1:] == places[:-1]) & (places[1:] >= 0)
        pts = np.where(places >= 0, stream.pts[np.maximum(places, 0)], NO_TIME)
    else:
        stored, decoded = times_of(packets.pts), times_of(packets.dts)
        known = np.where(stored == NO_TIME, decoded, stored)
        moved = np.array([round(late / stream.time_base) for late in later_s], dtype=np.int64)
        pts = np.where(known == NO_TIME, NO_TIME, known + moved)
    pts = _filled_from_next(pts.astype(np.int64))
    steps = np.diff(np.sort(pts[~joined]))
    usual = int(np.median(steps)) if len(steps) else 1
    return Retimed(pts, _decoding_times(pts, joined), joined, max(usual, 1))


def _filled_from_next(pts: Pts) -> Pts:
    """Return times in which a packet without a picture has that of the one it is stored before."""
    known = np.flatnonzero(pts != NO_TIME)
    if not len(known):
        return np.arange(len(pts), dtype=np.int64)
    after = np.minimum(np.searchsorted(known, np.arange(len(pts))), len(known) - 1)
    return pts[known[after]]


def _decoding_times(pts: Pts, joined: NDArray[np.bool_]) -> Pts:
    """Return times that ascend, as muxers want them, none after that of its picture."""
    own = pts[~joined]
    dts = np.sort(own) - int(np.max(np.sort(own) - own, initial=0))
    numbers = np.arange(len(dts))
    # From the last one back, each is at least a tick before the next.
    dts = np.minimum.accumulate((dts - numbers)[::-1])[::-1] + numbers
    return np.repeat(dts, np.diff(np.append(np.flatnonzero(~joined), len(pts))))


def _copy(plan: RepairPlan, old: InputContainer, new: OutputContainer) -> None:
    """Copy packets, with new times where there are some."""
    tracks: dict[int, Any] = {}
    for stream in old.streams:
        if stream.type in _COPIED:
            track: Any = new.add_stream_from_template(stream)
            track.time_base, track.disposition = stream.time_base, stream.disposition
            tracks[stream.index] = track
    numbers = dict.fromkeys(tracks, 0)
    waiting: dict[int, Any] = {}  # a packet that the next one of its stream may complete
    for packet in old.demux([old.streams[index] for index in tracks]):
        index, number = packet.stream_index, numbers[packet.stream_index]
        numbers[index] += packet.size > 0
        retimed = plan.retimed.get(index)
        if retimed is not None and packet.size and retimed.joined[number]:
            waiting[index] = _joined(waiting[index], packet)
        elif packet.size and _place(packet, number, retimed, plan.later_s[index]):
            packet.stream = tracks[index]
            if index in waiting:
                new.mux(waiting[index])
            waiting[index] = packet
    for packet in waiting.values():
        new.mux(packet)


def _joined(first: Any, second: Any) -> Any:
    """Return both fields of a picture as one packet, with the times of the first."""
    whole = av.Packet(bytes(first) + bytes(second))
    whole.pts, whole.dts, whole.time_base = first.pts, first.dts, first.time_base
    whole.duration = first.duration
    whole.is_keyframe, whole.stream = first.is_keyframe, first.stream
    return whole


def _place(
    packet: Any, number: int, retimed: Retimed | None, later_s: tuple[Fraction, ...]
) -> bool:
    """Give a packet its times; return False where it has none, as only sound may."""
    if retimed is not None:
        packet.pts, packet.dts = int(retimed.pts[number]), int(retimed.dts[number])
        packet.duration = retimed.usual
        return True
    if packet.pts is None and packet.dts is None:
        return False
    late = round(later_s[number] / packet.time_base)
    own = packet.pts if packet.pts is not None else packet.dts
    packet.pts, packet.dts = own + late, own + late
    return True


def _fault(plan: RepairPlan, made: StreamTable) -> str:
    """Return in what the frames of a copy differ from what was planned; empty if in nothing."""
    if len(made.cameras) != len(plan.table.cameras):
        return "the copy has other video streams"
    for old, new in zip(plan.table.cameras, made.cameras, strict=True):
        retimed = plan.retimed[old.index]
        unseen = old.pictures.index_of < 0 if old.pictures is not None else retimed.joined
        meant = np.sort(retimed.pts[~(retimed.joined | unseen)])
        off = _furthest(meant, old.time_base, new)
        if off is None or off > _ROUNDING_S / 2:
            return f"stream {old.index} of the copy has other frames"
        looks = [(s.width, s.height, s.pixel_aspect, s.orientation) for s in (old, new)]
        if looks[0] != looks[1]:
            return f"stream {old.index} of the copy looks otherwise"
    return ""


def _furthest(meant: Pts, time_base: Fraction, made: Stream) -> Fraction | None:
    """Return by how much a time differs from what was meant; None if there are other frames."""
    if len(meant) != len(made.pts):
        return None
    pairs = zip(meant.tolist(), made.pts.tolist(), strict=True)
    return max((abs(one * time_base - two * made.time_base) for one, two in pairs), default=None)
