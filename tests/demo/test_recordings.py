import json
import subprocess

import av
import pytest

from dogclips.demo.numbers import read_number
from dogclips.demo.recordings import make_session, world_of
from dogclips.demo.world import BEHAVIOURS
from tests.videos import gray_of

SECONDS = 34  # long enough for all behaviours, and for a visit of the second dog
NUM_FRAMES = SECONDS * 20 - 1


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo") / "Feb" / "2_2_demo"
    return make_session(folder, num_recordings=1, seconds=SECONDS)


def test_the_larger_stream_comes_half_a_second_late_and_both_are_default(session):
    command = [
        *("ffprobe", "-v", "error", "-count_packets", "-of", "json", "-show_entries"),
        "stream=start_time,nb_frames,nb_read_packets,width,r_frame_rate:stream_disposition=default",
        str(session / "video" / "020500.mp4"),
    ]
    answer = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    small, large = answer["streams"]
    assert (small["start_time"], small["nb_frames"]) == ("0.000000", f"{NUM_FRAMES}")
    assert (large["start_time"], large["nb_frames"]) == ("0.500000", f"{NUM_FRAMES - 10}")
    for stream in (small, large):
        assert stream["nb_read_packets"] == stream["nb_frames"]
        assert stream["r_frame_rate"] == "20/1"
        assert stream["disposition"]["default"] == 1
    assert small["width"] < large["width"]


@pytest.mark.parametrize(("stream", "first"), [(0, 0), (1, 10)])
def test_every_frame_shows_its_number_at_its_time(session, stream, first):
    with av.open(str(session / "video" / "020500.mp4")) as container:
        seen = [
            (read_number(gray_of(frame)), frame.time)
            for frame in container.decode(container.streams[stream])
        ]
    assert [number for number, _ in seen] == list(range(first, NUM_FRAMES))
    assert [time for _, time in seen] == pytest.approx([n / 20 for n in range(first, NUM_FRAMES)])


def test_the_project_tells_what_happens_in_whole_seconds(session):
    project = json.loads((session / "via" / "0205.json").read_text())
    told = sorted(
        (*entry["z"], project["attribute"]["1"]["options"][entry["av"]["1"]])
        for entry in project["metadata"].values()
    )
    bouts = sorted(
        (bout.start_s, bout.end_s, bout.behaviour) for bout in world_of(0, SECONDS).bouts
    )
    assert told == bouts
    assert {label for _, _, label in told} == set(BEHAVIOURS)


def test_the_project_looks_as_the_application_writes_it(session):
    project = json.loads((session / "via" / "0205.json").read_text())
    assert list(project) == ["project", "config", "attribute", "file", "metadata", "view"]
    assert project["config"]["file"]["loc_prefix"] == dict.fromkeys("1234", "")
    assert "ui" in project["config"]
    assert project["project"]["vid_list"] == ["1"]
    assert project["view"] == {"1": {"fid_list": ["1"]}}
    assert project["file"]["1"] | {"type": 4, "loc": 1, "src": ""} == project["file"]["1"]
    assert project["file"]["1"]["fname"] == "020500.mp4"
    attribute = project["attribute"]["1"]
    assert (attribute["type"], attribute["anchor_id"]) == (4, "FILE1_Z2_XY0")
    for name, entry in project["metadata"].items():
        assert name.startswith("1_")
        assert len(name) == 10
        assert entry["vid"] == "1"
        assert entry["xy"] == []


def test_the_same_seed_makes_the_same_session_and_another_one_another(tmp_path):
    def files(name, seed):
        folder = make_session(tmp_path / name, num_recordings=2, seconds=4, seed=seed)
        paths = sorted(path for path in folder.rglob("*") if path.is_file())
        return {str(path.relative_to(folder)): path.read_bytes() for path in paths}

    first = files("one", 1)
    assert sorted(first) == [
        "via/0205.json",
        "via/0206.json",
        "video/020500.mp4",
        "video/020600.mp4",
    ]
    assert first == files("same", 1)
    other = files("other", 2)
    assert all(first[name] != other[name] for name in first)
    assert first["via/0205.json"] != first["via/0206.json"]
