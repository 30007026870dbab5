"""What the pixels of long and short recordings say, without a file: two streams of one sensor."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
import pytest
from numpy.typing import NDArray

from dogclips.alignment.content import Content, compare_content
from dogclips.alignment.lags import WindowLag
from dogclips.alignment.view import PictureView
from dogclips.errors import MediaError
from dogclips.streams import Stream, Thumbnails
from dogclips.timebase import Span, frame_at
from tests.alignment.sensor import RATE, Filmed, Sensor, sensor, stream

MINUTE = 60 * RATE  # in pictures

Shown = Sequence[int] | NDArray[np.int64] | NDArray[np.float64]  # the pictures of a stream


@dataclass(frozen=True, eq=False)
class Pair:
    """Two streams of one sensor, whose timestamps hide what they lost."""

    footage: Filmed
    reference: Stream
    target: Stream

    @property
    def content(self) -> Content:
        return compare_content(self.reference, self.target, self.footage)


def pair(
    reference: Shown,
    target: Shown,
    *,
    rates: tuple[int, int] = (RATE, RATE),
    active: float = 0.5,
) -> Pair:
    """Return streams that show these pictures of one sensor, at these frame rates."""
    shown = [np.asarray(positions) for positions in (reference, target)]
    seen = sensor(int(max(own.max() for own in shown)) + 2, active=active)
    footage = Filmed({0: seen, 1: seen}, dict(enumerate(shown)))
    streams = (
        stream(index, len(own), rate=Fraction(rate))
        for index, (own, rate) in enumerate(zip(shown, rates, strict=True))
    )
    return Pair(footage, *streams)


def without(num_pictures: int, lost: range) -> NDArray[np.int64]:
    return np.setdiff1d(np.arange(num_pictures), lost)


def in_doubt(content: Content, time_s: Fraction) -> bool:
    return any(doubt.start <= time_s < doubt.end for doubt in content.doubts)


def mapped(content: Content, time_s: Fraction) -> Fraction | None:
    """Return container time on the target; None in doubt."""
    if in_doubt(content, time_s):
        return None
    begun = [piece for piece in content.pieces if piece.span.start <= time_s]
    piece = (begun or content.pieces)[-1]
    return time_s + piece.shift_s + piece.drift * (time_s - piece.span.start)


def wrong_places(made: Pair, content: Content) -> list[int]:
    """Return the reference's frames, outside of doubts, whose instant shows another picture."""
    target = made.footage.positions[1]
    wrong = []
    for place, pts in enumerate(made.reference.pts):
        time_s = mapped(content, int(pts) * made.reference.time_base)
        if time_s is None:
            continue
        at = frame_at(made.target.pts, made.target.time_base, time_s)
        shown = target[at] if 0 <= at < len(target) else None
        ends = made.target.end_s is not None and time_s >= made.target.end_s
        truth = made.footage.positions[0][place]
        latest = int(np.searchsorted(target, truth, side="right")) - 1
        before, after = latest < 0, truth >= 2 * target[-1] - target[-2]
        right = at < 0 if before else ends if after else shown == target[latest]
        if not right:
            wrong.append(place)
    return wrong


def test_an_hour_whose_streams_agree_is_judged_from_three_looks() -> None:
    hour = pair(range(60 * MINUTE), range(60 * MINUTE))

    content = hour.content

    assert content.reason == ""
    assert [piece.shift_s for piece in content.pieces] == [0]
    assert content.doubts == ()
    assert content.looked_s <= 40
    assert hour.footage.looked[0] <= 40 * RATE
    assert hour.footage.looked[1] <= 100 * RATE


def test_ten_frames_lost_in_ten_minutes_are_found_without_looking_at_most_of_them() -> None:
    lost = range(7000, 7010)
    made = pair(range(10 * MINUTE), without(10 * MINUTE, lost))

    content = made.content

    assert [piece.shift_s for piece in content.pieces] == [0, Fraction(-1, 2)]
    [doubt] = content.doubts
    assert doubt.start <= Fraction(lost.start, RATE) < Fraction(lost.stop, RATE) <= doubt.end
    assert doubt.duration < 10
    assert wrong_places(made, content) == []
    assert content.looked_s < 150


@pytest.mark.parametrize(
    ("reference", "target", "shifts"),
    [
        (range(400), range(10, 400), [Fraction(-1, 2)]),
        (range(400), range(390), [Fraction(0)]),
        (range(10, 400), range(400), [Fraction(1, 2)]),
        (range(390), range(400), [Fraction(0)]),
        (range(400), without(400, range(200, 210)), [Fraction(0), Fraction(-1, 2)]),
        (without(400, range(200, 210)), range(400), [Fraction(0), Fraction(1, 2)]),
    ],
    ids=[
        "target's head",
        "target's tail",
        "reference's head",
        "reference's tail",
        "target's middle",
        "reference's middle",
    ],
)
def test_what_a_stream_lost_is_told_to_the_frame(
    reference: range, target: range, shifts: list[Fraction]
) -> None:
    made = pair(reference, target)

    content = made.content

    assert [piece.shift_s for piece in content.pieces] == shifts
    assert wrong_places(made, content) == []
    assert sum(float(doubt.duration) for doubt in content.doubts) < 5


