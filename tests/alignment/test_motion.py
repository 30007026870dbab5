"""What is left of pictures when only motion may speak."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from dogclips.alignment.lags import Motion, is_all_intra, motion_of
from dogclips.alignment.view import PictureView
from dogclips.streams import THUMBNAIL_COLUMNS, THUMBNAIL_ROWS, Thumbnails
from tests.alignment.sensor import RATE, sensor, stream

COUNT = 60
FRAME_S = 1 / RATE
SHAPE = (COUNT, THUMBNAIL_ROWS, THUMBNAIL_COLUMNS)


def motion(
    pictures: NDArray[np.float64],
    indices: NDArray[np.int64] | None = None,
    keyframes: NDArray[np.bool_] | None = None,
    base_s: float = FRAME_S,
) -> Motion:
    """Return the motion in these pictures; frames 0, 1, .. without any keyframe unless said."""
    count = len(pictures)
    seen = Thumbnails(
        np.arange(count) if indices is None else indices,
        np.clip(np.rint(pictures), 0, 255).astype(np.uint8),
        np.zeros(count, dtype=np.bool_) if keyframes is None else keyframes,
    )
    return motion_of(stream(0, 500), seen, PictureView().reference_sampler(), base_s)


def moving(seed: int = 1) -> NDArray[np.float64]:
    """Return pictures of discs that always move."""
    return sensor(COUNT + 1, seed, active=1.0)(np.arange(COUNT, dtype=np.float64), PictureView())


def noisy() -> NDArray[np.float64]:
    return np.random.default_rng(2).uniform(0, 255, SHAPE)


def empty_rows(found: Motion) -> list[int]:
    return np.flatnonzero(found.energy == 0).tolist()


def test_light_that_changes_everywhere_leaves_nothing() -> None:
    random = np.random.default_rng(3)
    pictures = moving()
    gain = random.uniform(0.7, 1.1, (COUNT, 1, 1))
    still = pictures.copy()
    still[20:40] = still[20]
    flickering = 0.8 * still * gain + random.uniform(-10, 10, (COUNT, 1, 1))

    calm, lit = motion(still), motion(flickering)

    alike = (calm.vectors * lit.vectors).sum(axis=1) / np.sqrt(calm.energy * lit.energy + 1e-9)
    assert np.median(alike[41:]) > 0.8
    assert np.median(lit.energy[21:40]) < 0.3 * np.median(lit.energy[41:])


def test_keyframes_leave_no_motion() -> None:
    keyframes = np.arange(COUNT) % 20 == 5
    assert empty_rows(motion(noisy(), keyframes=keyframes)) == [0, 5, 25, 45]


def test_differences_over_a_keyframe_leave_no_motion() -> None:
    keyframes = np.arange(COUNT) % 20 == 5
    found = motion(noisy(), keyframes=keyframes, base_s=3 * FRAME_S)
    assert empty_rows(found) == [0, 1, 2, 5, 6, 7, 25, 26, 27, 45, 46, 47]


def test_where_every_frame_is_a_keyframe_none_is_left_out() -> None:
    keyframes = np.ones(COUNT, dtype=np.bool_)
    found = motion(noisy(), keyframes=keyframes)
    assert empty_rows(found) == [0]


def test_a_look_without_frames_is_not_all_intra() -> None:
    none = Thumbnails(np.empty(0, np.int64), np.empty((0, *SHAPE[1:]), np.uint8), np.empty(0, bool))
    assert not is_all_intra(none)


@pytest.mark.parametrize(("base", "empty"), [(1, [0, 30]), (2, [0, 1, 30, 31])])
def test_frames_after_a_gap_have_nothing_to_compare_with(base: int, empty: list[int]) -> None:
    indices = np.arange(COUNT)
    indices[30:] += 4  # frames 30 to 33 did not decode
    found = motion(noisy(), indices=indices, base_s=base * FRAME_S)
    assert empty_rows(found) == empty
    assert found.times_s[30] == pytest.approx(34 * FRAME_S)


def test_a_hole_in_the_timestamps_is_a_gap_too() -> None:
    hole = stream(0, COUNT)
    late = np.where(np.arange(COUNT) >= 30, 500, 0)
    seen = Thumbnails(np.arange(COUNT), noisy().astype(np.uint8), np.zeros(COUNT, bool))
    found = motion_of(
        replace(hole, pts=hole.pts + late), seen, PictureView().reference_sampler(), FRAME_S
    )
    assert empty_rows(found) == [0, 30]


def test_each_frame_is_compared_with_the_one_a_base_before_it() -> None:
    pictures = moving()
    apart = motion(pictures[::4], indices=np.arange(0, COUNT, 4), base_s=4 * FRAME_S)
    among = motion(pictures, base_s=4 * FRAME_S)
    alike = (apart.vectors * among.vectors[::4]).sum(axis=1)[1:]
    assert (alike / np.sqrt(apart.energy * among.energy[::4])[1:]).min() > 0.9


@pytest.mark.parametrize(("rate", "base"), [(30, 2), (24, 4), (25, 5), (30, 6)])
def test_times_rounded_to_milliseconds_leave_every_frame_its_partner(rate: int, base: int) -> None:
    one = stream(0, COUNT, rate=Fraction(rate))
    exact = replace(one, time_base=Fraction(1, rate), pts=np.arange(COUNT))
    seen = Thumbnails(np.arange(COUNT), noisy().astype(np.uint8), np.zeros(COUNT, bool))

    rounded, true = (
        motion_of(which, seen, PictureView().reference_sampler(), base / rate)
        for which in (one, exact)
    )

    assert np.array_equal(rounded.vectors, true.vectors)
    assert len(empty_rows(rounded)) <= base


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 2**32), st.floats(0, 255), st.integers(1, 30))
def test_no_vector_is_as_long_as_one(seed: int, depth: float, count: int) -> None:
    random = np.random.default_rng(seed)
    pictures = random.uniform(0, depth, (count, *SHAPE[1:]))
    pictures[random.integers(count)] = 255
    found = motion(pictures)
    assert found.vectors.dtype == np.float32
    assert np.isfinite(found.vectors).all()
    assert (found.energy < 1).all()


def test_motion_stands_out_of_the_noise() -> None:
    random = np.random.default_rng(4)
    pictures = moving()
    pictures[:40] = pictures[0]
    found = motion(pictures + random.normal(0, 2, SHAPE))
    assert found.energy[1:40].max() < 0.6
    assert np.median(found.energy[41:]) > 0.7
