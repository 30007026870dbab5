import json
import subprocess
import sys
from dataclasses import asdict

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference
from torchmetrics.functional.classification import binary_calibration_error

from dogclips.records.training_run import Task, TestReport, report_from_plain
from dogclips.scores.clip_scores import Predictions, best_thresholds, score
from dogclips.training.losses import tasks_of_labels

LABELS = ("lie", "sit", "never")


def predictions(probability: list[list[float]], target: list[list[int]]) -> Predictions:
    return Predictions(np.array(probability), np.array(target, dtype=bool), 1.0)


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
    assert (lie.auroc, sit.auroc) == (pytest.approx(3 / 4), pytest.approx(1.0))
    assert lie.f1 == pytest.approx(0.5)
    assert sit.f1 == pytest.approx(2 / 3)
    assert lie.brier == pytest.approx((0.1**2 + 0.8**2 + 0.7**2 + 0.1**2) / 4)
    assert (lie.positives, sit.positives, never.positives) == (2, 2, 0)
    assert report.num_clips == 4
    assert report.protocol == "by hand"


def test_a_class_without_a_clip_is_named_and_in_no_mean() -> None:
    report = score(HAND, LABELS, "")
    alone = score(
        Predictions(HAND.probability_NK[:, :2], HAND.target_NK[:, :2], HAND.loss), LABELS[:2], ""
    )
    assert report.without_positives == ("never",)
    assert set(asdict(report.classes[2]).values()) == {"never", 0, None}
    assert report.mean_ap == pytest.approx((5 / 6 + 1) / 2)
    assert report.mean_f1 == pytest.approx((0.5 + 2 / 3) / 2)
    for name in ("micro_ap", "weighted_ap", "mean_auroc", "brier", "calibration_error"):
        assert getattr(report, name) == getattr(alone, name) is not None
    assert report.reliability == alone.reliability


def test_without_any_positive_there_is_no_mean() -> None:
    report = score(predictions([[0.5, 0.5]], [[0, 0]]), ("a", "b"), "")
    assert report.mean_ap is None
    assert report.micro_ap is None
    assert report.mean_f1 is None
    assert report.calibration_error is None


# Few values, so that ties are the rule; none lies on the edge of two bins, where rounding decides.
PROBABILITY = st.one_of(
    st.sampled_from([0.0, 0.25, 0.5, 0.7, 1.0]),
    st.integers(0, 1000).map(lambda n: (n + 0.5) / 1001),
)
CLIPS = st.integers(1, 3).flatmap(
    lambda num_labels: st.lists(
        st.lists(
            st.tuples(PROBABILITY, st.integers(0, 1)), min_size=num_labels, max_size=num_labels
        ),
        min_size=2,
        max_size=20,
    )
)


def held(clips: list[list[tuple[float, int]]]) -> Predictions:
    return predictions(
        [[p for p, _ in clip] for clip in clips], [[int(t) for _, t in clip] for clip in clips]
    )


@settings(max_examples=60)
@given(CLIPS)
def test_average_precision_and_its_means_are_those_of_scikit_learn(
    clips: list[list[tuple[float, int]]],
) -> None:
    given_ = held(clips)
    present = given_.target_NK.any(0)
    truth, scores = given_.target_NK[:, present], given_.probability_NK[:, present]
    report = score(given_, [str(k) for k in range(len(present))], "")
    if not present.any():
        assert report.mean_ap is None
        return
    expected = [
        reference.average_precision_score(*pair) for pair in zip(truth.T, scores.T, strict=True)
    ]
    found = [one.average_precision for one in report.classes if one.positives]
    assert found == pytest.approx(expected)
    assert report.mean_ap == pytest.approx(np.mean(expected))
    for average, mean in (("micro", report.micro_ap), ("weighted", report.weighted_ap)):
        assert mean == pytest.approx(
            reference.average_precision_score(truth, scores, average=average)
        )


