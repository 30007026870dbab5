import os
from pathlib import Path

import pytest
import torch

from dogclips.lists import ClipList, ListedClip
from dogclips.models import TimeSformerConfig, build_model
from dogclips.training import TrainConfig
from dogclips.training.data import EpochSampler, num_workers
from dogclips.training.learning_config import OptimizerConfig
from dogclips.training.losses import pos_weight
from dogclips.training.optimizers import build_optimizer, lr_share


def drawn(sampler: EpochSampler, epoch: int = 0) -> list[int]:
    sampler.set_epoch(epoch)
    return [draw.index for draw in sampler]


def test_every_clip_is_drawn_once_an_epoch_in_another_order() -> None:
    sampler = EpochSampler(10, seed=0)
    first, second = drawn(sampler, 0), drawn(sampler, 1)
    assert sorted(first) == sorted(second) == list(range(10))
    assert first != second
    assert drawn(EpochSampler(10, seed=0), 1) == second


def test_without_a_seed_the_order_is_that_of_the_list() -> None:
    assert drawn(EpochSampler(5, seed=None), 3) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(("num_clips", "world_size"), [(10, 2), (7, 3), (1, 4), (2, 5)])
def test_devices_share_the_clips_evenly_and_miss_none(num_clips: int, world_size: int) -> None:
    shares = [
        drawn(EpochSampler(num_clips, 0, rank=rank, world_size=world_size))
        for rank in range(world_size)
    ]
    assert len({len(share) for share in shares}) == 1
    assert {index for share in shares for index in share} == set(range(num_clips))


def test_a_clip_is_drawn_with_another_seed_each_epoch() -> None:
    sampler = EpochSampler(3, seed=0)
    seeds = set()
    for epoch in range(2):
        sampler.set_epoch(epoch)
        seeds |= {draw.seed for draw in sampler}
    assert len(seeds) == 6


def test_one_core_is_left_to_the_model(monkeypatch: pytest.MonkeyPatch) -> None:
    def cores(count: int) -> None:
        monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: set(range(count)), raising=False)

    cores(1)
    assert num_workers(None) == 0
    cores(4)
    assert num_workers(None) == 3
    cores(64)
    assert num_workers(None) == 8
    assert num_workers(0) == 0


def test_a_balanced_loss_weighs_positives_by_how_rare_they_are() -> None:
    labels = [(0,), (0, 1), (0,), (0, 1), (0,)]
    listed = tuple(ListedClip(Path(f"/{i}.mp4"), given) for i, given in enumerate(labels))
    clips = ClipList(Path("/list.txt"), listed, ("always", "sometimes", "never"))
    config = TrainConfig.model_validate(
        {"model": {"name": "timesformer"}, "loss": {"pos_weight": "balanced"}}
    )
    weight = pos_weight(config, clips)
    assert weight is not None
    assert weight.tolist() == pytest.approx([1.0, 1.5, 1.0])


def test_only_matrices_and_kernels_decay() -> None:
    model = build_model(TimeSformerConfig(patch_size=8, dim=16, depth=1, heads=2), 3, 4, 16)
    decaying, others = build_optimizer(model, OptimizerConfig(weight_decay=0.1)).param_groups
    assert decaying["weight_decay"] == 0.1
    assert others["weight_decay"] == 0.0
    assert all(p.ndim in (2, 4) for p in decaying["params"])
    embeddings = {id(model.get_parameter(name)) for name in ("cls_token", "pos_embed")}
    assert embeddings <= {id(p) for p in others["params"]}


def test_the_learning_rate_rises_and_then_falls_to_nothing() -> None:
    shares = [lr_share(step, total=100, warmup=10, cosine=True) for step in range(101)]
    assert max(shares) == shares[10] == 1.0
    assert shares[:11] == sorted(shares[:11])
    assert shares[10:] == sorted(shares[10:], reverse=True)
    assert shares[-1] == pytest.approx(0.0)
    assert torch.isfinite(torch.tensor(shares)).all()
