"""What the commands of the documentation find: made recordings and a model that is trained on them.

A page gets a copy of its own of what all pages share.
"""

import atexit
import os
import shutil
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import dogclips
from docs.check_examples import Done, expanded, in_shell
from tests.cli import program
from tests.moving import LARGE, SMALL, write_view
from tests.sessions import Segment, write_project
from tests.videos import steady, write_made

STREAMS = (steady(250), steady(240, first=10, late=10, width=256, height=144))
SEGMENTS: tuple[Segment, ...] = ((0, 5, "0"), (5, 9, "1"), (7, 12, "2"))
# Learns nothing, in a second.
_TINY = {
    "model.name": "timesformer",
    "model.patch_size": 16,
    "model.dim": 16,
    "model.depth": 1,
    "model.heads": 2,
    "data.sampling.clip_len": 2,
    "data.size": 32,
    "data.workers": 0,
    "data.augment.flip": False,
    "trainer.epochs": 1,
}


def sessions(folder: Path) -> None:
    """Copy two sessions with five recordings, their split, and a run that was trained on it."""
    shutil.copytree(_sessions(), folder, dirs_exist_ok=True, symlinks=True)


@cache
def _sessions() -> Path:
    folder = Path(mkdtemp(prefix="doc_world_"))
    atexit.register(shutil.rmtree, folder)
    for session, videos in {"2_2_kt": ("0205", "0210", "0215"), "2_3_kt": ("0310", "0320")}.items():
        for video in videos:
            name = f"{video}00.mp4"
            write_made(folder / "Feb" / session / "video" / name, *STREAMS)
            write_project(folder / "Feb" / session, video, {name: SEGMENTS})
    write_made(folder / "camera.avi", steady(50, codec="mpeg4", options={"bf": "2"}))
    write_view(folder / "yard_proxy.mp4", range(150), SMALL)
    write_view(folder / "yard.mov", range(10, 150), LARGE)
    there = [str(folder / "Feb" / session) for session in ("2_2_kt", "2_3_kt")]
    dogclips.cut(there, {"stride_seconds": 1, "content": "never"}, workers=1)
    lists = folder / "split"
    dogclips.split(there, lists, val=0.2, test=0.2)
    given = {"train": lists / "train.txt", "val": lists / "val.txt"}
    dogclips.train(folder / "runs" / "first", _TINY, **given)
    return folder


def one_recording(folder: Path) -> None:
    """Make a session with one recording of two minutes, as the quick start lays it out."""
    times = range(0, 120, 6)
    segments = [(start, start + 5, str(number % 3)) for number, start in enumerate(times)]
    write_made(folder / "Feb" / "2_2_kt" / "video" / "020500.mp4", steady(2400))
    write_project(folder / "Feb" / "2_2_kt", "0205", {"020500.mp4": segments})


def in_process(line: str, folder: Path) -> Done:
    """Run a command in this process, which has imported torch already, and others in a shell."""
    words = expanded(line, folder)
    if words[0] != "dogclips":
        return in_shell(line, folder)
    done = program.dogclips(*words[1:], cwd=folder)
    return Done(done.returncode, done.stdout, done.stderr)


def demo(folder: Path) -> None:
    """Link the folder of a demo that was run: `data/demo`, or the one that is named."""
    there = Path(os.environ.get("DOGCLIPS_DEMO", "data/demo")).absolute()
    (folder / "data").mkdir()
    (folder / "data" / "demo").symlink_to(there)
