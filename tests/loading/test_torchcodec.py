import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from dogclips.errors import MediaError
from dogclips.loading import torchcodec_frames
from dogclips.loading.frames import DecoderName, frames_at
from dogclips.media.excerpt import Excerpt, FrameTimes
from dogclips.media.packets import open_clip
from dogclips.media.writing import Pixels
from tests.painted import write_clip
from tests.sessions import TWO_STREAMS
from tests.shared import SHARED, needs_shared
from tests.videos import steady, write_made

REAL = (
    "mmaction2_demo.mp4",
    "decord_video_90.mov",
    "torchcodec_nasa_13013_rotated.mp4",
    "torchcodec_testsrc2_vp9.webm",
    "pyscenedetect_goldeneye-vfr-drop3.mp4",
    "autoeditor_h264-png.mkv",
    "exoplayer_sample.flv",
)


def spread(times: FrameTimes) -> NDArray[np.float64]:
    chosen = np.linspace(0, len(times.times_s) - 1, 7).round().astype(int)
    return times.times_s[chosen] + 1e-6


def decoded(excerpt: Excerpt, decoder: DecoderName) -> dict[tuple[int, ...], Pixels]:
    shown = frames_at(excerpt, spread, decoder)
    return {tuple(frame.positions.tolist()): frame.pixels for frame in shown}


def own_share(excerpt: Excerpt) -> int:
    """Return how many of the frames TorchCodec decodes itself."""
    with open_clip(excerpt) as clip:
        wanted = set(clip.times.pts[clip.times.on_screen(spread(clip.times))].tolist())
        return len(list(torchcodec_frames.pictures(clip, wanted))) - len(wanted)


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


UNBELIEVED = {
    "a transport stream": ("ts", {"codec": "mpeg4", "options": {"g": "15", "bf": "2", "b": "2M"}}),
    "refreshed bit by bit": (
        "mkv",
        {
            "options": {"preset": "fast", "g": "20", "bf": "0", "x264-params": "intra-refresh=1"},
            "width": 256,
            "height": 144,
        },
    ),
}


@pytest.mark.parametrize(("ending", "made"), UNBELIEVED.values(), ids=UNBELIEVED)
def test_where_keyframes_cannot_be_believed_both_decoders_give_what_the_whole_file_shows(
    tmp_path: Path, ending: str, made: dict[str, Any]
) -> None:
    path = write_made(tmp_path / f"clip.{ending}", steady(240, **made))
    with av.open(str(path)) as whole:
        shown = [frame.to_ndarray(format="rgb24") for frame in whole.decode(video=0)]
    for first in range(20, 180, 7):
        chosen = np.array([first, first + 23, first + 50])
        for decoder in ("pyav", "torchcodec"):
            for frame in frames_at(
                Excerpt(path), lambda times, own=chosen: times.times_s[own] + 1e-6, decoder
            ):
                assert np.array_equal(frame.pixels, shown[chosen[frame.positions[0]]])


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
