from math import exp, log
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F  # noqa: N812 (the name everyone knows)
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pydantic import ValidationError
from torch import Tensor
from torchvision.ops import sigmoid_focal_loss

from dogclips.errors import ConfigError, ListError
from dogclips.lists import ClipList, ListedClip
from dogclips.training.config import LossConfig
from dogclips.training.losses import (
    ClipLoss,
    asymmetric,
    check_answers,
    focal,
    loss_tasks,
    pos_weight,
    probabilities,
    tasks_of_labels,
)
from tests.training.tiny import LABELS, settings

FINITE = st.floats(-20, 20, width=32)
SHARES = st.floats(0, 1, width=32)
CASES = st.lists(st.tuples(FINITE, SHARES), min_size=1, max_size=5)
few = hypothesis_settings(max_examples=30)


def loss_for(
    labels: tuple[str, ...] = LABELS, weight: Tensor | None = None, **loss: Any
) -> ClipLoss:
    config = LossConfig.model_validate(loss)
    return ClipLoss(config, loss_tasks(config, labels), weight)


def listed(*labels: tuple[int, ...], names: tuple[str, ...] = LABELS) -> ClipList:
    clips = tuple(ListedClip(Path(f"/{i}.mp4"), given) for i, given in enumerate(labels))
    return ClipList(Path("/list.txt"), clips, names)


def sigmoid(x: float) -> float:
    return 1 / (1 + exp(-x))


def test_losses_are_those_computed_by_hand() -> None:
    logits, target = torch.tensor([0.5, -1.0, 2.0]), torch.tensor([1.0, 0.0, 0.0])
    p = [sigmoid(x) for x in (0.5, -1.0, 2.0)]
    weight = torch.tensor([3.0, 3.0, 3.0])
    by_focal = [-3 * (1 - p[0]) ** 2 * log(p[0]), *(-(q**2) * log(1 - q) for q in p[1:])]
    assert focal(logits, target, gamma=2, pos_weight=weight).tolist() == pytest.approx(by_focal)
    shifted = [q - 0.3 for q in p[1:]]
    assert shifted[0] < 0  # so that this negative does not count
    by_asl = [-(1 - p[0]) * log(p[0]), 0.0, -(shifted[1] ** 4) * log(1 - shifted[1])]
    found = asymmetric(logits, target, gammas=(1, 4), clip=0.3)
    assert found.tolist() == pytest.approx(by_asl, abs=1e-7)


@given(
    st.lists(st.tuples(FINITE, st.booleans()), min_size=1), st.floats(0, 5), st.floats(0.05, 0.95)
)
def test_focal_loss_is_that_of_torchvision(
    cases: list[tuple[float, float]], gamma: float, alpha: float
) -> None:
    logits, target = torch.tensor(cases).T
    target = target.round()
    weight = torch.full_like(logits, alpha / (1 - alpha))
    ours = (1 - alpha) * focal(logits, target, gamma=gamma, pos_weight=weight)
    theirs = sigmoid_focal_loss(logits, target, alpha=alpha, gamma=gamma)
    assert torch.allclose(ours, theirs, rtol=1e-3, atol=1e-6)


@few
@given(CASES)
def test_without_gamma_and_clip_all_are_binary_cross_entropy(
    cases: list[tuple[float, float]],
) -> None:
    logits, target = torch.tensor(cases).T
    weight = torch.full_like(logits, 2.5)
    plain = F.binary_cross_entropy_with_logits(logits, target, pos_weight=weight, reduction="none")
    assert torch.allclose(focal(logits, target, gamma=0, pos_weight=weight), plain, atol=1e-5)


@pytest.mark.parametrize("gammas", [(0, 4), (0.5, 0.5), (2, 0)])
@pytest.mark.parametrize("clip", [0, 0.05, 0.5])
def test_a_certain_network_still_has_finite_gradients(
    gammas: tuple[float, float], clip: float
) -> None:
    logits = torch.tensor([-1e4, -200.0, -3.0, 0.0, 200.0, 1e4]).repeat(2).requires_grad_()
    target = torch.tensor([0.0] * 6 + [1.0] * 6)
    loss = asymmetric(logits, target, gammas=gammas, clip=clip)
    loss.sum().backward()
    assert logits.grad is not None
    assert loss.isfinite().all()
    assert logits.grad.isfinite().all()


