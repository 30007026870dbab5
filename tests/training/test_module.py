import socket
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import numpy as np
import pytest
import torch
from torch import Tensor
from torch.multiprocessing.spawn import spawn

from dogclips.training.callbacks import moving_average
from dogclips.training.machine import without_chatter
from dogclips.training.module import ClipClassifier
from dogclips.training.optimizers import lr_share
from tests.training.tiny import (
    Batch,
    batch,
    classifier,
    fit,
    joined,
    settings,
    weights_of,
)
from tests.training.two_devices import train_one_of_two

STATISTICS = ("running_mean", "running_var", "num_batches_tracked")
MIXED_TASKS: dict[str, Any] = {"name": "cross_entropy", "tasks": {"at": {"name": "asymmetric"}}}


class Recorder(pl.Callback):
    """Keeps what a step has learnt with, and what it has left."""

    # ruff: noqa: ARG002 (the arguments of a hook are what Lightning calls it with)

    def __init__(self) -> None:
        self.rates: list[list[float]] = []
        self.weights: list[dict[str, Tensor]] = []

    def on_before_optimizer_step(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, optimizer: torch.optim.Optimizer
    ) -> None:
        self.rates.append([group["lr"] for group in optimizer.param_groups])

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, *_args: object
    ) -> None:
        self.weights.append(weights_of(pl_module))


def step(module: ClipClassifier, one: Batch) -> dict[str, float]:
    """Return the losses of a training step on one batch."""
    return {name: float(value) for name, value in fit(module, [one]).callback_metrics.items()}


def close(one: dict[str, Tensor], two: dict[str, Tensor], within: float) -> bool:
    return all(torch.allclose(one[name], two[name], atol=within, rtol=0) for name in one)


@pytest.mark.parametrize("loss", [{"name": "asymmetric", "smoothing": 0.1}, MIXED_TASKS])
def test_batches_gathered_for_one_step_equal_one_large_batch(loss: dict[str, Any]) -> None:
    batches = [batch(seed=seed) for seed in range(4)]
    large = classifier(settings(loss=loss))
    fit(large, [joined(batches[:2]), joined(batches[2:])], gradient_clip_val=0.5)
    gathered = classifier(settings(loss=loss, trainer={"accumulate": 2}))
    start = weights_of(gathered)
    fit(gathered, batches, gradient_clip_val=0.5)
    assert close(weights_of(large), weights_of(gathered), 1e-6)
    assert not close(weights_of(large), start, 1e-3)


def test_a_last_step_of_fewer_batches_takes_the_mean_of_those() -> None:
    batches = [batch(seed=seed) for seed in range(3)]
    large = classifier(settings())
    fit(large, [joined(batches[:2]), batches[2]])
    module = classifier(settings(trainer={"accumulate": 2}))

    fit(module, batches)

    assert close(weights_of(large), weights_of(module), 1e-6)


def test_a_step_of_more_batches_than_there_are_takes_the_mean_of_all() -> None:
    batches = [batch(seed=seed) for seed in range(2)]
    large = classifier(settings())
    fit(large, [joined(batches)])
    module = classifier(settings(trainer={"accumulate": 8}))

    fit(module, batches)

    assert close(weights_of(large), weights_of(module), 1e-6)


def test_a_step_clips_the_gradient_of_all_its_batches() -> None:
    module = classifier(settings(optimizer={"weight_decay": 0}, trainer={"accumulate": 2}))
    before = weights_of(module)
    fit(module, [batch(), batch(seed=1)], gradient_clip_val=1e-3)
    moved = torch.cat([(before[k] - v).flatten() for k, v in module.state_dict().items()])
    # Nesterov's first step is 1 + momentum times as long as the gradient.
    assert float(moved.norm()) == pytest.approx(0.1 * 1e-3 * 1.9, rel=1e-3)


