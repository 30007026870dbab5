"""What `dogclips probe` prints, for scripts and for people."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.cli.program import dogclips
from tests.moving import write_moving
from tests.sessions import TWO_STREAMS, write_session
from tests.videos import steady, write_made

# Twelve seconds of the case that started it: offset, lengths and keys as in the contract.
EXPECTED: dict[str, Any] = {
    "reference": 0,
    "target": 1,
    "method": "timestamps",
    "trusted": True,
    "verified": False,
    "offset_s": 0.5,
    "offset_frames": 10,
    "drift_ppm": 0.0,
    "confidence": None,
    "error_s": 0.0,
    "estimates": {"timestamps_s": 0.5, "frame_count_s": 0.5, "content_s": None},
    "segments": [
        {
            "reference_start_s": 0.5,
            "reference_end_s": 11.95,
            "target_start_s": 0.0,
            "scale": 1.0,
        }
    ],
    "doubts": [],
    "content": None,
}


def test_json_is_one_document_as_in_the_contract(tmp_path: Path) -> None:
    session = write_session(tmp_path / "2_2_kt")

    shown = dogclips("probe", session, "--json")

    assert (shown.returncode, shown.stderr) == (0, "")
    document = json.loads(shown.stdout)
    [file] = document["files"]
    small, large = file["streams"]
    assert document["version"] == 1
    assert (file["path"], file["status"]) == (str(session / "video" / "020500.mp4"), "warning")
    assert [message["code"] for message in file["messages"]] == ["P011", "P021"]
    assert file["alignment"] == EXPECTED
    assert file["offsets"] == [{"stream": 1, "type": "video", **EXPECTED["estimates"]}]
    assert file["shown_in"] == {"chrome": 0, "edge": 0, "firefox": 0, "mpv": 0}
    assert file["read_by"]["ffmpeg"] == 1
    assert (small["num_frames"], small["frame_rate"], small["end_s"]) == (239, "20/1", 11.95)
    assert (large["num_frames"], large["start_s"], large["width"]) == (229, 0.5, 256)


def test_a_single_stream_leaves_nothing_to_align(tmp_path: Path) -> None:
    path = write_made(tmp_path / "one.mp4", steady(40))

    [file] = json.loads(dogclips("probe", path, "--json").stdout)["files"]

    assert (file["status"], file["messages"], file["alignment"]) == ("ok", [], None)
    assert file["offsets"] == []


def test_streams_of_different_length_and_the_same_start_are_not_trusted(tmp_path: Path) -> None:
    lying = steady(239), steady(229, width=256, height=144)
    path = write_made(tmp_path / "lying.mp4", *lying)

    [file] = json.loads(dogclips("probe", path, "--json").stdout)["files"]

    assert file["alignment"]["trusted"] is False
    assert file["alignment"]["estimates"]["frame_count_s"] == 0.5
    assert "missing at the head, the tail or in between" in file["messages"][0]["text"]


def test_the_table_names_streams_offset_and_warning(tmp_path: Path) -> None:
    session = write_session(tmp_path / "2_2_kt")

    shown = dogclips("probe", session).stdout

    assert "+0.500" in shown
    assert "+10" in shown
    assert "P011 stream 1 against stream 0: starts 0.5 s (10 frames) late" in shown
    assert "\x1b[" not in shown


def test_the_document_is_also_written_to_a_file(tmp_path: Path) -> None:
    path = write_made(tmp_path / "one.mp4", steady(40))
    output = tmp_path / "probe.json"

    shown = dogclips("probe", path, "--json", "--output", output)

    envelope = {"command": "probe", "warnings": []}
    assert json.loads(output.read_text()) | envelope == json.loads(shown.stdout)


def probed(*arguments: object) -> dict[str, Any]:
    [file] = json.loads(dogclips("probe", *arguments, "--json").stdout)["files"]
    assert isinstance(file, dict)
    return file


def test_sound_has_its_offset_beside_those_of_the_pictures(tmp_path: Path) -> None:
    pictures = write_made(tmp_path / "pictures.mp4", *TWO_STREAMS)
    path = tmp_path / "020500.mkv"
    sound = ["-itsoffset", "0.25", "-f", "lavfi", "-i", "sine=duration=10"]
    streams = ["-map", "0:0", "-map", "0:1", "-map", "1:a", "-c:v", "copy", "-c:a", "pcm_s16le"]
    command = ["ffmpeg", "-v", "error", "-i", str(pictures), *sound, *streams, str(path)]
    subprocess.run(command, check=True, timeout=60)

    pair = probed(path)["offsets"]

    assert [(offset["stream"], offset["type"]) for offset in pair] == [(1, "video"), (2, "audio")]
    assert [offset["timestamps_s"] for offset in pair] == pytest.approx([0.5, 0.25])
    assert pair[1]["frame_count_s"] == pytest.approx(11.95 - 10, abs=0.05)
    assert pair[1]["content_s"] is None


def test_pixels_are_compared_by_default_only_where_timestamps_may_lie(tmp_path: Path) -> None:
    lying = write_moving(tmp_path / "lying.mp4", range(200), range(10, 200))
    late = write_moving(tmp_path / "late.mp4", range(200), range(10, 200), late=10)

    file = probed(lying)
    seen = file["alignment"]
    assert (seen["method"], seen["trusted"], seen["verified"]) == ("content", True, True)
    assert seen["estimates"] == {"timestamps_s": 0.0, "frame_count_s": 1.0, "content_s": 1.0}
    assert (seen["offset_s"], seen["offset_frames"]) == (1.0, 10)
    assert file["offsets"] == [{"stream": 1, "type": "video", **seen["estimates"]}]
    assert seen["confidence"] > 0.99
    assert (seen["content"]["reason"], seen["content"]["looked_s"]) == ("", 20.0)
    assert seen["content"]["picture_correlation"] > 0.9
    [doubt] = seen["doubts"]  # what the larger stream lacks, and what cannot be told from it
    assert doubt["reference_start_s"] == 0
    assert 1 <= doubt["reference_end_s"] < 4

    unseen = probed(lying, "--no-content")
    assert (unseen["alignment"]["trusted"], unseen["alignment"]["content"]) == (False, None)
    assert [message["code"] for message in unseen["messages"]] == ["P012"]

    believed = probed(late)
    assert (believed["status"], believed["alignment"]["content"]) == ("warning", None)
    looked = probed(late, "--content")
    assert [message["code"] for message in looked["messages"]] == ["P011"]
    assert "confirmed by the pixels" in looked["messages"][0]["text"]
    assert (looked["status"], looked["alignment"]["method"]) == ("ok", "timestamps")
    assert (looked["alignment"]["verified"], looked["alignment"]["offset_s"]) == (True, 1.0)


def test_what_is_counted_in_a_transport_stream_are_packets_unless_they_are_decoded(
    tmp_path: Path,
) -> None:
    path = write_made(tmp_path / "a.ts", steady(30))
    data = bytearray(path.read_bytes())
    for packet in range(60, len(data) // 188 - 30, 3):  # damage within pictures
        data[188 * packet + 60 : 188 * packet + 180] = b"\x55" * 120
    path.write_bytes(data)

    quick, deep = (dogclips("probe", path, *more).stdout for more in ((), ("--deep",)))

    assert "packets" in quick.split("video")[0]
    assert "frames" in deep.split("video")[0]
    assert "packets" not in deep.split("video")[0]
