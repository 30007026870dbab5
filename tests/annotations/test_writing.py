"""What we write holds what we read, in every format that both can hold."""

import csv
import json
import re
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dogclips.annotations import Media, Project, read_annotations
from dogclips.annotations.boris_tables import WRITTEN_COLUMNS, write_boris_intervals
from dogclips.annotations.plain import write_plain
from dogclips.annotations.via_writing import via_project, write_via
from dogclips.errors import AnnotationError, OutputError
from dogclips.segments import segment_table
from dogclips.wording import one_spelling
from tests.shared import SHARED, needs_shared

VIA = SHARED / "data" / "via"
CHECKBOX, SELECT = 2, 4
Row = dict[str, Any]
ODD = [
    'say "sit"',
    "sit, walk",
    "sit\nwalk",
    "<b>sit</b>",
    "it's; so",
    "=1+1",
    "-walk",
    "'til",
    "座",
]


def row(label: str = "walk", start: float = 0.0, end: float = 4.35, **keys: Any) -> Row:
    return {
        "media_name": "020500.mp4",
        "source_id": "",
        "task": "behaviour",
        "label": label,
        "t_start": start,
        "t_end": end,
    } | keys


def point(label: str = "bark", at: float = 1.5, **keys: Any) -> Row:
    return row(label, at, float("nan"), kind="point") | keys


def project_of(*rows: Row, **keys: Any) -> Project:
    segments = segment_table(rows)
    names = dict.fromkeys(segments["media_name"])
    project = Project(Path("0205.json"), "csv", segments, tuple(Media(name) for name in names))
    return replace(project, **keys)


def labels(project: Project, *columns: str) -> list[tuple[Any, ...]]:
    """What a project says, in an order that does not depend on how it is stored."""
    columns = ("media_name", "t_start", "t_end", "task", "label", *columns)
    table = project.segments[list(columns)].fillna({"t_end": -1.0})
    return sorted(tuple(values) for values in table.to_numpy().tolist())


def through_via(project: Project, folder: Path) -> Project:
    path = folder / "written.json"
    write_via(project, path)
    return read_annotations(path)


def through_csv(project: Project, folder: Path) -> Project:
    path = folder / "written.csv"
    write_plain(project, path)
    return read_annotations(path)


def through_boris(project: Project, folder: Path) -> Project:
    path = folder / "boris.csv"
    write_boris_intervals(project, path)
    return read_annotations(path)


def tree_of(*rows: Row, **keys: Any) -> dict[str, Any]:
    segments = segment_table(rows)
    media = [Media(name) for name in dict.fromkeys(segments["media_name"])]
    return via_project(segments, media, **keys)


def answers(tree: dict[str, Any]) -> list[dict[str, str]]:
    """The answers of each entry, by the names of the questions."""
    names = {aid: attribute["aname"] for aid, attribute in tree["attribute"].items()}
    return [
        {names[aid]: value for aid, value in entry["av"].items()}
        for entry in tree["metadata"].values()
    ]


# VIA


@pytest.mark.shared
@needs_shared
@pytest.mark.parametrize("path", sorted(VIA.glob("*.json")), ids=lambda path: path.name)
def test_a_real_project_reads_the_same_after_it_was_written(path: Path, tmp_path: Path) -> None:
    project = read_annotations(path)
    if project.errors:
        with pytest.raises(AnnotationError):
            write_via(project, tmp_path / "written.json")
        return

    again = through_via(project, tmp_path)

    assert labels(again) == labels(project)
    assert again.media == project.media
    assert {issue.level for issue in again.issues} <= {"warning"}
    assert labels(through_via(again, tmp_path)) == labels(again)
    used = set(project.segments["task"])
    for task in used & project.options.keys():  # an id keeps its meaning
        assert again.options[task].items() >= project.options[task].items()


