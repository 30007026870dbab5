"""Published networks by name: their sizes and costs, to the digit."""

import pytest
import torch

from dogclips.errors import UsageError
from dogclips.models import ModelInput, SlowFastConfig
from dogclips.models.catalogue import VARIANTS, Variant, variant
from dogclips.models.facts import layer_tree, measure_model
from dogclips.records.models import Layer, published_models

# Parameters with 400 classes, and multiply-adds of one view in G, as measured on the published
# code by another counter, or as the papers say.
PUBLISHED = {
    "timesformer-8x32": (121_566_352, 196.053),
    "timesformer-hr-16x16": (122_024_080, 1703.0),
    "timesformer-l-96x4": (121_633_936, 2380.0),
    "timesformer-joint-8x32": (86_112_400, 179.7),
    "timesformer-space-8x32": (86_106_256, 140.6),
    "timesformer-vit-l-8x32": (429_720_976, 689.0),
    "slowfast-r50-4x16": (34_480_216, 27.820),
    "slowfast-r50-8x8": (34_566_488, 50.582),
    "slowfast-r101-8x8": (62_826_968, 96.793),
    "slowfast-r101-16x8": (53_774_808, 163.887),
    "slow-r50-8x8": (32_454_096, 41.919),
    "i3d-r50-8x8": (28_043_472, 28.538),
    "x3d-m": (3_794_322, 4.73),
    "mvit-b-16x4": (36_610_672, 70.804),
    "mvitv2-s-16x4": (34_537_744, 64.457),
    "mvitv2-b-32x3": (51_230_128, 225.0),
    "uniformerv2-b16-8": (114_552_208, 148.0),
}


KEPT = {facts.name: facts for facts in published_models()}


def test_every_published_network_has_its_numbers_here_and_in_the_list_that_is_shown() -> None:
    assert list(VARIANTS) == list(PUBLISHED) == list(KEPT)


@pytest.mark.parametrize("name", PUBLISHED)
def test_parameters_are_those_published_and_multiply_adds_within_a_percent(name: str) -> None:
    facts = measure_model(name, VARIANTS[name])
    num_params, giga = PUBLISHED[name]
    assert facts.num_params == num_params
    assert facts.multiply_adds / 1e9 == pytest.approx(giga, rel=0.01)
    assert KEPT[name] == facts, "write them again: python -m dogclips.models.facts"


def test_cost_is_measured_for_the_input_and_the_classes_asked_for() -> None:
    wanted = Variant(SlowFastConfig(), ModelInput(32, 256), 2, "", "")
    facts = measure_model("", wanted, num_classes=20)
    assert facts.num_params == 33_690_588
    assert facts.multiply_adds / 1e9 == pytest.approx(66.068, rel=0.01)


def leaves(layer: Layer) -> list[Layer]:
    return [leaf for part in layer.parts for leaf in leaves(part)] or [layer]


@pytest.mark.parametrize("name", ["timesformer-8x32", "slowfast-r50-8x8", "mvitv2-s-16x4"])
def test_the_layers_hold_all_parameters_and_end_in_one_logit_a_class(name: str) -> None:
    layers = layer_tree(VARIANTS[name], num_classes=7)
    total = measure_model(name, VARIANTS[name], num_classes=7).num_params
    assert layers.num_params == total
    assert layers.shapes == ((1, 7),)
    assert sum(leaf.num_params for leaf in leaves(layers)) == total


def test_a_measured_network_takes_no_memory_and_leaves_no_device_behind() -> None:
    layer_tree(VARIANTS["timesformer-vit-l-8x32"])
    assert torch.zeros(1).device.type == "cpu"


def test_a_name_that_is_none_gets_the_nearest() -> None:
    with pytest.raises(UsageError, match="did you mean slowfast-r50-8x8"):
        variant("slowfast_r50")
