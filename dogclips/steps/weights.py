"""Weights: inspect and convert weights of dogclips and of other tools."""

from pathlib import Path

from dogclips.errors import UsageError
from dogclips.models.weights.fitting import convert_weights, inspect_weights
from dogclips.records.weights import WeightsFacts
from dogclips.steps.arguments import check_replaced


def weights_inspect(source: str | Path) -> WeightsFacts:
    """Return which tool and network a file of weights is from, and what is unknown in it.

    Raises
    ------
    CheckpointError
        The file cannot be read.
    """
    return inspect_weights(Path(source))


def weights_convert(source: str | Path, out: str | Path, *, force: bool = False) -> WeightsFacts:
    """Convert weights to `out`, a safetensors file with our names and with metadata.

    Raises
    ------
    UsageError
        `out` does not end in `.safetensors`.
    CheckpointError
        The source cannot be read, its names are unknown, or it is of an image network, which takes
        its form from the network that it is to start.
    OutputError
        `out` exists and `force` is not set, is the input, or cannot be written.
    """
    source, out = Path(source), Path(out)
    if out.suffix != ".safetensors":
        raise UsageError(
            "only safetensors are written", where=out, todo="name a file that ends in .safetensors"
        )
    check_replaced(source, out, force=force)
    return convert_weights(source, out)
