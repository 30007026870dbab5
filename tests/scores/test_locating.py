import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from dogclips.scores.locating import Locate, covering_mean, locate, log_odds

STEPS = 4
THRESHOLD = np.array([0.3])


def windows_of(carried: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return how many steps of each window carry the label."""
    return np.lib.stride_tricks.sliding_window_view(carried, STEPS).sum(axis=-1)


def on(score: NDArray[np.float64]) -> NDArray[np.bool_]:
    return np.asarray(score[:, 0] > THRESHOLD[0])


def agreement(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    return float(2 * (one & other).sum() / max(one.sum() + other.sum(), 1))


@st.composite
def lasting(draw: st.DrawFn) -> NDArray[np.bool_]:
    """Bouts of any length, with gaps that at least one window fits into."""
    lengths = draw(st.lists(st.tuples(st.integers(4, 12), st.integers(1, 12)), max_size=6))
    runs = [value for gap, bout in lengths for value in (False,) * gap + (True,) * bout]
    return np.array([*runs, *(False,) * 6])


@settings(max_examples=25)
@given(lasting())
def test_bouts_between_which_a_window_fits_are_found_to_the_step(
    carried: NDArray[np.bool_],
) -> None:
    """However sure the model is, it is as sure of one step as of four."""
    probability = np.where(windows_of(carried) > 0, 0.95, 0.02)[:, None]

    assert on(locate(probability, THRESHOLD, STEPS)).tolist() == carried.tolist()


def test_gaps_shorter_than_a_window_are_found_where_the_model_is_surer_of_more_steps() -> None:
    random = np.random.default_rng(0)
    gaps, bouts = random.integers(1, 9, 100), random.integers(1, 4, 100)
    runs = np.column_stack([gaps, bouts]).ravel()
    carried = np.repeat(np.arange(200) % 2 == 1, runs)
    odds = -3 + 2.5 * windows_of(carried) + random.normal(0, 0.8, len(carried) - STEPS + 1)
    probability = (1 / (1 + np.exp(-odds)))[:, None]

    found = {
        method: agreement(on(locate(probability, THRESHOLD, STEPS, method)), carried)
        for method in ("counts", "mean", "centre")
    }

    assert found["counts"] > 0.95
    assert max(found["mean"], found["centre"]) < 0.75


@pytest.mark.parametrize(("probability", "expected"), [(0.05, False), (0.9, True)])
def test_a_label_that_never_changes_is_always_or_never_there(
    probability: float, expected: bool
) -> None:
    score = locate(np.full((60, 1), probability), THRESHOLD, STEPS)

    assert (on(score) == expected).all()


def test_noise_below_the_threshold_makes_no_bouts() -> None:
    noise = 1 / (1 + np.exp(3 + np.random.default_rng(1).normal(0, 0.7, (300, 1))))

    assert not on(locate(noise, THRESHOLD, STEPS)).any()


def test_windows_that_almost_reach_the_threshold_make_no_bouts() -> None:
    nearly = np.where(np.arange(200) // 10 % 2, 0.25, 0.005)[:, None]

    assert not on(locate(nearly, THRESHOLD, STEPS)).any()


def test_labels_do_not_depend_on_each_other() -> None:
    random = np.random.default_rng(2)
    probability, thresholds = random.uniform(size=(50, 3)), np.array([0.2, 0.5, 0.8])

    together = locate(probability, thresholds, STEPS)

    for k in range(3):
        alone = locate(probability[:, [k]], thresholds[[k]], STEPS)
        np.testing.assert_allclose(together[:, [k]], alone)


@pytest.mark.parametrize("method", ["counts", "mean", "centre"])
def test_steps_that_no_shown_window_covers_have_no_score(method: Locate) -> None:
    probability = np.full((20, 1), 0.1)
    probability[5:15] = np.nan  # steps 8 to 14 lie in these windows only

    score = locate(probability, THRESHOLD, STEPS, method)

    assert np.flatnonzero(np.isnan(score[:, 0])).tolist() == list(range(8, 15))
    assert np.isnan(locate(np.full((6, 1), np.nan), THRESHOLD, STEPS, method)).all()


def test_the_mean_is_that_of_the_windows_that_cover_a_step() -> None:
    mean = covering_mean(np.array([[0.0], [0.4], [np.nan], [0.8]]), 2)

    assert mean[:, 0].tolist() == [0.0, 0.2, 0.4, 0.8, 0.8]


def test_log_odds_are_finite() -> None:
    assert np.isfinite(log_odds(np.array([0.0, 1.0]))).all()
    np.testing.assert_allclose(log_odds(np.array([0.5, 0.75])), [0, np.log(3)])
