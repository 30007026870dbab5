"""What is found out about annotation files once their recordings are measured."""

import subprocess
from collections.abc import Iterable, Mapping
from itertools import combinations
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dogclips.annotations import Issue, Media, Project
from dogclips.clips.checks import (
    LABEL_COLUMNS,
    PROJECT_COLUMNS,
    RECORDING_COLUMNS,
    CheckedProject,
    check_project,
    check_projects,
    checked_files,
    checked_labels,
)
from dogclips.clips.config import CutConfig
from dogclips.clips.recordings import Recording
from dogclips.errors import MediaError, SessionError
from dogclips.media.probe import probe_many
from dogclips.segments import segment_table
from tests.videos import FAST, steady, write_made

NAME = "020500.mp4"


def project(*rows: tuple[float, float, str], stem: str = "0205", **more: Any) -> Project:
    """Return a project with (start, end, label) segments of one recording."""
    return annotated(
        ({"t_start": start, "t_end": end, "label": label} for start, end, label in rows),
        stem=stem,
        **more,
    )


def annotated(rows: Iterable[Mapping[str, Any]], *, stem: str = "0205", **more: Any) -> Project:
    segments = segment_table(
        {"media_name": NAME, "task": "behaviour", "source_id": str(number)} | dict(row)
        for number, row in enumerate(rows)
    )
    return Project(Path(f"{stem}.json"), "via3", segments, **({"media": (Media(NAME),)} | more))


def measured(path: Path) -> Recording:
    [table] = probe_many([path])
    if isinstance(table, MediaError):
        return Recording(path, None, None, table)
    return Recording(path, table, None)


def checked(project: Project, path: Path, **settings: Any) -> CheckedProject:
    return check_project(project, {NAME: measured(path)}, CutConfig.model_validate(settings))


def row_of(file: CheckedProject) -> dict[Any, Any]:
    [row] = file.recordings.to_dict("records")
    return row


def said(file: CheckedProject) -> list[tuple[str, str, str]]:
    return [(issue.level, issue.code, issue.text) for issue in file.issues]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("recordings")


@pytest.fixture(scope="module")
def recording(folder: Path) -> Path:
    """Return two seconds: forty frames."""
    return write_made(folder / NAME, steady(40))


@pytest.fixture(scope="module")
def late(folder: Path) -> Path:
    """Return a Matroska file that starts at half a second; mpv calls that zero."""
    return write_made(folder / "late.mkv", steady(40, late=10))


@pytest.fixture(scope="module")
def two_streams(folder: Path) -> Path:
    """Return two seconds, and beside them half a second."""
    return write_made(folder / "two.mp4", steady(40), steady(10, width=256, height=144))


def test_segments_past_the_end_are_counted_with_the_largest_overrun(recording: Path) -> None:
    file = checked(project((0, 1, "sit"), (1, 2.25, "walk"), (1.5, 2.5, "sniff")), recording)

    text = "2 segments past the recording's end at 2.000 s, by up to 0.500 s"
    assert said(file) == [("warning", "V080", text)]
    assert file.issues[0].place == NAME
    assert (row_of(file)["past_end"], file.status) == (2, "warning")


def test_what_lies_past_the_end_is_no_share_of_the_recording(recording: Path) -> None:
    row = row_of(checked(project((1, 5, "sit"), (3, 6, "walk")), recording))

    assert (row["seconds"], row["share"]) == (5, 0.5)


@pytest.mark.parametrize(("end", "past"), [(2, 0), (2.0006, 0), (2.001, 1)])
def test_a_time_that_was_only_rounded_is_not_past_the_end(
    recording: Path, end: float, past: int
) -> None:
    assert row_of(checked(project((0, end, "sit")), recording))["past_end"] == past


def test_the_end_counts_from_the_zero_of_the_annotators_player(late: Path) -> None:
    ends = project((0, 2.4, "sit"))

    assert said(checked(ends, late)) == []  # Chrome's clock says half a second at the first frame
    [(_, code, text)] = said(checked(ends, late, annotated_in="mpv"))
    assert (code, text.partition("the ")[2]) == (
        "V080",
        "recording's end at 2.000 s, by up to 0.400 s",
    )
    own_player = project((0, 2.4, "sit"), player="mpv")
    assert row_of(checked(own_player, late))["past_end"] == 1


def test_the_stream_is_the_one_that_the_annotator_saw(two_streams: Path) -> None:
    ends = project((0, 1, "sit"))

    assert row_of(checked(ends, two_streams))["duration_s"] == 2
    seen = row_of(checked(ends, two_streams, reference=1))
    assert (seen["stream"], seen["duration_s"], seen["past_end"]) == (1, 0.5, 1)


def frames(*rows: tuple[int, int, str], num_frames: int | None = None) -> Project:
    return annotated(
        (
            {"t_start": start, "t_end": end, "label": label, "time_base": "frame_index"}
            for start, end, label in rows
        ),
        media=(Media(NAME, num_frames=num_frames),),
        player="frames",
    )


