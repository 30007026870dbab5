"""Clips that older rules have cut otherwise are cut again, and no others."""

from pathlib import Path

import pytest

import dogclips
from tests import odd_streams
from tests.sessions import write_project
from tests.videos import steady, write_made

SETTINGS = {"clip_seconds": 1, "stride_seconds": 1, "content": "never"}


def test_clips_whose_frames_would_differ_are_cut_again_and_the_others_reused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base_dir = tmp_path / "2_2_kt"
    (base_dir / "video").mkdir(parents=True)
    odd_streams.not_coded(base_dir / "video", "020500.avi")
    (base_dir / "video" / "encoded.nut").unlink()
    write_made(base_dir / "video" / "020600.mp4", steady(60))
    segments = {"020500.avi": [(0.0, 3.0, "0")], "020600.mp4": [(0.0, 3.0, "1")]}
    write_project(base_dir, "0205", segments)
    monkeypatch.setattr("dogclips.clips.rows._RULES_OF_PICTURES", 1)
    before = dogclips.cut(base_dir, SETTINGS, workers=1)
    assert set(before.manifest["rules"].dropna()) == {1}
    monkeypatch.undo()

    after = dogclips.cut(base_dir, SETTINGS, workers=1)

    made = after.manifest[after.manifest["clip"] != ""]
    status = made.groupby("source")["status"].unique().map(list).to_dict()
    assert status == {"video/020500.avi": ["cut"], "video/020600.mp4": ["reused"]}
    line = "3 clips are cut again: older rules took other frames from video/020500.avi"
    assert line in [warning.text for warning in after.warnings]
    assert dogclips.cut(base_dir, SETTINGS, workers=1).warnings == before.warnings


def test_clips_that_would_look_otherwise_are_cut_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base_dir = tmp_path / "2_2_kt"
    fields = {"preset": "ultrafast", "x264-params": "tff=1"}
    write_made(base_dir / "video" / "020500.mkv", steady(60, options=fields))
    write_made(base_dir / "video" / "020600.mkv", steady(60))
    both = ("020500.mkv", "020600.mkv")
    write_project(base_dir, "0205", {name: [(0.0, 3.0, "0")] for name in both})
    monkeypatch.setattr("dogclips.clips.rows._RULES_OF_DISPLAY", 1)
    dogclips.cut(base_dir, SETTINGS | {"deinterlace": "off"}, workers=1)
    monkeypatch.undo()

    after = dogclips.cut(base_dir, SETTINGS, workers=1)

    made = after.manifest[after.manifest["clip"] != ""]
    status = made.groupby("source")["status"].unique().map(list).to_dict()
    assert status == {"video/020500.mkv": ["cut"], "video/020600.mkv": ["reused"]}
    line = "3 clips are cut again: older rules took other frames from video/020500.mkv"
    assert line in [warning.text for warning in after.warnings]
