import csv
import errno
import json
import os
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
import yaml

import dogclips
from dogclips import train
from dogclips.cli.train import train as train_command
from dogclips.errors import (
    CheckpointError,
    ConfigError,
    ListError,
    MediaError,
    ModelError,
    OutputError,
)
from dogclips.events import Event, Progress
from dogclips.lists import ClipList, read_list, write_labels, write_list
from dogclips.records.predictions import CLIP_PREDICTION_COLUMNS
from dogclips.records.run_start import RunStart
from dogclips.records.settings import write_settings
from dogclips.records.training_run import EpochRecord
from dogclips.reports.tables.train import epoch_line
from dogclips.steps.train import TrainedRun
from dogclips.training import TrainConfig
from dogclips.training.run import build_module
from tests.models.foreign import filled, timesformer_of_mmaction2
from tests.training.runs import (
    SLOWFAST,
    changed,
    copied,
    csv_scores,
    keeping_starts,
    measured,
    weights_of,
)

pytestmark = pytest.mark.training

PLOTS = ("average_precision", "calibration", "confusion", "curves", "precision_recall")


@pytest.fixture(scope="module")
def run(config: TrainConfig, tmp_path_factory: pytest.TempPathFactory) -> TrainedRun:
    """Return one finished run that several tests look at."""
    longer = changed(config, trainer={"epochs": 8})
    return train(tmp_path_factory.mktemp("runs") / "run", longer)


def test_a_tiny_model_learns_colours_from_scratch(run: TrainedRun) -> None:
    assert run.best.val_map is not None
    assert run.best.val_map > 0.9
    assert run.records[-1].train_loss < run.records[0].train_loss


def test_a_run_folder_holds_what_was_promised(run: TrainedRun) -> None:
    files = {str(file.relative_to(run.run_dir)) for file in run.run_dir.rglob("*")}
    events = {file for file in files if "tfevents" in file}
    assert len(events) == 1
    assert files - events == {
        "config.yaml",
        "metrics.csv",
        "metrics.json",
        "predictions.parquet",
        "run.json",
        "checkpoints",
        "checkpoints/best.ckpt",
        "checkpoints/last.ckpt",
        "plots",
        *(f"plots/{name}.svg" for name in PLOTS),
        "tensorboard",
    }
    rows = list(csv.DictReader((run.run_dir / "metrics.csv").read_text().splitlines()))
    assert [int(row["epoch"]) for row in rows] == list(range(1, 9))
    summary = json.loads((run.run_dir / "metrics.json").read_text())
    assert summary["val"]["mean_ap"] == run.report.mean_ap
    config = yaml.safe_load((run.run_dir / "config.yaml").read_text())
    assert TrainConfig.model_validate(config).trainer.epochs == 8


def test_a_checkpoint_holds_plain_values_and_names_its_labels(run: TrainedRun) -> None:
    held = torch.load(run.run_dir / "checkpoints/best.ckpt", weights_only=True)
    metadata = held["dogclips"]
    assert metadata["labels"] == ["red", "green", "never"]
    assert metadata["input"] == {
        "clip_len": 4,
        "size": 32,
        "mean": [0.45] * 3,
        "std": [0.225] * 3,
    }
    assert "model.blocks.0.temporal_attn.qkv.weight" in held["state_dict"]


def test_the_test_of_the_validation_list_repeats_its_scores(
    run: TrainedRun, clips_dir: Path
) -> None:
    result = dogclips.test(run.run_dir, clips_dir / "val.txt")
    assert result.report.mean_ap == pytest.approx(run.report.mean_ap)
    assert result.report.loss == pytest.approx(run.report.loss)
    assert result.report.protocol == run.report.protocol
    assert result.report.protocol == (
        "1 view x 1 crop, 4 frames uniform over the clip, 32 px, sigmoid averaged"
    )
    assert result.report.without_positives == ("never",)
    assert result.checkpoint.name == "best.ckpt"
    thresholds = [found.threshold for found in result.report.classes]
    assert thresholds == [found.threshold for found in run.report.classes]
    assert [threshold is None for threshold in thresholds] == [False, False, True]


def test_predictions_come_one_row_a_clip_and_label_in_the_order_of_the_list(
    run: TrainedRun, clips_dir: Path
) -> None:
    predictions = dogclips.test(run.run_dir, clips_dir / "val.txt").predictions
    clips = read_list(clips_dir / "val.txt").clips
    assert list(predictions.columns) == list(CLIP_PREDICTION_COLUMNS)
    assert list(predictions["clip"].unique()) == [str(clip.path) for clip in clips]
    red = predictions[predictions["label"] == "red"]
    assert list(red["target"]) == [0 in clip.labels for clip in clips]
    assert predictions["probability"].between(0, 1).all()


