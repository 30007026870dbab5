"""Clips a second and core out of the loader, beside plain loops of TorchCodec and OpenCV.

Clips of four seconds out of a 720p recording: once cut for training, once still in the recording.
8 uniform frames, or 32 frames 2 apart, at random places, become a view of 224 pixels. Each round
runs everything once, one after the other, in CPU seconds of one process; what runs in a loading
process is measured in seconds by the clock, as is what it is compared with.
"""

import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path

import av
import cv2
import numpy as np
import torch
import torchcodec.decoders
from torch.utils.data import DataLoader

from dogclips.annotations import read_dataset
from dogclips.clips.config import CutConfig
from dogclips.clips.execution import cut_plan
from dogclips.clips.plan import measure_session, plan_session
from dogclips.clips.probed import probe_document
from dogclips.clips.session import find_session
from dogclips.config import settings_of, settings_text
from dogclips.lists import ClipList, read_list
from dogclips.lists.sessions import write_session_lists
from dogclips.loading import Augmentation, Sampling
from dogclips.loading.dataset import ClipDataset, Draw, RandomViews
from dogclips.loading.excerpts import FramesFrom
from dogclips.loading.frames import DecoderName, frames_at
from dogclips.loading.sampling import Dense
from dogclips.media.excerpt import FrameTimes
from tests.benchmarks.camera import write_recording
from tests.sessions import write_project

ROUNDS = 5
SECONDS = 64
OF_RECORDINGS = 4  # clips of the recording that are read, each costs as much as twenty others
RECIPE = Path(__file__).parents[2] / "configs" / "cut" / "training.yaml"
SHAPES = {"8 uniform": Sampling(8), "32 x 2": Sampling(32, Dense(2))}
SIZE = 224
BATCH = 5

Run = Callable[[], None]


@dataclass(frozen=True)
class Case:
    """What is read, and how often a frame is wanted."""

    clips: ClipList
    source: FramesFrom
    sampling: Sampling

    @cached_property
    def datasets(self) -> dict[DecoderName, ClipDataset]:
        """Return the clips as training reads them, by what decodes."""
        return {"pyav": self._dataset("pyav"), "torchcodec": self._dataset("torchcodec")}

    def _dataset(self, decoder: DecoderName) -> ClipDataset:
        load = RandomViews(self.sampling, Augmentation(SIZE), decoder=decoder)
        return ClipDataset(self.clips, load, self.source)

    @property
    def draws(self) -> list[Draw]:
        """Return every clip once, each with a seed of its own."""
        return [Draw(place, (0, place)) for place in range(len(self.clips.clips))]


