"""Processes of our own: started from anything, ended with whoever waits for them."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import pytest

from dogclips.errors import OutputError
from dogclips.processes import in_processes
from tests.faults.runs import (
    clips_in,
    cutting,
    living,
    parts_in,
    seconds_until,
    signalled,
    write_two_recordings,
)
from tests.sessions import write_project
from tests.videos import steady, write_made

END_S = 3

COUNTS = """
from dogclips.processes import in_processes
print(sorted(in_processes(abs, [-1, -2, -3], 2, "counts")))
"""
SLEEPS = """
import time
from dogclips.processes import in_processes
print(list(in_processes(time.sleep, [60, 60, 60], 2, "sleeps")))
"""
CUTS = """
import dogclips
settings = {{"stride_seconds": 2, "encoder.preset": "medium", "name.year": 2024}}
dogclips.cut({base_dir!r}, settings, workers=2)
"""
# How people run a few lines of Python: a file, another program's output, a line, a cell.
WAYS: dict[str, Sequence[str]] = {
    "a script": ["script.py"],
    "standard input": ["-"],
    "an interactive session": ["-i", "-q"],
    "a cell": ["-c", "exec(compile(open('script.py').read(), '<cell>', 'exec'))"],
    "a module": ["-m", "script"],
}


@contextmanager
def started(folder: Path, script: str, way: str = "a script") -> Iterator[subprocess.Popen[str]]:
    """Run a script whose processes are a session of their own for the system."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "script.py"
    path.write_text(script)
    with path.open() as given:
        process = subprocess.Popen(
            [sys.executable, *WAYS[way]],
            cwd=folder,
            env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])},
            stdin=given,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
    with process:
        yield process
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


@pytest.mark.parametrize("way", WAYS)
def test_a_script_needs_no_guard_however_it_is_run(tmp_path: Path, way: str) -> None:
    with started(tmp_path, COUNTS, way) as process:
        shown, errors = process.communicate(timeout=60)

    assert shown.strip() == "[(0, 1), (1, 2), (2, 3)]", errors
    assert process.returncode == 0


def test_clips_are_cut_by_a_script_without_a_guard(tmp_path: Path) -> None:
    base_dir = tmp_path / "2_2_kt"
    for name in ("020500.mp4", "020600.mp4"):
        write_made(base_dir / "video" / name, steady(81))
    write_project(base_dir, "0205", {"020500.mp4": [(0, 4, "1")], "020600.mp4": [(0, 4, "1")]})
    with started(tmp_path, CUTS.format(base_dir=str(base_dir))) as process:
        shown, errors = process.communicate(timeout=120)

    assert (process.returncode, shown, errors) == (0, "", "")
    assert len([name for name in clips_in(base_dir) if name.endswith(".mp4")]) == 2


def ended(process: subprocess.Popen[str], number: signal.Signals, *, group: bool) -> str:
    """Send a signal, wait until no process is left, which must be soon, and return the errors."""
    signalled(process, number, group=group)
    seconds_until(lambda: process.poll() is not None, END_S)
    seconds_until(lambda: not living(process.pid), END_S)
    return process.communicate()[1]


ALONE_OR_NOT = pytest.mark.parametrize("group", [False, True], ids=["alone", "as a terminal does"])


@ALONE_OR_NOT
def test_ctrl_c_ends_a_script_that_cuts_and_leaves_nothing_unfinished(
    tmp_path: Path, *, group: bool
) -> None:
    base_dir = write_two_recordings(tmp_path / "2_2_kt")
    with started(tmp_path, CUTS.format(base_dir=str(base_dir))) as process:
        seconds_until(lambda: cutting(process.pid), 60)
        errors = ended(process, signal.SIGINT, group=group)

    assert errors.endswith("KeyboardInterrupt\n")
    assert errors.count("Traceback") == 1
    assert parts_in(tmp_path) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=str)
@ALONE_OR_NOT
def test_whatever_ends_a_script_ends_its_processes_in_the_middle_of_their_work(
    tmp_path: Path, number: signal.Signals, *, group: bool
) -> None:
    with started(tmp_path, SLEEPS) as process:
        seconds_until(lambda: len(sleeping(process.pid)) == 2, 60)
        errors = ended(process, number, group=group)

    assert process.returncode == -number
    assert errors.count("Traceback") == (number == signal.SIGINT)


def sleeping(run: int) -> list[int]:
    """Return the processes of a run that leave Ctrl-C to their caller, and hold nothing back."""
    found = []
    for worker in living(run):
        if "multiprocessing.spawn" in Path(f"/proc/{worker}/cmdline").read_text():
            status = Path(f"/proc/{worker}/status").read_text()
            facts = dict(line.split(":\t") for line in status.splitlines() if ":\t" in line)
            ignored, blocked = (int(facts[name], 16) for name in ("SigIgn", "SigBlk"))
            if ignored >> (signal.SIGINT - 1) & 1 and not blocked:
                found.append(worker)
    return found


def test_a_process_that_is_killed_is_an_error_at_once() -> None:
    began = time.monotonic()
    with pytest.raises(
        OutputError, match="a process that dies was killed, perhaps because memory ran out"
    ):
        list(in_processes(signal.raise_signal, [signal.SIGKILL] * 3, 2, "dies"))
    assert time.monotonic() - began < 60


def test_results_come_as_they_are_finished_and_errors_where_they_are_waited_for() -> None:
    found = list(in_processes(time.sleep, [1.5, 0, 0], 2, "sleeps"))
    assert found == [(1, None), (2, None), (0, None)]
    with pytest.raises(ValueError, match="invalid literal"):
        list(in_processes(int, ["1", "one"], 2, "counts"))


def test_processes_are_told_nothing_of_signals_that_their_caller_holds_back() -> None:
    blocked = partial(signal.pthread_sigmask, signal.SIG_BLOCK)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    try:
        found = dict(in_processes(blocked, [[], []], 2, "looks"))
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    assert found == {0: set(), 1: set()}
