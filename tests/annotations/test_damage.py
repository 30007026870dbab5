"""No damaged annotation file ends in anything but a result or our own error."""

import os
from pathlib import Path

import pytest

from dogclips.annotations import read_annotations
from tests.annotations.damage import check, originals, run
from tests.annotations.examples import EXAMPLES


def test_thousands_of_damaged_files_are_read_or_refused(tmp_path: Path) -> None:
    outcomes = run(2000, int(os.environ["DOGCLIPS_SEED"]), tmp_path)
    assert sum(outcomes.values()) == 2000
    assert outcomes["read"] > 100
    assert outcomes["refused"] > 500


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_file_cut_off_at_any_byte_is_read_or_refused(tmp_path: Path, name: str) -> None:
    data = EXAMPLES[name]
    path = tmp_path / name
    for length in range(0, len(data), max(1, len(data) // 200)):
        path.write_bytes(data[:length])
        check(read_annotations(path))


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_is_read_whole_and_told_by_its_content(tmp_path: Path, name: str) -> None:
    path = tmp_path / "anything"
    path.write_bytes(EXAMPLES[name])
    project = read_annotations(path).checked()
    assert len(project.segments) > 0
    assert "sit" in set(project.segments["label"])


def test_the_originals_are_whole() -> None:
    assert EXAMPLES.keys() <= originals().keys()
