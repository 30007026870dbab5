"""What earlier versions wrote is read by everything that reads folders; see `tests/folders`."""

import json
import os
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import dogclips as product
from dogclips.errors import ListError
from dogclips.lists import read_list
from dogclips.lists.exporting import ExportSettings, export_clips, with_splits
from dogclips.lists.kept import read_kept
from dogclips.lists.session_records import read_records
from dogclips.lists.sessions import read_clips
from dogclips.loading.excerpts import excerpts
from dogclips.loading.frames import frames_at
from dogclips.media.excerpt import Excerpt, FrameTimes
from dogclips.records.manifest import MANIFEST_COLUMNS, read_manifest
from dogclips.records.predictions import read_clip_predictions
from dogclips.records.run_folder import read_run
from tests.cli.program import dogclips

FOLDERS = Path(__file__).parent / "folders"
VERSIONS = sorted(path.name for path in FOLDERS.iterdir() if path.is_dir())
SESSIONS = {"2_2_kt": "grid", "2_3_kt": "timed", "2_4_kt": "resampled"}
_MADE_IN, _CHANGED_S = "/tmp/dogs", 1_704_067_200  # noqa: S108 (what the README says)
CUT = {
    "clip_seconds": 1,
    "stride_seconds": 1,
    "min_overlap_seconds": 0.5,
    "encoder.crf": 40,
}


