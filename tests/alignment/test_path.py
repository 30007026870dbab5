"""The best path of shifts, against all paths of small tables; and where it cannot be known."""

from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from dogclips.alignment.pieces import CHANGE_COST, DOUBT_BELOW, best_path

Floats = NDArray[np.float64]
FREE = np.zeros(2)
FIRST, SECOND = np.array([0, CHANGE_COST]), np.array([CHANGE_COST, 0])  # where an end is expected
NUM_ROWS = 10  # of each stretch below


def score(path: tuple[int, ...], evidence: Floats, start: Floats, end: Floats) -> float:
    spoken = sum(evidence[row, state] for row, state in enumerate(path))
    changes = sum(before != after for before, after in pairwise(path))
    return float(spoken - start[path[0]] - end[path[-1]] - CHANGE_COST * changes)


@st.composite
def tables(draw: st.DrawFn) -> tuple[Floats, Floats, Floats]:
    """Draw evidence for a few rows and shifts, and what each shift costs at both ends."""
    rows, states = draw(st.integers(1, 5)), draw(st.integers(2, 3))
    speaks = st.floats(-15, 15, width=16)
    evidence = np.array(draw(st.lists(speaks, min_size=rows * states, max_size=rows * states)))
    costs = st.lists(st.sampled_from([0.0, 3.0, CHANGE_COST]), min_size=states, max_size=states)
    return evidence.reshape(rows, states), np.array(draw(costs)), np.array(draw(costs))


@settings(deadline=None, max_examples=150)
@given(tables())
def test_the_path_and_its_lead_are_those_of_all_paths(
    table: tuple[Floats, Floats, Floats],
) -> None:
    evidence, start, end = table
    rows, states = evidence.shape
    scores = {path: score(path, *table) for path in product(range(states), repeat=rows)}

    found = best_path(evidence, start, end)

    best = max(scores.values())
    for row in range(rows):
        tops = [
            max(value for path, value in scores.items() if path[row] == state)
            for state in range(states)
        ]
        state = int(found.states[row])
        rival = max(top for other, top in enumerate(tops) if other != state)
        assert tops[state] == pytest.approx(best)
        assert found.lead[row] == pytest.approx(best - rival)


def stretches(*speaking: int | None, strength: float = 3.0) -> Floats:
    """Return stretches of rows that each speak for one of two shifts, or (None) for neither."""
    evidence = np.zeros((NUM_ROWS * len(speaking), 2))
    for number, state in enumerate(speaking):
        if state is not None:
            evidence[NUM_ROWS * number : NUM_ROWS * (number + 1), state] = strength
    return evidence


def test_a_change_that_nothing_shows_is_in_doubt_wherever_it_may_hide() -> None:
    path = best_path(stretches(0, None, 1), FIRST, SECOND)

    assert (path.states[:NUM_ROWS] == 0).all()
    assert (path.states[2 * NUM_ROWS :] == 1).all()
    assert not path.certain[NUM_ROWS : 2 * NUM_ROWS].any()
    assert path.certain[: NUM_ROWS - 4].all()  # near the change a few frames do not say enough
    assert path.certain[2 * NUM_ROWS + 4 :].all()


def test_a_change_and_its_undoing_are_not_invented_where_nothing_moves() -> None:
    path = best_path(stretches(0, None, None, 0), FIRST, FIRST)

    assert (path.states == 0).all()
    assert path.certain.all()


def test_a_change_in_full_sight_leaves_a_few_frames_in_doubt_at_most() -> None:
    path = best_path(stretches(0, 1), FIRST, SECOND)

    assert path.states.tolist() == [0] * NUM_ROWS + [1] * NUM_ROWS
    doubtful = np.flatnonzero(~path.certain)
    assert doubtful.min() >= NUM_ROWS - 4
    assert doubtful.max() < NUM_ROWS + 4


def test_a_few_frames_that_say_otherwise_change_nothing() -> None:
    evidence = stretches(0, 0, 0)
    evidence[14:17] = (0, 3)

    assert (best_path(evidence, FREE, FREE).states == 0).all()


def test_the_end_that_nobody_looked_at_is_known_only_if_a_change_would_cost_twice() -> None:
    evidence = stretches(0, None)

    free = best_path(evidence, FIRST, FREE)
    anchored = best_path(evidence, FIRST, FIRST)

    assert not free.certain[NUM_ROWS:].any()
    assert anchored.certain.all()
    assert np.allclose(anchored.lead[NUM_ROWS:], 2 * CHANGE_COST)


def test_ends_that_disagree_put_all_silent_rows_in_doubt() -> None:
    path = best_path(stretches(None, None), FIRST, SECOND)

    assert not path.certain.any()


def test_without_evidence_nothing_is_certain() -> None:
    path = best_path(np.zeros((4, 3)), np.zeros(3), np.zeros(3))

    assert path.lead.tolist() == [0, 0, 0, 0]
    assert not path.certain.any()


def test_how_long_nobody_looked_does_not_matter() -> None:
    row, many = (
        np.vstack([stretches(0), np.zeros((count, 2)), stretches(1)]) for count in (1, 500)
    )

    short, long = best_path(row, FREE, FREE), best_path(many, FREE, FREE)

    assert np.allclose(short.lead[:NUM_ROWS], long.lead[:NUM_ROWS])
    assert np.allclose(short.lead[-NUM_ROWS:], long.lead[-NUM_ROWS:])
    assert short.lead[NUM_ROWS] == pytest.approx(long.lead[NUM_ROWS : NUM_ROWS + 500].max())


def test_one_change_may_hide_and_two_may_not() -> None:
    assert CHANGE_COST < DOUBT_BELOW < 2 * CHANGE_COST
