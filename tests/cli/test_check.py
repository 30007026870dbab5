"""What `dogclips check` says about annotation files, for scripts and for people."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.cli.program import dogclips
from tests.sessions import via_project, write_project, write_session
from tests.shared import SHARED, needs_shared
from tests.videos import steady, write_made

SHORT = [steady(240)]  # twelve seconds


def checked(*arguments: object, code: int, cwd: Path | None = None) -> list[dict[str, Any]]:
    shown = dogclips("check", *arguments, "--json", cwd=cwd)
    assert shown.returncode == code, shown.stderr
    files = json.loads(shown.stdout)["files"]
    assert isinstance(files, list)
    return files


def codes(file: dict[str, Any]) -> list[tuple[str, str]]:
    return [(issue["level"], issue["code"]) for issue in file["issues"]]


def test_json_is_one_document_about_files_recordings_and_labels(tmp_path: Path) -> None:
    session = write_session(tmp_path / "2_2_kt", streams=SHORT)

    shown = dogclips("check", session, "--json")

    assert (shown.returncode, shown.stderr) == (0, "")
    document = json.loads(shown.stdout)
    [file] = document["files"]
    assert document["version"] == 1
    assert file["path"] == str(session / "via" / "0205.json")
    assert (file["format"], file["status"], file["issues"]) == ("via3", "ok", [])
    assert (file["segments"], file["counts"]) == (3, {"segments": 3})
    [media] = file["media"]
    assert media == {
        "name": "020500.mp4",
        "recording": str(session / "video" / "020500.mp4"),
        "stream": 0,
        "duration_s": 12.0,
        "segments": 3,
        "points": 0,
        "seconds": 12.0,
        "share": 1.0,
        "overlaps": 1,
        "overlaps_all": 1,
        "unadjusted_1s": 0,
        "past_end": 0,
    }
    assert [label["label"] for label in document["labels"]] == ["sit", "sniff", "walk"]
    assert document["labels"] == file["labels"]


def test_the_tables_name_recordings_labels_issues_and_files(tmp_path: Path) -> None:
    session = write_session(tmp_path / "2_2_kt", [(0, 4, "0"), (4, 13.5, "1")], SHORT)

    shown = dogclips("check", session)

    assert (shown.returncode, shown.stderr) == (0, "")
    assert f"{session / 'via' / '0205.json'}: via3, warning" in shown.stdout
    assert "warning V080" in shown.stdout
    assert "1 segment past the recording's end at 12.000 s, by up to 1.500 s" in shown.stdout
    assert "annotation files" in shown.stdout
    assert "\x1b[" not in shown.stdout


def test_a_path_that_is_not_there_is_a_row_and_stops_no_other(tmp_path: Path) -> None:
    session = write_session(tmp_path / "2_2_kt", streams=SHORT)
    (tmp_path / "empty").mkdir()

    good, *bad = checked(session, tmp_path / "no.json", tmp_path / "no", tmp_path / "empty", code=1)

    assert good["status"] == "ok"
    assert [Path(file["path"]).name for file in bad] == ["no.json", "no", "empty"]
    assert [codes(file) for file in bad] == [[("error", "V001")]] * 3
    assert "no annotation files" in bad[-1]["issues"][0]["text"]


def test_a_session_without_its_recording_is_an_error_but_not_without_videos(
    tmp_path: Path,
) -> None:
    session = write_session(tmp_path / "2_2_kt", streams=SHORT)
    write_project(session, "0206", {"020600.mp4": [(0, 1.5, "0")]})

    good, bad = checked(session, code=1)

    assert (good["status"], codes(bad)) == ("ok", [("error", "V081")])
    assert "did you mean '020500.mp4'" in bad["issues"][0]["todo"]
    assert bad["media"][0]["segments"] == 1
    shutil.rmtree(session / "video")
    assert [file["status"] for file in checked(session, "--no-videos", code=0)] == ["ok", "ok"]
    assert [codes(file) for file in checked(session, code=1)] == [[("error", "V081")]] * 2


def test_recordings_of_a_single_file_lie_in_the_session_beside_it_or_where_told(
    tmp_path: Path,
) -> None:
    session = write_session(tmp_path / "2_2_kt", streams=SHORT)
    project = session / "via" / "0205.json"
    beside = tmp_path / "beside"
    beside.mkdir()
    shutil.copy(project, beside)

    for arguments, cwd in (
        ([project], tmp_path),
        (["0205.json"], project.parent),
        (["via/0205.json"], session),
        ([beside / "0205.json", "--videos", session / "video"], tmp_path),
    ):
        [file] = checked(*arguments, code=0, cwd=cwd)
        assert Path(cwd / file["media"][0]["recording"]).samefile(session / "video" / "020500.mp4")
    [file] = checked(beside / "0205.json", code=1)
    assert codes(file) == [("error", "V081")]
    shutil.copy(session / "video" / "020500.mp4", beside)
    [file] = checked(beside / "0205.json", code=0)
    assert file["media"][0]["recording"] == str(beside / "020500.mp4")


def test_a_stem_does_not_mean_the_files_beside_the_recording(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps(via_project({"mouse": [(0, 1.5, "0")]})))
    write_made(tmp_path / "mouse.mp4", *SHORT)
    (tmp_path / "mouse.csv").write_text("frame,walk\n0,1\n")

    [file] = checked(tmp_path / "a.json", code=0)

    assert Path(file["media"][0]["recording"]).name == "mouse.mp4"


def test_a_recording_that_several_files_name_is_a_warning_in_each(tmp_path: Path) -> None:
    session = write_session(tmp_path / "2_2_kt", streams=SHORT)
    again = write_project(session, "0205b", {"dogs/020500.mp4": [(0, 2, "0")]})
    paths = session, again, session / "via" / ".." / "via" / "0205b.json"

    files = checked(*paths, "--set", "observers=union", code=0)

    assert [codes(file) for file in files] == [[("warning", "V085")]] * 2
    files = checked(*paths, code=1)
    both = [("warning", "V085"), ("error", "V091")]
    assert [codes(file) for file in files] == [both] * 2


def test_one_option_with_two_meanings_is_an_error_in_all_files_given(tmp_path: Path) -> None:
    first = write_session(tmp_path / "2_2_kt", streams=SHORT)
    second = write_session(tmp_path / "2_3_kt", streams=SHORT)
    project = second / "via" / "0205.json"
    project.write_text(project.read_text().replace('"sit"', '"run"'))

    assert [codes(file) for file in checked(first, second, code=1)] == [[("error", "V071")]] * 2
    assert [file["status"] for path in (first, second) for file in checked(path, code=0)] == [
        "ok",
        "ok",
    ]


@pytest.mark.parametrize(
    ("choice", "code", "status", "labels"),
    [
        ([], 0, "warning", ["rest", "sit"]),
        (["--on-unknown-label", "keep"], 0, "warning", ["rest", "sit"]),
        (["--on-unknown-label", "drop"], 0, "warning", ["sit"]),
        (["--on-unknown-label", "error"], 1, "error", ["rest", "sit"]),
    ],
    ids=["nothing said", "keep", "drop", "error"],
)
def test_text_that_is_no_option_is_what_the_user_says(
    tmp_path: Path, choice: list[str], code: int, status: str, labels: list[str]
) -> None:
    session = write_session(tmp_path / "2_2_kt", [(0, 4, "0"), (4, 8, "rest")], SHORT)

    [file] = checked(session, *choice, code=code)

    assert (file["status"], [issue["code"] for issue in file["issues"]]) == (status, ["V045"])
    assert file["issues"][0]["text"].endswith("; skipped") == (choice[-1:] == ["drop"])
    assert [label["label"] for label in file["labels"]] == labels


def test_what_is_no_project_is_left_out_of_a_session_but_not_if_it_is_named(
    tmp_path: Path,
) -> None:
    session = write_session(tmp_path / "2_2_kt", streams=SHORT)
    export = session / "via" / "0205.csv"
    export.write_text("# Exported using VGG Image Annotator\n")

    shown = dogclips("check", session, "--json")

    assert (shown.returncode, len(json.loads(shown.stdout)["files"])) == (0, 1)
    assert shown.stderr.startswith(f"warning: {export}: V003 ")
    assert shown.stderr.endswith("; skipped\n")
    [file] = checked(export, code=1)
    assert codes(file) == [("error", "V003")]


def test_the_stream_that_the_annotator_saw_decides_where_the_recording_ends(
    tmp_path: Path,
) -> None:
    streams = [steady(240), steady(100, width=256, height=144)]
    session = write_session(tmp_path / "2_2_kt", [(0, 8, "0")], streams)

    assert checked(session, code=0)[0]["media"][0]["past_end"] == 0
    [file] = checked(session, "--set", "reference=1", code=0)
    assert (file["media"][0]["stream"], codes(file)) == (1, [("warning", "V080")])
    [file] = checked(session, "--set", "reference=7", code=1)
    assert codes(file) == [("error", "V086")]


WRONG = {
    "unknown player": ["--set", "annotated_in=vlc"],
    "unknown stream": ["--set", "reference=first"],
    "unknown choice": ["--on-unknown-label", "ask"],
    "videos and none": ["--videos", ".", "--no-videos"],
    "no such folder": ["--videos", "missing"],
    "no paths": [],
}


@pytest.mark.parametrize("arguments", WRONG.values(), ids=WRONG)
def test_wrong_usage_is_one_line_and_exit_code_2(tmp_path: Path, arguments: list[str]) -> None:
    shown = dogclips("check", *(["x.json", *arguments] if arguments else []), cwd=tmp_path)

    assert (shown.returncode, shown.stdout) == (2, "")
    assert len(shown.stderr.splitlines()) == 1
    assert shown.stderr.startswith("error: ")


def test_a_damaged_recording_is_an_error_of_its_file_alone(tmp_path: Path) -> None:
    session = write_session(tmp_path / "2_2_kt", streams=SHORT)
    (session / "video" / "020600.mp4").write_text("walk\n" * 400)
    write_project(session, "0206", {"020600.mp4": [(0, 1.5, "0")]})

    good, bad = checked(session, code=1)

    assert (good["status"], codes(bad)) == ("ok", [("error", "V086")])


@pytest.mark.shared
@needs_shared
def test_the_real_sessions_have_one_segment_past_the_end() -> None:
    sessions = sorted((SHARED / "data" / "home_falls" / "Dec").iterdir())

    shown = dogclips("check", *sessions, "--json")

    assert (shown.returncode, shown.stderr) == (0, "")
    document = json.loads(shown.stdout)
    files = document["files"]
    media = [media for file in files for media in file["media"]]
    assert [file["status"] for file in files] == ["ok", "warning", "warning", "ok"]
    assert (len(media), sum(file["segments"] for file in files)) == (23, 48)
    assert [one["name"] for one in media if one["past_end"]] == ["S3_Fall_16.mp4"]
    assert [one["name"] for one in media if one["unadjusted_1s"]] == ["S2_ADL_23.mp4"]
    assert all(0 < one["share"] <= 1 and one["segments"] for one in media)
    assert sum(label["segments"] for label in document["labels"]) == 48


@pytest.mark.shared
@needs_shared
def test_a_real_project_of_a_longer_recording_runs_past_its_end(tmp_path: Path) -> None:
    video = SHARED / "data" / "videos" / "oxvgg_Alioli_Wikimedia_Wardtmar.mp4"
    shutil.copy(video, tmp_path / "Alioli_Wikimedia_Wardtmar.mp4")
    project = SHARED / "data" / "via" / "oxvgg_demo_video_annotator_inline.json"

    [file] = checked(project, "--videos", tmp_path, code=1)

    assert codes(file) == [("warning", "V080"), ("error", "V081")]  # and a video that is not there
    assert "2 segments past the recording's end at 40.000 s" in file["issues"][0]["text"]
    assert "by up to 88.000 s" in file["issues"][0]["text"]
    assert file["media"][0]["seconds"] > file["media"][0]["duration_s"]
    assert file["media"][0]["share"] < 1


@pytest.mark.shared
@needs_shared
def test_every_real_annotation_file_has_its_row(tmp_path: Path) -> None:
    paths = sorted((SHARED / "data" / "via").iterdir())

    shown = dogclips("check", *paths, "--no-videos", "--json", cwd=tmp_path)

    files = json.loads(shown.stdout)["files"]
    assert (shown.returncode, shown.stderr) == (1, "")
    assert sorted(file["path"] for file in files) == sorted(map(str, paths))
