"""The real VIA 3 opens the projects that we write, and shows every segment on its timeline.

`DOGCLIPS_VIA3` names a checkout of VIA 3: the folder that holds `src/html`. It is nobody's package,
so nothing installs it; where the variable is not set, this file holds no test at all, not even a
skipped one.
"""

import json
import os
import queue
import shutil
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from dogclips.annotations import Media, read_annotations
from dogclips.annotations.via_writing import via_project
from dogclips.segments import segment_table
from tests.players.browsers import program_of, running
from tests.videos import steady, write_made

VIA3 = os.environ.get("DOGCLIPS_VIA3")
pytestmark = pytest.mark.players

PAGE = "src/html/_via_video_annotator.html"
ROWS: list[dict[str, Any]] = [
    {"source_id": "1", "task": "behaviour", "label": "walk", "t_start": 0.5, "t_end": 4.0},
    {"source_id": "1", "task": "context", "label": "indoor", "t_start": 0.5, "t_end": 4.0},
    {"source_id": "1", "task": "context", "label": "two dogs", "t_start": 0.5, "t_end": 4.0},
    {"source_id": "2", "task": "behaviour", "label": "sit", "t_start": 3.33333, "t_end": 9.12345},
    {"source_id": "3", "task": "behaviour", "label": 'a "b", <c>', "t_start": 1.0, "t_end": 2.0},
    {"source_id": "4", "task": "behaviour", "label": "walk", "t_start": 6.0, "t_end": 7.5},
]
SUBJECTS = {"1": "Rex", "2": "Ada", "3": "", "4": "Ada"}
OPTIONS = {"behaviour": {"0": "sit", "1": "walk", "2": "run"}}

# Runs in the application's own page: opens the project as its open button does, waits until the
# timelines are drawn, and sends back what they are.
SCRIPT = """
function is_painted(line, gid, place, mid) {
  const [left, right] = via.d.store.metadata[mid].z.map(
    time => line._tmetadata_gtimeline_time2canvas(time));
  const y = (line.linehn[1] + line.linehn[2]) / 2;
  const rgb = line.gctx[gid].getImageData((left + right) / 2, y, 1, 1).data.slice(0, 3);
  const colour = "#" + Array.from(rgb, part => part.toString(16).padStart(2, "0")).join("");
  return colour.toUpperCase() === line.COLOR_LIST[place % line.NCOLOR].toUpperCase();
}

async function answer() {
  const text = await (await fetch("/project.json")).text();
  const picked = [new File([text], "project.json", {type: "application/json"})];
  via.cp._project_load_on_local_file_select({target: {files: picked}});
  await new Promise(later => setTimeout(later, 500));
  if (via.d.store.file["1"].loc === 1) {  // as its user picks the file that the project names
    const data = await (await fetch("/clip one.mp4")).blob();
    await via.d.file_update("1", "src", new File([data], "clip one.mp4", {type: "video/mp4"}));
    via.va.view_show("1");
  }
  let line;
  for (let tries = 0; tries < 300; ++tries) {
    await new Promise(later => setTimeout(later, 100));
    line = via.va.temporal_segmenter;
    if (line && Object.keys(line.tmetadata_gtimeline_mid || {}).length) break;
  }
  await new Promise(later => setTimeout(later, 500));
  const shown = {store: via.d.store, lines: {},
                 message: document.getElementById("_via_message").innerText,
                 duration: line.m.duration};
  for (const aid of line.group_aid_candidate_list) {
    line.group_aname_select.value = aid;
    line._tmetadata_onchange_groupby_aid({target: line.group_aname_select});
    await new Promise(later => setTimeout(later, 300));
    shown.lines[aid] = line.gid_list.map((gid, place) => ({
      name: document.querySelector(`input[data-gid="${gid}"]`).value,
      drawn: line.tmetadata_gtimeline_mid[gid].map(mid => is_painted(line, gid, place, mid)),
    }));
  }
  line.group_aname_select.value = line.group_aid_candidate_list[0];
  line._tmetadata_onchange_groupby_aid({target: line.group_aname_select});
  await fetch("/shown.json", {method: "POST", body: JSON.stringify(shown)});
}
answer().catch(error => fetch("/shown.json", {
  method: "POST", body: JSON.stringify({error: String(error)})
}));
"""


class Handler(SimpleHTTPRequestHandler):
    """Serves a folder; the page may fetch nothing from anywhere else."""

    answers: queue.Queue[dict[str, Any]]

    def end_headers(self) -> None:
        own = "default-src 'self' 'unsafe-inline' data: blob:"
        self.send_header("Content-Security-Policy", own)
        super().end_headers()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(204)
        self.end_headers()
        self.answers.put(json.loads(body))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (its name in the base)
        """Say nothing."""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """The application with our script at its end, a project of ours, and its recording."""
    folder = tmp_path / "site"
    shutil.copytree(Path(str(VIA3)) / "src", folder / "src")
    page = folder / PAGE
    page.write_text(page.read_text().replace("</body>", f"<script>{SCRIPT}</script></body>"))
    write_made(folder / "clip one.mp4", steady(240))
    return folder


@pytest.fixture
def url(site: Path) -> Iterator[str]:
    Handler.answers = queue.Queue()
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(site))) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("name", ["clip one.mp4", "{url}/clip%20one.mp4"], ids=["local", "URL"])
def test_the_application_opens_our_project_and_draws_every_segment(
    name: str, site: Path, url: str, tmp_path: Path
) -> None:
    if program_of("chrome") is None:
        pytest.skip("Chromium is not installed")
    media = Media(name.format(url=url), {"camera": "yard"})
    about = {"media_name": media.name}
    segments = segment_table(row | about | {"subject": SUBJECTS[row["source_id"]]} for row in ROWS)
    project = via_project(segments, [media], options=OPTIONS, name="dogs")
    (site / "project.json").write_text(json.dumps(project))

    with running("chrome", f"{url}/{PAGE}", tmp_path):
        shown = Handler.answers.get(timeout=120)

    assert "error" not in shown
    assert shown["store"] == project  # what it would save
    assert shown["duration"] == pytest.approx(12)
    assert "Failed" not in shown["message"]
    timelines = {
        project["attribute"][aid]["aname"]: {row["name"]: row["drawn"] for row in rows}
        for aid, rows in shown["lines"].items()
    }
    assert timelines == {
        "behaviour": {"sit": [True], "walk": [True] * 2, "run": [], 'a "b", <c>': [True]},
        "context": {"0,1": [True]},
        "subject": {"Rex": [True], "Ada": [True] * 2},
    }
    saved = tmp_path / "saved.json"
    saved.write_text(json.dumps(shown["store"]))
    again = read_annotations(saved)
    assert again.issues == ()
    assert len(again.segments) == len(ROWS) + 3  # three subjects


if VIA3 is None:
    del test_the_application_opens_our_project_and_draws_every_segment
