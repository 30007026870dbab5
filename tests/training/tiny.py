"""Networks and batches that train in a blink, and a trainer that does nothing else."""

from collections.abc import Sequence
from typing import Any

import lightning.pytorch as pl
import torch
from torch import Tensor
from torch.utils.data import DataLoader

from dogclips.config import merge_trees
from dogclips.models import VideoModel, build_model
from dogclips.training import TrainConfig
from dogclips.training.losses import ClipLoss
from dogclips.training.machine import without_chatter
from dogclips.training.module import ClipClassifier

SMALL = {"depths": [1, 1, 1, 1], "width": 8}
NETWORKS: dict[str, dict[str, Any]] = {
    "timesformer": {"patch_size": 8, "dim": 16, "depth": 3, "heads": 2, "drop_path": 0.0},
    "uniformerv2": {"patch_size": 8, "dim": 16, "depth": 3, "heads": 2, "global_blocks": 2},
    "mvit": {"depths": [1, 1, 1, 1], "dim": 8},
    "slowfast": {**SMALL, "alpha": 2},
    "i3d": SMALL,
    "slow": SMALL,
    "x3d": {**SMALL, "head_width": 16},
}
LABELS = ("does:sit", "does:walk", "at:door", "at:bowl", "does:run")
Batch = dict[str, Tensor]


def settings(network: str = "timesformer", **changes: Any) -> TrainConfig:
    """Return settings for clips of 4 frames of 32 pixels, with a constant learning rate."""
    tree = {
        "model": {"name": network, **NETWORKS[network]},
        "data": {"sampling": {"clip_len": 4}, "size": 32, "batch_size": 2},
        "optimizer": {"name": "sgd", "lr": 0.1},
        "schedule": {"name": "constant", "warmup_epochs": 0},
        "trainer": {"epochs": 1},
    }
    return TrainConfig.model_validate(merge_trees(tree, changes))


def network(config: TrainConfig, num_classes: int = len(LABELS)) -> VideoModel:
    """Return a fresh network, the same each time."""
    torch.manual_seed(0)
    return build_model(config.model, num_classes, 4, 32)


def classifier(
    config: TrainConfig, labels: Sequence[str] = LABELS, pos_weight: Tensor | None = None
) -> ClipClassifier:
    return ClipClassifier(network(config, len(labels)), config, labels, pos_weight)


def loss_of(config: TrainConfig, labels: Sequence[str] = LABELS) -> ClipLoss:
    return classifier(config, labels).loss


def batch(num_clips: int = 2, *, seed: int = 0, views: int = 1) -> Batch:
    """Return clips of noise, each with one label of every task."""
    chance = torch.Generator().manual_seed(seed)
    shape = (num_clips, views, 3, 4, 32, 32)
    video = torch.randint(256, shape, generator=chance, dtype=torch.uint8)
    target = torch.zeros(num_clips, len(LABELS))
    for clip in range(num_clips):
        target[clip, [0, 1, 4][(seed + clip) % 3]] = target[clip, 2 + clip % 2] = 1
    return {"video": video, "target": target, "index": torch.arange(num_clips) + seed * num_clips}


def joined(batches: Sequence[Batch]) -> Batch:
    return {key: torch.cat([one[key] for one in batches]) for key in batches[0]}


def fit(
    module: ClipClassifier,
    batches: Sequence[Batch],
    *callbacks: pl.Callback,
    val: Sequence[Batch] = (),
    **trainer: Any,
) -> pl.Trainer:
    """Train on the batches, in their order."""
    torch.set_num_threads(1)  # more of them would wait for each other
    given = {"accelerator": "cpu", "devices": 1, "max_epochs": module.config.trainer.epochs}
    quiet = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False}
    with without_chatter():
        runner = pl.Trainer(
            **{**given, **quiet, **trainer},
            accumulate_grad_batches=module.config.trainer.accumulate,
            callbacks=list(callbacks),
            enable_model_summary=False,
            num_sanity_val_steps=0,
            limit_val_batches=None if val else 0,
            use_distributed_sampler=False,
        )
        loaders = (DataLoader(list(some), batch_size=None) for some in (batches, val))
        runner.fit(module, *loaders)
    return runner


def weights_of(module: torch.nn.Module) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in module.state_dict().items()}
