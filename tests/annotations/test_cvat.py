from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dogclips.annotations.cvat import read_cvat
from dogclips.annotations.documents import read_xml
from dogclips.annotations.project import Project

PATH = Path("annotations.xml")
LABELS = """<labels><label><name>dog</name><attributes>
<attribute><name>gait</name><input_type>select</input_type><values>walk\nrun</values></attribute>
<attribute><name>barks</name><input_type>checkbox</input_type><values>true</values></attribute>
</attributes></label><label><name>ball</name><attributes></attributes></label></labels>"""


def task(**keys: str) -> str:
    """Return the description of a task of 100 frames."""
    said = {"size": "100", "mode": "interpolation", "start_frame": "0", "stop_frame": "99"}
    said |= {"frame_filter": "", "source": "020500.mp4"} | keys
    return f"<task>{''.join(f'<{k}>{v}</{k}>' for k, v in said.items())}{LABELS}</task>"


def box(frame: int, outside: int = 0, **answers: str) -> str:
    inner = "".join(f'<attribute name="{k}">{v}</attribute>' for k, v in answers.items())
    return f'<box frame="{frame}" outside="{outside}" occluded="0" keyframe="1">{inner}</box>'


def track(*shapes: str, label: str = "dog", name: str = "3") -> str:
    return f'<track id="{name}" label="{label}" source="manual">{"".join(shapes)}</track>'


def document(*tracks: str, meta: str = "") -> str:
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<annotations><version>1.1</version>'
        f"<meta>{meta or task()}<dumped>2026-01-01</dumped></meta>{''.join(tracks)}</annotations>"
    )


def read(text: str) -> Project:
    project = read_cvat(PATH, read_xml(PATH, text))
    assert project is not None
    return project


def rows(project: Project) -> list[tuple[Any, ...]]:
    columns = ["task", "label", "t_start", "t_end"]
    return [tuple(one) for one in project.segments[columns].to_numpy().tolist()]


def issues(project: Project) -> list[tuple[str, str, str]]:
    return [(issue.code, issue.level, issue.place) for issue in project.issues]


def test_each_attribute_is_a_task_whose_value_holds_until_it_changes() -> None:
    shapes = [
        box(10, gait="walk", barks="false"),
        box(11, gait="walk", barks="true"),
        box(12, gait="run", barks="true"),
        box(13, outside=1, gait="run", barks="true"),
    ]
    project = read(document(track(*shapes)))
    assert rows(project) == [
        ("gait", "walk", 10, 12),
        ("barks", "barks", 11, 13),
        ("gait", "run", 12, 13),
    ]
    assert set(project.segments["subject"]) == {"dog 3"}
    assert set(project.segments["source_id"]) == {"track 3"}
    assert set(project.segments["source_format"]) == {"cvat"}
    assert set(project.segments["source_file"]) == {"annotations"}
    assert set(project.segments["media_name"]) == {"020500.mp4"}
    assert set(project.segments["time_base"]) == {"frame_index"}
    assert [(one.name, one.num_frames) for one in project.media] == [("020500.mp4", 100)]
    assert project.player == "frames"
    assert project.counts == {"tracks": 1, "segments": 3}
    assert project.issues == ()


def test_a_track_without_attributes_is_a_label_while_it_is_there() -> None:
    shapes = [box(5), box(6), box(7, outside=1), box(20), box(21)]
    project = read(document(track(*shapes, label="ball", name="0")))
    assert rows(project) == [("label", "ball", 5, 7), ("label", "ball", 20, 22)]
    assert project.segments["subject"].tolist() == ["ball 0"] * 2
    assert project.issues == ()


def test_frames_between_keyframes_that_are_left_out_belong_to_the_shape_before() -> None:
    shapes = [box(30, gait="run"), box(10, gait="walk"), box(40, outside=1, gait="run")]
    assert rows(read(document(track(*shapes)))) == [
        ("gait", "walk", 10, 30),
        ("gait", "run", 30, 40),
    ]


def test_a_track_that_is_never_outside_ends_after_its_last_frame() -> None:
    project = read(document(track(box(98, gait="run"), box(99, gait="run"))))
    assert rows(project) == [("gait", "run", 98, 100)]


