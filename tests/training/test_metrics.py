import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from dogclips.training.metrics import Predictions, best_thresholds, score

LABELS = ("lie", "sit", "never")


def predictions(probability: list[list[float]], target: list[list[int]]) -> Predictions:
    return Predictions(
        torch.tensor(probability), torch.tensor(target).float(), torch.ones(len(target))
    )


# lie: clips ordered by score are 1, 0, 1, 0 -> AP = (1/1 + 2/3) / 2; at 0.5 two found, one right.
# sit: ordered 1, 1, 0, 0 -> AP = 1; at 0.5 only one of two found.
HAND = predictions(
    [[0.9, 0.2, 0.6], [0.8, 0.1, 0.4], [0.3, 0.4, 0.1], [0.1, 0.9, 0.2]],
    [[1, 0, 0], [0, 0, 0], [1, 1, 0], [0, 1, 0]],
)


def test_scores_are_those_worked_out_by_hand() -> None:
    report = score(HAND, LABELS, "by hand")
    lie, sit, never = report.classes
    assert lie.average_precision == pytest.approx((1 + 2 / 3) / 2)
    assert sit.average_precision == pytest.approx(1.0)
    assert lie.f1 == pytest.approx(0.5)
    assert sit.f1 == pytest.approx(2 / 3)
    assert (lie.positives, sit.positives, never.positives) == (2, 2, 0)
    assert report.num_clips == 4
    assert report.protocol == "by hand"


def test_a_class_without_a_clip_is_named_and_in_no_mean() -> None:
    report = score(HAND, LABELS, "")
    assert report.without_positives == ("never",)
    assert report.classes[2].average_precision is None
    assert report.classes[2].f1 is None
    assert report.mean_ap == pytest.approx((5 / 6 + 1) / 2)
    assert report.mean_f1 == pytest.approx((0.5 + 2 / 3) / 2)


def test_without_any_positive_there_is_no_mean() -> None:
    report = score(predictions([[0.5, 0.5]], [[0, 0]]), ("a", "b"), "")
    assert report.mean_ap is None
    assert report.mean_f1 is None


def test_a_threshold_is_chosen_where_f1_is_best() -> None:
    lie, sit, never = best_thresholds(HAND)
    assert lie == pytest.approx((0.3 + 0.1) / 2)  # finds both at the price of one wrong
    assert sit == pytest.approx((0.4 + 0.2) / 2)
    assert never is None


def test_a_threshold_from_one_list_is_applied_to_another() -> None:
    report = score(HAND, LABELS, "", [0.2, 0.95, None])
    lie, sit, never = report.classes
    assert lie.f1_at_threshold == pytest.approx(2 * 2 / (3 + 2))
    assert sit.f1_at_threshold == 0.0
    assert never.f1_at_threshold is None


@given(
    st.lists(
        st.tuples(st.sampled_from([0.0, 0.2, 0.5, 0.7, 1.0]), st.integers(0, 1)),
        min_size=1,
        max_size=12,
    )
)
def test_no_threshold_beats_the_chosen_one(clips: list[tuple[float, int]]) -> None:
    held = predictions([[p] for p, _ in clips], [[t] for _, t in clips])
    (threshold,) = best_thresholds(held)
    if threshold is None:
        assert not any(target for _, target in clips)
        return
    chosen = score(held, ("a",), "", [threshold]).classes[0].f1_at_threshold
    others = [
        score(held, ("a",), "", [other]).classes[0].f1_at_threshold
        for other in (-0.1, 0.1, 0.3, 0.6, 0.9)
    ]
    assert chosen is not None
    assert all(other is None or chosen >= other - 1e-9 for other in others)
