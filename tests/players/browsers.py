"""Seek through files in real browsers, without a webdriver, and bring back what they painted.

A server on the loopback interface hands the browser a page, a list of jobs and the files, and takes
the pictures back.
"""

import base64
import json
import os
import queue
import re
import secrets
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np

from dogclips.demo.numbers import read_number

PROGRAMS = {
    "chrome": ("chromium", "google-chrome", "chrome"),
    "firefox": ("firefox-esr", "firefox"),
}
_SESSION_S = 120
_PAGE = Path(__file__).with_name("page.html")
_TYPES = {".mp4": "video/mp4", ".webm": "video/webm", ".mkv": "video/x-matroska"}

# A fresh profile calls nobody and shows no first-run page.
_CHROMIUM_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-extensions",
    "--no-first-run",
    "--no-default-browser-check",
    "--no-proxy-server",
    "--mute-audio",
    "--autoplay-policy=no-user-gesture-required",
)
_FIREFOX_PREFERENCES: Mapping[str, bool | int | str] = {
    "app.normandy.enabled": False,
    "app.update.enabled": False,
    "browser.aboutwelcome.enabled": False,
    "browser.newtabpage.enabled": False,
    "browser.safebrowsing.downloads.enabled": False,
    "browser.safebrowsing.malware.enabled": False,
    "browser.safebrowsing.phishing.enabled": False,
    "browser.search.update": False,
    "browser.shell.checkDefaultBrowser": False,
    "browser.startup.homepage_override.mstone": "ignore",
    "browser.startup.page": 0,
    "datareporting.healthreport.uploadEnabled": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "datareporting.policy.firstRunURL": "",
    "extensions.getAddons.cache.enabled": False,
    "extensions.systemAddon.update.enabled": False,
    "extensions.update.enabled": False,
    "media.autoplay.default": 0,
    "media.gmp-manager.updateEnabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "network.dns.disablePrefetch": True,
    "network.prefetch-next": False,
    "network.proxy.type": 0,
    "services.settings.server": "data:,",
    "toolkit.telemetry.enabled": False,
    "toolkit.telemetry.reportingpolicy.firstRun": False,
    "toolkit.telemetry.server": "",
    "toolkit.telemetry.unified": False,
    "trailhead.firstrun.didSeeAboutWelcome": True,
}


@dataclass(frozen=True)
class Seek:
    """After one seek: the time that the player tells, and the number that it paints."""

    told_s: float
    number: int | None


@dataclass(frozen=True)
class Played:
    """What a player did with one file; `error` says why it did not make all seeks."""

    seeks: list[Seek] = field(default_factory=list)
    error: str | None = None


def program_of(player: str) -> str | None:
    """Return the installed program of a browser."""
    return next(filter(None, map(shutil.which, PROGRAMS[player])), None)


def play_in_browser(
    player: str, jobs: Mapping[Path, Sequence[float]], scratch: Path
) -> list[Played]:
    """Seek each file to its times, in one start of the browser."""
    with _Desk(jobs) as desk, running(player, desk.url, scratch):
        try:
            answer = desk.answers.get(timeout=_SESSION_S)
        except queue.Empty:
            log = (scratch / "log").read_text(errors="replace")[-2000:]
            raise TimeoutError(f"{player} sent nothing in {_SESSION_S} s: {log}") from None
    return [_played(entry) for entry in answer]


def _played(entry: dict[str, Any]) -> Played:
    seeks = []
    for picture in entry["pictures"]:
        gray = np.frombuffer(base64.b64decode(picture["gray"]), np.uint8)
        number = read_number(gray.reshape(picture["height"], picture["width"]))
        seeks.append(Seek(picture["time_s"], number))
    return Played(seeks, entry["error"])


