"""Where a recording does not decode, no clip shows what is not there, and all others are cut."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dogclips.annotations import read_dataset
from dogclips.clips.config import CutConfig
from dogclips.clips.execution import cut_plan
from dogclips.clips.plan import measure_session, plan_session
from dogclips.clips.session import find_session
from dogclips.clips.units import local_engine
from tests.cli.program import dogclips
from tests.faults.damage import (
    CLIP_FRAMES,
    FIRST_BAD,
    NUM_BAD,
    RATE,
    scribbled,
    truncated,
    write_damaged,
    zeroed,
)
from tests.faults.runs import clips_in, manifest_of, parts_in
from tests.videos import numbers_in

YEAR = ("--set", "name.year=2024")
TOUCHED_S = 20.0  # where the clip begins that shows the damage
BAD_TIMES = [f" {(FIRST_BAD + k) / RATE} s " for k in range(NUM_BAD)]  # 21.0, 21.2, 21.4
UNDECODED, CUT_OFF = "does not decode", "after-end"
NOT_THERE, TORN = "frames-missing", "frames-damaged"


def cut_here(base_dir: Path, **settings: object) -> None:
    """Cut a session in this process."""
    config = CutConfig.model_validate({"name": {"year": 2024}, **settings})
    session = find_session(base_dir)
    projects, _ = read_dataset(session.projects)
    recordings = measure_session(session, projects, config)
    cut_plan(plan_session(session, projects, recordings, config), engine=local_engine(1))


def rows_of(base_dir: Path, source: str) -> dict[float, dict[str, Any]]:
    """Return the rows of one recording by where they begin."""
    table = manifest_of(base_dir)
    own = table[table["source"].str.contains(source)]
    return {row["start_s"]: row for row in own.to_dict("records")}


def assert_right(base_dir: Path, rows: dict[float, dict[str, Any]]) -> None:
    """Refuse a clip of which any frame is not the planned one, and files that no row tells of."""
    for start_s, row in rows.items():
        clip = base_dir / "output" / row["clip"]
        if row["status"] == "cut":
            first = round(start_s * RATE)
            assert numbers_in(clip) == list(range(first, first + CLIP_FRAMES))
        else:
            assert not clip.is_file()


@pytest.mark.parametrize(
    ("suffix", "damage", "reason"),
    [
        ("mp4", zeroed, UNDECODED),
        ("mp4", scribbled, UNDECODED),
        ("ts", zeroed, TORN),
        ("ts", scribbled, TORN),
        ("mkv", scribbled, NOT_THERE),
        ("mkv", truncated, CUT_OFF),
    ],
    ids=["mp4, zeros", "mp4, noise", "ts, zeros", "ts, noise", "mkv, noise", "mkv, truncated"],
)
def test_only_the_clips_that_show_the_damage_are_lost(
    tmp_path: Path, suffix: str, damage: Callable[[Path], None], reason: str
) -> None:
    base_dir = write_damaged(tmp_path / "2_2_kt", suffix, damage)

    cut_here(base_dir)

    rows = rows_of(base_dir, "020500")
    lost = [start_s for start_s, row in rows.items() if row["status"] != "cut"]
    assert lost == ([20.0, 24.0, 28.0] if damage is truncated else [TOUCHED_S])
    assert all(reason in rows[start_s]["reason"] for start_s in lost)
    if reason == UNDECODED:
        assert any(time in rows[TOUCHED_S]["reason"] for time in BAD_TIMES)
    assert_right(base_dir, rows)
    assert {row["status"] for row in rows_of(base_dir, "020600").values()} == {"cut"}
    assert parts_in(base_dir) == []


@pytest.mark.parametrize("damage", [zeroed, scribbled], ids=["zeros", "noise"])
def test_behind_a_fault_frames_that_are_only_counted_are_not_guessed(
    tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    base_dir = write_damaged(tmp_path / "2_2_kt", "avi", damage)

    cut_here(base_dir)

    rows = rows_of(base_dir, "020500")
    assert [s for s, row in rows.items() if row["status"] == "cut"] == [0, 4, 8, 12, 16]
    assert "the clip begins at 20.0 s" in rows[TOUCHED_S]["reason"]
    assert_right(base_dir, rows)


def test_a_file_that_is_given_up_leaves_no_clip_but_those_of_others(tmp_path: Path) -> None:
    base_dir = write_damaged(tmp_path / "2_2_kt", "mp4", zeroed)

    cut_here(base_dir, on_corrupt="skip-file")

    given_up, others = rows_of(base_dir, "020500"), rows_of(base_dir, "020600")
    assert {row["status"] for row in given_up.values()} == {"failed"}
    assert all(BAD_TIMES[0] in row["reason"] for row in given_up.values())
    assert_right(base_dir, given_up)
    clips = [name for name in clips_in(base_dir) if name.endswith(".mp4")]
    assert sorted(clips) == sorted(row["clip"] for row in others.values())


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_run_that_is_to_fail_at_a_fault_says_so_and_tells_the_truth(
    tmp_path: Path, workers: str
) -> None:
    base_dir = write_damaged(tmp_path / "2_2_kt", "mp4", zeroed)

    shown = dogclips("cut", base_dir, "--on-corrupt", "fail", "--workers", workers, *YEAR)

    assert shown.returncode == 1
    assert shown.stderr.startswith("error: the frame at 21.0 s of the stream does not decode (")
    assert shown.stderr.count("\n") == 1
    for source in ("020500", "020600"):
        rows = rows_of(base_dir, source)
        kept = {name for name in clips_in(base_dir) if f"_{source}_" in name}
        recorded = {row["clip"] for row in rows.values() if row["status"] == "cut"}
        assert recorded <= kept
    assert parts_in(base_dir) == []
    cut_here(base_dir)
    assert_right(base_dir, rows_of(base_dir, "020500"))
