"""What a media file holds, measured: streams with their exact timestamps.

The two probes in `media` read facts and packets; everything that follows from them is computed
here, so that both give the same table.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from dogclips.timebase import Pts

# A stream on a regular grid may lack a few frames; with more than this share of its steps longer
# than one frame it is called variable.
_MAX_GAP_SHARE = 0.05
_MOST_COUNTED = 240  # ticks a second of a clock that counts frames; others tell time
# In a variable-rate stream a step is a gap when it is this many times the usual one.
_GAP_FACTOR = 4
# No recorder loses a minute of frames and goes on as if nothing had happened: over a step as long,
# or ten times as long as all the rest, the clock was set or the recording paused.
_JUMP_S = 60
_JUMP_LEAST_S = 10
_JUMP_OF_REST = 10
_JUMP_FRAMES = 20  # a camera that takes one frame a minute does not jump with each of them
# A stream that runs for less of the longest one is not a view of the recording.
_SPANNING_SHARE = Fraction(1, 2)
# A picture may be held for so long and be no loss: some frames that a recorder has left out.
_HOLD_S = Fraction(1, 4)
_HOLD_STEPS = 4
_WHOLE_RATES = (*range(1, 61), 72, 90, 100, 120, 144, 200, 240)
STANDARD_RATES = (
    *(Fraction(rate) for rate in _WHOLE_RATES),
    *(Fraction(rate * 1000, 1001) for rate in (24, 30, 48, 60, 120)),
    *(Fraction(rate, 2) for rate in (15, 25)),
)


# For how many seconds a picture may be held: `auto` for what is usual, None for any time.
MaxHold = Fraction | Literal["auto"] | None


@dataclass(frozen=True)
class Gap:
    """Frames that are not there: `missing` of them before the frame at container time `at_s`.

    Where the clock jumps, `missing` says how many it left out; whether there were any is unknown.
    """

    at_s: Fraction
    missing: int
    jump: bool = False


@dataclass(frozen=True)
class StepBack:
    """A place where the clock of a stream steps back, in seconds; a `restart` starts again."""

    from_s: Fraction
    to_s: Fraction
    restart: bool


@dataclass(frozen=True)
class EmptyEdit:
    """How long an MP4's edit list lets a stream wait: so many ticks, so many of them a second."""

    ticks: int
    timescale: int

    @property
    def seconds(self) -> Fraction:
        """Return the wait in seconds."""
        return Fraction(self.ticks, self.timescale)


@dataclass(frozen=True)
class Orientation:
    """How a stored picture becomes what is shown: first mirrored, then turned."""

    turns: int = 0  #: Quarter turns, counter-clockwise: 0 to 3
    mirrored: bool = False  #: Whether left and right are swapped first, as front cameras ask for

    @property
    def rotation(self) -> int:
        """Return the turn in degrees, counter-clockwise, in (-180, 180]."""
        return -90 if self.turns == 3 else 90 * self.turns

    @property
    def sideways(self) -> bool:
        """Return whether width and height change places."""
        return self.turns % 2 == 1


UPRIGHT = Orientation()

# The darkest and the brightest grey that pictures hold, of 65536.
Levels: TypeAlias = tuple[int, int]

NO_TIME = int(np.iinfo(np.int64).min)


@dataclass(frozen=True, eq=False)
class Pictures:
    """Which packets of a stream give its pictures, where packets and pictures are not the same.

    Packets are counted from 0, in file order. See `media.pictures`.
    """

    #: Shape (packets,): which picture a packet belongs to, as an index in `Stream.pts`; negative
    #: for those that nobody sees. Two fields belong to one picture.
    index_of: NDArray[np.int32]
    keys: Pts  #: Shape (keyframes, 2): number and time of each packet; NO_TIME where there is none
    timed: bool  #: These times are presentation times
    held: Pts  #: Indices of pictures that are those before them, shown for longer
    num_filled: int = 0  #: Pictures without a time of their own
    num_unseen: int = 0  #: Packets that hold a reference picture only
    num_second_fields: int = 0  #: Packets that complete the picture of the one before
    reordered: bool = False  #: Pictures are stored in another order than they are shown
    counted: bool = False  #: Times are those of the order in the file, if there are any
    #: False where packets are counted and some are lost: behind a fault none is known any more.
    whole: bool = True
    #: Shape (keyframes,): bytes before each in the file, if times after a seek are other ones.
    positions: Pts | None = None
    moved: bool = True  #: Reading each packet as a picture of its own time gives other frames


