"""What a clip must show, computed from the truth alone, and whether it does.

Two rules of `dogclips cut` are taken from its description, not from its code. Annotation programs
round times to milliseconds, so that a frame which begins up to 0.6 ms later is meant as well. And
a clip of a constant rate has seconds x rate frames from the one on screen at its start.
"""

from bisect import bisect_right
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import floor
from typing import Final

from tests.cuts.cases import CutCase, Truth
from tests.cuts.readers import Clip

_SLACK_S: Final = Fraction(6, 10_000)
_TICK_S: Final = Fraction(1, 1000)  # of the coarsest container
_HOLD_S: Final = Fraction(1, 4)  # for which a picture may be held, or four frames
_SIZE_SLACK: Final = 1  # pixels, to an even number


@dataclass(frozen=True)
class Shown:
    """One frame of a clip: the numbers that it may show, and when it is shown."""

    numbers: frozenset[int]
    time_s: Fraction


@dataclass(frozen=True)
class Wanted:
    """What may become of a window.

    Parameters
    ----------
    outcomes
        "cut" or a reason to skip it; more than one only where the window's edge falls on that of a
        frame within the container's rounding.
    clips
        The clips that are right; more than one under the same condition.
    tolerance_s
        Of the times in them.
    """

    outcomes: frozenset[str]
    clips: tuple[tuple[Shown, ...], ...]
    tolerance_s: Fraction

    @property
    def is_unsure(self) -> bool:
        """Return whether more than one result is right."""
        doubt = any(len(shown.numbers) > 1 for clip in self.clips for shown in clip)
        return len(self.outcomes) > 1 or len(self.clips) > 1 or doubt


def wanted(case: CutCase, truth: Truth, start_s: Fraction) -> Wanted:
    """Return what must become of the window that begins at a container time."""
    end_s = start_s + Fraction(str(case.clip_seconds))
    if start_s < truth.times_s[0]:
        return Wanted(frozenset({"before-target-start"}), (), Fraction(0))
    if case.resample is not None:
        outcomes, clips = _ends(case, truth, end_s), (_resampled(case, truth, start_s),)
    elif case.is_variable:
        outcomes, clips = _ends(case, truth, end_s), _as_timed(case, truth, start_s, end_s)
    else:
        outcomes, clips = _on_grid(case, truth, start_s)
    if "cut" in outcomes and not case.is_variable:
        outcomes = (outcomes - {"cut"}) | _holes(truth, start_s, end_s)
    if "cut" in outcomes and truth.torn:
        outcomes = (outcomes - {"cut"}) | _torn(case, truth, start_s)
    if "cut" in outcomes and case.apart and case.target and not case.starts:
        outcomes |= _shown_to_nobody(truth, end_s)
    exact = case.resample is not None or not case.is_variable
    tolerance_s = Fraction(0) if exact else 2 * _TICK_S + truth.error_s
    return Wanted(outcomes, clips if "cut" in outcomes else (), tolerance_s)


def _shown_to_nobody(truth: Truth, end_s: Fraction) -> frozenset[str]:
    """Return what may become of a window that ends after the stream that was annotated.

    That one has the frames of the other, from 0 on.
    """
    length_s = truth.times_s[-1] - truth.times_s[0]
    return frozenset({"after-reference-end"} if end_s > length_s else ())


def _places_at(truth: Truth, time_s: Fraction) -> range:
    """Return which frames may be on screen at a time: one, or two where rounding decides."""
    sure = bisect_right(truth.times_s, time_s - truth.error_s, lo=1) - 1
    maybe = bisect_right(truth.times_s, time_s + truth.error_s, lo=1) - 1
    return range(sure, maybe + 1)


def _numbers_at(truth: Truth, time_s: Fraction) -> frozenset[int]:
    return frozenset(truth.numbers[place] for place in _places_at(truth, time_s))


def _num_frames(case: CutCase, rate: Fraction) -> int:
    return max(round(Fraction(str(case.clip_seconds)) * rate), 1)


def _on_grid(
    case: CutCase, truth: Truth, start_s: Fraction
) -> tuple[frozenset[str], tuple[tuple[Shown, ...], ...]]:
    count, outcomes, clips = _num_frames(case, case.rate), set(), []
    for first in _places_at(truth, start_s + _SLACK_S):
        over = start_s >= truth.times_s[-1] + truth.frame_s
        for slot in _slots_at(truth, first, start_s):
            over = over or slot + count - 1 > truth.numbers[-1]
            outcomes.add("after-end" if over else "cut")
            if over:
                continue
            # Where frames are missing, the one before is held.
            own = (truth.numbers[bisect_right(truth.numbers, slot + k) - 1] for k in range(count))
            clips.append(tuple(Shown(frozenset({n}), k / case.rate) for k, n in enumerate(own)))
    return frozenset(outcomes), tuple(clips)


