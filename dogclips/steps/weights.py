"""Weights: look into files of weights of any known source, and write them under our names."""

from pathlib import Path

from dogclips.errors import UsageError
from dogclips.models.weights.fitting import convert_weights, inspect_weights
from dogclips.records.weights import WeightsFacts
from dogclips.steps.arguments import check_replaced


def weights_inspect(source: str | Path) -> WeightsFacts:
    """Return whose weights a file or folder holds, of which network, and what is unknown in it.

    Raises
    ------
    CheckpointError
        It cannot be read.
    """
    return inspect_weights(Path(source))


def weights_convert(source: str | Path, out: str | Path, *, force: bool = False) -> WeightsFacts:
    """Write weights of any known source to `out`, under our names, as safetensors with metadata.

    Raises
    ------
    UsageError
        `out` does not end in `.safetensors`.
    CheckpointError
        The source cannot be read, its names are unknown, or it is of an image network, which takes
        its form from the network that it is to start.
    OutputError
        `out` is there and not to be replaced by `force`, is what is read, or cannot be written.
    """
    source, out = Path(source), Path(out)
    if out.suffix != ".safetensors":
        raise UsageError(
            "only safetensors are written", where=out, todo="name a file that ends in .safetensors"
        )
    check_replaced(source, out, force=force)
    return convert_weights(source, out)