def test_frames_get_the_times_of_the_first_stream_whatever_was_asked_for(folder: Path) -> None:
    path = write_made(folder / "frames.mp4", steady(40, late=5), steady(10))

    file = checked(frames((0, 10, "sit"), (30, 40, "walk")), path, reference=1, annotated_in="mpv")

    assert file.segments[["start_s", "end_s"]].to_numpy().tolist() == [[0.25, 0.75], [1.75, 2.25]]
    row = row_of(file)
    assert (row["stream"], row["seconds"], row["past_end"]) == (0, 1, 0)
    assert said(file) == []


def test_frames_that_the_recording_lacks_refuse_the_file(recording: Path) -> None:
    file = checked(frames((0, 10, "sit"), (30, 43, "walk")), recording)

    text = "1 segment past the recording's end at 2.000 s, by up to 3 frames"
    assert said(file) == [("error", "V080", text)]
    assert file.segments["end_s"].tolist() == [0.5, pytest.approx(2.15)]


@pytest.mark.parametrize(("frame", "past"), [(39, 0), (40, 1)])
def test_a_point_needs_the_frame_that_it_names(recording: Path, frame: int, past: int) -> None:
    point = {"t_start": frame, "label": "bark", "kind": "point", "time_base": "frame_index"}

    file = checked(annotated([point], player="frames"), recording)

    assert (row_of(file)["points"], row_of(file)["past_end"]) == (1, past)


def test_another_number_of_frames_refuses_the_file(recording: Path) -> None:
    assert said(checked(frames((0, 10, "sit"), num_frames=40), recording)) == []
    file = checked(frames((0, 10, "sit"), num_frames=41), recording)

    text = "made for 41 frames; the recording has 40"
    assert (said(file), file.status) == ([("error", "V084", text)], "error")


def test_frames_that_an_edit_list_hides_are_told(folder: Path) -> None:
    whole = write_made(folder / "whole.mp4", steady(40, options={**FAST, "g": "20"}))
    path = folder / "part.mp4"
    part = ["ffmpeg", "-v", "error", "-ss", "0.5", "-i", str(whole), "-c", "copy", str(path)]
    subprocess.run(part, check=True, timeout=60)

    file = checked(frames((0, 10, "sit"), num_frames=40), path)

    text = "made for 40 frames; the recording has 30, and 10 more that its edit list hides"
    assert said(file) == [("error", "V084", text)]


def test_frames_have_no_times_without_their_recording() -> None:
    file = check_project(frames((0, 10, "sit")))

    assert (said(file), file.status) == ([], "ok")
    assert pd.isna(row_of(file)["seconds"])
    assert pd.isna(checked_files([file])["seconds"][0])
    assert pd.isna(checked_labels([file])["longest_s"][0])


def test_untouched_segments_of_one_second_are_counted_once_whatever_their_labels(
    recording: Path,
) -> None:
    one = {"t_start": 0, "t_end": 1, "flags": "unadjusted_1s", "source_id": "a"}
    rows = [one | {"label": "sit"}, one | {"label": "walk"}, one | {"source_id": "b", "label": "x"}]

    file = checked(annotated(rows), recording)

    assert said(file) == [("warning", "V083", "2 segments of exactly 1.000 s")]
    assert row_of(file)["unadjusted_1s"] == 2


def test_a_recording_that_was_not_found_says_why() -> None:
    missing = SessionError("V081 no recording is named 'x.mp4'", where="video", todo="copy it")

    file = check_project(project((0, 1, "sit")), {NAME: missing})

    issue = Issue("V081", NAME, "no recording is named 'x.mp4' (video)", "error", "copy it")
    assert file.issues == (issue,)
    assert (row_of(file)["recording"], row_of(file)["segments"]) == ("", 1)
    assert pd.isna(row_of(file)["duration_s"])


def test_a_recording_that_cannot_be_used_says_why(folder: Path, recording: Path) -> None:
    text, sound = folder / "text.mp4", folder / "sound.m4a"
    text.write_text("walk\n" * 400)
    sine = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "sine=duration=1", str(sound)]
    subprocess.run(sine, check=True, timeout=60)
    one = project((0, 1, "sit"))

    for file, reason in (
        (checked(one, text), "cannot be opened as video"),
        (checked(one, sound), "no video stream with frames"),
        (checked(one, recording, reference=1), "stream 1 is not a video stream"),
    ):
        [(level, code, found)] = said(file)
        assert (level, code) == ("error", "V086")
        assert reason in found


def test_a_recording_of_several_files_is_told_in_each(recording: Path) -> None:
    projects = [project((0, 1, "sit"), stem=stem) for stem in ("ann", "bob", "cleo")]
    one = {"projects": {"ann": {"observer": "ann"}, "bob": {"observer": "ann"}}}
    alone = check_project(projects[2])
    found = {one.path: {NAME: measured(recording)} for one in projects[:2]}

    ann, bob = check_projects(projects[:2], found, CutConfig.model_validate(one))

    text = "named by 2 annotation files: ann.json, bob.json"
    assert said(ann) == said(bob) == [("warning", "V085", text)]
    assert said(alone) == []
    assert checked_labels([ann, bob])["recordings"].tolist() == [1]


