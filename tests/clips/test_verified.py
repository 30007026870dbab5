"""Each clip has what the pixels say of it, and none is cut that they contradict."""

from pathlib import Path

import pandas as pd
import pytest

import dogclips
from tests.moving import RATE, write_moving
from tests.sessions import TWO_STREAMS, write_project, write_session
from tests.videos import numbers_in

NUM_FRAMES = 400
FROZEN = range(140, 260)  # what the annotator saw move while the larger stream stood
SETTINGS = {"clip_seconds": 2, "stride_seconds": 1}


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a session whose larger stream is frozen for six seconds, all of it labelled."""
    base_dir = tmp_path_factory.mktemp("frozen") / "2_2_kt"
    (base_dir / "video").mkdir(parents=True)
    shown = [FROZEN.start if number in FROZEN else number for number in range(NUM_FRAMES)]
    write_moving(base_dir / "video" / "020500.mp4", range(NUM_FRAMES), shown)
    write_project(base_dir, "0205", {"020500.mp4": [(0, NUM_FRAMES / RATE, "walk")]})
    return base_dir


@pytest.fixture(scope="module")
def manifest(session: Path) -> pd.DataFrame:
    return dogclips.cut(session, SETTINGS, workers=1).manifest


def test_no_clip_shows_a_frozen_picture(session: Path, manifest: pd.DataFrame) -> None:
    frozen_s = (FROZEN.start / RATE, FROZEN.stop / RATE)
    inside = (manifest["start_s"] >= frozen_s[0]) & (manifest["end_s"] <= frozen_s[1])
    assert inside.sum() >= 4
    assert set(manifest[inside]["reason"]) <= {"contradicted", "in-doubt"}
    kept = manifest[manifest["status"] == "cut"]
    assert set(kept["verdict"]) == {"confirmed"}
    for row in kept.to_dict("records"):
        first = round(row["start_s"] * RATE)
        expected = range(first, first + 2 * RATE)
        numbers = numbers_in(session / "output" / row["clip"])
        stood = sum(number != wanted for number, wanted in zip(numbers, expected, strict=True))
        assert stood <= RATE / 2


def test_a_plan_compares_each_clip_only_when_asked(session: Path, manifest: pd.DataFrame) -> None:
    quick, verified = (
        dogclips.cut(session, SETTINGS, dry_run=True, verify=verify).manifest
        for verify in (False, True)
    )
    planned = quick[quick["status"] == "planned"]
    assert set(planned["verdict"]) == {"not-compared"}
    kept = {
        name: table.loc[table["status"] == name, ["start_s", "verdict"]].to_numpy().tolist()
        for name, table in (("cut", manifest), ("planned", verified))
    }
    assert kept["planned"] == kept["cut"]


def test_clips_that_are_reused_keep_their_verdict(session: Path, manifest: pd.DataFrame) -> None:
    again = dogclips.cut(session, SETTINGS, workers=1).manifest
    kept = again[again["status"] == "reused"]
    assert len(kept) == (manifest["status"] == "cut").sum()
    assert set(kept["verdict"]) == {"confirmed"}


def test_nothing_is_cut_of_what_the_annotator_did_not_see(tmp_path: Path) -> None:
    """The reference begins half a second after the target, and ends before it."""
    base_dir = write_session(tmp_path / "2_2_kt", streams=TWO_STREAMS)
    settings = {"reference": 1, "target": 0, "background": "keep", "stride_seconds": 1}
    table = dogclips.cut(base_dir, settings, dry_run=True).manifest
    first = table.iloc[0]
    assert (first["start_s"], first["reason"]) == (0, "before-reference-start")
    assert "before-reference-start" not in set(table["reason"][1:])


def test_one_stream_has_nothing_to_be_compared_with(tmp_path: Path) -> None:
    base_dir = write_session(tmp_path / "2_2_kt", streams=TWO_STREAMS[:1])
    table = dogclips.cut(base_dir, dry_run=True, verify=True).manifest
    planned = table[table["status"] == "planned"]
    assert len(planned)
    assert set(planned["verdict"]) == {"not-compared"}
