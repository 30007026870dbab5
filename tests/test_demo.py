"""The whole chain on recordings with known truth, and proof that the models learned honestly."""

import json
import os
import random
import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd
import pytest

from docs.check_examples import DOCS, blocks_of, run_block
from dogclips import train
from dogclips.lists import ListedClip, read_list, write_list
from dogclips.records.manifest import read_manifest
from dogclips.records.training_run import TestReport
from dogclips.steps import test as testing
from tests.cli.program import dogclips
from tests.doc_worlds import in_process
from tests.videos import numbers_in

pytestmark = [pytest.mark.training, pytest.mark.timeout(900)]

# One of the two by turns, for time; `make demo` trains both.
MODEL = ("slowfast", "timesformer")[int(os.environ["DOGCLIPS_SEED"]) % 2]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Run `dogclips demo` with one of its models and return its folder and what it printed."""
    folder = tmp_path_factory.mktemp("demo")
    shown = dogclips("demo", folder, "--model", MODEL)
    assert shown.returncode == 0, shown.stderr
    return folder, shown.stdout


@pytest.fixture(scope="module")
def manifest(demo: tuple[Path, str]) -> pd.DataFrame:
    found = read_manifest(demo[0] / "Feb" / "2_2_demo" / "output")
    assert found is not None
    return found


def test_the_model_learns_the_behaviours(demo: tuple[Path, str]) -> None:
    scores = dict(re.findall(r"^(\w+): held-out mAP (\d\.\d+)", demo[1], re.MULTILINE))

    assert set(scores) == {MODEL}
    assert float(scores[MODEL]) >= 0.95


def test_every_painted_number_of_a_clip_is_the_planned_one(
    demo: tuple[Path, str], manifest: pd.DataFrame
) -> None:
    output = demo[0] / "Feb" / "2_2_demo" / "output"
    cut = manifest[manifest["status"] == "cut"]
    assert len(cut) > 1000
    # Reading numbers takes longer than cutting did: an eighth of the clips, drawn anew each time.
    cut = cut.sample(len(cut) // 8, random_state=int(os.environ["DOGCLIPS_SEED"]) % 2**32)

    with ThreadPoolExecutor() as pool:
        shown = list(pool.map(numbers_in, [output / clip for clip in cut["clip"]]))

    for start_s, numbers in zip(cut["start_s"], shown, strict=True):
        assert numbers == list(range(round(start_s * 20), round(start_s * 20) + 80))


def test_only_windows_before_the_late_stream_or_past_the_end_are_skipped(
    manifest: pd.DataFrame,
) -> None:
    skipped = manifest[manifest["status"] == "skipped"]
    recordings = manifest["source"].nunique()

    assert set(skipped["reason"]) == {"before-target-start", "after-end"}
    assert (skipped["reason"] == "before-target-start").sum() == recordings
    assert (manifest["offset_s"] == 0.5).all()


def test_no_recording_is_in_two_splits(demo: tuple[Path, str]) -> None:
    record = json.loads((demo[0] / "split" / "split.json").read_text())

    assert all(len(splits) == 1 for splits in record["recordings"].values())


def test_predictions_on_held_out_recordings_agree_second_by_second(
    demo: tuple[Path, str], tmp_path: Path
) -> None:
    """The attention of the other model tells parts of windows apart less well than whole ones."""
    splits = json.loads((demo[0] / "split" / "split.json").read_text())["recordings"]
    videos = demo[0] / "Feb" / "2_2_demo" / "video"
    held_out = [videos / Path(name).name for name, own in splits.items() if "test" in own]

    shown = dogclips("predict", demo[0] / "runs" / MODEL, *held_out, "--out", tmp_path)

    assert shown.returncode == 0, shown.stderr
    scores = json.loads((tmp_path / "scores.json").read_text())["all"]
    assert len(held_out) == 7
    assert scores["seconds"]["mean_f1"] >= {"slowfast": 0.85, "timesformer": 0.7}[MODEL]
    for video in held_out:
        assert (tmp_path / "via" / f"{video.stem}.json").is_file()


def test_shuffled_labels_stay_near_chance(demo: tuple[Path, str], tmp_path: Path) -> None:
    lists = demo[0] / "split"
    train_list = read_list(lists / "train.txt")
    labels = [clip.labels for clip in train_list.clips]
    random.Random(0).shuffle(labels)  # noqa: S311 (no secret)
    clips = [ListedClip(clip.path, own) for clip, own in zip(train_list.clips, labels, strict=True)]

    report = trained_on(clips, lists, tmp_path)

    assert report.mean_ap is not None
    assert report.mean_ap < chance(report) + 0.1


def test_a_single_frame_does_not_tell_what_a_dog_does(
    demo: tuple[Path, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lists = demo[0] / "split"
    clips = read_list(lists / "train.txt").clips
    whole = json.loads((demo[0] / "runs" / MODEL / "metrics.json").read_text())["val"]["mean_ap"]

    report = trained_on(clips, lists, tmp_path, "data.sampling.clip_len=1", "model.alpha=1")

    seen = f"mAP of one frame {report.mean_ap:.3f}, of all {whole:.3f}; chance {chance(report):.3f}"
    with capsys.disabled():
        print(f"\n{seen}")  # noqa: T201 (for whoever reads the run)
    assert report.mean_ap is not None
    assert report.mean_ap < whole - 0.2


def test_the_tutorial_shows_what_the_program_prints(demo: tuple[Path, str], tmp_path: Path) -> None:
    there = tmp_path / "data" / "demo"
    (there / "runs").mkdir(parents=True)
    (there / "Feb").symlink_to(demo[0] / "Feb")
    (there / "runs" / "slowfast").symlink_to(demo[0] / "runs" / MODEL)
    blocks = [block for block in blocks_of(DOCS / "tutorial.md") if "slow" not in block.words]

    faults = [fault for block in blocks for fault in run_block(block, tmp_path, in_process)]

    assert len(blocks) >= 5
    assert not faults, "\n".join(faults)


def trained_on(
    clips: Sequence[ListedClip], lists: Path, folder: Path, *settings: str
) -> TestReport:
    """Train the small SlowFast on a third of the clips, for time; test it as the demo does."""
    (folder / "labels.txt").write_text((lists / "labels.txt").read_text())
    write_list(folder / "train.txt", clips[::3])
    write_list(folder / "val.txt", read_list(lists / "val.txt").clips[::3])
    named = [f"data.{name}={folder}/{name}.txt" for name in ("train", "val")]
    named.append("trainer.epochs=3")
    train(folder / "run", ["slowfast_tiny", *named, *settings])
    return testing.test(folder / "run", lists / "test.txt").report


def chance(report: TestReport) -> float:
    """Return the mean AP of guesses: the mean share of clips that carry a label."""
    shares = [result.positives / report.num_clips for result in report.classes]
    return sum(shares) / len(shares)
