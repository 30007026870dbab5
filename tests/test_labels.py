import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dogclips.alignment import align_streams
from dogclips.annotations import read_dataset
from dogclips.clips.config import CutConfig
from dogclips.clips.labelled import apply_labels, class_order
from dogclips.clips.plan import plan_session
from dogclips.clips.recordings import Recording
from dogclips.clips.session import find_session
from dogclips.errors import AnnotationError
from dogclips.labels import LabelConfig, carry_tasks, split_task
from dogclips.segments import SEGMENT_COLUMNS, segment_table
from dogclips.streams import Stream, StreamTable
from dogclips.training.losses import tasks_of_labels


def segments(*answers: tuple[str, str] | tuple[str, str, bool]) -> pd.DataFrame:
    """Return one segment for each (task, label) or (task, label, is an option)."""
    rows: list[dict[str, Any]] = [
        {
            "source_format": "via3",
            "source_file": "0205",
            "source_id": f"1_{number}",
            "media_name": "020500.mp4",
            "task": answer[0],
            "label": answer[1],
            "known": answer[2] if len(answer) == 3 else True,
            "t_start": float(number),
            "t_end": float(number + 1),
        }
        for number, answer in enumerate(answers)
    ]
    return segment_table(rows)


def names(table: pd.DataFrame) -> list[str]:
    return [str(name) for name in table["label"]]


def test_labels_of_one_task_keep_their_names() -> None:
    table = apply_labels(segments(("b", "sit"), ("b", "walk")), LabelConfig(), "all")
    assert names(table) == ["sit", "walk"]
    assert list(table.columns) == list(SEGMENT_COLUMNS)


def test_labels_of_several_tasks_carry_their_task() -> None:
    table = apply_labels(segments(("behaviour", "sit"), ("dog", "Rex")), LabelConfig(), "all")
    assert names(table) == ["behaviour:sit", "dog:Rex"]


def test_only_the_wanted_tasks_become_classes() -> None:
    table = segments(("behaviour", "sit"), ("dog", "Rex"), ("behaviour", "walk"))
    assert names(apply_labels(table, LabelConfig(), ("behaviour",))) == ["sit", "walk"]


def test_two_labels_may_become_one() -> None:
    config = LabelConfig(rename={"Walk": "walk", "stroll": "walk"})
    table = segments(("b", "Walk"), ("b", "stroll"), ("b", "sit"))
    assert names(apply_labels(table, config, "all")) == ["walk", "walk", "sit"]


def test_two_labels_may_swap_their_names() -> None:
    config = LabelConfig(rename={"sit": "lie", "lie": "sit"})
    table = apply_labels(segments(("b", "sit"), ("b", "lie")), config, "all")
    assert names(table) == ["lie", "sit"]


def test_dropped_labels_are_gone() -> None:
    config = LabelConfig(drop=("walk",))
    table = apply_labels(segments(("b", "walk"), ("b", "sit")), config, "all")
    assert names(table) == ["sit"]
    assert list(table.index) == [0]


def test_a_label_may_be_dropped_by_its_new_name() -> None:
    config = LabelConfig(rename={"Walk": "walk"}, drop=("walk",))
    assert names(apply_labels(segments(("b", "Walk"), ("b", "sit")), config, "all")) == ["sit"]


def test_the_times_stay_with_their_labels() -> None:
    config = LabelConfig(drop=("sit",))
    table = apply_labels(segments(("b", "sit"), ("b", "walk")), config, "all")
    assert table[["label", "t_start", "t_end"]].to_numpy().tolist() == [["walk", 1.0, 2.0]]


def test_text_that_is_no_option_is_kept_by_default() -> None:
    table = segments(("b", "sit"), ("b", "running fast", False))
    assert names(apply_labels(table, LabelConfig(), "all")) == ["sit", "running fast"]


def test_text_that_is_no_option_can_be_dropped() -> None:
    table = segments(("b", "sit"), ("b", "running fast", False))
    assert names(apply_labels(table, LabelConfig(unknown="drop"), "all")) == ["sit"]


def test_text_that_is_no_option_can_be_an_error_that_names_its_place() -> None:
    table = segments(("b", "sit"), ("b", "running fast", False))
    with pytest.raises(AnnotationError, match=r"'running fast'.*'b' \(0205: metadata\.1_1\)"):
        apply_labels(table, LabelConfig(unknown="error"), "all")


@pytest.mark.parametrize("unknown", ["error", "drop"])
def test_text_that_is_renamed_is_no_longer_unknown(unknown: Any) -> None:
    config = LabelConfig(unknown=unknown, rename={"running fast": "run"})
    table = segments(("b", "sit"), ("b", "running fast", False))
    assert names(apply_labels(table, config, "all")) == ["sit", "run"]


def test_text_of_a_task_that_is_not_wanted_is_no_error() -> None:
    table = segments(("b", "sit"), ("dog", "Rex", False))
    assert names(apply_labels(table, LabelConfig(unknown="error"), ("b",))) == ["sit"]


