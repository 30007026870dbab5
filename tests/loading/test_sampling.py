from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dogclips.loading import Augmentation, Sampling, Views
from dogclips.loading.dataset import FixedViews, RandomViews
from dogclips.loading.sampling import Dense
from dogclips.media.excerpt import Excerpt, FrameTimes, frame_times_of
from tests.painted import write_clip

starts = st.floats(-10, 10)
durations = st.floats(0.05, 100)
lengths = st.integers(1, 64)


def frames_between(start: float, end: float) -> FrameTimes:
    return FrameTimes(np.arange(2), np.array([start, (start + end) / 2]))


@given(starts, durations, lengths, st.integers(0, 2**32))
def test_training_takes_one_instant_of_each_segment(
    start: float, duration: float, clip_len: int, seed: int
) -> None:
    times = frames_between(start, start + duration)
    instants = Sampling(clip_len).random_views(times, 2, np.random.default_rng(seed))
    segments = (instants - start) / duration * clip_len
    assert np.all(np.abs(segments - (np.arange(clip_len) + 0.5)) <= 0.5 + 1e-6)


@given(starts, durations, lengths, st.integers(1, 5))
def test_views_together_cover_the_clip_evenly(
    start: float, duration: float, clip_len: int, num_views: int
) -> None:
    times = frames_between(start, start + duration)
    together = np.sort(Sampling(clip_len).fixed_views(times, num_views).ravel())
    steps = np.diff(np.concatenate([[start], together, [start + duration]]))
    even = duration / (clip_len * num_views)
    assert np.allclose(steps[1:-1], even)
    assert np.allclose(steps[[0, -1]], even / 2)


def test_the_same_seed_draws_the_same_instants() -> None:
    times = frames_between(0, 4)
    first, second, other = (
        Sampling(8).random_views(times, 1, np.random.default_rng(seed)) for seed in (3, 3, 4)
    )
    assert np.array_equal(first, second)
    assert not np.array_equal(first, other)


def twenty_a_second(num_frames: int) -> FrameTimes:
    return frame_times_of(np.arange(num_frames) * 50 + 7, Fraction(1, 1000))


def places(times: FrameTimes, instants: np.ndarray) -> list[list[int]]:
    found: list[list[int]] = times.on_screen(instants).tolist()
    return found


@given(st.integers(1, 12), st.integers(1, 9), st.integers(0, 60), st.integers(0, 2**32))
def test_dense_frames_are_exactly_the_interval_apart(
    clip_len: int, interval: int, more: int, seed: int
) -> None:
    span = (clip_len - 1) * interval + 1
    times = twenty_a_second(span + more)
    sampling = Sampling(clip_len, Dense(interval))
    drawn = places(times, sampling.random_views(times, 3, np.random.default_rng(seed)))
    fixed = places(times, sampling.fixed_views(times, 3))
    for view in (*drawn, *fixed):
        assert view == list(range(view[0], view[0] + span, interval))
        assert 0 <= view[0] <= more
    assert (fixed[0][0], fixed[-1][0]) == (0, more)


def test_a_single_dense_view_of_an_evaluation_lies_in_the_middle() -> None:
    times = twenty_a_second(80)
    (view,) = places(times, Sampling(8, Dense(4)).fixed_views(times, 1))
    assert view == [26, 30, 34, 38, 42, 46, 50, 54]


def test_an_interval_in_seconds_means_the_same_at_every_rate() -> None:
    slow, fast = (frame_times_of(np.arange(4 * rate), Fraction(1, rate)) for rate in (20, 50))
    assert slow is not None
    assert fast is not None
    sampling = Sampling(5, Dense(0.2, seconds=True))
    (few,), (many,) = (places(t, sampling.fixed_views(t, 1)) for t in (slow, fast))
    assert np.diff(few).tolist() == [4] * 4
    assert np.diff(many).tolist() == [10] * 4


def test_a_clip_that_is_too_short_is_sampled_uniformly_and_nothing_is_repeated() -> None:
    times = twenty_a_second(80)
    sampling = Sampling(8, Dense(32))
    assert sampling.shortens(times)
    (fixed,) = places(times, sampling.fixed_views(times, 1))
    assert fixed == [5, 15, 25, 35, 45, 55, 65, 75]
    (drawn,) = places(times, sampling.random_views(times, 1, np.random.default_rng(0)))
    assert [place // 10 for place in drawn] == list(range(8))


def test_a_clip_that_just_fits_is_not_called_too_short() -> None:
    times = twenty_a_second(80)
    assert not Sampling(8, Dense(11)).shortens(times)  # 78 frames
    assert not Sampling(80, Dense(1)).shortens(times)
    assert Sampling(81, Dense(1)).shortens(times)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Excerpt:
    return Excerpt(write_clip(tmp_path_factory.mktemp("clips") / "clip.mp4", 80))


def numbers(views: np.ndarray) -> list[list[int]]:
    """Read the painted numbers of views (V, 3, T, S, S)."""
    found: list[list[int]] = (views.mean((1, 3, 4)) / 3).round().astype(int).tolist()
    return found


def test_every_training_view_shows_frames_of_its_own(clip: Excerpt) -> None:
    load = RandomViews(Sampling(4), Augmentation(16), num_views=3)
    one, two, three = numbers(load(clip, np.random.default_rng(0)).numpy())
    for view in (one, two, three):
        assert [number // 20 for number in view] == [0, 1, 2, 3]
    assert one != two != three
    dense = RandomViews(Sampling(4, Dense(3)), Augmentation(16), num_views=2)
    for view in numbers(dense(clip, np.random.default_rng(1)).numpy()):
        assert np.diff(view).tolist() == [3, 3, 3]


def test_the_views_of_an_evaluation_come_view_by_view_and_crop_by_crop(clip: Excerpt) -> None:
    load = FixedViews(Sampling(4), 2, Views(16, crops=3))
    views = load(clip, np.random.default_rng(0)).numpy()
    assert numbers(views) == [[5, 25, 45, 65]] * 3 + [[15, 35, 55, 75]] * 3
    assert np.array_equal(views, load(clip, np.random.default_rng(9)).numpy())