@settings(max_examples=60)
@given(CLIPS)
def test_other_scores_of_a_class_are_those_of_scikit_learn_and_torchmetrics(
    clips: list[list[tuple[float, int]]],
) -> None:
    given_ = held(clips)
    cut = [0.3] * given_.target_NK.shape[1]
    for k, one in enumerate(score(given_, [str(n) for n in range(len(cut))], "", cut).classes):
        truth, scores = given_.target_NK[:, k].astype(int), given_.probability_NK[:, k]
        if not truth.any():
            continue
        claimed = scores > 0.3
        assert one.f1_at_threshold == pytest.approx(reference.f1_score(truth, claimed))
        assert one.recall == pytest.approx(reference.recall_score(truth, claimed))
        precision = reference.precision_score(truth, claimed) if claimed.any() else None
        assert one.precision == pytest.approx(precision)
        assert one.brier == pytest.approx(np.mean((scores.astype(float) - truth) ** 2))
        # torchmetrics gives a probability of exactly 1 a bin of its own.
        below_one = torch.tensor(scores).clamp(max=1 - 1e-7)
        other = binary_calibration_error(below_one, torch.tensor(truth), n_bins=15)
        assert one.calibration_error == pytest.approx(float(other), abs=1e-5)
        auroc = None if truth.all() else reference.roc_auc_score(truth, scores)
        assert one.auroc == pytest.approx(auroc)


def test_a_threshold_is_chosen_where_f1_is_best() -> None:
    lie, sit, never = best_thresholds(HAND)
    assert lie == pytest.approx((0.3 + 0.1) / 2)  # finds both at the price of one wrong
    assert sit == pytest.approx((0.4 + 0.2) / 2)
    assert never is None


def test_a_threshold_from_one_list_is_applied_to_another() -> None:
    report = score(HAND, LABELS, "", [0.2, 0.95, None])
    lie, sit, never = report.classes
    assert lie.f1_at_threshold == pytest.approx(2 * 2 / (3 + 2))
    assert (lie.precision, lie.recall) == (pytest.approx(2 / 3), 1.0)
    assert sit.f1_at_threshold == 0.0
    assert (sit.precision, sit.recall) == (None, 0.0)
    assert never.f1_at_threshold is None
    assert report.mean_f1_at_threshold == pytest.approx(0.4)


@given(
    st.lists(
        st.tuples(st.sampled_from([0.0, 0.2, 0.5, 0.7, 1.0]), st.integers(0, 1)),
        min_size=1,
        max_size=12,
    )
)
def test_no_threshold_beats_the_chosen_one(clips: list[tuple[float, int]]) -> None:
    given_ = held([[clip] for clip in clips])
    (threshold,) = best_thresholds(given_)
    if threshold is None:
        assert not any(target for _, target in clips)
        return
    chosen = score(given_, ("a",), "", [threshold]).classes[0].f1_at_threshold
    others = [
        score(given_, ("a",), "", [other]).classes[0].f1_at_threshold
        for other in (-0.1, 0.1, 0.3, 0.6, 0.9)
    ]
    assert chosen is not None
    assert all(other is None or chosen >= other - 1e-9 for other in others)


def test_calibration_is_that_worked_out_by_hand() -> None:
    # Four clips lie in the bin from 3/15 to 4/15: 0.2125 on average, and half of them came true.
    # Two lie in the last one, from 14/15: 0.975 on average, and one came true.
    given_ = predictions(
        [[0.2], [0.2], [0.2], [0.25], [1.0], [0.95]], [[1], [0], [0], [1], [1], [0]]
    )
    report = score(given_, ("a",), "")
    filled = {n: bin_ for n, bin_ in enumerate(report.reliability) if bin_.count}
    assert [bin_.low for bin_ in report.reliability] == pytest.approx(np.arange(15) / 15)
    assert {n: bin_.count for n, bin_ in filled.items()} == {3: 4, 14: 2}
    assert (filled[3].probability, filled[3].frequency) == (pytest.approx(0.2125), 0.5)
    assert (filled[14].probability, filled[14].frequency) == (pytest.approx(0.975), 0.5)
    error = (4 * (0.5 - 0.2125) + 2 * (0.975 - 0.5)) / 6
    assert report.calibration_error == pytest.approx(error)
    assert report.classes[0].calibration_error == pytest.approx(error)
    assert report.brier == pytest.approx((0.64 + 0.04 + 0.04 + 0.5625 + 0 + 0.9025) / 6)


