import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dogclips.loading import random_instants, segment_instants

starts = st.floats(-10, 10)
durations = st.floats(0.05, 100)
lengths = st.integers(1, 64)


@given(starts, durations, lengths, st.integers(0, 2**32))
def test_training_takes_one_instant_of_each_segment(
    start: float, duration: float, clip_len: int, seed: int
) -> None:
    instants = random_instants(start, start + duration, clip_len, np.random.default_rng(seed))
    segments = (instants - start) / duration * clip_len
    assert np.all(np.abs(segments - (np.arange(clip_len) + 0.5)) <= 0.5 + 1e-6)


@given(starts, durations, lengths, st.integers(1, 5))
def test_views_together_cover_the_clip_evenly(
    start: float, duration: float, clip_len: int, num_views: int
) -> None:
    views = [
        segment_instants(start, start + duration, clip_len, view=view, num_views=num_views)
        for view in range(num_views)
    ]
    together = np.sort(np.concatenate(views))
    steps = np.diff(np.concatenate([[start], together, [start + duration]]))
    even = duration / (clip_len * num_views)
    assert np.allclose(steps[1:-1], even)
    assert np.allclose(steps[[0, -1]], even / 2)


def test_the_same_seed_draws_the_same_instants() -> None:
    first, second = (random_instants(0, 4, 8, np.random.default_rng(3)) for _ in range(2))
    assert np.array_equal(first, second)
    assert not np.array_equal(first, random_instants(0, 4, 8, np.random.default_rng(4)))
