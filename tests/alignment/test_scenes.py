"""Which stream is a view of the recording: not a still, not another camera's scene."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import dogclips
from dogclips.alignment import Alignment, StreamChoice
from dogclips.clips.recordings import Recording, measure_recordings
from dogclips.media.probe import probe_file
from dogclips.media.writing import TimedFrame, VideoTrack, write_video
from tests.sessions import write_project

RATE = 10
LENGTH = 120  # frames
SMALL, LARGE = (128, 72), (192, 108)
# What a stream shows: a scene by its seed, and at which places.
Shows = tuple[int, Sequence[int], tuple[int, int]]


@cache
def ground(scene: int, size: tuple[int, int], contrast: float) -> NDArray[np.float64]:
    """Return a still scene: soft blotches as a camera sees them at any size."""
    random = np.random.default_rng(scene)
    x, y = np.meshgrid(np.linspace(-1, 1, size[0]), np.linspace(-1, 1, size[1]))
    light = np.zeros_like(x)
    for _ in range(12):
        left, top, strength = random.uniform(-1, 1, 3)
        light += strength * np.exp(-((x - left) ** 2 + (y - top) ** 2) / random.uniform(0.05, 0.4))
    return 110 + contrast * (light - light.mean()) / light.std()


def picture(
    scene: int, place: int, size: tuple[int, int], contrast: float = 45, moving: float = 1
) -> NDArray[np.uint8]:
    x, y = np.meshgrid(np.linspace(-1, 1, size[0]), np.linspace(-1, 1, size[1]))
    at = moving * 0.9 * np.sin(place / 9 + scene), moving * 0.7 * np.cos(place / 7)
    light = ground(scene, size, contrast) + 90 * np.exp(
        -((x - at[0]) ** 2 + (y - at[1]) ** 2) / 0.02
    )
    return np.repeat(light.clip(0, 255).astype(np.uint8)[:, :, None], 3, axis=2)


def write_streams(
    path: Path, *streams: Shows, contrast: float = 45, moving: float = 1, default: int = 0
) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    fast = {"preset": "ultrafast"}
    tracks = [
        VideoTrack(*size, Fraction(RATE), options=fast, default=index == default)
        for index, (_, _, size) in enumerate(streams)
    ]

    def frames() -> Iterator[TimedFrame]:
        order = sorted((at, index) for index, (_, places, _) in enumerate(streams) for at in places)
        for at, index in order:
            scene, _, size = streams[index]
            yield index, at, picture(scene, at, size, contrast, moving)

    write_video(path, tracks, frames())
    return path


def recording_of(path: Path, choice: StreamChoice) -> Recording:
    return measure_recordings([path], [choice])[path, choice]


def aligned(path: Path, choice: StreamChoice) -> Alignment:
    alignment = recording_of(path, choice).alignment
    assert alignment is not None
    return alignment


def codes(alignment: Alignment) -> list[str]:
    return [message.code for message in alignment.messages]


@pytest.fixture(scope="module")
def dashcam(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a session whose recording holds the front of a car, and larger, its back."""
    base_dir = tmp_path_factory.mktemp("dashcam") / "2_2_kt"
    everything = range(LENGTH)
    write_streams(base_dir / "video" / "020500.mp4", (1, everything, SMALL), (2, everything, LARGE))
    write_project(base_dir, "0205", {"020500.mp4": [(0, 12, "1")]})
    return base_dir


def test_another_camera_is_not_taken_for_the_annotated_one(dashcam: Path) -> None:
    result = dogclips.cut(dashcam, {"target": "best"}, dry_run=True, workers=1)

    assert not result.ok
    [failure] = result.failures
    assert "different scenes" in failure.what
    assert "set target=0 for the one that was annotated, or target=1" in failure.what
    assert "then set `target`" in failure.what


@pytest.mark.parametrize("target", [0, 1])
def test_a_target_that_is_named_is_taken_whatever_it_shows(dashcam: Path, target: int) -> None:
    result = dogclips.cut(dashcam, {"target": target}, dry_run=True, workers=1)

    assert result.ok
    rows = result.manifest[result.manifest["status"] == "planned"]
    assert len(rows) == 3
    assert set(rows["target_stream"]) == {target}


def test_one_scene_in_two_sizes_is_one_scene(tmp_path: Path) -> None:
    everything = range(LENGTH)
    for name, contrast, moving in (("moving", 45.0, 1.0), ("still", 45.0, 0.0), ("dark", 2.0, 0.0)):
        path = tmp_path / f"{name}.mp4"
        streams = (1, everything, SMALL), (1, everything, LARGE)
        write_streams(path, *streams, contrast=contrast, moving=moving)

        alignment = aligned(path, StreamChoice())

        assert alignment.trusted, name
        assert "P034" not in codes(alignment), name


def test_two_dark_scenes_cannot_be_told_apart(tmp_path: Path) -> None:
    streams = (1, range(LENGTH), SMALL), (2, range(LENGTH), LARGE)
    path = write_streams(tmp_path / "night.mp4", *streams, contrast=2, moving=0)

    assert codes(aligned(path, StreamChoice())) == ["P021"]


@pytest.mark.parametrize("name", ["020500.mp4", "020500.mkv"])
@pytest.mark.parametrize(
    "shorter", [range(1), range(30, 70), range(50)], ids=["a still", "a part", "a preview"]
)
def test_a_stream_that_does_not_run_through_is_not_the_target(
    tmp_path: Path, name: str, shorter: Sequence[int]
) -> None:
    streams = (1, range(LENGTH), SMALL), (1, shorter, LARGE)
    path = write_streams(tmp_path / name, *streams)

    alignment = aligned(path, StreamChoice())

    assert (alignment.reference, alignment.target) == (0, 0)
    assert "P035" in {message.code for message in probe_file(path).messages}
    assert aligned(path, StreamChoice(target=1)).target == 1


def test_a_still_that_comes_first_is_not_what_was_annotated(tmp_path: Path) -> None:
    streams = (1, range(1), LARGE), (1, range(LENGTH), SMALL)
    path = write_streams(tmp_path / "020500.mp4", *streams, default=0)

    alignment = aligned(path, StreamChoice())

    assert (alignment.reference, alignment.target) == (1, 1)


def test_a_stream_that_lacks_its_beginning_is_still_the_target(tmp_path: Path) -> None:
    streams = (1, range(LENGTH), SMALL), (1, range(50, LENGTH), LARGE)
    path = write_streams(tmp_path / "020500.mkv", *streams)

    assert aligned(path, StreamChoice()).target == 1
