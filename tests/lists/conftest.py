"""A session of four clips and its split."""

from pathlib import Path

import pytest

from tests.lists.exports import make_session, make_split


@pytest.fixture
def session(tmp_path: Path) -> Path:
    return make_session(tmp_path / "2_2_kt")


@pytest.fixture
def split(tmp_path: Path, session: Path) -> Path:
    return make_split(tmp_path / "split", session, {"train": [0, 2], "val": [3], "test": [1]})
