"""Batches for the trainer, in an order that only seed and epoch decide."""

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypedDict

import lightning.pytorch as pl
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler, default_collate
from torchvision.transforms import v2

from dogclips.errors import MediaError
from dogclips.lists import ClipList
from dogclips.loading import Augmentation, ClipDataset, Sample, Sampling, Views
from dogclips.loading.dataset import Draw, FixedViews, RandomViews
from dogclips.loading.sampling import Dense
from dogclips.media.excerpt import FrameTimes
from dogclips.training.config import DataConfig, TrainConfig
from dogclips.training.loading_plan import decoder_of, plan_loading


class Batch(TypedDict):
    """Clips side by side: video (B, V, 3, T, S, S), target (B, K), index (B,); and broken ones."""

    video: Tensor
    target: Tensor
    index: Tensor
    faults: list[MediaError]


class GuardedDataset(Dataset[Sample | MediaError]):
    """A dataset that hands a broken clip's error on, for `ClipData` to raise.

    An error that leaves a loading process by itself would reach us as a traceback.
    """

    def __init__(self, dataset: ClipDataset) -> None:
        self.dataset = dataset

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, draw: int | Draw) -> Sample | MediaError:
        try:
            return self.dataset[draw]
        except MediaError as error:
            return error


def collated(samples: Sequence[Sample | MediaError], empty: Mapping[str, Tensor]) -> Batch:
    """Stack clips that decode, and put the errors of the others beside; `empty` if none does."""
    good = [sample for sample in samples if not isinstance(sample, MediaError)]
    faults = [sample for sample in samples if isinstance(sample, MediaError)]
    stacked = default_collate(good) if good else empty
    video, target, index = stacked["video"], stacked["target"], stacked["index"]
    return Batch(video=video, target=target, index=index, faults=faults)


def sampling_of(data: DataConfig) -> Sampling:
    """Return which frames of a clip the settings want."""
    wanted = data.sampling
    if wanted.mode == "uniform":
        return Sampling(wanted.clip_len)
    if wanted.interval is not None:
        return Sampling(wanted.clip_len, Dense(wanted.interval))
    return Sampling(wanted.clip_len, Dense(wanted.interval_seconds or 0.0, seconds=True))


def sampling_warning(data: DataConfig, clips: Sequence[FrameTimes]) -> str | None:
    """Return a line for before training if dense views are longer than some of the clips."""
    sampling = sampling_of(data)
    short = [clip for clip in clips if sampling.shortens(clip)]
    if sampling.dense is None or not short:
        return None
    first = min(short, key=lambda clip: clip.end_s - clip.start_s)
    span_s = sampling.dense.span_s(first, sampling.clip_len)
    return (
        f"{len(short)} of {len(clips)} clips are too short for data.sampling: "
        f"{sampling.clip_len} frames at this interval take {span_s:.2f} s, and the shortest clip "
        f"has {first.end_s - first.start_s:.2f} s: these clips are sampled uniformly instead"
    )


def augmentation_of(data: DataConfig) -> Augmentation:
    """Return the random changes that the settings want."""
    wanted = data.augment
    erasing = wanted.random_erasing
    recolour: list[v2.Transform] = []
    if wanted.color_jitter:
        recolour.append(v2.ColorJitter(**dict(wanted.color_jitter)))
    if wanted.rand_augment:
        recolour.append(v2.RandAugment(**dict(wanted.rand_augment)))
    if erasing:
        recolour.append(v2.RandomErasing(erasing.probability, erasing.scale, erasing.ratio))
    return Augmentation(
        size=data.size,
        fit=data.fit,
        flip=wanted.flip,
        scale=wanted.scale,
        crop=wanted.crop,
        resized_crop=wanted.resized_crop,
        recolour=tuple(recolour),
    )


@dataclass
class Position:
    """Where a run stands, and so where it goes on."""

    epoch: int = 0  #: The one that is being trained, from 0
    batches: int = 0  #: Batches of it that are done, on each device


