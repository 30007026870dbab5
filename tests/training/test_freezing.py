from typing import Any

import pytest
import torch
from pydantic import ValidationError
from torch import nn

from dogclips.errors import ConfigError
from dogclips.training.optimizers import HEAD, STEM, names_by_layer, repeated_layers
from tests.training.tiny import NETWORKS, batch, classifier, fit, settings, weights_of


def layer_of(name: str, layers: dict[str, tuple[str, ...]]) -> str:
    """Return the layer of a parameter or buffer: that of what stands beside it."""
    folder = name.removeprefix("model.").rpartition(".")[0]
    return next(
        layer
        for layer, names in layers.items()
        if any(
            one == name.removeprefix("model.") or one.rpartition(".")[0] == folder for one in names
        )
    )


@pytest.mark.parametrize(
    ("network", "frozen"),
    [
        *[pytest.param(name, {"blocks": 1}, id=f"a block of {name}") for name in NETWORKS],
        pytest.param("uniformerv2", {"backbone": True}, id="the backbone of uniformerv2"),
        pytest.param("x3d", {"backbone": True}, id="the backbone of x3d"),
    ],
)
def test_frozen_layers_stay_as_they_are_to_the_bit_and_the_others_learn(
    network: str, frozen: dict[str, Any]
) -> None:
    module = classifier(settings(network, freeze=frozen))
    layers = names_by_layer(module.model)
    still = {STEM, repeated_layers(layers)[0]} if "blocks" in frozen else set(layers) - {HEAD}
    before = weights_of(module)
    fit(module, [batch(seed=seed) for seed in range(2)])
    after = weights_of(module)
    changed = {layer_of(one, layers) for one in before if not torch.equal(before[one], after[one])}
    assert changed == set(layers) - still


def test_batch_norms_keep_what_they_have_counted_while_their_scales_learn() -> None:
    module = classifier(settings("slowfast", freeze={"batch_norm": True}))
    before = weights_of(module)
    fit(module, [batch()])
    assert module.model.training
    norms = [one for one in module.modules() if isinstance(one, nn.BatchNorm3d)]
    assert norms
    assert not any(norm.training for norm in norms)
    changed = {
        one for one, value in module.state_dict().items() if not torch.equal(before[one], value)
    }
    assert not [one for one in changed if "running" in one or "tracked" in one]
    assert "model.s1.pathway0_stem.bn.weight" in changed


def test_a_frozen_layer_drops_nothing_while_the_head_does() -> None:
    module = classifier(
        settings("uniformerv2", model={"global_dropout": 0.5}, freeze={"backbone": True})
    ).train()
    drops = {
        name: one.training
        for name, one in module.model.named_modules()
        if isinstance(one, nn.Dropout)
    }
    assert drops.pop("dropout")
    assert set(drops.values()) == {False}
    assert not any(one.training for one in module.eval().modules())


def test_more_blocks_than_there_are_cannot_be_frozen() -> None:
    with pytest.raises(
        ConfigError, match=r"has 3 blocks or stages, fewer than 4 \(freeze\.blocks\)"
    ):
        classifier(settings(freeze={"blocks": 4}))
    with pytest.raises(ValidationError, match=r"set blocks to 0"):
        settings(freeze={"blocks": 4, "backbone": True})
