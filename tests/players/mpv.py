"""Seek through files in mpv, the player of BORIS, over its JSON socket."""

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

import av

from dogclips.demo.numbers import read_number
from tests.players.browsers import Played, Seek

_START_S = 10
_ANSWER_S = 10


def play_in_mpv(jobs: Mapping[Path, Sequence[float]], scratch: Path) -> list[Played]:
    """Seek each file to its times, in one start of mpv."""
    with _running(scratch) as mpv:
        return [_play(mpv, path, times, scratch) for path, times in jobs.items()]


def _play(mpv: "_Mpv", path: Path, times: Sequence[float], scratch: Path) -> Played:
    seeks: list[Seek] = []
    mpv.ask("loadfile", str(path))
    try:
        mpv.wait_for("playback-restart")
        for time_s in times:
            mpv.ask("seek", time_s, "absolute+exact")
            mpv.wait_for("playback-restart")
            picture = scratch / "picture.png"
            mpv.ask("screenshot-to-file", str(picture), "video")
            seeks.append(Seek(mpv.ask("get_property", "time-pos"), _number_in(picture)))
    except RuntimeError as error:
        return Played(seeks, str(error))
    return Played(seeks)


def step_in_mpv(paths: Iterable[Path], scratch: Path, steps: int = 8) -> list[Played]:
    """Show the first frames of each file one after the other, without a seek.

    mpv seeks in transport and program streams to places that it does not tell.
    """
    with _running(scratch) as mpv:
        return [_step(mpv, path, steps, scratch) for path in paths]


def _step(mpv: "_Mpv", path: Path, steps: int, scratch: Path) -> Played:
    seeks: list[Seek] = []
    picture = scratch / "picture.png"
    mpv.ask("loadfile", str(path))
    try:
        mpv.wait_for("playback-restart")
        for _ in range(steps):
            before = mpv.ask("get_property", "time-pos")
            mpv.ask("screenshot-to-file", str(picture), "video")
            seeks.append(Seek(before, _number_in(picture)))
            mpv.ask("frame-step")
            until = time.monotonic() + _ANSWER_S
            while mpv.ask("get_property", "time-pos") == before and time.monotonic() < until:
                time.sleep(0.01)
    except RuntimeError as error:
        return Played(seeks, str(error))
    return Played(seeks)


def _number_in(picture: Path) -> int | None:
    with av.open(str(picture)) as container:
        return read_number(next(container.decode(video=0)).to_ndarray(format="gray"))


class _Mpv:
    """The far end of mpv's socket: a line of JSON each way."""

    def __init__(self, lines: BinaryIO) -> None:
        self.lines = lines
        self.events: list[str] = []

    def ask(self, *command: str | float) -> Any:
        """Give a command, wait until it is done, and return what it gives."""
        self.events.clear()  # what happened before is not an answer to this
        self.lines.write(json.dumps({"command": command}).encode() + b"\n")
        self.lines.flush()
        while "error" not in (answer := self._next()):
            self.events.append(answer["event"])
        if answer["error"] != "success":
            raise RuntimeError(f"mpv cannot {command}: {answer['error']}")
        return answer.get("data")

    def wait_for(self, event: str) -> None:
        """Wait for an event that follows the last command."""
        while event not in self.events:
            answer = self._next()
            self.events.append(answer["event"])
            if answer["event"] == "end-file" and answer["reason"] == "error":
                raise RuntimeError(f"mpv: {answer.get('file_error')}")

    def _next(self) -> dict[str, Any]:
        line = self.lines.readline()
        if not line:
            raise RuntimeError("mpv has ended")
        return json.loads(line)  # type: ignore[no-any-return]


@contextmanager
def _running(scratch: Path) -> Iterator[_Mpv]:
    """Run mpv without a screen or a loudspeaker; end it and its children."""
    # Paths of sockets are short; the test's folder may be deep, so mpv starts inside it.
    process = subprocess.Popen(
        [  # noqa: S607 (found on the user's path)
            "mpv", "--no-config", "--idle", "--pause", "--vo=null", "--ao=null", "--no-terminal",
            "--keep-open=always", "--hr-seek=yes", "--load-scripts=no", "--ytdl=no",
            "--screenshot-png-compression=0", "--input-ipc-server=socket",
        ],
        cwd=scratch,
        env=os.environ | {"HOME": str(scratch)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip
    try:
        with _connected(scratch / "socket") as end, end.makefile("rwb") as lines:
            yield _Mpv(lines)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(timeout=10)


def _connected(path: Path) -> socket.socket:
    """Return a socket to mpv once it listens."""
    until = time.monotonic() + _START_S
    # The kernel takes 107 bytes of a path, but a folder's descriptor has a short one.
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        while True:
            end = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            end.settimeout(_ANSWER_S)
            try:
                end.connect(f"/proc/self/fd/{folder}/{path.name}")
            except (FileNotFoundError, ConnectionRefusedError):
                end.close()
                if time.monotonic() > until:
                    raise
                time.sleep(0.02)
            else:
                return end
    finally:
        os.close(folder)
