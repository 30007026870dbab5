"""Choose the streams, weigh three estimates of the offset, and say whether it can be trusted."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from typing import Literal

from dogclips.alignment.content import Content
from dogclips.alignment.players import AnnotatedIn, shown_in
from dogclips.alignment.verification import Verdict
from dogclips.errors import AlignmentError
from dogclips.streams import Message, Stream, StreamTable
from dogclips.timebase import ROUNDING_SLACK_S, Span, shown
from dogclips.wording import counted

Trust = Literal["auto", "timestamps", "frame-count"]
Method = Literal["timestamps", "frame-count", "content", "identity"]

_UNRELATED_S = 10  # both start and end this far apart: not one camera's doing
OTHER_SCENE, OTHER_FILE = "P034", "P060"
_LEAST_FRAMES = 20  # of a stream; less shows no motion worth comparing


@dataclass(frozen=True)
class StreamChoice:
    """Which stream the annotator saw, in which player, and which one clips are cut from."""

    reference: int | Literal["auto"] = "auto"
    target: int | Literal["auto", "best"] = "best"
    annotated_in: AnnotatedIn = "chrome"

    def of(self, table: StreamTable, original: StreamTable | None = None) -> tuple[Stream, Stream]:
        """Return the reference and the target stream; both have to be video streams with frames.

        The target is one of the `original`, if clips are cut from another file.
        """
        return self.seen_in(table), self.cut_from(original or table)

    def seen_in(self, table: StreamTable) -> Stream:
        """Return the stream that the annotator saw."""
        index = self.reference
        if index == "auto":
            cameras = _cameras(table)
            index = shown_in(table).get(self.annotated_in, table.cameras[0].index)
            if cameras[index].num_frames == 1:  # of a still nobody annotates seconds
                index = table.spanning[0].index
        return _camera(table, index)

    def cut_from(self, table: StreamTable) -> Stream:
        """Return the stream that clips are cut from."""
        if isinstance(self.target, int):
            return _camera(table, self.target)
        _cameras(table)
        return max(table.spanning, key=lambda stream: stream.width * stream.height)


def _cameras(table: StreamTable) -> dict[int, Stream]:
    """Return the cameras of a file by index; there is at least one."""
    cameras = {stream.index: stream for stream in table.cameras}
    if not cameras:
        raise AlignmentError(
            "no video stream with frames", where=table.path, todo="check the recording"
        )
    return cameras


def _camera(table: StreamTable, index: int) -> Stream:
    cameras = _cameras(table)
    if index not in cameras:
        raise AlignmentError(
            f"stream {index} is not a video stream with frames",
            where=table.path,
            todo=f"choose one of {', '.join(map(str, cameras))}",
        )
    return cameras[index]


@dataclass(frozen=True)
class Estimates:
    """The offset of a stream to the reference by each way to know it, in seconds.

    An offset above 0 means that the stream's first frame is later than the reference's, in real
    time.
    """

    timestamps_s: Fraction  #: The difference of the first timestamps
    #: The difference of the lengths: the offset if both streams end together. If they begin
    #: together instead it is 0; frames alone cannot tell which.
    frame_count_s: Fraction
    #: What the pixels say; None where nobody asked them or they cannot tell.
    content_s: Fraction | None = None


@dataclass(frozen=True)
class MapPiece:
    """A stretch in which both streams run side by side."""

    reference: Span  #: Container time on the reference stream, in seconds
    #: The same instant as `reference.start`, in seconds since the target's first frame.
    target_start: Fraction
    #: Seconds of the target for each second of the reference; 1 unless a clock drifts.
    scale: Fraction = Fraction(1)

    def __call__(self, reference_s: Fraction) -> Fraction:
        """Map a reference time of this piece."""
        return self.target_start + (reference_s - self.reference.start) * self.scale

    def back(self, target_s: Fraction) -> Fraction:
        """Map a target time of this piece to the reference."""
        return self.reference.start + (target_s - self.target_start) / self.scale


@dataclass(frozen=True)
class TimeMap:
    """Pieces in time order; between two of them the shift between the streams changes."""

    pieces: tuple[MapPiece, ...]  #: At least one; their reference spans do not overlap
    #: Stretches of the reference in which the shift is unknown, in time order.
    doubts: tuple[Span, ...] = ()
    #: Outside of the doubts, no mapped instant is further than this from the true one.
    error_s: Fraction = Fraction(0)

    def to_target(self, reference_s: Fraction) -> Fraction:
        """Return seconds since the target's first frame, exactly.

        Nothing is clamped: before the first piece the result is negative, behind the last one it
        lies past the target's end, and the caller says so.
        """
        begun = (piece for piece in self.pieces[::-1] if piece.reference.start <= reference_s)
        return next(begun, self.pieces[0])(reference_s)

    def to_reference(self, target_s: Fraction) -> Fraction:
        """Return container time on the reference for seconds since the target's first frame.

        The way back of `to_target`, exact within a piece. Where the reference lacks frames that the
        target has, the instant lies between two pieces and belongs to the earlier one.
        """
        begun = (piece for piece in self.pieces[::-1] if piece.target_start <= target_s)
        return next(begun, self.pieces[0]).back(target_s)

    def is_doubtful(self, reference: Span) -> bool:
        """Return whether a stretch of the reference touches one of unknown shift."""
        return any(doubt.overlap(reference) > 0 for doubt in self.doubts)

    def is_broken(self, reference: Span) -> bool:
        """Return whether the shift changes within a stretch: frames of it are missing."""
        changes = (later.reference.start for _, later in pairwise(self.pieces))
        return any(reference.start < change < reference.end for change in changes)


@dataclass(frozen=True, eq=False)
class Alignment:
    """How annotation time becomes frames of the target stream, and why."""

    reference: int
    target: int
    method: Method  #: Which estimate decides
    trusted: bool  #: Whether clips may be cut by it
    #: Of the target's first frame, in seconds and in frames of the target.
    offset_s: Fraction
    offset_frames: int
    estimates: Estimates  #: All that is known about it
    time_map: TimeMap
    content: Content | None = None  #: What was seen in the pixels; None where nothing was compared
    messages: tuple[Message, ...] = ()
    target_start: Fraction | None = None  #: Container time of the target's first frame

    @property
    def verified(self) -> bool:
        """Return whether the pixels confirm the map, or one stream leaves nothing to confirm."""
        return self.method in ("identity", "content") or (
            self.method == "timestamps" and self.content is not None and _confirms(self.content)
        )

    def verdict(self, reference: Span) -> Verdict:
        """Return what the pixels say of the map in a window of the reference's container time."""
        if self.content is None or self.content.evidence is None or self.target_start is None:
            return "not-compared"
        shift_s = self.target_start + self.time_map.to_target(reference.start) - reference.start
        return self.content.evidence.verdict(reference, shift_s)


