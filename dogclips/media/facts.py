"""From the facts and packets that either probe reads to the stream table both must give.

What is odd about a file is said by a code for scripts (`codes.MESSAGES`) and a line for people. All
but the codes of the alignment follow from measured packets, so that both probes agree on them.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np

from dogclips.codes import MESSAGES
from dogclips.media.pictures import (
    Head,
    Look,
    Packets,
    Seen,
    describe,
    keyframes_of,
    times_of,
    torn_pictures,
)
from dogclips.streams import (
    NO_TIME,
    UPRIGHT,
    Message,
    Orientation,
    StepBack,
    Stream,
    StreamTable,
)
from dogclips.timebase import Pts, shown

# H.264 and H.265 reorder over at most 16 frames; encoders in use over 2 to 4.
_MAX_DELAY_FRAMES = 5
_PRIMING_S = Fraction(50, 1000)
# A clock that steps back to within this share of the step from its start has started anew.
_RESTART_SHARE = Fraction(1, 10)
_RATE_ASSUMED = "mjpeg"  # pictures one after the other, and nothing else
# Where the right end of a row goes, by the number of quarter turns; y points down.
_EAST = ((1, 0), (0, -1), (-1, 0), (0, 1))
_ANGLE = math.radians(1)  # what a matrix may lack of a quarter turn, as players see it
_Finding = tuple[str, str]  # code and text


def measured(
    packets: Packets,
    container: str,
    look: Callable[[Look], Seen | None],
    *,
    time_base: Fraction,
    reorders: bool = False,
    progressive: bool = True,
    **facts: Any,
) -> Stream:
    """Return the stream with these facts, its counts and times measured from its packets.

    AVI stores no presentation times; what a demuxer offers in their place depends on its version
    (2 of 3 missing in FFmpeg 5, one frame late in FFmpeg 8). It counts frames, so the sorted
    decoding times are the frames' order and presentation only permutes them.

    A frame lasts until the next one and the last one as long as the usual one: what containers
    say of the last duration differs by up to half a frame between versions of FFmpeg. A single one
    lasts a tick.

    `look` reads what the packets themselves say, where their times cannot tell which pictures there
    are.
    """
    video = facts["type"] == "video" and not facts["attached_picture"]
    codec = facts["codec"] if video else ""
    head = Head(codec, reorders, progressive, container)
    found = describe(packets, head, look if video else lambda _: None)
    pts = found.pts
    steps = np.diff(pts)
    steps_back = _steps_back(times_of(packets.dts), time_base)
    if head.guessed:  # what steps back a little is a guess
        steps_back = tuple(step for step in steps_back if step.restart)
    usual = int(np.median(steps)) if len(steps) else 1
    own = times_of(packets.pts)
    known = own[packets.shown]
    hidden = own[packets.hidden] if packets.hidden else own[:0]
    stream = Stream(
        **facts,
        time_base=time_base,
        num_frames=found.num_pictures,
        timed=found.timed,
        pts=pts,
        end_pts=int(pts[-1]) + usual if len(pts) else None,
        num_repeated=found.num_repeated,
        steps_back=steps_back,
        # Wherever the clock steps back, presentation times do as well.
        reordered=found.timed and _steps_down(known) > len(steps_back),
        hidden_start_pts=min(hidden[hidden != NO_TIME].tolist(), default=None),
        num_hidden=found.num_hidden,
        first_pts=next(iter(known[known != NO_TIME].tolist()), None) if found.timed else None,
        pictures=found.pictures if video else None,
    )
    claimed = stream.num_frames_header or 0
    if stream.pictures is not None and head.counted and claimed > len(packets.pts):
        stream = replace(stream, pictures=replace(stream.pictures, whole=False))
    if stream.pictures is not None and stream.pictures.num_second_fields:
        stream = replace(stream, interlaced=True)  # whatever its head says
    if not video:
        return stream
    torn = torn_pictures(stream, packets, look)
    return replace(stream, torn=torn, keyframes=keyframes_of(stream, packets))


def is_deep_grey(pixel_format: str) -> bool:
    """Return whether pictures hold more than 8 bits of grey and no colour, as of heat cameras.

    >>> [is_deep_grey(name) for name in ("gray", "gray16le", "gray10be", "yuv420p10le")]
    [False, True, True, False]
    """
    return pixel_format.startswith("gray") and pixel_format != "gray"


def with_messages(table: StreamTable) -> StreamTable:
    """Return the table with a message for all that a user should know."""
    found = [*_of_file(table)]
    for stream in table.streams:
        found.extend(_of_stream(stream, table))
    return replace(table, messages=(*table.messages, *found))


def orientation_of(matrix: Sequence[int]) -> Orientation:
    """Return what a display matrix asks for: `a b u c d v x y w`, as ISO/IEC 14496-12 stores it.

    A matrix that is broken, or turns by no quarter, asks for nothing.

    >>> orientation_of([-65536, 0, 0, 0, 65536, 0, 0, 0, 1 << 30])
    Orientation(turns=0, mirrored=True)
    """
    a, b, c, d = (float(matrix[place]) for place in (0, 1, 3, 4))
    if math.hypot(a, b) == 0 or math.hypot(c, d) == 0:
        return UPRIGHT
    mirrored = a * d < b * c
    right = (-a, -b) if mirrored else (a, b)
    for turns, (x, y) in enumerate(_EAST):
        aside = math.atan2(x * right[1] - y * right[0], x * right[0] + y * right[1])
        if abs(aside) < _ANGLE:
            return Orientation(turns, mirrored)
    return UPRIGHT


def _steps_down(times: Pts) -> int:
    """Return how often a time is before that of the packet before."""
    known = times[times != NO_TIME]
    return int(np.count_nonzero(np.diff(known) < 0))


def _steps_back(dts: Pts, time_base: Fraction) -> tuple[StepBack, ...]:
    """Return where the decoding times step back; presentation times do with every B-frame."""
    known = dts[dts != NO_TIME]
    steps = np.flatnonzero(np.diff(known) < 0).tolist()
    return tuple(
        StepBack(
            before * time_base,
            after * time_base,
            restart=after - int(known[0]) <= _RESTART_SHARE * (before - after),
        )
        for before, after in ((int(known[i]), int(known[i + 1])) for i in steps)
    )


def _of_file(table: StreamTable) -> Iterator[Message]:
    """Yield what concerns all streams: there is none to see, or none starts at 0."""
    if not table.cameras:
        yield Message("P002", "no video stream with frames")
        return
    if table.format == _RATE_ASSUMED:
        what = "the file stores no times: 25 frames per second are assumed, as players do"
        yield Message("P040", what)
    streams = (*table.cameras, *(stream for stream in table.streams if stream.type == "audio"))
    first_s = min((stream.start_s for stream in streams if stream.start_s is not None), default=0)
    camera = table.cameras[0]
    delayed = camera.start_s == first_s and _delay_frames(camera)
    if first_s > Fraction(3, 2) * _frame_s(camera) and not delayed and not camera.steps_back:
        late = f"the whole file starts at {shown(Fraction(first_s))} s, not at 0"
        yield Message("P004", f"{late}: players differ in what they call 0", "note")


def _of_stream(stream: Stream, table: StreamTable) -> Iterator[Message]:
    """Yield what concerns one stream, and name it."""
    if stream.attached_picture:
        found: Iterable[_Finding] = [("P003", "an attached picture, not a camera")]
    elif stream.is_camera:
        found = (*_span(stream, table), *_clock(stream), *_frames(stream), *_look_of(stream))
    elif stream.type == "audio" and table.cameras:
        found = _sound(stream, table.cameras[0])
    else:
        found = ()
    for code, text in found:
        noted = _is_noted(code, stream, table.format)
        yield Message(code, f"stream {stream.index}: {text}", "note" if noted else "warning")


def _span(stream: Stream, table: StreamTable) -> Iterator[_Finding]:
    """Yield that a camera does not run through the recording."""
    if stream not in table.spanning:
        length = (
            f"{_count(stream.num_frames, 'frame')} in {shown(stream.duration_s or Fraction(0))} s"
        )
        yield "P035", f"{length}: not chosen as the target"


def _clock(stream: Stream) -> Iterator[_Finding]:
    """Yield what is odd about a camera's timestamps."""
    if stream.start_s is None:
        yield "P016", "no timestamps; nothing can be aligned to it"
    elif not stream.timed:
        yield "P018", "no presentation times; frames are counted from the first one"
    if delay := _delay_frames(stream):
        late = f"the picture starts {shown(stream.start_s or Fraction(0))} s late"
        why = f"its B-frame delay of {_count(delay, 'frame')}"
        yield "P005", f"{late}, {why}; browsers differ there"
    if stream.num_repeated:
        yield "P020", f"{_count(stream.num_repeated, 'timestamp')} repeated"
    yield from _pictures(stream)
    restarts = [step for step in stream.steps_back if step.restart]
    small = [step for step in stream.steps_back if not step.restart]
    if small:
        by_s = shown(max(step.from_s - step.to_s for step in small))
        where = f"the first time at {shown(small[0].from_s)} s"
        yield "P022", f"the clock steps back {_times(small)} by up to {by_s} s, {where}"
    if restarts:
        where = f"the first time after {shown(restarts[0].from_s)} s"
        yield (
            "P023",
            f"the clock restarts {_times(restarts)}, {where}: different moments have the same time",
        )
    jumps = [gap for gap in stream.gaps if gap.jump]
    if jumps and not restarts:
        where = f"the first time to {shown(jumps[0].at_s)} s"
        yield "P024", f"the clock jumps ahead {_times(jumps)}, {where}: it was set, or paused"