def test_the_order_of_a_list_has_no_effect_on_a_test(run: TrainedRun, clips_dir: Path) -> None:
    clips = read_list(clips_dir / "val.txt").clips
    shuffled = clips_dir / "shuffled.txt"
    write_list(shuffled, [clips[i] for i in np.random.default_rng(0).permutation(len(clips))])
    results = [
        dogclips.test(run.run_dir, file, batch_size=3) for file in (clips_dir / "val.txt", shuffled)
    ]
    by_clip = [result.predictions.sort_values(["clip", "label"]) for result in results]
    pd.testing.assert_frame_equal(*(table.reset_index(drop=True) for table in by_clip))
    assert results[0].report.mean_ap == pytest.approx(results[1].report.mean_ap)


def test_loading_processes_change_nothing(run: TrainedRun, clips_dir: Path) -> None:
    alone, helped = (
        dogclips.test(run.run_dir, clips_dir / "val.txt", workers=workers).predictions
        for workers in (0, 1)
    )
    pd.testing.assert_frame_equal(alone, helped)


def test_several_views_are_averaged_as_probabilities(run: TrainedRun, clips_dir: Path) -> None:
    report = dogclips.test(run.run_dir, clips_dir / "val.txt", views=2, crops=3).report
    assert report.protocol.startswith("2 views x 3 crops")
    assert report.mean_ap is not None
    logits = dogclips.test(run.run_dir, clips_dir / "val.txt", average="logit")
    assert "logit averaged" in logits.report.protocol


def test_the_same_seed_trains_the_same_model(
    config: TrainConfig, trained: TrainedRun, tmp_path: Path
) -> None:
    again = train(tmp_path / "again", config).records
    assert measured(trained.records) == measured(again)
    other = train(tmp_path / "other", changed(config, seed=1)).records
    assert measured(trained.records) != measured(other)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({}, id="TimeSformer"),
        pytest.param({"model": SLOWFAST, "data": {"size": 32}}, id="SlowFast"),
        pytest.param({"trainer": {"ema": 0.9, "accumulate": 2}}, id="with averaged weights"),
        pytest.param({"optimizer": {"name": "sgd", "lr": 0.05}}, id="with SGD"),
    ],
)
def test_a_resumed_run_ends_as_an_unbroken_one(
    config: TrainConfig, trained: TrainedRun, tmp_path: Path, changes: dict[str, Any]
) -> None:
    config = changed(config, **changes)
    unbroken = train(tmp_path / "unbroken", config) if changes else trained

    with pytest.raises(KilledError):
        train(tmp_path / "broken", config, progress=interrupted_after(2))
    resumed = train(tmp_path / "broken", config, resume=True)

    assert measured(resumed.records) == measured(unbroken.records)
    assert csv_scores(resumed) == csv_scores(unbroken)
    weights = [weights_of(run) for run in (resumed, unbroken)]
    assert weights[0].keys() == weights[1].keys()
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])


def test_a_run_counts_only_batches_that_there_are(config: TrainConfig, tmp_path: Path) -> None:
    scaled = {"scale_lr": True, "base_batch": 12}
    gathering = changed(config, optimizer=scaled, trainer={"accumulate": 8, "epochs": 1})
    starts: list[RunStart] = []

    train(tmp_path / "run", gathering, progress=keeping_starts(starts))

    [start] = starts
    assert start.accumulate == 3  # twelve clips, four in a batch
    assert (start.learning.clips, start.learning.factor) == (12, 1)


def test_resuming_a_finished_run_trains_nothing_and_says_the_same(
    config: TrainConfig, trained: TrainedRun, tmp_path: Path
) -> None:
    second = train(copied(trained, tmp_path), config, resume=True)
    assert second.records == trained.records
    assert second.report == trained.report


def test_resuming_where_nothing_was_trained_starts_afresh(
    config: TrainConfig, tmp_path: Path
) -> None:
    assert len(train(tmp_path / "new", config, resume=True).records) == 4


def test_a_run_folder_is_not_overwritten(config: TrainConfig, run: TrainedRun) -> None:
    with pytest.raises(OutputError, match="--resume"):
        train(run.run_dir, config)


