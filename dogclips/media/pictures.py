"""The pictures of a stream: which packets give them, and when each is shown.

In most files every packet is a picture that is shown at the packet's own time. In others it is not:

- VP8 and VP9 store reference pictures that are never shown in packets of their own.
- Recorders of interlaced H.264 write the two fields of a picture as two packets.
- MPEG-4 repeats a picture by a packet that holds none (a VOP "not coded"): the last one is held.
- AVI stores no times. Others store B-frames with the times of their order in the file, leave out
  some times, give the same one twice, or step back a little.
- Dahua's recorders (dhav) store whole seconds, and what FFmpeg adds to them depends on where it
  begins to read: a packet is known by its place in the file only.

There a picture is named by the number of its packet, counted through the stream in file order; its
place follows from what is known of the packets, and here alone. Nothing here opens a file, so that
both probes and the loader come to the same description.
"""

from array import array
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum
from functools import partial
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dogclips.streams import NO_TIME, Pictures, Stream
from dogclips.timebase import Pts

# Where nothing is numbered: recorders leave out so many frames in a row, losses take more.
_LEAST_COUNTED = {"h264": 16}  # pictures until a codec counts from 0 again, at least
_LEFT_OUT = 2
# By how many frames a hole in the times and one in the numbers may lie apart: pictures are stored
# in another order than they are shown.
_REORDERED = 5
# So many holes of unknown parity tell as much as one of odd parity; see `_unlinked`.
_MANY_HOLES = 4

# What has to be looked at: the first bytes of each packet, or what the decoder makes of them; the
# latter only until it is clear that it leaves the order as it is, or to the end; or where each is.
Look = Literal["headers", "decoded", "decoded whole", "positions"]

# Codecs whose packets say in a few bits what they hold, those that number their pictures, those
# whose pictures need no others, and those that show what comes first first.
_HEADED = ("mpeg4", "h263")
_NUMBERED = ("h264", "hevc", "mpeg1video", "mpeg2video")
_ALONE = ("mjpeg", "ffv1", "rawvideo", "dvvideo", "prores", "huffyuv", "jpeg2000", "png")
_IN_ORDER = ("vp8", "vp9", "av1", "mjpeg", "ffv1", "rawvideo", "flv1", "msmpeg4v3", "msmpeg4v2")


NUMBERED_ANEW = 1 << 32


class Role(IntEnum):
    """What a packet is for."""

    PICTURE = 0
    UNSEEN = 1  #: A reference for others, or nothing at all
    SECOND_FIELD = 2  #: Completes the picture of the packet before
    HELD = 3  #: Shows the picture before for longer


@dataclass(frozen=True, eq=False)
class Seen:
    """What the packets themselves say, in file order.

    `order` are the numbers of those that give a picture in the order in which they are shown, where
    that is known. `false_keys` are flagged as keyframes and are none; `torn` need a picture that is
    not there; of `linked` at least half of those that follow a loss would not look as they do.
    `numbers` are those of a codec that counts pictures as they are shown, with NUMBERED_ANEW more
    wherever it begins again; those `between` two others need both, and are stored after both.
    `since` says of each packet how many pictures before it a keyframe has to lie, at least, if one
    was lost.
    `positions` are places in the file in bytes, if times do not name packets.
    """

    roles: NDArray[np.int8]
    order: Pts | None = None
    false_keys: frozenset[int] = frozenset()
    torn: frozenset[int] = frozenset()
    linked: frozenset[int] = frozenset()
    numbers: Pts | None = None
    between: NDArray[np.bool_] | None = None
    since: Pts | None = None
    positions: Pts | None = None


