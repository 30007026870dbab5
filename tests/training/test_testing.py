import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import torch
import typer

import dogclips
from dogclips import train
from dogclips.cli.report import report as report_command
from dogclips.lists import ClipList, ListedClip, read_list, write_labels, write_list
from dogclips.records.manifest import manifest_table, write_manifest
from dogclips.records.predictions import read_clip_predictions, write_clip_predictions
from dogclips.records.run_folder import read_run
from dogclips.scores.clip_scores import Predictions
from dogclips.steps.train import TrainedRun
from dogclips.training import TrainConfig
from dogclips.training.run import predictions_table
from tests.training.runs import changed
from tests.training.tiny import classifier, settings

pytestmark = pytest.mark.training


@pytest.fixture(scope="module")
def run(config: TrainConfig, tmp_path_factory: pytest.TempPathFactory) -> TrainedRun:
    """Return a run of one epoch that leaves out clips which do not decode."""
    short = changed(config, trainer={"epochs": 1}, data={"on_bad_clip": "skip"})
    return train(tmp_path_factory.mktemp("short") / "run", short)


def test_a_test_gives_the_same_numbers_whatever_chance_says(
    run: TrainedRun, clips_dir: Path
) -> None:
    found = []
    for seed in (0, 1):
        torch.manual_seed(seed)
        np.random.seed(seed)  # noqa: NPY002 (what a careless library would draw from)
        found.append(dogclips.test(run.run_dir, clips_dir / "val.txt", views=2))
    first, second = found
    pd.testing.assert_frame_equal(first.predictions, second.predictions, check_exact=True)
    assert first.report == second.report


def test_predictions_say_in_their_file_where_they_come_from(
    run: TrainedRun, clips_dir: Path, tmp_path: Path
) -> None:
    result = dogclips.test(run.run_dir, clips_dir / "val.txt", crops=3)
    write_clip_predictions(result.predictions, tmp_path / "test.parquet")

    said = json.loads(pq.read_metadata(tmp_path / "test.parquet").metadata[b"PANDAS_ATTRS"])
    assert said == {
        "protocol": "1 view x 3 crops, 4 frames uniform over the clip, 32 px, sigmoid averaged",
        "list": str(clips_dir / "val.txt"),
        "list_sha256": hashlib.sha256((clips_dir / "val.txt").read_bytes()).hexdigest(),
        "checkpoint": str(run.run_dir / "checkpoints" / "best.ckpt"),
    }
    again = read_clip_predictions(tmp_path / "test.parquet")
    pd.testing.assert_frame_equal(again, result.predictions)
    assert again.attrs == said


def test_a_clip_that_does_not_decode_is_named_and_has_no_scores(
    run: TrainedRun, clips_dir: Path, tmp_path: Path
) -> None:
    shutil.copytree(clips_dir, tmp_path, dirs_exist_ok=True)
    broken = read_list(tmp_path / "val.txt").clips[2].path
    broken.write_bytes(broken.read_bytes()[:500])

    result = dogclips.test(run.run_dir, tmp_path / "val.txt")

    (skipped,) = result.skipped
    assert skipped[0] == str(broken)
    assert "cannot be opened as video" in skipped[1]
    listed = [str(clip.path) for clip in read_list(tmp_path / "val.txt").clips]
    assert list(result.predictions["clip"].unique()) == listed[:2] + listed[3:]
    assert result.report.num_clips == len(listed) - 1
    whole = dogclips.test(run.run_dir, clips_dir / "val.txt").predictions
    kept = [name != broken.name for name in whole["clip"].map(lambda path: Path(path).name)]
    assert list(result.predictions["probability"]) == pytest.approx(whole["probability"][kept])


