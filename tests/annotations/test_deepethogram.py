from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dogclips.annotations.deepethogram import read_deepethogram
from dogclips.annotations.documents import read_table
from dogclips.annotations.project import Project

PATH = Path("dog 7_labels.csv")
# Frame 0 and 5 are background; walk 1-2 and 4, sniff 2-3.
TEXT = """,background,walk,sniff
0,1,0,0
1,0,1,0
2,0,1,1
3,0,0,1
4,0,1,0
5,1,0,0
"""


def read(text: str, path: Path = PATH) -> Project:
    project = read_deepethogram(path, read_table(path, text))
    assert project is not None
    return project


def rows(project: Project) -> list[tuple[object, ...]]:
    return [
        tuple(one) for one in project.segments[["label", "t_start", "t_end"]].to_numpy().tolist()
    ]


def issues(project: Project) -> list[tuple[str, str, str]]:
    return [(issue.code, issue.level, issue.place) for issue in project.issues]


def test_runs_of_marked_frames_become_segments_with_the_end_past_the_last_one() -> None:
    project = read(TEXT)
    assert rows(project) == [("walk", 1, 3), ("walk", 4, 5), ("sniff", 2, 4)]
    assert set(project.segments["time_base"]) == {"frame_index"}
    assert set(project.segments["task"]) == {"behavior"}
    assert set(project.segments["source_format"]) == {"deepethogram"}
    assert set(project.segments["source_file"]) == {"dog 7_labels"}
    assert project.segments["source_id"].tolist() == ["walk[1]", "walk[4]", "sniff[2]"]
    assert project.player == "frames"
    assert project.counts == {"segments": 3, "frames": 6}
    assert project.issues == ()


def test_the_recording_is_that_of_the_table_s_name() -> None:
    media = read(TEXT).media
    assert [(one.name, one.num_frames) for one in media] == [("dog 7", 6)]
    assert read(TEXT, Path("a.csv.gz")).media_names == ("a",)


def test_a_behaviour_up_to_the_last_frame_ends_with_the_recording() -> None:
    assert rows(read(",walk\n0,0\n1,1\n2,1\n")) == [("walk", 1, 3)]


def test_marks_with_decimals_and_a_named_index_are_read() -> None:
    text = "Unnamed: 0,none,walk\n0,1.0,0.0\n1,0.0,1.0\n"
    assert rows(read(text)) == [("walk", 1, 2)]


def test_frames_that_nobody_labelled_are_said_once_a_column() -> None:
    project = read(",background,walk,sniff\n0,1,0,-1\n1,0,1,-1\n2,0,1,1\n")
    assert rows(project) == [("walk", 1, 3), ("sniff", 2, 3)]
    assert issues(project) == [("V048", "warning", "column 4")]
    assert "2 of 3 frames" in project.issues[0].text


def test_background_that_contradicts_a_behaviour_is_said_and_the_behaviour_read() -> None:
    project = read(",background,walk\n0,1,1\n1,0,0\n2,0,1\n")
    assert rows(project) == [("walk", 0, 1), ("walk", 2, 3)]
    assert issues(project) == [("V010", "warning", "")]
    assert project.issues[0].text.startswith("'background' contradicts the behaviours in 2 frames")


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        (",walk\n0,0\n1,2\n", "V010", "line 3"),
        (",walk\n0,0\n1,\n", "V010", "line 3"),
        (",walk\n0,0\n2,0\n", "V010", "line 3"),
        (",walk,sit\n0,0,1\n1,0\n", "V010", "line 3"),
        (",walk,walk\n0,0,1\n", "V002", "column 2"),
        (",walk,\n0,0,1\n", "V005", "column 3"),
    ],
    ids=[
        "a mark of 2",
        "an empty mark",
        "a missing row",
        "a short row",
        "a behaviour twice",
        "no name",
    ],
)
def test_what_cannot_mean_anything_is_refused(text: str, code: str, place: str) -> None:
    assert (code, "error", place) in issues(read(text))


@pytest.mark.parametrize(
    ("text", "known"),
    [
        (TEXT, True),
        ("Unnamed: 0,walk\n0,-1\n", True),
        (",background\n", True),
        (",walk\n0,0.7\n", False),
        ("frame,walk\n0,1\n", False),
        (",Subject,Behavior\n0,rex,walk\n", False),
        (",walk\n0\n", False),
        ("", False),
    ],
)
def test_a_label_table_is_told_by_its_marks(text: str, known: bool) -> None:
    assert (read_deepethogram(PATH, read_table(PATH, text)) is not None) is known


cells = st.sampled_from(["", "0", "1", "1.0", "-1", "2", "nan", "x", "walk", "background"])


@settings(deadline=None)
@given(st.lists(st.lists(cells | st.text(max_size=3), max_size=4), max_size=6))
def test_any_table_gives_whole_segments_or_errors(grid: list[list[str]]) -> None:
    project = read_deepethogram(PATH, grid)
    if project is None:
        return
    segments = project.segments
    assert (segments["t_start"] < segments["t_end"]).all()
    assert (segments["label"].str.strip() == segments["label"]).all()
    assert (segments["label"] != "").all()


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1))
def test_segments_give_back_every_mark(marks: list[tuple[bool, bool]]) -> None:
    body = [[str(i), str(int(a)), str(int(b))] for i, (a, b) in enumerate(marks)]
    project = read_deepethogram(PATH, [["", "a", "b"], *body])
    assert project is not None
    assert project.issues == ()
    again = [
        tuple(
            any(label == name and start <= i < end for label, start, end in rows(project))
            for name in "ab"
        )
        for i in range(len(marks))
    ]
    assert again == marks


def test_frames_that_are_not_labelled_yet_were_not_watched() -> None:
    project = read(",walk,sniff,bark\n0,-1,1,-1\n1,0,0,-1\n2,1,0,-1\n3,-1,0,-1\n")
    columns = ["label", "time_base", "t_start", "t_end"]
    assert project.watched[columns].to_numpy().tolist() == [
        ["walk", "frame_index", 1, 3],
        ["bark", "frame_index", 0, 0],  # nothing was
    ]
    assert read(TEXT).watched.empty
