"""Stop one run after the other in the middle of a long unit, and measure how long it takes.

A unit of work is a minute of a recording, and nothing of it is finished before all of it is.
"""

import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

from tests.faults.runs import cutting, living, parts_in, seconds_until, signalled, start
from tests.sessions import write_project

LIMIT_S: Final = 3.0
_LOOK_S = 0.05
_AT_MOST_S = 60  # until a run begins to cut, or ends
_SECONDS = 58  # of a recording: one unit
# So slow that a unit takes a minute, even on a fast machine.
_SLOW = ("--set", "encoder.preset=placebo", "encoder.tune=null", "name.year=2024")
STOPS: Final = ("Ctrl-C", "SIGTERM", "killed worker")
_TELLING = "import faulthandler, signal; faulthandler.register(signal.SIGUSR1, all_threads=True);"
_EXIT_CODES: Final = {"Ctrl-C": 130, "SIGTERM": 130, "killed worker": 1}
_LINES: Final = {
    "Ctrl-C": "error: interrupted: ",
    "SIGTERM": "error: interrupted: ",
    "killed worker": "error: a process that cuts clips was killed",
}


@dataclass
class Stopping:
    """How long runs took to end after they were stopped, in seconds, by what stopped them."""

    took_s: dict[str, list[float]] = field(default_factory=lambda: {kind: [] for kind in STOPS})

    def lines(self) -> Iterator[str]:
        """Yield what was measured, one line a kind."""
        for kind, took in self.took_s.items():
            within = sum(seconds <= LIMIT_S for seconds in took)
            longest = max(took, default=0.0)
            ended = f"{within} of {len(took)} ended within {LIMIT_S:g} s"
            yield f"{kind}: {ended}, the last after {longest:.2f} s"

    @property
    def slowest_s(self) -> float:
        """Return the longest that any run took."""
        return max(max(took, default=0.0) for took in self.took_s.values())


def write_long_units(base_dir: Path) -> Path:
    """Write a session of two recordings, each of which is one unit of work."""
    for name in ("020500", "020600"):
        path = base_dir / "video" / f"{name}.mp4"
        path.parent.mkdir(parents=True, exist_ok=True)
        source = f"testsrc2=size=480x270:rate=10:duration={_SECONDS}"
        command = ["ffmpeg", "-nostdin", "-v", "error", "-f", "lavfi", "-i", source]
        command += ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"]
        subprocess.run([*command, str(path)], check=True, timeout=120)
        write_project(base_dir, name, {path.name: [(0, _SECONDS, "1")]})
    return base_dir


def stop_often(base_dir: Path, stops: int, seed: int, kinds: Sequence[str] = STOPS) -> Stopping:
    """Stop so many runs of a session by each of the kinds, at a random moment of their first units.

    Raises
    ------
    AssertionError
        A run ended otherwise than it should, or did not end at all.
    """
    draw, done = random.Random(seed), Stopping()  # noqa: S311 (moments)
    for _ in range(stops):
        for kind in kinds:
            shutil.rmtree(base_dir / "output", ignore_errors=True)
            workers = 2 if kind == "killed worker" else draw.choice((1, 2))
            done.took_s[kind].append(_stopped(base_dir, kind, workers, draw))
    return done


def _stopped(base_dir: Path, kind: str, workers: int, draw: random.Random) -> float:
    """Return how many seconds a run takes to end."""
    process = start(base_dir, *_SLOW, "--workers", workers, before=_TELLING)
    try:
        seconds_until(partial(_cuts, process.pid, workers), _AT_MOST_S, _LOOK_S)
        time.sleep(draw.uniform(0, 2))
        assert process.poll() is None, process.communicate()[1]
        if kind == "killed worker":
            os.kill(draw.choice(cutting(process.pid)), signal.SIGKILL)
        else:
            number = signal.SIGINT if kind == "Ctrl-C" else signal.SIGTERM
            signalled(process, number, group=kind == "Ctrl-C")
        began = time.monotonic()
        while not _is_over(process) and time.monotonic() - began < _AT_MOST_S:
            time.sleep(0.01)
        took_s = time.monotonic() - began
        signalled(process, signal.SIGUSR1, group=False)  # where does it hang?
        time.sleep(took_s > LIMIT_S)
    finally:
        signalled(process, signal.SIGKILL, group=True)
        _, errors = process.communicate()
    assert took_s < _AT_MOST_S, f"{kind}, {workers} workers: {errors}"
    assert (process.returncode, errors.count("\n")) == (_EXIT_CODES[kind], 1), errors
    assert errors.startswith(_LINES[kind]), errors
    assert parts_in(base_dir) == []
    return took_s


def _cuts(run: int, workers: int) -> bool:
    return len(cutting(run)) == workers


def _is_over(process: subprocess.Popen[str]) -> bool:
    return process.poll() is not None and not living(process.pid)
