import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dogclips.annotations.boris import read_boris
from dogclips.annotations.documents import read_json
from dogclips.annotations.project import Project
from dogclips.errors import AnnotationError
from dogclips.segments import SEGMENT_COLUMNS

Tree = dict[str, Any]
Row = tuple[str, str, float, float]


def behaviours(**kinds: str) -> Tree:
    return {
        str(number): {"code": code, "type": kind, "key": code[0], "modifiers": {}, "excluded": ""}
        for number, (code, kind) in enumerate(kinds.items())
    }


ETHOGRAM = behaviours(walk="State event", sit="State event", bark="Point event")


def observation(
    *events: Any, files: Any = None, lengths: Any = None, offset: Any = 0.0, **keys: Any
) -> Tree:
    """Return an observation of `yard.mp4`, alone in player 1 where nothing else is said."""
    return {
        "type": "MEDIA",
        "date": "2026-05-01T09:00:00",
        "time offset": offset,
        "file": {"1": ["yard.mp4"], "2": []} if files is None else files,
        "media_info": {"length": lengths or {}, "fps": {}, "offset": {"1": 0.0}},
        "independent_variables": {},
        "events": [list(event) for event in events],
    } | keys


def store(one: Tree | None = None, ethogram: Any = None, **keys: Any) -> Tree:
    """Return a project as BORIS saves it, with one observation called `walk1`."""
    return {
        "time_format": "hh:mm:ss",
        "project_format_version": "7.0",
        "subjects_conf": {"0": {"key": "1", "name": "Rex", "description": ""}},
        "behaviors_conf": ETHOGRAM if ethogram is None else ethogram,
        "observations": {"walk1": observation() if one is None else one},
    } | keys


def event(time_s: Any, code: Any = "walk", subject: Any = "Rex", *more: Any) -> list[Any]:
    """Return an event; `more` are modifiers, comment and frame index."""
    return [time_s, subject, code, *more, *["", ""][len(more) :]]


def whole(project: Project | None) -> Project:
    assert project is not None
    return project


def read(folder: Path, tree: Any) -> Project:
    path = folder / "yard.boris"
    path.write_text(json.dumps(tree))
    document = read_json(path, path.read_text())
    return whole(read_boris(path, document))


def rows(project: Project) -> list[Row]:
    columns = project.segments[["media_name", "label", "t_start", "t_end"]]
    return [tuple(row) for row in columns.itertuples(index=False)]


def issues(project: Project) -> list[tuple[str, str, str]]:
    return [(issue.level, issue.code, issue.place) for issue in project.issues]


def texts(project: Project) -> str:
    return "\n".join(issue.text for issue in project.issues)


def test_a_bout_lies_between_its_start_and_its_stop(tmp_path: Path) -> None:
    one = observation([3.3, "Rex", "walk", "", ""], [7.75, "Rex", "walk", "", ""])
    project = read(tmp_path, store(one))
    assert rows(project) == [("yard.mp4", "walk", 3.3, 7.75)]
    row = project.segments.iloc[0]
    assert row["subject"] == "Rex"
    assert row["task"] == "behavior"
    assert row["source_id"] == "walk1:0"
    assert row["source_format"] == "boris"
    assert row["source_file"] == "yard"
    assert row["kind"] == "state"
    assert row["time_base"] == "player"
    assert project.issues == ()


def test_the_project_says_that_mpv_showed_the_recording(tmp_path: Path) -> None:
    project = read(tmp_path, store(observation(event(1), event(2), event(3, "bark"))))
    assert project.format == "boris"
    assert project.player == "mpv"
    assert project.counts == {"segments": 1, "points": 1}
    assert list(project.segments.columns) == list(SEGMENT_COLUMNS)


def test_states_of_several_subjects_and_codes_overlap(tmp_path: Path) -> None:
    one = observation(
        event(1), event(2, "walk", "Ace"), event(3, "sit"), event(4), event(5, "sit"),
        event(6, "walk", "Ace"),
    )  # fmt: skip
    project = read(tmp_path, store(one))
    assert rows(project) == [
        ("yard.mp4", "walk", 1, 4),
        ("yard.mp4", "walk", 2, 6),
        ("yard.mp4", "sit", 3, 5),
    ]
    assert list(project.segments["subject"]) == ["Rex", "Ace", "Rex"]