@pytest.mark.parametrize(
    "schedule",
    [
        {"name": "cosine", "warmup_epochs": 0.5, "min_share": 0.1},
        {"name": "steps", "warmup_epochs": 0, "steps": [1, 2]},
    ],
    ids=["cosine", "steps"],
)
def test_every_step_has_its_own_rate_however_many_batches_it_takes(
    schedule: dict[str, Any],
) -> None:
    # Five batches of an epoch are three steps, the last of which is a single one.
    settled = settings(
        schedule=schedule,
        trainer={"epochs": 3, "accumulate": 2},
        optimizer={"layer_decay": 0.5, "scale_lr": True, "base_batch": 8},
    )
    recorder = Recorder()
    fit(classifier(settled), [batch(seed=seed) for seed in range(5)], recorder)
    expected = [
        0.1 * 0.5 * lr_share(i, settled.schedule, steps_per_epoch=3, total=9) for i in range(9)
    ]
    assert [rates[0] for rates in recorder.rates] == pytest.approx(expected)
    assert all(rates[-1] == pytest.approx(rates[0] / 16) for rates in recorder.rates)


def test_all_views_of_a_clip_are_trained_on() -> None:
    several = batch(2, views=3)
    apart = {
        "video": several["video"].flatten(0, 1).unsqueeze(1),
        "target": several["target"].repeat_interleave(3, dim=0),
        "index": torch.arange(6),
    }
    modules = [classifier(settings(loss=MIXED_TASKS)) for _ in range(2)]
    losses = [step(module, one) for module, one in zip(modules, (several, apart), strict=True)]
    assert losses[0] == pytest.approx(losses[1])
    assert close(weights_of(modules[0]), weights_of(modules[1]), 1e-6)


def test_tasks_have_losses_of_their_own_beside_their_mean() -> None:
    weighed = {**MIXED_TASKS, "tasks": {"at": {"name": "asymmetric", "weight": 3}}}
    losses = step(classifier(settings(loss=weighed)), batch())
    mean = (losses["train_loss_does"] + 3 * losses["train_loss_at"]) / 4
    assert losses["train_loss"] == pytest.approx(mean)
    assert "train_loss_" not in step(classifier(settings(), ["a", "b", "c", "d", "e"]), batch())


def test_mixed_clips_are_trained_on_with_mixed_targets() -> None:
    mixing = settings(data={"augment": {"mixup": 0.8, "cutmix": 1.0}})
    losses = []
    for seed in (5, 5, 6):
        module = classifier(mixing)
        torch.manual_seed(seed)
        losses.append(step(module, batch(3))["train_loss"])
    plain = step(classifier(settings()), batch(3))["train_loss"]
    assert losses[0] == losses[1]
    assert len({*losses, plain}) == 3


@pytest.mark.parametrize("average", ["sigmoid", "logit"])
def test_views_are_averaged_as_probabilities_of_their_task_or_as_logits(average: str) -> None:
    module = classifier(settings(loss=MIXED_TASKS, evaluation={"average": average}))
    given = batch(2, views=3)
    given["video"] = given["video"] // torch.tensor([1, 2, 9], dtype=torch.uint8)[:, *[None] * 4]
    fit(module, [batch()], val=[given])
    logits = logits_of(module, given)
    exclusive, free = logits[..., [0, 1, 4]], logits[..., [2, 3]]
    if average == "logit":
        wanted = exclusive.mean(1).softmax(-1), free.mean(1).sigmoid()
    else:
        wanted = exclusive.softmax(-1).mean(1), free.sigmoid().mean(1)
    assert module.predictions is not None
    probability = torch.from_numpy(module.predictions.probability_NK).float()
    assert torch.allclose(probability[:, [0, 1, 4]], wanted[0], atol=1e-6)
    assert torch.allclose(probability[:, [2, 3]], wanted[1], atol=1e-6)
    assert (len(module.predictions.target_NK), module.predictions.loss > 0) == (2, True)


def test_predictions_stand_in_the_order_of_the_list_without_the_clips_that_are_missing() -> None:
    module = classifier(settings())
    val = [batch(2, seed=3), batch(1, seed=0), batch(2, seed=3)]  # clips 6, 7, 0, and 6, 7 again
    fit(module, [batch()], val=val)
    assert module.predictions is not None
    assert module.scored == (0, 6, 7)
    both = joined([val[1], val[0]])
    assert np.array_equal(module.predictions.target_NK, both["target"])
    wanted = logits_of(module, both)[:, 0].sigmoid()
    assert module.predictions.probability_NK == pytest.approx(wanted.numpy(), abs=1e-6)