@dataclass(frozen=True, eq=False)
class Stream:
    """One stream of a file, as measured from its packets.

    `index` counts as ffprobe does. `pts` are the presentation times of all frames (for audio: of
    all packets) that a player gets, ascending, in units of `time_base`: edit lists are applied,
    hidden pre-roll is left out. `end_pts` is where the last frame ends. `num_frames_header` is
    what the container claims.
    """

    index: int
    type: str
    codec: str
    time_base: Fraction
    pts: Pts
    end_pts: int | None
    num_frames: int
    num_frames_header: int | None = None
    num_decoded: int | None = None
    width: int = 0
    height: int = 0
    pixel_aspect: Fraction = Fraction(1)
    pixel_format: str = ""  # FFmpeg's name of it
    orientation: Orientation = UPRIGHT
    interlaced: bool = False  # each picture holds two moments, in every second line
    hdr: str = ""  # the curve of a high dynamic range, PQ or HLG
    levels: Levels | None = None  # of a picture of more than 8 bits of grey: those in use
    default: bool = False
    attached_picture: bool = False
    timed: bool = True  # False: packets carry no presentation time, frames are only counted
    num_repeated: int = 0  # frames with the timestamp of another one
    steps_back: tuple[StepBack, ...] = ()  # in the order of the file
    reordered: bool = False  # B-frames: some frames are stored later than they are shown
    num_hidden: int = 0  # frames that an edit list hides
    hidden_start_pts: int | None = None  # first packet that an edit list hides before the start
    first_pts: int | None = None  # of the first packet in the file; others may be shown before it
    empty_edit: EmptyEdit | None = None  # only in an MP4 that is not fragmented
    pictures: Pictures | None = None  # None where each packet is a picture of its own time
    torn: tuple[range, ...] = ()  # indices of frames that may show what is lost before them
    keyframes: Pts | None = None  # indices of frames that reading may begin with; None: unknown

    @property
    def rotation(self) -> int:
        """Return the turn that makes pictures upright, in degrees, counter-clockwise."""
        return self.orientation.rotation

    @property
    def mirrored(self) -> bool:
        """Return whether left and right are swapped before pictures are turned."""
        return self.orientation.mirrored

    @property
    def is_camera(self) -> bool:
        """Return whether this is a moving picture with frames, not a cover image."""
        return self.type == "video" and not self.attached_picture and self.num_frames > 0

    @cached_property
    def start_s(self) -> Fraction | None:
        """Return the container time of the first frame in seconds; None without timestamps."""
        return self.frame_time(0) if len(self.pts) else None

    @cached_property
    def times_s(self) -> NDArray[np.float64]:
        """Return (num_frames,): container times in seconds, to search in and to show."""
        return np.asarray(self.pts * float(self.time_base), dtype=np.float64)

    def frame_time(self, index: int) -> Fraction:
        """Return the container time of a frame in seconds, exactly."""
        return int(self.pts[index]) * self.time_base

    def keyframe_before(self, index: int) -> int:
        """Return which frame has to be decoded first for the one at `index`."""
        if self.keyframes is None:
            return index
        place = int(np.searchsorted(self.keyframes, index, side="right"))
        return int(self.keyframes[place - 1]) if place else 0

    @cached_property
    def end_s(self) -> Fraction | None:
        """Return the container time at which the last frame ends, in seconds."""
        return self.end_pts * self.time_base if self.end_pts is not None else None

    @property
    def duration_s(self) -> Fraction | None:
        """Return the seconds from the first frame to the end of the last one."""
        if self.start_s is None or self.end_s is None:
            return None
        return self.end_s - self.start_s

    @cached_property
    def _jumps(self) -> Pts:
        """Return the indices of the frames after which the clock jumps ahead."""
        return find_jumps(self.pts, self.time_base)

    @cached_property
    def _closed(self) -> Pts:
        """Return the times as they would be if the clock had never jumped."""
        if not len(self._jumps):
            return self.pts
        steps = np.diff(self.pts)
        steps[self._jumps] = int(np.median(steps))
        return np.concatenate([self.pts[:1], self.pts[0] + np.cumsum(steps)])

    @cached_property
    def _grid(self) -> tuple[Fraction, Pts] | None:
        """Return a constant rate and each frame's number on its grid, if there is such a rate."""
        if self.type != "video" or len(self.pts) < 2:
            return None
        return find_grid(self._closed, self.time_base)

    @property
    def variable_frame_rate(self) -> bool:
        """Return whether the frames lie on no regular grid."""
        return self.type == "video" and len(self.pts) > 1 and self._grid is None

    @property
    def frame_rate(self) -> Fraction | None:
        """Return the frames per second: exact if constant, else the average; None if unknown."""
        if self.type != "video" or len(self.pts) < 2:
            return None
        if self._grid is not None:
            return self._grid[0]
        return average_rate(self._closed, self.time_base)

    @cached_property
    def step_s(self) -> Fraction:
        """Return how long the usual frame is shown, in seconds; a single one lasts a tick."""
        if self._grid is not None:
            return 1 / self._grid[0]
        usual = int(np.median(np.diff(self.pts))) if len(self.pts) > 1 else 1
        return max(usual, 1) * self.time_base

    def longest_hold_s(self, wanted: MaxHold = "auto") -> Fraction | None:
        """Return how long a picture may be shown in seconds; None for any time.

        `auto` is a quarter of a second, or four of the usual steps where these are longer: so many
        frames a recorder leaves out and goes on. No picture has to be shorter than the usual one.
        """
        if wanted is None:
            return None
        if wanted == "auto":
            return max(_HOLD_S, _HOLD_STEPS * self.step_s)
        return max(wanted, self.step_s * 3 / 2)

    @cached_property
    def longest_hold(self) -> tuple[Fraction, Fraction] | None:
        """Return for how many seconds a picture is held at most, and from when on."""
        if len(self.pts) < 2:
            return None
        steps = np.diff(self.pts)
        steps[self._jumps] = 0
        place = int(np.argmax(steps))
        return int(steps[place]) * self.time_base, self.frame_time(place)

    @cached_property
    def gaps(self) -> tuple[Gap, ...]:
        """Return the places where frames are missing or the clock jumps, in time order."""
        if self.type != "video" or len(self.pts) < 2:
            return ()
        deltas = np.diff(self.pts)
        usual = max(int(np.median(deltas)), 1)
        if self._grid is not None:
            steps = np.diff(self._grid[1])
        else:
            steps = np.where(deltas >= _GAP_FACTOR * usual, np.rint(deltas / usual), 1)
        steps[self._jumps] = np.rint(deltas[self._jumps] / usual)
        jumps = set(self._jumps.tolist())
        return tuple(
            Gap(self.frame_time(i + 1), int(steps[i]) - 1, i in jumps)
            for i in np.flatnonzero(steps > 1).tolist()
        )