class EpochSampler(Sampler[Draw]):
    """As many draws an epoch as there are clips, shared out to the devices.

    Each device gets the same number; the first draws are made again to fill up. Any number of
    devices draws the same clips, with the same seeds, for the same step of all of them. Clips are
    drawn as often as their weights say relative to each other, once an epoch if all are equal;
    without a seed in the order of the list. `start` is the epoch to begin with, and how many draws
    of it this device has had.
    """

    def __init__(
        self,
        weight_N: NDArray[np.float64],
        seed: int | None,
        *,
        rank: int = 0,
        world_size: int = 1,
        start: tuple[int, int] = (0, 0),
    ) -> None:
        self.weight_N = weight_N
        self.seed = seed
        self.rank = rank
        self.world_size = world_size
        self.start = start
        # Loading processes ask for the first clips before anybody could set the epoch.
        self.epoch = start[0]

    def set_epoch(self, epoch: int) -> None:
        """Choose the order; the trainer calls this before every epoch."""
        self.epoch = epoch

    def __len__(self) -> int:
        return math.ceil(len(self.weight_N) / self.world_size)

    def __iter__(self) -> Iterator[Draw]:
        """Yield the draws of the epoch that are left."""
        draws = np.resize(self._draws(), len(self) * self.world_size)
        seen: Counter[int] = Counter()
        begun = self.start[1] if self.epoch == self.start[0] else 0
        for number, index in enumerate(draws.tolist()):
            again = (seen[index],) if seen[index] else ()
            seen[index] += 1
            if number % self.world_size == self.rank and number // self.world_size >= begun:
                yield Draw(index, (self.seed or 0, self.epoch, index, *again))

    def _draws(self) -> NDArray[np.int64]:
        """Return the clips of this epoch, in order (N,)."""
        num_clips = len(self.weight_N)
        if self.seed is None:
            return np.arange(num_clips)
        rng = np.random.default_rng((self.seed, self.epoch))
        if np.ptp(self.weight_N) == 0:
            return rng.permutation(num_clips)
        # Systematic sampling: every clip as often as it should be, rounded up or down by chance.
        edges = np.cumsum(self.weight_N) * (num_clips / self.weight_N.sum())
        drawn = np.searchsorted(edges, np.arange(num_clips) + rng.random(), side="right")
        return rng.permutation(np.minimum(drawn, num_clips - 1))


