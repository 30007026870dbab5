"""What `dogclips probe` prints, for scripts and for people."""

import json
from pathlib import Path

from tests.cli.program import dogclips
from tests.sessions import write_session
from tests.videos import steady, write_made

# Twelve seconds of the case that started it: offset, lengths and keys as in the contract.
EXPECTED = {
    "reference": 0,
    "target": 1,
    "method": "timestamps",
    "trusted": True,
    "offset_s": 0.5,
    "offset_frames": 10,
    "drift_ppm": 0.0,
    "confidence": None,
    "estimates": {"timestamps_s": 0.5, "frame_count_s": 0.5, "content_s": None},
    "segments": [
        {
            "reference_start_s": 0.5,
            "reference_end_s": 11.95,
            "target_start_s": 0.0,
            "scale": 1.0,
        }
    ],
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
    assert [message["code"] for message in file["messages"]] == ["P011"]
    assert file["alignment"] == EXPECTED
    assert file["shown_in"] == {"chrome": 0, "edge": 0, "firefox": 0, "mpv": 0}
    assert file["read_by"]["ffmpeg"] == 1
    assert (small["num_frames"], small["frame_rate"], small["end_s"]) == (239, "20/1", 11.95)
    assert (large["num_frames"], large["start_s"], large["width"]) == (229, 0.5, 256)


def test_a_single_stream_leaves_nothing_to_align(tmp_path: Path) -> None:
    path = write_made(tmp_path / "one.mp4", steady(40))

    [file] = json.loads(dogclips("probe", path, "--json").stdout)["files"]

    assert (file["status"], file["messages"], file["alignment"]) == ("ok", [], None)


def test_streams_of_different_length_and_the_same_start_are_not_trusted(tmp_path: Path) -> None:
    lying = steady(239), steady(229, width=256, height=144)
    path = write_made(tmp_path / "lying.mp4", *lying)

    [file] = json.loads(dogclips("probe", path, "--json").stdout)["files"]

    assert file["alignment"]["trusted"] is False
    assert file["alignment"]["estimates"]["frame_count_s"] == 0.5
    assert "nobody can tell which end is missing" in file["messages"][0]["text"]


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

    assert json.loads(output.read_text()) == json.loads(shown.stdout)
