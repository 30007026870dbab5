"""A session folder as a camera and an annotator would leave it, of worlds whose truth is known.

Each recording is an MP4 with two video streams. The small one is complete and is what the
annotator looked at; the large one lacks its first ten frames, so that its first picture comes half
a second later. Both carry the default flag, and most readers silently take the larger one.
"""

import json
import os
from collections import deque
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any, Final

from dogclips.annotations import Media
from dogclips.annotations.via_writing import via_project
from dogclips.demo.world import BEHAVIOURS, FRAME_RATE, DogBout, World, make_world, render
from dogclips.files import write_whole
from dogclips.media.writing import VideoTrack, write_video
from dogclips.processes import in_processes
from dogclips.segments import segment_table

NUM_RECORDINGS: Final = 36
SECONDS: Final = 60
LATE_FRAMES: Final = 10  # what the larger stream lacks at its start
REFERENCE_SIZE: Final = (128, 72)
TARGET_SIZE: Final = (256, 144)
_FIRST: Final = datetime(2024, 2, 2, 2, 5, tzinfo=UTC)


def make_session(
    base_dir: Path,
    num_recordings: int = NUM_RECORDINGS,
    seconds: int = SECONDS,
    seed: int = 0,
) -> Path:
    """Write `video/HHMMSS.mp4` and `via/HHMM.json` for each recording under `base_dir`.

    The same seed gives the same bytes. Recordings are made side by side, one process per core.

    Parameters
    ----------
    base_dir
        The session folder.
    num_recordings, seconds
        How many recordings, and how long each is, in seconds.
    seed
        What the dogs do.

    Returns
    -------
    Path
        `base_dir`.

    Raises
    ------
    OutputError
        The folder cannot be written to.
    """
    make = partial(_make_recording, base_dir, seconds=seconds, seed=seed)
    workers = os.cpu_count() or 1
    jobs = in_processes(make, range(num_recordings), workers, "makes recordings")
    try:
        with closing(jobs):
            deque(jobs, maxlen=0)
    finally:
        for part in base_dir.rglob(".*.part"):  # of processes that were ended while they wrote
            part.unlink(missing_ok=True)
    return base_dir


def world_of(index: int, seconds: int = SECONDS, seed: int = 0) -> World:
    """Return the truth of recording `index` of the session that `make_session` makes."""
    return make_world(seconds, (seed, index))


def _make_recording(base_dir: Path, index: int, *, seconds: int, seed: int) -> None:
    began = _FIRST + timedelta(minutes=index)
    world = world_of(index, seconds, seed)
    video = base_dir / "video" / f"{began:%H%M%S}.mp4"
    tracks = [_track(REFERENCE_SIZE), _track(TARGET_SIZE)]
    frames = (
        (index, number, render(world, number, track.width, track.height))
        for number in range(world.num_frames)
        for index, track in enumerate(tracks)
        if index == 0 or number >= LATE_FRAMES
    )
    write_video(video, tracks, frames, metadata={"creation_time": began.isoformat()})
    project = _project(world.bouts, video.name, began)
    text = json.dumps(project, separators=(",", ":"))
    write_whole(base_dir / "via" / f"{began:%H%M}.json", text)


def _track(size: tuple[int, int]) -> VideoTrack:
    # A keyframe every two seconds and B-frames, as cameras write them; superfast for speed.
    options = {"preset": "superfast", "crf": "23", "g": str(2 * FRAME_RATE), "bf": "2"}
    return VideoTrack(*size, Fraction(FRAME_RATE), options=options, default=True)


def _project(bouts: Sequence[DogBout], video_name: str, created: datetime) -> dict[str, Any]:
    """Build the VIA 3 project that an annotator of `bouts` would have saved."""
    rows = (
        {
            "source_id": f"{bout.start_s} {bout.dog}",
            "media_name": video_name,
            "task": "behaviour",
            "label": bout.behaviour,
            "t_start": float(bout.start_s),
            "t_end": float(bout.end_s),
        }
        for bout in sorted(bouts, key=lambda bout: (bout.start_s, bout.dog))
    )
    options = {str(index): name for index, name in enumerate(BEHAVIOURS)}
    return via_project(
        segment_table(rows),
        [Media(video_name)],
        options={"behaviour": options},
        name=f"demo {Path(video_name).stem}",
        created_ms=int(created.timestamp() * 1000),
    )
