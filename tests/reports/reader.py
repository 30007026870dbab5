"""Open a page in headless Chromium, and bring back what a person would see of it."""

import json
import queue
import re
import threading
from collections.abc import Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.players.browsers import program_of, running

DESKTOP, PHONE = 1280, 390
_READER = Path(__file__).with_name("reader.html")
_PATIENCE_S = 90
# No name is ever resolved, and what a page says to its console goes to the log.
_FLAGS = ("--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", "--enable-logging=stderr")

has_chromium = program_of("chrome") is not None


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, files: Mapping[str, bytes]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files, self.asked = files, list[str]()
        self.answers: queue.Queue[dict[str, Any]] = queue.Queue()


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        body = self.server.files.get(self.path)
        self.send_response(204 if body is None else 200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body or b"")))
        self.end_headers()
        self.wfile.write(body or b"")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(204)
        self.end_headers()
        self.server.answers.put(json.loads(body))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (its name in the base)
        """Say nothing."""


def read_page(
    page: bytes, scratch: Path, widths: Sequence[int] = (DESKTOP, PHONE)
) -> dict[int, dict[str, Any]]:
    """Return what the reader saw at each width, after the page loaded nothing and complained never.

    The page is opened in a frame of that width, so that its own policy stays in force.
    """
    script = _READER.read_text().replace("WIDTHS", json.dumps(list(widths)))
    files = {"/": script.encode(), "/page.html": page}
    with _Server(files) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            url = f"http://127.0.0.1:{server.server_port}/"
            with running("chrome", url, scratch, *_FLAGS):
                seen = server.answers.get(timeout=_PATIENCE_S)
        finally:
            server.shutdown()
            thread.join()
        asked = set(server.asked)
    assert "error" not in seen, seen
    assert asked <= {"/", "/page.html", "/favicon.ico"}
    complaints = re.findall(r"CONSOLE.*", (scratch / "log").read_text(errors="replace"))
    assert complaints == []
    return {int(width): own for width, own in seen.items()}
