"""What a network costs and what it is made of, measured without weights.

Networks are built on torch's meta device, which knows shapes and holds no numbers: a network of
gigabytes takes a fraction of a second. `python -m dogclips.models.facts` writes what is kept of
all that are published; the tests measure them again.
"""

import json
from dataclasses import asdict
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from dogclips.models import build_model
from dogclips.models.catalogue import NUM_CLASSES, VARIANTS, Variant
from dogclips.models.video_model import VideoModel, num_params
from dogclips.records.models import PUBLISHED, Layer, ModelFacts


def measure_model(name: str, variant: Variant, num_classes: int = NUM_CLASSES) -> ModelFacts:
    """Return the size and cost of a network for one view.

    Multiply-adds are half of what torch's counter finds, which counts a product and a sum as two.
    It sees matrix products, attention and convolutions, but no norms, activations and pooling;
    those are about half a percent of what is counted elsewhere, and 3 % of an X3D.
    """
    return _measured(name, variant, _built(variant, num_classes))


def measure_network(
    name: str, variant: Variant, num_classes: int = NUM_CLASSES
) -> tuple[ModelFacts, Layer]:
    """Return what `measure_model` and `layer_tree` do, of a network that is built once."""
    model = _built(variant, num_classes)
    return _measured(name, variant, model), _tree(model)


def try_network(variant: Variant, num_classes: int = NUM_CLASSES) -> None:
    """Build a network and show it one view.

    Raises
    ------
    ModelError
        It cannot be built, or does not take its view.
    """
    _run(_built(variant, num_classes))


def _measured(name: str, variant: Variant, model: VideoModel) -> ModelFacts:
    with FlopCounterMode(display=False) as counter:
        _run(model)
    return ModelFacts(
        name=name,
        architecture=variant.config.name,
        num_params=num_params(model),
        num_classes=model.num_classes,
        multiply_adds=counter.get_total_flops() // 2,
        interval=variant.interval,
        **asdict(variant.expects),
        paper=variant.paper,
        licence=variant.licence,
    )


def layer_tree(variant: Variant, num_classes: int = NUM_CLASSES) -> Layer:
    """Return a network as a tree of what learns, with the shapes that a view takes in it."""
    return _tree(_built(variant, num_classes))


def _tree(model: VideoModel) -> Layer:
    shapes: dict[nn.Module, tuple[tuple[int, ...], ...]] = {}

    def remember(module: nn.Module, _: Any, output: Any) -> None:
        outputs = output if isinstance(output, tuple) else (output,)
        shapes[module] = tuple(tuple(one.shape) for one in outputs if isinstance(one, Tensor))

    for module in model.modules():
        module.register_forward_hook(remember)
    _run(model)
    return _layer("", model, shapes)


def _built(variant: Variant, num_classes: int) -> VideoModel:
    expects = variant.expects
    with torch.device("meta"):
        return build_model(variant.config, num_classes, expects.clip_len, expects.size).eval()


def _run(model: VideoModel) -> None:
    frames, side = model.expects.clip_len, model.expects.size
    with torch.inference_mode():
        model(torch.empty(1, 3, frames, side, side, device="meta"))


def _layer(
    name: str, module: nn.Module, shapes: dict[nn.Module, tuple[tuple[int, ...], ...]]
) -> Layer:
    # A leaf's own weights say nothing that its count does not; those beside layers do.
    own = module.named_parameters(recurse=False) if any(module.children()) else ()
    parts = [Layer(key, "parameter", (tuple(value.shape),), value.numel()) for key, value in own]
    for key, child in module.named_children():
        if num_params(child):
            parts.append(_layer(key, child, shapes))
    kind = type(module).__name__.removeprefix("_")
    return Layer(name, kind, shapes.get(module, ()), num_params(module), tuple(parts))


if __name__ == "__main__":
    rows = [json.dumps(asdict(measure_model(*named))) for named in VARIANTS.items()]
    PUBLISHED.write_text("[\n" + ",\n".join(rows) + "\n]\n", encoding="utf-8")
