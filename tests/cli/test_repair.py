"""`dogclips repair`, as scripts and people use it."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.cli.program import dogclips
from tests.odd_streams import B_FRAMES, encoded, file_order, packets_of, store
from tests.videos import steady, write_made


def test_lines_say_what_was_changed_and_whether_times_hold(tmp_path: Path) -> None:
    odd, out = file_order(tmp_path), tmp_path / "copy.mp4"

    shown = dogclips("repair", odd.path, "--out", out)

    assert (shown.returncode, shown.stderr) == (0, "")
    assert shown.stdout.splitlines() == [
        "P026 stream 0: 100 frames get times in the order in which they are shown",
        "annotation times hold",
        f"{out}: written and verified",
    ]


def test_a_zero_that_moves_is_told_by_player(tmp_path: Path) -> None:
    source = encoded(tmp_path, "libx264", B_FRAMES)
    late = [replace(own, pts=n + 35, dts=n + 35) for n, own in enumerate(packets_of(source))]
    path, out = store(source, tmp_path / "020500.ts", late), tmp_path / "copy.mp4"

    shown = dogclips("repair", path, "--out", out, "--json")

    document = json.loads(shown.stdout)
    times = document["annotation_times"]
    assert (document["command"], document["written"]) == ("repair", True)
    assert [change["code"] for change in document["changes"]] == ["P026"]
    # In a transport stream mpv counts from the first frame, in MP4 from 0.
    assert times["add_s"]["chrome"] == 0
    assert times["add_s"]["mpv"] == pytest.approx(1.4, abs=0.2)
    assert (times["hold"], times["until_s"]) == (False, None)


def test_a_whole_recording_is_left_alone(tmp_path: Path) -> None:
    whole = write_made(tmp_path / "whole.mp4", steady(20))

    shown = dogclips("repair", whole, "--out", tmp_path / "copy.mp4")

    assert shown.returncode == 0
    assert shown.stdout == f"{whole}: nothing to repair, so nothing is written\n"


def test_a_fault_is_one_line(tmp_path: Path) -> None:
    odd = file_order(tmp_path)

    shown = dogclips("repair", odd.path, "--out", odd.path)

    assert (shown.returncode, shown.stdout) == (1, "")
    assert shown.stderr == f"error: this file is the input ({odd.path}): write to another file\n"