# Settings that the steps that are done have decided; the first is named.
DECIDED: dict[str, dict[str, Any]] = {
    "data.batch_size": {"data": {"batch_size": 2}},
    "trainer.accumulate": {"trainer": {"accumulate": 2}},
    "data.sampling.clip_len": {"data": {"sampling": {"clip_len": 2}}},
    "seed": {"seed": 7},
    "evaluation.views": {"evaluation": {"views": 2}},
    "loss.smoothing": {"loss": {"smoothing": 0.1}},
    "optimizer.name": {"optimizer": {"name": "sgd"}},
    "trainer.ema": {"trainer": {"ema": 0.9}},
    "freeze.batch_norm": {"freeze": {"batch_norm": True}},
}


@pytest.mark.parametrize("key", DECIDED)
def test_settings_that_cannot_take_effect_are_refused_by_name(
    config: TrainConfig, trained: TrainedRun, key: str
) -> None:
    with pytest.raises(
        CheckpointError, match=f"{key} cannot change in a run that goes on"
    ) as error:
        train(trained.run_dir, changed(config, **DECIDED[key]), resume=True)
    assert "--weights" in error.value.todo


def test_a_run_does_not_go_on_with_another_list(
    config: TrainConfig, trained: TrainedRun, clips_dir: Path, tmp_path: Path
) -> None:
    clips = read_list(clips_dir / "train.txt")
    write_list(tmp_path / "train.txt", clips.clips[:8])
    write_labels(tmp_path / "labels.txt", clips.labels)
    with pytest.raises(CheckpointError, match=r"data\.train does not hold what it held"):
        train(trained.run_dir, config, train=tmp_path / "train.txt", resume=True)


def test_a_run_with_fewer_epochs_than_are_done_is_refused_in_a_line(
    config: TrainConfig, trained: TrainedRun
) -> None:
    with pytest.raises(CheckpointError, match=r"has done 4 epochs, more than trainer\.epochs: 2"):
        train(trained.run_dir, changed(config, trainer={"epochs": 2}), resume=True)


def test_settings_that_can_take_effect_do_and_are_said(
    config: TrainConfig, trained: TrainedRun, tmp_path: Path
) -> None:
    starts: list[RunStart] = []
    still = {"lr": 1e-12, "weight_decay": 0.0}
    longer = changed(config, optimizer=still, trainer={"epochs": 6})
    folder = copied(trained, tmp_path)
    before = weights_of(trained)

    went_on = train(folder, longer, resume=True, progress=keeping_starts(starts))

    assert starts[0].changes == (
        "optimizer.lr 1e-12 (was 0.005)",
        f"optimizer.weight_decay 0.0 (was {config.optimizer.weight_decay})",
        "trainer.epochs 6 (was 4)",
    )
    assert went_on.records[:4] == trained.records
    # The cosine is planned again for six epochs: it is not at its end after four.
    assert [0 < record.lr < 1e-12 for record in went_on.records[4:]] == [True, False]
    after = weights_of(went_on)
    assert all(torch.allclose(before[name], after[name], atol=1e-8) for name in before)


def test_a_run_does_not_go_on_with_another_model(config: TrainConfig, run: TrainedRun) -> None:
    with pytest.raises(CheckpointError, match=r"model\.dim cannot change"):
        train(run.run_dir, changed(config, model={"dim": 32}), resume=True)


@pytest.mark.parametrize("workers", [0, 1], ids=["in the main process", "in a loading process"])
def test_a_broken_clip_stops_training_with_its_path(
    config: TrainConfig, clips_dir: Path, tmp_path: Path, workers: int
) -> None:
    broken = tmp_path / "clips"
    shutil.copytree(clips_dir, broken)
    (broken / "5.mp4").write_bytes((broken / "5.mp4").read_bytes()[:500])
    lists = {"train": broken / "train.txt", "workers": workers}
    with pytest.raises(MediaError, match=r"5\.mp4") as caught:
        train(tmp_path / "run", changed(config, data=lists))
    assert len(str(caught.value).splitlines()) == 1
    assert not (tmp_path / "run" / "metrics.json").exists()
    assert not (tmp_path / "run" / "checkpoints").exists()


def test_a_full_disk_stops_training_and_leaves_nothing_half_written(
    config: TrainConfig,
    trained_once: TrainedRun,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    copied(trained_once, tmp_path)
    before = (tmp_path / "checkpoints" / "last.ckpt").read_bytes()

    write = Path.write_bytes

    def full(path: Path, data: bytes) -> int:
        if ".ckpt" in path.name:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(path, data)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OutputError, match=r"No space left .*\.ckpt"):
        train(tmp_path, config, resume=True)
    assert (tmp_path / "checkpoints" / "last.ckpt").read_bytes() == before
    assert not list(tmp_path.rglob(".*.part"))


