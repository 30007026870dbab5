"""Which recordings are asked for, and what they are copies of."""

import shutil
from pathlib import Path

import pytest

from dogclips.clips.config import CutConfig
from dogclips.errors import SessionError
from dogclips.prediction.inputs import find_recordings
from dogclips.records.settings import write_settings
from tests.moving import LARGE, SMALL, write_view
from tests.sessions import write_project


@pytest.fixture
def base_dir(tmp_path: Path) -> Path:
    """Return a session of a copy and its original, which its last cut names."""
    base_dir = tmp_path / "2_2_kt"
    copy = write_view(base_dir / "video/yard_proxy.mp4", range(4), SMALL)
    write_view(base_dir / "video/yard.mp4", range(4), LARGE)
    shutil.copy(copy, base_dir / "video/other.mp4")
    write_project(base_dir, "0205", {"yard_proxy.mp4": [(0, 0.4, "1")]})
    write_settings(CutConfig(originals={"*_proxy.mp4": "*.mp4"}), base_dir / "output")
    return base_dir


def test_a_session_is_predicted_as_it_was_cut(base_dir: Path) -> None:
    found, warnings = find_recordings(base_dir)
    pairs = {one.path.name: one.original and one.original.name for one in found}
    assert pairs == {"other.mp4": None, "yard_proxy.mp4": "yard.mp4"}
    assert not warnings


def test_a_recording_of_a_session_is_predicted_in_its_original(
    base_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(base_dir / "video")
    [found], _ = find_recordings(Path("yard_proxy.mp4"))
    assert found.original == base_dir / "video/yard.mp4"
    [alone], _ = find_recordings(Path("yard.mp4"))
    assert alone.original is None


def test_an_original_that_is_gone_is_an_error(base_dir: Path) -> None:
    (base_dir / "video/yard.mp4").unlink()
    found, _ = find_recordings(base_dir)
    [fault] = [one.error for one in found if one.error is not None]
    assert isinstance(fault, SessionError)
    assert "no original is named 'yard.mp4'" in str(fault)
