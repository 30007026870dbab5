"""The folder in which the examples of the help pages run: sessions, lists, a run, foreign files."""

import os
import pickle
import shutil
from pathlib import Path

import dogclips
from dogclips.models import SlowFastConfig
from tests.annotations.examples import BORIS
from tests.models.foreign import blobs_of_caffe2, filled
from tests.sessions import write_project
from tests.videos import steady, write_made

# Of the networks that the examples train, small enough for a test.
TINY = ("model.dim=16", "model.depth=1", "model.heads=2", "data.sampling.clip_len=4")
QUICK = (*TINY, "data.size=32", "data.batch_size=2", "data.workers=0", "trainer.epochs=1")
# Two streams take time to align: one recording has them.
TWO_STREAMS = (
    steady(165, width=64, height=48),
    steady(155, first=10, late=10, width=128, height=96),
)
RECORDINGS = {
    "020500.mp4": TWO_STREAMS,
    "021800.mp4": (steady(160, width=64, height=48),),
    "030100.mp4": (steady(160, width=64, height=48),),
}


def write_workplace(folder: Path) -> Path:
    """Write everything that an example names."""
    session, run = folder / "Feb/2_2_kt", folder / "runs/first"
    for name, streams in RECORDINGS.items():
        write_made(session / "video" / name, *streams)
    write_made(folder / "camera.avi", steady(20, codec="mpeg4", options={}))
    write_made(folder / "yard_proxy.mp4", steady(40, width=64, height=48))
    write_made(folder / "yard.mp4", steady(40))
    segments = [(0, 4, "0"), (4, 8, "1"), (5, 8, "2")]
    write_project(session, "0205", dict.fromkeys(RECORDINGS, segments))
    assert dogclips.cut(session, workers=1).ok
    lists = folder / "split"
    assert dogclips.split(session, lists, val=0.25, test=0.25).ok
    dogclips.train(
        run, ["tiny_cpu", *QUICK], train=lists / "train.txt", val=lists / "val.txt", check="none"
    )
    (folder / "walk.boris").write_text(BORIS)
    weights = filled(SlowFastConfig(depths=(1, 1, 1, 1), width=8), 3, 8, 32).state_dict()
    blobs = pickle.dumps(blobs_of_caffe2(weights), protocol=2)
    (folder / "SLOWFAST_8x8_R50.pkl").write_bytes(blobs)
    return folder


def copied(workplace: Path, folder: Path) -> Path:
    """Return a copy that costs nothing: whoever writes a file replaces it, and leaves others."""
    return shutil.copytree(workplace, folder, copy_function=os.link)