@pytest.mark.parametrize("network", ["timesformer", "slowfast"])
def test_a_batch_that_lost_all_its_clips_changes_nothing(network: str) -> None:
    still = {"weight_decay": 0, "momentum": 0}
    mixing = {"mixup": 0.8, "cutmix": 0.8}
    module = classifier(
        settings(network, optimizer=still, loss=MIXED_TASKS, data={"augment": mixing})
    )
    before = weights_of(module)
    fit(module, [batch(0)], val=[batch(0), batch(2)])
    assert close(weights_of(module), before, 0)
    assert module.scored == (0, 1)
    fit(module, [batch(0)], val=[batch(0)])
    assert module.predictions is None


def test_averaged_weights_and_statistics_are_what_is_validated_and_kept(tmp_path: Path) -> None:
    module = classifier(settings("slowfast"))
    recorder, val = Recorder(), batch(3, seed=9)
    average = moving_average(0.75)
    trainer = fit(module, [batch(seed=i) for i in range(3)], average, recorder, val=[val])
    with without_chatter():
        trainer.save_checkpoint(tmp_path / "last.ckpt", weights_only=False)
    kept = torch.load(tmp_path / "last.ckpt", weights_only=True)["state_dict"]
    first, second, third = recorder.weights
    for name, value in first.items():
        wanted = 0.75 * (0.75 * value + 0.25 * second[name]) + 0.25 * third[name]
        if value.is_floating_point():
            assert torch.allclose(kept[name], wanted, atol=1e-6), name
    moved = "model.s1.pathway0_stem.bn.running_mean"
    assert not torch.allclose(first[moved], third[moved], atol=1e-4)
    module.load_state_dict(kept)
    assert module.predictions is not None
    wanted = logits_of(module, val)[:, 0].sigmoid()
    assert module.predictions.probability_NK == pytest.approx(wanted.numpy(), abs=1e-6)


def test_frozen_weights_stay_as_they_are_to_the_bit_in_an_average_too() -> None:
    module = classifier(settings(freeze={"backbone": True}))
    before = weights_of(module)
    fit(module, [batch(seed=i) for i in range(3)], moving_average(0.999))
    changed = {name for name, value in module.state_dict().items() if not value.equal(before[name])}
    assert changed == {"model.head.weight", "model.head.bias"}


def test_two_devices_with_frozen_layers_learn_one_model_and_score_the_clips_of_both(
    tmp_path: Path,
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    spawn(train_one_of_two, (port, tmp_path), nprocs=2)
    one, two = (torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in (0, 1))
    before, after = one["before"], one["after"]
    assert all(torch.equal(after[name], two["after"][name]) for name in learnt(after))
    still = {name for name in before if torch.equal(before[name], after[name])}
    assert {name for name in before if name.startswith(("model.s1", "model.s2"))} <= still
    assert "model.s5.pathway0_res0.branch2.a.weight" not in still
    assert one["scored"] == two["scored"] == (0, 1, 10, 11, 15, 16, 17)
    assert torch.equal(one["probability"], two["probability"])


def test_a_checkpoint_says_which_labels_exclude_each_other() -> None:
    checkpoint: dict[str, Any] = {}
    classifier(settings(loss=MIXED_TASKS)).on_save_checkpoint(checkpoint)
    assert checkpoint["dogclips"]["tasks"] == [
        {"name": "does", "classes": [0, 1, 4], "exclusive": True},
        {"name": "at", "classes": [2, 3], "exclusive": False},
    ]


def logits_of(module: ClipClassifier, one: Batch) -> Tensor:
    """Return the logits of every view (B, V, K)."""
    model = module.model.eval()
    with torch.no_grad():
        views = [model(model.normalise(view)) for view in one["video"].unbind(1)]
    return torch.stack(views, dim=1)


def learnt(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return what gradients change: each device counts statistics of its own batches."""
    return {name: value for name, value in weights.items() if not name.endswith(STATISTICS)}
