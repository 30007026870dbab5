"""The training step, the validation step, and what is kept with the weights.

Shapes: B clips, V views, T frames, S side of a view, K classes, N clips of a list.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, Self, TypeVar

import lightning.pytorch as pl
import numpy as np
import torch
from lightning.pytorch.utilities.types import OptimizerLRScheduler
from torch import Tensor, nn
from torch.distributed.fsdp import fully_shard
from torch.optim.lr_scheduler import LambdaLR
from torchvision import tv_tensors
from torchvision.transforms import v2

from dogclips.loading import Sample
from dogclips.models import VideoModel
from dogclips.models.video_model import num_params
from dogclips.models.weights.files import OUR_KEY, Checkpoint
from dogclips.models.weights.named_weights import stated_normalisation
from dogclips.scores.clip_scores import Predictions, best_thresholds
from dogclips.training.config import TrainConfig
from dogclips.training.losses import ClipLoss, loss_tasks, view_mean
from dogclips.training.optimizers import (
    build_optimizer,
    freeze,
    gathered,
    lr_factor,
    lr_share,
    still_modules,
)

T = TypeVar("T")

LARGE = 500_000  # parameters from which a part is worth a message of its own between devices


Mix = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]


def build_mix(mixup: float, cutmix: float) -> Mix | None:
    """Return what mixes a batch once it is on the device, or None if nothing is to be mixed.

    mixup (Zhang, Cisse, Dauphin and Lopez-Paz, ICLR 2018, arXiv 1710.09412) blends two clips;
    CutMix (Yun et al., ICCV 2019, arXiv 1905.04899) puts a rectangle of one into the other. Every
    batch is mixed, by Beta distributions of these alphas; with both, chance says how. Chance is
    that of torch on the CPU.
    """
    wanted: list[v2.Transform] = []
    if mixup:
        wanted.append(v2.MixUp(alpha=mixup))
    if cutmix:
        wanted.append(v2.CutMix(alpha=cutmix))
    return partial(_mix, v2.RandomChoice(wanted)) if wanted else None


def _mix(transform: v2.Transform, video: Tensor, target_BK: Tensor) -> tuple[Tensor, Tensor]:
    """Mix each clip of a batch (B, V, 3, T, S, S), normalised, with the one before it.

    All views and frames of a clip are treated alike; a target becomes the mean of both by the
    share of each in the picture, whichever numbers it holds.
    """
    # torchvision knows videos of five dimensions, and only its own class is taken for one.
    flat = tv_tensors.Video(video.flatten(1, 2))
    mixed, mixed_BK = transform(flat, target_BK)
    return mixed.as_subclass(Tensor).view_as(video), mixed_BK


class ClipClassifier(pl.LightningModule):
    """A model that learns which labels a clip carries: any number of them, or one of each task.

    What the settings freeze of `model` is frozen here; `labels` travel with the weights, and are
    `task:label` if `with_task`; None if their names must tell. `pos_weight` is of each class (K,).
    """

    def __init__(
        self,
        model: VideoModel,
        config: TrainConfig,
        labels: Sequence[str],
        pos_weight: Tensor | None = None,
        with_task: bool | None = None,
    ) -> None:
        super().__init__()
        self.model = model
        self.config = config
        self.labels = tuple(labels)
        self.tasks = loss_tasks(config.loss, labels, with_task)
        self.loss = ClipLoss(config.loss, self.tasks, pos_weight)
        self.mix = build_mix(config.data.augment.mixup, config.data.augment.cutmix)
        #: Of the last validation, None if no clip was left; in the order of the list.
        self.predictions: Predictions | None = None
        self.scored: tuple[int, ...] = ()  #: Which clips of the list those are
        self.thresholds: list[float | None] = []  #: Of each class, the best on that list
        self._seen: list[tuple[Tensor, ...]] = []
        self._factor = 1.0  # of the learning rate
        freeze(model, config.freeze)

    def train(self, mode: bool = True) -> Self:
        """Switch to training, but leave alone what is frozen."""
        super().train(mode)
        for module in still_modules(self.model, self.config.freeze) if mode else ():
            module.training = False
        return self

    def on_train_start(self) -> None:
        """Switch to training: Lightning takes the modes as it finds them.

        A run that goes on has the rates of its checkpoint; those of the settings take their place.
        """
        self.train()
        optimizer, schedule = self.trainer.optimizers[0], self.lr_schedulers()
        wanted = build_optimizer(self.model, self.config.optimizer, self._factor).param_groups
        for group, own in zip(optimizer.param_groups, wanted, strict=True):
            group |= {key: value for key, value in own.items() if key not in ("params", "lr")}
            group["initial_lr"] = own["lr"]
            if isinstance(schedule, LambdaLR):
                group["lr"] = own["lr"] * schedule.lr_lambdas[0](schedule.last_epoch)
        if isinstance(schedule, LambdaLR):
            schedule.base_lrs = [group["lr"] for group in wanted]

    def training_step(self, batch: Sample, batch_idx: int) -> Tensor:
        """Return the mean loss of a batch: of all views of all clips.

        Lightning divides it by `trainer.accumulate`. Where an epoch ends with fewer batches it is
        made larger, so that the gradient of a step is always the mean of what was gathered for it.
        """
        video, target_BK = self.model.normalise(batch["video"]), batch["target"]
        if self.mix is not None:
            video, target_BK = self.mix(video, target_BK)
        logits_BVK = self._logits(video)
        loss_BVJ = self.loss(logits_BVK, _of_views(target_BK, logits_BVK))
        loss_J = loss_BVJ.sum((0, 1)) / max(1, len(loss_BVJ.flatten(0, 1)))
        loss: Tensor = self.loss.combined(loss_J)
        losses = {"train_loss": loss}
        if len(self.tasks) > 1:
            losses |= {
                f"train_loss_{t.name}": own for t, own in zip(self.tasks, loss_J, strict=True)
            }
        count = len(target_BK)
        self.log_dict(losses, on_step=False, on_epoch=True, batch_size=count, sync_dist=True)
        accumulate, batches = self.config.trainer.accumulate, int(self.trainer.num_training_batches)
        return loss * (accumulate / gathered(self.config, batches, batch_idx))

    def validation_step(self, batch: Sample, batch_idx: int) -> None:
        """Score every view and average: probabilities by default."""
        del batch_idx
        target_BK = batch["target"]
        logits_BVK = self._logits(self.model.normalise(batch["video"])).float()
        probability_BK = view_mean(logits_BVK, self.tasks, self.config.evaluation.average)
        loss_BVJ = self.loss(logits_BVK, _of_views(target_BK, logits_BVK))
        index = torch.as_tensor(batch["index"])
        self._seen.append((index, probability_BK, target_BK, self.loss.combined(loss_BVJ).mean(1)))

    def on_validation_epoch_start(self) -> None:
        """Forget the last validation."""
        self._seen, self.predictions, self.scored = [], None, ()

    def on_validation_epoch_end(self) -> None:
        """Put the clips of all devices back into the order of the list.

        Clips that were not scored have no row; `scored` says which clips the rows are.
        """
        seen = [tuple(part.cpu() for part in parts) for parts in self._seen]
        shares = on_all_devices(seen, self.trainer)
        parts = [torch.cat(part) for part in zip(*chain.from_iterable(shares), strict=True)]
        if not parts or not len(parts[0]):
            return
        # Devices draw a few clips twice to come out even: one of the two is enough.
        index, first = np.unique(parts[0].numpy(), return_index=True)
        probability_NK, target_NK, loss_N = (part[torch.from_numpy(first)] for part in parts[1:])
        self.scored = tuple(index.tolist())
        self.predictions = Predictions(
            probability_NK.double().numpy(), target_NK.bool().numpy(), float(loss_N.mean())
        )
        self.thresholds = best_thresholds(self.predictions)

    def configure_optimizers(self) -> OptimizerLRScheduler:
        """Return the optimizer, and the schedule of its learning rate step by step."""
        total = int(self.trainer.estimated_stepping_batches)  # counts the batches, too
        batches = int(self.trainer.num_training_batches)
        accumulate = gathered(self.config, batches)
        self._factor = lr_factor(self.config, self.trainer.world_size, accumulate)
        optimizer = build_optimizer(self.model, self.config.optimizer, self._factor)
        steps = math.ceil(batches / self.trainer.accumulate_grad_batches)
        settings = self.config.schedule
        share = partial(lr_share, config=settings, steps_per_epoch=steps, total=total)
        schedule = LambdaLR(optimizer, share)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add, as plain values, all that is needed to use the weights."""
        checkpoint[OUR_KEY] = {
            "labels": list(self.labels),
            "tasks": [asdict(task) | {"classes": list(task.classes)} for task in self.tasks],
            "config": self.config.model_dump(mode="json"),
            "input": self.model.expects.as_plain(),
            "thresholds": list(self.thresholds),
        }

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Normalise as when the weights were trained; they may have come from another source."""
        stated = stated_normalisation(Checkpoint(Path(), "", checkpoint))
        if stated is not None:
            self.model.expects = replace(self.model.expects, mean=stated.mean, std=stated.std)

    def _logits(self, video: Tensor) -> Tensor:
        """Return the logits (B, V, K) of normalised views (B, V, 3, T, S, S).

        A batch may have lost all of its clips. The network still runs, as other devices wait for
        this one, on a black clip that leaves no trace: not in the gradient, nor in batch norms.
        """
        empty, training = not len(video), self.model.training
        views = video.new_zeros(1, *video.shape[2:]) if empty else video.flatten(0, 1)
        if empty:
            self.model.eval()
        logits_bK = self.model(views)  # b = B * V
        if empty and training:
            self.train()
        kept = logits_bK[:0] if empty else logits_bK
        logits_BVK: Tensor = kept.view(*video.shape[:2], kept.shape[1])
        return logits_BVK


def on_all_devices(own: T, trainer: pl.Trainer) -> list[T]:
    """Return what each device has, as objects: of clips they may have seen more or less, or none.

    Every device must ask.
    """
    if trainer.world_size == 1:
        return [own]
    shares: list[Any] = [None] * trainer.world_size
    torch.distributed.all_gather_object(shares, own)
    return shares


def _of_views(target_BK: Tensor, logits_BVK: Tensor) -> Tensor:
    """Return the target of a clip for each of its views (B, V, K)."""
    return target_BK[:, None].expand_as(logits_BVK)


class ShardedClassifier(ClipClassifier):
    """A classifier for the strategy fsdp: each layer is whole only while it computes."""

    def configure_model(self) -> None:
        """Share out the parts to all devices, then what is left; Lightning calls this on each."""
        if self.device_mesh is None:
            return
        mesh = self.device_mesh["data_parallel"]
        for part in (*_large_blocks(self.model), self.model):
            fully_shard(part, mesh=mesh)


def _large_blocks(model: nn.Module) -> list[nn.Module]:
    """Return the blocks of a network: members of its lists and sequences that are large."""
    lists = [part for part in model.modules() if isinstance(part, nn.ModuleList | nn.Sequential)]
    blocks = [block for part in lists for block in part if num_params(block) >= LARGE]
    inner = {id(below) for block in blocks for below in list(block.modules())[1:]}
    return [block for block in dict.fromkeys(blocks) if id(block) not in inner]
