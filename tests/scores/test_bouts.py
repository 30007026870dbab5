from fractions import Fraction
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from dogclips.scores.bouts import Bout, BoutRules, find_bouts, known_spans, median_smoothed

STEP_S = Fraction(1, 3)
SCORES = st.lists(
    st.one_of(st.sampled_from([0.1, 0.3, 0.5, 0.7, 0.9]), st.just(float("nan"))), max_size=40
).map(lambda values: np.array(values, dtype=np.float64)[:, None])
LENGTHS = st.integers(0, 5).map(lambda steps: steps * STEP_S)


def bouts_of(score: NDArray[np.float64], rules: BoutRules) -> tuple[Bout, ...]:
    return find_bouts(score, ["walk"], [rules], STEP_S)


def steps_in(bouts: tuple[Bout, ...]) -> set[int]:
    return {
        step
        for bout in bouts
        for step in range(int(bout.span.start / STEP_S), int(bout.span.end / STEP_S))
    }


@given(SCORES)
def test_plain_bouts_are_exactly_the_steps_above_the_threshold(
    score: NDArray[np.float64],
) -> None:
    bouts = bouts_of(score, BoutRules(0.5, 0.5))

    assert steps_in(bouts) == set(np.flatnonzero(score[:, 0] > 0.5).tolist())


@given(SCORES, LENGTHS, LENGTHS)
def test_bouts_are_exact_long_enough_and_apart(
    score: NDArray[np.float64], least_s: Fraction, gap_s: Fraction
) -> None:
    bouts = bouts_of(score, BoutRules(0.5, 0.3, least_s, gap_s))
    unknown = set(np.flatnonzero(np.isnan(score[:, 0])).tolist())

    assert all(bout.span.duration >= max(least_s, STEP_S) for bout in bouts)
    assert all(bout.span.start % STEP_S == 0 for bout in bouts)
    assert not steps_in(bouts) & unknown
    for earlier, later in pairwise(bouts):
        between = range(int(earlier.span.end / STEP_S), int(later.span.start / STEP_S))
        assert later.span.start > earlier.span.end
        assert later.span.start - earlier.span.end >= gap_s or unknown & set(between)


@given(SCORES)
def test_hysteresis_only_lengthens_bouts(score: NDArray[np.float64]) -> None:
    plain, longer = bouts_of(score, BoutRules(0.6, 0.6)), bouts_of(score, BoutRules(0.6, 0.2))

    assert steps_in(plain) <= steps_in(longer)
    assert all(steps_in((bout,)) & steps_in(plain) for bout in longer)
    assert all(score[step, 0] > 0.2 for step in steps_in(longer))


def test_gaps_are_filled_before_short_bouts_are_dropped() -> None:
    score = np.array([0.9, 0.1, 0.9, 0.1, 0.1, 0.1, 0.9])[:, None]

    [bout] = bouts_of(score, BoutRules(0.5, 0.5, min_bout_s=Fraction(1), merge_gap_s=Fraction(1)))

    assert (bout.span.start, bout.span.end) == (0, 1)
    assert round(bout.score, 3) == round((0.9 + 0.1 + 0.9) / 3, 3)


def test_bouts_of_several_labels_come_in_the_order_of_time() -> None:
    score = np.array([[0.1, 0.9], [0.9, 0.1], [0.9, 0.9]])
    rules = [BoutRules(0.5, 0.5)] * 2

    found = find_bouts(score, ["walk", "sit"], rules, Fraction(1))

    assert [(bout.label, int(bout.span.start)) for bout in found] == [
        ("sit", 0),
        ("walk", 1),
        ("sit", 2),
    ]


@given(SCORES, st.integers(1, 9))
def test_a_median_keeps_what_is_unknown_and_stays_within_its_neighbours(
    score: NDArray[np.float64], width: int
) -> None:
    smooth = median_smoothed(score, width)

    assert (np.isnan(smooth) == np.isnan(score)).all()
    for step in np.flatnonzero(~np.isnan(score[:, 0])):
        around = score[max(step - width // 2, 0) : step + width // 2 + 1]
        assert np.nanmin(around) <= smooth[step, 0] <= np.nanmax(around)


def test_a_single_outlier_disappears_under_a_median() -> None:
    score = np.array([0.1, 0.1, 0.9, 0.1, 0.1, 0.8, 0.9, 0.8])[:, None]

    assert steps_in(bouts_of(median_smoothed(score, 3), BoutRules(0.5, 0.5))) == {5, 6, 7}


def test_known_time_ends_where_a_score_is_missing() -> None:
    score = np.array([[0.1], [np.nan], [0.2], [0.3]])

    spans = [(span.start, span.end) for span in known_spans(score, STEP_S)]

    assert spans == [(0, STEP_S), (2 * STEP_S, 4 * STEP_S)]
