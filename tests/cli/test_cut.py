"""A session becomes clips, and every frame and label of them is the right one."""

import json
import re
import shutil
from fractions import Fraction
from pathlib import Path

import pandas as pd
import pytest
from filelock import FileLock

from dogclips.media.probe import probe_file
from dogclips.records.manifest import read_manifest
from tests.cli.program import dogclips
from tests.sessions import write_project, write_session
from tests.videos import Made, numbers_in, steady


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_session(tmp_path_factory.mktemp("recorded") / "2_2_kt")


@pytest.fixture
def session(recorded: Path, tmp_path: Path) -> Path:
    return shutil.copytree(recorded, tmp_path / "Feb" / recorded.name)


def manifest_of(session: Path) -> pd.DataFrame:
    manifest = read_manifest(session / "output")
    assert manifest is not None
    return manifest


def files_in(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != ".lock"
    }


def test_the_tree_is_that_of_the_contract(session: Path) -> None:
    shown = dogclips("cut", session, "--set", "name.year=2024", "--set", "stride_seconds=2")

    assert shown.returncode == 0
    assert sorted(files_in(session / "output")) == [
        "0205/20240202kt_020500_start2.0_0-1.mp4",
        "0205/20240202kt_020500_start4.0_1-2.mp4",
        "0205/20240202kt_020500_start6.0_1-2.mp4",
        "0205/dataset.txt",
        "config.yaml",
        "dataset.txt",
        "labels.txt",
        "manifest.csv",
        "manifest.parquet",
        "probe.json",
    ]
    assert (session / "output" / "labels.txt").read_text() == "sit\nwalk\nsniff\n"
    assert (session / "output" / "dataset.txt").read_text().splitlines() == [
        "0205/20240202kt_020500_start2.0_0-1.mp4 0 1",
        "0205/20240202kt_020500_start4.0_1-2.mp4 1 2",
        "0205/20240202kt_020500_start6.0_1-2.mp4 1 2",
    ]


def test_every_frame_is_the_one_that_the_annotator_saw(session: Path) -> None:
    dogclips("cut", session, "--set", "stride_seconds=1")

    manifest = manifest_of(session)
    cut = manifest[manifest["status"] == "cut"]
    assert len(cut) == 7
    for row in cut.to_dict("records"):
        first = round(row["start_s"] * 20)
        shown = numbers_in(session / "output" / row["clip"])
        assert shown == list(range(first, first + 80))
        assert (row["target_stream"], row["width"], row["num_frames"]) == (1, 256, 80)


def test_every_window_that_is_not_cut_has_its_reason(session: Path) -> None:
    dogclips("cut", session)

    manifest = manifest_of(session)
    assert manifest[["start_s", "status", "reason"]].to_numpy().tolist() == [
        [0.0, "skipped", "before-target-start"],
        [4.0, "cut", ""],
        [8.0, "skipped", "after-end"],
    ]


def test_a_dry_run_writes_nothing(session: Path) -> None:
    shown = dogclips("cut", session, "--dry-run", "--json")

    assert json.loads(shown.stdout)["planned"] == 1
    assert not (session / "output").exists()


def test_a_second_run_cuts_nothing_and_changes_nothing(session: Path) -> None:
    dogclips("cut", session)
    before = files_in(session / "output" / "0205")

    again = json.loads(dogclips("cut", session, "--json").stdout)

    assert (again["cut"], again["reused"]) == (0, 1)
    assert files_in(session / "output" / "0205") == before


def test_a_damaged_clip_and_changed_settings_are_cut_again(session: Path) -> None:
    dogclips("cut", session, "--set", "stride_seconds=2")
    clips = sorted((session / "output" / "0205").glob("*.mp4"))
    original = clips[0].read_bytes()
    clips[0].write_bytes(original[:-1] + b"x")

    mended = json.loads(dogclips("cut", session, "--set", "stride_seconds=2", "--json").stdout)
    assert (mended["cut"], mended["reused"]) == (1, 2)
    assert clips[0].read_bytes() == original

    changed = ["--set", "stride_seconds=2", "--set", "encoder.crf=30"]
    assert json.loads(dogclips("cut", session, *changed, "--json").stdout)["cut"] == 3


