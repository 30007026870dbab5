from fractions import Fraction

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.random import default_rng

from dogclips.demo.numbers import MAX_NUMBER, paint_number, read_number
from dogclips.media.writing import VideoTrack, write_video


@given(
    number=st.integers(0, MAX_NUMBER),
    height=st.integers(48, 300),
    aspect=st.sampled_from([Fraction(3, 8), Fraction(1), Fraction(4, 3), Fraction(16, 9)]),
)
def test_what_was_painted_is_read_at_any_size(number, height, aspect):
    width = -(-height * aspect.numerator // aspect.denominator)
    picture = np.full((height, width, 3), 127, np.uint8)
    paint_number(picture, number)
    assert read_number(picture) == number
    assert read_number(picture[:, :, 0]) == number


@given(seed=st.integers(0, 2**32 - 1), amplitude=st.integers(1, 255))
def test_a_picture_without_a_plate_has_no_number(seed, amplitude):
    noise = default_rng(seed).integers(0, amplitude, size=(72, 128, 3), dtype=np.uint8)
    assert read_number(noise) is None


def test_a_number_in_doubt_is_not_guessed():
    picture = np.zeros((72, 128, 3), np.uint8)
    paint_number(picture, 1234)
    blended = picture // 2
    paint_number(blended, 1235)
    mixed = ((picture.astype(int) + blended) // 2).astype(np.uint8)
    assert read_number(mixed) is None


@pytest.mark.parametrize("number", [-1, MAX_NUMBER + 1])
def test_a_number_that_does_not_fit_is_refused(number):
    with pytest.raises(ValueError, match="four digits"):
        paint_number(np.zeros((72, 128, 3), np.uint8), number)


def test_a_picture_too_small_for_a_number_is_refused():
    with pytest.raises(ValueError, match="too small"):
        paint_number(np.zeros((32, 56, 3), np.uint8), 1)


@pytest.mark.parametrize("size", [(256, 144), (128, 72), (114, 64), (320, 180)])
def test_numbers_survive_a_lossy_encoding_and_scaling(tmp_path, size):
    numbers = [*range(40), 1188, 1189, 4738, 8888, 9999]
    rng = default_rng(0)
    pictures = []
    for number in numbers:
        picture = rng.integers(60, 160, size=(144, 256, 3), dtype=np.uint8)
        paint_number(picture, number)
        pictures.append(picture)
    rate = Fraction(20)
    track = VideoTrack(256, 144, rate, options={"crf": "23", "preset": "veryfast"})
    path = tmp_path / "numbers.mp4"
    write_video(path, [track], ((0, n, picture) for n, picture in enumerate(pictures)))
    with av.open(str(path)) as container:
        frames = [
            frame.reformat(*size).to_ndarray(format="rgb24") for frame in container.decode(video=0)
        ]
    assert [read_number(frame) for frame in frames] == numbers
