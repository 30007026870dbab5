"""Batches for the trainer, in an order that only seed and epoch decide."""

import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import lightning.pytorch as pl
import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset, Sampler, default_collate

from dogclips.errors import MediaError
from dogclips.lists import ClipList
from dogclips.loading import Augmentation, ClipDataset, Sample, Views
from dogclips.loading.dataset import Draw, FixedViews, RandomView
from dogclips.training.config import TrainConfig

MAX_WORKERS = 8


@dataclass(frozen=True)
class Fault:
    """An error on its way out of a loading process, which would reach us as a traceback."""

    what: str
    where: str
    todo: str


class GuardedDataset(Dataset[Sample | Fault]):
    """A dataset that hands a broken clip on as a `Fault`, for `ClipData` to raise."""

    def __init__(self, dataset: ClipDataset) -> None:
        self.dataset = dataset

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, draw: int | Draw) -> Sample | Fault:
        try:
            return self.dataset[draw]
        except MediaError as error:
            return Fault(error.what, error.where, error.todo)


class EpochSampler(Sampler[Draw]):
    """Every clip once an epoch, shared out to the devices.

    Each device gets the same number; the first clips of the order are drawn again to fill up.

    Parameters
    ----------
    num_clips
        Length of the list.
    seed
        Null for the order of the list.
    rank, world_size
        Which of how many devices.
    """

    def __init__(
        self, num_clips: int, seed: int | None, *, rank: int = 0, world_size: int = 1
    ) -> None:
        self.num_clips = num_clips
        self.seed = seed
        self.rank = rank
        self.world_size = world_size
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the order; the trainer calls this before every epoch."""
        self.epoch = epoch

    def __len__(self) -> int:
        return math.ceil(self.num_clips / self.world_size)

    def __iter__(self) -> Iterator[Draw]:
        order = np.arange(self.num_clips)
        if self.seed is not None:
            order = np.random.default_rng((self.seed, self.epoch)).permutation(order)
        shared = np.resize(order, len(self) * self.world_size)
        for index in shared[self.rank :: self.world_size].tolist():
            yield Draw(index, (self.seed or 0, self.epoch, index))


class ClipData(pl.LightningDataModule):
    """Loaders over a training and a validation list."""

    def __init__(
        self, config: TrainConfig, *, train: ClipList | None = None, val: ClipList | None = None
    ) -> None:
        super().__init__()
        self.config = config
        self.train = train
        self.val = val

    def train_dataloader(self) -> "DataLoader[Sample | Fault]":
        """Return random views in random order; a last batch that is not full is left out."""
        data = self.config.data
        augment = data.augment
        augmentation = Augmentation(data.size, data.fit, augment.flip, augment.scale, augment.crop)
        load = RandomView(data.sampling.clip_len, augmentation)
        dataset = ClipDataset(_given(self.train), load)
        sampler = self._sampler(dataset, self.config.seed)
        # A batch of one or two clips gives a batch norm wild statistics and the step a wild
        # direction; the clips left out are others every epoch.
        drop_last = len(sampler) >= data.batch_size
        return self._loader(dataset, sampler, data.batch_size, drop_last=drop_last)

    def val_dataloader(self) -> "DataLoader[Sample | Fault]":
        """Return all views of every clip, in the order of the list."""
        data, evaluation = self.config.data, self.config.evaluation
        crops = Views(data.size, data.fit, evaluation.crops)
        load = FixedViews(data.sampling.clip_len, evaluation.views, crops)
        dataset = ClipDataset(_given(self.val), load)
        batch_size = max(1, data.batch_size // (evaluation.views * evaluation.crops))
        return self._loader(dataset, self._sampler(dataset, None), batch_size, drop_last=False)

    def on_before_batch_transfer(self, batch: Any, dataloader_idx: int) -> Any:
        """Raise what a loading process could not.

        Raises
        ------
        MediaError
            A clip of this batch does not decode; its path is named.
        """
        del dataloader_idx
        if isinstance(batch, Fault):
            raise MediaError(batch.what, where=batch.where, todo=batch.todo)
        return batch

    def _sampler(self, dataset: ClipDataset, seed: int | None) -> EpochSampler:
        trainer = self.trainer
        rank, world = (trainer.global_rank, trainer.world_size) if trainer else (0, 1)
        return EpochSampler(len(dataset), seed, rank=rank, world_size=world)

    def _loader(
        self, dataset: ClipDataset, sampler: EpochSampler, batch_size: int, *, drop_last: bool
    ) -> "DataLoader[Sample | Fault]":
        workers = num_workers(self.config.data.workers)
        return DataLoader(
            GuardedDataset(dataset),
            batch_size=batch_size,
            sampler=sampler,
            num_workers=workers,
            collate_fn=collate,
            pin_memory=torch.cuda.is_available(),
            drop_last=drop_last,
            persistent_workers=workers > 0,
        )


def collate(samples: Sequence[Sample | Fault]) -> Any:
    """Stack samples to a batch; a fault among them takes the place of the batch."""
    for sample in samples:
        if isinstance(sample, Fault):
            return sample
    return default_collate(list(samples))


def num_workers(wanted: int | None) -> int:
    """Return how many loading processes to start: all cores but one, at most 8; 0 for none."""
    if wanted is not None:
        return wanted
    return min(num_cores() - 1, MAX_WORKERS)


def num_cores() -> int:
    """Return how many cores this process may use."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return cores or 1


def _given(clips: ClipList | None) -> ClipList:
    if clips is None:
        raise ValueError("this loader has no list")
    return clips
