"""Scores of probabilities against what was annotated, from numbers alone.

Tables, plots, pages and the trainer all take them from here, so that no two of them disagree.
Everything is counted in double precision, and clips with the same probability stay together.

Shapes: N clips, K classes, L distinct probabilities, descending.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dogclips.records.training_run import ReliabilityBin

Floats = NDArray[np.float64]


Flags = NDArray[np.bool_]


NUM_BINS = 15


HALF = 0.5  # what counts as found where no threshold was measured


@dataclass(frozen=True, eq=False)
class Ranking:
    """How many clips are found down to each probability, and how many of them rightly.

    Parameters
    ----------
    level
        Distinct probabilities (L,), descending.
    hits, found
        Positives, and clips, with at least that probability (L,).
    """

    level: Floats
    hits: Floats
    found: Floats

    @property
    def precision(self) -> Floats:
        """Return the share of found clips that carry the label (L,)."""
        return self.hits / self.found

    @property
    def recall(self) -> Floats:
        """Return the share of the clips with the label that are found (L,)."""
        return np.asarray(self.hits / self.hits[-1])

    @property
    def average_precision(self) -> float | None:
        """Return the area under the precision-recall curve by its steps; None without a positive.

        Nothing is interpolated (scikit-learn, `average_precision_score`).
        """
        if not self.hits[-1]:
            return None
        return float((np.diff(self.recall, prepend=0.0) * self.precision).sum())

    @property
    def auroc(self) -> float | None:
        """Return how likely a positive stands before a negative; None where either is missing.

        A tie counts one half (Hanley and McNeil 1982).
        """
        misses = self.found - self.hits
        if not self.hits[-1] or not misses[-1]:
            return None
        rise, run = np.diff(self.hits, prepend=0.0), np.diff(misses, prepend=0.0)
        above = (run * (self.hits - rise / 2)).sum()
        return float(above / (self.hits[-1] * misses[-1]))

    @property
    def best_threshold(self) -> float | None:
        """Return the probability above which F1 is best; None without a positive.

        It lies half-way between two probabilities that were seen. Of equally good ones it is the
        highest.
        """
        if not self.hits[-1]:
            return None
        best = int(np.argmax(2 * self.hits / (self.found + self.hits[-1])))
        # Just below 0, so that even a probability of exactly 0 can be found.
        below = self.level[best + 1] if best + 1 < len(self.level) else -1e-9
        return float((self.level[best] + below) / 2)


@dataclass(frozen=True)
class FoundAt:
    """What a class is worth at one threshold; None where nothing can be said.

    Parameters
    ----------
    precision
        Share of the found clips that carry the label; None if none is found.
    recall
        Share of the clips with the label that are found.
    f1
        Their harmonic mean; 0 if nothing is found.
    """

    precision: float | None
    recall: float
    f1: float


def ranking(probability: Floats, target: Flags) -> Ranking:
    """Return the clips of one class, at least one of them, in the order of their probability.

    Parameters
    ----------
    probability, target
        Of each clip (N,).
    """
    order = np.argsort(-probability, kind="stable")
    level, hits = probability[order], np.cumsum(target[order], dtype=np.float64)
    last = np.append(np.flatnonzero(np.diff(level)), len(level) - 1)
    return Ranking(level[last], hits[last], last + 1.0)


def average_precisions(probability: Floats, target: Flags, weight: Floats) -> Floats:
    """Return the average precision of one class for each of several weightings of its clips.

    A clip with weight 2 counts as if it were there twice, one with weight 0 as if it were not.

    Parameters
    ----------
    probability, target
        Of each clip (N,).
    weight
        Of each clip in each of R weightings (N, R).

    Returns
    -------
    scores
        (R,); NaN where no positive has a weight.
    """
    order = np.argsort(-probability, kind="stable")
    last = np.append(np.flatnonzero(np.diff(probability[order])), len(order) - 1)
    found = np.cumsum(weight[order], axis=0)
    hits = np.cumsum(weight[order] * target[order, None], axis=0)
    found, hits = found[last], hits[last]
    precision = np.divide(hits, found, out=np.zeros_like(hits), where=found > 0)
    area = (np.diff(hits, axis=0, prepend=0.0) * precision).sum(0)
    share = np.divide(area, hits[-1], out=np.full_like(area, np.nan), where=hits[-1] > 0)
    return np.asarray(share, dtype=np.float64)


def found_at(probability: Floats, target: Flags, threshold: float) -> FoundAt | None:
    """Return precision, recall and F1 of one class above a threshold; None without a positive.

    Parameters
    ----------
    probability, target
        Of each clip (N,).
    """
    positives = int(target.sum())
    if not positives:
        return None
    claimed = probability > threshold
    found, hits = int(claimed.sum()), int((claimed & target).sum())
    return FoundAt(
        hits / found if found else None, hits / positives, 2 * hits / (found + positives)
    )


def brier(probability: Floats, target: Flags) -> float:
    """Return the mean squared difference of probability and truth (Brier 1950), any shape."""
    return float(np.mean((probability - target) ** 2))


def reliability(probability: Floats, target: Flags) -> tuple[ReliabilityBin, ...]:
    """Return how often what was given a probability came true, in 15 bins of equal width.

    A bin holds its lower edge, the last one 1 as well.

    Parameters
    ----------
    probability, target
        Of any shape; all entries are thrown together.
    """
    edges = np.linspace(0.0, 1.0, NUM_BINS + 1)
    flat = probability.ravel()
    place = np.clip(np.searchsorted(edges, flat, side="right") - 1, 0, NUM_BINS - 1)
    count = np.bincount(place, minlength=NUM_BINS)
    said = np.bincount(place, weights=flat, minlength=NUM_BINS)
    true = np.bincount(place, weights=target.ravel().astype(np.float64), minlength=NUM_BINS)
    return tuple(
        ReliabilityBin(
            low=float(edges[n]),
            high=float(edges[n + 1]),
            count=int(count[n]),
            probability=float(said[n] / count[n]) if count[n] else None,
            frequency=float(true[n] / count[n]) if count[n] else None,
        )
        for n in range(NUM_BINS)
    )


def calibration_error(bins: Sequence[ReliabilityBin]) -> float:
    """Return the mean distance of probability and frequency, weighted by the bins' counts.

    The expected calibration error of Naeini et al. 2015, of each class against the rest.
    """
    total = sum(one.count for one in bins)
    apart = (
        one.count * abs(one.probability - one.frequency)
        for one in bins
        if one.probability is not None and one.frequency is not None
    )
    return sum(apart) / total


def confusion(target: Flags, claimed: Flags) -> tuple[tuple[float | None, ...], ...]:
    """Return what is claimed of clips that carry each label (K, K).

    Row i, column j: of the clips that carry i and do not carry j, the share that j was claimed of
    all the same. So a label that rightly comes along with i counts as no confusion. On the
    diagonal stands the share of the clips with i that i was claimed of, its recall. None where
    there is no such clip.

    Parameters
    ----------
    target, claimed
        Whether a clip carries a label, and whether that was claimed of it (N, K).
    """
    carried, other = target.astype(np.float64), (~target).astype(np.float64)
    wrong, possible = carried.T @ (claimed * other), carried.T @ other
    np.fill_diagonal(wrong, (carried * claimed).sum(0))
    np.fill_diagonal(possible, carried.sum(0))
    return tuple(
        tuple(float(w / p) if p else None for w, p in zip(*rows, strict=True))
        for rows in zip(wrong, possible, strict=True)
    )


def places(probability: Floats, target: Flags) -> NDArray[np.int64]:
    """Return at which place, from 0, the true class of each clip comes (N,).

    Of classes with the same probability the one that labels.txt names first comes first.

    Parameters
    ----------
    probability, target
        Of each clip and class (N, K), with exactly one true class a clip.
    """
    order = np.argsort(-probability, axis=1, kind="stable")
    return np.asarray(np.argmax(np.take_along_axis(target, order, axis=1), axis=1))
