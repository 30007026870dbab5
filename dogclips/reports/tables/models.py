"""What `dogclips models` shows: networks with their size and cost, and the layers of one.

The records live here, below the torch line, so that a table needs no torch.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from itertools import groupby
from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from dogclips.records.models import Layer, ModelFacts
from dogclips.reports.tables.style import new_table, with_remarks

_NOTE = """\
parameters with {num_classes} classes; multiply-adds of one view: matrix products and convolutions
frames x frames from one to the next; -: spread over the whole clip
{normalisation}
licence: of the weights that its authors gave away; dogclips brings none"""


def models_report(models: Sequence[ModelFacts]) -> Group:
    """Return one row a network."""
    table = new_table()
    table.add_column("model", no_wrap=True)
    for head in ("para-\nmeters M", "multiply-\nadds G", "frames", "size\npx"):
        table.add_column(head, justify="right", no_wrap=True)
    table.add_column("licence", no_wrap=True)
    for model in models:
        table.add_row(
            model.name,
            f"{model.num_params / 1e6:.3f}",
            f"{model.multiply_adds / 1e9:.1f}",
            _frames(model),
            str(model.size),
            model.licence,
        )
    note = _NOTE.format(
        num_classes=models[0].num_classes, normalisation="\n".join(_normalisations(models))
    )
    return with_remarks("", table, note)


def layers_report(model: ModelFacts, layers: Layer, depth: int) -> Group:
    """Return a network's facts, then its layers to a depth; equal neighbours share a row."""
    title = (
        f"{model.name}: {model.num_params:,} parameters, {model.num_classes} classes, "
        f"{model.multiply_adds / 1e9:.1f} G multiply-adds"
    )
    table = new_table()
    table.add_column("layer", overflow="fold")
    table.add_column("kind", no_wrap=True)
    table.add_column("shape of the output", overflow="fold")
    table.add_column("parameters", justify="right", no_wrap=True)
    _add_rows(table, layers.parts, depth, "")
    remarks = (
        f"input: {_frames(model)} frames, {model.size} px, {_normalisation(model)}\n"
        f"paper: {model.paper}; licence of known weights: {model.licence}"
    )
    return with_remarks(title, table, remarks)


def models_document(models: Sequence[ModelFacts]) -> dict[str, Any]:
    """Return the JSON document of `models --json`."""
    return {"models": [asdict(model) for model in models]}


def layers_document(model: ModelFacts, layers: Layer) -> dict[str, Any]:
    """Return the JSON document of `models show --json`: every layer, to the last."""
    return {"model": asdict(model), "layers": asdict(layers)["parts"]}


def _add_rows(table: Table, layers: Sequence[Layer], depth: int, indent: str) -> None:
    for first, last, times in _folded(layers):
        name = f"{first.name} ... {last.name} ({times} times)" if times > 1 else first.name
        shapes = ", ".join(" x ".join(map(str, shape)) for shape in first.shapes)
        table.add_row(Text(indent + name), first.kind, shapes, f"{first.num_params:,}")
        if depth > 1:
            _add_rows(table, first.parts, depth - 1, f"{indent}  ")


def _folded(layers: Sequence[Layer]) -> Iterator[tuple[Layer, Layer, int]]:
    """Yield the first, the last and the number of neighbours that differ in nothing but name."""
    for _, alike in groupby(layers, key=lambda layer: replace(layer, name="")):
        same = list(alike)
        yield same[0], same[-1], len(same)


def _frames(model: ModelFacts) -> str:
    return f"{model.clip_len} x {model.interval or '-'}"


def _normalisation(model: ModelFacts) -> str:
    return f"{_channels(model.mean)} / {_channels(model.std)}"


def _normalisations(models: Sequence[ModelFacts]) -> Iterator[str]:
    """Yield each normalisation with the networks that have it."""
    names: dict[str, list[str]] = {}
    for model in models:
        names.setdefault(_normalisation(model), []).append(model.name)
    for values, own in names.items():
        whose = "all" if len(own) == len(models) else ", ".join(own)
        yield f"normalisation, mean / standard deviation on the scale 0..1: {values} ({whose})"


def _channels(values: tuple[float, float, float]) -> str:
    """Return one number where all channels share it."""
    return ", ".join(f"{value:g}" for value in dict.fromkeys(values))
