"""`dogclips train` and `dogclips lr-find` as a user meets them."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dogclips import train
from dogclips.cli.app import app
from dogclips.errors import CheckpointError, DogclipsError, ListError, UsageError
from dogclips.lists import read_list, write_labels
from dogclips.records.settings import write_settings
from dogclips.reports.tables.train import epoch_line
from dogclips.training import TrainConfig
from tests.training.conftest import clips_dir, config  # noqa: F401 (fixtures)
from tests.training.runs import changed

pytestmark = pytest.mark.training


def dogclips(*arguments: object) -> str:
    """Return what a command prints; its errors are ours."""
    done = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == 0
    return done.stdout


@pytest.fixture(scope="module")
def settings(
    config: TrainConfig,  # noqa: F811
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    file = tmp_path_factory.mktemp("settings") / "train.yaml"
    write_settings(changed(config, trainer={"epochs": 1}), file.parent, file.name)
    return file


@pytest.fixture(scope="module")
def printed(settings: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Return the folder of a run, and what the command said."""
    out = tmp_path_factory.mktemp("printed") / "run"
    return out, dogclips("train", "--config", settings, "--out", out)


def test_a_run_says_what_it_has_decided_before_its_first_epoch(printed: tuple[Path, str]) -> None:
    lines = printed[1].splitlines()
    said = lines[: lines.index(epoch_line())]
    assert said[0].startswith("CPU") or "32-true" not in said[0]
    assert said[1] == "12 clips to train, 8 to validate; 4 a step"
    assert said[2].startswith("loading: in the training process, PyAV")
    assert any("parameters learn" in line for line in said)
    assert "\x1b" not in printed[1]
    assert lines[-1] == f"best epoch 1; results are in {printed[0]}"


def test_a_run_folder_has_its_plots(printed: tuple[Path, str]) -> None:
    plots = {file.name for file in (printed[0] / "plots").iterdir()}
    assert plots >= {"curves.svg", "precision_recall.svg", "confusion.svg"}


def test_a_run_goes_on_with_its_own_settings(printed: tuple[Path, str]) -> None:
    out = printed[0]
    said = dogclips("train", "--resume", "--out", out, "--set", "trainer.epochs=2")
    assert said.splitlines()[-1].endswith(f"results are in {out}")
    assert len((out / "metrics.csv").read_text().splitlines()) == 1 + 2


def test_a_rehearsal_needs_no_folder_and_writes_nothing(
    settings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    said = dogclips("train", "--config", settings, "--fast-dev-run")
    assert said.splitlines()[-1].endswith("nothing was written")
    assert list(tmp_path.iterdir()) == []


def test_a_set_up_that_does_not_learn_a_few_clips_is_named(settings: Path, tmp_path: Path) -> None:
    said = dogclips("train", "--config", settings, "--overfit", 4, "--out", tmp_path / "run")
    assert "did not overfit 4 clips" in said


def test_training_in_earnest_wants_a_folder(settings: Path) -> None:
    with pytest.raises(UsageError, match="--out"):
        dogclips("train", "--config", settings)


def test_the_range_test_prints_a_table_and_draws_a_plot(settings: Path, tmp_path: Path) -> None:
    plot = tmp_path / "lr.svg"
    said = dogclips("lr-find", "--config", settings, "--steps", 12, "--output", plot)
    assert "the loss falls" in said
    assert plot.read_bytes().startswith(b"<?xml")
    document = json.loads(
        dogclips("lr-find", "--config", settings, "--steps", 12, "--json", "--from", "1e-4")
    )
    assert document["points"][0]["lr"] == pytest.approx(1e-4)
    with pytest.raises(UsageError, match="do not rise"):
        dogclips("lr-find", "--config", settings, "--from", "1", "--to", "0.1")


@pytest.mark.parametrize(
    ("line", "says"),
    [
        pytest.param("my clip.mp4 0", "a path has no spaces", id="a space in the path"),
        pytest.param("0.mp4 3", r"3", id="a label too large"),
    ],
)
def test_a_wrong_list_is_refused_before_anything_is_written(
    settings: Path,
    clips_dir: Path,  # noqa: F811
    tmp_path: Path,
    line: str,
    says: str,
) -> None:
    (tmp_path / "0.mp4").write_bytes((clips_dir / "0.mp4").read_bytes())
    write_labels(tmp_path / "labels.txt", read_list(clips_dir / "train.txt").labels)
    (tmp_path / "train.txt").write_text(f"{line}\n")
    with pytest.raises(ListError, match=says) as caught:
        dogclips(
            "train",
            "--config",
            settings,
            "--train",
            tmp_path / "train.txt",
            "--out",
            tmp_path / "r",
        )
    assert "train.txt:1" in str(caught.value)
    assert not (tmp_path / "r").exists()


def test_a_truncated_checkpoint_is_named_with_its_size_wherever_it_is_used(
    printed: tuple[Path, str],
    settings: Path,
    config: TrainConfig,  # noqa: F811
    tmp_path: Path,
) -> None:
    whole = (printed[0] / "checkpoints/last.ckpt").read_bytes()
    (tmp_path / "run/checkpoints").mkdir(parents=True)
    cut = tmp_path / "run/checkpoints/last.ckpt"
    cut.write_bytes(whole[: len(whole) // 2])
    for arguments in (
        {"resume": True},
        {"weights": cut},
    ):
        folder = tmp_path / ("run" if "resume" in arguments else "new")
        with pytest.raises(CheckpointError, match=rf"incomplete.*{len(whole) // 2}") as caught:
            train(folder, config, **arguments)
        assert len(str(caught.value).splitlines()) == 1
        assert isinstance(caught.value, DogclipsError)
