"""Splits against random ones of the same groups and against iterative-stratification; their time.

Lower is better: the mean over labels and splits of |ratio of the label in the split - ratio in all
clips|, and over seeds. `iterative-stratification` knows no groups, so every clip is one there.
"""

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from iterstrat.ml_stratifiers import IterativeStratification

from dogclips.lists.groups import group_clips
from dogclips.lists.splits import assign_splits
from dogclips.lists.stratification import count_groups, stratify

SHARES = (0.7, 0.15, 0.15)
FIVE_FOLDS = (0.2,) * 5
NUM_LABELS = 10
SEEDS = range(20)
MILLION = 1_000_000

EVEN = tuple(np.linspace(0.02, 0.5, NUM_LABELS).tolist())
SKEWED = tuple((0.9 * 0.55 ** np.arange(NUM_LABELS) + 0.003).tolist())

Sizes = Callable[[np.random.Generator], np.ndarray]


@dataclass(frozen=True)
class Shape:
    """How many clips groups have, and how frequent labels are."""

    sizes: Sizes
    rates: tuple[float, ...]

    def draw(self, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the group of each clip, and its labels as rows of booleans.

        Labels are as unlike in different groups as in different animals' recordings.
        """
        rng = np.random.default_rng(1000 + seed)
        sizes = self.sizes(rng)
        groups = np.repeat(np.arange(len(sizes)), sizes)
        unlike = rng.gamma(0.7, 1 / 0.7, (len(sizes), NUM_LABELS)) if sizes.max() > 1 else 1.0
        rates = np.minimum(0.95, unlike * np.broadcast_to(self.rates, (len(sizes), NUM_LABELS)))
        return groups, rng.random((len(groups), NUM_LABELS)) < rates[groups]


SHAPES = {
    "14 recordings, a few large": Shape(lambda rng: _lognormal(rng, 4, 1, 14), EVEN),
    "20 recordings of 30 clips": Shape(lambda _: np.full(20, 30), EVEN),
    "40 recordings, a few large": Shape(lambda rng: _lognormal(rng, 3, 1, 40), EVEN),
    "120 recordings, skewed labels": Shape(lambda rng: _lognormal(rng, 2, 1.2, 120), SKEWED),
    "500 small recordings": Shape(lambda rng: rng.integers(1, 8, 500), EVEN),
}
SINGLE = Shape(lambda _: np.ones(2000, dtype=int), EVEN)
SINGLE_SKEWED = Shape(lambda _: np.ones(2000, dtype=int), SKEWED)


def _lognormal(rng: np.random.Generator, mean: float, sigma: float, number: int) -> np.ndarray:
    return np.maximum(1, rng.lognormal(mean, sigma, number).astype(int))


def deviation(hot: np.ndarray, splits: np.ndarray) -> float:
    """Return the mean absolute deviation of label ratios, in points."""
    ratios = [hot[splits == split].mean(axis=0) for split in np.unique(splits)]
    return float(100 * np.abs(np.array(ratios) - hot.mean(axis=0)).mean())


def stratified(
    groups: np.ndarray, hot: np.ndarray, shares: Sequence[float], seed: int
) -> np.ndarray:
    """Return the split of each clip as dogclips has it."""
    labels = [tuple(np.flatnonzero(row)) for row in hot]
    counts = count_groups(groups, labels, hot.shape[1])
    return stratify(counts, shares, seed=seed)[groups]


def at_random(
    groups: np.ndarray, hot: np.ndarray, shares: Sequence[float], seed: int
) -> np.ndarray:
    """Fill split after split with groups in random order until it has its share."""
    rng = np.random.default_rng(seed)
    sizes = np.bincount(groups)
    order = rng.permutation(len(sizes))
    middles = np.cumsum(sizes[order]) - sizes[order] / 2
    splits = np.empty(len(sizes), dtype=int)
    ends = np.cumsum(shares)[:-1] * sizes.sum()
    splits[order] = np.searchsorted(ends, middles)
    for split in set(range(len(shares))) - set(splits.tolist()):
        splits[order[split]] = split  # a single large group may skip one
    return splits[groups]


def without_groups(
    _: np.ndarray, hot: np.ndarray, shares: Sequence[float], seed: int
) -> np.ndarray:
    """Return the split of each clip as `iterative-stratification` has it."""
    random = np.random.RandomState(seed)
    return IterativeStratification(hot, np.array(shares), random)


Method = Callable[[np.ndarray, np.ndarray, Sequence[float], int], np.ndarray]


def deviations(shape: Shape, method: Method, shares: Sequence[float] = SHARES) -> list[float]:
    """Return the deviation for each seed."""
    drawn = [(shape.draw(seed), seed) for seed in SEEDS]
    return [deviation(hot, method(groups, hot, shares, seed)) for (groups, hot), seed in drawn]


def rows() -> list[tuple[str, str, str]]:
    """Return the rows of the benchmark's table."""
    found = []
    for name, shape in SHAPES.items():
        for kind, shares in (("3 splits", SHARES), ("5 folds", FIVE_FOLDS)):
            pair = (deviations(shape, stratified, shares), deviations(shape, at_random, shares))
            found.append((f"label ratios, {name}, {kind}", "random groups", _shown(*pair)))
    for name, shape in {"even": SINGLE, "skewed": SINGLE_SKEWED}.items():
        for kind, shares in (("3 splits", SHARES), ("5 folds", FIVE_FOLDS)):
            pair = (
                deviations(shape, stratified, shares),
                deviations(shape, without_groups, shares),
            )
            task = f"label ratios, 2000 clips, {name} labels, {kind}"
            found.append((task, "iterative-stratification", _shown(*pair)))
    return [*found, *(_times(group_by) for group_by in ("recording", "none"))]


def _shown(ours: Sequence[float], other: Sequence[float]) -> str:
    one, two = statistics.mean(ours), statistics.mean(other)
    return f"{one / two:.2f} ({one:.3f} against {two:.3f} points)"


def _times(group_by: str) -> tuple[str, str, str]:
    quarter, whole = (_seconds(number, group_by) for number in (MILLION // 4, MILLION))
    shown = f"{whole / quarter:.1f} ({whole:.1f} s)"
    return f"group and split {MILLION:,} clips by {group_by}", "a quarter of them", shown


def many_clips(number: int) -> pd.DataFrame:
    """Return clips in recordings of about 25, with one or two of ten labels."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, NUM_LABELS, (number, 2)).tolist()
    recordings = rng.integers(0, max(number // 25, 3), number).tolist()
    return pd.DataFrame(
        {
            "path": [f"/d/output/{clip:07d}.mp4" for clip in range(number)],
            "labels": [tuple({one, two}) for one, two in labels],
            "recording": [f"/d/video/{recording:06d}.mp4" for recording in recordings],
        }
    )


def _seconds(number: int, group_by: str) -> float:
    clips = many_clips(number)
    began = time.monotonic()
    grouping = group_clips(clips, group_by)
    shares = dict(zip(("train", "val", "test"), SHARES, strict=True))
    splits = assign_splits(clips, NUM_LABELS, shares, group_by=grouping)
    assert len(splits) == number
    return time.monotonic() - began


if __name__ == "__main__":
    for row in rows():
        print(" | ".join(row))