# Small enough that hours of it fit into memory, large enough to tell a moving tail from noise.
THUMBNAIL_ROWS, THUMBNAIL_COLUMNS = 36, 64


@dataclass(frozen=True, eq=False)
class Thumbnails:
    """Small gray pictures of frames of one stream, upright, stretched to one shape."""

    #: Shape (N,): the frames' indices in `Stream.pts`, ascending; what does not decode is missing.
    indices: NDArray[np.int64]
    pictures: NDArray[np.uint8]  #: Shape (N, THUMBNAIL_ROWS, THUMBNAIL_COLUMNS), uint8
    keyframes: NDArray[np.bool_]  #: Shape (N,), bool: pictures that were coded on their own


@dataclass(frozen=True)
class Message:
    """Something to know about a file: a code for scripts, a text for people.

    A warning can put a label on a wrong frame or cost one; a note explains an oddity that does not.
    """

    code: str
    text: str
    level: Literal["note", "warning"] = "warning"


@dataclass(frozen=True, eq=False)
class StreamTable:
    """Everything measured about one file."""

    path: Path
    format: str
    created: str | None
    streams: tuple[Stream, ...]
    messages: tuple[Message, ...] = field(default=())

    @property
    def start_s(self) -> Fraction | None:
        """Return the container time at which the first stream starts, in seconds."""
        return min((s.start_s for s in self.streams if s.start_s is not None), default=None)

    @property
    def first_packet_s(self) -> Fraction | None:
        """Return the earliest time of the packets with which pictures and sound are stored first.

        It differs from the start where the file begins with frames that are shown after others.
        """
        seen = (stream for stream in self.streams if stream.type in ("video", "audio"))
        firsts = ((stream.first_pts, stream.time_base) for stream in seen)
        return min((pts * base for pts, base in firsts if pts is not None), default=self.start_s)

    @property
    def duration_s(self) -> Fraction | None:
        """Return the seconds from the first start to the last end of any stream, as measured."""
        end_s = max((s.end_s for s in self.streams if s.end_s is not None), default=None)
        return None if self.start_s is None or end_s is None else end_s - self.start_s

    @property
    def cameras(self) -> tuple[Stream, ...]:
        """Return the video streams that hold moving pictures."""
        return tuple(stream for stream in self.streams if stream.is_camera)

    @property
    def spanning(self) -> tuple[Stream, ...]:
        """Return the cameras that run through the recording.

        Others are the still of a motion photo, or a preview of some seconds. There is always one
        camera that spans the recording, if there is any.
        """
        cameras = self.cameras
        longest_s = max((stream.duration_s or Fraction(0) for stream in cameras), default=0)
        least_s = longest_s * _SPANNING_SHARE
        return tuple(own for own in cameras if own.duration_s is None or own.duration_s >= least_s)


