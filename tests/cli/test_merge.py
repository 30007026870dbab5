"""Shards that run side by side, killed or not, make what one run makes."""

import json
import shutil
import signal
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import pytest

from dogclips.records.manifest import read_manifest
from tests.cli.program import dogclips
from tests.sessions import write_project
from tests.videos import steady, write_made

OPTIONS = ("--set", "stride_seconds=2", "--set", "short_side=64", "--workers", "1")


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five minutes in three recordings, and an annotation file whose recording is not there."""
    base_dir = tmp_path_factory.mktemp("recorded") / "2_2_kt"
    for name in ("020500", "020600", "020700"):
        made = steady(500, Fraction(5))
        write_made(base_dir / "video" / f"{name}.mp4", made)
        write_project(base_dir, name, {f"{name}.mp4": [(0, 60, "1"), (50, 90, "2")]})
    write_project(base_dir, "020800", {"020800.mp4": [(0, 4, "0")]})
    return base_dir


@pytest.fixture
def session(recorded: Path, tmp_path: Path) -> Path:
    """Return a copy with the files' times, which are part of a recipe."""
    return shutil.copytree(recorded, tmp_path / recorded.name)


@pytest.fixture(scope="module")
def unbroken(recorded: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the session, cut by one run."""
    copy = shutil.copytree(recorded, tmp_path_factory.mktemp("unbroken") / recorded.name)
    assert dogclips("cut", copy, *OPTIONS).returncode == 1  # for the recording that is not there
    return copy


@pytest.fixture(scope="module")
def as_one_shard(recorded: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of which every recording is there, cut as a single shard."""
    copy = shutil.copytree(recorded, tmp_path_factory.mktemp("shard") / recorded.name)
    (copy / "via" / "020800.json").unlink()
    assert dogclips("cut", copy, *OPTIONS, "--shard", "1/1").returncode == 0
    return copy


PROGRAM = "from dogclips.cli import main; main()"

# The program, killed between the last byte of its twentieth clip and the clip's name.
KILLED = """
import itertools, os, signal
rename, clips = os.replace, itertools.count(1)
def replace(source, target):
    if str(target).endswith(".mp4") and next(clips) == 20:
        os.kill(os.getpid(), signal.SIGKILL)
    rename(source, target)
os.replace = replace
"""


def start(session: Path, shard: str, program: str = PROGRAM) -> subprocess.Popen[str]:
    """Start a shard in a process that has no other processes."""
    return subprocess.Popen(
        [
            *(sys.executable, "-c", program, "cut", str(session), *OPTIONS),
            *("--shard", shard, "--json"),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def cut_here(session: Path, shard: str) -> subprocess.CompletedProcess[str]:
    """Cut a shard in this process, beside those that were started."""
    return dogclips("cut", session, *OPTIONS, "--shard", shard, "--json")


def files_in(output: Path) -> dict[str, bytes]:
    return {
        path.relative_to(output).as_posix(): path.read_bytes()
        for path in sorted(output.rglob("*"))
        if path.is_file() and path.name != ".lock"
    }


def assert_same(session: Path, unbroken: Path) -> None:
    """Compare all files, but for where the session lies and whether clips were reused."""
    found, expected = files_in(session / "output"), files_in(unbroken / "output")
    assert sorted(found) == sorted(expected)
    for name, content in expected.items():
        here = found[name].replace(str(session).encode(), str(unbroken).encode())
        here = here.replace(b",reused,", b",cut,")
        if not name.endswith(".parquet"):
            assert here == content, name
    tables = [read_manifest(base_dir / "output") for base_dir in (session, unbroken)]
    assert tables[0] is not None
    assert tables[1] is not None
    tables[0]["status"] = tables[0]["status"].replace("reused", "cut")
    tables[0]["reason"] = tables[0]["reason"].str.replace(str(session), str(unbroken))
    assert tables[0].equals(tables[1])


def test_shards_that_run_at_once_and_are_merged_make_what_one_run_makes(
    session: Path, unbroken: Path
) -> None:
    others = [start(session, f"{number}/3") for number in (2, 3)]
    first = cut_here(session, "1/3")
    said = [first.stdout, *(other.communicate(timeout=120)[0] for other in others)]
    documents = [json.loads(text) for text in said]

    assert [shard.returncode for shard in (first, *others)] == [1, 0, 0]
    assert all(document["cut"] > 0 for document in documents)
    assert not list((session / "output").rglob("*.txt"))
    assert not (session / "output" / "manifest.parquet").exists()

    merged = dogclips("merge", session, "--json")

    assert merged.returncode == 1
    whole = json.loads(merged.stdout)
    assert whole["cut"] == whole["planned"] == sum(document["cut"] for document in documents) > 100
    assert "no recording is named '020800.mp4'" in whole["failed"][0]["reason"]
    assert_same(session, unbroken)


def test_a_killed_shard_that_runs_again_changes_nothing(session: Path, unbroken: Path) -> None:
    killed = start(session, "2/2", KILLED + PROGRAM)
    other = cut_here(session, "1/2")
    killed.communicate(timeout=120)
    assert (killed.returncode, other.returncode) == (-signal.SIGKILL, 1)
    assert list((session / "output").rglob("*.mp4.part"))

    refused = dogclips("merge", session)
    assert refused.returncode == 1
    assert refused.stderr.startswith("error: ")
    assert refused.stderr.count("\n") == 1
    assert "2/2" in refused.stderr

    assert cut_here(session, "2/2").returncode == 0
    dogclips("merge", session)
    assert_same(session, unbroken)


def test_merging_twice_says_that_there_is_nothing_to_merge(
    as_one_shard: Path, tmp_path: Path
) -> None:
    session = shutil.copytree(as_one_shard, tmp_path / as_one_shard.name)
    first = dogclips("merge", session)
    before = files_in(session / "output")

    again = dogclips("merge", session)

    assert first.returncode == 0
    assert "all clips" in first.stdout
    assert again.returncode == 1
    assert again.stdout == ""
    assert again.stderr.startswith("error: no shards to merge (")
    assert files_in(session / "output") == before


def test_one_session_that_cannot_be_merged_does_not_stop_the_others(
    as_one_shard: Path, tmp_path: Path
) -> None:
    session = shutil.copytree(as_one_shard, tmp_path / as_one_shard.name)

    merged = dogclips("merge", session.parent / "absent", session, "--json")

    assert merged.returncode == 1
    assert json.loads(merged.stdout)["cut"] > 0
    assert merged.stderr.startswith("error: no shards to merge (")
    assert (session / "output" / "dataset.txt").exists()
    assert not (session.parent / "absent").exists()


def test_a_dry_run_of_a_shard_shows_its_share_and_writes_nothing(session: Path) -> None:
    shares = [
        json.loads(dogclips("cut", session, "--dry-run", "--json", "--shard", shard).stdout)
        for shard in ("1/2", "2/2")
    ]
    whole = json.loads(dogclips("cut", session, "--dry-run", "--json").stdout)

    assert sum(share["planned"] for share in shares) == whole["planned"]
    assert all(share["planned"] > 0 for share in shares)
    assert not (session / "output").exists()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--shard", "4/3"], "I from 1 to N"),
        (["--shard", "0/3"], "I from 1 to N"),
        (["--shard", "1/2", "--prune"], "a shard cannot delete clips"),
        (["--address", "127.0.0.1:6379"], "only a Ray cluster has an address"),
        (["--engine", "slurm"], "engine"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_done(
    tmp_path: Path, options: list[str], says: str
) -> None:
    shown = dogclips("cut", tmp_path, *options)

    assert shown.returncode == 2
    assert shown.stderr.count("\n") == 1
    assert says in shown.stderr
    assert not list(tmp_path.iterdir())
