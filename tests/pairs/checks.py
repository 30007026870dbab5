"""Is a map from reference time to target time right, at every frame of the reference?

The rule, for the reference frame i that shows scene frame r, at its pts and 0.4 sensor frames
later: the target frame on screen at the mapped time shows r. Where the target lacks r it shows the
latest scene frame before r. An instant before the target's first scene frame maps to a negative
time, one after its last frame past its end. None, "in doubt or lost", is never wrong; how often it
is given is what `unanswered` measures.

Under drift the target's scene frames were taken at `Truth.target_positions` and rounded to whole
frames by the construction. The target's own position at the mapped time is that of the frame on
screen plus the time since that frame came; it may differ from the reference's by half a frame that
the aligner may be off, and half a frame that the construction rounded, since that rounding is all
an aligner can see: one frame in all.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dogclips.streams import Stream
from dogclips.timebase import ROUNDING_SLACK_S, frame_at
from tests.pairs.cases import TARGET, PairCase, Truth

Map = Callable[[Fraction], Fraction | None]

# Sensor frames after a frame's pts: there, and inside of it, where rounding cannot reach.
_PHASES: Final = (Fraction(0), Fraction(2, 5))
_DRIFT_FRAMES: Final = 1.0


@dataclass(frozen=True)
class _Wrong:
    """One instant that is mapped wrongly."""

    frame: int
    phase: Fraction
    expected: str
    got: str


@dataclass(frozen=True)
class _Instant:
    """The sensor's frame `number`, `phase` frames after it came."""

    frame: int
    phase: Fraction
    number: int
    time_s: Fraction


def wrong_instants(
    reference: Stream, target: Stream, truth: Truth, to_target: Map, case: PairCase
) -> list[str]:
    """Return a line for each stretch of reference frames that is mapped wrongly; none if right.

    Parameters
    ----------
    reference, target
        As measured by a probe of the file of `case`.
    to_target
        Container time on the reference's clock to seconds since the target's first frame; None
        where the map is in doubt or the target has lost the instant.
    """
    judge = _Judge(reference, target, truth, case)
    found: list[_Wrong] = []
    for instant in _instants(reference, truth, case):
        mapped = to_target(instant.time_s)
        if mapped is not None:
            found.extend(judge.faults(instant, mapped))
    return _stretches(found, truth)


def unanswered(reference: Stream, truth: Truth, to_target: Map, case: PairCase) -> float:
    """Return the share of instants that the target holds to which the map gives no answer."""
    positions = truth.target_positions
    asked = []
    for instant in _instants(reference, truth, case):
        wanted = float(instant.number + instant.phase)
        latest = int(np.searchsorted(positions, wanted, side="right")) - 1
        if latest >= 0 and wanted - positions[latest] < case.divisor(TARGET):
            asked.append(instant)
    return sum(to_target(instant.time_s) is None for instant in asked) / max(len(asked), 1)


def true_map(reference: Stream, target: Stream, truth: Truth, case: PairCase) -> Map:
    """Return the map that the construction gives: the same position on both streams' clocks.

    Between two target frames whose scene frames follow each other in the stream but not in the
    scene (a closed-up loss) it answers None.
    """
    reference_s = _times(reference)
    target_s = [time - _times(target)[0] for time in _times(target)]
    frame_s = 1 / case.fps
    positions = [Fraction(float(at)) for at in truth.target_positions]
    speed = 1 + Fraction(case.drift_ppm) / 10**6

    def to_target(time_s: Fraction) -> Fraction | None:
        at = max(_last(reference_s, time_s), 0)
        wanted = int(truth.reference_frames[at]) + (time_s - reference_s[at]) / frame_s
        near = max(_last(positions, wanted), 0)
        mapped = target_s[near] + (wanted - positions[near]) * frame_s / speed
        following = near + 1
        if following == len(target_s) or mapped < target_s[following]:
            return mapped
        # Lost, but for the last moment before the next frame, which rounding may have reached.
        return None if positions[following] - wanted > Fraction(1, 2) else target_s[following]

    return to_target


