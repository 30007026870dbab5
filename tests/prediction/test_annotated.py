"""What annotators said reaches the manifest, whatever program they said it in."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dogclips.annotations import read_dataset
from dogclips.clips.config import CutConfig
from dogclips.clips.plan import ClipPlan, measure_session, plan_session
from dogclips.clips.session import find_session
from dogclips.records.manifest import read_manifest, write_manifest
from tests.cli.program import dogclips
from tests.sessions import TWO_STREAMS, via_project, write_session
from tests.videos import steady, write_made

LATE_S = 0.5  # of the larger stream of TWO_STREAMS, which clips are cut from


@pytest.fixture
def session(tmp_path: Path) -> Path:
    """Return a session with a recording and nothing said about it yet."""
    base_dir = tmp_path / "2_2_kt"
    write_made(base_dir / "video" / "020500.mp4", *TWO_STREAMS)
    (base_dir / "via").mkdir()
    return base_dir


def say(session: Path, name: str, text: str) -> None:
    (session / "via" / name).write_text(text)


def planned(base_dir: Path, **settings: object) -> ClipPlan:
    config = CutConfig.model_validate({"content": "never", "stride_seconds": 2, **settings})
    found = find_session(base_dir)
    projects, _ = read_dataset(found.projects, same_ids=config.labels.option_ids == "same")
    return plan_session(found, projects, measure_session(found, projects, config), config)


def labels(table: pd.DataFrame) -> dict[float, list[str]]:
    kept = table[table["status"] == "planned"]
    return dict(zip(kept["start_s"], map(list, kept["labels"]), strict=True))


def failures(table: pd.DataFrame) -> list[str]:
    return table[table["status"] == "failed"]["reason"].tolist()


EVENTS = """\
Observation id,Source,Time offset (s),Time,Subject,Behavior,Behavior type,Media file name
walk,player #1:020500.mp4,0.0,2.0,Rex,sit,START,020500.mp4
walk,player #1:020500.mp4,0.0,6.0,Rex,sit,STOP,020500.mp4
walk,player #1:020500.mp4,0.0,7.0,Ivy,bark,POINT,020500.mp4
"""
PLAIN = "file,start,end,label,task,subject\n020500.mp4,2,6,sit,posture,Rex\n"
# 239 frames at 20 a second; the annotated stream is the first one, whatever clips are cut from.
FRAMES = "\n".join([",background,sit", *(f"{n},0,{int(40 <= n < 120)}" for n in range(239)), ""])


@pytest.mark.parametrize(
    ("name", "text", "task", "subjects"),
    [
        ("a.tsv", EVENTS, "behavior", ["Rex"]),
        ("a.csv", PLAIN, "posture", ["Rex"]),
        ("020500_labels.csv", FRAMES, "behavior", []),
        (
            "a.json",
            json.dumps(via_project({"020500.mp4": [(2, 6, "0")]})),
            "behaviour",
            [],
        ),
    ],
    ids=["BORIS", "CSV", "DeepEthogram", "VIA"],
)
def test_one_segment_gives_the_same_windows_in_every_format(
    session: Path, name: str, text: str, task: str, subjects: list[str]
) -> None:
    say(session, name, text)

    plan = planned(session)

    assert failures(plan.table) == []
    assert labels(plan.table) == {2.0: ["sit"], 4.0: ["sit"]}
    kept = plan.table[plan.table["status"] == "planned"]
    assert [list(own) for own in kept["tasks"]] == [[task]] * len(kept)
    assert [list(own) for own in kept["subjects"]] == [subjects] * len(kept)
    assert np.allclose(kept["container_start_s"] - kept["start_s"], 0)


def test_a_program_of_its_own_player_is_not_taken_for_a_browser(session: Path) -> None:
    say(session, "a.tsv", EVENTS)
    assert set(planned(session, annotated_in="firefox").table["annotated_in"]) == {"mpv"}
    (session / "via" / "a.tsv").unlink()
    say(session, "b.json", json.dumps(via_project({"020500.mp4": [(2, 6, "0")]})))
    assert set(planned(session, annotated_in="firefox").table["annotated_in"]) == {"firefox"}


def test_points_label_no_clip_and_are_said(session: Path) -> None:
    say(session, "a.tsv", EVENTS)
    plan = planned(session)
    assert "bark" not in plan.classes or all("bark" not in own for own in plan.table["labels"])
    assert any("1 points in time have no length" in warning for warning in plan.warnings)


def test_rows_of_another_copy_are_refused(session: Path) -> None:
    say(session, "020500_labels.csv", FRAMES.replace("\n238,0,0", ""))
    [reason] = failures(planned(session).table)
    assert reason.startswith("V084 made for 238 frames; the recording has 239")


def test_what_was_said_of_the_whole_file_is_a_column(session: Path, tmp_path: Path) -> None:
    project = via_project({"020500.mp4": [(0, 4, "0")]})
    project["attribute"]["2"] = {
        "aname": "camera",
        "anchor_id": "FILE1_Z0_XY0",
        "type": 3,
        "options": {"0": "kitchen", "1": "=yard"},
    }
    project["metadata"]["1_file"] = {"vid": "1", "z": [], "xy": [], "av": {"2": "1"}}
    say(session, "0205.json", json.dumps(project))

    table = planned(session).table
    write_manifest(table, tmp_path)

    assert set(table["file:camera"]) == {"=yard"}
    again = read_manifest(tmp_path)
    assert again is not None
    pd.testing.assert_frame_equal(again, table)
    assert "'=yard" in (tmp_path / "manifest.csv").read_text()


def test_an_option_that_was_renumbered_refuses_every_file_that_uses_it(session: Path) -> None:
    old = via_project({"020500.mp4": [(0, 4, "1")]})
    new = via_project({"020500.mp4": [(4, 8, "2")]})
    new["attribute"]["1"]["options"] = {"0": "sit", "1": "lie", "2": "walk"}
    say(session, "a.json", json.dumps(old))
    say(session, "b.json", json.dumps(new))

    reasons = failures(planned(session).table)
    believed = planned(session, labels={"option_ids": "by-file"}, observers="union")

    assert len(reasons) == 2
    assert all("V071 option '1' means 'walk' in" in reason for reason in reasons)
    assert failures(believed.table) == []
    assert believed.classes == ("walk",)


def test_two_names_of_one_recording_are_refused(session: Path) -> None:
    project = via_project({"a/020500.mp4": [(0, 4, "0")], "b/020500.mp4": [(0, 4, "1")]})
    say(session, "a.json", json.dumps(project))
    reasons = failures(planned(session).table)
    assert len(reasons) == 2
    assert all(reason.startswith("V082 ") for reason in reasons)


def test_an_export_beside_its_project_is_left_out_with_a_warning(tmp_path: Path) -> None:
    session = write_session(tmp_path / "2_2_kt")
    (session / "via" / "0205.csv").write_text("# Exported using VGG Image Annotator\n")
    (session / "via" / "notes.txt").write_text("Rex was tired\n")

    done = dogclips("cut", session, "--dry-run")

    assert done.returncode == 0
    assert "0205.csv: V003" in done.stderr
    assert "notes.txt: V007" in done.stderr


def test_unknown_labels_may_be_an_error_on_the_command_line(tmp_path: Path) -> None:
    said = [(0, 4, "0"), (4, 8, "barking")]
    session = write_session(tmp_path / "2_2_kt", said, [steady(239)])

    kept = dogclips("cut", session, "--dry-run", "--json")
    dropped = dogclips("cut", session, "--dry-run", "--json", "--on-unknown-label", "drop")
    refused = dogclips("cut", session, "--dry-run", "--json", "--on-unknown-label", "error")

    assert (kept.returncode, json.loads(kept.stdout)["planned"]) == (0, 2)
    assert (dropped.returncode, json.loads(dropped.stdout)["planned"]) == (0, 1)
    assert refused.returncode == 1
    assert "'barking' is not an option" in json.loads(refused.stdout)["failed"][0]["reason"]
