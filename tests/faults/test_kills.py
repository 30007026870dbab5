"""A run that is killed or told to stop leaves nothing that the next one cannot go on from.

The seed is printed at the top of the run; `DOGCLIPS_SEED=N` repeats it. `make fuzz` kills more.
"""

import json
import os
import random
import signal
from pathlib import Path

import pytest

from tests.cli.program import dogclips
from tests.faults.kills import kill_often
from tests.faults.runs import (
    NUM_CLIPS,
    OPTIONS,
    SIGNALLED,
    assert_as_unbroken,
    copied,
    cut_whole,
    cutting,
    living,
    manifest_of,
    parts_in,
    seconds_until,
    signalled,
    start,
    write_two_recordings,
)
from tests.faults.stops import LIMIT_S, stop_often, write_long_units
from tests.moving import write_moving
from tests.sessions import write_project

STOPPED = "error: interrupted: finished work is kept; run the same command again to continue\n"
KILLS = 8


def test_kills_at_any_moment_leave_what_the_next_run_makes_whole(tmp_path: Path) -> None:
    done = kill_often(tmp_path, KILLS, int(os.environ["DOGCLIPS_SEED"]))
    assert done.hits >= KILLS / 4


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    recorded = write_two_recordings(tmp_path_factory.mktemp("recorded") / "2_2_kt")
    return cut_whole(copied(recorded, tmp_path_factory.mktemp("unbroken")))


@pytest.fixture
def session(unbroken: Path, tmp_path: Path) -> Path:
    base_dir = copied(unbroken, tmp_path)
    for path in sorted((base_dir / "output").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    return base_dir


@pytest.mark.parametrize(
    ("number", "group", "workers"),
    [(signal.SIGTERM, False, 2), (signal.SIGINT, True, 2), (signal.SIGINT, True, 1)],
    ids=["told by a scheduler", "ctrl-c", "ctrl-c in one process"],
)
def test_a_run_that_is_told_to_stop_keeps_what_is_finished(
    session: Path, unbroken: Path, number: signal.Signals, *, group: bool, workers: int
) -> None:
    draw = random.Random(os.environ["DOGCLIPS_SEED"])  # noqa: S311 (a moment)
    how, delay_s = ("killpg" if group else "kill"), draw.uniform(0, 0.1)
    told = SIGNALLED.format(delay_s=delay_s, how=how, number=int(number))
    process = start(session, "--workers", workers, before=told)
    _, errors = process.communicate(timeout=60)

    assert (process.returncode, errors) == (130, STOPPED)
    assert parts_in(session) == []
    seconds_until(lambda: not living(process.pid), 2)
    kept = manifest_of(session)["sha256"] != ""
    assert 0 < kept.sum() < NUM_CLIPS
    shown = dogclips("cut", session, *OPTIONS, "--workers", "1", "--json")
    assert json.loads(shown.stdout)["reused"] == kept.sum()
    assert_as_unbroken(session, unbroken)


# A moment after the pictures of two streams begin to be compared.
COMPARED = """
import os, signal, threading
import dogclips.clips.recordings as recordings
compare = recordings.compare_content
def compare_and_be_told(*given, **options):
    threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGTERM)).start()
    return [compare(*given, **options) for _ in range(100)][0]
recordings.compare_content = compare_and_be_told
"""


def test_a_run_that_compares_pictures_is_stopped_at_once(tmp_path: Path) -> None:
    base_dir = tmp_path / "2_2_kt"
    write_moving(base_dir / "video" / "020500.mp4", range(200), range(200))
    write_project(base_dir, "0205", {"020500.mp4": [(0, 20, "1")]})
    process = start(base_dir, before=COMPARED)

    _, errors = process.communicate(timeout=60)

    assert (process.returncode, errors) == (130, STOPPED)
    seconds_until(lambda: not living(process.pid), 2)


def test_a_run_does_not_wait_for_a_program_that_hangs(session: Path, tmp_path: Path) -> None:
    hanging = tmp_path / "bin" / "ffprobe"
    hanging.parent.mkdir()
    hanging.write_text("#!/bin/sh\necho $$ > $(dirname $0)/pid\nexec sleep 300\n")
    hanging.chmod(0o755)
    number_file = hanging.parent / "pid"
    process = start(session, path=f"{hanging.parent}:{os.environ['PATH']}")
    seconds_until(number_file.exists, 60)

    signalled(process, signal.SIGINT, group=True)
    took_s = seconds_until(lambda: process.poll() is not None, 60)

    assert took_s < LIMIT_S
    assert (process.returncode, process.communicate()[1]) == (130, STOPPED)
    seconds_until(lambda: not Path(f"/proc/{number_file.read_text().strip()}").exists(), 2)


def test_a_worker_killed_in_a_long_unit_ends_the_run(tmp_path: Path) -> None:
    long_units = write_long_units(tmp_path / "2_2_kt")

    done = stop_often(long_units, 1, int(os.environ["DOGCLIPS_SEED"]), ["killed worker"])

    assert done.slowest_s <= LIMIT_S, [*done.lines()]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_inherits_deaf_ears_is_stopped_all_the_same(
    session: Path, number: signal.Signals
) -> None:
    deaf = f"import signal; signal.signal({int(number)}, signal.SIG_IGN);"
    deaf += f"signal.pthread_sigmask(signal.SIG_BLOCK, [{int(number)}]);"
    process = start(session, "--workers", 2, before=deaf)
    seconds_until(lambda: len(cutting(process.pid)) == 2, 60)

    signalled(process, number, group=True)
    took_s = seconds_until(lambda: process.poll() is not None, 60)

    assert took_s < LIMIT_S
    assert (process.returncode, process.communicate()[1]) == (130, STOPPED)


def test_ctrl_c_while_processes_start_is_one_line(session: Path) -> None:
    process = start(session, "--workers", 2)
    seconds_until(lambda: len(living(process.pid)) > 2, 60)
    signalled(process, signal.SIGINT, group=True)
    _, errors = process.communicate(timeout=60)

    assert (process.returncode, errors) == (130, STOPPED)
    assert parts_in(session) == []