def test_an_empty_value_is_no_label_and_free_text_is_trimmed() -> None:
    shapes = [box(0, gait="", note=" limps "), box(1, gait="", note="TRUE"), box(2, outside=1)]
    project = read(document(track(*shapes)))
    assert rows(project) == [("note", "limps", 0, 1), ("note", "note", 1, 2)]


def test_a_skeleton_is_outside_when_all_its_points_are() -> None:
    def skeleton(frame: int, *outside: int) -> str:
        points = "".join(f'<points label="p" outside="{one}"/>' for one in outside)
        attribute = '<attribute name="gait">run</attribute>'
        return f'<skeleton frame="{frame}" keyframe="1">{points}{attribute}</skeleton>'

    shapes = [skeleton(4, 0, 0), skeleton(5, 1, 0), skeleton(6, 1, 1)]
    assert rows(read(document(track(*shapes)))) == [("gait", "run", 4, 6)]


def test_frames_of_a_task_with_start_and_step_are_those_of_the_video() -> None:
    meta = task(size="10", start_frame="50", stop_frame="95", frame_filter="step=5")
    shapes = [box(50, gait="walk"), box(55, gait="run"), box(95, gait="run"), box(100, outside=1)]
    project = read(document(track(*shapes), meta=meta))
    assert rows(project) == [("gait", "walk", 50, 55), ("gait", "run", 55, 100)]
    assert project.media[0].num_frames is None
    assert project.issues == ()


@pytest.mark.parametrize(
    ("shape", "meta"),
    [
        (box(100, gait="run"), task()),
        (box(101, outside=1), task()),
        (box(49, gait="run"), task(start_frame="50")),
        (box(-1, gait="run"), task()),
        ('<box outside="0"/>', task()),
        ('<box frame="3.5" outside="0"/>', task()),
        ('<box frame="3" outside="yes"/>', task()),
    ],
    ids=[
        "past the end",
        "outside past the end",
        "before the start",
        "negative",
        "no frame",
        "half a frame",
        "outside in words",
    ],
)
def test_a_frame_that_the_task_does_not_have_is_refused(shape: str, meta: str) -> None:
    project = read(document(track(box(60, gait="run"), shape), meta=meta))
    assert issues(project) == [("V010", "error", "track 3")]
    assert rows(project) == [("gait", "run", 60, 61)]


def test_a_frame_that_stands_twice_in_a_track_is_refused() -> None:
    project = read(document(track(box(1, gait="run"), box(1, gait="walk"))))
    assert issues(project) == [("V002", "error", "track 3")]


def test_a_track_without_shapes_is_skipped_and_one_without_label_refused() -> None:
    project = read(document(track(), track(box(1), label=" ", name="4")))
    assert len(project.segments) == 0
    assert issues(project) == [("V048", "warning", "track 3"), ("V010", "error", "track 4")]


def test_an_export_for_images_is_refused() -> None:
    project = read(document('<image id="0" name="frame_000000"/>'))
    assert issues(project) == [("V004", "error", "image")]


def test_the_video_of_older_exports_stands_beside_the_task() -> None:
    meta = "<task><size>9</size></task><source>old.avi</source>"
    project = read(document(track(box(1)), meta=meta))
    assert rows(project) == [("label", "dog", 1, 2)]
    assert [(one.name, one.num_frames) for one in project.media] == [("old.avi", 9)]


def test_a_job_does_not_name_its_video_and_is_refused() -> None:
    meta = task(source="").replace("task>", "job>")
    assert issues(read(document(track(box(1)), meta=meta))) == [("V005", "error", "meta")]


def test_a_project_of_one_task_is_read_and_one_of_several_refused() -> None:
    one = f"<project><tasks>{task()}</tasks></project>"
    assert read(document(track(box(1)), meta=one)).issues == ()
    two = f"<project><tasks>{task()}{task()}</tasks></project>"
    project = read(document(track(box(1)), meta=two))
    assert issues(project) == [("V010", "error", "meta.project")]
    assert "2 tasks" in project.issues[0].text


