"""What a run keeps, when it ends, and what it says of itself."""

import hashlib
import json
import shutil
from itertools import pairwise
from pathlib import Path

import pandas as pd
import pytest
import torch

import dogclips
from dogclips import train
from dogclips.errors import CheckpointError, ListError, MediaError
from dogclips.lists import read_list
from dogclips.records.manifest import manifest_table, write_manifest
from dogclips.records.predictions import read_clip_predictions
from dogclips.records.run_start import LEARNED, RunStart
from dogclips.records.training_run import EpochRecord
from dogclips.reports.tables.train import start_lines
from dogclips.steps.train import TrainedRun
from dogclips.training import TrainConfig
from dogclips.training.callbacks import checkpoint_name, epochs_without_gain
from tests.training.runs import changed, copied, keeping_starts

pytestmark = pytest.mark.training


@pytest.fixture(scope="module")
def run(config: TrainConfig, tmp_path_factory: pytest.TempPathFactory) -> TrainedRun:
    keeping = changed(config, trainer={"keep": 2, "epochs": 5})
    return train(tmp_path_factory.mktemp("kept") / "run", keeping)


def test_the_best_epochs_are_kept_under_names_that_say_how_good_they_are(run: TrainedRun) -> None:
    ordered = sorted(run.records, key=lambda one: (-(one.val_map or 0), one.val_loss))
    named = {Path(checkpoint_name(record)).name for record in ordered[:2]}
    assert {file.name for file in (run.run_dir / "checkpoints").iterdir()} == {
        "best.ckpt",
        "last.ckpt",
        *named,
    }
    held = [
        torch.load(run.run_dir / name, weights_only=True)["state_dict"]
        for name in ("checkpoints/best.ckpt", checkpoint_name(run.best))
    ]
    assert all(torch.equal(held[0][name], held[1][name]) for name in held[0])


def test_a_run_folder_describes_itself(run: TrainedRun, clips_dir: Path) -> None:
    facts = json.loads((run.run_dir / "run.json").read_text())
    assert facts["labels"] == ["red", "green", "never"]
    assert facts["lists"]["train"] == {
        "path": str(clips_dir / "train.txt"),
        "sha256": hashlib.sha256((clips_dir / "train.txt").read_bytes()).hexdigest(),
        "clips": 12,
    }
    assert facts["input"] == {"clip_len": 4, "size": 32, "mean": [0.45] * 3, "std": [0.225] * 3}
    assert facts["protocol"] == run.report.protocol
    assert facts["versions"].keys() >= {"dogclips", "python", "torch", "av"}
    assert facts["versions"]["torch"] == torch.__version__
    assert facts["machine"]["devices"] == 1
    assert facts["seed"] == 0
    assert (facts["skipped"], facts["weights"]) == ([], None)
    assert facts["parameters"]["all"] == facts["parameters"]["trained"] > 20_000


def test_the_predictions_of_a_run_are_those_of_its_best_epoch(
    run: TrainedRun, clips_dir: Path
) -> None:
    kept = read_clip_predictions(run.run_dir / "predictions.parquet")
    tested = dogclips.test(run.run_dir, clips_dir / "val.txt").predictions
    pd.testing.assert_frame_equal(kept, tested, check_exact=False, rtol=1e-4)


def test_a_test_needs_nothing_but_the_run_folder(run: TrainedRun, clips_dir: Path) -> None:
    assert dogclips.test(run.run_dir, clips_dir / "val.txt").report == run.report


def record(epoch: int, score: float | None, loss: float = 0.5) -> EpochRecord:
    return EpochRecord(epoch, 1e-3, 0.5, loss, score, 1.0, 1.0, best=False)


def test_epochs_without_a_gain_are_counted_from_the_last_that_brought_more_than_the_least() -> None:
    scores = [0.5, 0.6, 0.605, 0.6, 0.61]
    records = [record(number, score) for number, score in enumerate(scores, start=1)]
    assert epochs_without_gain(records, 0.0) == 0
    assert epochs_without_gain(records[:4], 0.0) == 1
    assert epochs_without_gain(records, 0.02) == 3
    assert epochs_without_gain([], 0.0) == 0
    unscored = [record(1, None, 0.5), record(2, None, 0.4), record(3, None, 0.45)]
    assert epochs_without_gain(unscored, 0.0) == 1


def test_a_run_without_gains_ends_early_and_stays_ended(
    config: TrainConfig, tmp_path: Path
) -> None:
    still = changed(
        config, optimizer={"lr": 1e-12}, trainer={"epochs": 9, "early_stop": {"patience": 2}}
    )
    assert len(train(tmp_path, still).records) == 3
    assert len(train(tmp_path, still, resume=True).records) == 3


def test_a_few_clips_are_learned_by_heart_and_then_it_ends(
    config: TrainConfig, tmp_path: Path
) -> None:
    quick = changed(
        config,
        model={"drop_path": 0.0},
        optimizer={"lr": 2e-2},
        data={"augment": {"mixup": 0.8}, "val": None},
        trainer={"overfit": 8, "epochs": 80},
    )
    started: list[RunStart] = []
    run = train(tmp_path, quick, progress=keeping_starts(started))
    assert run.report.num_clips == 8
    assert run.report.loss < LEARNED
    assert run.records[-1].train_loss < 2 * LEARNED
    assert len(run.records) < 80
    assert (started[0].num_train, started[0].num_val) == (8, 8)


