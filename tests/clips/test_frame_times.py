"""Annotations that count frames mean exactly the frames they count."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dogclips.annotations import Media, Project
from dogclips.clips.viewing import AnnotatedStream, project_in_seconds
from dogclips.errors import AlignmentError, MediaError, SessionError
from dogclips.media.probe import probe_file
from dogclips.segments import SEGMENT_COLUMNS, segment_table
from dogclips.streams import Stream
from dogclips.timebase import exact, frame_at
from tests.videos import Made, steady, write_made

NTSC = Fraction(30000, 1001)


def counted(start: float, end: float = float("nan"), **keys: Any) -> dict[str, Any]:
    kind = "point" if end != end else "state"  # noqa: PLR0124 (NaN)
    row = {"media_name": "a.mp4", "task": "behaviour", "label": "walk", "time_base": "frame_index"}
    return row | {"t_start": start, "t_end": end, "kind": kind} | keys


def project_of(*rows: dict[str, Any], num_frames: int | None = None) -> Project:
    segments = segment_table(rows)
    media = tuple(Media(name, {}, num_frames) for name in dict.fromkeys(segments["media_name"]))
    return Project(Path("a.csv"), "deepethogram", segments, media, player="frames")


def stream_of(path: Path, *made: Made) -> Stream:
    return probe_file(write_made(path, *made)).cameras[0]


def spans(segments: Any) -> list[tuple[float, float]]:
    return [tuple(span) for span in segments[["t_start", "t_end"]].to_numpy().tolist()]


def test_frames_begin_at_their_timestamps_and_the_last_one_ends_with_the_stream(
    tmp_path: Path,
) -> None:
    stream = stream_of(tmp_path / "a.mp4", steady(40, late=10))
    segments = segment_table([counted(0, 20), counted(20, 40), counted(39)])

    seconds = AnnotatedStream(stream).in_seconds(segments)

    assert spans(seconds)[:2] == [(0.5, 1.5), (1.5, 2.5)]
    assert seconds["t_start"].tolist()[2] == 2.45
    assert seconds["t_end"].isna().tolist() == [False, False, True]
    assert set(seconds["time_base"]) == {"player"}
    assert seconds.dtypes.astype(str).to_dict() == segments.dtypes.astype(str).to_dict()
    assert list(seconds) == list(SEGMENT_COLUMNS)
    assert set(segments["time_base"]) == {"frame_index"}  # the table given stays as it was


def test_frames_that_are_missing_are_not_counted(tmp_path: Path) -> None:
    holes = Made({0: 0, 1: 1, 2: 7, 3: 8, 4: 20}, Fraction(1, 20))
    stream = stream_of(tmp_path / "a.mp4", holes)

    assert spans(
        AnnotatedStream(stream).in_seconds(segment_table([counted(1, 2), counted(2, 4)]))
    ) == [
        (0.05, 0.35),
        (0.35, 1.0),
    ]


@pytest.fixture(scope="module")
def ntsc(tmp_path_factory: pytest.TempPathFactory) -> Stream:
    return stream_of(tmp_path_factory.mktemp("ntsc") / "a.mp4", steady(90, NTSC))


@given(st.integers(0, 89))
def test_the_time_of_a_frame_means_that_frame(ntsc: Stream, frame: int) -> None:
    [(start, end)] = spans(AnnotatedStream(ntsc).in_seconds(segment_table([counted(frame, 90)])))

    assert frame_at(ntsc.pts, ntsc.time_base, exact(start)) == frame
    assert exact(round(start, 5)) == pytest.approx(Fraction(frame) / NTSC, abs=1e-4)
    assert end == float(ntsc.end_s or 0)


@pytest.mark.parametrize(("start", "end"), [(0, 41), (-1, 3), (0.5, 3), (40, 50)])
def test_a_frame_outside_of_the_stream_stops_it(tmp_path: Path, start: float, end: float) -> None:
    stream = stream_of(tmp_path / "a.mp4", steady(40))

    with pytest.raises(AlignmentError, match="but there are 40 frames"):
        AnnotatedStream(stream).in_seconds(segment_table([counted(0, 3), counted(start, end)]))


def test_seconds_stay_seconds(tmp_path: Path) -> None:
    stream = stream_of(tmp_path / "a.mp4", steady(40, late=10))
    told = counted(0.1, 100.0, time_base="player")

    assert spans(AnnotatedStream(stream).in_seconds(segment_table([told]))) == [(0.1, 100.0)]
    assert spans(AnnotatedStream(stream).in_seconds(segment_table([told, counted(0, 1)]))) == [
        (0.1, 100.0),
        (0.5, 0.55),
    ]
    assert AnnotatedStream(stream).in_seconds(segment_table([])).empty


def test_each_recording_has_its_own_times(tmp_path: Path) -> None:
    files = [
        write_made(tmp_path / "a.mp4", steady(40)),
        write_made(tmp_path / "b.mp4", steady(40, late=10), steady(60, first=100)),
    ]
    project = project_of(
        counted(10, 20),
        counted(10, 20, media_name=r"C:\mice\b.mp4"),
        counted(1.5, 2.0, media_name="not there.mp4", time_base="player"),
    )

    seconds = project_in_seconds(project, files)

    assert spans(seconds.segments) == [(0.5, 1.0), (1.0, 1.5), (1.5, 2.0)]
    assert spans(project.segments)[0] == (10, 20)


def test_the_zero_of_the_player_is_subtracted(tmp_path: Path) -> None:
    path = write_made(tmp_path / "a.mkv", steady(40, late=10))
    project = project_of(counted(10, 20, media_name="a.mkv"))

    assert spans(project_in_seconds(project, [path], "chrome").segments) == [(1.0, 1.5)]
    assert spans(project_in_seconds(project, [path], "mpv").segments) == [(0.5, 1.0)]


def test_another_recording_of_that_name_is_noticed(tmp_path: Path) -> None:
    path = write_made(tmp_path / "a.mp4", steady(40))

    assert project_in_seconds(project_of(counted(0, 9), num_frames=40), [path]).segments.size
    with pytest.raises(AlignmentError, match="V084 made for 41 frames; the recording has 40"):
        project_in_seconds(project_of(counted(0, 9), num_frames=41), [path])
    with pytest.raises(SessionError, match="V081"):
        project_in_seconds(project_of(counted(0, 9, media_name="b.mp4")), [path])


def test_what_is_no_recording_is_said(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_text("walk\n" * 400)

    with pytest.raises(MediaError):
        project_in_seconds(project_of(counted(0, 9)), [path])
