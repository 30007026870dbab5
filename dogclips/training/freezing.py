"""Weights that stay as they are."""

from collections.abc import Iterator

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from dogclips.errors import ConfigError
from dogclips.models import VideoModel
from dogclips.training.config import FreezeConfig
from dogclips.training.optimizers import HEAD, STEM, blocks_of, layers_of


def freeze(model: VideoModel, config: FreezeConfig) -> None:
    """Take the gradients of frozen layers away; an optimizer is to leave those parameters out.

    Raises
    ------
    ConfigError
        There are fewer blocks or stages.
    """
    layers = layers_of(model)
    blocks = blocks_of(layers)
    if config.blocks > len(blocks):
        raise ConfigError(
            f"the model has {len(blocks)} blocks or stages, fewer than {config.blocks}",
            where="freeze.blocks",
            todo=f"set it to {len(blocks)} or less, or set freeze.backbone",
        )
    frozen = {STEM, *blocks[: config.blocks]} if config.blocks else set()
    if config.backbone:
        frozen = set(layers) - {HEAD}
    for layer in frozen:
        for name in layers[layer]:
            model.get_parameter(name).requires_grad = False


def still_modules(model: nn.Module, config: FreezeConfig) -> Iterator[nn.Module]:
    """Yield what must stay in evaluation mode: frozen layers, and batch norms if wanted.

    So a frozen layer computes in training what it computes in a test: its batch norms count no
    batch, and nothing in it is dropped at random.
    """
    for module in model.modules():
        parameters = list(module.parameters())
        if parameters and not any(parameter.requires_grad for parameter in parameters):
            yield from module.modules()
        elif config.batch_norm and isinstance(module, _BatchNorm):
            yield module
