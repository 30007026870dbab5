"""How alike two streams move, against plain loops over all pairs of frames."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dogclips.alignment.lags import LagGrid, Likeness, Motion, compare, pooled

CELLS = 5
STEP_S = 0.05


def motion(numbers: Sequence[int], seed: int, start_s: float = 0.0) -> Motion:
    """Return random vectors of frames at these numbers of a grid of `STEP_S`; some are empty."""
    random = np.random.default_rng(seed)
    vectors = random.normal(0, 0.4, (len(numbers), CELLS)).astype(np.float32)
    vectors[random.random(len(numbers)) < 0.1] = 0
    times_s = start_s + STEP_S * np.array(numbers, dtype=np.float64)
    return Motion(np.array(numbers, dtype=np.int64), times_s, vectors, vectors.max(axis=1))


@st.composite
def frames(draw: st.DrawFn) -> list[int]:
    """Draw numbers of frames on the grid: each n-th, some of them missing."""
    divisor, first = draw(st.sampled_from([1, 2, 4])), draw(st.integers(0, 12))
    missing = draw(st.sets(st.integers(0, 40), max_size=8))
    kept = [number for number in range(draw(st.integers(12, 40))) if number not in missing]
    return [first + divisor * number for number in kept]


@settings(deadline=None, max_examples=40)
@given(frames(), frames(), st.integers(-15, 5), st.integers(0, 20), st.floats(-0.024, 0.024))
def test_every_pair_of_frames_is_compared_at_its_own_shift(
    reference: list[int], target: list[int], low: int, width: int, zero_s: float
) -> None:
    own, other = motion(reference, 1, 100.0), motion(target, 2, 100.0 + zero_s)
    grid = LagGrid(zero_s, STEP_S, low, low + width)

    likeness = compare(own, other, grid)

    products = np.zeros((len(reference), len(grid.numbers)))
    energies = np.zeros_like(products)
    for row, number in enumerate(reference):
        for column, shift in enumerate(grid.numbers):
            if number + shift in target:
                partner = target.index(number + int(shift))
                products[row, column] = own.vectors[row] @ other.vectors[partner]
                energies[row, column] = other.energy[partner]
    assert np.allclose(likeness.products, products, atol=1e-5)
    assert np.allclose(likeness.energies[0], own.energy)
    assert np.allclose(likeness.energies[1], energies, atol=1e-6)


@settings(deadline=None, max_examples=40)
@given(frames(), frames(), st.data())
def test_the_correlation_of_some_rows_is_that_of_their_pairs(
    reference: list[int], target: list[int], data: st.DataObject
) -> None:
    likeness = compare(motion(reference, 3), motion(target, 4), LagGrid(0.0, STEP_S, -20, 20))
    first = data.draw(st.integers(0, len(reference) - 1))
    stop = data.draw(st.integers(first + 1, len(reference)))

    curve = likeness.correlation(first, stop)

    own, other = likeness.energies[0][first:stop], likeness.energies[1][first:stop]
    for column, found in enumerate(curve):
        paired = other[:, column] > 0
        energy, whole = float(own[paired].sum()), float(own.sum())
        least = 0.5 * likeness.density * whole
        if abs(energy - least) < 1e-5:
            continue  # rounding decides
        if energy <= least or energy == 0:
            assert np.isnan(found)
        else:
            product = float(likeness.products[first:stop][paired, column].sum())
            partners = float(other[paired, column].sum())
            assert found == pytest.approx(product / np.sqrt(energy * partners), abs=1e-4)
            assert abs(found) <= 1 + 1e-6


def test_a_stream_correlates_fully_with_itself_and_only_where_enough_overlaps() -> None:
    own = motion(range(100), 5)
    likeness = compare(own, own, LagGrid(0.0, STEP_S, -70, 70))

    curve = likeness.correlation(0, 100)

    assert curve[70] == pytest.approx(1)
    assert np.nanmax(np.abs(np.delete(curve, 70))) < 0.5
    known = np.flatnonzero(~np.isnan(curve)) - 70
    assert -60 < known.min() < -40
    assert 40 < known.max() < 60
    assert np.isnan(curve[[0, -1]]).all()


def test_a_target_of_few_frames_has_partners_enough() -> None:
    dense = motion(range(100), 6)
    sparse = Motion(dense.indices[::4], dense.times_s[::4], dense.vectors[::4], dense.peaks[::4])

    likeness = compare(dense, sparse, LagGrid(0.0, STEP_S, -4, 4))

    assert likeness.density == pytest.approx(0.25)
    assert likeness.correlation(0, 100)[4] == pytest.approx(1)
    assert compare(sparse, dense, LagGrid(0.0, STEP_S, -4, 4)).density == 1


def test_pooled_looks_weigh_by_their_motion() -> None:
    grid = LagGrid(0.0, STEP_S, -10, 10)
    one, other = motion(range(60), 7), motion(range(60), 8)
    calm = replace(other, vectors=other.vectors * np.float32(0.1))
    looks: list[Likeness] = [compare(one, one, grid), compare(calm, one, grid)]

    curve = pooled(looks)

    product, own, target = (sum(look.totals[k] for look in looks) for k in range(3))
    assert np.allclose(curve, product / np.sqrt(own * target))
    assert np.allclose(pooled(looks[:1]), one_curve(looks[0]))
    assert 0.5 < curve[10] < 1


def one_curve(look: Likeness) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    product, own, target = look.totals
    return np.asarray(product / np.sqrt(own * target))


def test_a_shift_without_any_pair_has_no_correlation() -> None:
    look = compare(motion(range(10), 9), motion(range(100, 110), 10), LagGrid(0.0, STEP_S, -5, 5))
    assert np.isnan(pooled([look])).all()
    assert np.isnan(look.correlation(0, 10)).all()


def test_the_grid_tells_the_shift_of_each_number() -> None:
    grid = LagGrid(0.01, STEP_S, -2, 1)
    assert grid.numbers.tolist() == [-2, -1, 0, 1]
    assert grid.shift_s(-2) == pytest.approx(-0.09)
