"""Run the program as a user would."""

import os
import subprocess
import sys
from pathlib import Path


def dogclips(
    *arguments: object, cwd: Path | None = None, timeout: float = 240, **environment: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "dogclips", *(str(argument) for argument in arguments)],
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
        cwd=cwd,
        env=os.environ | environment,
    )
