import gc
import os
import signal
import subprocess
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# How fast a busy machine is says nothing about the code.
settings.register_profile("random", deadline=None, suppress_health_check=[HealthCheck.too_slow])
# The same cases every time: whether a commit passes is no matter of luck. `make fuzz` draws others.
settings.register_profile("same", settings.get_profile("random"), derandomize=True)
settings.load_profile("same")


def pytest_configure() -> None:
    """Draw the seed of tests that draw their cases, once for all worker processes."""
    os.environ.setdefault("DOGCLIPS_SEED", str(_seed_of_commit()))
    # A shell that runs the tests in the background lets them, and every program that they start,
    # ignore Ctrl-C, which some tests send.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _seed_of_commit() -> int:
    """Return a number that each commit has of its own: one that passed passes again."""
    command = ["git", "-C", str(Path(__file__).parent), "rev-parse", "--short=7", "HEAD"]
    try:
        found = subprocess.run(command, capture_output=True, text=True, check=True, timeout=10)
    except (OSError, subprocess.SubprocessError):  # no repository, or no git
        return 0
    return int(found.stdout, 16)


# Files that take more than fifteen seconds, the longest first.
LONG = (
    "tests/test_demo.py",
    "tests/training/test_machine.py",
    "tests/pairs/test_alignment.py",
    "tests/faults/test_kills.py",
    "tests/cuts/test_cuts.py",
    "tests/players/test_seeks.py",
    "tests/training/test_run.py",
    "tests/training/test_signals.py",
    "tests/test_home_falls.py",
    "tests/cli/test_predict.py",
    "tests/faults/test_memory.py",
    "tests/steps/test_train_and_predict.py",
    "tests/annotations/test_damage.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest, so that both processes end at about the same time."""
    order = {name: number for number, name in enumerate(LONG)}

    def place(item: pytest.Item) -> tuple[int, bool]:
        file = item.nodeid.partition("::")[0]
        return order.get(file, len(LONG)), item.get_closest_marker("training") is None

    items.sort(key=place)


def pytest_collection_finish() -> None:
    """Never look for garbage among what was loaded so far, which stays: a million objects."""
    gc.freeze()


def pytest_unconfigure() -> None:
    """Let everything be taken apart at exit, or some libraries report leaks."""
    gc.unfreeze()


def pytest_report_header() -> str:
    """Print the seed, so that a failure can be repeated."""
    return f"DOGCLIPS_SEED={os.environ['DOGCLIPS_SEED']}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where everything is present, a skipped test is a failed one."""
    report = yield
    if report.skipped and os.environ.get("DOGCLIPS_NO_SKIPS") and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped although nothing may be skipped here: {report.longrepr}"
    return report