@dataclass
class Packets:
    """The times of one stream's packets, in file order; hidden ones are decoded and not shown.

    A day holds millions of packets: numbers lie side by side, NO_TIME where there is none.
    """

    pts: "array[int]" = field(default_factory=partial(array, "q"))
    dts: "array[int]" = field(default_factory=partial(array, "q"))
    #: Numbers of those that an edit list hides, and of those flagged as keyframes.
    hidden: "array[int]" = field(default_factory=partial(array, "q"))
    keys: "array[int]" = field(default_factory=partial(array, "q"))

    def add(self, pts: int | None, dts: int | None, *, hidden: bool, key: bool) -> None:
        """Append one packet."""
        if hidden:
            self.hidden.append(len(self.pts))
        if key:
            self.keys.append(len(self.pts))
        self.pts.append(NO_TIME if pts is None else pts)
        self.dts.append(NO_TIME if dts is None else dts)

    @property
    def shown(self) -> Pts:
        """Return the numbers of the packets that no edit list hides."""
        numbers = np.arange(len(self.pts), dtype=np.int64)
        return np.delete(numbers, self.hidden) if self.hidden else numbers


class Described(NamedTuple):
    """When a stream's pictures are shown."""

    pts: Pts  #: Of each picture, ascending; empty where there are no times
    num_pictures: int
    num_repeated: int  #: How many have the time of another one
    num_hidden: int  #: How many more an edit list hides
    timed: bool  #: Packets carry presentation times
    pictures: Pictures | None  #: None where each packet is a picture of its own time


@dataclass(frozen=True)
class Head:
    """What the heads of a stream and its container say."""

    codec: str
    reorders: bool  #: Pictures may be stored in another order than they are shown
    progressive: bool  #: Pictures are known to have no fields
    container: str

    @property
    def counted(self) -> bool:
        """Return whether there are no times, but the order of packets (AVI)."""
        return self.container == "avi"

    @property
    def guessed(self) -> bool:
        """Return whether times are stored for some packets only, and read with guesses between.

        What FFmpeg guesses in a program stream depends on where it begins to read.
        """
        return self.container == "mpeg"

    @property
    def placed(self) -> bool:
        """Return whether times after a seek are not those of reading the whole file."""
        return self.container == "dhav"


def describe(packets: Packets, head: Head, look: Callable[[Look], Seen | None]) -> Described:
    """Return the pictures of a stream; `look` is asked only where times of packets cannot tell."""
    pts, shown = times_of(packets.pts), packets.shown
    kind = look_for(pts, head)
    seen = look(kind) if kind else None
    if seen is not None and kind == "headers" and seen.order is None and _steps_back(pts, head):
        decoded = look("decoded whole")
        seen = replace(seen, order=decoded.order if decoded is not None else None)
    if seen is not None and len(seen.roles) != len(pts):
        seen = None  # two versions of FFmpeg part the file in two ways
    own = np.sort(pts[shown])
    repeated = _repeated(own)
    ascends = _ascends(pts)
    unlike = seen is not None and seen.order is not None and not _ascends(seen.order)
    ordered = not unlike if ascends else head.reorders
    named = not (head.counted or head.guessed or NO_TIME in own or repeated)
    if named and ordered and not _tells(seen):
        return Described(own, len(own), 0, len(packets.hidden), True, None)
    return _described(packets, head, seen)


def look_for(pts: Pts, head: Head) -> Look | None:
    """Return what has to be looked at to know the pictures; None if their times tell."""
    return _look_for(pts, head) or ("positions" if head.placed else None)


def _look_for(pts: Pts, head: Head) -> Look | None:
    codec, gaps = head.codec, NO_TIME in pts
    # Times that are guessed tell no order.
    ordered = head.guessed and codec in ("mpeg1video", "mpeg2video")
    if codec in _HEADED or ordered or (codec == "h264" and not head.progressive):
        return "headers"
    if codec in ("vp8", "vp9") and _is_uneven(pts):
        return "headers"
    if codec in _IN_ORDER or len(pts) < 2 or not (head.counted or (pts != NO_TIME).any()):
        return None
    # B-frames whose times are those of the file's order, or that have none.
    if head.reorders:
        return "decoded" if head.counted or gaps or _ascends(pts) else None
    return "decoded whole" if _steps_back(pts, head) else None


