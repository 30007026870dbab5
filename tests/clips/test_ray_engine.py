"""The clips of a Ray cluster are those of this machine, even if it loses a machine on the way."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from dogclips.clips.ray_engine import _cut, ray_engine
from dogclips.clips.units import Unit
from dogclips.errors import OutputError, UsageError
from dogclips.records.manifest import read_manifest
from tests.cli.program import dogclips
from tests.sessions import write_project
from tests.videos import steady, write_made

ALONE = pytest.mark.timing  # Ray's processes want the cores for themselves

SLOW = ("--set", "encoder.preset=slower")
OPTIONS = ("--set", "stride_seconds=2", "--set", "name.year=2024")


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six units of work, each of a second or so."""
    base_dir = tmp_path_factory.mktemp("sessions") / "2_2_kt"
    for name in ("0205", "0206"):
        made = steady(900, Fraction(5), width=320, height=180)
        write_made(base_dir / "video" / f"{name}.mp4", made)
        write_project(base_dir, name, {f"{name}.mp4": [(0, 180, "1")]})
    return base_dir


@pytest.fixture(scope="module")
def unbroken(recorded: Path) -> Path:
    """Return a copy of the session, cut by the local engine."""
    copy = recorded.parent / "unbroken" / recorded.name
    shutil.copytree(recorded, copy)  # with the files' times, which are part of a recipe
    assert dogclips("cut", copy, *OPTIONS, *SLOW).returncode == 0
    return copy


@pytest.fixture
def session(recorded: Path, tmp_path: Path) -> Path:
    copy = tmp_path / recorded.name
    shutil.copytree(recorded, copy)
    return copy


@dataclass(frozen=True)
class TwoMachines:
    """A cluster of two machines with a core each, both of them here."""

    address: str
    lose_second: Callable[[], None]
    second_raylet: int


@pytest.fixture(scope="module")
def cluster() -> Iterator[TwoMachines]:
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"  # nothing but loopback
    pytest.importorskip("ray")
    from ray.cluster_utils import Cluster  # noqa: PLC0415 (an extra, which reads what is set above)

    own = {"num_cpus": 1, "node_ip_address": "127.0.0.1", "object_store_memory": 80 * 2**20}
    found = Cluster(initialize_head=True, head_node_args={**own, "include_dashboard": False})
    try:
        second = found.add_node(**own)
        [raylet] = second.all_processes["raylet"]
        yield TwoMachines(
            found.address,
            lambda: found.remove_node(second, allow_graceful=False),
            raylet.process.pid,
        )
    finally:
        found.shutdown()


def start(*arguments: object) -> subprocess.Popen[str]:
    """Start a cut whose processes are a group of their own."""
    return subprocess.Popen(
        [sys.executable, "-m", "dogclips", "cut", *map(str, arguments), *OPTIONS, *SLOW],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def cutting(session: Path) -> dict[int, int]:
    """Return the processes that hold an unfinished clip of a session open, each with its parent."""
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            opened = [str(file.readlink()) for file in (process / "fd").iterdir()]
            parent = int((process / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:  # it has just ended
            continue
        if any(name.startswith(str(session)) and name.endswith(".mp4.part") for name in opened):
            found[int(process.name)] = parent
    return found


def wait_for(condition: Callable[[], object], seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it did not come to that"
        time.sleep(0.01)


def assert_same(session: Path, unbroken: Path) -> None:
    tables = [read_manifest(base_dir / "output") for base_dir in (session, unbroken)]
    assert tables[0] is not None
    assert tables[1] is not None
    tables[0]["status"] = tables[0]["status"].replace("reused", "cut")
    assert tables[0].equals(tables[1])
    clips = [clip for clip in tables[0]["clip"] if clip]
    assert len(clips) > 100
    for clip in clips:
        written = (session / "output" / clip).read_bytes()
        assert written == (unbroken / "output" / clip).read_bytes()
    assert not list(session.rglob("*.part"))


@ALONE
def test_our_own_error_in_a_task_is_one_line(cluster: TwoMachines, session: Path) -> None:
    shown = dogclips(
        *("cut", session, "--engine", "ray", "--address", cluster.address),
        *OPTIONS,
        *("--set", "encoder.preset=nonsense"),
    )

    assert shown.returncode == 1
    assert shown.stderr.startswith("error: the clip cannot be written: ")
    assert shown.stderr.count("\n") == 1


@ALONE
def test_a_unit_that_loses_every_process_is_an_error(cluster: TwoMachines, session: Path) -> None:
    process = start(session, "--engine", "ray", "--address", cluster.address)
    while process.poll() is None:
        for worker in cutting(session):
            os.kill(worker, signal.SIGKILL)
        time.sleep(0.01)
    _, errors = process.communicate()

    assert process.returncode == 1
    assert "was lost 4 times" in errors
    assert errors.startswith("error: ")
    assert errors.count("\n") == 1


@ALONE
def test_a_machine_that_is_lost_costs_no_clip(
    cluster: TwoMachines, session: Path, unbroken: Path
) -> None:
    process = start(session, "--engine", "ray", "--address", cluster.address)
    wait_for(lambda: cluster.second_raylet in cutting(session).values())
    cluster.lose_second()
    shown, errors = process.communicate(timeout=120)

    assert (process.returncode, errors) == (0, "")
    assert "all clips" in shown
    assert_same(session, unbroken)


@ALONE
def test_an_interrupted_run_ends_its_ray_and_the_next_one_finishes(
    session: Path, unbroken: Path
) -> None:
    process = start(session, "--engine", "ray", "--workers", "2")
    wait_for(lambda: len(cutting(session)) == 2)
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=60)

    assert process.returncode == 130
    assert errors == (
        "error: interrupted: finished work is kept; run the same command again to continue\n"
    )
    assert not list(session.rglob("*.part"))
    assert not cutting(session)
    again = start(session, "--engine", "ray")
    again.communicate(timeout=120)
    assert again.returncode == 0
    assert_same(session, unbroken)


def test_without_ray_the_extra_is_named(session: Path) -> None:
    program = "import sys; sys.modules['ray'] = None; from dogclips.cli import main; main()"
    shown = subprocess.run(
        [sys.executable, "-c", program, "cut", str(session), "--engine", "ray"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert shown.returncode == 2
    assert shown.stderr.startswith("error: Ray is not installed (--engine ray): ")
    assert "extra `ray`" in shown.stderr
    assert shown.stderr.count("\n") == 1


def test_a_cluster_that_does_not_answer_is_said_at_once(session: Path) -> None:
    began = time.monotonic()
    shown = dogclips("cut", session, *OPTIONS, "--engine", "ray", "--address", "127.0.0.1:1")

    assert shown.returncode == 1
    assert shown.stderr.startswith("error: cannot join a cluster: ")
    assert shown.stderr.count("\n") == 1
    assert time.monotonic() - began < 30


@pytest.mark.parametrize("address", ["nonsense", "ray://127.0.0.1:1", "host:", "", "host:1:2"])
def test_what_is_no_address_is_wrong_usage(address: str) -> None:
    with pytest.raises(UsageError, match="is not an address"):
        ray_engine(address)


def test_a_machine_with_other_versions_cuts_nothing(tmp_path: Path) -> None:
    unit: Any = Unit
    found = _cut(unit, "dogclips 0.0.1, av 1.0")

    assert isinstance(found, OutputError)
    assert "not dogclips 0.0.1, av 1.0" in str(found)
