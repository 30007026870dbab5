"""Reading a large VIA project against `json.load`, which gives the bare tree."""

import json
import statistics
import tempfile
import time
from pathlib import Path

from dogclips.annotations import read_annotations
from tests.sessions import via_project

NUM_SEGMENTS = 50_000
ROUNDS = 5


def rows() -> list[tuple[str, str, str]]:
    """Return the rows of the benchmark's table."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "0205.json"
        segments = [(n / 8, n / 8 + 1.25, str(n % 3)) for n in range(NUM_SEGMENTS)]
        path.write_text(json.dumps(via_project({"020500.mp4": segments})))
        pairs = [(_ours(path), _bare(path)) for _ in range(ROUNDS)]
    ratio = statistics.median(ours / bare for ours, bare in pairs)
    ours_s = statistics.median(ours for ours, _ in pairs)
    shown = f"{ratio:.1f} ({NUM_SEGMENTS / ours_s:,.0f} rows/s, {ours_s:.2f} s)"
    return [(f"read {NUM_SEGMENTS:,} VIA segments", "json.load", shown)]


def _ours(path: Path) -> float:
    began = time.monotonic()
    count = len(read_annotations(path).checked().segments)
    assert count == NUM_SEGMENTS, count
    return time.monotonic() - began


def _bare(path: Path) -> float:
    began = time.monotonic()
    with path.open() as file:
        json.load(file)
    return time.monotonic() - began


if __name__ == "__main__":
    for row in rows():
        print(" | ".join(row))
