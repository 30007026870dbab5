import statistics
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dogclips.lists.stratification import count_groups, stratify
from tests.benchmarks.splitting import (
    FIVE_FOLDS,
    SHAPES,
    SHARES,
    SINGLE,
    SINGLE_SKEWED,
    Shape,
    at_random,
    deviations,
    stratified,
    without_groups,
)

NUM_LABELS = 4

clip = st.lists(st.integers(0, NUM_LABELS - 1), unique=True, max_size=3).map(tuple)
group = st.lists(clip, min_size=1, max_size=12)
wanted = st.lists(st.integers(1, 10), min_size=1, max_size=5).map(
    lambda parts: [part / sum(parts) for part in parts]
)


def placed(
    groups: Sequence[Sequence[tuple[int, ...]]],
    shares: Sequence[float],
    seed: int = 0,
    fixed: Sequence[int] | None = None,
) -> list[int]:
    codes = np.repeat(np.arange(len(groups)), [len(own) for own in groups])
    counts = count_groups(codes, [clip for own in groups for clip in own], NUM_LABELS)
    given_ = None if fixed is None else np.array(fixed)
    return [int(split) for split in stratify(counts, shares, seed=seed, fixed=given_)]


def clips_with(groups: Sequence[Sequence[tuple[int, ...]]], splits: Sequence[int]) -> np.ndarray:
    """Return clips (column 0), then clips with each label, of each split."""
    table = np.zeros((max(splits) + 1, NUM_LABELS + 1), dtype=int)
    for own, split in zip(groups, splits, strict=True):
        for labels in own:
            table[split, [0, *(label + 1 for label in labels)]] += 1
    return table


def test_clips_and_labels_of_groups_are_counted() -> None:
    counts = count_groups(np.array([1, 0, 1]), [(0, 2), (), (2, 2)], 3)
    entries = list(zip(counts.group, counts.column, counts.number, strict=True))
    assert entries == [(0, 0, 1), (1, 0, 2), (1, 1, 1), (1, 3, 2)]
    assert counts.totals().tolist() == [3, 1, 0, 2]
    assert counts.groups_with().tolist() == [2, 1, 0, 1]


@settings(deadline=None, max_examples=150)
@given(st.lists(group, min_size=1, max_size=25), wanted, st.integers(0, 2**32))
def test_every_split_gets_groups_where_there_are_enough(
    groups: list[list[tuple[int, ...]]], shares: list[float], seed: int
) -> None:
    splits = placed(groups, shares, seed)
    assert len(splits) == len(groups)
    assert set(splits) <= set(range(len(shares)))
    assert len(set(splits)) == min(len(shares), len(groups))


@settings(deadline=None, max_examples=100)
@given(st.lists(group, min_size=3, max_size=25), wanted, st.integers(0, 2**32), st.data())
def test_fixed_groups_stay(
    groups: list[list[tuple[int, ...]]], shares: list[float], seed: int, data: st.DataObject
) -> None:
    split = st.integers(-1, len(shares) - 1)
    fixed = data.draw(st.lists(split, min_size=len(groups), max_size=len(groups)))
    splits = placed(groups, shares, seed, fixed)
    assert all(kept in (-1, split) for kept, split in zip(fixed, splits, strict=True))


@settings(deadline=None, max_examples=100)
@given(st.lists(group, min_size=2, max_size=25), wanted, st.integers(0, 2**32))
def test_the_rarest_label_reaches_as_many_splits_as_it_has_groups(
    groups: list[list[tuple[int, ...]]], shares: list[float], seed: int
) -> None:
    rare = NUM_LABELS - 1
    plain = [[tuple(own for own in labels if own != rare) for labels in own] for own in groups]
    number = min(len(shares), len(groups))
    marked = [[(*own[0], rare), *own[1:]] for own in plain[:number]] + plain[number:]
    others = clips_with(marked, [0] * len(marked))[0, 1 : rare + 1]  # column 0 counts clips
    splits = placed(marked, shares, seed)
    if all(count == 0 or count > number for count in others):
        assert len(set(splits[:number])) == number


def test_fixed_groups_count_as_filled() -> None:
    groups = [[(0,)] * 4] * 10
    splits = placed(groups, [0.5, 0.5], fixed=[0, 0, 0, 0, *[-1] * 6])
    assert splits.count(0) == splits.count(1) == 5


def test_a_full_split_gets_nothing_more() -> None:
    groups = [[(0,)] * 20, *[[(0,)] * 2] * 5]
    assert placed(groups, [0.5, 0.5], fixed=[0, *[-1] * 5])[1:] == [1] * 5


def test_groups_change_places_until_ratios_are_right() -> None:
    # In turn, large ones first, 5 and 4 are apart, then 3, 3 and 3 cannot be even: 9 and 9 can.
    groups = [[(0,)] * size for size in (5, 4, 3, 3, 3)]
    splits = placed(groups, [0.5, 0.5])
    assert clips_with(groups, splits)[:, 0].tolist() == [9, 9]


@pytest.mark.parametrize("seed", range(5))
def test_no_move_takes_a_label_from_a_split(seed: int) -> None:
    # Sizes alone would be better off with both groups of label 1 in one split.
    groups = [[(0,)] * 9 + [(0, 1)], [(0,)] * 9 + [(0, 1)], *[[(0,)]] * 4]
    splits = placed(groups, [0.8, 0.2], seed)
    assert set(splits[:2]) == {0, 1}


def test_another_seed_places_groups_that_are_alike_otherwise() -> None:
    groups = [[(0,)] * 3] * 20
    assert len({tuple(placed(groups, SHARES, seed)) for seed in range(5)}) > 1


@pytest.mark.parametrize("shares", [SHARES, FIVE_FOLDS], ids=["three splits", "five folds"])
@pytest.mark.parametrize("name", SHAPES)
def test_labels_spread_better_than_at_random(name: str, shares: Sequence[float]) -> None:
    # 14 recordings, some of which are larger than a fold, leave no choice worth the name: the best
    # of two thousand random splits by chi-squared is no better there.
    most = 0.95 if (name, shares) == ("14 recordings, a few large", FIVE_FOLDS) else 0.7
    ours = statistics.mean(deviations(SHAPES[name], stratified, shares))
    assert ours <= most * statistics.mean(deviations(SHAPES[name], at_random, shares))


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("seed", range(10))
def test_labels_of_enough_groups_reach_every_split(name: str, seed: int) -> None:
    groups, hot = SHAPES[name].draw(seed)
    splits = stratified(groups, hot, SHARES, seed)
    for has_label in hot.T:
        if len(set(groups[has_label])) >= 3:
            assert len(set(splits[has_label])) == 3


@pytest.mark.parametrize("shape", [SINGLE, SINGLE_SKEWED], ids=["even", "skewed"])
def test_single_clips_spread_as_well_as_in_iterative_stratification(shape: Shape) -> None:
    ours = statistics.mean(deviations(shape, stratified))
    assert ours <= 1.1 * statistics.mean(deviations(shape, without_groups))
