"""A disk that is full costs the clips that do not fit, not those that are there.

A limit on the size of a file stands for it everywhere. Where this machine lets us mount one, a
small disk does so too; elsewhere this file holds no such test at all, not even a skipped one.
"""

import gc
import os
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest

from dogclips.media.writing import VideoTrack, write_video
from tests.cli.program import dogclips, started
from tests.faults import runs
from tests.faults.runs import assert_as_unbroken, clips_in, copied, cut_whole, parts_in
from tests.sessions import write_project
from tests.videos import FAST, steady, write_made

OPTIONS = (*runs.OPTIONS, "--workers", "1")
LIMIT_BYTES = 100_000  # clips are larger where there is noise, and far smaller elsewhere
PLAIN, NOISY = "020500", "020600"


def mount(folder: Path, options: str) -> bool:
    """Mount a disk in memory of its own; say whether this machine let us."""
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    with suppress(FileNotFoundError):
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    return False


def unmount(folder: Path) -> None:
    gc.collect()  # a clip that could not be closed for lack of space is open until then
    subprocess.run(["umount", str(folder)], check=True)  # noqa: S607


def _can_mount() -> bool:
    with TemporaryDirectory() as folder:
        mounted = mount(Path(folder), "size=64k")
        if mounted:
            unmount(Path(folder))
    return mounted


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A session whose second recording is noise, which takes space."""
    recorded = tmp_path_factory.mktemp("recorded") / "2_2_kt"
    write_made(recorded / "video" / f"{PLAIN}.mp4", steady(60, Fraction(5)))
    draw = np.random.default_rng(1)
    noise = ((0, k, draw.integers(0, 256, (144, 256, 3), np.uint8)) for k in range(60))
    track = VideoTrack(256, 144, Fraction(5), options=FAST)
    write_video(recorded / "video" / f"{NOISY}.mp4", [track], noise)
    write_project(recorded, "0205", {f"{name}.mp4": [(0, 12, "1")] for name in (PLAIN, NOISY)})
    return cut_whole(copied(recorded, tmp_path_factory.mktemp("unbroken")))


@pytest.fixture
def session(unbroken: Path, tmp_path: Path) -> Path:
    base_dir = tmp_path / unbroken.name
    base_dir.mkdir()
    for folder in ("video", "via"):
        copied(unbroken / folder, base_dir)
    return base_dir


def limited(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Run the program in a process whose files cannot grow beyond the limit."""
    sizes = (LIMIT_BYTES, LIMIT_BYTES)
    return subprocess.run(
        [sys.executable, "-m", "dogclips", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, sizes),
    )


def cut_in_need(
    base_dir: Path, run: Callable[..., subprocess.CompletedProcess[str]] = dogclips
) -> str:
    """Return what a run says that cannot write all its clips."""
    shown = run("cut", base_dir, *OPTIONS)
    assert shown.returncode == 1, shown.stderr
    assert shown.stderr.startswith("error: ")
    assert shown.stderr.count("\n") == 1
    return shown.stderr


def assert_plain_clips_are_there(base_dir: Path, unbroken: Path) -> None:
    whole = {name: data for name, data in clips_in(unbroken).items() if PLAIN in name}
    found = {name: data for name, data in clips_in(base_dir).items() if name.endswith(".mp4")}
    assert {name: data for name, data in found.items() if PLAIN in name} == whole
    assert all(found[name] == clips_in(unbroken)[name] for name in found)
    assert parts_in(base_dir) == []


def test_a_clip_that_does_not_fit_stops_the_run_and_costs_no_other(
    session: Path, unbroken: Path
) -> None:
    said = cut_in_need(session, limited)

    assert "cannot be written" in said
    assert "the free space" in said
    assert_plain_clips_are_there(session, unbroken)
    cut_whole(session)
    assert_as_unbroken(session, unbroken)


@pytest.fixture
def small_disk(session: Path) -> Iterator[Path]:
    """The output folder on a disk of its own with 300 kB."""
    output = session / "output"
    output.mkdir()
    assert mount(output, "size=300k")
    yield output
    unmount(output)


def test_a_disk_that_is_full_stops_the_run_until_there_is_space(
    session: Path, unbroken: Path, small_disk: Path
) -> None:
    said = cut_in_need(session)

    assert "the free space" in said
    assert_plain_clips_are_there(session, unbroken)
    mount(small_disk, "remount,size=16m")
    cut_whole(session)
    assert_as_unbroken(session, unbroken)


def test_a_disk_without_any_space_is_one_line(session: Path, small_disk: Path) -> None:
    with suppress(OSError), (small_disk / "filling").open("wb") as filling:
        while True:
            os.write(filling.fileno(), bytes(4096))

    assert "free space" in cut_in_need(session, started)
    assert parts_in(session) == []


def test_a_disk_that_is_only_read_is_one_line(session: Path, small_disk: Path) -> None:
    mount(small_disk, "remount,ro")

    said = cut_in_need(session)

    assert "the folder is not writable" in said


if not _can_mount():
    del test_a_disk_that_is_full_stops_the_run_until_there_is_space
    del test_a_disk_without_any_space_is_one_line
    del test_a_disk_that_is_only_read_is_one_line
