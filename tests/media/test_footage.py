"""Pictures of single frames, as a person sees them, and thumbnails of many."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from dogclips.demo.numbers import read_number
from dogclips.errors import MediaError
from dogclips.media.footage import FileFootage
from dogclips.media.probe import probe_many
from dogclips.streams import THUMBNAIL_COLUMNS, THUMBNAIL_ROWS, Orientation, Stream, StreamTable
from tests.moving import write_moving
from tests.videos import steady, write_made


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> tuple[FileFootage, Stream]:
    path = write_made(tmp_path_factory.mktemp("video") / "one.mp4", steady(300))
    [table] = probe_many([path])
    assert isinstance(table, StreamTable)
    return FileFootage(path), table.streams[0]


@pytest.mark.parametrize("place", [0, 1, 249, 251, 299])
def test_a_picture_is_of_exactly_that_frame(
    recording: tuple[FileFootage, Stream], place: int
) -> None:
    footage, stream = recording

    assert read_number(footage.picture(stream, place, 1000)[..., 0]) == place


def test_a_picture_is_at_most_as_wide_as_asked_and_never_enlarged(
    recording: tuple[FileFootage, Stream],
) -> None:
    footage, stream = recording

    assert footage.picture(stream, 3, 64).shape == (36, 64, 3)
    assert footage.picture(stream, 3, 1000).shape == (72, 128, 3)


def test_a_picture_is_upright(recording: tuple[FileFootage, Stream]) -> None:
    footage, stream = recording
    lying = footage.picture(stream, 3, 1000)

    for rotation, turns in ((90, 1), (180, 2), (-90, 3)):
        upright = footage.picture(
            replace(stream, orientation=Orientation(rotation // 90 % 4)), 3, 1000
        )
        assert np.array_equal(upright, np.rot90(lying, turns))


def test_a_frame_that_is_not_there_is_an_error(recording: tuple[FileFootage, Stream]) -> None:
    footage, stream = recording
    longer = replace(stream, pts=np.append(stream.pts, stream.pts[-1] + 1), num_frames=301)

    with pytest.raises(MediaError, match="a frame does not decode"):
        footage.picture(longer, 300, 100)


def test_thumbnails_are_upright_and_all_of_one_shape(recording: tuple[FileFootage, Stream]) -> None:
    footage, stream = recording

    for rotation in (0, 90, 180, -90):
        turned = replace(stream, orientation=Orientation(rotation // 90 % 4))
        seen = footage.look(turned, 20, 22)
        assert seen.pictures.shape == (2, THUMBNAIL_ROWS, THUMBNAIL_COLUMNS)
        shrunk = _shrunk(footage.picture(turned, 20, 1000).mean(axis=2))
        assert np.corrcoef(seen.pictures[0].ravel(), shrunk.ravel())[0, 1] > 0.98


def _shrunk(picture: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean brightness of each cell of a thumbnail."""
    rows, columns = picture.shape
    many = picture.repeat(THUMBNAIL_ROWS, axis=0).repeat(THUMBNAIL_COLUMNS, axis=1)
    cells = many.reshape(THUMBNAIL_ROWS, rows, THUMBNAIL_COLUMNS, columns)
    return np.asarray(cells.mean(axis=(1, 3)))


def test_a_look_holds_exactly_the_frames_asked_for(recording: tuple[FileFootage, Stream]) -> None:
    footage, stream = recording
    whole = footage.look(stream, 0, 300)

    part = footage.look(stream, 247, 255)

    assert whole.indices.tolist() == list(range(300))
    assert np.flatnonzero(whole.keyframes).tolist() == [0, 250]
    assert part.indices.tolist() == list(range(247, 255))
    assert np.flatnonzero(part.keyframes).tolist() == [3]
    assert np.array_equal(part.pictures, whole.pictures[247:255])


@pytest.mark.parametrize(("first", "stop"), [(300, 400), (-40, 0), (20, 20), (20, 10)])
def test_a_look_outside_of_the_stream_is_empty(
    recording: tuple[FileFootage, Stream], first: int, stop: int
) -> None:
    footage, stream = recording

    seen = footage.look(stream, first, stop)

    assert seen.pictures.shape == (0, THUMBNAIL_ROWS, THUMBNAIL_COLUMNS)
    assert (len(seen.indices), len(seen.keyframes)) == (0, 0)


def test_a_look_over_the_ends_holds_what_is_there(recording: tuple[FileFootage, Stream]) -> None:
    footage, stream = recording

    assert footage.look(stream, -5, 3).indices.tolist() == [0, 1, 2]
    assert footage.look(stream, 298, 320).indices.tolist() == [298, 299]


def test_activity_is_low_where_nothing_moves(tmp_path: Path) -> None:
    shown = [*(40 * [0]), *range(1, 41)]
    path = write_moving(tmp_path / "late_motion.mp4", shown, shown)
    [table] = probe_many([path])
    assert isinstance(table, StreamTable)
    footage = FileFootage(path)

    for stream in table.streams:
        activity = footage.activity(stream)
        assert activity.shape == (80,)
        assert np.median(activity[1:40]) < 0.6 * np.median(activity[41:])


def test_a_keyframe_is_as_active_as_the_usual_frame(recording: tuple[FileFootage, Stream]) -> None:
    footage, stream = recording

    activity = footage.activity(stream)

    others = np.delete(activity, [0, 250])
    assert activity[0] == activity[250] == np.median(others)
    assert (activity > 0).all()


def test_a_file_that_is_no_video_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "notes.mp4"
    path.write_text("no video")
    stream = Stream(0, "video", "h264", Fraction(1, 20), np.arange(9), 9, 9)

    for look in (
        lambda: FileFootage(path).look(stream, 0, 9),
        lambda: FileFootage(path).activity(stream),
    ):
        with pytest.raises(MediaError, match=r"notes\.mp4"):
            look()