@pytest.fixture(params=VERSIONS)
def dogs(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """Return a copy of the folders of a version, as if they had been made where they are."""
    root = tmp_path / "dogs"
    shutil.copytree(FOLDERS / request.param, root)
    for video in root.glob("*/video/*"):
        os.utime(video, (_CHANGED_S, _CHANGED_S))
    facts = root / "run" / "run.json"
    facts.write_text(facts.read_text().replace(_MADE_IN, str(root)))
    return root


def listed(base_dir: Path) -> list[Path]:
    return [clip.path for clip in read_list(base_dir / "output" / "dataset.txt").clips]


def all_times(times: FrameTimes) -> np.ndarray:
    return np.linspace(times.start_s, times.end_s, 41, endpoint=False)


def shown(excerpt: Excerpt) -> dict[int, np.ndarray]:
    """Return the pixels on screen at 41 instants."""
    return {
        instant: frame.pixels
        for frame in frames_at(excerpt, all_times)
        for instant in frame.positions.tolist()
    }


@pytest.mark.parametrize(("name", "timing"), SESSIONS.items())
def test_what_an_earlier_version_did_not_store_is_filled_in(
    dogs: Path, name: str, timing: str
) -> None:
    manifest = read_manifest(dogs / name / "output")
    assert manifest is not None
    assert list(manifest.columns) == list(MANIFEST_COLUMNS)
    cut = manifest[manifest["status"] == "cut"]
    assert set(cut["timing"]) == {timing}
    assert cut["container_start"].tolist() == [f"{start:g}" for start in cut["container_start_s"]]
    assert set(cut["rules"]) == {1}
    # 0.1.0 did not store it.
    assert not manifest["with_task"].fillna(False).any()


@pytest.mark.parametrize("name", SESSIONS)
def test_a_clip_of_an_earlier_version_and_its_recording_show_the_same(
    dogs: Path, name: str
) -> None:
    paths = listed(dogs / name)
    assert len(paths) >= 3
    for clip, virtual in zip(excerpts(paths, "clips"), excerpts(paths, "recordings"), strict=True):
        one, other = shown(clip), shown(virtual)
        assert one.keys() == other.keys() == set(range(41))
        for instant, pixels in one.items():  # the clip is encoded once more, at a low quality
            assert np.abs(pixels.astype(int) - other[instant]).mean() < 12


@pytest.mark.parametrize(
    "dogs", ["0.1.0"], indirect=True
)  # which did not store how clips are timed
@pytest.mark.parametrize("name", ["config.yaml", "probe.json"])
def test_a_session_without_what_was_measured_is_refused(dogs: Path, name: str) -> None:
    paths = listed(dogs / "2_2_kt")
    (dogs / "2_2_kt" / "output" / name).write_text(json.dumps({"files": [{}]}))
    with pytest.raises(ListError, match=r"probe\.json is missing or damaged"):
        excerpts(paths, "recordings")


def test_clips_of_an_earlier_version_are_reused_and_from_then_on_say_how_they_are_timed(
    dogs: Path,
) -> None:
    before = {path: path.stat().st_mtime_ns for path in dogs.rglob("output/0205/*.mp4")}
    plain = product.cut([dogs / "2_2_kt", dogs / "2_3_kt"], CUT, workers=1)
    slow = product.cut(dogs / "2_4_kt", CUT | {"frame_rate": 10}, workers=1)
    assert plain.ok
    assert set(plain.manifest["status"]) == {"reused", "skipped"}
    assert set(slow.manifest["status"]) == {"reused"}
    assert {path: path.stat().st_mtime_ns for path in before} == before
    for name, timing in SESSIONS.items():
        stored = pd.read_parquet(dogs / name / "output" / "manifest.parquet")
        reused = stored[stored["status"] == "reused"]
        assert set(reused["timing"]) == {timing}
        assert set(reused["rules"]) == {1}
        assert not reused["with_task"].any()


def measured(path: Path) -> str:
    """Return the text of `probe.json` without its sentences, which later versions word anew.

    Keys that they have added stand behind those of a stream, or of a file.
    """
    sentences = re.compile(r'("(?:text|reason)": )"(?:[^"\\]|\\.)*"')
    added = re.compile(r',\s+"(?:mirrored|interlaced|original)": (?:true|false|null)')
    found = added.sub("", sentences.sub(r'\1""', path.read_text()))
    assert '"text": ""' in found
    return found


def test_what_was_measured_is_written_as_an_earlier_version_wrote_it(
    dogs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(dogs)
    path = dogs / "2_2_kt" / "output" / "probe.json"
    before = measured(path)
    product.cut("2_2_kt", CUT, workers=1)
    assert measured(path) == before


def test_other_cutting_rules_cut_everything_again(
    dogs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dogclips.clips.rows.RULES", 2)
    again = product.cut(dogs / "2_3_kt", CUT, workers=1).manifest
    assert set(again["status"]) == {"cut", "skipped"}
    assert set(again.loc[again["status"] == "cut", "rules"]) == {2}


def test_shards_of_an_earlier_version_are_merged(dogs: Path) -> None:
    done = dogclips("merge", dogs / "2_5_kt")
    assert done.returncode == 0, done.stderr
    merged = read_manifest(dogs / "2_5_kt" / "output")
    assert merged is not None
    assert set(merged["timing"]) == {"grid"}
    assert len(excerpts(listed(dogs / "2_5_kt"), "recordings")) == 4


def test_clips_of_shards_of_an_earlier_version_are_reused(dogs: Path) -> None:
    assert set(product.cut(dogs / "2_5_kt", CUT, workers=1).manifest["status"]) == {"reused"}


def test_a_split_of_an_earlier_version_is_kept_and_its_clips_are_exported(dogs: Path) -> None:
    kept = read_kept(dogs / "split" / "split.json")
    clips, names = read_clips([dogs / "split"])
    assert names == kept.labels == ("sit", "walk", "sniff")
    assert set(kept.clips) == set(clips["path"])
    assert clips["sha256"].map(len).eq(64).all()
    assert set(clips["recording"]) == {f"{dogs}/{name}/video/020500.mp4" for name in SESSIONS}
    exported = export_clips(with_splits(clips), names, dogs / "csv", ExportSettings("csv"))
    assert {name: count.clips for name, count in exported.splits.items()} == {"train": 7, "val": 4}


def test_sessions_and_trainings_of_an_earlier_version_are_reported(dogs: Path) -> None:
    for folders in ([dogs / name for name in SESSIONS], [dogs / "run"]):
        result = product.report(folders, dogs / "page.html", clips_per_label=1)
        assert result.ok
        assert not result.warnings
    assert read_run(dogs / "run").report.num_clips == 4
    assert not read_records(dogs / "2_3_kt").missing


def test_recordings_are_predicted_by_a_training_of_an_earlier_version(dogs: Path) -> None:
    assert product.predict(dogs / "run", dogs / "2_3_kt", dogs / "again").ok
    before, now = (
        pd.read_parquet(dogs / name / "predictions.parquet") for name in ("predictions", "again")
    )
    assert now[["start_s", "label", "reason"]].equals(before[["start_s", "label", "reason"]])
    assert np.allclose(now["probability"], before["probability"], atol=1e-4, equal_nan=True)


@pytest.mark.parametrize("source", ["clips", "recordings"])
def test_models_are_trained_on_sessions_of_an_earlier_version_with_its_settings(
    dogs: Path, source: str
) -> None:
    lists = {name: dogs / "split" / f"{name}.txt" for name in ("train", "val")}
    changes = {"data.source": source, "trainer.epochs": 1}
    product.train(dogs / "new", [dogs / "run" / "config.yaml", changes], **lists)
    clips = read_clip_predictions(dogs / "new" / "predictions.parquet")["clip"]
    assert set(clips) == {str(clip.path) for clip in read_list(lists["val"]).clips}
