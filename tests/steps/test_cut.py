"""A cut from Python leaves all that later steps need."""

import subprocess
from fractions import Fraction
from pathlib import Path

import pandas as pd
import pytest

import dogclips
from dogclips.clips.config import CutConfig
from dogclips.errors import OutputError, SessionError
from dogclips.events import Event, Failed
from dogclips.lists import read_list
from dogclips.loading.excerpts import excerpts
from dogclips.records.manifest import settings_of_cut
from dogclips.records.settings import read_settings
from dogclips.steps.cut import CutResult, SessionCut
from tests.sessions import write_project, write_session
from tests.videos import numbers_in, steady, write_made

SETTINGS = {"clip_seconds": 2, "stride_seconds": 2, "content": "never"}


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_session(tmp_path_factory.mktemp("Feb") / "2_2_kt")


@pytest.fixture(scope="module")
def result(session: Path) -> CutResult:
    return dogclips.cut(session, SETTINGS, workers=1)


def test_the_settings_lie_beside_the_clips_and_predictions_take_them(
    session: Path, result: CutResult
) -> None:
    clips = [clip.path for clip in read_list(session / "output" / "dataset.txt").clips]

    settings = read_settings(CutConfig, session / "output")

    assert settings == result.sessions[0].plan.config  # type: ignore[union-attr]
    assert (settings.clip_seconds, settings.content) == (2, "never")
    assert [settings_of_cut(CutConfig, clip) for clip in clips] == [settings] * len(clips)


def test_clips_can_be_read_from_their_recordings(session: Path, result: CutResult) -> None:
    clips = [clip.path for clip in read_list(session / "output" / "dataset.txt").clips]

    found = excerpts(clips, "recordings")

    assert len(found) == 4
    assert {own.path for own in found} == {session / "video" / "020500.mp4"}


def test_a_report_knows_the_settings_and_the_streams(
    session: Path, result: CutResult, tmp_path: Path
) -> None:
    report = dogclips.report(session, tmp_path / "report.html", clips_per_label=0)

    assert report.ok
    assert report.dataset is not None
    [records] = report.dataset.sessions.values()
    assert records.missing == ()
    assert [len(own.measured) for own in records.recordings] == [1]


def test_the_result_holds_the_manifest_that_was_written(session: Path, result: CutResult) -> None:
    written = pd.read_parquet(session / "output" / "manifest.parquet")

    assert result.ok
    assert result.outputs == (session / "output",)
    assert result.manifest["clip"].tolist() == written["clip"].tolist()
    assert (result.manifest["status"] == "cut").sum() == 4


def test_a_session_that_cannot_be_used_is_a_failure_and_stops_no_other(tmp_path: Path) -> None:
    good, bad = write_session(tmp_path / "2_2_kt"), tmp_path / "2_3_kt"
    (tmp_path / "2_4_kt").mkdir()
    told: list[Event] = []

    found = dogclips.cut(
        [bad, good, tmp_path / "2_4_kt"], {"content": "never"}, workers=1, progress=told.append
    )

    assert [type(failure) for failure in found.failures] == [SessionError, SessionError]
    assert [event.error for event in told if isinstance(event, Failed)] == [*found.failures]
    assert [event.base_dir for event in told if isinstance(event, SessionCut)] == [good]
    assert (good / "output" / "dataset.txt").is_file()


def test_a_folder_that_cannot_be_written_to_is_a_failure_and_stops_no_other(
    tmp_path: Path,
) -> None:
    bad, good = write_session(tmp_path / "2_2_kt"), write_session(tmp_path / "2_3_kt")
    (bad / "output").write_text("a file, no folder")

    found = dogclips.cut([bad, good], {"content": "never"}, workers=1)

    assert [type(failure) for failure in found.failures] == [OutputError]
    assert [own.base_dir for own in found.sessions] == [good]


def test_a_row_that_failed_is_a_failure_with_its_place(tmp_path: Path) -> None:
    session = write_session(tmp_path / "2_2_kt")
    write_project(session, "0206", {"absent.mp4": [(0, 4, "0")]})

    found = dogclips.cut(session, {"content": "never"}, dry_run=True)

    [failure] = found.failures
    assert "no recording is named 'absent.mp4'" in failure.what
    assert failure.where.startswith(str(session))
    assert not found.ok


