import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from dogclips.config import merge_trees
from dogclips.errors import MediaError
from dogclips.lists import ClipList, read_list
from dogclips.loading.checking import check_clips
from dogclips.training import TrainConfig
from dogclips.training.data import Batch, ClipData, augmentation_of, sampling_of, sampling_warning
from dogclips.training.loading_plan import (
    Memory,
    _cgroup_bytes,
    loading_line,
    memory_left,
    num_workers,
    plan_loading,
)

PLENTY = Memory(1e12, 1e12)


def changed(config: TrainConfig, **data: Any) -> TrainConfig:
    return TrainConfig.model_validate(merge_trees(config.model_dump(), {"data": data}))


@pytest.fixture
def train_list(clips_dir: Path) -> ClipList:
    return read_list(clips_dir / "train.txt")


@pytest.fixture
def broken(clips_dir: Path, tmp_path: Path) -> ClipList:
    """Return eight clips; those numbered 2, 4, 5, 6 and 7 are cut short."""
    folder = tmp_path / "clips"
    shutil.copytree(clips_dir, folder)
    listed = read_list(folder / "val.txt")
    for place in (2, 4, 5, 6, 7):
        path = listed.clips[place].path
        path.write_bytes(path.read_bytes()[:500])
    return listed


def batches(data: ClipData, name: str) -> list[Batch]:
    loader = getattr(data, f"{name}_dataloader")()
    return [data.on_before_batch_transfer(batch, 0) for batch in loader]


@pytest.mark.parametrize("source", ["plain", "everything random"])
def test_a_batch_does_not_depend_on_how_many_processes_make_it(
    config: TrainConfig, train_list: ClipList, source: str
) -> None:
    augment: dict[str, Any] = {}
    if source == "everything random":
        augment = {
            "resized_crop": {},
            "color_jitter": {},
            "rand_augment": {},
            "random_erasing": {"probability": 1},
        }
    alone, helped = (
        batches(
            ClipData(changed(config, workers=workers, augment=augment), train=train_list), "train"
        )
        for workers in (0, 2)
    )
    assert len(alone) == len(helped) == 3
    for one, two in zip(alone, helped, strict=True):
        assert torch.equal(one["video"], two["video"])
        assert torch.equal(one["target"], two["target"])
        assert one["video"].dtype == torch.uint8


def test_several_views_of_a_clip_lie_side_by_side(
    config: TrainConfig, train_list: ClipList
) -> None:
    data = ClipData(changed(config, sampling={"num_views": 3}), train=train_list)
    batch = batches(data, "train")[0]
    assert batch["video"].shape == (4, 3, 3, 4, 32, 32)
    assert batch["target"].shape == (4, 3)
    assert not torch.equal(batch["video"][:, 0], batch["video"][:, 1])


def test_a_clip_that_does_not_decode_is_an_error_unless_it_may_be_skipped(
    config: TrainConfig, broken: ClipList
) -> None:
    with pytest.raises(MediaError, match=r"\.mp4"):
        batches(ClipData(config, val=broken), "val")


@pytest.mark.parametrize("workers", [0, 2])
def test_a_skipped_clip_is_left_out_of_its_batch_and_counted(
    config: TrainConfig, broken: ClipList, workers: int
) -> None:
    data = ClipData(changed(config, on_bad_clip="skip", workers=workers), val=broken)
    first, second = batches(data, "val")
    assert first["index"].tolist() == [0, 1, 3]
    assert first["video"].shape[0] == first["target"].shape[0] == 3
    # Of the second batch nothing decodes: it has no clips, and the shapes of every other.
    assert second["index"].tolist() == []
    assert second["video"].shape == (0, *first["video"].shape[1:])
    assert second["target"].shape == (0, 3)
    assert second["video"].dtype == torch.uint8
    assert set(data.faults) == {str(broken.clips[place].path) for place in (2, 4, 5, 6, 7)}
    assert "faults" not in first


def test_what_leaves_clips_out_before_training_leaves_none_to_skip(
    config: TrainConfig, broken: ClipList
) -> None:
    kept = check_clips(broken).kept(broken)
    data = ClipData(changed(config, on_bad_clip="skip"), val=kept)
    assert [batch["index"].tolist() for batch in batches(data, "val")] == [[0, 1, 2]]
    assert data.faults == {}


def test_dense_sampling_that_exceeds_the_clips_is_said_once_with_what_is_done(
    config: TrainConfig, train_list: ClipList
) -> None:
    clips = check_clips(train_list).timelines
    dense = {"mode": "dense", "interval": 3}
    line = sampling_warning(changed(config, sampling=dense).data, clips)
    assert line == (
        "12 of 12 clips are too short for data.sampling: 4 frames at this interval take 0.50 s, "
        "and the shortest clip has 0.40 s: these clips are sampled uniformly instead"
    )
    assert sampling_warning(changed(config, sampling=dense | {"interval": 2}).data, clips) is None
    assert sampling_warning(config.data, clips) is None