UNKNOWN = {
    "keep": ("warning", "'x' is no option", ["sit", "x"]),
    "drop": ("warning", "'x' is no option; skipped", ["sit"]),
    "error": ("error", "'x' is no option", ["sit", "x"]),
}


@pytest.mark.parametrize(("unknown", "expected"), UNKNOWN.items(), ids=UNKNOWN)
def test_labels_that_are_no_options_are_kept_dropped_or_errors(
    unknown: str, expected: tuple[str, str, list[str]]
) -> None:
    times = {"t_start": 0, "t_end": 1}
    rows = [times | {"label": "sit"}, times | {"label": "x", "known": False}]
    issues = (Issue("V045", "metadata.1", "'x' is no option"), Issue("V048", "metadata.2", "other"))
    config = CutConfig.model_validate({"labels": {"unknown": unknown}})

    file = check_project(annotated(rows, issues=issues), config=config)

    level, text, labels = expected
    assert said(file) == [(level, "V045", text), ("warning", "V048", "other")]
    assert checked_labels([file])["label"].tolist() == labels


def test_tables_count_segments_seconds_and_overlaps(recording: Path) -> None:
    rows = [
        {"t_start": 0, "t_end": 1, "label": "sit", "subject": "rex"},
        {"t_start": 0.5, "t_end": 1.5, "label": "walk", "subject": "rex"},
        {"t_start": 1.5, "t_end": 1.6, "label": "walk", "subject": "ada"},  # touches the second
        {"t_start": 0.9, "t_end": 1, "label": "out", "task": "place", "subject": "rex"},
        {"t_start": 1.9, "label": "bark", "kind": "point", "task": "sound", "subject": "ada"},
    ]

    file = checked(annotated(rows, counts={"segments": 4}), recording)

    row = row_of(file)
    assert (row["segments"], row["points"]) == (4, 1)
    assert (row["seconds"], row["share"]) == (pytest.approx(1.6), pytest.approx(0.8))
    assert (row["overlaps"], row["overlaps_all"]) == (1, 3)
    labels = checked_labels([file]).set_index(["task", "label"])
    assert labels.loc[("behaviour", "walk")].to_dict() == {
        "segments": 2,
        "points": 0,
        "seconds": pytest.approx(1.1),
        "shortest_s": pytest.approx(0.1),
        "median_s": pytest.approx(0.55),
        "longest_s": 1.0,
        "recordings": 1,
        "subjects": 2,
    }
    bark = labels.loc[("sound", "bark")]
    assert (bark["segments"], bark["points"], bark["seconds"]) == (0, 1, 0)
    assert pd.isna(bark["shortest_s"])
    [whole] = checked_files([file]).to_dict("records")
    assert (whole["segments"], whole["points"], whole["labels"], whole["media"]) == (4, 1, 4, 1)


def test_labels_of_several_files_are_one_row_sorted_by_name() -> None:
    files = [
        check_project(project((0, 1, "walk"), (2, 5, "sit"), stem="a")),
        check_project(project((0, 2, "walk"), stem="b")),
    ]

    labels = checked_labels(files)

    assert labels["label"].tolist() == ["sit", "walk"]
    assert labels["seconds"].tolist() == [3, 3]
    assert labels["recordings"].tolist() == [1, 2]  # nobody knows that they are the same


def test_a_file_without_segments_is_a_row_of_zeros() -> None:
    file = check_project(Project(Path("0205.json"), "", segment_table([]), ()))

    assert checked_files([file])[["media", "segments", "labels"]].to_numpy().tolist() == [[0, 0, 0]]
    for table, columns in (
        (checked_files([file]), PROJECT_COLUMNS),
        (file.recordings, RECORDING_COLUMNS),
        (checked_labels([file]), LABEL_COLUMNS),
    ):
        assert table.dtypes.astype(str).to_dict().keys() == columns.keys()
        assert [str(dtype) for dtype in table.dtypes if str(dtype)[0] in "iIF"] == [
            dtype for dtype in columns.values() if dtype != "str"
        ]


def test_a_recording_that_is_annotated_but_not_listed_counts_too(recording: Path) -> None:
    file = checked(project((0, 1, "sit"), media=()), recording)

    assert (row_of(file)["name"], row_of(file)["segments"]) == (NAME, 1)


TIMES = st.tuples(st.integers(0, 30), st.integers(1, 10))


@settings(max_examples=50, deadline=None)
@given(st.lists(TIMES, max_size=12))
def test_overlaps_and_seconds_are_those_of_counting_by_hand(found: list[tuple[int, int]]) -> None:
    spans = [(start, start + length) for start, length in found]

    row = row_of(check_project(project(*((start, end, "sit") for start, end in spans))))

    pairs = [(a, b) for a, b in combinations(spans, 2) if a[0] < b[1] and b[0] < a[1]]
    assert row["overlaps"] == row["overlaps_all"] == len(pairs)
    assert row["seconds"] == len({second for span in spans for second in range(*span)})
