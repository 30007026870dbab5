from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from dogclips.errors import MediaError
from dogclips.loading import segment_instants
from dogclips.loading.frames import frames_at
from dogclips.media.excerpt import Excerpt, FrameTimes
from dogclips.media.writing import Pixels
from tests.painted import number_of, write_clip
from tests.shared import SHARED, needs_shared
from tests.videos import KEYFRAMES, numbers_in, steady, write_made


@dataclass(frozen=True)
class Frames:
    """Frames as pixels (T, H, W, 3), and when each is shown."""

    pixels: Pixels
    times_s: tuple[float, ...]


def read_frames(
    path: Path,
    instants: Callable[[float, float], NDArray[np.float64]],
    *,
    stream: int | None = None,
) -> Frames:
    """Read the frames on screen at instants that are chosen of a start and an end."""
    times_s: list[float] = []

    def chosen(times: FrameTimes) -> NDArray[np.float64]:
        wanted = np.sort(instants(times.start_s, times.end_s))
        times_s.extend(times.times_s[times.on_screen(wanted)].tolist())
        return wanted

    shown = list(frames_at(Excerpt(path, stream), chosen))
    pixels = {at: frame.pixels for frame in shown for at in frame.positions.tolist()}
    return Frames(np.stack([pixels[at] for at in range(len(times_s))]), tuple(times_s))


def at(*seconds: float) -> Callable[[float, float], NDArray[np.float64]]:
    return lambda start, _end: np.array(seconds, dtype=np.float64) + start


def numbers(path: Path, *seconds: float) -> list[int]:
    return [number_of(pixels) for pixels in read_frames(path, at(*seconds)).pixels]


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("clips") / "clip.mp4")


def test_the_frame_on_screen_at_an_instant_is_decoded(clip: Path) -> None:
    assert numbers(clip, 0.0, 0.049, 0.05, 1.0, 1.974, 1.999) == [0, 0, 1, 20, 39, 39]


def test_threads_of_one_program_read_frames_side_by_side(tmp_path: Path) -> None:
    """Each of another size; two that shared what scales pictures would crash the program."""
    sizes = [(64 + 16 * number, 48) for number in range(4)]
    clips = [write_clip(tmp_path / f"{size[0]}.mp4", size=size) for size in sizes]
    seconds = [number / 20 for number in range(40)]

    with ThreadPoolExecutor(len(clips)) as threads:
        found = list(threads.map(lambda clip: numbers(clip, *seconds), clips * 6))

    assert found == [list(range(40))] * len(found)


def test_instants_come_back_in_the_order_of_time(clip: Path) -> None:
    frames = read_frames(clip, at(1.0, 0.0, 0.5))
    assert frames.times_s == (0.0, 0.5, 1.0)
    assert frames.pixels.shape == (3, 48, 64, 3)


def test_instants_outside_the_clip_mean_its_first_and_last_frame(clip: Path) -> None:
    assert numbers(clip, -1.0, 99.0) == [0, 39]


def test_the_clip_lasts_until_its_last_frame_has_been_shown(clip: Path) -> None:
    spans = []

    def noted(start: float, end: float) -> NDArray[np.float64]:
        spans.append((start, end))
        return np.array([start])

    read_frames(clip, noted)
    assert spans == [(0.0, pytest.approx(2.0))]


def test_uneven_frame_times_are_sampled_by_time_not_by_count(tmp_path: Path) -> None:
    # 20 frames in the first second, then 2 in the second one.
    times = [50 * number for number in range(20)] + [1000, 1500]
    uneven = write_clip(tmp_path / "uneven.mp4", times_ms=times)
    frames = read_frames(uneven, lambda start, _end: segment_instants(start, 2.0, 4))
    assert [number_of(pixels) for pixels in frames.pixels] == [5, 15, 20, 21]


@pytest.mark.parametrize("name", ["clip.mkv", "clip.avi", "clip.mov"])
def test_every_container_gives_the_same_frames(tmp_path: Path, name: str) -> None:
    assert numbers(write_clip(tmp_path / name), 0.01, 0.51, 1.96) == [0, 10, 39]


def test_a_clip_of_one_frame_is_that_frame_at_every_instant(tmp_path: Path) -> None:
    assert numbers(write_clip(tmp_path / "one.mp4", 1), 0.0, 0.5) == [0, 0]


def test_a_second_video_stream_is_left_alone(tmp_path: Path, clip: Path) -> None:
    both = tmp_path / "both.mkv"
    other = write_clip(tmp_path / "other.mp4", 5, size=(128, 96))
    _mux([clip, other], both)
    assert read_frames(both, at(0.0)).pixels.shape == (1, 48, 64, 3)
    assert read_frames(both, at(0.0), stream=1).pixels.shape == (1, 96, 128, 3)
    with pytest.raises(MediaError, match="no video stream 2"):
        read_frames(both, at(0.0), stream=2)


