from collections.abc import Iterator

import pytest
import torch


@pytest.fixture(autouse=True)
def _seeded() -> Iterator[None]:
    """Draw the same weights and clips in every run, whatever ran before."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield
