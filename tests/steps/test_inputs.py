"""Several inputs of one step."""

from pathlib import Path

import pytest

import dogclips
from dogclips.errors import ListError, SessionError, UsageError
from dogclips.events import Event, Failed
from tests.sessions import write_session


def test_without_inputs_there_is_nothing_to_do(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nothing to read"):
        dogclips.split([], tmp_path / "split")
    with pytest.raises(UsageError, match="nothing to read"):
        dogclips.report([], tmp_path / "report.html")


def test_where_no_input_can_be_read_the_first_fault_is_raised_and_the_others_are_told(
    tmp_path: Path,
) -> None:
    told: list[Event] = []

    with pytest.raises(SessionError, match="one"):
        dogclips.report(
            [tmp_path / "one", tmp_path / "two"], tmp_path / "page.html", progress=told.append
        )

    [failed] = [event for event in told if isinstance(event, Failed)]
    assert failed.error.where == str(tmp_path / "two")
    assert list(tmp_path.iterdir()) == []


def test_a_split_of_which_one_input_cannot_be_read_is_not_made(tmp_path: Path) -> None:
    session = write_session(tmp_path / "session")
    dogclips.cut(session)

    with pytest.raises(ListError, match="missing"):
        dogclips.split([session, tmp_path / "missing.txt"], tmp_path / "out")

    assert not (tmp_path / "out").exists()
