"""Processes that cut clips: what happens when one of them is killed, and to their caller."""

import gc
import os
import signal
from pathlib import Path

from dogclips.clips.units import local_engine
from tests.faults.runs import (
    cutting,
    living,
    parts_in,
    seconds_until,
    start,
    write_two_recordings,
)


def test_a_worker_that_is_killed_ends_the_run_in_one_line_that_names_the_cure(
    tmp_path: Path,
) -> None:
    process = start(write_two_recordings(tmp_path / "2_2_kt"), "--workers", 2)
    workers: list[int] = []
    seconds_until(lambda: workers.extend(cutting(process.pid)) or workers, 60)
    os.kill(workers[0], signal.SIGKILL)
    _, errors = process.communicate(timeout=60)

    assert process.returncode == 1
    assert errors.startswith(
        "error: a process that cuts clips was killed, perhaps because memory ran out"
    )
    assert "--workers" in errors
    assert errors.count("\n") == 1
    seconds_until(lambda: not living(process.pid), 2)
    assert len(parts_in(tmp_path)) <= 2  # of the one that was killed; the next run removes them


def test_objects_that_the_caller_has_frozen_stay_so() -> None:
    gc.freeze()
    frozen = gc.get_freeze_count()

    assert list(local_engine(1)([])) == []

    assert gc.get_freeze_count() == frozen > 0