def _steps_back(pts: Pts, head: Head) -> bool:
    """Return whether times step back although the head of the stream says that none should.

    Heads err: FFmpeg knows of no B-frames where a stream begins long after another one. And clocks
    do step back. Only a decoder tells the two apart.
    """
    if head.reorders or head.counted or head.codec in _IN_ORDER or NO_TIME in pts:
        return False
    return not _ascends(pts) and not _restarts(pts)


def torn_pictures(
    stream: Stream, packets: Packets, look: Callable[[Look], Seen | None]
) -> tuple[range, ...]:
    """Return which pictures may show what is lost: from a hole to the next keyframe.

    A recorder may also leave out pictures before it encodes the others, which then need none of
    them. Most codecs number their pictures, and MPEG-4 makes them take turns, so that both are told
    apart. Elsewhere more than a few missing frames in a constant rate are taken for a loss. AVI
    stores nothing for a picture that is left out.
    """
    if not stream.timed or stream.codec in _ALONE:
        return ()
    holes = _holes(stream)
    if not holes:
        return ()
    places = _places(stream, packets)
    keys = packets.keys if stream.pictures is None else stream.pictures.keys[:, 0].tolist()
    torn = _torn(stream, holes, places, np.array([*keys, len(places)]), look)
    spans = _up_to_keyframe(places, torn, np.array([*keys, len(places)]), len(stream.pts))
    return tuple(_joined(sorted(spans, key=lambda span: span.start)))


def _joined(spans: Iterable[range]) -> Iterator[range]:
    """Yield spans in order, those that overlap as one."""
    last: range | None = None
    for span in spans:
        if last is not None and span.start < last.stop:
            last = range(last.start, max(last.stop, span.stop))
            continue
        if last is not None:
            yield last
        last = span
    if last is not None:
        yield last


def _holes(stream: Stream) -> list[tuple[int, int]]:
    """Return the index of the frame after each hole, and how many are missing there."""
    if not stream.variable_frame_rate:
        gaps = [gap for gap in stream.gaps if not gap.jump]
        times = [int(gap.at_s / stream.time_base) for gap in gaps]
        places = np.searchsorted(stream.pts, times).tolist()
        return [(place, gap.missing) for place, gap in zip(places, gaps, strict=True)]
    usual = stream.step_s / stream.time_base
    jumps = {gap.at_s for gap in stream.gaps if gap.jump}
    missing = np.rint(np.diff(stream.pts) / float(usual)).astype(np.int64) - 1
    found = np.flatnonzero(missing > 0).tolist()
    return [(n + 1, int(missing[n])) for n in found if stream.frame_time(n + 1) not in jumps]


def _torn(
    stream: Stream,
    holes: Sequence[tuple[int, int]],
    places: Pts,
    keys: Pts,
    look: Callable[[Look], Seen | None],
) -> list[tuple[int, int | None]]:
    """Return the first packet after each loss, with the picture that is shown right after it.

    That one may be stored behind a keyframe, and need what is lost; None where it cannot.
    """
    after = [(int(np.argmax(places >= index)), missing) for index, missing in holes]
    constant = not stream.variable_frame_rate
    if stream.codec not in (*_NUMBERED, "mpeg4"):
        shown = zip(after, holes, strict=True)
        return [
            (number, index)
            for (number, missing), (index, _) in shown
            if constant and missing > _LEFT_OUT
        ]
    seen = look("headers")
    if seen is None or len(seen.roles) != len(places):
        return []
    if seen.numbers is not None and seen.between is not None:
        return list(_skipped(after, holes, places, seen.numbers, seen.between))
    around = np.array([index for index, _ in holes])
    torn: dict[int, int | None] = {
        number: None
        for number in sorted(seen.torn)
        if np.abs(around - places[number]).min() <= _REORDERED
    }
    if constant:
        unlinked = set(_without_key(after, keys, seen, _LEAST_COUNTED.get(stream.codec, 0)))
        if stream.codec == "mpeg4":
            unlinked |= set(_unlinked(after, seen, lost=bool(torn), ordered=seen.order is None))
        shown = zip(after, holes, strict=True)
        torn |= {number: index for (number, _), (index, _) in shown if number in unlinked}
    return sorted(torn.items(), key=lambda item: item[0])