def test_validation_with_other_labels_is_refused(
    config: TrainConfig, clips_dir: Path, tmp_path: Path
) -> None:
    write_labels(tmp_path / "labels.txt", ["red", "green", "blue"])
    write_list(tmp_path / "val.txt", read_list(clips_dir / "val.txt").clips)
    with pytest.raises(ListError, match="blue, never"):
        train(tmp_path / "run", changed(config, data={"val": tmp_path / "val.txt"}))


def test_labels_in_another_order_are_refused_in_a_test(
    run: TrainedRun, clips_dir: Path, tmp_path: Path
) -> None:
    write_labels(tmp_path / "labels.txt", ["green", "red", "never"])
    write_list(tmp_path / "val.txt", read_list(clips_dir / "val.txt").clips)
    with pytest.raises(ListError, match="their order"):
        dogclips.test(run.run_dir, tmp_path / "val.txt")


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU trains in 16 bits")
@pytest.mark.parametrize("precision", ["bf16-mixed", "16-mixed"])
def test_gradients_that_a_cpu_gets_wrong_are_refused(
    config: TrainConfig, tmp_path: Path, precision: str
) -> None:
    wrong = changed(config, trainer={"precision": precision})
    with pytest.raises(ConfigError, match=rf"{precision} needs a GPU.*trainer\.precision"):
        train(tmp_path / "run", wrong)


def test_training_without_a_list_is_refused(config: TrainConfig, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"data\.val"):
        train(tmp_path, changed(config, data={"val": None}))


def test_a_training_that_diverges_stops_with_advice(config: TrainConfig, tmp_path: Path) -> None:
    wild = changed(
        config,
        optimizer={"name": "sgd", "lr": 1e30},
        trainer={"clip_gradient": None},
        schedule={"warmup_epochs": 0},
    )
    with pytest.raises(ModelError, match=r"lower optimizer\.lr"):
        train(tmp_path, wild)


def test_another_run_starts_from_the_weights_of_this_one(
    config: TrainConfig, run: TrainedRun, tmp_path: Path
) -> None:
    still = changed(config, optimizer={"lr": 1e-12}, trainer={"epochs": 1})
    best = run.run_dir / "checkpoints" / "best.ckpt"
    started = train(tmp_path, still, weights=best)
    assert started.weights is not None
    assert (started.weights.dropped, started.weights.fresh) == ((), ())
    assert started.report.mean_ap == pytest.approx(run.report.mean_ap)


# (labels of the new run, what becomes of the head, which rows it takes of ours)
HEADS = {
    "another order": (("never", "red", "green"), "rows of never, red, green", {1: 0, 2: 1, 0: 2}),
    "a new class": (("green", "blue", "red"), "rows of green, red; fresh: blue", {0: 1, 2: 0}),
    "more classes": (("blue", "grey", "red", "x"), "rows of red; fresh: blue, grey, x", {2: 0}),
    "other classes": (("sit", "lie", "run"), "other classes: ", {}),
}


@pytest.mark.parametrize(("labels", "why", "rows"), HEADS.values(), ids=HEADS)
def test_rows_of_a_head_belong_to_the_classes_of_their_names(
    config: TrainConfig,
    run: TrainedRun,
    labels: tuple[str, ...],
    why: str,
    rows: dict[int, int],
) -> None:
    best = run.run_dir / "checkpoints" / "best.ckpt"
    clips = ClipList(Path("train.txt"), (), labels)
    before = torch.load(best, weights_only=True)["state_dict"]["model.head.weight"]
    fresh, _ = build_module(config, clips, None)

    module, loaded = build_module(config, clips, best)

    assert loaded is not None
    notes = {note.name: note.why for note in (*loaded.made, *loaded.dropped)}
    assert set(notes) == {"head.weight", "head.bias"}
    assert all(note.startswith(why) for note in notes.values())
    head = module.model.get_parameter("head.weight")
    for row in range(len(labels)):
        expected = (
            before[rows[row]] if row in rows else fresh.model.get_parameter("head.weight")[row]
        )
        assert torch.equal(head[row], expected)