def test_a_size_that_is_no_number_is_refused() -> None:
    project = read(document(track(box(1, gait="run")), meta=task(size="many")))
    assert issues(project) == [("V010", "error", "meta.task.size")]


def test_an_export_is_told_by_its_root_and_children() -> None:
    assert read_cvat(PATH, read_xml(PATH, document())) is not None
    assert read_cvat(PATH, read_xml(PATH, "<annotations/>")) is None
    assert read_cvat(PATH, read_xml(PATH, "<annotation><meta/></annotation>")) is None


WHOLE = document(
    track(box(3, gait="run", barks="true"), box(9, gait="walk"), box(12, outside=1)),
    track(box(0), box(50, outside=1), label="ball", name="1"),
)
odd = st.sampled_from(
    ["", " ", "-5", "1e3", "9" * 400, "nan", "true", "7", "²", "step=0", "step=9"]
)


@settings(deadline=None)
@given(st.data())
def test_any_damaged_export_gives_whole_segments_or_errors(data: st.DataObject) -> None:
    root = read_xml(PATH, WHOLE)
    for _ in range(data.draw(st.integers(1, 4))):
        node = data.draw(st.sampled_from(list(root.iter())))
        what = data.draw(st.sampled_from(["remove", "tag", "text", "attribute", "forget"]))
        names = sorted(node.attrib)
        if what == "remove" and len(node):
            node.remove(data.draw(st.sampled_from(list(node))))
        elif what == "tag":
            node.tag = data.draw(st.sampled_from(sorted({one.tag for one in root.iter()})))
        elif what == "text":
            node.text = data.draw(odd)
        elif names and what == "attribute":
            node.set(data.draw(st.sampled_from(names)), data.draw(odd))
        elif names:
            del node.attrib[data.draw(st.sampled_from(names))]
    project = read_cvat(PATH, root)
    assert read(WHOLE).issues == ()
    if project is None:
        return
    segments = project.segments
    assert (segments["t_start"] < segments["t_end"]).all()
    assert (segments["label"].str.strip() == segments["label"]).all()
    assert (segments["label"] != "").all()


@given(st.lists(st.sampled_from(["walk", "run", "", "outside"]), min_size=1, max_size=30))
def test_segments_give_back_the_value_of_every_frame(values: list[str]) -> None:
    shapes = [
        box(i, outside=1) if value == "outside" else box(i, gait=value)
        for i, value in enumerate(values)
    ]
    found = rows(read(document(track(*shapes))))
    for frame, value in enumerate(values):
        held = [row[1] for row in found if row[2] <= frame < row[3]]
        assert held == ([value] if value in ("walk", "run") else [])


@pytest.mark.parametrize(
    ("keys", "spans"),
    [
        ({}, []),
        ({"start_frame": "600", "size": "400"}, [[600, 1000]]),
        ({"frame_filter": "step=3", "size": "34"}, [[0, 100]]),
    ],
)
def test_a_task_of_some_frames_says_which_were_watched(
    keys: dict[str, str], spans: list[list[float]]
) -> None:
    text = document(meta=task(**keys))
    assert read(text).watched[["t_start", "t_end"]].to_numpy().tolist() == spans
    job = document(meta=task(**({"size": "50"} | keys)).replace("task>", "job>"))
    assert len(read(job).watched) == 1


def test_a_track_that_ends_and_goes_on_at_one_frame_goes_on() -> None:
    shapes = [box(10, gait="walk"), box(20, 1, gait="walk"), box(20, gait="run"), box(30, 1)]
    expected = [("gait", "walk", 10, 20), ("gait", "run", 20, 30)]
    assert rows(read(document(track(*shapes)))) == expected
    shapes[1:3] = shapes[2:0:-1]
    assert rows(read(document(track(*shapes)))) == expected


def test_an_end_that_is_stored_twice_is_one_end() -> None:
    project = read(document(track(box(10, gait="walk"), box(20, 1), box(20, 1))))
    assert rows(project) == [("gait", "walk", 10, 20)]
    assert project.issues == ()