def test_no_segments_give_no_classes() -> None:
    table = apply_labels(segments(), LabelConfig(rename={"a": "b"}, drop=("c",)), "all")
    assert len(table) == 0
    assert list(table.columns) == list(SEGMENT_COLUMNS)


def test_the_table_that_came_in_stays_as_it_was() -> None:
    table = segments(("b", "sit"), ("c", "walk"))
    before = table.copy()
    apply_labels(table, LabelConfig(rename={"sit": "lie"}), "all")
    pd.testing.assert_frame_equal(table, before)


label_names = st.lists(st.sampled_from(["sit", "walk", "run", "sniff", "lie"]))


@given(label_names, label_names)
def test_class_order_holds_every_name_once_and_the_fixed_ones_first(
    seen: list[str], order: list[str]
) -> None:
    classes = class_order(seen, order)
    assert len(set(classes)) == len(classes)
    assert set(classes) == {*seen, *order}
    fixed = list(dict.fromkeys(order))
    assert list(classes[: len(fixed)]) == fixed
    rest = classes[len(fixed) :]
    assert sorted(rest, key=seen.index) == list(rest)


def via_project(path: Path, answers: dict[str, str]) -> None:
    """Write a project with one segment from 0 to 4 s that gives these answers."""
    options = {"0": "sit", "1": "walk"}
    answers_to = {"anchor_id": "FILE1_Z2_XY0", "type": 4, "options": options}
    attributes = [{"aname": name, **answers_to} for name in ("behaviour", "dog")]
    path.parent.mkdir(exist_ok=True)
    path.write_text(
        json.dumps(
            {
                "attribute": {"1": attributes[0], "2": attributes[1]},
                "file": {"1": {"fname": f"{path.stem}.mp4"}},
                "view": {"1": {"fid_list": ["1"]}},
                "metadata": {"1_a": {"vid": "1", "z": [0, 4], "xy": [], "av": answers}},
            }
        )
    )


def test_a_class_has_one_name_in_all_projects_of_a_session(tmp_path: Path) -> None:
    via_project(tmp_path / "via" / "a.json", {"1": "0", "2": "1"})
    via_project(tmp_path / "via" / "b.json", {"1": "0"})
    config = CutConfig()
    recordings = {}
    projects, _ = read_dataset(sorted((tmp_path / "via").iterdir()))
    for project in projects:
        path = tmp_path / "video" / f"{project.path.stem}.mp4"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"")
        pts = np.arange(80, dtype=np.int64)
        stream = Stream(
            index=0,
            type="video",
            codec="h264",
            time_base=Fraction(1, 20),
            pts=pts,
            end_pts=80,
            num_frames=80,
            width=64,
            height=48,
        )
        table = StreamTable(path, "mov", None, (stream,))
        alignment = align_streams(stream, stream)
        recordings[path, config.choice_of(project)] = Recording(path, table, alignment)
    plan = plan_session(find_session(tmp_path), projects, recordings, config)
    assert set(plan.classes) == {"behaviour:sit", "dog:walk"}
    labels = [list(row) for row in plan.table["labels"]]
    assert labels == [["behaviour:sit", "dog:walk"], ["behaviour:sit"]]


@pytest.mark.parametrize(
    ("names", "carried"),
    [
        (("does:sit", "at:door"), True),
        (("time:10:30", "time:11:00"), True),
        ((":a:b", ":c:d"), True),
        (("a::", "b::"), True),
        (("sit", "at 10:30"), False),
        ((":sit", "does:walk"), False),
        (("does:", "does:walk"), False),
        (("sit", "walk"), False),
        ((), False),
    ],
)
def test_one_rule_tells_whether_classes_carry_tasks(
    names: tuple[str, ...], *, carried: bool
) -> None:
    assert carry_tasks(names) is carried
    found = tasks_of_labels(names, exclusive=False)
    assert [bool(task.name) for task in found] == [carried] * len(found)


def test_what_is_stored_of_classes_counts_more_than_their_names() -> None:
    assert not carry_tasks(["at 10:30", "at 11:00"], known=False)
    assert len(tasks_of_labels(["at 10:30", "at 11:00"], exclusive=False, with_task=False)) == 1
    assert [task.name for task in tasks_of_labels([":sit", "a:b"], False, with_task=True)] == [
        "",
        "a",
    ]


@given(
    st.text("ab", min_size=1, max_size=3),
    st.text("ab:", min_size=1, max_size=4),
)
def test_a_class_is_taken_apart_into_the_task_and_the_label_it_was_made_of(
    task: str, label: str
) -> None:
    assert split_task(f"{task}:{label}") == (task, label)


def test_tasks_and_labels_that_begin_or_end_with_colons_are_taken_apart() -> None:
    made = [(":a", "b"), ("a", ":"), ("", "sit")]
    assert [split_task(f"{task}:{label}") for task, label in made] == made
    assert split_task("sit") == ("", "sit")