def test_a_clock_that_drifts_is_followed_within_half_a_frame() -> None:
    count, speed = 200 * RATE, 1.001  # the target's clock calls a second what takes 1.001 s
    made = pair(range(count), np.arange(int((count - 1) / speed), dtype=np.float64) * speed)

    content = made.content

    assert content.drift_ppm == pytest.approx(-1000, abs=30)
    assert content.error_s == Fraction(1, 2 * RATE)
    off = []
    for place, pts in enumerate(made.reference.pts[:-10]):
        time_s = mapped(content, int(pts) * made.reference.time_base)
        assert time_s is not None
        at = frame_at(made.target.pts, made.target.time_base, time_s)
        off.append(speed * at - place)
    # The nearest frame is half a frame away; times are rounded, and the line is not perfect.
    assert max(map(abs, off)) <= 0.6


@pytest.mark.parametrize("rate", [5, 10])
@pytest.mark.parametrize("slow", ["target", "reference"])
def test_streams_of_different_rates_are_aligned_to_the_frame(rate: int, slow: str) -> None:
    thinned, whole = range(20, 600, RATE // rate), range(600)
    made = (
        pair(whole, thinned, rates=(RATE, rate))
        if slow == "target"
        else pair(thinned, whole, rates=(rate, RATE))
    )

    content = made.content

    assert [piece.shift_s for piece in content.pieces] == [-1 if slow == "target" else 1]
    assert wrong_places(made, content) == []


def test_a_target_that_sees_less_of_the_scene_is_aligned_all_the_same() -> None:
    made = pair(range(400), range(7, 400))
    made.footage.views = {1: PictureView((1.08, 1.06), (0.06, -0.03))}

    content = made.content

    assert content.reason == ""
    assert content.view.scale == pytest.approx((1.08, 1.06), abs=0.01)
    assert content.pieces[0].shift_s == Fraction(-7, RATE)


def test_streams_of_different_scenes_are_refused() -> None:
    made = pair(range(400), range(400))
    made.footage.sensors = {0: sensor(402, 1), 1: sensor(402, 2)}

    assert not made.content.confident


def test_a_moving_thing_before_different_grounds_is_no_agreement() -> None:
    made = pair(range(400), range(400))
    seen, other = sensor(402, 1), sensor(402, 2)
    made.footage.sensors = {0: seen, 1: Sensor(seen.places, other.ground)}

    assert not made.content.confident


def test_pictures_that_hardly_fit_are_refused_however_alike_they_move() -> None:
    made = pair(range(400), range(400))
    seen, other = made.footage.sensors[0], sensor(402, 2)
    mixed = Sensor(seen.places, 0.6 * seen.ground + 0.8 * (other.ground - 70))
    made.footage.sensors = {0: seen, 1: mixed}

    content = made.content

    assert content.reason == "the two pictures do not show the same scene"
    assert any(window.accepted for window in content.windows)


def test_a_recording_in_which_nothing_moves_is_refused() -> None:
    content = pair(range(400), range(400), active=0.0).content

    assert content.reason.startswith("no motion that matches")
    assert content.pieces == ()


def test_a_black_stream_is_refused() -> None:
    made = pair(range(400), range(400))
    seen = made.footage.sensors[1]
    black = Sensor(np.full_like(seen.places, 9), 0 * seen.ground)  # the discs are far outside
    made.footage.sensors, made.footage.error = {0: seen, 1: black}, 0.0

    assert not made.content.confident


def test_keyframes_that_come_too_often_are_refused() -> None:
    made = pair(range(400), range(400))
    made.footage.gop = 5

    assert "keyframes" in made.content.reason


class _Spoilt(Filmed):
    def look(self, stream: Stream, first: int, stop: int) -> Thumbnails:
        if stream.index == 1:
            raise MediaError("decoding stopped", where="stream 1", todo="check the recording")
        return super().look(stream, first, stop)


def test_a_stream_that_does_not_decode_is_said_so() -> None:
    made = pair(range(400), range(400))
    spoilt = _Spoilt(made.footage.sensors, made.footage.positions)

    with pytest.raises(MediaError, match="decoding stopped"):
        compare_content(made.reference, made.target, spoilt)


def test_confidence_is_what_was_measured_at_such_margins_and_0_without_an_answer() -> None:
    window = WindowLag(
        Span(Fraction(0), Fraction(10)), (0, 100), 0, 0.9, 0.5, 0.0, 0.3, accepted=True
    )
    assert Content("", PictureView(), (window,)).confidence == 0.9993
    assert Content("", PictureView(), (replace(window, margin=0.15),)).confidence == 0.995
    assert Content("nothing moves", PictureView(), (window,)).confidence == 0