def estimate(reference: Stream, other: Stream) -> Estimates | None:
    """Return what timestamps and counts say about a stream; None where it has no timestamps."""
    if None in (reference.start_s, reference.end_s, other.start_s, other.end_s):
        return None
    return Estimates(_start(other) - _start(reference), _duration(reference) - _duration(other))


def on_clock_of(reference: Stream, other: Stream) -> Stream:
    """Return a stream of another file as if its first frame came with the reference's.

    The clocks of two files have nothing to do with each other. Times move by whole ticks.
    """
    if reference.start_s is None or other.start_s is None:
        return other
    ticks = round((reference.start_s - other.start_s) / other.time_base)
    end_pts = None if other.end_pts is None else other.end_pts + ticks
    return replace(other, pts=other.pts + ticks, end_pts=end_pts)


def can_be_compared(reference: Stream, target: Stream) -> bool:
    """Return whether there are pixels to compare: two streams that run at the same time."""
    if target is reference or estimate(reference, target) is None:
        return False
    enough = min(len(reference.pts), len(target.pts)) >= _LEAST_FRAMES
    return enough and _overlap(reference, target)


def may_lie(reference: Stream, target: Stream) -> bool:
    """Return whether the timestamps of two streams may hide an offset.

    They do where both claim the same start but differ in length: frames are missing, and nothing
    but the pixels tells where.
    """
    known = estimate(reference, target)
    if known is None or target is reference:
        return False
    return abs(known.timestamps_s) <= _frame(target) < abs(known.frame_count_s)


