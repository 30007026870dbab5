import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from dogclips import train
from dogclips.cli.test import test as command
from dogclips.errors import ConfigError, ListError
from dogclips.lists import ListedClip, write_labels, write_list
from dogclips.records.predictions import read_clip_predictions
from dogclips.training import TrainConfig
from tests.cli.program import dogclips
from tests.painted import write_clip

pytestmark = pytest.mark.training

LABELS = ("bright", "never")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a list of six clips and a run of one epoch on it."""
    folder = tmp_path_factory.mktemp("tested")
    clips = []
    for number in range(6):

        def paint(frame: int, pixels: NDArray[np.uint8], bright: int = number % 2) -> None:
            pixels[:] = 50 + 150 * bright + frame

        path = write_clip(folder / f"{number}.mp4", 8, paint=paint, size=(32, 32))
        clips.append(ListedClip(path, (0,) if number % 2 else ()))
    write_labels(folder / "labels.txt", LABELS)
    write_list(folder / "clips.txt", clips)
    listed = folder / "clips.txt"
    tree = {
        "model": {"name": "timesformer", "patch_size": 16, "dim": 16, "depth": 1, "heads": 2},
        "data": {
            "train": listed,
            "val": listed,
            "sampling": {"clip_len": 4},
            "size": 32,
            "batch_size": 2,
            "workers": 0,
        },
        "trainer": {"epochs": 1},
    }
    train(folder / "run", TrainConfig.model_validate(tree))
    return folder


def test_the_program_prints_one_document_and_writes_what_was_asked_for(
    folder: Path, tmp_path: Path
) -> None:
    output, plots = tmp_path / "test.parquet", tmp_path / "plots"
    done = dogclips(
        *("test", folder / "run", "--list", folder / "clips.txt", "--views", 2, "--json"),
        *("--output", output, "--plots", plots),
    )
    assert (done.returncode, done.stderr) == (0, "")
    document = json.loads(done.stdout)
    assert document["version"] == 1
    assert document["checkpoint"] == str(folder / "run" / "checkpoints" / "best.ckpt")
    assert document["list"] == str(folder / "clips.txt")
    assert document["skipped"] == []
    assert [one["label"] for one in document["classes"]] == list(LABELS)
    assert document["tasks"][0]["mean_ap"] == document["mean_ap"]
    assert document["protocol"].startswith("2 views x 1 crop, 4 frames")
    table = read_clip_predictions(output)
    assert table.attrs["protocol"] == document["protocol"]
    assert len(table) == 6 * 2
    assert {path.stem for path in plots.iterdir()} == (
        {"average_precision", "precision_recall", "calibration", "confusion"}
    )


def test_the_table_says_by_which_protocol(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command(folder / "run", folder / "clips.txt", crops=3)
    said = capsys.readouterr()
    assert said.err == ""
    lines = said.out.splitlines()
    assert "6 clips; 1 view x 3 crops, 4 frames uniform over the clip, 32 px, sigmoid" in said.out
    assert any(line.split()[:2] == ["bright", "3"] for line in lines)
    assert max(len(line.rstrip()) for line in lines if "0." in line[10:40]) <= 100


def test_what_cannot_be_tested_writes_nothing(folder: Path, tmp_path: Path) -> None:
    output, plots = tmp_path / "test.parquet", tmp_path / "plots"
    with pytest.raises(ConfigError, match=r"evaluation\.crops"):
        command(folder / "run", folder / "clips.txt", crops=2, output=output, plots=plots)
    with pytest.raises(ListError, match=r"none\.txt"):
        command(folder / "run", folder / "none.txt", output=output, plots=plots)
    assert list(tmp_path.iterdir()) == []