def test_a_label_that_rightly_comes_along_is_no_confusion() -> None:
    given_ = predictions(
        [[0.9, 0.8, 0.1], [0.9, 0.7, 0.6], [0.2, 0.9, 0.3], [0.7, 0.1, 0.4]],
        [[1, 1, 0], [1, 0, 0], [0, 1, 0], [1, 0, 0]],
    )
    (task,) = score(given_, LABELS, "", [0.5, 0.75, None]).tasks
    # Two clips show lie without sit, and of none of them sit is claimed; of one of three lying
    # clips `never` is claimed, at 0.5 for want of a threshold.
    assert task.confusion == (
        (1.0, 0.0, pytest.approx(1 / 3)),
        (0.0, 1.0, 0.0),
        (None, None, None),
    )


def exclusive(num_clips: int, num_labels: int) -> tuple[Predictions, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, num_labels - 1, num_clips)  # the last class never shows
    scores = rng.dirichlet(np.ones(num_labels), num_clips)
    target = np.eye(num_labels, dtype=bool)[truth]
    return Predictions(scores, target, 1.0), truth, scores


def test_labels_that_exclude_each_other_are_scored_by_the_likeliest() -> None:
    given_, truth, scores = exclusive(60, 7)
    labels = [str(k) for k in range(7)]
    (task,) = score(given_, labels, "", tasks=tasks_of_labels(labels, exclusive=True)).tasks
    likeliest = scores.argmax(1)
    assert task.top1 == pytest.approx(reference.accuracy_score(truth, likeliest))
    top5 = reference.top_k_accuracy_score(truth, scores, k=5, labels=range(7))
    assert task.top5 == pytest.approx(top5)
    recalls = reference.recall_score(truth, likeliest, average=None, labels=range(6))
    assert task.mean_class_accuracy == pytest.approx(recalls.mean())
    table = reference.confusion_matrix(truth, likeliest, normalize="true", labels=range(7))
    assert np.array(task.confusion[:6]) == pytest.approx(table[:6])
    assert task.confusion[6] == (None,) * 7


def test_several_tasks_have_means_of_their_own() -> None:
    labels = ["at:door", "does:sit", "does:lie", "at:bed"]
    given_ = predictions(
        [[0.9, 0.7, 0.3, 0.2], [0.4, 0.4, 0.6, 0.8], [0.7, 0.2, 0.8, 0.1]],
        [[1, 1, 0, 1], [0, 1, 0, 0], [1, 0, 1, 0]],
    )
    report = score(given_, labels, "", tasks=tasks_of_labels(labels, ["does"]))
    at, does = report.tasks
    assert ((at.name, at.exclusive), (does.name, does.exclusive)) == (("at", False), ("does", True))
    assert at.mean_ap == pytest.approx(np.mean([1.0, 1 / 2]))
    assert does.mean_ap == pytest.approx(1.0)
    assert report.mean_ap == pytest.approx(np.mean([1.0, 1.0, 1.0, 1 / 2]))
    assert (at.top1, at.mean_class_accuracy) == (None, None)
    assert does.top1 == pytest.approx(2 / 3)
    assert does.top5 is None  # of two
    assert does.mean_class_accuracy == pytest.approx((1 / 2 + 1) / 2)
    assert does.confusion == ((0.5, 0.5), (0.0, 1.0))
    # A clip without a label of the task has nothing to be right about.
    without = predictions([[0.9, 0.1], [0.2, 0.8]], [[0, 0], [0, 1]])
    pair = (Task("", (0, 1), exclusive=True),)
    assert score(without, ("a", "b"), "", tasks=pair).tasks[0].top1 == 1.0


def test_a_report_comes_back_from_json_as_it_was() -> None:
    given_, *_ = exclusive(20, 7)
    labels = [str(k) for k in range(7)]
    report: TestReport = score(
        given_, labels, "", best_thresholds(given_), tasks_of_labels(labels, exclusive=True)
    )
    assert report_from_plain(json.loads(json.dumps(asdict(report)))) == report


def test_what_only_scoring_needs_is_not_there_before_something_is_scored() -> None:
    program = (
        "import sys; sys.modules |= {'sklearn': None, 'torch': None}; "
        "import dogclips.scores.clip_scores"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