def test_states_pair_in_time_order_whatever_the_order_of_the_file(tmp_path: Path) -> None:
    project = read(tmp_path, store(observation(event(9), event(2), event(7), event(4))))
    assert rows(project) == [("yard.mp4", "walk", 2, 4), ("yard.mp4", "walk", 7, 9)]
    assert list(project.segments["source_id"]) == ["walk1:1", "walk1:2"]


def test_states_pair_within_their_modifiers(tmp_path: Path) -> None:
    one = observation(
        event(1, "walk", "Rex", "slow|None"),
        event(2, "walk", "Rex", "fast|left"),
        event(3, "walk", "Rex", "slow|None"),
        event(4, "walk", "Rex", "fast|left"),
    )
    project = read(tmp_path, store(one))
    assert rows(project) == [("yard.mp4", "walk", 1, 3), ("yard.mp4", "walk", 2, 4)]
    assert list(project.segments["comment"]) == ["modifiers: slow", "modifiers: fast|left"]


@pytest.mark.parametrize(
    ("modifiers", "comments", "expected"),
    [
        ("None", ("", ""), ""),
        ("None|left ", ("", ""), "modifiers: |left"),
        ("", ("ears back", "barks"), "ears back; barks"),
        ("slow", (" limps ", ""), "modifiers: slow; limps"),
    ],
)
def test_modifiers_and_both_comments_become_the_comment(
    tmp_path: Path, modifiers: str, comments: tuple[str, str], expected: str
) -> None:
    one = observation(
        event(1, "walk", "Rex", modifiers, comments[0]),
        event(2, "walk", "Rex", modifiers, comments[1]),
    )
    assert list(read(tmp_path, store(one)).segments["comment"]) == [expected]


def test_a_point_has_no_end(tmp_path: Path) -> None:
    project = read(tmp_path, store(observation(event(5.2, "bark"))))
    row = project.segments.iloc[0]
    assert (row["kind"], row["t_start"]) == ("point", 5.2)
    assert math.isnan(row["t_end"])


def test_behaviours_with_a_coding_map_are_states_and_points_all_the_same(tmp_path: Path) -> None:
    ethogram = behaviours(walk="State event with coding map", bark="Point event with coding map")
    one = observation(event(1), event(2, "bark"), event(3))
    assert list(read(tmp_path, store(one, ethogram)).segments["kind"]) == ["state", "point"]


@pytest.mark.parametrize("subject", ["", "No focal subject", None])
def test_no_focal_subject_is_no_animal(tmp_path: Path, subject: str | None) -> None:
    one = observation(event(1, "walk", subject), event(2, "walk", subject))
    assert list(read(tmp_path, store(one)).segments["subject"]) == [""]


@pytest.mark.parametrize("frame_index", ["NA", "", 75, None])
def test_the_frame_index_of_an_event_is_ignored(tmp_path: Path, frame_index: Any) -> None:
    one = observation([*event(1), frame_index], event(2))
    project = read(tmp_path, store(one))
    assert rows(project) == [("yard.mp4", "walk", 1, 2)]
    assert project.issues == ()


def test_a_state_that_never_stops_is_refused_with_all_that_names_it(tmp_path: Path) -> None:
    project = read(tmp_path, store(observation(event(1), event(2), event(12.5))))
    assert issues(project) == [("error", "V070", "observations.walk1.events[2]")]
    assert texts(project) == "'walk' of 'Rex' at 12.5 s starts and never stops"
    assert rows(project) == [("yard.mp4", "walk", 1, 2)]


@pytest.mark.parametrize("offset", [0.1, -2.5])
def test_the_time_offset_of_the_observation_is_taken_off(tmp_path: Path, offset: float) -> None:
    times = {0.1: (3.4, 7.75), -2.5: (0.8, 5.15)}[offset]
    one = observation(event(times[0]), event(times[1]), offset=offset)
    assert rows(read(tmp_path, store(one))) == [("yard.mp4", "walk", 3.3, 7.65)]


def test_a_time_before_the_recording_is_refused(tmp_path: Path) -> None:
    project = read(tmp_path, store(observation(event(1), event(9), offset=4)))
    assert issues(project) == [("error", "V053", "observations.walk1.events[0]")]
    assert len(project.segments) == 0


TWO = {"files": {"1": ["a.mp4", "b.mp4"]}, "lengths": {"a.mp4": 179.9609, "b.mp4": 60.0}}


