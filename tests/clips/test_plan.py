"""Every window of a session is cut from the frames that its annotator saw, or says why not."""

import shutil
from fractions import Fraction
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import pytest

from dogclips.alignment import StreamChoice
from dogclips.annotations import Project, read_dataset
from dogclips.clips.config import CutConfig
from dogclips.clips.execution import cut_plan
from dogclips.clips.labelled import counted
from dogclips.clips.plan import ClipPlan, measure_session, plan_session
from dogclips.clips.recordings import measure_recordings
from dogclips.clips.session import find_session
from dogclips.clips.units import local_engine
from dogclips.config import settings_of
from dogclips.errors import ConfigError
from dogclips.segments import segment_table
from tests.moving import LARGE, RATE, write_moving
from tests.sessions import TWO_STREAMS, write_project, write_session
from tests.videos import Made, numbers_in, steady, write_made

NUM_FRAMES = 240  # of the blobs' scene
LOST = range(120, 130)  # what the larger stream lacks, without a trace in its timestamps
# Both claim to start at 0, but the larger one lacks its first ten frames.
LYING = (steady(239), steady(229, first=10, width=256, height=144))


def planned(base_dir: Path, **settings: object) -> ClipPlan:
    config = CutConfig.model_validate(settings)
    session = find_session(base_dir)
    projects, _ = read_dataset(counted(session.projects, config)[0])
    recordings = measure_session(session, projects, config)
    return plan_session(session, projects, recordings, config)


def project(stem: str, player: Literal["mpv", "frames"] | None = None) -> Project:
    return Project(Path(f"{stem}.json"), "via3", segment_table([]), (), player=player)


def cut(base_dir: Path, **settings: object) -> pd.DataFrame:
    return cut_plan(planned(base_dir, **settings), engine=local_engine(1))


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    shown = [number for number in range(NUM_FRAMES) if number not in LOST]
    path = tmp_path_factory.mktemp("blobs") / "020500.mp4"
    return write_moving(path, range(NUM_FRAMES), shown)


@pytest.fixture
def broken(recording: Path, tmp_path: Path) -> Path:
    """Return a session whose larger stream lost a second halfway, all of it labelled."""
    base_dir = tmp_path / "2_2_kt"
    (base_dir / "video").mkdir(parents=True)
    shutil.copy(recording, base_dir / "video")
    write_project(base_dir, "0205", {"020500.mp4": [(0, NUM_FRAMES / RATE, "1")]})
    return base_dir


def test_two_players_of_one_recording_mean_frames_half_a_second_apart(tmp_path: Path) -> None:
    base_dir = tmp_path / "2_2_kt"
    shown = steady(210, first=10, late=10)  # starts at +0.5
    write_made(base_dir / "video" / "020500.mp4", shown, steady(220, width=256, height=144))
    for name in ("in_chrome", "in_firefox"):
        write_project(base_dir, name, {"020500.mp4": [(0, 8, "1")]})
    own = {"in_firefox": {"annotated_in": "firefox"}}

    found = {}
    for name, other in (("in_chrome", "in_firefox"), ("in_firefox", "in_chrome")):
        settings = own | {name: own.get(name, {}) | {"replaces": other}}
        manifest = cut(base_dir, content="never", projects=settings)
        for row in manifest[manifest["start_s"] == 4].to_dict("records"):
            if row["project"] == name:
                numbers = numbers_in(base_dir / "output" / row["clip"])
                found[row["project"], row["annotated_in"], row["container_start_s"]] = numbers
    assert found == {
        ("in_chrome", "chrome", 4.0): list(range(80, 160)),
        ("in_firefox", "firefox", 4.5): list(range(90, 170)),
    }


def test_players_that_show_the_same_stream_share_one_look_at_the_pixels(recording: Path) -> None:
    choices = [
        StreamChoice(),
        StreamChoice(annotated_in="firefox"),
        StreamChoice(reference=0),
        StreamChoice(reference=1),
        StreamChoice(reference=7),
    ]

    found = measure_recordings([recording], choices, content="never")
    chrome, firefox, named, other, none = (found[recording, choice] for choice in choices)

    assert chrome is firefox is named
    assert other.measured[1].method == "identity"
    assert (none.status, none.alignment) == ("error", None)


def test_an_annotation_file_may_name_its_own_stream() -> None:
    config = CutConfig.model_validate({"reference": 0, "projects": {"0206": {"reference": 2}}})
    assert config.choice_of(project("0205")).reference == 0
    assert config.choice_of(project("0206")).reference == 2
    assert config.choice_of(project("0206")).annotated_in == "chrome"


@pytest.mark.parametrize(
    ("player", "own", "expected"),
    [
        (None, {}, StreamChoice(1, "best", "firefox")),
        ("mpv", {}, StreamChoice(1, "best", "mpv")),
        ("mpv", {"annotated_in": "edge", "reference": 0}, StreamChoice(0, "best", "edge")),
        ("frames", {}, StreamChoice("auto", "best", "container")),
        ("frames", {"reference": 2}, StreamChoice(2, "best", "container")),
    ],
    ids=["a browser", "a program's own player", "said of this file", "frames", "said stream"],
)
def test_a_program_brings_its_own_player(
    player: Literal["mpv", "frames"] | None, own: dict[str, object], expected: StreamChoice
) -> None:
    settings = {"reference": 1, "annotated_in": "firefox", "projects": {"0205": own}}
    assert CutConfig.model_validate(settings).choice_of(project("0205", player)) == expected


