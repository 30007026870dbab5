"""Kill one run after the other at random moments, then look at what they have left."""

import random
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.faults.runs import (
    assert_as_unbroken,
    copied,
    cut_whole,
    cutting,
    living,
    seconds_until,
    signalled,
    start,
    write_two_recordings,
)

_MAY_OUTLIVE_S = 2
_LOOK_S = 0.1  # so seldom, for it takes a while itself
_LATEST = 0.6  # share of the time that one process needs for all clips
# How many processes a run has, and whether all of them are killed: in eight kills each at least
# once, in seven all but one.
_KINDS = 3 * [(1, False), (2, False)] + [(1, True), (2, True)]


@dataclass
class Killing:
    """What a loop of kills was: how many hit a run, and the longest that a process outlived it."""

    hits: int = 0
    ends: int = 0
    outlived_s: float = 0.0


def kill_often(folder: Path, kills: int, seed: int) -> Killing:
    """Kill runs of one session while they cut, each followed at once by the next; the last ends.

    Raises
    ------
    AssertionError
        The session differs from one that was cut without harm, or a process outlived its run.
    """
    draw, done = random.Random(seed), Killing()  # noqa: S311 (moments)
    recorded = write_two_recordings(folder / "2_2_kt")
    unbroken = copied(recorded, folder / "unbroken")
    began = time.monotonic()
    cut_whole(unbroken)
    latest_s = _LATEST * (time.monotonic() - began)
    kinds = _kinds(draw)
    workers, group = next(kinds)
    process = start(recorded, "--workers", workers)
    for _ in range(kills):
        seconds_until(partial(_cuts_or_has_ended, process), 60, _LOOK_S)
        time.sleep(draw.uniform(0, latest_s))
        hit = process.poll() is None
        signalled(process, signal.SIGKILL, group=group)
        process.wait()  # and not for what it has started
        workers, group = next(kinds)
        killed, process = process, start(recorded, "--workers", workers)
        outlived_s = seconds_until(partial(_is_over, killed.pid), _MAY_OUTLIVE_S)
        done.outlived_s = max(done.outlived_s, outlived_s)
        done.hits += hit
        done.ends += not hit
        _, errors = killed.communicate()
        if not hit:
            assert (killed.returncode, errors) == (0, "")
            _spoil(recorded, draw)
    process.communicate()
    cut_whole(recorded)
    assert_as_unbroken(recorded, unbroken)
    return done


def _kinds(draw: random.Random) -> Iterator[tuple[int, bool]]:
    while True:
        yield from draw.sample(_KINDS, len(_KINDS))


def _cuts_or_has_ended(process: subprocess.Popen[str]) -> bool:
    return process.poll() is not None or bool(cutting(process.pid))


def _is_over(run: int) -> bool:
    return not living(run)


def _spoil(base_dir: Path, draw: random.Random) -> None:
    """Remove some clips, so that the next runs have something to do."""
    clips = sorted((base_dir / "output").rglob("*.mp4"))
    for clip in draw.sample(clips, len(clips) // 2):
        clip.unlink(missing_ok=True)