def keys_and_types(tree: Any) -> Any:
    """Keys at every level and the JSON types under them; ids are any ids."""
    if isinstance(tree, dict):
        parts = {key: keys_and_types(value) for key, value in tree.items()}
        return next(iter(parts.values())) if tree and all(map(is_id, tree)) else parts
    if isinstance(tree, list):
        return [keys_and_types(value) for value in tree][:1]
    if isinstance(tree, int | float) and not isinstance(tree, bool):
        return "number"
    return type(tree).__name__


def is_id(key: str) -> bool:
    return re.fullmatch(r"\d+(_[A-Za-z0-9+/_-]{8})?", key) is not None


@pytest.mark.shared
@needs_shared
def test_what_we_write_has_the_keys_and_types_of_a_save_of_the_application(tmp_path: Path) -> None:
    ours = keys_and_types(
        tree_of(row(), row("indoor", task="context"), options={"behaviour": {"0": "walk"}})
    )
    # The prefixes of places are keyed by numbers as well: compared as they are.
    ours["config"]["file"] = dict.fromkeys("1234", "")
    saves = {}
    for version in ("3.0.10", "3.0.11"):
        save = json.loads((VIA / f"via_{version}_real.json").read_text())
        saves[version] = keys_and_types(save)
        saves[version]["config"]["file"] = save["config"]["file"]["loc_prefix"]

    assert ours == saves["3.0.11"]
    added = ours["config"]["ui"].pop("temporal_segment_metadata_editor_visible")
    assert added == "bool"
    assert ours == saves["3.0.10"]
    written = tree_of(row())
    assert list(written["project"]) == list(save["project"])
    assert list(written) == list(save)
    assert written["config"] == save["config"]
    assert written["file"]["1"].keys() == save["file"]["1"].keys()


TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=6).map(
    lambda text: text.strip() or "walk"
)
TIMES = st.integers(0, 10**9).map(lambda ticks: ticks / 10**5)
SPANS = st.tuples(TIMES, st.integers(1, 10**7)).map(
    lambda pair: (pair[0], round(pair[0] + pair[1] / 10**5, 5))
)


@st.composite
def segments_of(draw: st.DrawFn) -> Project:
    tasks = draw(st.lists(TEXTS, min_size=1, max_size=4, unique_by=str.strip))
    rows = {}
    for number in range(draw(st.integers(0, 6))):
        start, end = draw(SPANS)
        media = draw(st.sampled_from(["020500.mp4", "b/c d.mkv", r"C:\v\e.mp4", "http://h/f.mp4"]))
        for task in draw(st.lists(st.sampled_from(tasks), min_size=1, max_size=4)):
            made = row(draw(TEXTS), start, end, task=task, media_name=media, source_id=f"s{number}")
            rows[media, start, end, task, made["label"]] = made
    return project_of(*rows.values())


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(project=segments_of())
def test_any_segments_come_back_from_a_via_project(project: Project, tmp_path: Path) -> None:
    again = through_via(project, tmp_path)

    assert labels(again) == labels(project)
    assert again.errors == ()
    assert again.media_names == project.media_names
    assert labels(through_via(again, tmp_path)) == labels(project)


def test_rows_of_one_source_are_one_entry_and_others_are_not() -> None:
    tree = tree_of(
        row("walk", source_id="7"),
        row("indoor", source_id="7", task="context"),
        row("walk", source_id="8"),
        row("walk", media_name="020600.mp4", source_id="7"),
        row("walk"),
        row("sniff"),
    )

    assert len(tree["metadata"]) == 5
    assert answers(tree)[0] == {"behaviour": "0", "context": "0"}
    assert [attribute["type"] for attribute in tree["attribute"].values()] == [SELECT, SELECT]


def test_several_labels_of_one_task_in_one_entry_are_a_checkbox() -> None:
    tree = tree_of(row("sit", source_id="1"), row("eat", source_id="1"), row("eat", 5.0, 6.0))

    assert tree["attribute"]["1"]["type"] == CHECKBOX
    assert answers(tree) == [{"behaviour": "0,1"}, {"behaviour": "1"}]