def test_only_one_run_writes_to_a_folder(session: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dogclips.clips.shards._WAIT_S", 0.05)
    (session / "output").mkdir()
    with FileLock(session / "output" / ".lock"):
        shown = dogclips("cut", session)

    assert shown.returncode == 1
    assert "another dogclips is writing" in shown.stderr


def test_an_untrusted_alignment_is_refused_unless_told_which_to_believe(tmp_path: Path) -> None:
    # Both claim to start at 0, but the larger one lacks its first ten frames.
    lying = steady(239), steady(229, first=10, width=256, height=144)
    session = write_session(tmp_path / "2_2_kt", streams=lying)

    refused = dogclips("cut", session, "--json")
    assert refused.returncode == 1
    [failure] = json.loads(refused.stdout)["failed"]
    assert "missing at the head, the tail or in between" in failure["reason"]
    assert not list((session / "output").rglob("*.mp4"))
    assert manifest_of(session)["reason"].tolist() == [failure["reason"]]

    assert dogclips("cut", session, "--set", "trust=frame-count").returncode == 0
    [clip] = (session / "output" / "0205").glob("*.mp4")
    assert numbers_in(clip) == list(range(80, 160))


def test_a_variable_rate_recording_keeps_its_frames_at_their_times(tmp_path: Path) -> None:
    times = {k: 50 * k + (k * k * 7) % 23 for k in range(200)}
    session = write_session(tmp_path / "1_1_x", streams=[Made(times, Fraction(1, 1000))])

    dogclips("cut", session)

    manifest = manifest_of(session)
    row = manifest[manifest["start_s"] == 4.0].iloc[0]
    clip = session / "output" / row["clip"]
    shown = numbers_in(clip)
    first = max(k for k, time in times.items() if time <= 4000)
    last = max(k for k, time in times.items() if time < 8000)
    assert shown == list(range(first, last + 1))
    stream = probe_file(clip).streams[0]
    at = [round(int(pts) * stream.time_base * 1000) for pts in stream.pts]
    assert at == [0, *(times[k] - 4000 for k in range(first + 1, last + 1))]


def test_a_recording_that_no_file_matches_is_a_row(session: Path) -> None:
    write_project(session, "0206", {"../../etc/passwd": [(0, 4, "0")]})

    shown = dogclips("cut", session, "--json")

    assert shown.returncode == 1
    [failure] = json.loads(shown.stdout)["failed"]
    assert "no recording is named 'passwd'" in failure["reason"]


def test_settings_for_an_annotation_file_that_is_not_there_are_refused(session: Path) -> None:
    unknown = "projects={'0206': {annotated_in: firefox}}"

    shown = dogclips("cut", session, "--dry-run", "--set", unknown)

    assert shown.returncode == 2
    assert shown.stderr == (
        "error: there is no annotation file '0206' (projects.0206): did you mean '0205'?\n"
    )


def test_clips_of_an_earlier_plan_are_listed_and_go_only_when_asked(session: Path) -> None:
    dogclips("cut", session, "--set", "stride_seconds=2")
    other = session / "output" / "0205" / "mine.mp4"
    other.write_bytes(b"not made here")
    clips = set((session / "output").glob("*/*.mp4"))

    fewer = dogclips("cut", session)
    listed = json.loads(dogclips("cut", session, "--json").stdout)
    after = json.loads(dogclips("cut", session, "--prune", "--json").stdout)

    assert re.search(r"stale +2 +of an earlier plan: 0205/", fewer.stdout)
    assert len(listed["stale"]) == 2
    assert all((session / "output" / clip) in clips for clip in listed["stale"])
    assert (after["stale"], after["reused"]) == ([], listed["reused"])
    left = set((session / "output").glob("*/*.mp4"))
    assert clips - left == {session / "output" / clip for clip in listed["stale"]}
    assert other in left
    assert (
        set((session / "output" / "dataset.txt").read_text().split()) & set(listed["stale"])
        == set()
    )


def test_pruning_where_nothing_is_stale_removes_nothing(session: Path) -> None:
    dogclips("cut", session)
    before = files_in(session / "output" / "0205")

    again = dogclips("cut", session, "--prune", "--json")

    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout)["stale"] == []
    assert files_in(session / "output" / "0205") == before


def test_class_indices_never_change_in_silence(session: Path) -> None:
    assert "class indices" not in dogclips("cut", session).stderr
    write_project(session, "0205", {"020500.mp4": [(0, 4, "0"), (6, 12, "2")]})  # without walk

    again = dogclips("cut", session, "--dry-run")

    assert (
        f"class indices change from sit, walk, sniff to sit, sniff "
        f"({session / 'output' / 'labels.txt'}): set labels.order to keep them" in again.stderr
    )
    kept = dogclips("cut", session, "--dry-run", "--set", "labels.order=[sit, walk, sniff]")
    assert "class indices" not in kept.stderr