def test_times_in_a_later_file_count_from_its_start(tmp_path: Path) -> None:
    # a.mp4 counts as 179.960 s: BORIS cuts lengths to milliseconds
    project = read(tmp_path, store(observation(event(227.765), event(253.49), **TWO)))
    assert rows(project) == [("b.mp4", "walk", 47.805, 73.53)]
    assert issues(project) == [("warning", "V074", "observations.walk1")]


def test_a_bout_over_the_border_of_two_files_becomes_two(tmp_path: Path) -> None:
    project = read(tmp_path, store(observation(event(170), event(200), **TWO)))
    assert rows(project) == [("a.mp4", "walk", 170, 179.96), ("b.mp4", "walk", 0, 20.04)]
    assert list(project.segments["flags"]) == ["split", "split"]
    assert project.segments["ann_id"].is_unique


def test_a_bout_over_a_whole_file_becomes_three(tmp_path: Path) -> None:
    files = {"1": ["a.mp4", "b.mp4", "c.mp4"]}
    lengths = {"a.mp4": 10, "b.mp4": 5}
    one = observation(event(8, "walk"), event(17, "walk"), files=files, lengths=lengths)
    assert rows(read(tmp_path, store(one))) == [
        ("a.mp4", "walk", 8, 10),
        ("b.mp4", "walk", 0, 5),
        ("c.mp4", "walk", 0, 2),
    ]


def test_a_file_shorter_than_a_millisecond_holds_no_part_of_a_bout(tmp_path: Path) -> None:
    files = {"1": ["a.mp4", "b.mp4", "c.mp4"]}
    one = observation(event(0), event(12), files=files, lengths={"a.mp4": 10, "b.mp4": 1e-38})
    assert rows(read(tmp_path, store(one))) == [("a.mp4", "walk", 0, 10), ("c.mp4", "walk", 0, 2)]


def test_what_lies_on_the_border_belongs_to_the_later_file(tmp_path: Path) -> None:
    one = observation(event(170), event(179.96), event(179.96, "bark"), **TWO)
    found = read(tmp_path, store(one)).segments[["media_name", "t_start", "flags"]]
    assert found.to_numpy().tolist() == [["a.mp4", 170, ""], ["b.mp4", 0, ""]]


def test_files_without_a_known_length_before_them_cannot_be_placed(tmp_path: Path) -> None:
    one = observation(event(1), event(2), **(TWO | {"lengths": {"b.mp4": 60.0}}))
    project = read(tmp_path, store(one))
    assert issues(project) == [("error", "V010", "observations.walk1.media_info.length")]
    assert len(project.segments) == 0


def test_files_of_other_players_are_listed_and_not_annotated(tmp_path: Path) -> None:
    one = observation(event(1), event(2), files={"1": ["yard.mp4"], "2": ["top.mp4"]})
    project = read(tmp_path, store(one))
    assert project.media_names == ("yard.mp4", "top.mp4")
    assert set(project.segments["media_name"]) == {"yard.mp4"}
    assert issues(project) == [("warning", "V075", "observations.walk1")]


@pytest.mark.parametrize("kind", ["LIVE", "IMAGES"])
def test_observations_without_a_recording_are_skipped(tmp_path: Path, kind: str) -> None:
    project = read(tmp_path, store(observation(event(1), event(2), files=[], type=kind)))
    assert len(project.segments) == 0
    assert issues(project) == [("warning", "V075", "observations.walk1")]


def test_times_since_the_date_of_the_recording_are_refused(tmp_path: Path) -> None:
    one = observation(event(1480212000.5), event(1480212004.5), media_creation_date_as_offset=True)
    project = read(tmp_path, store(one))
    assert issues(project) == [("error", "V010", "observations.walk1")]
    assert "date when the recording was made" in texts(project)


def test_a_clock_time_is_no_time_of_a_recording(tmp_path: Path) -> None:
    project = read(tmp_path, store(observation(event(1480212000.5), event(1480212004.5))))
    assert issues(project) == [("error", "V010", "observations.walk1.events[0]")]


def test_the_gap_of_an_automatic_stop_is_closed_and_said_once(tmp_path: Path) -> None:
    one = observation(
        event(1), event(3.999), event(4, "sit"), event(5.998, "sit"), event(6), event(8),
    )  # fmt: skip
    project = read(tmp_path, store(one))
    assert rows(project) == [
        ("yard.mp4", "walk", 1, 4),
        ("yard.mp4", "sit", 4, 6),
        ("yard.mp4", "walk", 6, 8),
    ]
    assert list(project.segments["flags"]) == ["snapped", "snapped", ""]
    assert issues(project) == [("warning", "V073", "observations.walk1")]
    assert "2 gaps" in texts(project)


