"""A window is believed where its peak stands out of every other, and nowhere else."""

from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from dogclips.alignment.lags import LagGrid, Motion, WindowLag, compare, measure_windows

CELLS = 40
STEP_S = 0.05
GRID = LagGrid(0.0, STEP_S, -60, 60)
COUNT = 400

Vectors = NDArray[np.float64]


def wandering(seed: int, count: int = COUNT + 120) -> Vectors:
    """Return motion that looks much like that of the frame before, and never comes back."""
    random = np.random.default_rng(seed)
    noise = random.normal(0, 1, (count + 1, CELLS))
    return noise[1:] + 0.7 * noise[:-1]


def motion(vectors: Vectors) -> Motion:
    vectors = vectors / np.sqrt((vectors**2).sum(axis=1, keepdims=True) + 1)
    indices = np.arange(len(vectors))
    peaks = np.abs(vectors).max(axis=1).astype(np.float32)
    return Motion(indices, indices.astype(np.float64) * STEP_S, vectors.astype(np.float32), peaks)


def measured(reference: Vectors, target: Vectors, grid: LagGrid = GRID) -> list[WindowLag]:
    own, other = motion(reference), motion(target)
    return list(measure_windows(compare(own, other, grid), compare(own, own, grid), grid))


def believed(windows: list[WindowLag]) -> list[WindowLag]:
    return [window for window in windows if window.accepted]


@pytest.mark.parametrize("shift", [-37, 0, 5])
def test_a_known_shift_is_found_in_every_window(shift: int) -> None:
    scene, noise = wandering(1), np.random.default_rng(2).normal(0, 1, (COUNT, CELLS))

    windows = measured(scene[60 : 60 + COUNT], scene[60 - shift :][:COUNT] + noise)

    whole = [w for w in windows if w.rows[0] >= 40 and w.rows[1] <= COUNT - 40]
    assert {window.number for window in whole} == {shift}
    assert all(window.accepted and window.bend < 0.1 for window in whole)
    assert {window.number for window in believed(windows)} == {shift}


def test_windows_of_all_lengths_cover_the_look_and_the_last_is_the_look_itself() -> None:
    scene = wandering(3)[:COUNT]

    windows = measured(scene, scene)

    lengths = [window.rows[1] - window.rows[0] for window in windows]
    assert sorted(set(lengths)) == [50, 100, 200, 400]
    for length in set(lengths):
        rows = [w.rows for w in windows if w.rows[1] - w.rows[0] == length]
        assert (rows[0][0], rows[-1][1]) == (0, COUNT)
        assert all(before[1] >= after[0] for before, after in pairwise(rows))
    assert float(windows[-1].span.start) == 0
    assert float(windows[-1].span.end) == pytest.approx(COUNT * STEP_S)


def test_too_few_frames_show_nothing() -> None:
    assert measured(wandering(4)[:19], wandering(4)[:19]) == []


def test_streams_that_have_nothing_in_common_are_not_believed() -> None:
    for seed in range(8):
        assert believed(measured(wandering(seed)[:COUNT], wandering(seed + 100)[:COUNT])) == []


@pytest.mark.parametrize("period", [20, 33])
def test_motion_that_repeats_itself_is_not_believed(period: int) -> None:
    scene = np.tile(wandering(5, period), (30, 1))
    assert believed(measured(scene[:COUNT], scene[7 : COUNT + 7])) == []


def test_a_peak_at_the_edge_of_what_was_tried_is_not_believed() -> None:
    scene = wandering(6)
    narrow = LagGrid(0.0, STEP_S, -10, 10)

    at_edge = measured(scene[20 : 20 + COUNT], scene[10 : 10 + COUNT], narrow)
    inside = measured(scene[20 : 20 + COUNT], scene[11 : 11 + COUNT], narrow)

    assert {window.number for window in at_edge} == {10}
    assert believed(at_edge) == []
    assert {window.number for window in believed(inside)} == {9}


def test_frames_between_the_shifts_that_are_tried_are_not_believed() -> None:
    fine = wandering(7, 2 * COUNT + 40)
    smooth = fine[2:] + 2 * fine[1:-1] + fine[:-2]

    halfway = measured(smooth[20::2][:COUNT], smooth[21::2][:COUNT])

    assert min(window.bend for window in halfway) > 0.2
    assert believed(halfway) == []


def test_what_repeats_in_the_reference_alone_lowers_the_margin() -> None:
    """The target has lost one of two alike stretches: either may be the partner of what is left."""
    once = wandering(8, 50)
    target = np.vstack([np.zeros((50, CELLS)), once, np.zeros((100, CELLS))])
    twice = np.vstack([once, once, np.zeros((100, CELLS))])
    grid = LagGrid(0.0, STEP_S, -30, 30)  # too narrow for the repetition, 50 frames away
    wide = LagGrid(0.0, STEP_S, -60, 60)
    own, other = motion(twice), motion(target)
    likeness = compare(own, other, grid)

    unaware = list(measure_windows(likeness, compare(own, own, grid), grid))
    aware = list(measure_windows(likeness, compare(own, own, wide), grid))

    number = next(k for k, window in enumerate(unaware) if window.rows == (50, 100))
    assert unaware[number].accepted
    assert aware[number].number == 0
    assert aware[number].margin < 0.1
    assert not aware[number].accepted
