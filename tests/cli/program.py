"""Run the program as a user would."""

import os
import signal
import subprocess
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from unittest.mock import patch

from dogclips.cli import main


def dogclips(
    *arguments: object, cwd: Path | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run a command in this process, which has imported torch already; see `started`.

    What it writes to its file descriptors is caught, whoever writes it.
    """
    given = ["dogclips", *(str(argument) for argument in arguments)]
    with (
        TemporaryFile() as out,
        TemporaryFile() as err,
        patch.dict(os.environ, environment),
        patch.object(sys, "argv", given),
        _inside(cwd),
        warnings.catch_warnings(action="default"),
    ):
        with _written_to(1, out.fileno()), _written_to(2, err.fileno()):
            code = _exit_code()
        texts = [_text(file) for file in (out, err)]
    return subprocess.CompletedProcess(given, code, *texts)


def started(
    *arguments: object, cwd: Path | None = None, timeout: float = 240, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run a command in a process of its own, where that is what a test is about."""
    return subprocess.run(
        [sys.executable, "-m", "dogclips", *(str(argument) for argument in arguments)],
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
        cwd=cwd,
        env=os.environ | environment,
    )


def _exit_code() -> int:
    terminated = signal.getsignal(signal.SIGTERM)
    try:
        main()
    except SystemExit as left:
        return left.code if isinstance(left.code, int) else int(left.code is not None)
    finally:
        signal.signal(signal.SIGTERM, terminated)
    return 0


def _text(file: object) -> str:
    file.seek(0)  # type: ignore[attr-defined]
    return file.read().decode()  # type: ignore[attr-defined]


@contextmanager
def _inside(cwd: Path | None) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(cwd or before)
    try:
        yield
    finally:
        os.chdir(before)


@contextmanager
def _written_to(descriptor: int, file: int) -> Iterator[None]:
    """Let a file descriptor, and the stream of Python that writes to it, write to a file."""
    name = {1: "stdout", 2: "stderr"}[descriptor]
    saved = os.dup(descriptor)
    os.dup2(file, descriptor)
    stream = open(descriptor, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    try:
        with stream, patch.object(sys, name, stream):
            yield
    finally:
        os.dup2(saved, descriptor)
        os.close(saved)