@pytest.mark.parametrize(("name", "player"), [("a.ts", "mpv"), ("a.mp4", "firefox")])
def test_where_no_segment_falls_on_a_frame_the_player_is_named_for_which_some_would(
    tmp_path: Path, name: str, player: str
) -> None:
    session = write_session(tmp_path / "session", streams=[steady(200)], video="whole.mp4")
    write_project(session, "0205", {name: [(0, 4, "0"), (4, 8, "1")]})
    whole = session / "video" / "whole.mp4"
    options = ["-c", "copy", "-output_ts_offset", "3883"]
    if name == "a.mp4":
        options += ["-movflags", "frag_keyframe+empty_moov+delay_moov"]
    command = ["ffmpeg", "-nostdin", "-v", "error", "-i", whole, *options, session / "video" / name]
    subprocess.run(list(map(str, command)), check=True, timeout=60)
    whole.unlink()

    result = dogclips.cut(session, dry_run=True)

    [text] = [warned.text for warned in result.warnings if "no segment" in warned.text]
    assert "chrome shows the recording from 388" in text
    assert f"`annotated_in: {player}`" in text
    other = dogclips.cut(session, {"annotated_in": player}, dry_run=True)
    assert "planned" in set(other.manifest["status"])
    assert not any("no segment" in warned.text for warned in other.warnings)


def test_a_clock_that_restarts_is_refused_with_what_helps(tmp_path: Path) -> None:
    """No trust in timestamps or counts tells two moments of one time apart."""
    session = write_session(tmp_path / "session", streams=[steady(120)], video="a.ts")
    second = write_made(tmp_path / "b.ts", steady(100, first=120))
    recording = session / "video" / "a.ts"
    recording.write_bytes(recording.read_bytes() + second.read_bytes())
    settings = {"min_overlap_seconds": 0.1, "clip_seconds": 1, "stride_seconds": 1}

    for trust in ("auto", "timestamps", "frame-count"):
        [failure] = dogclips.cut(session, settings | {"trust": trust}, dry_run=True).failures
        assert "the clock restarts" in failure.what or "a clock restarts after" in failure.what
        assert "`dogclips repair a.ts --out COPY`" in str(failure)

    dogclips.repair(recording, session / "video" / "copy.mp4")
    write_project(session, "0205", {"copy.mp4": [(0, 11, "0")]})
    done = dogclips.cut(session, settings, workers=1).manifest
    cut = done[done["status"] == "cut"]
    assert len(cut) >= 10
    for row in cut.to_dict("records"):
        first = round(20 * row["start_s"])
        numbers = numbers_in(session / "output" / row["clip"])
        assert numbers == list(range(first, first + 20))


def test_sessions_of_one_command_share_their_classes_in_the_order_of_the_options(
    tmp_path: Path,
) -> None:
    ends = {"2_2_kt": [(0.0, 4.0, "2")], "2_3_kt": [(0.0, 4.0, "1"), (4.0, 8.0, "0")]}
    sessions = [
        write_session(tmp_path / name, own, [steady(80, Fraction(10))])
        for name, own in ends.items()
    ]

    done = dogclips.cut(sessions, virtual=True)

    assert [one.classes for one in done.sessions] == [("sit", "walk", "sniff")] * 2
    texts = [(session / "output" / "labels.txt").read_text() for session in sessions]
    assert texts == ["sit\nwalk\nsniff\n"] * 2
    indices = [row for own in done.manifest["label_indices"] for row in own]
    assert indices == [2, 1, 0]


def test_an_earlier_list_keeps_the_indices_of_its_classes(tmp_path: Path) -> None:
    session = write_session(tmp_path / "2_2_kt", [(0.0, 4.0, "2")], [steady(80, Fraction(10))])
    dogclips.cut(session, virtual=True)
    write_project(session, "0205", {"020500.mp4": [(0, 4, "0"), (4, 8, "2")]})

    done = dogclips.cut(session, virtual=True)

    assert done.sessions[0].classes == ("sniff", "sit")
    assert not any("class indices" in warned.text for warned in done.warnings)