def rows(rounds: int = ROUNDS) -> list[tuple[str, str, str]]:
    """Return the rows of the benchmark's table: seconds by seconds, above 1 where we are faster."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    os.environ["OPENCV_FFMPEG_CAPTURE_OPTIONS"] = "threads;1"
    try:
        with tempfile.TemporaryDirectory() as folder:
            clips = _session(Path(folder) / "1_1_x")
            found = []
            for row in _measured(clips, rounds):
                print(" | ".join(row), flush=True)
                found.append(row)
            return found
    finally:
        torch.set_num_threads(threads)


def _measured(clips: ClipList, rounds: int) -> Iterator[tuple[str, str, str]]:
    recordings: dict[str, float] = {}
    for source in ("recordings", "clips"):
        for name, sampling in SHAPES.items():
            listed = clips.clips[:: len(clips.clips) // OF_RECORDINGS]
            own = clips if source == "clips" else replace(clips, clips=listed)
            case = Case(own, source, sampling)
            runs = _runs(case)
            spent: dict[str, list[float]] = {run: [] for run in runs}
            for _ in range(rounds):
                for run, task in runs.items():
                    spent[run].append(_seconds(task, by_clock=run.startswith("process")))
            median = {run: statistics.median(seconds) for run, seconds in spent.items()}
            number = len(own.clips)
            ours = median["ours"]
            task = f"load {name} of {source}, {number / ours:.0f} clips/s a core"
            for other in ("ours, TorchCodec", "plain PyAV", "plain TorchCodec", "plain OpenCV"):
                speed = f"({number / median[other]:.0f} clips/s)"
                yield task, other, f"{_ratio(spent, other, 'ours'):.2f} {speed}"
            yield task, "decoding alone", f"{_ratio(spent, 'decoding', 'ours'):.2f}"
            recordings.setdefault(name, ours / number)
            if source == "clips":
                ratio = _ratio(spent, "process: decoding", "process: ours")
                yield (
                    f"{task}, in a loading process",
                    "decoding alone, by the clock",
                    f"{ratio:.2f}",
                )
                yield task, "the recording's own bytes", f"{recordings[name] * number / ours:.1f}"


def _ratio(spent: dict[str, list[float]], other: str, ours: str) -> float:
    return statistics.median(a / b for a, b in zip(spent[other], spent[ours], strict=True))


def _runs(case: Case) -> dict[str, Run]:
    """Return what is run in a round, by name."""
    decoding = partial(_decode, case)
    runs: dict[str, Run] = {
        "ours": partial(_load, case, "pyav"),
        "ours, TorchCodec": partial(_load, case, "torchcodec"),
        "decoding": decoding,
        "plain PyAV": partial(_plain, case, _pyav),
        "plain TorchCodec": partial(_plain, case, _torchcodec),
        "plain OpenCV": partial(_plain, case, _opencv),
    }
    if case.source == "recordings":
        return runs
    batches = DataLoader(
        case.datasets["pyav"],
        batch_size=BATCH,
        sampler=case.draws * 3,
        num_workers=1,
        persistent_workers=True,
    )
    list(batches)  # the process starts

    def through_a_process() -> None:
        list(batches)

    def thrice() -> None:
        for _ in range(3):
            decoding()

    return runs | {"process: ours": through_a_process, "process: decoding": thrice}


def _seconds(task: Run, *, by_clock: bool) -> float:
    clock = time.perf_counter if by_clock else time.process_time
    began = clock()
    task()
    return clock() - began


def _load(case: Case, decoder: DecoderName) -> None:
    for _ in DataLoader(case.datasets[decoder], batch_size=BATCH, sampler=case.draws):
        pass


def _decode(case: Case) -> None:
    dataset = case.datasets["pyav"]
    for draw in case.draws:
        rng = np.random.default_rng(draw.seed)
        for _ in frames_at(
            dataset.excerpts[draw.index], lambda t, r=rng: case.sampling.random_views(t, 1, r)
        ):
            pass


def _plain(case: Case, read: Callable[[Path, Sequence[int]], None]) -> None:
    """Read the same frames by number, as one would who has only the file and the numbers."""
    dataset = case.datasets["pyav"]
    for draw in case.draws:
        excerpt, window = dataset.excerpts[draw.index], dataset.excerpts[draw.index].window
        begin = 0 if window is None else round(window.begin_s * 20)
        rng = np.random.default_rng(draw.seed)
        timeline = FrameTimes(np.arange(80), np.arange(80) / 20)
        (view,) = timeline.on_screen(case.sampling.random_views(timeline, 1, rng))
        read(excerpt.path, (view + begin).tolist())


def _pyav(path: Path, places: Sequence[int]) -> None:
    """Seek to the first frame, then decode everything up to the last one."""
    with av.open(str(path)) as container:
        video = container.streams.video[0]
        video.codec_context.thread_count = 1
        tick = 1 / (20 * (video.time_base or 1))
        container.seek(round(places[0] * tick), stream=video)
        for frame in container.decode(video):
            place = round((frame.pts or 0) / tick)
            if place in places:
                frame.to_ndarray(format="rgb24")
            if place >= places[-1]:
                break


def _torchcodec(path: Path, places: Sequence[int]) -> None:
    decoder = torchcodec.decoders.VideoDecoder(str(path), seek_mode=_seek_mode(path))
    decoder.get_frames_at(list(places))


def _seek_mode(path: Path) -> str:
    """Return the mode without a scan of the whole file for the long recording."""
    return "approximate" if path.parent.name == "video" else "exact"


def _opencv(path: Path, places: Sequence[int]) -> None:
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    capture.set(cv2.CAP_PROP_POS_FRAMES, places[0])
    for place in range(places[0], places[-1] + 1):
        capture.grab()
        if place in places:
            cv2.cvtColor(capture.retrieve()[1], cv2.COLOR_BGR2RGB)
    capture.release()


def _session(base_dir: Path) -> ClipList:
    """Write a recording, cut it for training, and return its clips."""
    video = write_recording(base_dir / "video" / "020500.mp4", SECONDS)
    write_project(base_dir, "0205", {video.name: [(0, SECONDS, "0")]})
    config = settings_of(CutConfig, [RECIPE, "content=never"])
    session = find_session(base_dir)
    projects, _ = read_dataset(session.projects)
    recordings = measure_session(session, projects, config)
    plan = plan_session(session, projects, recordings, config)
    write_session_lists(session.output, cut_plan(plan), plan.classes)
    (session.output / "config.yaml").write_text(settings_text(config))
    document = probe_document(list(dict.fromkeys(recordings.values())))
    (session.output / "probe.json").write_text(json.dumps(document))
    return read_list(session.output / "dataset.txt")


if __name__ == "__main__":
    rows(*map(int, sys.argv[1:]))