def align_streams(
    reference: Stream,
    target: Stream,
    *,
    trust: Trust = "auto",
    content: Content | None = None,
    named: bool = False,
    files: tuple[str, str] | None = None,
) -> Alignment:
    """Map the reference stream's time to the target stream's frames.

    Pixels that speak clearly decide. Without them, timestamps that differ are believed, because a
    muxer wrote them on purpose, and so are streams of the same start and length. Where both claim
    the same start but differ in length, it is unknown which end is missing: such an alignment is
    not trusted unless `trust` says what to believe. Two pictures that do not fit are of different
    scenes: a target that was chosen for its size is refused, one that was `named` is not. Where the
    streams are those of two `files`, messages name these, the reference's first.

    Raises
    ------
    AlignmentError
        A stream has no timestamps.
    """
    estimates = estimate(reference, target)
    if estimates is None:
        missing = reference if reference.start_s is None else target
        raise AlignmentError(
            "the stream has no timestamps",
            where=f"stream {missing.index}",
            todo="remux the recording",
        )
    if content is not None and content.confident:
        content_s = estimates.timestamps_s - content.pieces[0].shift_s
        estimates = replace(estimates, content_s=content_s)
    return _Case(reference, target, estimates, content, named, files).decide(trust)


@dataclass(frozen=True, eq=False)
class _Case:
    """Two streams, and all that is known about the offset between them."""

    reference: Stream
    target: Stream
    known: Estimates
    content: Content | None
    named: bool
    files: tuple[str, str] | None = None

    def decide(self, trust: Trust) -> Alignment:
        """Return the verdict: what the user wants, then the pixels, then timestamps."""
        late_s = self.known.timestamps_s
        restart = self._restart()
        if restart is not None:  # whatever `trust` says: no estimate tells the moments apart
            return self._alignment("timestamps", late_s, [restart], trusted=False)
        fault = self._fault()
        shared = _overlap(self.reference, self.target)
        if trust == "frame-count" and self.target is not self.reference:
            offset_s = self.known.frame_count_s
            messages = self._against(offset_s, "`trust` says frame-count")
            return self._alignment("frame-count", offset_s, messages)
        if self.content is not None and self.content.confident and shared:
            return self._by_content(self.content, trust)
        if fault is not None:
            if trust == "auto" and fault.code not in (OTHER_SCENE, OTHER_FILE):
                refusal = "cut refuses unless `trust` says timestamps or frame-count"
                fault = replace(fault, text=f"{fault.text}; {refusal}")
            return self._alignment("timestamps", late_s, [fault], trusted=trust != "auto")
        if self.target is self.reference:
            return self._alignment("identity", Fraction(0), [])
        start = self._late_start("corrected by timestamps")
        return self._alignment("timestamps", late_s, [*start, self._not_verified()])

    def _by_content(self, content: Content, trust: Trust) -> Alignment:
        """Return the alignment that the pixels show, unless the user overrules them."""
        late_s = self.known.timestamps_s
        odd = [self._message(code, text) for code, text in _oddities(content)]
        if _confirms(content):
            start = self._late_start("confirmed by the pixels")
            return self._alignment("timestamps", late_s, [*start, *odd])
        if trust == "timestamps":
            against = self._against(late_s, "`trust` says timestamps")
            return self._alignment("timestamps", late_s, [*against, *odd])
        against = self._against(late_s, "corrected by the pixels")
        begin = _start(self.target)
        pieces = tuple(
            MapPiece(piece.span, piece.span.start + piece.shift_s - begin, 1 + piece.drift)
            for piece in content.pieces
        )
        time_map = TimeMap(pieces, content.doubts, content.error_s)
        first_s = self.known.content_s or Fraction(0)
        return self._alignment("content", first_s, [*against, *odd], time_map=time_map)

    def _alignment(
        self,
        method: Method,
        offset_s: Fraction,
        messages: Sequence[Message],
        *,
        time_map: TimeMap | None = None,
        trusted: bool = True,
    ) -> Alignment:
        """Return the alignment by a map, or by one constant offset."""
        if time_map is None:
            time_map = _offset_map(self.reference, self.target, offset_s)
            if self.content is not None and method == "timestamps":
                doubts, error_s = self.content.doubts, self.content.error_s
                time_map = replace(time_map, doubts=doubts, error_s=error_s)
        return Alignment(
            reference=self.reference.index,
            target=self.target.index,
            method=method,
            trusted=trusted,
            offset_s=offset_s,
            offset_frames=round(offset_s * (self.target.frame_rate or 0)),
            estimates=self.known,
            time_map=time_map,
            content=self.content,
            messages=tuple(messages),
            target_start=self.target.start_s,
        )

    def _restart(self) -> Message | None:
        """Return that a clock starts again, so that a time means two moments."""
        steps = (*self.reference.steps_back, *self.target.steps_back)
        found = next((step for step in steps if step.restart), None)
        if found is None:
            return None
        why = "so that one time means two moments"
        return self._message("P023", f"a clock restarts after {shown(found.from_s)} s, {why}")

    def _fault(self) -> Message | None:
        """Return why timestamps alone must not be believed, if so."""
        if self.files is None and self._are_unrelated():
            apart = shown(self.known.timestamps_s)
            text = f"unrelated clocks, {apart} s apart; nothing is corrected"
            return self._message("P014", text)
        if self.content is not None and self.content.other_scene and not self.named:
            return self._other_scene()
        if not may_lie(self.reference, self.target):
            return None
        asked = f"; the pixels cannot tell: {self.content.reason}" if self.content else ""
        start = "both claim the same start, but the" if self.files is None else "the"
        text = (
            f"{start} lengths differ by"
            f" {shown(abs(self.known.frame_count_s))} s"
            f" ({abs(self._frames(self.known.frame_count_s))} frames), missing at the head, the"
            f" tail or in between{asked}"
        )
        return self._message("P012", text)

    def _other_scene(self) -> Message:
        own, seen = self.target.index, self.reference.index
        if self.files is not None:
            text = "the two files show different scenes, so that one is not a copy of the other"
            return self._message(OTHER_FILE, text)
        choose = f"set target={seen} for the one that was annotated, or target={own}"
        return self._message(OTHER_SCENE, f"the two show different scenes; {choose}")

    def _are_unrelated(self) -> bool:
        """Return whether two clocks have nothing to do with each other, as of two TS programmes.

        A camera's stream that starts late still ends with the other one.
        """
        late_s = self.known.timestamps_s
        end_s = late_s - self.known.frame_count_s
        apart = min(late_s, end_s) > _UNRELATED_S or max(late_s, end_s) < -_UNRELATED_S
        return apart or not _overlap(self.reference, self.target)

    def _not_verified(self) -> Message:
        known, asked = self.known, " by pixels"
        if self.content is not None:
            asked = f", the pixels cannot tell: {self.content.reason}"
        frames = self._frames(abs(known.frame_count_s - known.timestamps_s))
        off = f"; the lengths allow an error of {counted(frames, 'frame')}" if frames else ""
        how = "by timestamps" if self.files is None else "as if both started together"
        return self._message("P021", f"{how}; not verified{asked}{off}")

    def _late_start(self, decision: str) -> list[Message]:
        """Return the note of a start that differs, and what was made of it."""
        late_s = self.known.timestamps_s
        if abs(late_s) <= (0 if self.files is None else ROUNDING_SLACK_S):
            return []
        when = "late" if late_s > 0 else "early"
        text = f"starts {shown(abs(late_s))} s ({abs(self._frames(late_s))} frames) {when}"
        return [replace(self._message("P011", f"{text}; {decision}"), level="note")]

    def _against(self, offset_s: Fraction, decision: str) -> list[Message]:
        """Return what the pixels say against an offset, and who decided."""
        content_s = self.known.content_s
        if content_s is None or abs(content_s - offset_s) <= ROUNDING_SLACK_S:
            return []
        times_s = content_s, self.known.timestamps_s, self.known.frame_count_s
        by_content, by_timestamps, by_count = (f"{float(time_s):+.3f} s" for time_s in times_s)
        frames = f"{self._frames(content_s):+d} frames"
        text = (
            f"the pixels say that it starts {by_content} ({frames}) late, timestamps"
            f" {by_timestamps}, frame counts {by_count}; {decision}"
        )
        return [self._message("P030", text)]

    def _message(self, code: str, text: str) -> Message:
        seen, own = f"stream {self.reference.index}", f"stream {self.target.index}"
        if self.files is not None:
            seen, own = f"{seen} of {self.files[0]}", f"{own} of {self.files[1]}"
        pair = own if self.target is self.reference else f"{own} against {seen}"
        return Message(code, f"{pair}: {text}")

    def _frames(self, time_s: Fraction) -> int:
        return round(time_s / _frame(self.target))