def _pictures(stream: Stream) -> Iterator[_Finding]:
    """Yield where packets are not pictures of their own times."""
    own = stream.pictures
    if own is None:
        return
    if own.num_filled:
        count, of = own.num_filled, _count(stream.num_frames, "frame")
        yield "P025", f"{count} of {of} without a time: filled from their neighbours"
    if own.reordered and own.counted and stream.timed:
        why = "B-frames are stored with the times of their order in the file"
        yield "P026", f"{why}: they are dealt out in the order in which frames are shown"
    if own.num_unseen:
        yield "P027", f"{_count(own.num_unseen, 'packet')} without a picture to show: not counted"
    if own.num_second_fields:
        yield "P027", f"{_count(own.num_second_fields, 'picture')} in two packets, one a field"
    if len(own.held):
        yield "P028", f"{_count(len(own.held), 'frame')} not coded: the frame before is shown again"


def _look_of(stream: Stream) -> Iterator[_Finding]:
    """Yield what is odd about how a camera's pictures look."""
    if stream.interlaced:
        what = "interlaced: each picture holds two moments"
        yield "P050", f"{what}; `cut` keeps the first of them unless deinterlace is off"
    if stream.levels is not None:
        darkest, brightest = stream.levels
        yield "P051", f"grey levels {darkest} to {brightest} of 65536 become black to white"
    if stream.hdr:
        yield "P052", f"HDR ({stream.hdr}): clips keep its pale colours, which players correct"