def test_option_ids_keep_their_meaning_and_new_labels_get_ids_never_used() -> None:
    known = {"behaviour": {"0": "sit", "4": " walk ", "5": "sit", "x, y": "run"}}

    tree = tree_of(
        row("walk"), row("bark", 5, 6), row("sit", 7, 8), row("run", 8, 9), options=known
    )

    assert tree["attribute"]["1"]["options"] == {
        "0": "sit",
        "4": " walk ",
        "5": "sit",
        "6": "run",
        "7": "bark",
    }
    assert [entry["behaviour"] for entry in answers(tree)] == ["4", "7", "0", "6"]


def test_a_subject_is_a_question_of_its_own_and_is_read_back_as_a_task(tmp_path: Path) -> None:
    project = project_of(row(subject="Rex"), row("sit", subject=""), row("indoor", task="context"))

    tree = via_project(project.segments, project.media)
    again = through_via(project, tmp_path)

    assert [a["aname"] for a in tree["attribute"].values()] == ["behaviour", "context", "subject"]
    assert [task for *_, task, _ in labels(again)].count("subject") == 1
    assert ("020500.mp4", 0.0, 4.35, "subject", "Rex") in labels(again)
    assert labels(through_via(again, tmp_path)) == labels(again)


def test_two_animals_that_do_the_same_at_once_are_two_entries() -> None:
    tree = tree_of(row(source_id="7", subject="Rex"), row(source_id="7", subject="Ada"))

    assert answers(tree) == [
        {"behaviour": "0", "subject": "0"},
        {"behaviour": "0", "subject": "1"},
    ]


def test_a_task_that_is_called_subject_stays_apart_from_the_subjects() -> None:
    tree = tree_of(row("Rex", task="subject", subject="Ada"))

    assert answers(tree) == [{"subject": "0", "subject 2": "0"}]
    assert tree["attribute"]["1"]["options"] == {"0": "Rex"}


def test_what_is_said_about_a_recording_is_text_about_its_file(tmp_path: Path) -> None:
    media = (Media("a.mp4", {"camera": "yard"}), Media("b.mp4"), Media("020500.mp4", {"dog": "1"}))
    project = project_of(row(), media=media)

    tree = via_project(project.segments, media)
    again = through_via(project, tmp_path)

    about = [entry for entry in tree["metadata"].values() if entry["z"] == []]
    assert [(entry["vid"], entry["xy"], entry["av"]) for entry in about] == [
        ("1", [], {"2": "yard"}),
        ("3", [], {"3": "1"}),
    ]
    assert [a["anchor_id"] for a in tree["attribute"].values()] == [
        "FILE1_Z2_XY0",
        "FILE1_Z0_XY0",
        "FILE1_Z0_XY0",
    ]
    assert again.media == media


def test_views_and_files_share_their_ids_and_local_files_are_asked_for() -> None:
    media = [Media(name) for name in ("a.mp4", "https://h/b.mp4", "/v/c #1.mp4", "D:\\d.mp4")]

    tree = via_project(segment_table([]), media)

    assert tree["view"] == {fid: {"fid_list": [fid]} for fid in "1234"}
    assert tree["project"]["vid_list"] == list("1234")
    assert [(file["fname"], file["loc"], file["src"]) for file in tree["file"].values()] == [
        ("a.mp4", 1, ""),
        ("https://h/b.mp4", 2, "https://h/b.mp4"),
        ("/v/c #1.mp4", 3, "file:///v/c%20%231.mp4"),
        ("D:\\d.mp4", 3, "file:///D:/d.mp4"),
    ]
    assert {file["type"] for file in tree["file"].values()} == {4}


def test_ids_of_via_stay_and_others_are_made_from_what_the_entry_holds() -> None:
    rows = [row("sit", 0, 1, source_id="1_Qh3fXk2A"), row("run", 0, 1, source_id="1_Qh3fXk2A,x")]
    rows += [row("walk", 0, 1)] * 3

    first, again = tree_of(*rows)["metadata"], tree_of(*rows)["metadata"]

    assert list(first) == list(again)
    assert next(iter(first)) == "1_Qh3fXk2A"
    assert len(first) == 5
    assert all(re.fullmatch(r"1_[A-Za-z0-9]{8}", mid) for mid in first)


