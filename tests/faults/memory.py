"""How much memory pieces of work take, each in a process of its own."""

import gc
import multiprocessing
import re
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from fractions import Fraction
from pathlib import Path
from typing import ParamSpec, TypeVar

import numpy as np

from dogclips.alignment import align_streams
from dogclips.annotations import read_dataset
from dogclips.clips.config import CutConfig
from dogclips.clips.plan import plan_session
from dogclips.clips.recordings import Recording
from dogclips.clips.session import find_session
from dogclips.clips.units import Unit, cut_unit
from dogclips.media.display import output_size
from dogclips.media.encoding import EncoderConfig
from dogclips.media.lanes import ClipJob
from dogclips.media.probe import probe_file
from dogclips.streams import Stream, StreamTable

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")


def alone(
    work: Callable[_Arguments, _Result], *args: _Arguments.args, **more: _Arguments.kwargs
) -> tuple[_Result, int]:
    """Do some work in a fresh process; return its result and the most MiB that it ever held."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, context) as pool:
        pool.submit(gc.freeze).result()  # as in processes that cut
        result = pool.submit(work, *args, **more).result()
        return result, pool.submit(mebibytes, "VmHWM").result()


def mebibytes(name: str) -> int:
    """Return the resident memory of this process: VmRSS now, VmHWM at its highest.

    Linux hands `ru_maxrss` on from a process to what it starts, so that tells of the parent.
    """
    found = re.search(rf"{name}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found is not None
    return int(found[1]) // 1024


def cut_clips(source: Path, output: Path, clip_frames: int, times: int) -> tuple[list[str], int]:
    """Cut the whole of a source `times` times; return all errors, and by how many MiB we grew.

    Growth counts from the tenth part of the work on.
    """
    stream, encoder = probe_file(source).streams[0], EncoderConfig()
    rate = stream.frame_rate or Fraction(0)
    output.mkdir()
    jobs = [
        ClipJob(
            path=output / f"{first}.mp4",
            indices=range(first, first + clip_frames),
            pts=range(clip_frames),
            time_base=1 / rate,
            frame_rate=rate,
            size=output_size(stream, None),
        )
        for first in range(0, stream.num_frames - clip_frames + 1, clip_frames)
    ]
    unit = Unit(source, stream, tuple(jobs), encoder, frozenset(job.path for job in jobs))
    errors, before = [], 0
    for number in range(times):
        if number == times // 10:
            before = mebibytes("VmRSS")
        errors += [outcome.error for outcome in cut_unit(unit) if outcome.error]
    return errors, mebibytes("VmRSS") - before


def plan_windows(base_dir: Path, num_frames: int, **settings: object) -> int:
    """Plan a session whose one recording nobody has made; return how many clips it would cut."""
    stream = Stream(
        index=0,
        type="video",
        codec="h264",
        time_base=Fraction(1, 20),
        pts=np.arange(num_frames, dtype=np.int64),
        end_pts=num_frames,
        num_frames=num_frames,
        width=64,
        height=48,
    )
    config = CutConfig.model_validate(settings)
    session = find_session(base_dir)
    projects, _ = read_dataset(session.projects)
    [path] = session.videos
    table = StreamTable(path, "mov", None, (stream,))
    recording = Recording(path, table, align_streams(stream, stream))
    recordings = {(path, config.choice_of(project)): recording for project in projects}
    return len(plan_session(session, projects, recordings, config).jobs)
