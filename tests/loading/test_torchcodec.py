import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from dogclips.errors import MediaError
from dogclips.loading import torchcodec_frames
from dogclips.loading.decoding import DecoderName, Pixels, frames_at
from dogclips.loading.excerpts import Excerpt, Timeline
from dogclips.loading.packets import read_packets, video_stream
from dogclips.media.container import open_input
from tests.painted import write_clip
from tests.sessions import TWO_STREAMS
from tests.shared import SHARED, needs_shared
from tests.videos import write_made

REAL = (
    "mmaction2_demo.mp4",
    "decord_video_90.mov",
    "torchcodec_nasa_13013_rotated.mp4",
    "torchcodec_testsrc2_vp9.webm",
    "pyscenedetect_goldeneye-vfr-drop3.mp4",
    "autoeditor_h264-png.mkv",
    "exoplayer_sample.flv",
)


def spread(timeline: Timeline) -> NDArray[np.float64]:
    places = np.linspace(0, len(timeline.times_s) - 1, 7).round().astype(int)
    return timeline.times_s[places] + 1e-6


def decoded(excerpt: Excerpt, decoder: DecoderName) -> dict[tuple[int, ...], Pixels]:
    shown = frames_at(excerpt, spread, decoder)
    return {tuple(frame.positions.tolist()): frame.pixels for frame in shown}


def own_share(excerpt: Excerpt) -> int:
    """Return how many of the frames TorchCodec decodes itself."""
    with open_input(excerpt.path) as container:
        video = video_stream(container, excerpt)
        clip = read_packets(container, video, excerpt)
        wanted = set(clip.timeline.pts[clip.timeline.on_screen(spread(clip.timeline))].tolist())
        return len(list(torchcodec_frames.pictures(excerpt.path, video, clip, wanted))) - len(
            wanted
        )


def assert_the_same(excerpt: Excerpt) -> None:
    ours, theirs = decoded(excerpt, "pyav"), decoded(excerpt, "torchcodec")
    assert ours.keys() == theirs.keys()
    for positions, pixels in ours.items():
        assert np.array_equal(pixels, theirs[positions])
    assert own_share(excerpt) == 0


def test_torchcodec_works_here() -> None:
    assert torchcodec_frames.fault() is None


@pytest.mark.parametrize("stream", [0, 1])
def test_both_decoders_give_the_same_bytes_of_either_stream(tmp_path: Path, stream: int) -> None:
    path = write_made(tmp_path / "two.mp4", *TWO_STREAMS)
    assert_the_same(Excerpt(path, stream))


@needs_shared
@pytest.mark.shared
@pytest.mark.parametrize("name", REAL)
def test_both_decoders_give_the_same_bytes_of_real_files(name: str) -> None:
    assert_the_same(Excerpt(SHARED / "data" / "videos" / name))


def test_what_torchcodec_does_not_decode_is_left_to_pyav(tmp_path: Path) -> None:
    counted = write_clip(tmp_path / "clip.avi")
    assert len(decoded(Excerpt(counted), "torchcodec")) == 7


def test_torchcodec_never_sees_a_file_that_our_rules_refuse(tmp_path: Path) -> None:
    write_clip(tmp_path / "other.mp4")
    (tmp_path / "x.mp4").write_text("#EXTM3U\n#EXTINF:1,\nother.mp4\n#EXT-X-ENDLIST\n")
    with pytest.raises(MediaError, match=r"x\.mp4"):
        decoded(Excerpt(tmp_path / "x.mp4"), "torchcodec")


@pytest.fixture
def forgotten(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let TorchCodec be imported anew, and put it back afterwards."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "torchcodec"]:
        monkeypatch.delitem(sys.modules, name)
    torchcodec_frames.fault.cache_clear()
    yield
    for name in [name for name in sys.modules if name.partition(".")[0] == "torchcodec"]:
        del sys.modules[name]
    torchcodec_frames.fault.cache_clear()


@pytest.mark.usefixtures("forgotten")
def test_an_import_that_fails_counts_as_not_installed_and_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "torchcodec"
    (package / "decoders").mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "decoders" / "__init__.py").write_text("raise RuntimeError('no libav\\nmore')")
    monkeypatch.syspath_prepend(tmp_path)
    assert torchcodec_frames.fault() == "it does not load: no libav"
