"""What was watched, and by whom: several files and observers become one set of windows."""

import json
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dogclips.clips.config import CutConfig
from dogclips.clips.execution import cut_plan
from dogclips.clips.labelled import read_projects
from dogclips.clips.observers import agreed
from dogclips.clips.plan import ClipPlan, measure_session, plan_session
from dogclips.clips.session import find_session
from dogclips.clips.units import local_engine
from dogclips.errors import ConfigError
from dogclips.steps.check import check
from dogclips.timebase import Span
from tests.sessions import via_project
from tests.videos import numbers_in, steady, write_made

RATE = 5
NAME = "020500.mp4"
Row = tuple[float, float, str]


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a recording of 40 s that bears its frame numbers."""
    path = tmp_path_factory.mktemp("video") / NAME
    write_made(path, steady(40 * RATE, Fraction(RATE)))
    return path


@pytest.fixture
def base_dir(video: Path, tmp_path: Path) -> Path:
    base_dir = tmp_path / "2_2_kt"
    for folder in ("video", "via"):
        (base_dir / folder).mkdir(parents=True)
    (base_dir / "video" / NAME).hardlink_to(video)
    return base_dir


def annotate(
    base_dir: Path, name: str, *rows: Row, task: str = "behaviour", **columns: str
) -> None:
    more = "".join(f",{key}" for key in columns)
    lines = [f"file,start,end,label,task{more}"]
    values = "".join(f",{value}" for value in columns.values())
    lines += [f"{NAME},{start},{end},{label},{task}{values}" for start, end, label in rows]
    (base_dir / "via" / f"{name}.csv").write_text("\n".join(lines) + "\n")


def planned(base_dir: Path, **settings: Any) -> ClipPlan:
    config = CutConfig.model_validate(settings)
    session = find_session(base_dir)
    warnings: list[str] = []
    projects = read_projects([session], config, warnings.append)
    plan = plan_session(session, projects, measure_session(session, projects, config), config)
    return ClipPlan(**(vars(plan) | {"warnings": (*warnings, *plan.warnings)}))


def found(plan: ClipPlan) -> dict[float, str]:
    """Return the labels of each window that is cut, by its start."""
    rows = plan.table[plan.table["status"] == "planned"]
    return {row["start_s"]: " ".join(row["labels"]) for row in rows.to_dict("records")}


def reasons(table: pd.DataFrame) -> dict[float, str]:
    return dict(zip(table["start_s"], table["reason"], strict=True))


def deepethogram(base_dir: Path, unknown: range, *, sniff_unknown: bool = False) -> None:
    """Write a table in which 30 s to 34 s is `walk`, and some seconds are not labelled yet."""
    lines = [",background,walk,sniff"]
    for frame in range(40 * RATE):
        walk = 30 <= frame // RATE < 34
        marks = "-1,-1,-1" if frame // RATE in unknown else f"{int(not walk)},{int(walk)},0"
        lines.append(f"{frame},{marks[:-1]}-1" if sniff_unknown else f"{frame},{marks}")
    (base_dir / "via" / "020500_labels.csv").write_text("\n".join(lines) + "\n")


def boris(base_dir: Path, **observations: dict[str, Any]) -> None:
    kinds = [{"code": code, "type": "State event"} for code in ("walk", "sit")]
    usual = {"type": "MEDIA", "time offset": 0.0, "file": {"1": [NAME]}}
    tree = {
        "behaviors_conf": {str(number): kind for number, kind in enumerate(kinds)},
        "observations": {name: usual | own for name, own in observations.items()},
    }
    (base_dir / "via" / "yard.boris").write_text(json.dumps(tree))


def coded(*rows: Row, subject: str = "Rex") -> list[list[Any]]:
    return [[time_s, subject, code, "", ""] for *span, code in rows for time_s in span]


def cvat(base_dir: Path, first: int, last: int) -> None:
    shapes = "".join(
        f'<box frame="{frame}" outside="{outside}"><attribute name="gait">walk</attribute></box>'
        for frame, outside in ((30 * RATE, 0), (34 * RATE, 1))
    )
    said = f"<size>{last - first + 1}</size><start_frame>{first}</start_frame>"
    (base_dir / "via" / "annotations.xml").write_text(
        f"<annotations><meta><job>{said}<source>{NAME}</source></job></meta>"
        f'<track id="0" label="dog">{shapes}</track></annotations>'
    )


def test_frames_that_nobody_labelled_are_not_background(base_dir: Path) -> None:
    deepethogram(base_dir, range(4, 27))
    plan = planned(base_dir, background="keep")

    assert found(plan) == {0: "", 28: "walk", 32: "walk", 36: ""}
    assert reasons(plan.table) == {
        0: "",
        **dict.fromkeys((4, 8, 12, 16, 20), "not-watched"),
        24: "partly-watched",
        28: "",
        32: "",
        36: "",
    }


def test_a_behaviour_that_nobody_looked_for_counts_unless_it_is_dropped(base_dir: Path) -> None:
    deepethogram(base_dir, range(0), sniff_unknown=True)
    assert set(reasons(planned(base_dir).table).values()) == {"not-watched"}
    settings = {"drop": ["sniff"]}
    options = planned(base_dir, labels=settings, background="keep")
    assert found(options)[28] == "walk"


def test_a_job_of_cvat_was_watched_from_its_first_to_its_last_frame(base_dir: Path) -> None:
    cvat(base_dir, 24 * RATE, 38 * RATE)
    plan = planned(base_dir, background="keep")

    assert found(plan) == {24: "", 28: "walk", 32: "walk"}
    assert reasons(plan.table)[36] == "partly-watched"
    assert {reasons(plan.table)[start] for start in range(0, 24, 4)} == {"not-watched"}


def test_the_interval_of_a_boris_observation_bounds_its_background(base_dir: Path) -> None:
    interval = {"observation time interval": [24, 40]}
    boris(base_dir, one={"events": coded((4, 6, "sit"), (28, 34, "walk")), **interval})
    plan = planned(base_dir, background="keep")

    assert found(plan) == {24: "", 28: "walk", 32: "walk", 36: ""}
    outside = "1 segment outside of what was watched (24.0 to 40.0 s)"
    assert any(f"V090 {outside}" in text for text in plan.warnings)
    issues = [(issue.code, issue.text) for issue in check(base_dir).files[0].issues]
    assert ("V090", outside) in issues


def test_a_setting_says_what_was_watched_where_no_file_does(base_dir: Path) -> None:
    annotate(base_dir, "a", (8, 16, "walk"))
    before = planned(base_dir, background="keep")
    plan = planned(
        base_dir, background="keep", projects={"a": {"watched_seconds": [[4, 16], [20, 30]]}}
    )

    assert found(before) == {0: "", 4: "", 8: "walk", 12: "walk"}
    assert found(plan) == {4: "", 8: "walk", 12: "walk", 20: "", 24: ""}
    assert reasons(plan.table)[28] == "partly-watched"


def test_tasks_of_two_files_become_one_set_of_windows(base_dir: Path) -> None:
    annotate(base_dir, "a", (0, 16, "walk"), task="gait")
    annotate(base_dir, "b", (4, 12, "far"), task="place")
    plan = planned(base_dir)
    table = cut_plan(plan, engine=local_engine(1))

    both = "gait:walk place:far"
    assert found(plan) == {0: "gait:walk", 4: both, 8: both, 12: "gait:walk"}
    kept = table[table["status"] == "cut"]
    assert kept["projects"].tolist() == [["a", "b"]] * 4
    assert set(kept["project"]) == {"a"}
    for row in kept.to_dict("records"):
        first = int(row["start_s"] * RATE)
        frames = numbers_in(base_dir / "output" / row["clip"])
        assert frames == list(range(first, first + 4 * RATE))
    text = f"video/{NAME}: V085 named by 2 annotation files (a, b), which become one"
    assert text in plan.warnings


def test_two_observers_are_refused_until_a_setting_says_what_counts(base_dir: Path) -> None:
    annotate(base_dir, "ann", (0, 8, "walk"), (20, 24, "sit"))
    annotate(base_dir, "bob", (4, 12, "walk"), (20, 24, "walk"))
    plan = planned(base_dir)

    (row,) = plan.table.to_dict("records")
    assert row["status"] == "failed"
    text = "V091 task 'behaviour' was annotated by several observers: 'ann' and 'bob'"
    assert row["reason"].startswith(text)
    errors = [[issue.code for issue in file.errors] for file in check(base_dir).files]
    assert errors == [["V091"], ["V091"]]


ANN, BOB, CLEO = (0, 8, "walk"), (4, 12, "walk"), (4, 8, "walk")


@pytest.mark.parametrize(
    ("rule", "windows"),
    [
        ("ann", {0: "walk", 4: "walk"}),
        ("bob", {4: "walk", 8: "walk"}),
        ("union", {0: "walk", 4: "walk", 8: "walk"}),
        ("intersection", {4: "walk"}),
        ("majority", {4: "walk"}),
    ],
)
def test_the_answers_of_observers_become_one(
    base_dir: Path, rule: str, windows: dict[float, str]
) -> None:
    annotate(base_dir, "first", ANN, observer="ann")
    annotate(base_dir, "second", BOB)
    settings = {"projects": {"second": {"observer": "bob"}}, "observers": rule}
    assert found(planned(base_dir, **settings)) == windows
    assert check(base_dir, settings).files[0].errors == ()


def test_a_majority_of_three_is_two(base_dir: Path) -> None:
    for name, row in (("ann", ANN), ("bob", BOB), ("cleo", CLEO)):
        annotate(base_dir, name, row)
    assert found(planned(base_dir, observers="majority", min_overlap_seconds=4)) == {4: "walk"}
    annotate(base_dir, "cleo", (0, 12, "walk"))
    expected = {0: "walk", 4: "walk", 8: "walk"}
    assert found(planned(base_dir, observers="majority", min_overlap_seconds=4)) == expected


def test_rounds_of_one_observer_complete_each_other(base_dir: Path) -> None:
    annotate(base_dir, "a", (0, 8, "walk"), observer="ann")
    annotate(base_dir, "b", (4, 12, "sit"), observer="ann")
    assert found(planned(base_dir)) == {0: "walk", 4: "walk sit", 8: "sit"}


def test_observers_of_different_times_complete_each_other(base_dir: Path) -> None:
    annotate(base_dir, "a", (0, 8, "walk"))
    annotate(base_dir, "b", (20, 28, "walk"))
    watched = {"a": {"watched_seconds": [[0, 16]]}, "b": {"watched_seconds": [[16, 32]]}}
    plan = planned(base_dir, background="keep", projects=watched)
    expected = dict.fromkeys(range(0, 32, 4), "") | dict.fromkeys((0, 4, 20, 24), "walk")
    assert found(plan) == expected


def test_what_one_task_did_not_watch_is_not_background_of_another(base_dir: Path) -> None:
    annotate(base_dir, "a", (4, 8, "walk"), task="gait")
    annotate(base_dir, "b", (8, 12, "far"), task="place")
    watched = {"a": {"watched_seconds": [[0, 16]]}, "b": {"watched_seconds": [[8, 40]]}}
    plan = planned(base_dir, background="keep", projects=watched)
    assert found(plan) == {8: "place:far", 12: ""}


def test_observations_of_one_boris_file_are_told_apart(base_dir: Path) -> None:
    events = {"events": coded((0, 8, "walk"))}
    boris(base_dir, one=events, two={"events": coded((4, 12, "sit"))})
    assert "'one' (yard) and 'two' (yard)" in planned(base_dir).table["reason"][0]
    assert found(planned(base_dir, observers="two")) == {4: "sit", 8: "sit"}
    boris(base_dir, one=events, two={"events": coded((4, 12, "sit"), subject="Ida")})
    assert found(planned(base_dir)) == {0: "walk", 4: "walk sit", 8: "sit"}


def test_only_the_corrected_copy_counts(base_dir: Path) -> None:
    annotate(base_dir, "v1", (0, 8, "walk"))
    annotate(base_dir, "v2", (4, 12, "sit"))
    settings = {"projects": {"v2": {"replaces": "v1"}}}
    plan = planned(base_dir, **settings)

    assert found(plan) == {4: "sit", 8: "sit"}
    assert plan.classes == ("sit",)
    assert "v1.csv: V092 'v2' replaces it; skipped" in plan.warnings
    assert [file.path.stem for file in check(base_dir, settings).files] == ["v2"]


def test_players_with_another_zero_are_brought_to_one_time(tmp_path: Path) -> None:
    base_dir = tmp_path / "2_2_kt"
    late = steady(20 * RATE, Fraction(RATE), late=2 * RATE)
    write_made(base_dir / "video" / NAME, late)
    (base_dir / "via").mkdir()
    annotate(base_dir, "a", (4, 8, "walk"), task="gait")
    annotate(base_dir, "b", (4, 8, "far"), task="place")
    same = {"b": {"annotated_in": "container"}}
    other = {"b": {"annotated_in": "firefox"}}
    assert found(planned(base_dir, annotated_in="container", projects=same)) == {
        4: "gait:walk place:far"
    }
    plan = planned(base_dir, annotated_in="container", projects=other, min_overlap_seconds=2)
    assert found(plan) == {4: "gait:walk place:far", 8: "place:far"}  # 2 s later


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"projects": {"v3": {}}}, "use one of 'v1', 'v2'"),
        ({"projects": {"V2": {}}}, "did you mean 'v2'?"),
        ({"projects": {"v2": {"replaces": "v_1"}}}, "did you mean 'v1'?"),
        ({"observers": "anm"}, "did you mean 'ann'?"),
        ({"labels": {"rename": {"wlak": "w"}}}, "did you mean 'walk'?"),
        ({"labels": {"drop": ["wlk"]}}, "did you mean 'walk'?"),
        ({"labels": {"order": ["Foo"]}}, "use one of 'sit', 'walk'"),
        ({"labels": {"order": ["WALK"]}}, "did you mean 'walk'?"),
        ({"tasks": ["behavour"]}, "did you mean 'behaviour'?"),
    ],
)
def test_names_that_match_nothing_are_refused(
    base_dir: Path, settings: dict[str, Any], said: str
) -> None:
    annotate(base_dir, "v1", (0, 8, "walk"), observer="ann")
    annotate(base_dir, "v2", (4, 12, "sit"), observer="ann")
    for run in (lambda: planned(base_dir, **settings), lambda: check(base_dir, settings)):
        with pytest.raises(ConfigError) as caught:
            run()
        assert caught.value.todo == said
        assert caught.value.exit_code == 2


def test_names_of_options_that_nobody_used_are_known(base_dir: Path) -> None:
    project = via_project({NAME: [(0, 8, "1")]})
    (base_dir / "via" / "a.json").write_text(json.dumps(project))
    labels = {"rename": {"sniff": "smell"}, "order": ["smell", "walk"], "drop": ["sit"]}
    assert planned(base_dir, labels=labels).classes == ("smell", "walk")


@given(
    st.lists(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=4), max_size=4)
)
def test_agreement_is_counted_moment_by_moment(people: list[list[tuple[int, int]]]) -> None:
    spans = [[Span(Fraction(a), Fraction(b)) for a, b in own] for own in people]
    for least in (1, 2, 3):
        covered = {
            moment
            for moment in range(30)
            if sum(any(a <= moment < b for a, b in own) for own in people) >= least
        }
        got = agreed(spans, least)
        assert {m for one in got for m in range(int(one.start), int(one.end))} == covered
        assert all(one.end < other.start for one, other in pairwise(got))


def test_labels_that_no_clip_shows_are_said_first_with_what_helps(base_dir: Path) -> None:
    annotate(base_dir, "a", (30, 40, "walk"), (0, 4, "sit"))
    plan = planned(base_dir, clip_seconds=12, stride_seconds=12, min_overlap_seconds=0.5)

    first = next(text for text in plan.warnings if "V09" in text)
    assert first == plan.warnings[0]
    assert first == (
        "V096 no clip shows 4.0 of 10.0 s of 'walk' (after-end 4.0 s): "
        "`end_window: true` shows 4.0 s more"
    )
    whole = planned(
        base_dir, clip_seconds=12, stride_seconds=12, min_overlap_seconds=0.5, end_window=True
    )
    assert found(whole) == {0: "sit", 24: "walk", 28: "walk"}
    assert not any("V096" in text for text in whole.warnings)


def test_windows_may_begin_at_the_first_frame_of_all_streams(tmp_path: Path) -> None:
    base_dir = tmp_path / "2_2_kt"
    late = steady(42, Fraction(RATE), late=2)  # 0.4 s
    write_made(base_dir / "video" / NAME, late)
    (base_dir / "via").mkdir()
    annotate(base_dir, "a", (0, 8, "walk"))
    plan = planned(base_dir)

    assert found(plan) == {4: "walk"}
    assert "`phase_seconds: auto` shows 3.6 s more" in plan.warnings[0]
    table = cut_plan(planned(base_dir, phase_seconds="auto"), engine=local_engine(1))
    rows = table[table["status"] == "cut"].to_dict("records")
    assert [row["start_s"] for row in rows] == [0.4, 4.4]
    frames = numbers_in(base_dir / "output" / rows[0]["clip"])
    assert frames == list(range(4 * RATE))
