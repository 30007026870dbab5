"""Choose the streams, weigh three estimates of the offset, and say whether it can be trusted."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from typing import Literal

from dogclips.alignment.content import Content
from dogclips.alignment.players import AnnotatedIn, shown_in
from dogclips.alignment.timemap import MapPiece, TimeMap
from dogclips.errors import AlignmentError
from dogclips.streams import Message, Stream, StreamTable
from dogclips.timebase import ROUNDING_SLACK_S, Span, shown

Trust = Literal["auto", "timestamps", "frame-count"]
Method = Literal["timestamps", "frame-count", "content", "identity"]

_UNRELATED_S = 10  # both start and end this far apart: not one camera's doing
_LEAST_FRAMES = 20  # of a stream; less shows no motion worth comparing


@dataclass(frozen=True)
class StreamChoice:
    """Which stream the annotator saw, in which player, and which one clips are cut from."""

    reference: int | Literal["auto"] = "auto"
    target: int | Literal["auto", "best"] = "best"
    annotated_in: AnnotatedIn = "chrome"

    def of(self, table: StreamTable) -> tuple[Stream, Stream]:
        """Return the reference and the target stream.

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
        reference, target = self.reference, self.target
        if reference == "auto":
            reference = shown_in(table).get(self.annotated_in, cameras[0].index)
        if target in ("auto", "best"):
            target = max(cameras, key=lambda stream: stream.width * stream.height).index
        return _camera(table, reference), _camera(table, target)


@dataclass(frozen=True)
class Estimates:
    """The offset of a stream to the reference by each way to know it, in seconds.

    An offset above 0 means that the stream's first frame is later than the reference's, in real
    time.

    Parameters
    ----------
    timestamps_s
        The difference of the first timestamps.
    frame_count_s
        The difference of the lengths: the offset if both streams end together. If they begin
        together instead it is 0; frames alone cannot tell which.
    content_s
        What the pixels say; None where nobody asked them or they cannot tell.
    """

    timestamps_s: Fraction
    frame_count_s: Fraction
    content_s: Fraction | None = None


@dataclass(frozen=True, eq=False)
class Alignment:
    """How annotation time becomes frames of the target stream, and why.

    Parameters
    ----------
    method
        Which estimate decides.
    trusted
        Whether clips may be cut by it.
    offset_s, offset_frames
        Of the target's first frame, in seconds and in frames of the target.
    estimates
        All that is known about it.
    content
        What was seen in the pixels; None where nobody looked.
    """

    reference: int
    target: int
    method: Method
    trusted: bool
    offset_s: Fraction
    offset_frames: int
    estimates: Estimates
    time_map: TimeMap
    content: Content | None = None
    messages: tuple[Message, ...] = ()

    @property
    def verified(self) -> bool:
        """Return whether the pixels confirm the map, or one stream leaves nothing to confirm."""
        return self.method in ("identity", "content") or (
            self.method == "timestamps" and self.content is not None and _confirms(self.content)
        )


def estimate(reference: Stream, other: Stream) -> Estimates | None:
    """Return what timestamps and counts say about a stream; None where it has no timestamps."""
    if None in (reference.start_s, reference.end_s, other.start_s, other.end_s):
        return None
    return Estimates(_start(other) - _start(reference), _duration(reference) - _duration(other))


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


def align(
    reference: Stream, target: Stream, *, trust: Trust = "auto", content: Content | None = None
) -> Alignment:
    """Map the reference stream's time to the target stream's frames.

    Pixels that speak clearly decide. Without them, timestamps that differ are believed, because a
    muxer wrote them on purpose, and so are streams of the same start and length. Where both claim
    the same start but differ in length nobody can tell which end is missing: such an alignment is
    not trusted unless `trust` says what to believe.

    Raises
    ------
    AlignmentError
        A stream has no timestamps.
    """
    estimates = estimate(reference, target)
    if estimates is None:
        missing = reference if reference.start_s is None else target
        raise AlignmentError(
            "the stream has no timestamps", where=f"stream {missing.index}", todo="remux it"
        )
    if content is not None and content.confident:
        first = content.pieces[0]
        content_s = _start(target) - first.shift_s - _start(reference)
        estimates = Estimates(estimates.timestamps_s, estimates.frame_count_s, content_s)
    return _Case(reference, target, estimates, content).decide(trust)


