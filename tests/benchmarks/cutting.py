"""Cutting against one ffmpeg a clip, and against the least work that there is.

The others run as many at once as there are cores, one thread each, `-ss` before `-i`; of clips that
overlap every sixth is cut and the time taken six times, as they cost the same. Clips begin half a
keyframe distance behind keyframes, which is the mean of arbitrary starts. The limit is a plain
transcode of the same seconds with the same settings, cut into as many pieces as there are cores:
every frame is decoded once and encoded once.
"""

import cProfile
import os
import pstats
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from dogclips.annotations import read_dataset
from dogclips.clips.config import CutConfig
from dogclips.clips.execution import cut_plan
from dogclips.clips.plan import ClipPlan, measure_session, plan_session
from dogclips.clips.session import find_session
from dogclips.clips.units import cut_unit, plan_units
from tests.benchmarks.camera import write_recording
from tests.sessions import write_project

ROUNDS = 3
SECONDS = 600
BEGIN_S = 1  # keyframes are 2 s apart
CORES = os.cpu_count() or 1
PLAIN: dict[str, Any] = {"tune": None, "keyframe_seconds": 12.5}
TRAINING: dict[str, Any] = {"preset": "superfast"}  # fast decoding and short groups are defaults


@dataclass(frozen=True)
class Case:
    """One way to cut the recording: `side` is the short side of clips, None leaves their size."""

    name: str
    stride: int
    side: int | None
    encoder: dict[str, Any] = field(default_factory=lambda: PLAIN)

    @property
    def scale(self) -> list[str]:
        """Return ffmpeg's filter."""
        return ["-vf", f"scale=-2:{self.side}:flags=area"] if self.side else []


CASES = (
    Case("720p", 4, None),
    Case("720p", 1, None),
    Case("short side 256", 4, 256),
    Case("short side 256", 1, 256),
    Case("short side 256, for training", 4, 256, TRAINING),
    Case("short side 256, for training", 1, 256, TRAINING),
)


def rows(rounds: int = ROUNDS) -> list[tuple[str, str, str]]:
    """Return the rows of the benchmark's table: seconds by seconds, above 1 where we are faster."""
    with tempfile.TemporaryDirectory() as folder:
        base_dir = Path(folder) / "1_1_x"
        video = write_recording(base_dir / "video" / "020500.mp4", SECONDS)
        write_project(base_dir, "0205", {video.name: [(BEGIN_S, SECONDS, "0")]})
        found = []
        full_s: dict[int, float] = {}
        for case in CASES:
            measured = [_round(case, base_dir, video) for _ in range(rounds)]
            ours, cpu, other, limit = (statistics.median(of) for of in zip(*measured, strict=True))
            full_s.setdefault(case.stride, other)
            text = f"{other / ours:.2f}; limit / ours {limit / ours:.2f}"
            if case.side:
                text += f"; full size / ours {full_s[case.stride] / ours:.1f}"
            task = f"cut {case.name}, stride {case.stride} s"
            found.append(
                (task, f"ffmpeg -ss, {CORES} at once", f"{text} ({_facts(base_dir, ours, cpu)})")
            )
        found += [_profile(case, base_dir) for case in (CASES[0], CASES[4])]
    return found


def _round(case: Case, base_dir: Path, video: Path) -> tuple[float, float, float, float]:
    """Return the seconds and CPU seconds of ours, then those of ffmpeg a clip and the transcode."""
    before = _cpu_s()
    ours = _seconds(partial(_cut, base_dir, case))
    cpu = _cpu_s() - before
    share = 6 if case.stride == 1 else 1
    other = share * _seconds(partial(_ffmpeg_per_clip, video, case, share))
    return ours, cpu, other, _seconds(partial(_transcode, video, case))


def _seconds(task: Callable[[], object]) -> float:
    began = time.monotonic()
    task()
    return time.monotonic() - began


def _cpu_s() -> float:
    used = [resource.getrusage(whose) for whose in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def _profile(case: Case, base_dir: Path) -> tuple[str, str, str]:
    """Return where the time of one process goes, which cuts the first third of a minute."""
    plan = _planned(base_dir, case)
    unit = plan_units(plan, {job.path for job in plan.jobs.values()})[0]
    profile = cProfile.Profile()
    profile.runcall(lambda: list(cut_unit(unit)))
    stats = pstats.Stats(profile)
    spent = {"decode": 0.0, "pull": 0.0, "encode": 0.0}
    for (_, _, name), (_, _, own_s, _, _) in stats.stats.items():  # type: ignore[attr-defined]
        for step in spent:
            spent[step] += own_s if f"method {step!r} of 'av." in name else 0
    whole = stats.total_tt  # type: ignore[attr-defined]
    shares = [f"{share / whole:.0%}" for share in (*spent.values(), whole - sum(spent.values()))]
    shown = "decode {}, scale {}, encode {}, all else {}".format(*shares)
    return f"where the time goes: {case.name}, stride {case.stride} s", "one process", shown


def _facts(base_dir: Path, seconds: float, cpu: float) -> str:
    clips = list((base_dir / "output").glob("*/*.mp4"))
    size = sum(clip.stat().st_size for clip in clips) / len(clips) / 1000
    each = cpu / len(clips)
    return f"{len(clips) / seconds:.1f} clips/s, {each:.2f} CPU-s and {size:.0f} kB a clip"


def _cut(base_dir: Path, case: Case) -> None:
    shutil.rmtree(base_dir / "output", ignore_errors=True)
    cut_plan(_planned(base_dir, case))


def _planned(base_dir: Path, case: Case) -> ClipPlan:
    config = CutConfig.model_validate(
        {"stride_seconds": case.stride, "short_side": case.side, "encoder": case.encoder}
        | {"content": "never"}
    )
    session = find_session(base_dir)
    projects, _ = read_dataset(session.projects)
    recordings = measure_session(session, projects, config)
    return plan_session(session, projects, recordings, config)


def _ffmpeg(video: Path, start: float, length: float, out: Path, *more: str) -> None:
    command = ["ffmpeg", "-v", "error", "-nostdin", "-y", "-threads", "1", "-ss", f"{start}"]
    command += ["-i", str(video), "-t", f"{length}", "-threads", "1", "-an", "-c:v", "libx264"]
    command += ["-preset", "veryfast", "-crf", "23", *more, str(out)]  # the last of a kind counts
    subprocess.run(command, check=True)


def _ffmpeg_per_clip(video: Path, case: Case, share: int) -> None:
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(CORES) as pool:
        starts = range(BEGIN_S, SECONDS - 3, case.stride * share)
        jobs = [
            pool.submit(_ffmpeg, video, start, 4, Path(folder) / f"{start}.mp4", *case.scale)
            for start in starts
        ]
        for job in jobs:
            job.result()


def _transcode(video: Path, case: Case) -> None:
    length = (SECONDS - BEGIN_S) / CORES
    more = [*case.scale, "-bf", "0"]
    if case.encoder is TRAINING:
        more += ["-preset", "superfast", "-tune", "fastdecode", "-g", "16"]
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(CORES) as pool:
        outs = [(BEGIN_S + n * length, Path(folder) / f"{n}.mp4") for n in range(CORES)]
        list(pool.map(lambda piece: _ffmpeg(video, piece[0], length, piece[1], *more), outs))


if __name__ == "__main__":
    for row in rows(*map(int, sys.argv[1:])):
        print(" | ".join(row), flush=True)
