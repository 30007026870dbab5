"""The story of `pipelines/sessions.py` on real phone recordings, told once for all tests."""

import shutil
from pathlib import Path

from filelock import FileLock

from pipelines.sessions import main
from tests.shared import SHARED

SESSIONS = ("12_4_s1", "12_5_s2", "12_6_s3", "12_7_s4")
CONFIG = "short_recordings"  # by which the story cuts
_LONGEST_S = 600


def told(base: Path) -> Path:
    """Return a folder: in `Dec` a copy of the sessions, cut; in `run` a model of two epochs.

    Do not change what lies in it. `base` is pytest's folder: the processes of one run of the tests
    share the folder above it.
    """
    base = base.parent if base.name.startswith("popen-") else base
    folder, done = base / "home_falls", base / "home_falls.done"
    with FileLock(base / "home_falls.lock", timeout=_LONGEST_S):
        if not done.exists():
            shutil.rmtree(folder, ignore_errors=True)
            shutil.copytree(SHARED / "data" / "home_falls" / "Dec", folder / "Dec")
            main(folder / "Dec", folder / "run", "trainer.epochs=2")
            done.touch()
    return folder