@pytest.mark.parametrize(
    ("next_start", "subject"), [(4.003, "Rex"), (4.001, "Ace")], ids=["a real gap", "another dog"]
)
def test_other_gaps_stay(tmp_path: Path, next_start: float, subject: str) -> None:
    one = observation(
        event(1), event(4), event(next_start, "sit", subject), event(8, "sit", subject)
    )
    project = read(tmp_path, store(one))
    assert project.segments["t_end"].iloc[0] == 4
    assert project.issues == ()


def test_a_snapped_bout_may_be_split_too(tmp_path: Path) -> None:
    one = observation(event(170), event(189.999), event(190, "sit"), event(195, "sit"), **TWO)
    project = read(tmp_path, store(one))
    assert rows(project)[1] == ("b.mp4", "walk", 0, 10.04)
    assert list(project.segments["flags"]) == ["snapped split", "snapped split", ""]


def test_a_state_of_no_length_is_skipped(tmp_path: Path) -> None:
    project = read(tmp_path, store(observation(event(2), event(2), event(3), event(4))))
    assert rows(project) == [("yard.mp4", "walk", 3, 4)]
    assert issues(project) == [("warning", "V058", "observations.walk1.events[0]")]


def test_a_path_of_another_machine_stays_as_it_was_written(tmp_path: Path) -> None:
    names = ["C:\\video\\yard.mp4", "/home/user/yard.mp4"]
    two = {name: observation(event(1), event(2), files={"1": [name]}) for name in names}
    project = read(tmp_path, store(observations=two))
    assert list(project.segments["media_name"]) == names
    assert list(project.media_names) == names


def test_independent_variables_say_something_about_the_recording(tmp_path: Path) -> None:
    first = observation(independent_variables={"weather": "rain", "observer": ""})
    second = observation(independent_variables={"weather": "sun"})
    project = read(tmp_path, store(observations={"a": first, "b": first, "c": second}))
    assert project.media[0].attributes == {"weather": "rain, sun"}
    assert len(project.media) == 1


@pytest.mark.parametrize(("version", "num"), [("7.0", 0), ("7.9", 0), ("8.0", 1), ("10.1", 1)])
def test_a_newer_format_is_read_with_a_warning(tmp_path: Path, version: str, num: int) -> None:
    one = observation(event(1), event(2))
    project = read(tmp_path, store(one, project_format_version=version))
    assert issues(project) == [("warning", "V006", "project_format_version")] * num
    assert len(project.segments) == 1


def test_files_were_a_list_before_format_1(tmp_path: Path) -> None:
    one = observation(event(1), event(2), files=["yard.mp4", "top.mp4"], type="VIDEO")
    project = read(tmp_path, store(one))
    assert rows(project) == [("yard.mp4", "walk", 1, 2)]
    assert project.media_names == ("yard.mp4", "top.mp4")


def test_labels_are_trimmed(tmp_path: Path) -> None:
    one = observation(event(1, " walk "), event(2, "walk"))
    assert rows(read(tmp_path, store(one, behaviours(**{"walk ": "State event"})))) == [
        ("yard.mp4", "walk", 1, 2)
    ]


