"""`dogclips browse` as a user meets it."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import Result
from PIL import Image
from typer.testing import CliRunner

from dogclips.cli.app import app
from dogclips.errors import UsageError
from dogclips.lists import ListedClip, read_list, write_labels, write_list
from dogclips.records.settings import write_settings
from dogclips.training import TrainConfig
from dogclips.training.data import ClipData
from tests.painted import write_clip
from tests.reports.tables.test_browse import places_of

LABELS = ("<b>walk</b>", "[red]=1+1[/red]")
SETTINGS: dict[str, Any] = {
    "model": {"name": "timesformer"},
    "data": {"sampling": {"clip_len": 4}, "size": 32, "batch_size": 2, "workers": 0},
}


def paint(number: int, pixels: np.ndarray) -> None:
    """Paint a picture of which no part looks like another."""
    height, width = pixels.shape[:2]
    pixels[:] = 3 * number
    pixels[..., 1] = np.linspace(0, 255, width)[None]
    pixels[..., 2] = np.linspace(0, 255, height)[:, None]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return four clips with their list and settings."""
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("browsed")
    clips = [
        ListedClip(write_clip(folder / f"{number}.mp4", 20, paint=paint), (number % 2,))
        for number in range(4)
    ]
    write_labels(folder / "labels.txt", LABELS)
    write_list(folder / "train.txt", clips)
    write_settings(TrainConfig.model_validate(SETTINGS), folder, "train.yaml")
    return folder


def browse(folder: Path, *arguments: object) -> Result:
    """Run the command; its errors are ours."""
    given = ["browse", folder / "train.txt", "--config", folder / "train.yaml", *arguments]
    done = CliRunner().invoke(app, [str(argument) for argument in given])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done


def test_the_sheet_holds_the_first_epoch_byte_by_byte(folder: Path, tmp_path: Path) -> None:
    done = browse(folder, "--draws", 1, "--out", tmp_path / "fed.png", "--json")

    assert done.exit_code == 0
    document = json.loads(done.stdout)
    assert [clip["labels"] for clip in document["clips"]] == [[LABELS[n % 2]] for n in range(4)]
    assert document["outputs"] == [str(tmp_path / "fed.png")]
    assert [len(view["times_s"]) for view in document["clips"][0]["views"]] == [4, 4]
    with Image.open(tmp_path / "fed.png") as image:
        sheet = np.asarray(image)
    config = TrainConfig.model_validate(SETTINGS)
    for batch in ClipData(config, train=read_list(folder / "train.txt")).train_dataloader():
        for frame in batch["video"].permute(0, 1, 3, 4, 5, 2).flatten(0, 2).numpy():
            assert places_of(frame.repeat(3, 0).repeat(3, 1), sheet)


def test_an_unreadable_clip_is_a_row_and_the_others_are_shown(folder: Path, tmp_path: Path) -> None:
    clips = [ListedClip(tmp_path / f"{number}.mp4", (0,)) for number in range(3)]
    for number, clip in enumerate(clips):
        data = (folder / "0.mp4").read_bytes()
        clip.path.write_bytes(data[:500] if number == 1 else data)
    write_labels(tmp_path / "labels.txt", LABELS)
    write_list(tmp_path / "train.txt", clips)
    write_settings(TrainConfig.model_validate(SETTINGS), tmp_path, "train.yaml")

    sheet = browse(tmp_path, "--out", tmp_path / "fed.png")
    each = browse(tmp_path, "--out", tmp_path / "each", "--json")

    assert (sheet.exit_code, each.exit_code) == (1, 1)
    assert LABELS[0] in sheet.stdout
    assert "unreadable" in sheet.stdout
    assert "Traceback" not in sheet.output
    assert (tmp_path / "fed.png").is_file()
    document = json.loads(each.stdout)
    assert [bool(clip["error"]) for clip in document["clips"]] == [False, True, False]
    assert sorted(path.name for path in (tmp_path / "each").iterdir()) == [
        "0.png",
        "2.png",
        "browse.yaml",
    ]


def test_videos_and_own_frames_are_written_for_each_clip(folder: Path, tmp_path: Path) -> None:
    done = browse(folder, "1", "3.mp4", "--mode", "original", "--video", "--out", tmp_path / "out")

    assert done.exit_code == 0
    assert done.stdout.splitlines()[-2:] == [str(tmp_path / f"out/{n}.mp4") for n in (1, 3)]
    own = "--label", LABELS[1], "--mode", "original", "--out", tmp_path / "own.png"
    assert browse(folder, *own).exit_code == 0
    with Image.open(tmp_path / "own.png") as image:
        assert image.width > 1000


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--out", "fed.jpg"), "cannot write .jpg"),
        (("--out", "fed.png", "--video"), "cannot write .png with --video"),
        (("1", "--clips", "3", "--out", "fed.png"), "clips are either named or drawn"),
        (("11", "--out", "fed.png"), "no clip '11'"),
        (("--label", "run", "--out", "fed.png"), "no label 'run'"),
    ],
)
def test_wrong_usage_is_refused_and_writes_nothing(
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    says: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=says):
        browse(folder, *arguments)
    assert list(tmp_path.iterdir()) == []


def test_a_clip_that_is_read_is_not_written_over(folder: Path) -> None:
    before = (folder / "1.mp4").read_bytes()
    for out in (folder / "1.mp4", folder):
        with pytest.raises(UsageError, match="this file is an input clip"):
            browse(folder, "--video", "--out", out)
    assert (folder / "1.mp4").read_bytes() == before