def _frames(stream: Stream) -> Iterator[_Finding]:
    """Yield what is odd about a camera's frames."""
    if stream.variable_frame_rate and not stream.steps_back and not stream.num_repeated:
        yield "P013", "variable frame rate"
    yield from _gaps(stream)
    if stream.num_hidden:
        hidden = f"an edit list hides {_count(stream.num_hidden, 'frame')}"
        yield "P007", f"{hidden}; readers that ignore it, such as decord, count them"
    claimed = stream.num_frames_header
    packets = 0 if stream.pictures is None else len(stream.pictures.index_of)
    if claimed not in (None, 0, stream.num_frames, stream.num_frames + stream.num_hidden, packets):
        yield "P017", f"{claimed} frames claimed, {stream.num_frames} counted"
    held = 0 if stream.pictures is None else len(stream.pictures.held)
    if stream.num_decoded is not None and stream.num_decoded < stream.num_frames - held:
        yield "P019", f"{stream.num_decoded} of {stream.num_frames} frames decode"


def _gaps(stream: Stream) -> Iterator[_Finding]:
    """Yield which frames are lost, or which pictures are held because a recorder left out frames.

    Where the clock restarts, gaps mean nothing.
    """
    if any(step.restart for step in stream.steps_back):
        return
    gaps = [gap for gap in stream.gaps if not gap.jump]
    if gaps and not stream.torn:
        longest_s, at_s = stream.longest_hold or (Fraction(0), Fraction(0))
        held = f"{_count(len(gaps), 'picture')} held for longer than a frame"
        yield "P036", f"{held}, the longest for {shown(longest_s)} s at {shown(at_s)} s"
    elif gaps:
        missing = sum(gap.missing for gap in gaps)
        where = f"{_count(len(gaps), 'gap')}, the first at {shown(gaps[0].at_s)} s"
        yield "P015", f"{_count(missing, 'frame')} missing in {where}"
    if stream.torn:
        count = sum(len(span) for span in stream.torn)
        after = f"{_count(count, 'frame')} after {_count(len(stream.torn), 'gap')}"
        yield "P029", f"{after} may show what is lost: nothing is cut up to the next keyframe"


def _is_noted(code: str, stream: Stream, container: str) -> bool:
    """Return whether what a code says costs nothing."""
    level = MESSAGES[code].level
    if code == "P036":  # no window is skipped for it
        longest_s, limit_s = (stream.longest_hold or (Fraction(0),))[0], stream.longest_hold_s()
        return limit_s is not None and longest_s <= limit_s
    return level == "note" or (level == "both" and container == "avi")


def _sound(stream: Stream, camera: Stream) -> Iterator[_Finding]:
    """Yield that sound starts before the picture, which has nothing to do with the cameras."""
    if stream.start_s is None or camera.start_s is None:
        return
    lead_s = camera.start_s - stream.start_s
    on_purpose = camera.empty_edit is not None or _delay_frames(camera)
    if 0 < lead_s <= _PRIMING_S and not on_purpose:
        lead = f"sound starts {shown(lead_s)} s before the picture"
        yield "P006", f"{lead}, a normal delay of encoders: no offset to correct"


def _delay_frames(stream: Stream) -> int:
    """Return by how many frames reordering delays the start, where no edit list takes it back."""
    if not stream.reordered or not stream.start_s or stream.start_s < 0 or stream.empty_edit:
        return 0
    delay = round(stream.start_s / _frame_s(stream))
    return delay if delay <= _MAX_DELAY_FRAMES else 0


def _frame_s(stream: Stream) -> Fraction:
    return 1 / (stream.frame_rate or Fraction(25))


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _times(events: Sequence[object]) -> str:
    return "once" if len(events) == 1 else f"{len(events)} times"