class ClipData(pl.LightningDataModule):
    """Loaders over a training and a validation list; one that is never asked for needs no list."""

    def __init__(
        self, config: TrainConfig, *, train: ClipList | None = None, val: ClipList | None = None
    ) -> None:
        super().__init__()
        self.config = config
        self.train = train
        self.val = val
        self.position = Position()  #: Where training goes on; read when its loader is made
        self.decoder = decoder_of(config.data)
        #: By path, the errors of clips that were left out of their batches; of this device.
        self.faults: dict[str, MediaError] = {}

    def train_dataloader(self) -> "DataLoader[Sample | MediaError]":
        """Return random views in random order; a last batch that is not full is left out."""
        data = self.config.data
        dataset = ClipDataset(_given(self.train), self._training_views(), data.source)
        sampler = self._sampler(dataset, self.config.seed)
        # A batch of one or two clips gives a batch norm wild statistics and the step a wild
        # direction; the clips left out are others every epoch.
        drop_last = len(sampler) >= data.batch_size
        shape = (data.batch_size, data.sampling.num_views)
        return self._loader(dataset, sampler, shape, drop_last=drop_last)

    def _training_views(self) -> RandomViews | FixedViews:
        """Return random views; to overfit a few clips, those of the validation."""
        data, sampling = self.config.data, sampling_of(self.config.data)
        if self.config.trainer.overfit is not None:
            return FixedViews(sampling, 1, Views(data.size, data.fit, 1), self.decoder)
        changes = augmentation_of(data)
        return RandomViews(sampling, changes, data.sampling.num_views, self.decoder)

    def val_dataloader(self) -> "DataLoader[Sample | MediaError]":
        """Return all views of every clip, in the order of the list."""
        data, evaluation = self.config.data, self.config.evaluation
        crops = Views(data.size, data.fit, evaluation.crops)
        load = FixedViews(sampling_of(data), evaluation.views, crops, self.decoder)
        dataset = ClipDataset(_given(self.val), load, data.source)
        num_views = evaluation.views * evaluation.crops
        shape = (max(1, data.batch_size // num_views), num_views)
        return self._loader(dataset, self._sampler(dataset, None), shape, drop_last=False)

    def on_before_batch_transfer(self, batch: Any, dataloader_idx: int) -> Any:
        """Raise what a loading process could not, or count it among the `faults`.

        A batch of which no clip decodes has no clips.
        """
        del dataloader_idx
        for fault in batch.pop("faults", ()):
            if self.config.data.on_bad_clip == "error":
                raise fault
            self.faults[fault.where] = fault
        return batch

    def _sampler(self, dataset: ClipDataset, seed: int | None) -> EpochSampler:
        """Return the order of an epoch; that of the list without a seed."""
        trainer, data = self.trainer, self.config.data
        rank, world = (trainer.global_rank, trainer.world_size) if trainer else (0, 1)
        labels_N = [clip.labels for clip in dataset.clips.clips]
        balance, start = 0.0, (0, 0)
        if seed is not None:
            balance = data.balance
            start = (self.position.epoch, self.position.batches * data.batch_size)
        weight_N = balancing_weights(labels_N, balance)
        return EpochSampler(weight_N, seed, rank=rank, world_size=world, start=start)

    def _loader(
        self,
        dataset: ClipDataset,
        sampler: EpochSampler,
        shape: tuple[int, int],
        *,
        drop_last: bool,
    ) -> "DataLoader[Sample | MediaError]":
        """Return batches of so many clips with so many views each."""
        batch_size, num_views = shape
        plan, data = plan_loading(self.config), self.config.data
        empty = {
            "video": torch.zeros(
                (0, num_views, 3, data.sampling.clip_len, data.size, data.size), dtype=torch.uint8
            ),
            "target": torch.zeros(0, len(dataset.clips.labels)),
            "index": torch.zeros(0, dtype=torch.long),
        }
        return DataLoader(
            GuardedDataset(dataset),
            batch_size=batch_size,
            sampler=sampler,
            num_workers=plan.workers,
            prefetch_factor=plan.prefetch if plan.workers else None,
            collate_fn=partial(collated, empty=empty),
            pin_memory=plan.pinned,
            drop_last=drop_last,
            persistent_workers=plan.workers > 0,
        )


def _given(clips: ClipList | None) -> ClipList:
    if clips is None:
        raise ValueError("this loader has no list")
    return clips


def balancing_weights(labels_N: Sequence[Sequence[int]], balance: float) -> NDArray[np.float64]:
    """Return how often each clip should be drawn, so that rare classes come more often (N,).

    Repeat factors as of Gupta et al. 2019 (LVIS): a class in a share f of the clips is repeated
    (f_max / f) ** balance times, and of a clip's classes the rarest decides. Their square root is a
    balance of 0.5, and their threshold is f_max. Clips without a label are a class of their own. As
    many clips as ever make an epoch.

    >>> balancing_weights([(0,), (0,), (0,), (0,), (1,), (0, 1)], 1.0).round(2).tolist()
    [1.0, 1.0, 1.0, 1.0, 2.5, 2.5]
    """
    classes_N = [set(labels) or {-1} for labels in labels_N]
    counts = Counter(label for classes in classes_N for label in classes)
    most = max(counts.values())
    rarest = [min(counts[label] for label in classes) for classes in classes_N]
    return np.asarray([(most / count) ** balance for count in rarest])