def test_a_rehearsal_trains_a_batch_and_writes_nothing(
    config: TrainConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    dogclips.rehearse(changed(config, trainer={"ema": 0.9}))
    assert list(tmp_path.iterdir()) == []


def test_clips_that_do_not_decode_are_left_out_if_wanted_and_listed(
    config: TrainConfig, clips_dir: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "clips"
    shutil.copytree(clips_dir, broken)
    for name in ("5.mp4", "13.mp4"):
        (broken / name).write_bytes((broken / name).read_bytes()[:500])
    data = {"train": broken / "train.txt", "val": broken / "val.txt", "on_bad_clip": "skip"}
    skipping = changed(config, data=data, trainer={"epochs": 1})
    for check in ("fast", "none"):
        started: list[RunStart] = []
        run = train(tmp_path / check, skipping, check=check, progress=keeping_starts(started))
        assert sorted(Path(path).name for path, _ in run.skipped) == ["13.mp4", "5.mp4"]
        assert run.report.num_clips == 7
        facts = json.loads((tmp_path / check / "run.json").read_text())
        assert [Path(row["path"]).name for row in facts["skipped"]] == [
            Path(path).name for path, _ in run.skipped
        ]
        kept = read_clip_predictions(tmp_path / check / "predictions.parquet")
        listed = read_list(broken / "val.txt").clips
        assert list(kept["clip"].unique()) == [
            str(clip.path) for clip in listed if clip.path.name != "13.mp4"
        ]
        before = [line for line in start_lines(started[0]) if line.startswith("skipped")]
        assert len(before) == (2 if check == "fast" else 0)
    strict = changed(skipping, data={"on_bad_clip": "error"})
    with pytest.raises(MediaError, match=r"5\.mp4"):
        train(tmp_path / "strict", strict)
    assert not (tmp_path / "strict").exists()


def test_clips_of_unwanted_verdicts_are_left_out_and_listed(
    config: TrainConfig, clips_dir: Path, tmp_path: Path
) -> None:
    judged = tmp_path / "clips"
    shutil.copytree(clips_dir, judged)
    verdicts = {f"{number}.mp4": "confirmed" for number in range(20)}
    verdicts |= {"5.mp4": "contradicted", "13.mp4": "contradicted", "14.mp4": "still"}
    rows = [{"clip": clip, "verdict": own, "status": "cut"} for clip, own in verdicts.items()]
    write_manifest(manifest_table(rows), judged)
    data = {"train": judged / "train.txt", "val": judged / "val.txt"}
    once = changed(config, data=data, trainer={"epochs": 1})
    run = train(tmp_path / "run", once)
    assert [(Path(path).name, reason) for path, reason in run.skipped] == [
        ("5.mp4", "its verdict is contradicted"),
        ("13.mp4", "its verdict is contradicted"),
    ]
    assert run.report.num_clips == 7
    facts = json.loads((tmp_path / "run" / "run.json").read_text())
    assert [row["reason"] for row in facts["skipped"]] == ["its verdict is contradicted"] * 2
    still = changed(once, data={"verdicts": ["still"]})
    with pytest.raises(ListError, match="no clip is left"):
        train(tmp_path / "none", still)


def test_an_optimizer_state_of_another_optimizer_is_refused(
    config: TrainConfig, trained_once: TrainedRun, tmp_path: Path
) -> None:
    copied(trained_once, tmp_path)
    other = changed(config, optimizer={"name": "sgd", "lr": 0.05})
    with pytest.raises(
        CheckpointError, match=r"optimizer\.name cannot change.*last\.ckpt"
    ) as caught:
        train(tmp_path, other, resume=True)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("missing", ["exp_avg", "param_groups"])
def test_an_optimizer_state_without_the_expected_keys_is_refused_on_resume_only(
    config: TrainConfig, trained_once: TrainedRun, tmp_path: Path, missing: str
) -> None:
    once = changed(config, trainer={"epochs": 1})
    copied(trained_once, tmp_path / "run")
    last = tmp_path / "run/checkpoints/last.ckpt"
    held = torch.load(last, weights_only=True)
    state = held["optimizer_states"][0]
    if missing == "param_groups":
        del state["param_groups"]
    else:
        for own in state["state"].values():
            del own[missing]
    torch.save(held, last)
    with pytest.raises(CheckpointError, match=r"state of the optimizer"):
        train(tmp_path / "run", config, resume=True)
    begun = train(tmp_path / "new", once, weights=last)
    assert begun.weights is not None
    assert begun.weights.share == 1.0


def test_a_range_test_finds_where_the_loss_falls_and_keeps_nothing(
    config: TrainConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    alone = changed(config, data={"val": None}, trainer={"accumulate": 2})
    points = dogclips.lr_find(alone, low=1e-5, high=10.0, steps=12).points
    rates = [point.lr for point in points]
    assert rates == sorted(rates)
    assert rates[0] == 1e-5
    assert rates[-1] <= 10.0 * (1 + 1e-9)
    assert len({round(after / before, 6) for before, after in pairwise(rates)}) == 1
    assert list(tmp_path.iterdir()) == []
