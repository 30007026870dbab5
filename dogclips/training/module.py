"""The training step, the validation step, and what is kept with the weights.

Shapes: B clips, V views, T frames, S side of a view, K classes, N clips of a list.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import torch
import torch.nn.functional as F  # noqa: N812 (the name everyone knows)
from lightning.pytorch.utilities.types import OptimizerLRScheduler
from torch import Tensor
from torch.optim.lr_scheduler import LambdaLR

from dogclips.loading import Sample
from dogclips.models import VideoModel
from dogclips.models.checkpoint_facts import stated_normalisation
from dogclips.models.checkpoint_files import METADATA, Checkpoint
from dogclips.training.config import TrainConfig
from dogclips.training.metrics import Predictions, best_thresholds
from dogclips.training.optimizers import build_optimizer, lr_share


class ClipClassifier(pl.LightningModule):
    """A model that learns which labels a clip carries, any number of them.

    Parameters
    ----------
    model
        From normalised clips to logits.
    config
        Loss, optimizer, schedule and evaluation.
    labels
        Class names; they travel with the weights.
    pos_weight
        Of each class in the loss, or None.
    """

    def __init__(
        self,
        model: VideoModel,
        config: TrainConfig,
        labels: Sequence[str],
        pos_weight: Tensor | None = None,
    ) -> None:
        super().__init__()
        self.model = model
        self.config = config
        self.labels = tuple(labels)
        self.register_buffer("pos_weight", pos_weight, persistent=False)
        self.predictions: Predictions | None = None
        self.thresholds: list[float | None] = []
        self._seen: list[tuple[Tensor, ...]] = []

    def training_step(self, batch: Sample, batch_idx: int) -> Tensor:
        """Return the mean loss of a batch of single views."""
        del batch_idx
        logits_BK = self.model(self.model.normalise(batch["video"][:, 0]))
        loss = self._loss(logits_BK, batch["target"]).mean()
        self.log(
            "train_loss",
            loss,
            on_step=False,
            on_epoch=True,
            batch_size=len(logits_BK),
            sync_dist=True,
        )
        return loss

    def validation_step(self, batch: Sample, batch_idx: int) -> None:
        """Score every view and average: probabilities by default, never a softmax."""
        del batch_idx
        video, target_BK = batch["video"], batch["target"]
        logits_bK = self.model(self.model.normalise(video.flatten(0, 1)))  # b = B * V
        logits_BVK = logits_bK.float().view(*video.shape[:2], -1)
        if self.config.evaluation.average == "sigmoid":
            probability_BK = logits_BVK.sigmoid().mean(1)
        else:
            probability_BK = logits_BVK.mean(1).sigmoid()
        loss_BVK = self._loss(logits_BVK, target_BK[:, None].expand_as(logits_BVK))
        index = torch.as_tensor(batch["index"])
        self._seen.append((index, probability_BK, target_BK, loss_BVK.mean((1, 2))))

    def on_validation_epoch_start(self) -> None:
        """Forget the last validation."""
        self._seen = []

    def on_validation_epoch_end(self) -> None:
        """Put the clips of all devices back into the order of the list."""
        parts = [torch.cat(part) for part in zip(*self._seen, strict=True)]
        if self.trainer.world_size > 1:
            parts = [gathered(part, self.trainer.world_size) for part in parts]
        index, *rest = (part.cpu() for part in parts)
        # Devices draw a few clips twice to come out even: the second fills the same place.
        ordered = [part.new_zeros(int(index.max()) + 1, *part.shape[1:]) for part in rest]
        for whole, part in zip(ordered, rest, strict=True):
            whole[index] = part
        self.predictions = Predictions(*ordered)
        self.thresholds = best_thresholds(self.predictions)

    def configure_optimizers(self) -> OptimizerLRScheduler:
        """Return the optimizer, and the schedule of its learning rate step by step."""
        optimizer = build_optimizer(self.model, self.config.optimizer)
        total = int(self.trainer.estimated_stepping_batches)
        warmup = self.config.schedule.warmup_epochs * total / self.config.trainer.epochs
        share = partial(
            lr_share, total=total, warmup=warmup, cosine=self.config.schedule.name == "cosine"
        )
        schedule = LambdaLR(optimizer, share)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add, as plain values, all that is needed to use the weights."""
        checkpoint[METADATA] = {
            "labels": list(self.labels),
            "config": self.config.model_dump(mode="json"),
            "input": self.model.expects.as_plain(),
            "thresholds": list(self.thresholds),
        }

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Normalise as when the weights were trained; they may have come from another source."""
        said = stated_normalisation(Checkpoint(Path(), "", checkpoint))
        if said is not None:
            self.model.expects = replace(self.model.expects, mean=said.mean, std=said.std)

    def _loss(self, logits: Tensor, target: Tensor) -> Tensor:
        """Return binary cross-entropy, element by element."""
        weight = self.pos_weight if isinstance(self.pos_weight, Tensor) else None
        return F.binary_cross_entropy_with_logits(
            logits.float(), target, pos_weight=weight, reduction="none"
        )


def gathered(part: Tensor, world_size: int) -> Tensor:
    """Return the parts of all devices, one after the other; they have one shape."""
    parts = [torch.empty_like(part) for _ in range(world_size)]
    torch.distributed.all_gather(parts, part.contiguous())
    return torch.cat(parts)