class _Judge:
    """Knows both streams and their truth, and finds what is wrong with a mapped instant."""

    def __init__(self, reference: Stream, target: Stream, truth: Truth, case: PairCase) -> None:
        if target.start_s is None or target.duration_s is None or reference.start_s is None:
            raise ValueError("both streams need timestamps")
        if [reference.num_frames, target.num_frames] != [
            len(truth.reference_frames),
            len(truth.target_frames),
        ]:
            raise ValueError(f"the probe counts other frames than were written: {case!r}")
        self.target, self.truth, self.case = target, truth, case
        self.start_s, self.duration_s = target.start_s, target.duration_s
        # A container that counts milliseconds rounds the frames of both streams: a map that is
        # right on one grid may come out just before a frame on the other.
        ticks = reference.time_base + target.time_base
        self.slack_s = ticks if ticks >= Fraction(2, 1000) else ROUNDING_SLACK_S
        self.end_position = self._end_position(truth.target_frames)

    def faults(self, instant: _Instant, mapped: Fraction) -> Iterator[_Wrong]:
        """Yield what is wrong with an instant; nothing if it is right, or right but for rounding.

        Rounding matters only where a frame begins, and where the stream begins or ends.
        """
        off = Fraction(0) if instant.phase else self.slack_s
        first = None
        for time_s in dict.fromkeys((mapped, mapped - off, mapped + off)):
            fault = self._fault(instant, time_s)
            if fault is None:
                return
            first = first or fault
        if first is not None:
            yield first

    def _fault(self, instant: _Instant, mapped: Fraction) -> _Wrong | None:
        place = frame_at(self.target.pts, self.target.time_base, self.start_s + mapped)
        if self.case.drift_ppm:
            expected = self._expected_under_drift(instant, mapped, place)
        else:
            expected = self._expected(instant, mapped, place)
        if expected is None:
            return None
        return _Wrong(instant.frame, instant.phase, expected, self._described(mapped, place))

    def _expected(self, instant: _Instant, mapped: Fraction, place: int) -> str | None:
        """Return what should be there instead, None if it is there."""
        frames = self.truth.target_frames
        if instant.number < frames[0]:
            return None if mapped < 0 else "a time before the start"
        if instant.number + instant.phase >= self.end_position:
            return None if mapped >= self.duration_s - self.slack_s else "a time past the end"
        latest = int(np.searchsorted(frames, instant.number, side="right")) - 1
        # The last frame of a thinned stream lasts as long as the muxer cares to say.
        last_holds = instant.number > frames[-1]
        if place == latest and (mapped < self.duration_s or last_holds):
            return None
        return f"scene frame {int(frames[latest])}"

    def _expected_under_drift(self, instant: _Instant, mapped: Fraction, place: int) -> str | None:
        positions = self.truth.target_positions
        wanted = float(instant.number + instant.phase)
        speed = 1 + self.case.drift_ppm * 1e-6
        at = max(place, 0)
        since_s = self.start_s + mapped - int(self.target.pts[at]) * self.target.time_base
        found = float(positions[at]) + float(since_s * self.case.fps) * speed
        lost_between = self._in_hole(wanted)
        if abs(found - wanted) <= _DRIFT_FRAMES or (lost_between and place == lost_between - 1):
            return None
        return f"position {wanted:.2f}"

    def _in_hole(self, wanted: float) -> int:
        """Return the place of the frame after the loss that swallowed a position, 0 if none."""
        positions = self.truth.target_positions
        after = int(np.searchsorted(positions, wanted))
        if not 0 < after < len(positions):
            return 0
        return after if positions[after] - positions[after - 1] > 1.5 else 0

    def _end_position(self, frames: NDArray[np.int64]) -> Fraction:
        """Return the scene position at which the target's last frame ends, as the file has it."""
        last_s = self.start_s + self.duration_s - int(self.target.pts[-1]) * self.target.time_base
        return int(frames[-1]) + max(last_s * self.case.fps, Fraction(1))

    def _described(self, mapped: Fraction, place: int) -> str:
        if place < 0:
            return f"{float(mapped):.4f} s, before the start"
        end = ", past the end" if mapped >= self.duration_s else ""
        return f"scene frame {int(self.truth.target_frames[place])} at {float(mapped):.4f} s{end}"


def _instants(reference: Stream, truth: Truth, case: PairCase) -> Iterator[_Instant]:
    phases = [(phase, phase / case.fps) for phase in _PHASES]
    for frame, number in enumerate(truth.reference_frames):
        begin_s = int(reference.pts[frame]) * reference.time_base
        for phase, since_s in phases:
            yield _Instant(frame, phase, int(number), begin_s + since_s)


def _stretches(found: list[_Wrong], truth: Truth) -> list[str]:
    """Join wrong instants of reference frames that follow each other into one line each."""
    groups: list[list[_Wrong]] = []
    for wrong in found:
        if groups and wrong.frame <= groups[-1][-1].frame + 1:
            groups[-1].append(wrong)
        else:
            groups.append([wrong])
    return [_line(group, truth) for group in groups]


def _line(group: list[_Wrong], truth: Truth) -> str:
    first, last = group[0], group[-1]
    seen = truth.reference_frames
    return (
        f"reference frames {first.frame}-{last.frame} (scene {seen[first.frame]}-"
        f"{seen[last.frame]}, {len(group)} instants): first expects {first.expected}, got "
        f"{first.got}; last expects {last.expected}, got {last.got}"
    )


def _times(stream: Stream) -> list[Fraction]:
    return [int(pts) * stream.time_base for pts in stream.pts]


def _last(values: list[Fraction], wanted: Fraction) -> int:
    """Return the index of the last value not above `wanted`, -1 if there is none."""
    low, high = 0, len(values)
    while low < high:
        middle = (low + high) // 2
        if values[middle] <= wanted:
            low = middle + 1
        else:
            high = middle
    return low - 1