@dataclass(frozen=True, eq=False)
class _Case:
    reference: Stream
    target: Stream
    estimates: Estimates
    content: Content | None

    def decide(self, trust: Trust) -> Alignment:
        """Return the verdict: what the user wants, then the pixels, then timestamps."""
        known = self.estimates
        fault = self._fault()
        if trust == "frame-count" and self.target is not self.reference:
            messages = self._against(known.frame_count_s, "`trust` says frame-count")
            return self._shifted("frame-count", known.frame_count_s, *messages)
        if self.content is not None and self.content.confident and self._share_time():
            return self._by_content(self.content, trust)
        if fault is not None:
            return self._by_timestamps(fault, trust)
        if self.target is self.reference:
            return self._shifted("identity", Fraction(0))
        messages = [self._message("P021", _not_verified(self.target, known, self.content))]
        if known.timestamps_s:
            messages.insert(0, self._note("P011", f"{self._start()}; corrected by timestamps"))
        return self._shifted("timestamps", known.timestamps_s, *messages)

    def _restarts(self) -> bool:
        streams = self.reference, self.target
        return any(step.restart for stream in streams for step in stream.steps_back)

    def _share_time(self) -> bool:
        return _overlap(self.reference, self.target) and not self._restarts()

    def _fault(self) -> Message | None:
        """Return why timestamps alone must not be believed, if so."""
        known = self.estimates
        if self._restarts():
            return self._message("P023", "a clock starts anew, so that one time means two moments")
        if _are_unrelated(self.reference, self.target):
            text = f"unrelated clocks, {shown(known.timestamps_s)} s apart; nothing is corrected"
            return self._message("P014", text)
        if may_lie(self.reference, self.target):
            return self._message("P012", _lengths_differ(self.target, known, self.content))
        return None

    def _by_timestamps(self, warning: Message, trust: Trust) -> Alignment:
        """Return an alignment that is trusted only if the user says so."""
        if trust == "auto":
            refusal = "cut refuses unless `trust` says timestamps or frame-count"
            warning = replace(warning, text=f"{warning.text}; {refusal}")
        offset_s = self.estimates.timestamps_s
        return self._shifted("timestamps", offset_s, warning, trusted=trust != "auto")

    def _shifted(
        self, method: Method, offset_s: Fraction, *messages: Message, trusted: bool = True
    ) -> Alignment:
        """Return the alignment by one constant offset."""
        time_map = _offset_map(self.reference, self.target, offset_s)
        if self.content is not None and method == "timestamps":
            time_map = replace(time_map, doubts=self.content.doubts, error_s=self.content.error_s)
        return self._alignment(method, offset_s, time_map, messages, trusted=trusted)

    def _by_content(self, content: Content, trust: Trust) -> Alignment:
        """Return the alignment that the pixels show, unless the user overrules them."""
        timestamps_s = self.estimates.timestamps_s
        messages = [self._message(code, text) for code, text in _oddities(content)]
        if _confirms(content):
            if timestamps_s:
                start = f"{self._start()}; confirmed by the pixels"
                messages.insert(0, self._note("P011", start))
            return self._shifted("timestamps", timestamps_s, *messages)
        if trust == "timestamps":
            against = self._against(timestamps_s, "`trust` says timestamps")
            return self._shifted("timestamps", timestamps_s, *against, *messages)
        messages = [*self._against(timestamps_s, "corrected by the pixels"), *messages]
        first = self.estimates.content_s or Fraction(0)
        begin = _start(self.target)
        pieces = tuple(
            MapPiece(piece.span, piece.span.start + piece.shift_s - begin, 1 + piece.drift)
            for piece in content.pieces
        )
        time_map = TimeMap(pieces, content.doubts, content.error_s)
        return self._alignment("content", first, time_map, messages, trusted=True)

    def _alignment(
        self,
        method: Method,
        offset_s: Fraction,
        time_map: TimeMap,
        messages: Sequence[Message],
        *,
        trusted: bool,
    ) -> Alignment:
        rate = self.target.frame_rate or Fraction(0)
        return Alignment(
            reference=self.reference.index,
            target=self.target.index,
            method=method,
            trusted=trusted,
            offset_s=offset_s,
            offset_frames=round(offset_s * rate),
            estimates=self.estimates,
            time_map=time_map,
            content=self.content,
            messages=tuple(messages),
        )

    def _against(self, offset_s: Fraction, decision: str) -> list[Message]:
        """Return what the pixels say against an offset, and who decided."""
        content_s = self.estimates.content_s
        if content_s is None or abs(content_s - offset_s) <= ROUNDING_SLACK_S:
            return []
        return [self._message("P030", _disagreement(self.target, self.estimates, decision))]

    def _message(self, code: str, text: str) -> Message:
        pair = f"stream {self.target.index}"
        if self.target is not self.reference:
            pair = f"{pair} against stream {self.reference.index}"
        return Message(code, f"{pair}: {text}")

    def _note(self, code: str, text: str) -> Message:
        return replace(self._message(code, text), level="note")

    def _start(self) -> str:
        late_s = self.estimates.timestamps_s
        frames = abs(round(late_s / _frame(self.target)))
        when = "late" if late_s > 0 else "early"
        return f"starts {shown(abs(late_s))} s ({frames} frames) {when}"