def test_an_interval_is_in_frames_or_in_seconds(config: TrainConfig) -> None:
    dense = {"mode": "dense", "interval_seconds": 0.4}
    sampling = sampling_of(changed(config, sampling=dense).data)
    assert sampling.dense is not None
    assert (sampling.dense.interval, sampling.dense.seconds) == (0.4, True)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ({"sampling": {"mode": "dense"}}, "set interval or interval_seconds"),
        (
            {"sampling": {"mode": "dense", "interval": 2, "interval_seconds": 0.1}},
            "set interval or interval_seconds",
        ),
        ({"sampling": {"interval": 2}}, "set mode to dense"),
        ({"augment": {"resized_crop": {}, "crop": "centre"}}, "replaces crop: set only one"),
        ({"augment": {"resized_crop": {"scale": [0.5, 1.5]}}}, "at most 1"),
        ({"augment": {"resized_crop": {"ratio": [2, 1]}}}, "ascending"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(
    config: TrainConfig, data: dict[str, Any], says: str
) -> None:
    with pytest.raises(ValidationError, match=says):
        changed(config, **data)


def test_nothing_is_recoloured_unless_it_is_asked_for(config: TrainConfig) -> None:
    plain = augmentation_of(config.data)
    assert plain.recolour == ()
    assert plain.resized_crop is None
    said = {"color_jitter": {}, "rand_augment": {}, "random_erasing": {}}
    steps = augmentation_of(changed(config, augment=said).data).recolour
    assert [type(step).__name__ for step in steps] == [
        "ColorJitter",
        "RandAugment",
        "RandomErasing",
    ]


def with_cores(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: set(range(count)), raising=False)


def test_one_core_is_left_to_each_training_process(monkeypatch: pytest.MonkeyPatch) -> None:
    with_cores(monkeypatch, 1)
    assert num_workers(None) == 0
    with_cores(monkeypatch, 4)
    assert num_workers(None) == 3
    assert num_workers(None, processes=2) == 1
    with_cores(monkeypatch, 64)
    assert num_workers(None) == 8
    assert num_workers(0) == 0


def test_loading_takes_no_more_than_half_of_the_memory(
    config: TrainConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_cores(monkeypatch, 9)
    chosen = changed(config, workers=None, batch_size=64, size=224, sampling={"clip_len": 32})
    rich = plan_loading(chosen, PLENTY)
    assert (rich.workers, rich.prefetch, rich.fits) == (8, 2, True)
    last = rich
    for gigabytes in (40, 20, 8, 4):
        plan = plan_loading(chosen, Memory(gigabytes * 1e9, 1e12))
        assert plan.fits
        assert plan.needed.whole <= gigabytes * 1e9 / 2
        assert (plan.workers, plan.prefetch) <= (last.workers, last.prefetch)
        last = plan
    assert (last.workers, last.prefetch) == (0, 1)


def test_batches_have_room_in_the_memory_that_processes_share(
    config: TrainConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_cores(monkeypatch, 9)
    chosen = changed(config, workers=None, batch_size=8, size=224)
    plan = plan_loading(chosen, Memory(1e12, 64e6))  # what containers get by default
    assert plan.needed.shared <= 64e6
    assert (plan.workers, plan.prefetch) == (3, 1)


def test_what_the_settings_say_is_done_and_doubted(
    config: TrainConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = changed(config, workers=6, prefetch=4, size=224)
    monkeypatch.setattr("dogclips.training.loading_plan.memory_left", lambda: Memory(1e9, 1e9))
    plan = plan_loading(said)
    assert (plan.workers, plan.prefetch, plan.fits) == (6, 4, False)
    assert "6 processes, 4 batches ahead each, PyAV" in loading_line(said)
    assert "of 1.0 GB, which may not suffice: lower data.workers" in loading_line(said)
    assert "in the training process, PyAV" in loading_line(config)


def test_torchcodec_is_named_where_it_decodes(config: TrainConfig) -> None:
    assert ", TorchCodec, " in loading_line(changed(config, decoder="torchcodec"))
    assert ", PyAV, " in loading_line(changed(config, decoder="auto"))


@pytest.mark.parametrize(
    ("files", "left"),
    [
        pytest.param({"memory.max": "max", "memory.current": "5"}, [], id="no limit"),
        pytest.param(
            {"memory.max": "900", "memory.current": "500", "memory.stat": "inactive_file 100\n"},
            [500],
            id="version 2",
        ),
        pytest.param(
            {
                "memory/memory.limit_in_bytes": "900",
                "memory/memory.usage_in_bytes": "1000",
                "memory/memory.stat": "inactive_file 0\n",
            },
            [0],
            id="version 1, used up",
        ),
    ],
)
def test_the_memory_limit_of_a_container_counts(
    tmp_path: Path, files: dict[str, str], left: list[int]
) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    assert list(_cgroup_bytes(tmp_path)) == left


def test_this_machine_has_some_memory_left() -> None:
    assert 0 < memory_left().whole < np.inf