FIRST = "observations.walk1.events[0]"
WRONG: dict[str, tuple[Tree, str, str]] = {
    "a behaviour that is not in the ethogram": (
        store(observation(event(1, "run"))),
        "V010",
        FIRST,
    ),
    "a behaviour that is neither state nor point": (
        store(ethogram=behaviours(walk="Event")),
        "V010",
        "behaviors_conf.0",
    ),
    "a behaviour that is a state and a point": (
        store(ethogram=ETHOGRAM | {"7": {"code": "walk", "type": "Point event"}}),
        "V010",
        "behaviors_conf.7",
    ),
    "an event of four fields": (
        store(observation([1, "Rex", "walk", ""])),
        "V010",
        FIRST,
    ),
    "an event that is an object": (
        store(observation() | {"events": [{}]}),
        "V010",
        FIRST,
    ),
    "a time that is null": (store(observation(event(None))), "V052", FIRST),
    "a time that is NaN": (
        store(observation(event(math.nan))),
        "V052",
        FIRST,
    ),
    "a time without end": (
        store(observation(event(math.inf))),
        "V052",
        FIRST,
    ),
    "a time of 400 digits": (
        store(observation(event(10**400))),
        "V052",
        FIRST,
    ),
    "a time that is text": (
        store(observation(event("3.3"))),
        "V052",
        FIRST,
    ),
    "a time that is true": (store(observation(event(True))), "V052", FIRST),
    "a code that is a number": (
        store(observation(event(1, 7))),
        "V010",
        FIRST,
    ),
    "no file in player 1": (
        store(observation(event(1), event(2), files={"1": []})),
        "V022",
        "observations.walk1.file",
    ),
    "a file that is a number": (
        store(observation(files={"1": [7]})),
        "V010",
        "observations.walk1.file.1",
    ),
    "a time offset in words": (
        store(observation(event(1), event(2), offset="none")),
        "V010",
        "observations.walk1.time offset",
    ),
    "an unknown type": (store(observation(type="VR")), "V010", "observations.walk1"),
    "events that are an object": (
        store(observation() | {"events": {}}),
        "V010",
        "observations.walk1",
    ),
    "observations that are a list": (store(observations=[]), "V010", "observations"),
    "an observation that is null": (
        store(observations={"walk1": None}),
        "V010",
        "observations.walk1",
    ),
}


@pytest.mark.parametrize(("tree", "code", "place"), WRONG.values(), ids=WRONG)
def test_what_cannot_mean_anything_is_refused_with_its_place(
    tmp_path: Path, tree: Tree, code: str, place: str
) -> None:
    project = read(tmp_path, tree)
    assert ("error", code, place) in issues(project)
    assert len(project.segments) == 0
    with pytest.raises(AnnotationError, match=code):
        project.checked()


def test_an_event_without_behaviour_is_skipped_with_a_warning(tmp_path: Path) -> None:
    project = read(tmp_path, store(observation(event(1, " "))))
    assert issues(project) == [("warning", "V048", "observations.walk1.events[0]")]


def test_all_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    project = read(tmp_path, store(observation(event(None), event(1, "run"), event(2))))
    assert [code for _, code, _ in issues(project)] == ["V052", "V010", "V070"]


@pytest.mark.parametrize("tree", [None, [], {}, {"behaviors_conf": {}}, {"observations": {}}, 7])
def test_other_trees_are_no_boris_project(tmp_path: Path, tree: Any) -> None:
    assert read_boris(tmp_path / "a.json", tree) is None


def test_a_project_of_boris_is_known_by_its_keys() -> None:
    assert read_boris(Path("a.json"), store()) is not None


# Fuzz: a project whose segments hold together, whatever the tree.

scalars: st.SearchStrategy[Any] = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5),
    st.sampled_from(["1", "walk", "MEDIA", "yard.mp4", 2.5, 10**400]),
)  # fmt: skip
trees = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)
seconds = st.one_of(
    st.integers(0, 30), st.integers(0, 30_000).map(lambda ms: ms / 1000), st.floats(0, 1e13)
)
codes = st.sampled_from(["walk", "sit", "bark", " walk", "run", ""])
subjects = st.sampled_from(["Rex", "", "Ace"])
events = st.builds(event, seconds, codes, subjects, st.sampled_from(["", "slow|None"]))
offsets = st.sampled_from([0, 0.1, -1e-20, -5, 1e-9, 3]) | st.floats(-1e6, 1e6)
files = st.sampled_from(
    [{"1": ["a", "b", "c"]}, {"1": ["a"], "2": ["b"]}, ["a"], {"1": ["a", "a"]}]
)
lengths = st.fixed_dictionaries({"a": seconds, "b": seconds})


@st.composite
def damaged_projects(draw: st.DrawFn) -> Any:
    """Draw a whole project, and sometimes put something else in one place of it."""
    found = draw(st.lists(events, max_size=12))
    one = observation(*found, files=draw(files), lengths=draw(lengths), offset=draw(offsets))
    tree = store(one)
    if draw(st.booleans()):
        places: list[Any] = [(tree, key) for key in tree]
        places += [(one, key) for key in one]
        places += [(one["events"], number) for number in range(len(found))]
        places += [(entry, number) for entry in one["events"] for number in range(5)]
        places += [(one["media_info"], "length"), (tree["observations"], "walk1")]
        node, key = draw(st.sampled_from(places))
        node[key] = draw(trees)
    return tree