def test_a_sideways_recording_is_turned_upright(tmp_path: Path) -> None:
    def top_white(_number: int, pixels: NDArray[np.uint8]) -> None:
        pixels[:16] = 255

    path = write_clip(tmp_path / "phone.mp4", 2, paint=top_white)
    _turn(path)
    upright = read_frames(path, at(0.0)).pixels[0]
    assert upright.shape == (64, 48, 3)
    assert upright[:, -16:].mean() > 200  # what was stored on top is shown on the right
    assert upright[:, :16].mean() < 50


def test_a_truncated_clip_is_named_and_refused(tmp_path: Path, clip: Path) -> None:
    whole = tmp_path / "whole.mp4"
    _mux([clip], whole, {"movflags": "faststart"})
    data = whole.read_bytes()
    short = tmp_path / "short.mp4"
    short.write_bytes(data[: len(data) * 9 // 10])
    with pytest.raises(MediaError, match="middle of a frame") as caught:
        read_frames(short, at(0.0))
    assert caught.value.where == str(short)


def test_a_frame_that_is_overwritten_is_refused_with_its_time(tmp_path: Path) -> None:
    def noise(number: int, pixels: NDArray[np.uint8]) -> None:
        pixels[:] = np.random.default_rng(number).integers(0, 256, pixels.shape, dtype=np.uint8)

    path = write_clip(tmp_path / "holed.mp4", 10, paint=noise)
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 4000] = bytes(4000)
    path.write_bytes(data)
    with pytest.raises(MediaError, match=r"holed\.mp4"):
        read_frames(path, lambda start, end: segment_instants(start, end, 10))


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"no video at all\n" * 99, id="text"),
        pytest.param(b"#EXTM3U\n#EXTINF:1,\nother.mp4\n#EXT-X-ENDLIST\n", id="a playlist"),
    ],
)
def test_what_is_no_video_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.mp4"
    path.write_bytes(content)
    with pytest.raises(MediaError, match=r"x\.mp4"):
        read_frames(path, at(0.0))


def test_a_missing_clip_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match=r"gone\.mp4"):
        read_frames(tmp_path / "gone.mp4", at(0.0))


def _mux(sources: Sequence[Path], target: Path, options: dict[str, str] | None = None) -> None:
    """Put the first stream of every source into one file, without encoding."""
    with av.open(str(target), "w", options=options or {}) as container:
        opened = [av.open(str(source)) for source in sources]
        streams = [container.add_stream_from_template(source.streams.video[0]) for source in opened]
        for source, stream in zip(opened, streams, strict=True):
            for packet in source.demux(source.streams.video[0]):
                if packet.size:
                    packet.stream = stream
                    container.mux(packet)
            source.close()


def _turn(path: Path) -> None:
    """Write a display matrix that turns clockwise by 90 degrees, as phones do."""
    data = path.read_bytes()
    one, deep = (1 << 16).to_bytes(4, "big"), (1 << 30).to_bytes(4, "big")
    zero, minus = bytes(4), (-(1 << 16)).to_bytes(4, "big", signed=True)
    identity = one + zero * 3 + one + zero * 3 + deep
    clockwise = zero + one + zero + minus + zero * 4 + deep
    track = data.index(b"tkhd")
    place = data.index(identity, track)
    path.write_bytes(data[:place] + clockwise + data[place + len(identity) :])


@pytest.mark.parametrize("options", KEYFRAMES.values(), ids=KEYFRAMES.keys())
@pytest.mark.parametrize("ending", ["mp4", "mkv", "ts"])
def test_a_jump_to_a_keyframe_gives_the_frame_that_decoding_everything_gives(
    tmp_path: Path, options: dict[str, str], ending: str
) -> None:
    made = write_made(
        tmp_path / f"clip.{ending}", steady(40, options={"preset": "fast", **options})
    )
    assert numbers_in(made) == list(range(40))
    whole = [frame.to_ndarray(format="rgb24") for frame in av.open(str(made)).decode(video=0)]
    for places in ([39], [20], [6, 7, 8, 9], [0, 17, 33]):
        found = read_frames(made, lambda start, _end, at=places: start + (np.array(at) + 0.5) / 20)
        for place, pixels in zip(places, found.pixels, strict=True):
            assert np.array_equal(pixels, whole[place])


def test_each_wanted_frame_comes_once_with_all_of_its_positions(clip: Path) -> None:
    def chosen(times: FrameTimes) -> NDArray[np.float64]:
        assert times.end_s == pytest.approx(2.0)
        return np.array([[1.0, 0.0], [0.0, 1.01]])

    found = {
        number_of(shown.pixels): shown.positions.tolist()
        for shown in frames_at(Excerpt(clip), chosen)
    }
    assert found == {0: [1, 2], 20: [0, 3]}


@needs_shared
@pytest.mark.shared
def test_old_x264_in_full_colour_resolution_is_decoded_from_its_start() -> None:
    # Behind a keyframe FFmpeg and every reader built on it give garbage, and no error.
    path = SHARED / "data" / "videos" / "deeplabcut_openfield_m3v1mp4.mp4"
    found = read_frames(path, lambda start, _end: np.array([start + 12.1])).pixels[0]
    with av.open(str(path)) as container:
        frames = (frame for frame in container.decode(video=0) if frame.time > 12.1 - 1 / 30)
        assert np.array_equal(found, next(frames).to_ndarray(format="rgb24"))
