"""Ratios against what a user would use otherwise, measured side by side in one run.

    make bench

Each pair runs in turn, several times; the median ratio is printed, below 1 where dogclips is
faster. Absolute times would say more about the machine than about the code.
"""

import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from rich import print as show
from rich.table import Table

from dogclips.clips.config import CutConfig
from dogclips.clips.execution import cut_plan
from dogclips.clips.plan import measure_session, plan_session
from dogclips.clips.session import find_session
from dogclips.media.probe import probe
from tests.benchmarks import content, probing
from tests.sessions import write_session
from tests.videos import steady

ROUNDS = 5
SECONDS = 40


def main() -> None:
    """Measure cutting and probing, and print a table of median ratios."""
    table = Table(title=f"median of {ROUNDS} rounds")
    for column in ("task", "against", "ratio"):
        table.add_column(column, justify="left" if column in ("task", "against") else "right")
    with tempfile.TemporaryDirectory() as folder:
        camera = steady(SECONDS * 20, width=1280, height=720, options={"preset": "veryfast"})
        base_dir = write_session(Path(folder) / "1_1_x", [(0, SECONDS, "0")], [camera])
        for stride in (4, 1):
            task = f"cut 720p, stride {stride} s"
            other = _ffmpeg_per_clip(base_dir, stride)
            table.add_row(
                task, "ffmpeg -ss, one clip a call", _ratio(_cut(base_dir, stride), other)
            )
        video = base_dir / "video" / "020500.mp4"
        count = ["ffprobe", "-v", "error", "-count_frames", "-show_streams", str(video)]
        table.add_row(
            "probe 720p", "ffprobe -count_frames", _ratio(lambda: probe(video), _call(count))
        )
    for row in (*probing.rows(), *content.rows()):
        table.add_row(*row)
    show(table)


def _ratio(ours: Callable[[], object], other: Callable[[], object]) -> str:
    return f"{statistics.median(_seconds(ours) / _seconds(other) for _ in range(ROUNDS)):.2f}"


def _seconds(task: Callable[[], object]) -> float:
    began = time.monotonic()
    task()
    return time.monotonic() - began


def _cut(base_dir: Path, stride: int) -> Callable[[], object]:
    def run() -> None:
        session, config = find_session(base_dir), CutConfig(stride_seconds=stride)
        cut_plan(plan_session(session, measure_session(session, config), config), force=True)

    return run


def _ffmpeg_per_clip(base_dir: Path, stride: int) -> Callable[[], object]:
    """Cut the same windows with the same encoder settings, one ffmpeg process a clip."""
    video, out = base_dir / "video" / "020500.mp4", base_dir / "ffmpeg"
    out.mkdir(exist_ok=True)
    speed = ["-c:v", "libx264", "-preset", "veryfast", "-crf", "23"]
    encoder = [*speed, "-g", "16", "-bf", "0", "-tune", "fastdecode", "-an"]

    def run() -> None:
        for start in range(0, SECONDS - 3, stride):
            cut = ["-ss", str(start), "-i", str(video), "-map", "0:0", "-frames:v", "80"]
            command = ["ffmpeg", "-v", "error", "-nostdin", "-y", *cut, *encoder]
            subprocess.run([*command, str(out / f"{start}.mp4")], check=True)

    return run


def _call(command: list[str]) -> Callable[[], object]:
    return lambda: subprocess.run(command, check=True, capture_output=True)


if __name__ == "__main__":
    main()
