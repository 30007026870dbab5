"""Each window has a verdict of its own: nothing is called verified that nobody looked at."""

from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
import pytest
from numpy.typing import NDArray

from dogclips.alignment import align_streams
from dogclips.alignment.content import Content, compare_content
from dogclips.alignment.verdict import Alignment
from dogclips.streams import Stream
from dogclips.timebase import Span
from tests.alignment.sensor import RATE, Filmed, sensor, stream

Shown = NDArray[np.int64]
LENGTH = 80 * RATE
CLIP = 4


@dataclass(frozen=True, eq=False)
class Whole:
    """Two streams of one sensor, every frame of which was compared."""

    reference: Stream
    shown: tuple[Shown, Shown]
    content: Content
    alignment: Alignment

    def wrong(self) -> list[int]:
        """Return the windows of which a frame is not the one that the reference shows."""
        return [start for start in self.windows if not self._is_right(start)]

    @property
    def windows(self) -> range:
        return range(0, len(self.shown[0]) // RATE - CLIP, CLIP)

    def verdict(self, start: int) -> str:
        window = Span(Fraction(start), Fraction(start + CLIP))
        time_map = self.alignment.time_map
        if time_map.is_doubtful(window) or time_map.is_broken(window):
            return "in doubt"
        return self.alignment.verdict(window)

    def _is_right(self, start: int) -> bool:
        frames = range(start * RATE, (start + CLIP) * RATE)
        mapped = [self._mapped(frame) for frame in frames]
        return all(
            self.shown[1][place] == self.shown[0][frame]
            for place, frame in zip(mapped, frames, strict=True)
        )

    def _mapped(self, frame: int) -> int:
        time_s = self.alignment.time_map.to_target(Fraction(frame, RATE))
        return int(np.clip(round(time_s * RATE), 0, len(self.shown[1]) - 1))


def compared(reference: Shown, target: Shown, *, active: float = 0.5) -> Whole:
    seen = sensor(int(max(reference.max(), target.max())) + 2, active=active)
    footage = Filmed({0: seen, 1: seen}, {0: reference, 1: target})
    streams = stream(0, len(reference)), stream(1, len(target))
    content = compare_content(*streams, footage, whole=True)
    alignment = align_streams(*streams, content=content)
    return Whole(streams[0], (reference, target), content, alignment)


def undone(at: int, back: int, lost: int) -> Shown:
    """Return a target that loses frames at a second, and repeats as many later on."""
    shown = np.arange(LENGTH)
    shown[at * RATE : back * RATE] += lost
    return shown


@pytest.mark.parametrize(("at", "back", "lost"), [(20, 45, 3), (28, 60, 60)])
def test_a_loss_that_is_undone_leaves_no_wrong_clip(at: int, back: int, lost: int) -> None:
    whole = compared(np.arange(LENGTH), undone(at, back, lost))
    wrong = [whole.verdict(start) for start in whole.wrong()]
    assert set(wrong) <= {"contradicted", "in doubt", "not-compared", "still"}
    assert [whole.verdict(start) for start in whole.windows].count("confirmed") > 5


def test_what_moves_alike_is_confirmed() -> None:
    whole = compared(np.arange(LENGTH), np.arange(LENGTH))
    verdicts = [whole.verdict(start) for start in whole.windows]
    assert not whole.wrong()
    assert set(verdicts) <= {"confirmed", "still"}
    assert verdicts.count("confirmed") >= len(verdicts) // 2


@pytest.mark.parametrize("which", [0, 1])
def test_a_frozen_picture_contradicts_what_moves(which: int) -> None:
    shown = [np.arange(LENGTH), np.arange(LENGTH)]
    shown[which][20 * RATE : 50 * RATE] = 20 * RATE
    whole = compared(*shown)
    frozen = {start: whole.verdict(start) for start in range(20, 48, CLIP)}
    assert set(frozen.values()) <= {"contradicted", "in doubt", "still"}
    assert set(frozen.values()) & {"contradicted", "in doubt"}


def test_streams_of_one_length_that_lie_ten_seconds_apart_are_found() -> None:
    late = 10 * RATE
    whole = compared(np.arange(LENGTH) + late, np.arange(LENGTH))
    assert whole.alignment.method == "content"
    assert not [start for start in whole.wrong() if whole.verdict(start) == "confirmed"]


def test_frames_lost_one_by_one_are_no_drifting_clock() -> None:
    lost = np.arange(8 * RATE, LENGTH, 8 * RATE) + np.random.default_rng(3).integers(
        -3 * RATE, 3 * RATE, LENGTH // (8 * RATE) - 1
    )
    whole = compared(np.arange(LENGTH), np.setdiff1d(np.arange(LENGTH), lost), active=0.9)
    assert not [start for start in whole.wrong() if whole.verdict(start) == "confirmed"]


def test_a_quick_look_has_no_evidence() -> None:
    seen = sensor(LENGTH + 2, active=0.5)
    shown = np.arange(LENGTH)
    footage = Filmed({0: seen, 1: seen}, {0: shown, 1: shown})
    streams = stream(0, LENGTH), stream(1, LENGTH)
    content = compare_content(*streams, footage)
    alignment = align_streams(*streams, content=content)
    assert content.evidence is None
    window = Span(Fraction(0), Fraction(4))
    assert alignment.verdict(window) == "not-compared"
    assert replace(alignment, content=None).verdict(window) == "not-compared"