def _skipped(
    after: Sequence[tuple[int, int]],
    holes: Sequence[tuple[int, int]],
    places: Pts,
    numbers: Pts,
    between: NDArray[np.bool_],
) -> Iterator[tuple[int, int | None]]:
    """Yield the first packet after each hole in the times that is one in the numbers, too.

    If what is shown last before it lies between two others, the second of these is lost: at the end
    of a sequence nothing else tells. All that is stored after the first one is torn.
    """
    order = np.argsort(places, kind="stable")
    shown = order[np.count_nonzero(places < 0) :]
    steps = np.diff(numbers[shown])
    counted = steps[np.abs(steps) < NUMBERED_ANEW // 2]
    usual = int(np.median(counted)) if len(counted) else 1
    for (number, _), (index, _) in zip(after, holes, strict=True):
        before = shown[:index]
        anew = abs(steps[index - 1]) >= NUMBERED_ANEW // 2
        if between[before[-1]]:
            needed = before[~between[before]]
            first = int(needed[-1]) + 1 if len(needed) else 0
        else:
            first = number
        if bool(between[before[-1]]) if anew else steps[index - 1] != usual:
            yield (number, index) if number <= first else (first, None)


def _without_key(
    after: Sequence[tuple[int, int]], keys: Pts, seen: Seen, counted: int
) -> Iterator[int]:
    """Yield the packets after holes that may have lost a keyframe.

    Behind it counting begins again, and can go on by chance as if nothing had been lost. That is
    told from a group of pictures that is longer than any whole one without a hole. Where there is
    none, it is only believed of few pictures out of at least so many that are `counted`.
    """
    if seen.since is None:
        return
    sizes, missing = np.diff(keys), dict(after)
    groups = {
        number: int(np.searchsorted(keys, number, side="right")) - 1
        for number in missing
        if seen.since[number] <= missing[number]
    }
    whole = np.setdiff1d(np.arange(len(sizes) - 1), list(groups.values()))
    longest = sizes[whole].max(initial=0)
    for number, group in groups.items():
        told = longest > 0 or missing[number] < counted
        if told and (group < 0 or sizes[group] > longest):
            yield number


def _unlinked(
    after: Sequence[tuple[int, int]], seen: Seen, *, lost: bool, ordered: bool
) -> list[int]:
    """Return the packets after holes, unless it is clear that nothing is lost there.

    In MPEG-4 the pictures between keyframes take turns in how they round. If an odd number of them
    is lost, two in a row round alike; of an even number nothing tells but how other holes are.
    """
    linked = [(number, missing) for number, missing in after if number in seen.linked]
    clear = sum(missing % 2 for _, missing in linked) if ordered else len(linked) // _MANY_HOLES
    if clear and not lost:
        return []
    sure = {number for number, missing in linked if ordered and missing % 2}
    return [number for number, _ in after if number not in sure]


def keyframes_of(stream: Stream, packets: Packets) -> Pts:
    """Return the indices of the pictures that reading may begin with."""
    if stream.pictures is not None:
        found = stream.pictures.index_of[stream.pictures.keys[:, 0]].astype(np.int64)
    else:
        shown = np.setdiff1d(packets.keys, packets.hidden).astype(np.int64)
        found = np.searchsorted(stream.pts, times_of(packets.pts)[shown])
    return np.unique(found[found >= 0])


def _places(stream: Stream, packets: Packets) -> Pts:
    """Return the index of each packet's picture, negative for none."""
    if stream.pictures is not None:
        return stream.pictures.index_of.astype(np.int64)
    places = np.searchsorted(stream.pts, times_of(packets.pts))
    places[packets.hidden] = -1
    return places


def _up_to_keyframe(
    places: Pts, torn: Iterable[tuple[int, int | None]], keys: Pts, count: int
) -> Iterator[range]:
    """Yield the pictures from each of these packets to the next keyframe after it in the file.

    A packet comes with what is shown right after the hole, where that may be stored elsewhere.
    """
    for number, first in torn:
        stop = int(keys[np.searchsorted(keys, number)])
        end = int(places[stop]) if stop < len(places) else count
        own = places[number:stop]
        begin = min([*own[own >= 0].tolist(), end if first is None else first])
        if begin < end:
            yield range(begin, end)


def _tells(seen: Seen | None) -> bool:
    """Return whether a look has found what times alone do not say."""
    if seen is None:
        return False
    return bool(seen.roles.any()) or bool(seen.false_keys) or seen.positions is not None


def _ascends(times: Pts) -> bool:
    """Return whether no known time is before an earlier one."""
    known = times[times != NO_TIME]
    return bool(np.all(known[1:] >= known[:-1]))


def _is_uneven(pts: Pts) -> bool:
    """Return whether some times are missing, or much closer to each other than usual."""
    if NO_TIME in pts or len(pts) < 3:
        return NO_TIME in pts
    steps = np.diff(np.sort(pts))
    return bool(2 * steps.min() < np.median(steps))


def _described(packets: Packets, head: Head, seen: Seen | None) -> Described:
    count, shown = len(packets.pts), packets.shown
    roles = seen.roles if seen is not None else np.zeros(count, dtype=np.int8)
    gives = (roles == Role.PICTURE) | (roles == Role.HELD)
    numbers = shown[gives[shown]]
    pts, dts = times_of(packets.pts), times_of(packets.dts)
    timed = not head.counted and bool((pts[numbers] != NO_TIME).any())
    stored = pts if timed else dts
    # Times of the order in the file say nothing about another order.
    ranked = not timed or (_ascends(pts[numbers]) and _is_of_file(pts[numbers], dts[numbers]))
    order = _order(numbers, stored, packets.keys, head, seen)
    times = stored[order]
    repeated = _repeated(np.sort(times))
    filled = int(np.count_nonzero(times == NO_TIME))
    if filled == len(times):
        times, filled = np.empty(0, dtype=np.int64), 0
    else:
        if ranked:
            times = times[np.argsort(order, kind="stable")]
        # Nothing is shown before what came before it.
        times = np.maximum.accumulate(_filled(times) if filled else times)
        if head.guessed and (even := _even(times)) is not None:
            times, repeated = even, 0
    keys = _marks(packets, stored, roles, () if seen is None else seen.false_keys)
    positions = None if seen is None else seen.positions
    pictures = Pictures(
        index_of=_indices(order, roles),
        keys=keys,
        positions=None if positions is None else positions[keys[:, 0]],
        timed=timed,
        held=np.flatnonzero(roles[order] == Role.HELD),
        num_filled=filled if timed and not head.guessed else 0,
        num_unseen=int(np.count_nonzero(roles[shown] == Role.UNSEEN)),
        num_second_fields=int(np.count_nonzero(roles == Role.SECOND_FIELD)),
        reordered=not _ascends(order),
        counted=ranked,
        moved=not head.counted or bool(roles.any()) or 0 not in packets.keys,
    )
    num_hidden = int(np.count_nonzero(gives[packets.hidden]))
    return Described(times, len(order), repeated, num_hidden, timed, pictures)


def _repeated(times: Pts) -> int:
    """Return how many of the sorted times are those of another one."""
    return int(np.count_nonzero((np.diff(times) == 0) & (times[1:] != NO_TIME)))


def _is_of_file(pts: Pts, dts: Pts) -> bool:
    """Return whether times tell the order in the file: all of them, or as far as they are known."""
    both = (pts != NO_TIME) & (dts != NO_TIME)
    return not (pts == NO_TIME).any() or bool(both.any() and np.all(pts[both] == dts[both]))


def _order(numbers: Pts, stored: Pts, keys: Sequence[int], head: Head, seen: Seen | None) -> Pts:
    """Return the numbers of the packets that give pictures, in the order shown."""
    times = stored[numbers]
    stated = not (head.counted or head.guessed or NO_TIME in times or _ascends(times))
    known = head.reorders and stated
    if seen is not None and seen.order is not None and not known:
        return _without_lost(seen.order[np.isin(seen.order, numbers)], numbers, keys)
    if NO_TIME not in times and (head.reorders or _restarts(times)):
        return numbers[np.argsort(times, kind="stable")]
    return numbers


def _without_lost(order: Pts, numbers: Pts, keys: Sequence[int]) -> Pts:
    """Return the order shown with the pictures that a decoder did not give.

    Before its first picture nothing decodes, and all of it is shown earlier. Where it gives fewer
    later on, the places of those around are unknown: the whole group is left out.
    """
    lost = np.setdiff1d(numbers, order)
    if not len(order) or not len(lost):
        return order if len(order) else numbers
    begin = order.min()
    starts = np.array(keys, dtype=np.int64)
    bad = np.searchsorted(starts, lost[lost > begin], side="right")
    kept = ~np.isin(np.searchsorted(starts, order, side="right"), bad)
    return np.concatenate([lost[lost < begin], order[kept]])


def _indices(order: Pts, roles: NDArray[np.int8]) -> NDArray[np.int32]:
    """Return the place of each packet's picture; what is not shown is before all that is."""
    index_of = np.arange(-len(roles), 0, dtype=np.int32)
    index_of[order] = np.arange(len(order))
    seconds = np.flatnonzero(roles == Role.SECOND_FIELD)
    index_of[seconds] = index_of[seconds - 1]
    return index_of


def _marks(
    packets: Packets, stored: Pts, roles: NDArray[np.int8], false_keys: Collection[int]
) -> Pts:
    """Return number and time of each keyframe that is one."""
    flagged = (key for key in packets.keys if key not in false_keys)
    keys = np.array([key for key in flagged if roles[key] == Role.PICTURE], dtype=np.int64)
    return np.stack([keys, stored[keys]], axis=1)


def _restarts(times: Pts) -> bool:
    """Return whether a clock goes back so far that moments share their time."""
    known = times[times != NO_TIME]
    if len(known) < 2:
        return False
    back = int((np.maximum.accumulate(known) - known).max())
    return 10 * back > int(known.max() - known.min())


def _filled(times: Pts) -> Pts:
    """Return times with those that are missing between their neighbours, at the usual step."""
    known = np.flatnonzero(times != NO_TIME)
    places = np.arange(len(times))
    found = np.interp(places, known, times[known])
    steps = np.diff(times[known]) / np.diff(known)
    usual = float(np.median(steps)) if len(steps) else 1.0
    before, after = places < known[0], places > known[-1]
    found[before] += (places[before] - known[0]) * usual
    found[after] += (places[after] - known[-1]) * usual
    return np.rint(found).astype(np.int64)


def _even(times: Pts) -> Pts | None:
    """Return guessed times at their usual distance, if that fills the time from first to last."""
    steps = np.diff(times)
    usual = int(np.median(steps)) if len(steps) else 0
    even = times[:1] + usual * np.arange(len(times))
    return even if usual > 0 and abs(int(even[-1] - times[-1])) <= usual else None


def times_of(times: "array[int]") -> Pts:
    """Return times that are complete, in the memory that they lie in."""
    return np.frombuffer(times, dtype=np.int64)