@contextmanager
def running(player: str, url: str, scratch: Path, *flags: str) -> Iterator[None]:
    """Run a browser with a fresh profile; end it with all its children.

    What it says goes to `scratch/log`; further flags are its own.
    """
    # Nothing of the user's own settings: the browser's home is the scratch folder as well.
    environment = os.environ | {
        "HOME": str(scratch),
        "XDG_CONFIG_HOME": str(scratch / "config"),
        "XDG_CACHE_HOME": str(scratch / "cache"),
        "MOZ_CRASHREPORTER_DISABLE": "1",
    }
    with (scratch / "log").open("wb") as log:
        process = subprocess.Popen(
            [*_command(player, scratch / "profile"), *flags, url],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            yield
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(timeout=10)


def _command(player: str, profile: Path) -> list[str]:
    program = program_of(player)
    assert program is not None
    profile.mkdir()
    if player != "firefox":
        return [program, *_CHROMIUM_FLAGS, f"--user-data-dir={profile}"]
    settings = (json.dumps(pair)[1:-1] for pair in _FIREFOX_PREFERENCES.items())
    (profile / "user.js").write_text("".join(f"user_pref({pair});\n" for pair in settings))
    return [program, "--headless", "--no-remote", "--profile", str(profile)]


class _Desk(ThreadingHTTPServer):
    """Serves the page, the jobs and the files under a secret path; collects the answer."""

    daemon_threads = False

    def __init__(self, jobs: Mapping[Path, Sequence[float]]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.token = secrets.token_urlsafe(16)
        self.files = {f"{place}{path.suffix}": path for place, path in enumerate(jobs)}
        self.jobs = [
            {"file": name, "times_s": list(jobs[path])} for name, path in self.files.items()
        ]
        self.answers: queue.Queue[list[dict[str, Any]]] = queue.Queue()
        self.thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05})

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/{self.token}/"

    def __enter__(self) -> "_Desk":
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.thread.join()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: _Desk
    timeout = 10  # a connection that the browser opened and never used

    def do_GET(self) -> None:
        name = self._name()
        if name == "":
            self._send(HTTPStatus.OK, _PAGE.read_bytes(), "text/html; charset=utf-8")
        elif name == "jobs.json":
            self._send(HTTPStatus.OK, json.dumps(self.server.jobs).encode(), "application/json")
        elif name in self.server.files:
            self._send_file(self.server.files[name])
        else:
            self._send(HTTPStatus.NOT_FOUND, b"", "text/plain")

    def do_POST(self) -> None:
        if self._name() != "played.json":
            self._send(HTTPStatus.NOT_FOUND, b"", "text/plain")
            return
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self._send(HTTPStatus.NO_CONTENT, b"", "text/plain")
        self.server.answers.put(json.loads(body))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (its name in the base)
        """Say nothing: what matters is in the answer."""

    def _name(self) -> str | None:
        """Return what is asked for under the secret path; None for anybody else."""
        prefix = f"/{self.server.token}/"
        return self.path.removeprefix(prefix) if self.path.startswith(prefix) else None

    def _send_file(self, path: Path) -> None:
        """Send a file or the part of it that is asked for; browsers cannot seek without."""
        content, kind = path.read_bytes(), _TYPES[path.suffix]
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if wanted is None:
            self._send(HTTPStatus.OK, content, kind)
            return
        first, last = int(wanted[1]), int(wanted[2] or len(content) - 1)
        part = content[first : last + 1]
        span = f"bytes {first}-{first + len(part) - 1}/{len(content)}"
        self._send(HTTPStatus.PARTIAL_CONTENT, part, kind, {"Content-Range": span})

    def _send(
        self, status: HTTPStatus, body: bytes, kind: str, more: Mapping[str, str] | None = None
    ) -> None:
        headers = {
            "Content-Type": kind,
            "Content-Length": str(len(body)),
            "Accept-Ranges": "bytes",
            "Cache-Control": "no-store",
        }
        with suppress(ConnectionError):  # a browser that seeks drops what it asked for before
            self.send_response(status)
            for key, value in (headers | dict(more or {})).items():
                self.send_header(key, value)
            self.end_headers()
            self.wfile.write(body)
