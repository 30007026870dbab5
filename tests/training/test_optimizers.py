import re
from io import StringIO

import pytest
import torch
from rich.console import Console
from torch import Tensor, nn

from dogclips.records.run_start import LearningRates
from dogclips.reports.tables.train import learning_table
from dogclips.training.optimizers import (
    FINAL_NORM,
    HEAD,
    STEM,
    build_optimizer,
    freeze,
    learning_rates,
    names_by_layer,
    repeated_layers,
)
from tests.training.tiny import NETWORKS, network, settings

BLOCKS = {
    "timesformer": ("blocks.0", "blocks.1", "blocks.2"),
    "uniformerv2": ("blocks.0", "blocks.1", "blocks.2"),
    "mvit": ("blocks.0", "blocks.1", "blocks.2", "blocks.3"),
}
every_network = pytest.mark.parametrize("name", list(NETWORKS))


@every_network
def test_layers_come_in_the_order_in_which_a_clip_passes_them(name: str) -> None:
    model = network(settings(name)).eval()
    layers = names_by_layer(model)
    depth = {one: i for i, names in enumerate(layers.values()) for one in names}
    assert sorted(depth) == sorted(one for one, _ in model.named_parameters())
    assert repeated_layers(layers) == BLOCKS.get(name, ("s2", "s3", "s4", "s5"))
    assert set(layers) - set(repeated_layers(layers)) <= {STEM, FINAL_NORM, HEAD}
    passed: list[int] = []
    for prefix, module in model.named_modules():
        if not list(module.children()):
            own = [depth[f"{prefix}.{one}"] for one, _ in module.named_parameters()]
            module.register_forward_hook(lambda *_, own=own: passed.extend(own))
    model(torch.zeros(1, 3, 4, 32, 32))
    assert len(set(passed)) == len(layers)
    assert passed == sorted(passed)


@every_network
def test_only_matrices_and_kernels_decay(name: str) -> None:
    config = settings(name, optimizer={"weight_decay": 0.1})
    model = network(config)
    groups = build_optimizer(model, config.optimizer).param_groups
    assert [group["name"] for group in groups] == ["stem to head", "stem to head, no decay"]
    assert [group["weight_decay"] for group in groups] == [0.1, 0.0]
    decaying, others = ({id(one) for one in group["params"]} for group in groups)
    weights = {
        id(module.weight)
        for module in model.modules()
        if isinstance(module, nn.Linear | nn.Conv2d | nn.Conv3d)
    }
    attention = {id(one) for key, one in model.named_parameters() if key.endswith("in_proj_weight")}
    assert decaying == weights | attention
    assert others == {id(one) for one in model.parameters()} - decaying


@every_network
def test_each_block_learns_slower_than_the_next_and_the_head_at_the_full_rate(name: str) -> None:
    config = settings(name, optimizer={"layer_decay": 0.5, "lr": 0.8})
    model = network(config)
    groups = build_optimizer(model, config.optimizer).param_groups
    assert groups[0]["lr"] == 0.8
    rate = {id(one): group["lr"] for group in groups for one in group["params"]}
    layers = names_by_layer(model)
    depth = len(repeated_layers(layers))
    for place, (layer, names) in enumerate(layers.items()):
        above = 0 if layer in (FINAL_NORM, HEAD) else depth + 1 - place
        found = [rate[id(model.get_parameter(one))] for one in names]
        assert found == pytest.approx([0.8 * 0.5**above] * len(names))


def test_a_table_says_how_fast_each_layer_learns() -> None:
    config = settings(
        optimizer={"name": "adamw", "lr": 3e-4, "layer_decay": 0.5, "scale_lr": True},
        data={"batch_size": 8},
        trainer={"accumulate": 2},
    )
    model = network(config)
    rates = learning_rates(model, config, world_size=8)
    assert [(row.name, row.lr) for row in rates.rows] == [
        ("stem", pytest.approx(6e-4 / 16)),
        ("blocks.0", pytest.approx(6e-4 / 8)),
        ("blocks.1", pytest.approx(6e-4 / 4)),
        ("blocks.2", pytest.approx(6e-4 / 2)),
        ("norm to head", pytest.approx(6e-4)),
    ]
    assert rates.num_params == sum(one.numel() for one in model.parameters())
    text = shown(rates)
    assert re.search(r"blocks\.0 +\d\.\d K +7\.5e-05 +0\.05", text)
    assert "lr 3.0e-04 x 2 (128 clips per step over optimizer.base_batch 64)" in text
    flat = sum(one.numel() for name, one in model.named_parameters() if not decays(name, one))
    assert rates.num_without_decay == flat


def test_frozen_layers_stand_in_the_table_and_not_in_the_optimizer() -> None:
    config = settings(freeze={"blocks": 2, "batch_norm": True})
    model = network(config)
    freeze(model, config.freeze)
    rates = learning_rates(model, config)
    assert [(row.name, row.lr) for row in rates.rows] == [
        ("stem to blocks.1", None),
        ("blocks.2 to head", 0.1),
    ]
    assert "frozen" in shown(rates)
    assert "batch norms keep their mean and variance" in shown(rates)
    optimizer = build_optimizer(model, config.optimizer)
    inside = sum(one.numel() for group in optimizer.param_groups for one in group["params"])
    assert inside == rates.num_trained < rates.num_params


def test_without_scale_lr_the_rate_is_the_one_that_was_asked_for() -> None:
    rates = learning_rates(network(settings()), settings(), world_size=8)
    assert (rates.factor, rates.rows[0].lr) == (1.0, 0.1)
    assert "base_batch" not in shown(rates)


def decays(name: str, parameter: Tensor) -> bool:
    return parameter.ndim > 1 and not name.endswith(("_token", "_embed"))


def shown(rates: LearningRates) -> str:
    console = Console(width=80, file=StringIO(), record=True)
    console.print(learning_table(rates))
    return console.export_text()