@pytest.mark.parametrize(
    "loss",
    [
        {"name": "bce", "pos_weight": 3},
        {"name": "focal"},
        {"name": "asymmetric", "smoothing": 0.1},
        {"name": "cross_entropy", "smoothing": 0.1},
        {"name": "cross_entropy", "tasks": {"at": {"name": "focal", "weight": 0.2}}},
    ],
    ids=lambda loss: "-".join(str(value) for value in loss.values()),
)
def test_the_loss_of_mixed_targets_is_the_mix_of_their_losses(loss: dict[str, Any]) -> None:
    torch.manual_seed(0)
    logits = torch.randn(4, 5)
    one, two = torch.eye(5)[[0, 1, 4, 2]], torch.eye(5)[[3, 1, 0, 2]]
    measure = loss_for(weight=torch.full((5,), 3.0), **loss)
    mixed = measure(logits, 0.3 * one + 0.7 * two)
    assert torch.allclose(mixed, 0.3 * measure(logits, one) + 0.7 * measure(logits, two))


def test_cross_entropy_is_that_of_torch_over_the_classes_of_a_task() -> None:
    torch.manual_seed(0)
    logits, answers = torch.randn(6, 5), torch.tensor([0, 1, 2, 2, 1, 0])
    target = torch.zeros(6, 5)
    target[torch.arange(6), torch.tensor([0, 1, 4])[answers]] = 1
    measure = loss_for(name="cross_entropy", smoothing=0.1, tasks={"at": {"name": "bce"}})
    own = logits[:, [0, 1, 4]]
    smoothed = F.cross_entropy(own, answers, reduction="none", label_smoothing=0.1)
    assert torch.allclose(measure(logits, target)[:, 0], smoothed)
    plain = F.cross_entropy(own, answers, reduction="none")
    assert torch.allclose(measure.eval()(logits, target)[:, 0], plain)


def test_smoothed_labels_move_toward_neither_yes_nor_no() -> None:
    logits, target = torch.tensor([[0.3, -1.0]]), torch.tensor([[1.0, 0.0]])
    measure = loss_for(("sit", "walk"), smoothing=0.2)
    wanted = F.binary_cross_entropy_with_logits(logits, torch.tensor([[0.9, 0.1]]))
    assert measure(logits, target).item() == pytest.approx(wanted.item())


def test_tasks_count_by_their_weight_and_not_by_their_classes() -> None:
    torch.manual_seed(0)
    logits, target = torch.randn(3, 5), torch.randint(2, (3, 5)).float()
    measure = loss_for(tasks={"at": {"weight": 3}})
    by_task = measure(logits, target)
    each = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
    assert torch.allclose(by_task[:, 0], each[:, [0, 1, 4]].mean(1))
    assert torch.allclose(by_task[:, 1], each[:, [2, 3]].mean(1))
    assert torch.allclose(measure.combined(by_task), (by_task[:, 0] + 3 * by_task[:, 1]) / 4)


def test_losses_are_in_single_precision_under_autocast() -> None:
    logits, target = torch.tensor([[12.0, -12.0]] * 2, dtype=torch.bfloat16), torch.eye(2)
    measure = loss_for(("sit", "walk"), name="asymmetric")
    plain = measure(logits.float(), target)
    with torch.autocast("cpu", torch.bfloat16):
        cast = measure(logits, target)
    assert cast.dtype == torch.float32
    assert torch.equal(cast, plain)


def test_views_have_losses_of_their_own() -> None:
    logits, target = torch.randn(2, 3, 5), torch.eye(5)[[0, 4]][:, None].expand(2, 3, 5)
    by_view = loss_for(name="cross_entropy")(logits, target)
    assert by_view.shape == (2, 3, 2)
    assert torch.equal(by_view[:, 1], loss_for(name="cross_entropy")(logits[:, 1], target[:, 1]))


