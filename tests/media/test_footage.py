"""Pictures of single frames, as a person sees them."""

from dataclasses import replace

import numpy as np
import pytest

from dogclips.demo.numbers import read_number
from dogclips.errors import MediaError
from dogclips.media.footage import Footage
from dogclips.media.probe import probe_many
from dogclips.streams import Stream, StreamTable
from tests.videos import steady, write_made


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> tuple[Footage, Stream]:
    path = write_made(tmp_path_factory.mktemp("video") / "one.mp4", steady(300))
    [table] = probe_many([path])
    assert isinstance(table, StreamTable)
    return Footage(path), table.streams[0]


@pytest.mark.parametrize("place", [0, 1, 249, 251, 299])
def test_a_picture_is_of_exactly_that_frame(recording: tuple[Footage, Stream], place: int) -> None:
    footage, stream = recording

    assert read_number(footage.picture(stream, place, 1000)[..., 0]) == place


def test_a_picture_is_at_most_as_wide_as_asked_and_never_enlarged(
    recording: tuple[Footage, Stream],
) -> None:
    footage, stream = recording

    assert footage.picture(stream, 3, 64).shape == (36, 64, 3)
    assert footage.picture(stream, 3, 1000).shape == (72, 128, 3)


def test_a_picture_is_upright(recording: tuple[Footage, Stream]) -> None:
    footage, stream = recording
    lying = footage.picture(stream, 3, 1000)

    for rotation, turns in ((90, 1), (180, 2), (-90, 3)):
        upright = footage.picture(replace(stream, rotation=rotation), 3, 1000)
        assert np.array_equal(upright, np.rot90(lying, turns))


def test_a_frame_that_is_not_there_is_an_error(recording: tuple[Footage, Stream]) -> None:
    footage, stream = recording
    longer = replace(stream, pts=np.append(stream.pts, stream.pts[-1] + 1), num_frames=301)

    with pytest.raises(MediaError, match="a frame does not decode"):
        footage.picture(longer, 300, 100)