def test_a_head_without_names_is_never_taken(
    config: TrainConfig, run: TrainedRun, clips_dir: Path, tmp_path: Path
) -> None:
    held = torch.load(run.run_dir / "checkpoints/best.ckpt", weights_only=True)
    torch.save(held["state_dict"], tmp_path / "nameless.pth")

    _, loaded = build_module(config, read_list(clips_dir / "train.txt"), tmp_path / "nameless.pth")

    assert loaded is not None
    assert {note.why for note in loaded.dropped} == {"classes without names"}
    assert loaded.fresh == ("head.weight", "head.bias")


def test_weights_of_another_source_bring_their_normalisation_which_stays_with_the_run(
    config: TrainConfig, run: TrainedRun, clips_dir: Path, tmp_path: Path
) -> None:
    held = torch.load(run.run_dir / "checkpoints/best.ckpt", weights_only=True)
    said = {"mean": [0.1, 0.2, 0.3], "std": [0.4, 0.5, 0.6]}
    foreign = {"state_dict": held["state_dict"], "dogclips": {**held["dogclips"], "input": said}}
    torch.save(foreign, tmp_path / "foreign.ckpt")
    once = changed(config, optimizer={"lr": 1e-12}, trainer={"epochs": 1})
    begun: list[RunStart] = []

    started = train(
        tmp_path / "run",
        once,
        weights=tmp_path / "foreign.ckpt",
        progress=keeping_starts(begun),
    )
    went_on = train(tmp_path / "run", changed(once, trainer={"epochs": 2}), resume=True)

    assert [start.weights for start in begun] == [started.weights]
    assert started.weights is not None
    assert (started.weights.mean, started.weights.std) == ((0.1, 0.2, 0.3), (0.4, 0.5, 0.6))
    last = torch.load(tmp_path / "run/checkpoints/last.ckpt", weights_only=True)
    assert last["dogclips"]["input"] == {"clip_len": 4, "size": 32, **said}
    assert went_on.report.loss == pytest.approx(started.report.loss)
    tested = dogclips.test(tmp_path / "run", clips_dir / "val.txt")
    assert tested.report.loss == pytest.approx(started.report.loss)


def test_the_command_says_what_became_of_the_weights_before_it_trains(
    config: TrainConfig, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_settings(changed(config, trainer={"epochs": 1}), tmp_path, "train.yaml")
    held = timesformer_of_mmaction2(filled(config.model, 5, 8, 32).state_dict())
    torch.save(held, tmp_path / "mmaction2.pth")

    train_command(tmp_path / "run", [tmp_path / "train.yaml"], weights=tmp_path / "mmaction2.pth")

    lines = capsys.readouterr().out.splitlines()
    said = "\n".join(lines[: lines.index(epoch_line())])
    assert "mmaction2.pth: MMAction2 timesformer; 100.0 % of the parameters before the" in said
    assert "1 tensor resized (1x8x16 to 1x4x16): time_embed" in said
    assert "2 tensors dropped (classes without names): head.{weight,bias}" in said
    assert "2 tensors left at their initial value: head.{weight,bias}" in said
    assert "normalisation: mean 0.5 0.5 0.5, std 0.5 0.5 0.5 (from MMAction2's" in said


def test_lightning_says_nothing(
    config: TrainConfig, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    run = train(tmp_path, changed(config, trainer={"epochs": 1}))
    assert config.data.val is not None
    dogclips.test(run.run_dir, config.data.val)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        pytest.param(lambda data: data[: len(data) // 2], "incomplete", id="cut in half"),
        pytest.param(lambda _data: b"", "empty file", id="empty"),
        pytest.param(lambda _data: b"not a checkpoint", "a text", id="text"),
    ],
)
def test_a_damaged_checkpoint_is_named(
    run: TrainedRun, clips_dir: Path, tmp_path: Path, damage: Any, says: str
) -> None:
    path = tmp_path / "broken.ckpt"
    path.write_bytes(damage((run.run_dir / "checkpoints" / "best.ckpt").read_bytes()))
    with pytest.raises(CheckpointError, match=says) as caught:
        dogclips.test(path, clips_dir / "val.txt")
    assert "broken.ckpt" in str(caught.value)


class KilledError(Exception):
    """Stands for whatever kills a run between two epochs."""


def interrupted_after(epochs: int) -> Progress:
    def stop(event: Event) -> None:
        if isinstance(event, EpochRecord) and event.epoch == epochs:
            raise KilledError

    return stop


def test_a_report_is_plain_enough_for_json(run: TrainedRun) -> None:
    assert json.loads(json.dumps(asdict(run.report)))["num_clips"] == 8
