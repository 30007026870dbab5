"""Thumbprints: what moves in a clip, whatever its codec, size, rate or light."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from dogclips.errors import MediaError
from dogclips.media.thumbprint import (
    COLUMNS,
    HOP_S,
    MOST_S,
    ROWS,
    Thumbprint,
    thumbprint,
)
from dogclips.media.writing import VideoTrack, write_video
from dogclips.processes import of_each
from tests.moving import write_moving

Draw = Callable[[int], NDArray[np.float64]]

SIDE = (72, 128)
OPTIONS = {"preset": "ultrafast", "crf": "10"}
TEXTURE = np.random.default_rng(5).uniform(60, 180, (9, 16)).repeat(8, 0).repeat(8, 1)


def write(path: Path, draw: Draw, count: int = 40, rate: int = 10) -> Path:
    """Write pictures of gray levels, shape `SIDE`."""
    track = VideoTrack(SIDE[1], SIDE[0], Fraction(rate), options=OPTIONS)
    write_video(path, [track], ((0, number, gray(draw(number))) for number in range(count)))
    return path


def gray(levels: NDArray[np.float64]) -> NDArray[np.uint8]:
    return np.repeat(levels.clip(0, 255).astype(np.uint8)[:, :, None], 3, axis=2)


def spot(across: float) -> NDArray[np.float64]:
    """Return the scene with something dark at this share of its width."""
    picture = TEXTURE.copy()
    left = round(across * (SIDE[1] - 16))
    picture[24:48, left : left + 16] = 20
    return picture


def likeness(one: Thumbprint, other: Thumbprint) -> float:
    return float((one * other).sum() / np.sqrt((one**2).sum() * (other**2).sum()))


def test_there_is_a_vector_for_each_tenth_of_a_second_once_there_are_two_stretches(
    tmp_path: Path,
) -> None:
    vectors = thumbprint(write(tmp_path / "clip.mp4", lambda n: spot(n / 39)))

    assert (HOP_S, vectors.dtype) == (0.1, np.float32)
    assert vectors.shape == (40 - 3, ROWS * COLUMNS)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_clip_that_is_over_at_once_has_no_vectors(tmp_path: Path, count: int) -> None:
    vectors = thumbprint(write(tmp_path / "short.mp4", lambda n: spot(n / 3), count))

    assert vectors.shape == (0, ROWS * COLUMNS)


def test_no_more_than_the_first_seconds_are_looked_at(tmp_path: Path) -> None:
    long = thumbprint(write(tmp_path / "long.mp4", lambda n: spot(n % 37 / 36), 130))
    shorter = thumbprint(write(tmp_path / "shorter.mp4", lambda n: spot(n % 37 / 36), 101))

    assert MOST_S == 10
    assert len(long) == len(shorter) == 100 - 3
    assert likeness(long, shorter) > 0.99


def test_vectors_are_long_where_something_moves_and_short_where_nothing_does(
    tmp_path: Path,
) -> None:
    path = write(tmp_path / "clip.mp4", lambda n: spot(max(n - 20, 0) / 19))

    lengths = np.linalg.norm(thumbprint(path), axis=1)

    assert lengths[:16].max() < 0.3
    assert lengths[21:].min() > 0.9


def test_light_that_changes_everywhere_is_no_motion(tmp_path: Path) -> None:
    path = write(tmp_path / "lamp.mp4", lambda n: TEXTURE * (1 + 0.1 * np.sin(n)) + 5 * np.cos(n))

    assert np.linalg.norm(thumbprint(path), axis=1).max() < 0.5


def test_motion_under_changing_light_is_still_that_motion(tmp_path: Path) -> None:
    steady = thumbprint(write(tmp_path / "steady.mp4", lambda n: spot(n / 39)))
    lamp = write(tmp_path / "lamp.mp4", lambda n: spot(n / 39) * (0.9 + 0.1 * np.sin(n / 2)))

    assert likeness(steady, thumbprint(lamp)) > 0.9


@pytest.mark.parametrize("rate", [5, 20, 40])
def test_the_frame_rate_does_not_matter(tmp_path: Path, rate: int) -> None:
    usual = thumbprint(write(tmp_path / "usual.mp4", lambda n: spot(n / 39)))
    other = write(tmp_path / "other.mp4", lambda n: spot(n * 10 / rate / 39), 4 * rate, rate)

    assert likeness(usual, thumbprint(other)) > 0.85


def test_a_frame_counts_as_long_as_it_is_shown(tmp_path: Path) -> None:
    """A variable rate shows the same as a constant one that repeats frames."""
    starts = np.cumsum([0, *[1, 6, 2, 3] * 8])
    shown = [int(np.searchsorted(starts, tick, side="right")) - 1 for tick in range(starts[-1] + 2)]
    repeated = write(tmp_path / "repeated.mp4", lambda tick: spot(shown[tick] / 32), len(shown), 20)
    track = VideoTrack(SIDE[1], SIDE[0], Fraction(20), options=OPTIONS)
    once = tmp_path / "once.mp4"
    write_video(once, [track], ((0, int(t), gray(spot(n / 32))) for n, t in enumerate(starts)))

    assert likeness(thumbprint(repeated), thumbprint(once)) > 0.98


def test_the_first_frame_need_not_be_shown_at_zero(tmp_path: Path) -> None:
    whole, late = (
        write_moving(tmp_path / f"late{late}.mp4", [], range(40), late=late) for late in (0, 7)
    )

    assert likeness(thumbprint(whole), thumbprint(late)) > 0.999


def test_other_motion_in_the_same_scene_is_unlike(tmp_path: Path) -> None:
    away = thumbprint(write(tmp_path / "away.mp4", lambda n: spot(n / 39)))
    back = thumbprint(write(tmp_path / "back.mp4", lambda n: spot(1 - n / 39)))

    assert abs(likeness(away, back)) < 0.5


def test_a_video_without_timestamps_is_an_error(tmp_path: Path) -> None:
    raw = tmp_path / "raw.h264"
    source = write(tmp_path / "clip.mp4", lambda n: spot(n / 39))
    with av.open(str(source)) as clip, av.open(str(raw), "w", format="h264") as bare:
        track = bare.add_stream_from_template(clip.streams.video[0])
        for packet in clip.demux(video=0):
            if packet.size:
                packet.stream = track
                bare.mux(packet)

    with pytest.raises(MediaError, match=r"no timestamps .*raw\.h264"):
        thumbprint(raw)


def test_a_bad_clip_becomes_its_error_and_stops_no_other(tmp_path: Path) -> None:
    good = write(tmp_path / "good.mp4", lambda n: spot(n / 39))
    text = tmp_path / "notes.mp4"
    text.write_text("no video")
    read: list[int] = []

    found = of_each(thumbprint, [text, good, tmp_path / "gone.mp4"], read.append)

    assert [isinstance(taken, MediaError) for taken in found] == [True, False, True]
    assert np.array_equal(found[1], thumbprint(good))  # type: ignore[arg-type]
    assert sum(read) == 3


def test_many_clips_are_read_in_processes_with_the_same_result(tmp_path: Path) -> None:
    paths = [
        write(tmp_path / f"{n}.mp4", lambda n, own=n: spot((n + own) / 20), 12) for n in (1, 9)
    ]
    gone = tmp_path / "gone.mp4"

    found = of_each(thumbprint, [*paths * 32, gone])

    assert len(found) == 65
    assert isinstance(found[-1], MediaError)
    for place, taken in enumerate(found[:-1]):
        assert np.array_equal(taken, thumbprint(paths[place % 2]))  # type: ignore[arg-type]
    assert not np.array_equal(found[0], found[1])  # type: ignore[arg-type]