def test_a_project_says_when_it_was_made() -> None:
    before = time.time() * 1000

    assert before - 1 <= tree_of(row())["project"]["created"] <= time.time() * 1000
    assert tree_of(row(), created_ms=12)["project"]["created"] == 12


def test_times_keep_five_decimals_and_nothing_without_length_is_written(tmp_path: Path) -> None:
    project = project_of(
        row("walk", 1 / 3, 2 / 3), row("sit", 2.0, 2.000001), point(), point(comment="loud")
    )

    left_out = write_via(project, tmp_path / "a.json")

    assert left_out == {"points": 2, "segments without length": 1}
    assert [(start, end) for _, start, end, *_ in labels(through_via(project, tmp_path))] == [
        (0.33333, 0.66667)
    ]


def test_what_via_has_no_place_for_is_counted(tmp_path: Path) -> None:
    project = project_of(
        row(observer="Kim", comment="dark", confidence=0.5, stream=1),
        row("sit", comment="wet"),
        counts={"segments": 2, "regions": 7},
        options={"behaviour": {"0": "walk"}, "mood": {"0": "glad"}},
    )

    assert write_via(project, tmp_path / "a.json") == {
        "regions": 7,
        "observers": 1,
        "confidences": 1,
        "comments": 2,
        "stream numbers": 1,
        "attributes without answers": 1,
    }


def test_a_tenth_attribute_would_be_overwritten_so_it_is_refused(tmp_path: Path) -> None:
    tasks = [row("yes", task=f"question {number}") for number in range(10)]
    nine = project_of(*tasks[:9])
    path = tmp_path / "a.json"

    assert labels(through_via(nine, tmp_path)) == labels(nine)
    for many in (
        project_of(*tasks),
        project_of(*tasks[:9], row(task="question 0", subject="Rex")),
        project_of(*tasks[:9], media=(Media("020500.mp4", {"camera": "yard"}),)),
    ):
        with pytest.raises(AnnotationError, match="10 tasks and file attributes"):
            write_via(many, path)
    assert not path.exists()


@pytest.mark.parametrize("name", ["100% sure.mp4", "a%ff.mp4"])
def test_a_name_with_which_the_application_opens_nothing_is_refused(name: str) -> None:
    with pytest.raises(AnnotationError, match="rename the recording"):
        tree_of(row(media_name=name))
    assert tree_of(row(media_name="http://h/a%20b%C3%A9.mp4"))


def test_a_task_without_a_name_gets_that_of_the_application(tmp_path: Path) -> None:
    again = through_via(project_of(row(task="")), tmp_path)

    assert again.segments["task"].tolist() == ["TEMPORAL-SEGMENTS"]


# Tables


def test_a_plain_table_is_exactly_six_columns(tmp_path: Path) -> None:
    write_plain(
        project_of(row('a "b"', subject="Rex"), point(), row("sit", 12, 1e-05 + 13)),
        tmp_path / "a.csv",
    )

    assert (tmp_path / "a.csv").read_bytes().decode() == (
        "file,start,end,label,task,subject\r\n"
        '020500.mp4,0,4.35,"a ""b""",behaviour,Rex\r\n'
        "020500.mp4,1.5,,bark,behaviour,\r\n"
        "020500.mp4,12,13.00001,sit,behaviour,\r\n"
    )


@pytest.mark.parametrize("through", [through_via, through_csv, through_boris])
def test_odd_labels_come_back(through: Any, tmp_path: Path) -> None:
    texts = ODD if through is not through_boris else [text for text in ODD if text[0] not in "=-"]
    project = project_of(*(row(text, n, n + 0.5) for n, text in enumerate(texts)))

    again = through(project, tmp_path)

    assert again.issues == ()
    assert again.segments["label"].tolist() == list(map(one_spelling, texts))
    assert again.segments["t_start"].tolist() == list(range(len(texts)))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(project=segments_of())
