from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from dogclips import train
from dogclips.lists import ListedClip, write_labels, write_list
from dogclips.steps.train import TrainedRun
from dogclips.training import TrainConfig
from tests.painted import write_clip
from tests.training.runs import changed

LABELS = ("red", "green", "never")


@pytest.fixture(scope="session")
def clips_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Clips that are red, green, both or neither, and two lists of them."""
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("coloured")
    clips = []
    for number in range(20):
        shown = tuple(label for label in (0, 1) if number >> label & 1)

        def paint(frame: int, pixels: NDArray[np.uint8], shown: tuple[int, ...] = shown) -> None:
            pixels[:] = 20 + 2 * frame
            for channel in shown:
                pixels[:, :, channel] = 200

        path = write_clip(folder / f"{number}.mp4", 8, paint=paint, size=(40, 32))
        clips.append(ListedClip(path, shown))
    write_labels(folder / "labels.txt", LABELS)
    write_list(folder / "train.txt", clips[:12])
    write_list(folder / "val.txt", clips[12:])
    return folder


@pytest.fixture(scope="session")
def config(clips_dir: Path) -> TrainConfig:
    """Return settings of a model that learns colours in a second."""
    return TrainConfig.model_validate(
        {
            "model": {
                "name": "timesformer",
                "patch_size": 16,
                "dim": 16,
                "depth": 2,
                "heads": 2,
            },
            "data": {
                "train": clips_dir / "train.txt",
                "val": clips_dir / "val.txt",
                "sampling": {"clip_len": 4},
                "size": 32,
                "batch_size": 4,
                "workers": 0,
            },
            "optimizer": {"lr": 5e-3},
            "trainer": {"epochs": 4},
        }
    )


@pytest.fixture(scope="session")
def trained(config: TrainConfig, tmp_path_factory: pytest.TempPathFactory) -> TrainedRun:
    """Return a finished run of `config`; do not change its folder."""
    return train(tmp_path_factory.mktemp("trained") / "run", config)


@pytest.fixture(scope="session")
def trained_once(config: TrainConfig, tmp_path_factory: pytest.TempPathFactory) -> TrainedRun:
    """Return a run of `config` that ends after one epoch; do not change its folder."""
    once = changed(config, trainer={"epochs": 1})
    return train(tmp_path_factory.mktemp("trained_once") / "run", once)
