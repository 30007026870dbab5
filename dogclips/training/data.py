"""Batches for the trainer, in an order that only seed and epoch decide."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict

import lightning.pytorch as pl
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, default_collate
from torchvision.transforms import v2

from dogclips.errors import MediaError
from dogclips.lists import ClipList
from dogclips.loading import Augmentation, ClipDataset, Sample, Sampling, Views
from dogclips.loading.dataset import Draw, FixedViews, RandomViews
from dogclips.loading.excerpts import Timeline
from dogclips.loading.sampling import Dense
from dogclips.loading.transforms import ResizedCrop
from dogclips.training.config import AugmentConfig, DataConfig, TrainConfig
from dogclips.training.loading_plan import decoder_of, plan_loading
from dogclips.training.samplers import EpochSampler, Place, balancing_weights


@dataclass(frozen=True)
class Fault:
    """An error on its way out of a loading process, which would reach us as a traceback."""

    what: str
    where: str
    todo: str


class Batch(TypedDict):
    """Clips side by side: video (B, V, 3, T, S, S), target (B, K), index (B,), and their faults."""

    video: Tensor
    target: Tensor
    index: Tensor
    faults: list[Fault]


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


@dataclass(frozen=True)
class Collation:
    """How samples become a batch; clips that do not decode are no part of it.

    Parameters
    ----------
    empty
        A batch of no clips, for when none decodes; its shapes are those of all others.
    """

    empty: Mapping[str, Tensor]

    def __call__(self, samples: Sequence[Sample | Fault]) -> Batch:
        """Stack what there is, and tell the faults beside it."""
        good = [sample for sample in samples if not isinstance(sample, Fault)]
        stacked = default_collate(good) if good else self.empty
        return Batch(
            video=stacked["video"],
            target=stacked["target"],
            index=stacked["index"],
            faults=[sample for sample in samples if isinstance(sample, Fault)],
        )


class ClipData(pl.LightningDataModule):
    """Loaders over a training and a validation list.

    Parameters
    ----------
    config
        Sampling, augmentation and batches.
    train, val
        The lists; a loader that is never asked for needs none.

    Attributes
    ----------
    place
        Where training goes on; read when the training loader is made.
    faults
        By path, the clips that did not decode and were left out of their batches; of this device.
    """

    def __init__(
        self,
        config: TrainConfig,
        *,
        train: ClipList | None = None,
        val: ClipList | None = None,
    ) -> None:
        super().__init__()
        self.config = config
        self.train = train
        self.val = val
        self.place = Place()
        self.decoder = decoder_of(config.data)
        self.faults: dict[str, Fault] = {}

    def train_dataloader(self) -> "DataLoader[Sample | Fault]":
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
        """Return random views; for clips that are learned by heart those of the validation."""
        data, sampling = self.config.data, sampling_of(self.config.data)
        if self.config.trainer.overfit is not None:
            return FixedViews(sampling, 1, Views(data.size, data.fit, 1), self.decoder)
        changes = augmentation_of(data)
        return RandomViews(sampling, changes, data.sampling.num_views, self.decoder)

    def val_dataloader(self) -> "DataLoader[Sample | Fault]":
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

        Raises
        ------
        MediaError
            A clip of this batch does not decode, and the settings want no skips; its path is named.
        """
        del dataloader_idx
        for fault in batch.pop("faults", ()):
            if self.config.data.on_bad_clip == "error":
                raise MediaError(fault.what, where=fault.where, todo=fault.todo)
            self.faults[fault.where] = fault
        return batch

    def _sampler(self, dataset: ClipDataset, seed: int | None) -> EpochSampler:
        trainer, data = self.trainer, self.config.data
        rank, world = (trainer.global_rank, trainer.world_size) if trainer else (0, 1)
        labels_N = [clip.labels for clip in dataset.clips.clips]
        if seed is None:
            weight_N = balancing_weights(labels_N, 0.0)
            return EpochSampler(weight_N, None, rank=rank, world_size=world)
        weight_N = balancing_weights(labels_N, data.balance)
        start = (self.place.epoch, self.place.batches * data.batch_size)
        return EpochSampler(weight_N, seed, rank=rank, world_size=world, start=start)

    def _loader(
        self,
        dataset: ClipDataset,
        sampler: EpochSampler,
        shape: tuple[int, int],
        *,
        drop_last: bool,
    ) -> "DataLoader[Sample | Fault]":
        """Return batches of so many clips with so many views each."""
        batch_size, num_views = shape
        plan = plan_loading(self.config)
        return DataLoader(
            GuardedDataset(dataset),
            batch_size=batch_size,
            sampler=sampler,
            num_workers=plan.workers,
            prefetch_factor=plan.prefetch if plan.workers else None,
            collate_fn=Collation(self._empty(dataset, num_views)),
            pin_memory=plan.pinned,
            drop_last=drop_last,
            persistent_workers=plan.workers > 0,
        )

    def _empty(self, dataset: ClipDataset, num_views: int) -> dict[str, Tensor]:
        """Return what a batch of no clips holds."""
        data = self.config.data
        shape = (0, num_views, 3, data.sampling.clip_len, data.size, data.size)
        target = torch.zeros(0, len(dataset.clips.labels))
        index = torch.zeros(0, dtype=torch.long)
        return {"video": torch.zeros(shape, dtype=torch.uint8), "target": target, "index": index}


def sampling_of(data: DataConfig) -> Sampling:
    """Return which frames of a clip the settings want."""
    said = data.sampling
    if said.mode == "uniform":
        return Sampling(said.clip_len)
    if said.interval is not None:
        return Sampling(said.clip_len, Dense(said.interval))
    return Sampling(said.clip_len, Dense(said.interval_seconds or 0.0, seconds=True))


def augmentation_of(data: DataConfig) -> Augmentation:
    """Return the random changes that the settings want."""
    said = data.augment
    crop = said.resized_crop
    return Augmentation(
        size=data.size,
        fit=data.fit,
        flip=said.flip,
        scale=said.scale,
        crop=said.crop,
        resized_crop=ResizedCrop(crop.scale, crop.ratio) if crop else None,
        recolour=_recolour(said),
    )


def _recolour(said: AugmentConfig) -> tuple[v2.Transform, ...]:
    transforms: list[v2.Transform] = []
    if said.color_jitter:
        transforms.append(v2.ColorJitter(**said.color_jitter.model_dump()))
    if said.rand_augment:
        transforms.append(v2.RandAugment(said.rand_augment.num_ops, said.rand_augment.magnitude))
    if said.random_erasing:
        erasing = said.random_erasing
        transforms.append(v2.RandomErasing(erasing.probability, erasing.scale, erasing.ratio))
    return tuple(transforms)


def sampling_warning(data: DataConfig, clips: Sequence[Timeline]) -> str | None:
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


def _given(clips: ClipList | None) -> ClipList:
    if clips is None:
        raise ValueError("this loader has no list")
    return clips
