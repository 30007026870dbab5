"""How many files a second are measured, by either reader and by a script of one's own."""

import json
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from dogclips.media.probe import probe_many
from tests.videos import steady, write_made

ROUNDS = 5
SECONDS = 180
FEW, MANY = 24, 192  # MANY are worth starting processes for


def rows() -> list[tuple[str, str, str]]:
    """Return (task, against, ratio and rate), medians over rounds in which all take turns."""
    with tempfile.TemporaryDirectory() as folder:
        files = _write_files(Path(folder))
        tasks = [
            ("PyAV", files, partial(probe_many, reader="pyav")),
            ("PyAV", files * (MANY // FEW), partial(probe_many, reader="pyav")),
            ("ffprobe", files, partial(probe_many, reader="ffprobe")),
        ]
        rounds = [
            (_rate(_script, files[:6]), *(_rate(probe, given) for _, given, probe in tasks))
            for _ in range(ROUNDS)
        ]
    against = "ffprobe -show_packets -of json, json.loads"
    found = []
    for place, (reader, given, _) in enumerate(tasks, start=1):
        ratio = statistics.median(rates[0] / rates[place] for rates in rounds)
        rate = statistics.median(rates[place] for rates in rounds)
        task = f"probe {len(given)} x {SECONDS // 60} min, {reader}"
        found.append((task, against, f"{ratio:.2f} ({rate:.0f} files/s)"))
    return found


def _write_files(folder: Path) -> list[Path]:
    """Write one file with two streams at 20 fps, and copies of it."""
    large = steady(SECONDS * 20, width=256, height=144)
    first = write_made(folder / "0.mp4", steady(SECONDS * 20), large)
    copies = [folder / f"{number}.mp4" for number in range(1, FEW)]
    return [first, *(shutil.copy(first, copy) for copy in copies)]


def _script(files: Sequence[Path]) -> object:
    """Read every packet as most scripts do: one call and one JSON document a file."""
    command = ["ffprobe", "-v", "error", "-show_packets", "-of", "json"]
    return [
        json.loads(subprocess.run([*command, str(file)], check=True, capture_output=True).stdout)
        for file in files
    ]


def _rate(task: Callable[[Sequence[Path]], object], files: Sequence[Path]) -> float:
    began = time.monotonic()
    task(files)
    return len(files) / (time.monotonic() - began)


if __name__ == "__main__":
    for row in rows():
        print(*row, sep=" | ")
