from collections import Counter
from itertools import zip_longest

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dogclips.training.data import EpochSampler, balancing_weights


def drawn(sampler: EpochSampler, epoch: int = 0) -> list[tuple[int, ...]]:
    sampler.set_epoch(epoch)
    return [(draw.index, *draw.seed) for draw in sampler]


@given(st.integers(1, 40), st.integers(1, 5), st.integers(0, 3), st.sampled_from([0.0, 1.0]))
def test_devices_draw_together_what_one_draws_alone(
    num_clips: int, world_size: int, epoch: int, balance: float
) -> None:
    labels = [(number % 3 == 0,) for number in range(num_clips)]
    weights = balancing_weights(labels, balance)
    alone = drawn(EpochSampler(weights, 7), epoch)
    shares = [
        drawn(EpochSampler(weights, 7, rank=rank, world_size=world_size), epoch)
        for rank in range(world_size)
    ]
    assert len({len(share) for share in shares}) == 1
    together = [draw for step in zip_longest(*shares) for draw in step]
    assert together[:num_clips] == alone
    assert len(together) < num_clips + world_size


@given(st.integers(1, 30), st.integers(1, 3), st.integers(0, 30))
def test_an_epoch_goes_on_where_it_was_left_and_the_next_is_whole(
    num_clips: int, world_size: int, had: int
) -> None:
    weights = np.ones(num_clips)
    whole = EpochSampler(weights, 1, rank=0, world_size=world_size)
    rest = EpochSampler(weights, 1, rank=0, world_size=world_size, start=(4, had))
    assert rest.epoch == 4
    assert drawn(rest, 4) == drawn(whole, 4)[had:]
    assert drawn(rest, 5) == drawn(whole, 5)
    assert len(rest) == len(whole)


def test_without_balance_every_clip_comes_once_an_epoch_in_another_order() -> None:
    sampler = EpochSampler(balancing_weights([(0,), (0,), (1,), ()] * 5, 0.0), 3)
    orders = [[index for index, *_ in drawn(sampler, epoch)] for epoch in range(3)]
    assert all(sorted(order) == list(range(20)) for order in orders)
    assert orders[0] != orders[1] != orders[2]


@pytest.mark.parametrize(
    ("balance", "shares"), [(0.0, (0.8, 0.15, 0.05)), (1.0, (1 / 3, 1 / 3, 1 / 3))]
)
def test_full_balance_draws_every_class_equally_often(
    balance: float, shares: tuple[float, ...]
) -> None:
    labels = [(0,)] * 80 + [(1,)] * 15 + [()] * 5
    sampler = EpochSampler(balancing_weights(labels, balance), 0)
    counts = Counter(labels[index] for epoch in range(20) for index, *_ in drawn(sampler, epoch))
    assert counts.total() == 20 * 100
    found = [counts[label] / counts.total() for label in ((0,), (1,), ())]
    assert found == pytest.approx(shares, abs=0.01)


def test_a_half_balance_is_the_square_root_of_the_paper() -> None:
    weights = balancing_weights([(0,)] * 16 + [(1,)] * 4, 0.5)
    assert weights[-1] / weights[0] == pytest.approx(2.0)


def test_of_several_labels_the_rarest_decides() -> None:
    weights = balancing_weights([(0,), (0,), (0, 1), (0,)], 1.0)
    assert weights.tolist() == [1.0, 1.0, 4.0, 1.0]


def test_a_clip_that_comes_again_in_an_epoch_comes_with_other_chance() -> None:
    sampler = EpochSampler(balancing_weights([(0,)] * 9 + [(1,)], 1.0), 0)
    draws = drawn(sampler)
    again = [draw for draw in draws if draw[0] == 9]
    assert len(again) >= 4
    assert len(set(again)) == len(again)


def test_the_order_of_the_list_is_that_of_a_validation() -> None:
    assert [index for index, *_ in drawn(EpochSampler(np.ones(4), None), 3)] == [0, 1, 2, 3]