def test_a_balanced_loss_weighs_positives_by_how_rare_they_are() -> None:
    config = settings(loss={"pos_weight": "balanced"})
    clips = listed((0,), (0, 1), (0,), (0, 1), (0,), names=("always", "sometimes", "never"))
    weight = pos_weight(config, clips)
    assert weight is not None
    assert weight.tolist() == pytest.approx([1.0, 1.5, 1.0])


def test_balanced_exclusive_classes_have_as_much_say_as_each_other() -> None:
    tasks = {"at": {"name": "bce"}}
    clips = listed((0, 2), (0, 2), (0, 2), (1, 3))
    config = settings(loss={"name": "cross_entropy", "pos_weight": "balanced", "tasks": tasks})
    weight = pos_weight(config, clips)
    assert weight is not None
    assert weight.tolist() == pytest.approx([4 / 9, 4 / 3, 1 / 3, 3.0, 1.0])
    config = settings(loss={"name": "cross_entropy", "pos_weight": 2.0, "tasks": tasks})
    weight = pos_weight(config, clips)
    assert weight is not None
    assert weight.tolist() == [1.0, 1.0, 2.0, 2.0, 1.0]


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        pytest.param(
            [(0, 2), (0, 4, 2), (3,), ()],
            r"2 labels of task 'does', and cross_entropy needs one; so are 2 more lines "
            r"\(/list\.txt:2\): correct the line",
            id="several",
        ),
        pytest.param([(0, 2), (3,)], r"no label of task 'does'.* \(/list\.txt:2\)", id="none"),
    ],
)
def test_a_line_without_its_one_label_is_named(lines: list[tuple[int, ...]], says: str) -> None:
    config = LossConfig.model_validate({"name": "cross_entropy", "tasks": {"at": {"name": "bce"}}})
    tasks = loss_tasks(config, LABELS)
    with pytest.raises(ListError, match=says):
        check_answers(listed(*lines), tasks)
    check_answers(listed(*lines), loss_tasks(LossConfig(), LABELS))
    check_answers(listed((0,), (4, 2, 3)), tasks)


def test_an_exclusive_task_of_one_class_is_refused() -> None:
    tasks = loss_tasks(LossConfig(name="cross_entropy"), ["sit"])
    with pytest.raises(ListError, match=r"the list has one class.*/list\.txt"):
        check_answers(listed((0,), names=("sit",)), tasks)


def test_a_loss_for_a_task_that_is_not_there_is_refused() -> None:
    config = LossConfig.model_validate({"tasks": {"where": {"weight": 2}}})
    with pytest.raises(ConfigError, match=r"no task 'where' \(loss\.tasks\): tasks: at, does"):
        loss_tasks(config, LABELS)


@pytest.mark.parametrize(
    ("loss", "says"),
    [
        ({"gamma": 1.0}, "gamma is only for focal: remove it, or set loss.name"),
        ({"name": "focal", "clip": 0.1}, "clip is only for asymmetric"),
        ({"name": "cross_entropy", "pos_weight": 2}, "set it to balanced"),
    ],
    ids=["of focal", "of asymmetric", "of no effect"],
)
def test_a_setting_that_would_do_nothing_is_refused(loss: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        LossConfig.model_validate(loss)
    kept = LossConfig.model_validate({"tasks": {"at": {"name": "focal"}}, "gamma": 1.0})
    assert LossConfig.model_validate(kept.model_dump(mode="json")) == kept


def test_probabilities_add_up_to_one_within_an_exclusive_task_only() -> None:
    logits = torch.tensor([[0.0, 5.0, 1.0, -1.0]], dtype=torch.bfloat16)
    tasks = tasks_of_labels(["does:sit", "at:door", "does:walk", "at:bowl"], ["does"])
    found = probabilities(logits, tasks)
    assert found.dtype == torch.float32
    half = torch.tensor([1.0, 2.718281828]) / 3.718281828
    assert torch.allclose(found[0, [0, 2]], half)
    assert torch.allclose(found[0, [1, 3]], torch.tensor([5.0, -1.0]).sigmoid())
