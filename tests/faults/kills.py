"""Kill one run after the other at random moments, then look at what they have left."""

import random
import signal
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.faults.runs import (
    assert_as_unbroken,
    copied,
    cut_whole,
    living,
    seconds_until,
    signalled,
    start,
    write_two_recordings,
)

_MAY_OUTLIVE_S = 2
_READING, _ENDING = 0.35, 0.9  # shares of a run between which it cuts


@dataclass
class Killing:
    """What a loop of kills was: how many hit a run, and the longest that a process outlived it."""

    hits: int = 0
    ends: int = 0
    outlived_s: float = 0.0


def kill_often(folder: Path, kills: int, seed: int) -> Killing:
    """Kill runs of one session, each followed at once by the next, and let the last one finish.

    Raises
    ------
    AssertionError
        The session differs from one that was cut without harm, or a process outlived its run.
    """
    draw, done = random.Random(seed), Killing()  # noqa: S311 (moments)
    recorded = write_two_recordings(folder / "2_2_kt")
    unbroken = copied(recorded, folder / "unbroken")
    lengths_s = {workers: _length_s(unbroken, workers) for workers in (2, 1)}
    workers = 2
    process = start(recorded, "--workers", workers)
    for _ in range(kills):
        time.sleep(lengths_s[workers] * draw.uniform(_READING, _ENDING))
        hit = process.poll() is None
        signalled(process, signal.SIGKILL, group=draw.random() < 0.25)
        process.wait()  # and not for what it has started
        workers = draw.choice((1, 2))
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


def _length_s(base_dir: Path, workers: int) -> float:
    """Return how long a run takes that cuts everything."""
    began = time.monotonic()
    cut_whole(base_dir, "--force", "--workers", str(workers))
    return time.monotonic() - began


def _is_over(run: int) -> bool:
    return not living(run)


def _spoil(base_dir: Path, draw: random.Random) -> None:
    """Remove some clips, so that the next runs have something to do."""
    clips = sorted((base_dir / "output").rglob("*.mp4"))
    for clip in draw.sample(clips, len(clips) // 2):
        clip.unlink(missing_ok=True)