def test_predictions_know_recording_and_time_from_the_manifest(tmp_path: Path) -> None:
    output = tmp_path / "2_2_kt" / "output"
    names = ["p/20240202kt_020500_start0.0_0.mp4", "p/20240202kt_020500_start12.5_1.mp4"]
    rows = [
        {"clip": name, "source": "video/020500.mp4", "start_s": start, "end_s": start + 4}
        for name, start in zip(names, (0.0, 12.5), strict=True)
    ]
    write_manifest(manifest_table(rows), output)
    elsewhere = tmp_path / "other" / "yard_start3.0_0.mp4"
    paths = [elsewhere, *(output / name for name in names)]
    write_labels(tmp_path / "labels.txt", ["sit", "lie"])
    write_list(tmp_path / "list.txt", [ListedClip(path, (0,)) for path in paths])
    clips = ClipList(
        tmp_path / "list.txt", tuple(ListedClip(path, (0,)) for path in paths), ("sit", "lie")
    )
    target = np.array([[True, False]] * 2)
    module = classifier(settings(), clips.labels)
    module.predictions = Predictions(np.array([[0.9, 0.2], [0.6, 0.4]]), target, 1.0)
    module.scored = (0, 2)

    table = predictions_table(module, clips, [0.35, None], Path("best.ckpt"))

    expected = pd.DataFrame(
        {
            "clip": [str(elsewhere)] * 2 + [str(paths[2])] * 2,
            "recording": [str(tmp_path / "other" / "yard")] * 2
            + [f"{tmp_path}/2_2_kt/video/020500.mp4"] * 2,
            "start_s": [np.nan] * 2 + [12.5] * 2,
            "end_s": [np.nan] * 2 + [16.5] * 2,
            "label": ["sit", "lie"] * 2,
            "target": pd.array([True, False] * 2, dtype="boolean"),
            "probability": np.float32([0.9, 0.2, 0.6, 0.4]),
            "threshold": [0.35, np.nan] * 2,
        }
    )
    pd.testing.assert_frame_equal(table, expected)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        pytest.param(
            {"data": {"sampling": {"mode": "dense", "interval": 4}}},
            "4 frames 4 apart, or uniform over a shorter clip, 32 px, sigmoid averaged",
            id="dense in frames",
        ),
        pytest.param(
            {"data": {"sampling": {"mode": "dense", "interval_seconds": 0.25}, "fit": "stretch"}},
            "4 frames 0.25 s apart, or uniform over a shorter clip, 32 px stretched, sigmoid",
            id="dense in seconds, stretched",
        ),
        pytest.param(
            {"loss": {"name": "cross_entropy"}, "data": {"source": "recordings"}},
            "32 px of the recordings, softmax averaged",
            id="softmax, from recordings",
        ),
        pytest.param(
            {"loss": {"tasks": {"does": {"name": "cross_entropy"}}}},
            "sigmoid and softmax averaged",
            id="tasks of both kinds",
        ),
        pytest.param(
            {"loss": {"name": "cross_entropy"}, "evaluation": {"average": "logit"}},
            "32 px, logit averaged",
            id="logits",
        ),
    ],
)
def test_the_protocol_says_all_that_decides_a_score(
    config: TrainConfig, changes: dict[str, object], said: str
) -> None:
    assert said in changed(config, **changes).protocol
    same = changed(config, data={"decoder": "pyav", "workers": 1, "batch_size": 2})
    assert same.protocol == config.protocol


def test_the_page_of_runs_is_made_from_what_training_left(
    run: TrainedRun, clips_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    read = read_run(run.run_dir)
    assert read.report == run.report
    assert read.records == run.records
    assert list(read.clips.clips["clip"]) == [
        str(clip.path) for clip in read_list(clips_dir / "val.txt").clips
    ]
    (tmp_path / "unfinished").mkdir()
    shutil.copy(run.run_dir / "run.json", tmp_path / "unfinished")

    with pytest.raises(typer.Exit) as left:
        report_command([run.run_dir, tmp_path / "unfinished"], tmp_path / "page.html")

    assert left.value.exit_code == 1
    said = capsys.readouterr()
    assert said.err.startswith("error: no finished training here")
    assert said.out == f"{tmp_path / 'page.html'}: 1 training\n"
    page = (tmp_path / "page.html").read_text()
    assert f'<th>red</th><td class="n">{run.report.classes[0].positives}</td>' in page
    assert page.count("data:image/jpeg") > 6
    assert "loss:" in page  # the settings
