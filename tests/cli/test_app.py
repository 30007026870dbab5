"""The program as a whole: help, exit codes, one line for every fault."""

import json
import re
import resource
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

import pytest

from tests.cli.program import dogclips, started
from tests.sessions import write_project, write_session
from tests.videos import steady, write_made

COMMANDS = (
    "probe",
    "align",
    "check",
    "convert",
    "cut",
    "merge",
    "split",
    "export",
    "train",
    "test",
    "report",
    "lr-find",
    "browse",
    "predict",
    "models",
    "weights",
    "demo",
)
DOCS = Path(__file__).parents[2] / "docs"


def test_help_answers_at_once() -> None:
    def cpu_seconds() -> float:
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return used.ru_utime + used.ru_stime

    runs = []
    for _ in range(5):
        before = cpu_seconds()
        assert started("--help").returncode == 0
        runs.append(cpu_seconds() - before)

    assert min(runs) < 0.3


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_stands_in_a_page_that_says_how_to_use_it(command: str) -> None:
    pages = [*DOCS.glob("*.md"), *DOCS.glob("howto/*.md")]

    assert any(f"dogclips {command}" in page.read_text() for page in pages)


def test_the_version_is_that_of_the_package() -> None:
    assert re.fullmatch(r"dogclips \d+\.\d+\.\d+\n", dogclips("--version").stdout)


def test_no_command_prints_help_and_is_wrong_usage() -> None:
    shown = dogclips()

    assert shown.returncode == 2
    assert "Usage: dogclips" in shown.stdout


TRAIN = ["train", "--set", "model.name=slowfast", "--out", "run"]

FAULTS = {
    "unknown command": (["prob"], 2, "No such command 'prob'"),
    "unknown option": (["probe", "--depe", "x.mp4"], 2, "no such option: --depe"),
    "bad stream": (["probe", "x.mp4", "--reference", "first"], 2, "--reference"),
    "missing video": (["probe", "missing.mp4"], 1, "no such file (missing.mp4)"),
    "text as video": (["probe", "text.mp4"], 1, "cannot be opened as video"),
    "missing session": (["cut", "missing"], 1, "no such folder (missing)"),
    "empty session": (["cut", "empty"], 1, "no recordings (empty/video)"),
    "unknown key": (
        ["cut", "session", "--set", "encoder.cfr=20"],
        2,
        "unknown config key `encoder.cfr` (--set): did you mean `encoder.crf`?",
    ),
    "wrong type": (["cut", "session", "--set", "clip_seconds=four"], 2, "`clip_seconds`"),
    "missing config": (["cut", "session", "--config", "no.yaml"], 2, "no such config file"),
    "--set without a value": (["cut", "session", "--set", "clip_seconds"], 2, "KEY=VALUE"),
    "missing list": (["split", "missing.txt", "--out", "split"], 1, "cannot be read (missing.txt)"),
    "empty list": (["split", "empty.txt", "--out", "split"], 1, "the list is empty (empty.txt)"),
    "uncut session": (["split", "session", "--out", "split"], 1, "no clips here (session)"),
    "train on an empty list": (
        [*TRAIN, "--train", "empty.txt", "--val", "empty.txt"],
        1,
        "the list is empty",
    ),
    "unknown training key": (
        ["train", "--out", "run", "--set", "optimizer.lrr=1"],
        2,
        "did you mean `optimizer.lr`?",
    ),
    "missing run": (["test", "no-run", "--list", "empty.txt"], 1, "no-run"),
}


@pytest.fixture
def workplace(tmp_path: Path) -> Path:
    (tmp_path / "text.mp4").write_text("walk\n" * 400)
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty.txt").touch()
    (tmp_path / "labels.txt").write_text("walk\n")
    write_session(tmp_path / "session", streams=[steady(20)])
    return tmp_path


@pytest.mark.parametrize(("arguments", "code", "message"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_one_line_and_leaves_nothing_behind(
    workplace: Path, arguments: list[str], code: int, message: str
) -> None:
    before = sorted(workplace.rglob("*"))

    shown = dogclips(*arguments, cwd=workplace)

    errors = [line for line in shown.stderr.splitlines() if line]
    assert shown.returncode == code
    assert len(errors) == 1
    assert errors[0].startswith("error: ")
    assert message in errors[0]
    assert ": " in errors[0].removeprefix("error: ")
    assert sorted(workplace.rglob("*")) == before


def test_debug_shows_the_traceback(tmp_path: Path) -> None:
    shown = started("--debug", "split", tmp_path / "missing.txt", "--out", tmp_path / "out")

    assert "Traceback" in shown.stderr
    assert "ListError" in shown.stderr


def test_a_project_that_is_no_json_is_a_row_and_stops_no_other(tmp_path: Path) -> None:
    session = write_session(tmp_path / "session", streams=[steady(100)])
    write_project(session, "0206", {"020500.mp4": []}).write_text('{"project": ')

    shown = dogclips("cut", session, "--json")

    assert shown.returncode == 1
    document = json.loads(shown.stdout)
    assert document["cut"] == 1
    [failure] = document["failed"]
    assert failure["project"] == "0206"
    assert "V001 not valid JSON at line 1" in failure["reason"]


@pytest.mark.timing
def test_a_probe_takes_at_most_twice_its_libraries_and_one_ffprobe(tmp_path: Path) -> None:
    many = steady(3600), steady(3590, first=10, late=10, width=256, height=144)
    path = write_made(tmp_path / "long.mp4", *many)
    libraries = [sys.executable, "-c", "import numpy, pydantic, typer"]
    reader = ["ffprobe", "-v", "error", "-show_packets", "-of", "json", str(path)]

    ours, theirs = [], []
    for _ in range(7):  # by turns, and judged by medians: one quick start must decide nothing
        ours.append(seconds_of([sys.executable, "-m", "dogclips", "probe", str(path), "--json"]))
        theirs.append(seconds_of(libraries) + seconds_of(reader))

    assert median(ours) < 2 * median(theirs)


def seconds_of(command: list[str]) -> float:
    began = time.monotonic()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - began