def _slots_at(truth: Truth, first: int, start_s: Fraction) -> range:
    """Return which frames of the whole grid a window may begin with; some are missing."""
    number = truth.numbers[first]
    last = truth.numbers[first + 1] - 1 if first + 1 < len(truth.numbers) else number
    since_s = start_s + _SLACK_S - truth.times_s[first]
    sure, maybe = (
        number + min(max(floor((since_s + by_s) / truth.frame_s), 0), last - number)
        for by_s in (-truth.error_s, truth.error_s)
    )
    return range(sure, maybe + 1)


def _as_timed(
    case: CutCase, truth: Truth, start_s: Fraction, end_s: Fraction
) -> tuple[tuple[Shown, ...], ...]:
    """Return every frame shown in the window, the first one at 0."""
    clips = []
    for first in _places_at(truth, start_s + _SLACK_S):
        for last in _places_at(truth, end_s - _SLACK_S):
            shown = [Shown(frozenset({truth.numbers[first]}), Fraction(0))]
            shown += [
                Shown(frozenset({truth.numbers[place]}), truth.times_s[place] - start_s)
                for place in range(first + 1, last + 1)
            ]
            clips.append(tuple(shown))
    return tuple(clips)


def _resampled(case: CutCase, truth: Truth, start_s: Fraction) -> tuple[Shown, ...]:
    rate = Fraction(str(case.resample))
    times = [place / rate for place in range(_num_frames(case, rate))]
    return tuple(Shown(_numbers_at(truth, start_s + time + _SLACK_S), time) for time in times)


def _ends(case: CutCase, truth: Truth, end_s: Fraction) -> frozenset[str]:
    """Return whether the window ends in time: the last frame lasts as long as the usual one."""
    over_s = end_s - _SLACK_S - (truth.times_s[-1] + truth.frame_s)
    unsure_s = truth.frame_s / 2 if case.is_variable else 2 * truth.error_s
    if over_s < -unsure_s:
        return frozenset({"cut"})
    return frozenset({"after-end"} if over_s > unsure_s else {"after-end", "cut"})


def _holes(truth: Truth, start_s: Fraction, end_s: Fraction) -> frozenset[str]:
    """Return whether a picture is held too long in the window, by more than half a frame."""
    most_s = max(_HOLD_S, 4 * truth.frame_s) + truth.error_s
    spans = [
        (before + truth.frame_s, after)
        for before, after in pairwise(truth.times_s)
        if after - before > most_s
    ]
    missing_s = max((min(end_s, b) - max(start_s, a) for a, b in spans), default=Fraction(-1))
    over_s, unsure_s = missing_s - truth.frame_s / 2, 2 * truth.error_s
    if over_s < -unsure_s:
        return frozenset({"cut"})
    return frozenset({"frames-missing"} if over_s > unsure_s else {"cut", "frames-missing"})


def _torn(case: CutCase, truth: Truth, start_s: Fraction) -> frozenset[str]:
    """Return whether a frame of the window may need one that is lost, which nobody can know.

    B-frames before a hole may need what comes after it.
    """
    end_s = start_s + Fraction(str(case.clip_seconds))
    for own in filter(None, truth.torn):
        begin = truth.times_s[max(own.start - case.b_frames, 0)] - truth.frame_s
        end = truth.times_s[own.stop - 1] + truth.frame_s
        if begin <= end_s and start_s <= end:
            return frozenset({"cut", "frames-damaged"})
    return frozenset({"cut"})


def faults_of(case: CutCase, truth: Truth, clip: Clip, window: Wanted) -> list[str]:
    """Return what is wrong with a clip as one reader sees it, a line for each fault."""
    wrong = [_difference(clip, own, window.tolerance_s) for own in window.clips]
    faults = [] if None in wrong else [wrong[0] or ""]
    faults += [clip.oddity] if clip.oddity else []
    return faults + _wrong_size(case, truth, clip)


def _difference(clip: Clip, shown: tuple[Shown, ...], tolerance_s: Fraction) -> str | None:
    if len(clip.numbers) != len(shown):
        return f"{len(clip.numbers)} frames, not {len(shown)}"
    for place, (number, own) in enumerate(zip(clip.numbers, shown, strict=True)):
        if number not in own.numbers:
            return f"frame {place} shows {number}, not {sorted(own.numbers)}"
    if clip.times_s is None:
        return None
    for place, (time_s, own) in enumerate(zip(clip.times_s, shown, strict=True)):
        if abs(time_s - own.time_s) > tolerance_s:
            return f"frame {place} is at {float(time_s)} s, not at {float(own.time_s)} s"
    return None if clip.times_s[0] == 0 else f"the first frame is at {clip.times_s[0]}, not at 0"


def _wrong_size(case: CutCase, truth: Truth, clip: Clip) -> list[str]:
    scale = case.short_side / min(truth.size) if case.short_side else Fraction(1)
    meant = [side * scale for side in truth.size]
    off = max(abs(side - own) for side, own in zip(clip.size, meant, strict=True))
    even = not any(side % 2 for side in clip.size)
    return [] if even and off <= _SIZE_SLACK else [f"the picture is {clip.size}, not {meant}"]
