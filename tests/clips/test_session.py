"""Which recording an annotation file means."""

import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dogclips.clips.session import (
    find_session,
    projects_in,
    recording_named,
    recordings_in,
    resolve_recordings,
)
from dogclips.errors import SessionError
from dogclips.files import file_name

VIDEOS = tuple(
    Path("video") / name
    for name in (
        "020500.mp4",
        "020600.MKV",
        unicodedata.normalize("NFD", "Höhle.mp4"),
        "a b#1.mp4",
        "mouse.1.avi",
        "stra\u00dfe.mp4",
    )
)

MEANT = {
    "bare name": ("020500.mp4", "020500.mp4"),
    "path of another machine": ("/home/ann/dogs/020500.mp4", "020500.mp4"),
    "Windows path": ("C:\\dogs\\020500.mp4", "020500.mp4"),
    "mixed slashes": ("C:\\dogs/020500.mp4", "020500.mp4"),
    "steps up": ("../../video/020500.mp4", "020500.mp4"),
    "URL": ("https://host/dogs/020500.mp4?token=a/b#t=10", "020500.mp4"),
    "URL with escapes": ("file:///C:/dogs/a%20b%231.mp4", "a b#1.mp4"),
    "URL with escaped slashes": ("https://host/o/dogs%2F020500.mp4?alt=media", "020500.mp4"),
    "no URL, though # is in it": ("dogs/a b#1.mp4", "a b#1.mp4"),
    "other case": ("020600.mkv", "020600.MKV"),
    "composed letters": (unicodedata.normalize("NFC", "Höhle.mp4"), VIDEOS[2].name),
    "composed letters of other case": ("HÖHLE.MP4", VIDEOS[2].name),
    "case with more letters": ("STRASSE.mp4", "stra\u00dfe.mp4"),
    "stem": ("020500", "020500.mp4"),
    "stem with a number after a dot": ("mouse.1", "mouse.1.avi"),
    "stem of other case": ("Mouse.1", "mouse.1.avi"),
}


@pytest.mark.parametrize(("media_name", "meant"), MEANT.values(), ids=MEANT)
def test_a_recording_is_found_by_its_base_name(media_name: str, meant: str) -> None:
    assert recording_named(media_name, VIDEOS).name == meant


@pytest.mark.parametrize(
    "media_name", ["020500.mkv", "0205.mp4", "a%20b%231.mp4", "", "..", "video/", "http://[x/"]
)
def test_a_name_that_no_file_has_is_an_error(media_name: str) -> None:
    with pytest.raises(SessionError, match="V081 no recording is named"):
        recording_named(media_name, VIDEOS)


def test_the_error_names_files_that_are_called_alike() -> None:
    with pytest.raises(SessionError) as caught:
        recording_named("20500.mp4", VIDEOS)

    assert caught.value.what == "V081 no recording is named '20500.mp4'"
    assert caught.value.where == "video"
    assert caught.value.todo.startswith("did you mean '020500.mp4'")


def test_the_exact_name_wins_over_one_of_other_case() -> None:
    videos = [Path("A.mp4"), Path("a.mp4"), Path("a.MP4")]

    assert recording_named("a.mp4", videos) == Path("a.mp4")
    with pytest.raises(SessionError, match=r"V082 .*'A.mp4' and 'a.MP4' and 'a.mp4'"):
        recording_named("A.MP4", videos)


def test_a_stem_of_two_files_is_an_error() -> None:
    with pytest.raises(
        SessionError, match=r"V082 'a' matches more than one recording: 'a.mkv' and 'a.mp4'"
    ):
        recording_named("a", [Path("a.mp4"), Path("a.mkv")])


def test_no_recordings_at_all_is_the_same_error() -> None:
    with pytest.raises(SessionError, match="V081"):
        recording_named("a.mp4", [])


def test_two_names_of_one_recording_are_errors_both() -> None:
    found = resolve_recordings(["x/020500.mp4", "y\\020500.mp4", "020600.mkv", "z.mp4"], VIDEOS)

    assert found["020600.mkv"] == VIDEOS[1]
    clashes = [found["x/020500.mp4"], found["y\\020500.mp4"]]
    assert all(isinstance(error, SessionError) for error in clashes)
    assert len({str(error) for error in clashes}) == 1
    assert "V082 'x/020500.mp4' and 'y\\\\020500.mp4' name the same recording" in str(clashes[0])
    assert "V081" in str(found["z.mp4"])


@given(st.text())
def test_any_name_gives_a_recording_or_the_error(media_name: str) -> None:
    assert "/" not in file_name(media_name)
    try:
        assert recording_named(media_name, VIDEOS) in VIDEOS
    except SessionError as error:
        assert error.what[:4] in ("V081", "V082")  # noqa: PT017 (most names mean nothing)


@given(
    st.sampled_from(VIDEOS), st.sampled_from(["", "/", "a/b/", "C:\\x\\", "../", "\\\\host\\d\\"])
)
def test_every_file_is_found_under_its_own_name_in_any_folder(video: Path, folder: str) -> None:
    assert recording_named(folder + video.name, VIDEOS) == video


def test_a_session_has_every_file_of_via_that_is_not_hidden(tmp_path: Path) -> None:
    for name in ("video/b.mp4", "via/2.boris", "via/1.json", "via/.DS_Store", "via/3.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "via" / "old").mkdir()

    session = find_session(tmp_path)

    assert [path.name for path in session.projects] == ["1.json", "2.boris", "3.csv"]
    assert recording_named("B.MP4", session.videos) == tmp_path / "video" / "b.mp4"


def test_a_session_without_annotation_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "video").mkdir()
    (tmp_path / "video" / "a.mp4").touch()

    with pytest.raises(SessionError, match="no annotation files"):
        find_session(tmp_path)
    with pytest.raises(SessionError, match="no annotation files"):
        projects_in(tmp_path)


def test_what_cameras_put_beside_recordings_is_no_recording(tmp_path: Path) -> None:
    video = tmp_path / "video"
    video.mkdir()
    for name in ("DJI_01.MP4", "DJI_01.SRT", "DJI_01.LRF", "GX01.THM", "GL01.LRV", "Thumbs.db"):
        (video / name).touch()

    assert recordings_in(tmp_path) == [video / "DJI_01.MP4"]
