"""Cutting and planning stay within a gigabyte, whatever they are given, and do not grow."""

import time
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from dogclips.media.writing import VideoTrack, write_video
from tests.faults.memory import alone, cut_clips, plan_windows
from tests.sessions import write_project
from tests.videos import FAST, steady, write_made

LIMIT_MIB = 1024
# Memory grows by 45 MiB for 10,000 windows: if these stay below 450 MiB, 100,000 stay below 1 GiB.
NUM_WINDOWS, RATE, STRIDE_S, CLIP_S = 30_000, 20, 0.1, 4
PLAN_LIMIT_MIB = 450


def test_a_worker_cuts_4k_within_a_gigabyte(tmp_path: Path) -> None:
    source = tmp_path / "4k.mp4"
    rows, columns = np.mgrid[0:2160, 0:3840]
    picture = np.stack([(rows + columns) % 256, rows % 256, columns % 256], -1).astype(np.uint8)
    frames = ((0, k, np.roll(picture, 8 * k, axis=1)) for k in range(16))
    write_video(source, [VideoTrack(3840, 2160, Fraction(10), options=FAST)], frames)

    (errors, _), peak = alone(cut_clips, source, tmp_path / "out", 8, 1)

    assert errors == []
    assert len(list((tmp_path / "out").glob("*.mp4"))) == 2
    print(f"peak of a worker on 4K: {peak} MiB")
    assert peak < LIMIT_MIB


def test_thirty_thousand_windows_are_planned_within_450_mebibytes(tmp_path: Path) -> None:
    num_frames = round(((NUM_WINDOWS - 1) * STRIDE_S + CLIP_S) * RATE)
    (tmp_path / "video").mkdir()
    (tmp_path / "video" / "0205.mp4").touch()
    write_project(tmp_path, "0205", {"0205.mp4": [(0, num_frames / RATE, "1")]})

    began = time.monotonic()
    planned, peak = alone(plan_windows, tmp_path, num_frames, stride_seconds=STRIDE_S)
    took_s = time.monotonic() - began

    print(f"{planned} windows planned in {took_s:.1f} s, peak {peak} MiB")
    assert planned == NUM_WINDOWS
    assert peak < PLAN_LIMIT_MIB


@pytest.mark.parametrize("clips", [1000])
def test_a_worker_does_not_grow_with_the_clips_it_cuts(tmp_path: Path, clips: int) -> None:
    source = write_made(tmp_path / "tiny.mp4", steady(150))

    (errors, growth), _ = alone(cut_clips, source, tmp_path / "out", 3, clips // 50)

    assert errors == []
    print(f"{clips} clips: {growth} MiB more")
    assert growth < 30