def test_any_segments_come_back_from_a_plain_table(project: Project, tmp_path: Path) -> None:
    again = through_csv(project, tmp_path)

    assert labels(again) == labels(project)
    assert again.issues == ()


def test_no_cell_of_a_table_is_run_as_a_formula(tmp_path: Path) -> None:
    odd = ["=1+1", "+1", "-1", "@a", "'=1", "''=1"]
    keys = {"task": "=t", "subject": "+s", "media_name": "-m.mp4", "comment": "@c"}
    project = project_of(*(row(text, n, n + 0.5, **keys) for n, text in enumerate(odd)))

    again = through_csv(project, tmp_path)
    through_boris(project, tmp_path)

    assert labels(again, "subject") == labels(project, "subject")
    for path in tmp_path.iterdir():
        with path.open(newline="", encoding="utf-8") as file:
            cells = [cell for cells in csv.reader(file) for cell in cells]
        assert [cell for cell in cells if cell[:1] in ("=", "+", "-", "@")] == []


def test_points_and_subjects_come_back_from_both_tables(tmp_path: Path) -> None:
    project = project_of(row(subject="Rex"), point(subject="Ada"), row("sit", 6.0, 7.5))

    for through in (through_csv, through_boris):
        again = through(project, tmp_path)
        assert again.format == ("csv" if through is through_csv else "boris")
        assert [span[1:3] for span in labels(again)] == [(0.0, 4.35), (1.5, -1.0), (6.0, 7.5)]
        assert again.segments["subject"].tolist() == ["Rex", "Ada", ""]
        assert again.segments["kind"].tolist() == ["state", "point", "state"]
        assert again.issues == ()


def test_a_table_of_boris_is_a_bout_a_row_in_time_order(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    project = project_of(
        row("sit", 6.0, 7.5), row("walk", 0.1, 4.35, comment="dark"), point(media_name="b;c.mp4")
    )

    assert write_boris_intervals(project, path) == {}

    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == WRITTEN_COLUMNS
    assert [(r["Behavior"], r["Behavior type"]) for r in rows] == [
        ("walk", "STATE"),
        ("sit", "STATE"),
        ("bark", "POINT"),
    ]
    assert [(r["Start (s)"], r["Stop (s)"], r["Duration (s)"]) for r in rows] == [
        ("0.1", "4.35", "4.25"),
        ("6", "7.5", "1.5"),
        ("1.5", "1.5", "NA"),
    ]
    assert [r["Source"] for r in rows] == ["player #1:020500.mp4"] * 2 + ["NA"]
    assert {r["FPS (frame/s)"] for r in rows} == {r["Media duration (s)"] for r in rows} == {"NA"}
    assert [r["Comment start"] for r in rows] == ["dark", "", ""]
    assert {r["Behavioral category"] for r in rows} == {"behaviour"}


def test_a_table_says_nothing_about_whole_recordings(tmp_path: Path) -> None:
    project = project_of(row(comment="dark"), media=(Media("020500.mp4", {"camera": "yard"}),))

    assert write_plain(project, tmp_path / "a.csv") == {"file attributes": 1}
    assert write_boris_intervals(project, tmp_path / "b.csv") == {"file attributes": 1}


# All


@pytest.mark.parametrize("write", [write_via, write_plain, write_boris_intervals])
def test_frames_are_no_seconds(write: Any, tmp_path: Path) -> None:
    project = project_of(row("walk", 3, 9, time_base="frame_index"))

    with pytest.raises(AnnotationError, match="--videos"):
        write(project, tmp_path / "out")

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("write", [write_via, write_plain, write_boris_intervals])
def test_what_cannot_be_written_is_one_error_and_leaves_nothing(write: Any, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()

    with pytest.raises(OutputError, match="cannot write"):
        write(project_of(row()), tmp_path / "out")

    assert [path.name for path in tmp_path.iterdir()] == ["out"]
