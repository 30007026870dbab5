"""Logits of the reference implementations, for weights filled by a rule from their names."""

import json
import zlib
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from dogclips.models import ModelConfig, SlowFastConfig, TimeSformerConfig, build_model
from tests.shared import SHARED, needs_shared

pytestmark = [pytest.mark.shared, needs_shared]

# Configuration, frames and size of each case.
CASES: dict[str, tuple[ModelConfig, int, int]] = {
    "timesformer_b divST T8 224": (TimeSformerConfig(), 8, 224),
    "timesformer_b divST T4 64": (TimeSformerConfig(), 4, 64),
    "Kinetics/SLOWFAST_8x8_R50.yaml": (SlowFastConfig(), 32, 64),
    "Kinetics/SLOWFAST_4x16_R50.yaml": (SlowFastConfig(alpha=8, fusion_kernel=5), 32, 64),
}


def fill(model: nn.Module) -> None:
    """Fill every parameter from numpy's frozen legacy generator, seeded by its name."""
    for name, value in model.state_dict().items():
        if name.endswith("num_batches_tracked"):
            continue
        seed = zlib.crc32(name.encode())
        noise = np.random.RandomState(seed).standard_normal(tuple(value.shape))
        value.copy_(torch.from_numpy(scaled(name, noise.astype("float32"))))


def scaled(name: str, noise: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    if name.endswith("running_var"):
        return np.abs(noise) * 0.1 + 1
    if noise.ndim <= 1:
        return noise * 0.1 + (1 if name.endswith("weight") else 0)  # norm scales, else biases
    if noise.ndim == 3:
        return noise * 0.02  # embeddings
    return noise * (1.0 / np.prod(noise.shape[1:])) ** 0.5


@pytest.mark.parametrize("case", CASES)
def test_logits_are_those_of_the_reference(case: str) -> None:
    stored = json.loads((SHARED / "data" / "model_parity.json").read_text(encoding="utf-8"))
    truth = next(entry for entry in stored["cases"] if entry["name"].startswith(case))
    config, clip_len, size = CASES[case]
    with torch.device("meta"):
        model = build_model(config, truth["out_shape"][1], clip_len, size)
    model = model.to_empty(device="cpu").eval()
    fill(model)
    generator = np.random.RandomState(7)
    clip = generator.standard_normal((1, 3, clip_len, size, size)).astype("float32")

    with torch.inference_mode():
        logits = model(torch.from_numpy(clip))[0]

    assert sum(p.numel() for p in model.parameters()) == truth["params"]
    expected = torch.tensor(truth["logits"])
    assert (logits[:8] - expected).abs().max() < 1e-4 * expected.abs().max()
    assert logits.sum().item() == pytest.approx(truth["sum"], abs=1e-4 * truth["l2"])
    assert logits.norm().item() == pytest.approx(truth["l2"], rel=1e-4)
