"""The path of shifts over time: where frames were lost, and where nobody can know.

Dynamic programming over the reference's frames (Viterbi, with max-marginals from a forward and a
backward pass): evidence speaks for shifts, and every change of the shift costs.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# In units of evidence (log-likelihood, roughly): what a change of the shift costs, and by how much
# the best path must beat every path that gives a frame another shift. More than one change, less
# than two: a single change that nothing shows may hide anywhere, a change and its undoing may not.
CHANGE_COST = 8.0
DOUBT_BELOW = 12.0


@dataclass(frozen=True, eq=False)
class LagPath:
    """The best shift of each of N rows, and by how much it beats all others."""

    states: NDArray[np.int64]  # (N,), the column of the best shift
    lead: NDArray[np.float64]  # (N,), best score minus that of the best path with another shift

    @property
    def certain(self) -> NDArray[np.bool_]:
        """Return the rows at which no other shift is nearly as good."""
        return self.lead >= DOUBT_BELOW


def best_path(
    evidence: NDArray[np.floating],
    start_cost: NDArray[np.float64],
    end_cost: NDArray[np.float64],
) -> LagPath:
    """Return the best path through evidence of shape (N, M), with costs for either end (M,).

    Rows of zeros stand for time that was not looked at, however long.
    """
    forward = _passed(evidence, -start_cost)
    backward = _passed(evidence[::-1], -end_cost)[::-1]
    total = forward + backward - evidence
    states = np.argmax(total, axis=1)
    rows = np.arange(len(total))
    best = total[rows, states]
    total[rows, states] = -np.inf
    return LagPath(states, best - total.max(axis=1))


def _passed(evidence: NDArray[np.floating], start: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return for each row and state the best score of a path that ends there."""
    scores = np.empty(evidence.shape, dtype=np.float64)
    last = start
    for row, own in enumerate(evidence):
        if row:
            last = np.maximum(last, last.max() - CHANGE_COST)
        last = last + own
        scores[row] = last
    return scores
