"""Runs of `dogclips cut` that come to harm, and what must be true of a session afterwards."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pandas as pd

from dogclips.records.manifest import read_manifest
from tests.cli.program import dogclips
from tests.sessions import write_project
from tests.videos import steady, write_made

# Slow enough to be hit in mid-run.
OPTIONS = (
    *("--set", "stride_seconds=2"),
    *("--set", "encoder.preset=medium"),
    *("--set", "name.year=2024"),
)
RECORDING_S = 132  # three units of work
NUM_CLIPS = 130

# The program, but its manifest is written after every unit: what happens in long runs, in seconds.
PROGRAM = (
    "import dogclips.clips.execution as execution; execution._WRITE_EVERY_S = 0;"
    "from dogclips.cli import main; main()"
)


def write_two_recordings(base_dir: Path) -> Path:
    """Write a session of two recordings, labelled from end to end."""
    names = ("020500.mp4", "020600.mp4")
    for name in names:
        write_made(base_dir / "video" / name, steady(RECORDING_S * 5, Fraction(5)))
    write_project(base_dir, "0205", {name: [(0, RECORDING_S, "1")] for name in names})
    return base_dir


def copied(base_dir: Path, folder: Path) -> Path:
    """Copy a session with the times of its files, which are part of a recipe."""
    return shutil.copytree(base_dir, folder / base_dir.name)


def cut_whole(base_dir: Path, *options: str) -> Path:
    """Cut a session in this process, with nothing in the way."""
    shown = dogclips("cut", base_dir, *OPTIONS, "--workers", "1", *options)
    assert shown.returncode == 0, shown.stderr
    return base_dir


# A moment after the first manifest with clips in it.
SIGNALLED = """
import os, signal, threading
import dogclips.clips.execution as execution
write, told = execution.write_manifest, []
def write_and_be_told(table, output):
    write(table, output)
    if not told and (table["status"] == "cut").any():
        told.append(threading.Timer({delay_s}, os.{how}, (os.getpid(), {number})))
        told[0].start()
execution.write_manifest = write_and_be_told
"""


def start(
    base_dir: Path, *options: object, before: str = "", path: str | None = None
) -> subprocess.Popen[str]:
    """Start a cut whose processes are a session of their own for the system.

    `before` runs in the program first; `path` is where it finds others.
    """
    program = before + PROGRAM
    return subprocess.Popen(
        [sys.executable, "-c", program, "cut", str(base_dir), *OPTIONS, *map(str, options)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env=None if path is None else os.environ | {"PATH": path},
    )


def signalled(process: subprocess.Popen[str], number: signal.Signals, *, group: bool) -> None:
    """Send a signal to a run, or to all its processes as a terminal does."""
    if process.poll() is None:
        (os.killpg if group else os.kill)(process.pid, number)


def living(started: int) -> dict[int, int]:
    """Return the processes of a run that have not ended, each with its parent."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            facts = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:  # it has just ended
            continue
        if int(facts[3]) == started and facts[0] not in "ZX":
            found[int(folder.name)] = int(facts[1])
    return found


def cutting(run: int) -> list[int]:
    """Return the processes of a run that hold an unfinished clip open."""
    found = []
    for number in living(run):
        try:
            files = [str(file.readlink()) for file in Path(f"/proc/{number}/fd").iterdir()]
        except OSError:  # it has just ended
            continue
        if any(name.endswith(".mp4.part") for name in files):
            found.append(number)
    return found


def seconds_until(condition: Callable[[], object], limit_s: float, every_s: float = 0.01) -> float:
    """Wait for something and return how long it took; it may take no longer than the limit."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < limit_s, f"not within {limit_s} s"
        time.sleep(every_s)
    return time.monotonic() - began


def manifest_of(base_dir: Path) -> pd.DataFrame:
    """Return the manifest of a session, as an unbroken run would say it."""
    table = read_manifest(base_dir / "output")
    assert table is not None
    table["status"] = table["status"].replace("reused", "cut")
    return table


def clips_in(base_dir: Path) -> dict[str, bytes]:
    """Return the bytes of all clips and lists, by their paths."""
    output = base_dir / "output"
    found = (path for ending in ("mp4", "txt") for path in output.rglob(f"*.{ending}"))
    return {path.relative_to(output).as_posix(): path.read_bytes() for path in found}


def parts_in(base_dir: Path) -> list[str]:
    """Return the names of what is unfinished."""
    return sorted(path.name for path in base_dir.rglob("*.part"))


def assert_as_unbroken(base_dir: Path, unbroken: Path) -> None:
    """Refuse a session that differs from one that was cut without harm."""
    pd.testing.assert_frame_equal(manifest_of(base_dir), manifest_of(unbroken))
    found, expected = clips_in(base_dir), clips_in(unbroken)
    assert found.keys() == expected.keys()
    assert [name for name in found if found[name] != expected[name]] == []
    assert parts_in(base_dir) == []
