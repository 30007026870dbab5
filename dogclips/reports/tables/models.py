"""What `dogclips models` shows: networks with their size and cost, and the layers of one."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby

from rich.console import Group

from dogclips.records.models import Layer, ModelFacts
from dogclips.reports.tables.style import filled_table, marked

_NOTE = """\
parameters with {num_classes} classes; multiply-adds of one view: matrix products and convolutions
frames x interval in frames; -: spread over the whole clip
{normalisation}
licence: of the published weights, which dogclips does not include"""


def models_report(models: Sequence[ModelFacts]) -> Group:
    """Return one row per network."""
    rows = []
    names: dict[str, list[str]] = {}  # by their normalisation
    for model in models:
        names.setdefault(_normalisation(model), []).append(model.name)
        size = f"{model.num_params / 1e6:.3f}", f"{model.multiply_adds / 1e9:.1f}"
        rows.append((model.name, *size, _frames(model), model.size, model.licence))
    numbers = marked(("para-\nmeters M", "multiply-\nadds G", "frames", "size\npx"))
    lines = [
        f"normalisation, mean / standard deviation on the scale 0..1: {values} "
        f"({'all' if len(own) == len(models) else ', '.join(own)})"
        for values, own in names.items()
    ]
    note = _NOTE.format(num_classes=models[0].num_classes, normalisation="\n".join(lines))
    return filled_table("", ("model|", *numbers, "licence|"), rows, note)


def layers_report(model: ModelFacts, layers: Layer, depth: int) -> Group:
    """Return a network's facts, then its layers to a depth; equal neighbours share a row."""
    title = (
        f"{model.name}: {model.num_params:,} parameters, {model.num_classes} classes, "
        f"{model.multiply_adds / 1e9:.1f} G multiply-adds"
    )
    remarks = (
        f"input: {_frames(model)} frames, {model.size} px, {_normalisation(model)}\n"
        f"paper: {model.paper}; licence of known weights: {model.licence}"
    )
    columns = ("layer", "kind|", "shape of the output", "parameters>|")
    return filled_table(title, columns, _rows(layers.parts, depth), remarks)


def _rows(layers: Sequence[Layer], depth: int, indent: str = "") -> Iterator[tuple[str, ...]]:
    """Yield a row for neighbours that differ in nothing but name, then those inside them."""
    for _, alike in groupby(layers, key=lambda layer: replace(layer, name="")):
        first, *others = alike
        name = first.name
        if others:
            name += f" ... {others[-1].name} ({len(others) + 1} times)"
        shapes = ", ".join(" x ".join(map(str, shape)) for shape in first.shapes)
        yield indent + name, first.kind, shapes, f"{first.num_params:,}"
        if depth > 1:
            yield from _rows(first.parts, depth - 1, f"{indent}  ")


def _frames(model: ModelFacts) -> str:
    return f"{model.clip_len} x {model.interval or '-'}"


def _normalisation(model: ModelFacts) -> str:
    """Return mean and standard deviation, each as one number where all channels share it."""
    sides = (dict.fromkeys(values) for values in (model.mean, model.std))
    return " / ".join(", ".join(f"{value:g}" for value in own) for own in sides)