def _confirms(content: Content) -> bool:
    """Return whether the pixels clearly show what the timestamps say, from start to end."""
    same = all(piece.shift_s == 0 and not piece.drift for piece in content.pieces)
    return content.confident and same


def _oddities(content: Content) -> Iterator[tuple[str, str]]:
    """Yield (code, text) for all else that the pixels show."""
    for before, after in pairwise(content.pieces):
        change_s = after.shift_s - before.shift_s
        side = "the reference" if change_s > 0 else "the target"
        between = f"{shown(before.span.end)} and {shown(after.span.start)} s"
        yield "P031", f"{side} lost {shown(abs(change_s))} s of frames between {between}"
    if content.drift_ppm:
        yield "P032", f"its clock runs {content.drift_ppm:+.0f} ppm against the reference's"
    if content.doubts:
        total = shown(sum((doubt.duration for doubt in content.doubts), Fraction(0)))
        first = content.doubts[0]
        where = f"the first from {shown(first.start)} to {shown(first.end)} s"
        yield "P033", f"the shift is in doubt for {total} s in all, {where}"


def _overlap(reference: Stream, target: Stream) -> bool:
    """Return whether two streams are ever on screen at the same container time."""
    late_s = _start(target) - _start(reference)
    return -_duration(target) < late_s < _duration(reference)


def _offset_map(reference: Stream, target: Stream, offset_s: Fraction) -> TimeMap:
    """Return the map for one constant offset, over the stretch in which both streams run."""
    begin = _start(reference) + offset_s  # the reference time of the target's first frame
    both_begin = max(begin, _start(reference))
    both_end = min(begin + _duration(target), _start(reference) + _duration(reference))
    return TimeMap((MapPiece(Span(both_begin, both_end), both_begin - begin),))


def _frame(stream: Stream) -> Fraction:
    return 1 / (stream.frame_rate or Fraction(25))


def _start(stream: Stream) -> Fraction:
    return stream.start_s if stream.start_s is not None else Fraction(0)


def _duration(stream: Stream) -> Fraction:
    return stream.duration_s if stream.duration_s is not None else Fraction(0)
