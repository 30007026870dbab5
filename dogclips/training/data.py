"""Batches for the trainer, in an order that only seed and epoch decide."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict

import lightning.pytorch as pl
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, default_collate

from dogclips.errors import MediaError
from dogclips.lists import ClipList
from dogclips.loading import ClipDataset, Sample, Views
from dogclips.loading.dataset import Draw, FixedViews, RandomViews
from dogclips.training.augmentation import augmentation_of, sampling_of
from dogclips.training.config import TrainConfig
from dogclips.training.loading_plan import decoder_of, plan_loading
from dogclips.training.samplers import EpochSampler, Position, balancing_weights


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


@dataclass(frozen=True)
class Collation:
    """How samples become a batch; clips that do not decode are no part of it."""

    #: A batch of no clips, for when none decodes; its shapes are those of all others.
    empty: Mapping[str, Tensor]

    def __call__(self, samples: Sequence[Sample | MediaError]) -> Batch:
        """Stack what there is, and put the errors beside it."""
        good = [sample for sample in samples if not isinstance(sample, MediaError)]
        faults = [sample for sample in samples if isinstance(sample, MediaError)]
        stacked = default_collate(good) if good else self.empty
        video, target, index = stacked["video"], stacked["target"], stacked["index"]
        return Batch(video=video, target=target, index=index, faults=faults)


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
        """Return random views; for clips that are learned by heart those of the validation."""
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
            collate_fn=Collation(empty),
            pin_memory=plan.pinned,
            drop_last=drop_last,
            persistent_workers=plan.workers > 0,
        )


def _given(clips: ClipList | None) -> ClipList:
    if clips is None:
        raise ValueError("this loader has no list")
    return clips