def _lengths_differ(target: Stream, known: Estimates, content: Content | None) -> str:
    frames = abs(round(known.frame_count_s / _frame(target)))
    asked = f"; the pixels cannot tell: {content.reason}" if content is not None else ""
    return (
        "both claim the same start, but the lengths differ by"
        f" {shown(abs(known.frame_count_s))} s ({frames} frames), missing at the head, the tail or"
        f" in between{asked}"
    )


def _not_verified(target: Stream, known: Estimates, content: Content | None) -> str:
    asked = f", the pixels cannot tell: {content.reason}" if content is not None else " by pixels"
    unknown_s = abs(known.frame_count_s - known.timestamps_s)
    frames = round(unknown_s / _frame(target))
    off = f"; the lengths leave room for {frames} frames of error" if frames else ""
    return f"by timestamps; not verified{asked}{off}"


def _confirms(content: Content) -> bool:
    """Return whether the pixels clearly show what the timestamps say, from start to end."""
    same = all(piece.shift_s == 0 and not piece.drift for piece in content.pieces)
    return content.confident and same


def _disagreement(target: Stream, known: Estimates, decision: str) -> str:
    frames = round((known.content_s or Fraction(0)) / _frame(target))
    return (
        f"the pixels say that it starts {_signed(known.content_s)} s ({frames:+d} frames) late,"
        f" timestamps {_signed(known.timestamps_s)} s, frame counts"
        f" {_signed(known.frame_count_s)} s; {decision}"
    )


def _oddities(content: Content) -> Iterator[tuple[str, str]]:
    """Yield (code, text) for everything else that the pixels show."""
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


def _signed(value: Fraction | None) -> str:
    return "?" if value is None else f"{float(value):+.3f}"


def _overlap(reference: Stream, target: Stream) -> bool:
    """Return whether two streams are ever on screen at the same container time."""
    late_s = _start(target) - _start(reference)
    return -_duration(target) < late_s < _duration(reference)


def _are_unrelated(reference: Stream, target: Stream) -> bool:
    """Return whether two clocks have nothing to do with each other, as of two TS programmes.

    A camera's stream that starts late still ends with the other one.
    """
    late_s = _start(target) - _start(reference)
    end_s = late_s + _duration(target) - _duration(reference)
    apart = min(late_s, end_s) > _UNRELATED_S or max(late_s, end_s) < -_UNRELATED_S
    return apart or not _overlap(reference, target)


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


def _frame(stream: Stream) -> Fraction:
    return 1 / (stream.frame_rate or Fraction(25))


def _start(stream: Stream) -> Fraction:
    return stream.start_s if stream.start_s is not None else Fraction(0)


def _duration(stream: Stream) -> Fraction:
    return stream.duration_s if stream.duration_s is not None else Fraction(0)