def test_a_file_name_that_yaml_takes_for_a_number_is_refused_with_the_cure(tmp_path: Path) -> None:
    path = tmp_path / "cut.yaml"
    path.write_text("projects: {0205: {annotated_in: firefox}}")
    with pytest.raises(ConfigError, match=r"in quotes, like '0205'"):
        settings_of(CutConfig, [path])
    path.write_text("projects: {'0205': {annotated_in: firefox}}")
    config = settings_of(CutConfig, [path])
    assert config.choice_of(project("0205")).annotated_in == "firefox"


@pytest.mark.parametrize(
    ("streams", "settings", "method", "offset_s"),
    [
        (TWO_STREAMS, {"content": "never"}, "timestamps", 0.5),
        (LYING, {"trust": "timestamps", "content": "never"}, "timestamps", 0.0),
        (LYING, {"trust": "frame-count"}, "frame-count", 0.5),
        ((steady(240, late=7),), {"annotated_in": "firefox"}, "identity", 0.0),
    ],
    ids=["late start", "trusted timestamps", "trusted counts", "one stream"],
)
def test_the_manifest_tells_every_clip_in_all_its_times(
    tmp_path: Path,
    streams: tuple[Made, ...],
    settings: dict[str, str],
    method: str,
    offset_s: float,
) -> None:
    plan = planned(write_session(tmp_path / "2_2_kt", streams=streams), **settings)

    rows = plan.table[plan.table["status"] == "planned"]
    assert len(rows)
    assert set(rows["alignment"]) == {method}
    assert set(rows["offset_s"]) == {offset_s}
    assert set(rows["verified"]) == {method == "identity"}
    assert set(rows["annotated_in"]) == {settings.get("annotated_in", "chrome")}
    assert_times_agree(rows)


def test_the_manifest_of_pieces_tells_every_clip_in_all_its_times(broken: Path) -> None:
    table = planned(broken, stride_seconds=0.5).table

    rows = table[table["status"] == "planned"]
    assert set(rows["alignment"]) == {"content"}
    assert set(rows["verified"]) == {True}
    assert_times_agree(rows)
    late = rows[rows["start_s"] > LOST.stop / RATE]
    assert len(late)
    assert np.allclose(late["start_s"] - late["container_start_s"], len(LOST) / RATE)


def assert_times_agree(rows: pd.DataFrame) -> None:
    """Check the frames on screen at each clip's first and last instant, within a frame."""
    for row in rows.to_dict("records"):
        frame_s = 1 / float(Fraction(row["frame_rate"]))
        first, last = (
            row[f"{end}_pts"] * float(Fraction(row["time_base"])) for end in ("first", "last")
        )
        assert -0.001 < row["container_start_s"] - first < frame_s
        assert last - first == pytest.approx((row["num_frames"] - 1) * frame_s)
        assert row["num_frames"] * frame_s == pytest.approx(row["end_s"] - row["start_s"])


def test_no_window_near_lost_frames_is_cut_and_all_others_show_their_own(broken: Path) -> None:
    manifest = cut(broken, clip_seconds=2, stride_seconds=0.5)

    lost_s = (LOST.start / RATE, LOST.stop / RATE)
    near = (manifest["end_s"] > lost_s[0]) & (manifest["start_s"] < lost_s[1])
    assert set(manifest[near]["status"]) == {"skipped"}
    assert set(manifest[near]["reason"]) <= {"in-doubt", "frames-lost"}
    kept = manifest[manifest["status"] == "cut"]
    assert {row < lost_s[0] for row in kept["start_s"]} == {True, False}
    for row in kept.to_dict("records"):
        first = round(row["start_s"] * RATE)
        numbers = numbers_in(broken / "output" / row["clip"])
        assert numbers == list(range(first, first + 2 * RATE))


@pytest.mark.parametrize(
    ("content", "statuses"),
    [("when-needed", {"planned", "skipped"}), ("never", {"failed"})],
)
def test_a_recording_that_only_its_pixels_can_align_needs_a_look(
    broken: Path, content: str, statuses: set[str]
) -> None:
    assert set(planned(broken, content=content).table["status"]) == statuses


def test_doubtful_windows_are_cut_where_the_config_keeps_them(broken: Path) -> None:
    strict, kept = (
        planned(broken, clip_seconds=2, stride_seconds=0.5, keep_doubtful=keep).table
        for keep in (False, True)
    )

    assert {"in-doubt", "frames-lost"} <= set(strict["reason"])
    doubtful = strict["reason"].isin(["in-doubt", "frames-lost"])
    assert set(kept[doubtful]["status"]) == {"planned"}
    assert set(kept[doubtful]["width"]) == {LARGE[0]}
    assert kept[~doubtful].equals(strict[~doubtful])


def test_an_untrusted_recording_is_a_failed_row_until_somebody_vouches(tmp_path: Path) -> None:
    base_dir = write_session(tmp_path / "2_2_kt", streams=LYING)

    [refused] = planned(base_dir, content="never").table.to_dict("records")
    assert refused["status"] == "failed"
    assert "the lengths differ by 0.5 s (10 frames)" in refused["reason"]
    assert refused["source"] == "020500.mp4"

    for trust, first in (("timestamps", 90), ("frame-count", 80)):
        manifest = cut(base_dir, content="never", trust=trust)
        clip = manifest[manifest["start_s"] == 4].iloc[0]["clip"]
        assert numbers_in(base_dir / "output" / clip) == list(range(first, first + 80))


def test_an_unreadable_recording_stops_no_other(tmp_path: Path) -> None:
    base_dir = write_session(tmp_path / "2_2_kt")
    (base_dir / "video" / "020600.mp4").write_bytes(b"no video")
    write_project(base_dir, "0206", {"020600.mp4": [(0, 4, "0")]})

    table = planned(base_dir, content="never").table

    failed = table[table["status"] == "failed"]
    assert failed["source"].tolist() == ["020600.mp4"]
    assert set(table[table["project"] == "0205"]["status"]) == {"planned", "skipped"}
