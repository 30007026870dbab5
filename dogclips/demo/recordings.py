"""A session folder as a camera and an annotator would leave it, of worlds whose truth is known.

Each recording is an MP4 with two video streams. The small one is complete and is what the
annotator looked at; the large one lacks its first ten frames, so that its first picture comes half
a second later. Both carry the default flag, and most readers silently take the larger one.
"""

import json
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

import numpy as np

from dogclips.demo.world import BEHAVIOURS, FRAME_RATE, Bout, World, make_world, render
from dogclips.files import write_whole
from dogclips.media.writing import TimedFrame, VideoTrack, write_video

NUM_RECORDINGS: Final = 36
SECONDS: Final = 60
LATE_FRAMES: Final = 10  # what the larger stream lacks at its start
REFERENCE_SIZE: Final = (128, 72)
TARGET_SIZE: Final = (256, 144)
_FIRST: Final = datetime(2024, 2, 2, 2, 5, tzinfo=UTC)
_ID_CHARACTERS: Final = list("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")


def make_session(
    base_dir: Path,
    num_recordings: int = NUM_RECORDINGS,
    seconds: int = SECONDS,
    seed: int = 0,
) -> Path:
    """Write `video/HHMMSS.mp4` and `via/HHMM.json` for each recording under `base_dir`.

    The same seed gives the same bytes. Recordings are made side by side, one process a core.

    Returns
    -------
    Path
        `base_dir`.

    Raises
    ------
    OutputError
        The folder cannot be written to.
    """
    workers = max(1, min(num_recordings, os.cpu_count() or 1))
    # Not forked: a caller may hold threads, which do not survive a fork in good order.
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        jobs = [
            pool.submit(_make_recording, base_dir, index, seconds, seed)
            for index in range(num_recordings)
        ]
        for job in jobs:
            job.result()
    return base_dir


def world_of(index: int, seconds: int = SECONDS, seed: int = 0) -> World:
    """Return the truth of recording `index` of the session that `make_session` makes."""
    return make_world(seconds, (seed, index))


def _make_recording(base_dir: Path, index: int, seconds: int, seed: int) -> None:
    began = _FIRST + timedelta(minutes=index)
    world = world_of(index, seconds, seed)
    video = base_dir / "video" / f"{began:%H%M%S}.mp4"
    tracks = [_track(REFERENCE_SIZE), _track(TARGET_SIZE)]
    write_video(
        video, tracks, _frames(world, tracks), metadata={"creation_time": began.isoformat()}
    )
    project = via_project(world.bouts, video.name, began, np.random.default_rng((seed, index, 1)))
    text = json.dumps(project, separators=(",", ":"))
    write_whole(base_dir / "via" / f"{began:%H%M}.json", text)


def _track(size: tuple[int, int]) -> VideoTrack:
    # A keyframe every two seconds and B-frames, as cameras write them; superfast for speed.
    options = {"preset": "superfast", "crf": "23", "g": str(2 * FRAME_RATE), "bf": "2"}
    return VideoTrack(*size, Fraction(FRAME_RATE), options=options, default=True)


def _frames(world: World, tracks: Sequence[VideoTrack]) -> Iterator[TimedFrame]:
    for number in range(world.num_frames):
        for index, track in enumerate(tracks):
            if index == 0 or number >= LATE_FRAMES:
                yield index, number, render(world, number, track.width, track.height)


def via_project(
    bouts: Sequence[Bout], video_name: str, created: datetime, random: np.random.Generator
) -> dict[str, Any]:
    """Build the VIA 3 project that an annotator of `bouts` would have saved.

    The shape is that of a save by VIA 3.0.10: ids are strings, the view and its file share one,
    times have three decimals, values are option ids.
    """
    names = dict.fromkeys(bout.behaviour for bout in bouts)
    options = {name: str(index) for index, name in enumerate(BEHAVIOURS)}
    if unknown := names.keys() - options.keys():
        raise ValueError(f"no such behaviour: {sorted(unknown)}")
    metadata = {}
    for bout in sorted(bouts, key=lambda bout: (bout.start_s, bout.dog)):
        name = "1_" + "".join(random.choice(_ID_CHARACTERS, size=8))
        metadata[name] = {
            "vid": "1",
            "flg": 0,
            "z": [round(float(bout.start_s), 3), round(float(bout.end_s), 3)],
            "xy": [],
            "av": {"1": options[bout.behaviour]},
        }
    file = {"fid": "1", "fname": video_name, "type": 4, "loc": 1, "src": ""}
    return {
        "project": _project_head(video_name, created),
        "config": _CONFIG,
        "attribute": {"1": _attribute(options)},
        "file": {"1": file},
        "view": {"1": {"fid_list": ["1"]}},
        "metadata": metadata,
    }


def _project_head(video_name: str, created: datetime) -> dict[str, Any]:
    return {
        "pid": "__VIA_PROJECT_ID__",
        "rev": "__VIA_PROJECT_REV_ID__",
        "rev_timestamp": "__VIA_PROJECT_REV_TIMESTAMP__",
        "pname": f"demo {Path(video_name).stem}",
        "creator": "VGG Image Annotator (http://www.robots.ox.ac.uk/~vgg/software/via)",
        "created": int(created.timestamp() * 1000),
        "vid_list": ["1"],
    }


def _attribute(options: dict[str, str]) -> dict[str, Any]:
    return {
        "aname": "behaviour",
        "anchor_id": "FILE1_Z2_XY0",
        "type": 4,
        "desc": "What a dog does",
        "options": {option: name for name, option in options.items()},
        "default_option_id": "",
    }


_CONFIG: Final[dict[str, Any]] = {
    "file": {"loc_prefix": {"1": "", "2": "", "3": "", "4": ""}},
    "ui": {
        "file_content_align": "center",
        "file_metadata_editor_visible": True,
        "spatial_metadata_editor_visible": True,
        "spatial_region_label_attribute_id": "",
    },
}