def assert_whole(project: Project) -> None:
    segments = project.segments
    states = segments[segments["kind"] == "state"]
    assert (states["t_start"] < states["t_end"]).all()
    assert (segments["t_start"] >= 0).all()
    assert (states["t_end"] < 1e12).all()
    assert (segments["label"].str.strip() == segments["label"]).all()
    assert (segments["label"] != "").all()


@settings(deadline=None, max_examples=300)
@given(st.one_of(damaged_projects(), damaged_projects(), damaged_projects(), trees))
def test_any_tree_gives_a_project_that_holds_together(tree: Any) -> None:
    project = read_boris(Path("any.boris"), tree)
    if project is not None:
        assert_whole(project)


@settings(deadline=None, max_examples=100)
@given(
    st.lists(st.integers(0, 60_000), min_size=2, max_size=10, unique=True),
    st.integers(-10_000, 0),
    st.integers(1, 60_000),
)
def test_the_parts_of_all_bouts_last_as_long_as_the_bouts(
    times_ms: list[int], offset_ms: int, length_ms: int
) -> None:
    times_ms = sorted(times_ms)[: len(times_ms) // 2 * 2]
    one = observation(
        *(event(ms / 1000) for ms in times_ms),
        files={"1": ["a", "b"]},
        lengths={"a": length_ms / 1000},
        offset=offset_ms / 1000,
    )
    segments = whole(read_boris(Path("any.boris"), store(one))).segments
    snapped = segments["flags"].str.contains("snapped").any()
    found_ms = round(1000 * (segments["t_end"] - segments["t_start"]).sum())
    expected_ms = sum(times_ms[1::2]) - sum(times_ms[::2])
    assert found_ms == expected_ms or (snapped and expected_ms < found_ms)


@pytest.mark.parametrize(
    ("interval", "spans"),
    [
        ([0, 0], []),
        ([24, 40], [("yard.mp4", 24, 40)]),
        ([24.5, 0], [("yard.mp4", 24.5, None)]),
    ],
)
def test_the_interval_of_an_observation_is_what_was_watched(
    tmp_path: Path, interval: list[float], spans: list[Any]
) -> None:
    """BORIS counts it from the start of the first file, whatever the time offset is."""
    one = observation(event(30), event(33), offset=5.0)
    one["observation time interval"] = interval
    watched = read(tmp_path, store(one)).watched
    columns = watched[["media_name", "t_start", "t_end"]].astype(object)
    assert [
        (name, start, None if math.isnan(end) else end)
        for name, start, end in columns.itertuples(index=False)
    ] == spans


def test_an_interval_through_two_files_leaves_none_of_the_others_watched(tmp_path: Path) -> None:
    files = {"1": ["a.mp4", "b.mp4", "c.mp4"]}
    one = observation(
        event(12), event(13), files=files, lengths={"a.mp4": 10.0, "b.mp4": 10.0, "c.mp4": 9.0}
    )
    one["observation time interval"] = [4, 14]
    watched = read(tmp_path, store(one)).watched
    assert watched[["media_name", "t_start", "t_end"]].to_numpy().tolist() == [
        ["a.mp4", 4, 10],
        ["b.mp4", 0, 4],
        ["c.mp4", 0, 0],
    ]


@pytest.mark.parametrize("interval", [[5], [9, 4], ["a", 4], 7])
def test_an_interval_that_means_nothing_is_refused(tmp_path: Path, interval: Any) -> None:
    one = observation(event(1), event(2), **{"observation time interval": interval})
    assert [issue.code for issue in read(tmp_path, store(one)).errors] == ["V010"]


def test_two_observations_of_one_recording_are_two_observers(tmp_path: Path) -> None:
    first, second = observation(event(1), event(2)), observation(event(3), event(5))
    second["observation time interval"] = [2, 6]
    project = read(tmp_path, store(observations={"one": first, "two": second}))
    assert project.segments["observer"].tolist() == ["one", "two"]
    assert project.watched[["observer", "t_start"]].to_numpy().tolist() == [["two", 2]]
    assert set(read(tmp_path, store(first)).segments["observer"]) == {""}


def test_an_independent_variable_names_the_observer(tmp_path: Path) -> None:
    first, second = (
        observation(event(at), event(at + 1), independent_variables={"Observer": "Ann"})
        for at in (1, 3)
    )
    project = read(tmp_path, store(observations={"one": first, "two": second}))
    assert set(project.segments["observer"]) == {"Ann"}
