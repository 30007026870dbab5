"""Weights that are shared out to all devices (FSDP), each layer whole only while it computes."""

from torch import nn
from torch.distributed.fsdp import fully_shard

from dogclips.training.module import ClipClassifier

LARGE = 500_000  # parameters from which a part is worth a message of its own


class ShardedClassifier(ClipClassifier):
    """A classifier for the strategy fsdp."""

    def configure_model(self) -> None:
        """Share out the parts, then what is left; Lightning calls this on every device."""
        if self.device_mesh is None:
            return
        mesh = self.device_mesh["data_parallel"]
        for part in _parts(self.model):
            fully_shard(part, mesh=mesh)
        fully_shard(self.model, mesh=mesh)


def _parts(model: nn.Module) -> list[nn.Module]:
    """Return the blocks of a network: members of its lists and sequences that are large."""
    lists = [part for part in model.modules() if isinstance(part, nn.ModuleList | nn.Sequential)]
    blocks = [block for part in lists for block in part if _size(block) >= LARGE]
    inner = {id(below) for block in blocks for below in list(block.modules())[1:]}
    return [block for block in dict.fromkeys(blocks) if id(block) not in inner]


def _size(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())
