"""Several inputs of one step: a bad one stops no other."""

from pathlib import Path

import pytest

import dogclips
from dogclips.errors import ListError, UsageError
from dogclips.events import Event, Failed


def test_without_inputs_there_is_nothing_to_do(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nothing to read"):
        dogclips.split([], tmp_path / "split")
    with pytest.raises(UsageError, match="nothing to read"):
        dogclips.report([], tmp_path / "report.html")


def test_where_no_input_can_be_read_the_first_fault_is_raised_and_the_others_are_told(
    tmp_path: Path,
) -> None:
    told: list[Event] = []

    with pytest.raises(ListError, match=r"one\.txt"):
        dogclips.split(
            [tmp_path / "one.txt", tmp_path / "two.txt"], tmp_path / "out", progress=told.append
        )

    [failed] = [event for event in told if isinstance(event, Failed)]
    assert failed.error.where == str(tmp_path / "two.txt")
    assert not (tmp_path / "out").exists()