def average_rate(pts: Pts, time_base: Fraction) -> Fraction | None:
    """Return frames per second over the whole stream, as a fraction a person can read."""
    span = int(pts[-1] - pts[0]) * time_base
    return ((len(pts) - 1) / span).limit_denominator(1001) if span > 0 else None


def find_grid(pts: Pts, time_base: Fraction) -> tuple[Fraction, Pts] | None:
    """Return the constant rate on whose grid all frames lie, and their numbers on it.

    Timestamps may be rounded to `time_base` (a millisecond in Matroska), so that the rate is
    tried from the usual step, then from the standard rates nearest to it.

    >>> rate, numbers = find_grid(np.array([0, 33, 67, 100, 167]), Fraction(1, 1000))
    >>> rate, numbers.tolist()
    (Fraction(30, 1), [0, 1, 2, 3, 5])

    A clock that ticks once a frame has no rounding: what it leaves out is lost.

    >>> find_grid(np.array([*range(8), *range(9, 40)]), Fraction(1, 25))[0]
    Fraction(25, 1)
    """
    usual = int(np.median(np.diff(pts)))
    average = average_rate(pts, time_base)
    counts = usual == 1 and 1 / time_base <= _MOST_COUNTED  # a tick is a frame, as in AVI
    # More frames than ticks, or nearly: times alone part none.
    if usual <= 1 and average and not counts:
        in_turn = np.arange(len(pts), dtype=np.int64)
        off_grid = np.abs(pts - pts[0] - in_turn / float(average * time_base))
        if off_grid.max() <= 1.01:
            return average, in_turn
    if usual <= 0:
        return None
    for rate in _likely_rates(pts, time_base, 1 / (usual * time_base)):
        numbers = _grid_numbers(pts, time_base, rate)
        if numbers is not None:
            return rate, numbers
    return None


def _likely_rates(pts: Pts, time_base: Fraction, from_step: Fraction) -> Iterator[Fraction]:
    """Yield rates to try; mostly the first is right, so no other is looked for before."""
    yield from_step
    yield from sorted(STANDARD_RATES, key=lambda rate: abs(rate - from_step))[:6]
    average = average_rate(pts, time_base)
    if average is not None:
        yield average


def find_jumps(pts: Pts, time_base: Fraction) -> Pts:
    """Return after which frames the clock jumps ahead by more than any plausible hole.

    >>> find_jumps(np.array([0, 1, 2, 3602, 3603]), Fraction(1)).tolist()
    [2]
    """
    steps = np.diff(pts)
    long = steps * float(time_base) > _JUMP_LEAST_S
    if not long.any():
        return np.empty(0, dtype=np.int64)
    rest = int(pts[-1] - pts[0]) - steps
    far = (steps * float(time_base) > _JUMP_S) | (steps > _JUMP_OF_REST * rest)
    return np.flatnonzero(long & far & (steps > _JUMP_FRAMES * np.median(steps)))


def _grid_numbers(pts: Pts, time_base: Fraction, rate: Fraction) -> Pts | None:
    """Return each frame's number on the grid of `rate`, or None if they do not lie on it."""
    step = 1 / (rate * time_base)  # in ticks
    ticks = (pts - pts[0]).astype(np.float64)
    numbers: Pts = np.rint(ticks / float(step)).astype(np.int64)
    off_grid = np.abs(ticks - numbers * float(step))
    steps = np.diff(numbers)
    if off_grid.max() > 1.01 or steps.min() < 1:  # both ends of a step may be rounded
        return None
    if np.count_nonzero(steps > 1) > _MAX_GAP_SHARE * len(steps) + 1:
        return None
    return numbers
