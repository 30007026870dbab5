"""Which clips an epoch draws, in an order that only seed and epoch decide.

Shapes: N clips.
"""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch.utils.data import Sampler

from dogclips.loading.dataset import Draw


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
