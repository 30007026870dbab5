import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dogclips.annotations import Project, read_annotations
from dogclips.errors import AnnotationError
from dogclips.segments import SEGMENT_COLUMNS
from tests.shared import SHARED, needs_shared

VIA = SHARED / "data" / "via"
TEXT, CHECKBOX, RADIO, SELECT = 1, 2, 3, 4
OPTIONS = {"0": "sit", "1": "walk", "2": "sniff"}
Tree = dict[str, Any]


def attribute(kind: int = SELECT, options: dict[str, str] | None = None, **keys: Any) -> Tree:
    return {
        "aname": "behaviour",
        "anchor_id": "FILE1_Z2_XY0",
        "type": kind,
        "desc": "",
        "options": OPTIONS if options is None else options,
        "default_option_id": "",
    } | keys


def segment(value: Any = "0", z: Any = (1.5, 4.35), xy: Any = (), **keys: Any) -> Tree:
    return {"vid": "1", "flg": 0, "z": list(z), "xy": list(xy), "av": {"1": value}} | keys


def store(entry: Tree | None = None, **keys: Any) -> Tree:
    """Return a project as VIA saves it, with one annotation called `1_a`."""
    return {
        "project": {"pid": "__VIA_PROJECT_ID__", "vid_list": ["1"]},
        "config": {"file": {"loc_prefix": {"1": ""}}, "ui": {}},
        "attribute": {"1": attribute()},
        "file": {"1": {"fid": "1", "fname": "020500.mp4", "type": 4, "loc": 1, "src": ""}},
        "view": {"1": {"fid_list": ["1"]}},
        "metadata": {"1_a": segment() if entry is None else entry},
    } | keys


def read(folder: Path, tree: Any) -> Project:
    path = folder / "0205.json"
    path.write_text(json.dumps(tree))
    return read_annotations(path)


def refusal(path: Path) -> str:
    """Return the one line with which a file is refused."""
    with pytest.raises(AnnotationError) as caught:
        read_annotations(path).checked()
    line = str(caught.value)
    assert len(line.splitlines()) == 1
    assert str(path) in line
    return line


def refused(folder: Path, tree: Any) -> str:
    path = folder / "0205.json"
    path.write_text(json.dumps(tree))
    return refusal(path)


def rows(project: Project) -> list[tuple[str, str, float, float]]:
    columns = ["task", "label", "t_start", "t_end"]
    return [tuple(row) for row in project.segments[columns].to_numpy().tolist()]


def labels(project: Project) -> list[tuple[str, bool]]:
    return [tuple(row) for row in project.segments[["label", "known"]].to_numpy().tolist()]


def file_attributes(project: Project) -> dict[str, dict[str, str]]:
    return {media.name: dict(media.attributes) for media in project.media if media.attributes}


def issues(project: Project) -> list[tuple[str, str]]:
    return [(issue.code, issue.place) for issue in project.issues]


# The worked examples of the specification, and what VIA itself wrote.


@pytest.mark.shared
@needs_shared
def test_a_plain_project_of_three_segments() -> None:
    project = read_annotations(VIA / "ex1.json")
    assert rows(project) == [
        ("behaviour", "sit", 0, 4.35),
        ("behaviour", "walk", 4.35, 12.1),
        ("behaviour", "sniff", 6.02, 9.48),
    ]
    assert project.segments["source_id"].tolist() == ["1_Qh3fXk2A", "1_b7TzLw9c", "1_Zp0Xr5uE"]
    assert set(project.segments["source_file"]) == {"ex1"}
    assert set(project.segments["media_name"]) == {"020500.mp4"}
    assert project.segments["known"].all()
    assert project.media_names == ("020500.mp4",)
    assert project.issues == ()
    assert (project.format, project.player) == ("via3", None)
    assert project.options == {"behaviour": {"0": "sit", "1": "walk", "2": "sniff"}}
    assert file_attributes(project) == {}


@pytest.mark.shared
@needs_shared
def test_checkboxes_a_renamed_row_a_region_and_a_zero_length_segment() -> None:
    project = read_annotations(VIA / "ex2.json")
    assert rows(project) == [
        ("TEMPORAL-SEGMENTS", "sit", 1.235, 3.33333),
        ("context", "indoor", 1.235, 3.33333),
        ("context", "two dogs", 1.235, 3.33333),
        ("TEMPORAL-SEGMENTS", "walk", 2, 7.5),
        ("TEMPORAL-SEGMENTS", "sniff", 5, 6),
    ]
    assert issues(project) == [("V044", "metadata.1_cccccccc"), ("V058", "metadata.1_dddddddd")]


@pytest.mark.shared
@needs_shared
def test_an_old_project_of_two_videos_with_text_labels_and_text_times() -> None:
    project = read_annotations(VIA / "ex3.json")
    windows_path = "C:\\video\\020600.mkv"
    assert rows(project) == [("posture", "lying", 2, 6.5), ("posture", "standing", 9, 20)]
    assert project.segments["media_name"].tolist() == ["020500.mp4", windows_path]
    assert project.media_names == ("020500.mp4", windows_path)
    assert file_attributes(project) == {windows_path: {"camera": "yard"}}
    assert [issue for issue in issues(project) if issue[0] != "V025"] == [
        ("V051", "metadata.-glfwaaX"),
        ("V051", "metadata.-glfwaaX"),
        ("V055", "metadata.fH-oMre1"),
    ]


@pytest.mark.shared
@needs_shared
def test_a_file_whose_type_is_missing_is_a_warning() -> None:
    assert ("V025", "file.2") in issues(read_annotations(VIA / "ex3.json"))


@pytest.mark.shared
@needs_shared
@pytest.mark.parametrize(
    ("version", "end", "zero", "renamed", "added"),
    [
        ("3.0.10", 3.333, "1_HZ5tK36i", "1_fmOmG3rA", "1_XsHuJ9TJ"),
        ("3.0.11", 3.33333, "1_Uxyl4gJv", "1_kfX4QS5C", "1_q3Jqqiot"),
    ],
)
def test_projects_saved_by_the_application(
    version: str, end: float, zero: str, renamed: str, added: str
) -> None:
    project = read_annotations(VIA / f"via_{version}_real.json")
    assert rows(project) == [
        ("TEMPORAL-SEGMENTS", "sit", 1.235, end),
        ("TEMPORAL-SEGMENTS", "running fast", 1.96, 3.02),
        ("TEMPORAL-SEGMENTS", "barking", 5, 6),
    ]
    assert project.segments["known"].tolist() == [True, False, False]
    assert sorted(issues(project)) == [
        *sorted([("V045", f"metadata.{renamed}"), ("V045", f"metadata.{added}")]),
        ("V058", f"metadata.{zero}"),
    ]


# How many rows each file of strangers holds, or the code with which it is refused.
STRANGERS = {
    "oxvgg_debug_project0.json": 10,
    "oxvgg_debug_project1.json": "V061",
    "oxvgg_demo_video_annotator_inline.json": 8,
    "ricecooker VIA Project06Nov2024_16h36m06s_export.csv": "V003",
    "ricecooker_via_project_06Nov2024_16h33m56s.json": 0,
    "via1_unit_test_annotation2.json": "V004",
    "via2_sherlock_attributes.json": "V004",
    "via2_sherlock_ep01_tracks_FRCNN.csv": "V003",
    "vital_01NVb-003-065-3-4CV.json": 5,
    "vital_01NVb-003-070-2-4CV.json": 4,
    "vital_01NVb-003-074-3-4CV_empty.json": 0,
    "vital_01NVb_003_072_T2_4CV.json": 3,
    "vital_echo_4CV_template_nometadata.json": 0,
}


@pytest.mark.shared
@needs_shared
@pytest.mark.parametrize("name", STRANGERS)
def test_files_of_strangers_are_read_or_refused_in_one_line(name: str) -> None:
    expected = STRANGERS[name]
    if isinstance(expected, str):
        assert refusal(VIA / name).startswith(f"{expected} ")
    else:
        assert len(read_annotations(VIA / name).segments) == expected


@pytest.mark.shared
@needs_shared
def test_no_file_of_strangers_is_forgotten() -> None:
    known = {*STRANGERS, *(f"ex{number}.json" for number in (1, 2, 3))}
    known |= {"via_3.0.10_real.json", "via_3.0.11_real.json"}
    assert {path.name for path in VIA.iterdir()} == known


# Made projects: what is read.


def test_a_made_project_reads_as_its_segment(tmp_path: Path) -> None:
    project = read(tmp_path, store())
    assert rows(project) == [("behaviour", "sit", 1.5, 4.35)]
    assert dict(project.segments.dtypes.astype(str)) == SEGMENT_COLUMNS
    assert project.path == tmp_path / "0205.json"
    assert project.issues == ()


def test_a_byte_order_mark_is_accepted(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps(store()), encoding="utf-8-sig")
    assert rows(read_annotations(path)) == [("behaviour", "sit", 1.5, 4.35)]


def test_ids_may_be_numbers(tmp_path: Path) -> None:
    tree = store(segment(0) | {"vid": 1}, view={"1": {"fid_list": [1]}})
    assert rows(read(tmp_path, tree)) == [("behaviour", "sit", 1.5, 4.35)]


def test_a_project_without_annotations_still_names_its_videos(tmp_path: Path) -> None:
    project = read(tmp_path, store(metadata={}))
    assert len(project.segments) == 0
    assert dict(project.segments.dtypes.astype(str)) == SEGMENT_COLUMNS
    assert project.media_names == ("020500.mp4",)


def test_segments_belong_to_the_file_of_their_view(tmp_path: Path) -> None:
    tree = store(
        segment() | {"vid": "7"},
        file={"1": {"fname": "a.mp4"}, "2": {"fname": "b.mp4"}},
        view={"1": {"fid_list": ["1"]}, "7": {"fid_list": ["2"]}},
    )
    project = read(tmp_path, tree)
    assert project.segments["media_name"].tolist() == ["b.mp4"]
    assert project.media_names == ("a.mp4", "b.mp4")


@pytest.mark.parametrize("kind", [SELECT, RADIO])
def test_an_option_id_stands_for_its_label(tmp_path: Path, kind: int) -> None:
    project = read(tmp_path, store(segment("2"), attribute={"1": attribute(kind)}))
    assert labels(project) == [("sniff", True)]
    assert project.issues == ()


def test_option_ids_need_not_be_numbers(tmp_path: Path) -> None:
    tree = store(segment("default"), attribute={"1": attribute(options={"default": "Rest"})})
    assert labels(read(tmp_path, tree)) == [("Rest", True)]


def test_an_id_wins_over_a_label_of_the_same_text(tmp_path: Path) -> None:
    tree = store(segment("1"), attribute={"1": attribute(options={"0": "1", "1": "two"})})
    assert labels(read(tmp_path, tree)) == [("two", True)]


@pytest.mark.parametrize("value", ["Sniff", " sniff ", "SNIFF"])
def test_label_text_in_place_of_its_id_is_mapped_with_a_warning(tmp_path: Path, value: str) -> None:
    project = read(tmp_path, store(segment(value)))
    assert labels(project) == [("sniff", True)]
    assert issues(project) == [("V044", "metadata.1_a")]


def test_text_that_is_no_option_becomes_an_unknown_label_with_a_warning(tmp_path: Path) -> None:
    project = read(tmp_path, store(segment(" running fast ")))
    assert labels(project) == [("running fast", False)]
    assert issues(project) == [("V045", "metadata.1_a")]
    assert "0=sit, 1=walk, 2=sniff" in project.issues[0].text


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("0", ["sit"]),
        ("2,0", ["sniff", "sit"]),
        (" 0 , 1 ", ["sit", "walk"]),
        ("0,,1,", ["sit", "walk"]),
    ],
)
def test_a_checkbox_gives_a_row_for_each_tick(
    tmp_path: Path, value: str, expected: list[str]
) -> None:
    project = read(tmp_path, store(segment(value), attribute={"1": attribute(CHECKBOX)}))
    assert labels(project) == [(label, True) for label in expected]


def test_a_select_value_with_a_comma_is_one_label(tmp_path: Path) -> None:
    project = read(tmp_path, store(segment("run, fast")))
    assert labels(project) == [("run, fast", False)]


@pytest.mark.parametrize("value", ["", "  ", None])
def test_a_segment_without_an_answer_is_skipped_with_a_warning(tmp_path: Path, value: Any) -> None:
    project = read(tmp_path, store(segment(value)))
    assert len(project.segments) == 0
    assert issues(project) == [("V048" if value is not None else "V041", "metadata.1_a")]


def test_the_default_option_is_never_inferred(tmp_path: Path) -> None:
    tree = store(segment() | {"av": {}}, attribute={"1": attribute(default_option_id="1")})
    project = read(tmp_path, tree)
    assert len(project.segments) == 0
    assert issues(project) == [("V048", "metadata.1_a")]


def test_free_text_is_trimmed_and_known(tmp_path: Path) -> None:
    tree = store(segment(" lying, asleep "), attribute={"1": attribute(TEXT, {})})
    project = read(tmp_path, tree)
    assert labels(project) == [("lying, asleep", True)]
    assert project.issues == ()


def test_several_attributes_of_a_segment_give_a_row_each(tmp_path: Path) -> None:
    tree = store(
        segment() | {"av": {"1": "0", "2": "Rex"}},
        attribute={"1": attribute(), "2": attribute(TEXT, {}, aname="dog")},
    )
    assert rows(read(tmp_path, tree)) == [
        ("behaviour", "sit", 1.5, 4.35),
        ("dog", "Rex", 1.5, 4.35),
    ]


def test_times_as_text_are_read_with_a_warning_each(tmp_path: Path) -> None:
    project = read(tmp_path, store(segment(z=["2.000", "6.500"])))
    assert rows(project) == [("behaviour", "sit", 2, 6.5)]
    assert issues(project) == [("V051", "metadata.1_a")] * 2


@pytest.mark.parametrize(
    ("entry", "code"),
    [
        (segment(z=[3, 3]), "V058"),
        (segment(z=[3]), "V055"),
        (segment(z=[3, 4], xy=[2, 1, 1, 5, 5]), "V054"),
    ],
    ids=["zero length", "a time point", "a region over a range"],
)
def test_what_is_no_segment_is_skipped_with_a_warning(
    tmp_path: Path, entry: Tree, code: str
) -> None:
    project = read(tmp_path, store(entry))
    assert len(project.segments) == 0
    assert issues(project) == [(code, "metadata.1_a")]


@pytest.mark.parametrize(
    "entry",
    [segment(z=[3], xy=[2, 1, 1, 5, 5]), segment(z=[], xy=[2, 1, 1, 5, 5])],
    ids=["in one frame", "in an image"],
)
def test_regions_are_no_segments(tmp_path: Path, entry: Tree) -> None:
    project = read(tmp_path, store(entry))
    assert len(project.segments) == 0
    assert project.issues == ()


def test_answers_about_the_whole_file_are_kept_apart(tmp_path: Path) -> None:
    project = read(tmp_path, store(segment("1", z=[])))
    assert len(project.segments) == 0
    assert file_attributes(project) == {"020500.mp4": {"behaviour": "walk"}}


# Made projects: what is odd, read all the same and said.


ODD: dict[str, tuple[Tree, list[tuple[str, str]]]] = {
    "a newer format": (
        store(project={"data_format_version": "3.2.0", "vid_list": ["1"]}),
        [("V006", "project")],
    ),
    "a hidden view": (
        store(
            project={"vid_list": ["2"]},
            view={"1": {"fid_list": ["1"]}, "2": {"fid_list": ["1"]}},
        ),
        [("V023", "view.1")],
    ),
    "a file under another id": (
        store(file={"1": {"fid": 2, "fname": "020500.mp4", "type": 4}}),
        [("V024", "file.1")],
    ),
    "two files of one base name": (
        store(
            file={
                "1": {"fid": "1", "fname": "a/020500.mp4", "type": 4},
                "2": {"fid": "2", "fname": r"b\020500.mp4", "type": 4},
            }
        ),
        [("V026", "file")],
    ),
    "two attributes of one name": (
        store(attribute={"1": attribute(), "2": attribute()}),
        [("V031", "attribute")],
    ),
    "two options of one name": (
        store(attribute={"1": attribute(options={"0": "sit", "1": "sit "})}),
        [("V032", "attribute.1")],
    ),
    "a placeholder for a label": (
        store(segment("default"), attribute={"1": attribute(options={"default": "Default"})}),
        [("V046", "metadata.1_a")],
    ),
    "the same segment twice": (
        store(metadata={"1_a": segment(), "1_b": segment()}),
        [("V047", "metadata.1_b")],
    ),
}


@pytest.mark.parametrize(("tree", "found"), ODD.values(), ids=ODD)
def test_what_is_odd_is_said_and_read(
    tmp_path: Path, tree: Tree, found: list[tuple[str, str]]
) -> None:
    project = read(tmp_path, tree)
    assert issues(project) == found
    assert len(project.segments) == 1
    assert project.checked() is project


def test_every_problem_of_a_file_is_said_at_once(tmp_path: Path) -> None:
    tree = store(
        attribute={"1": attribute(), "2": attribute(9)},
        metadata={
            "1_a": segment("7"),
            "1_b": segment(z=[3, 1]),
            "1_c": segment(z=[0, None]),
            "1_d": segment("1"),
            "1_e": segment() | {"vid": "9"},
            "1_f": {"vid": "1", "z": "soon", "av": []},
            "1_g": segment() | {"av": {"2": "0"}},  # its attribute is broken and was named
        },
    )
    project = read(tmp_path, tree)
    assert [(issue.code, issue.place) for issue in project.errors] == [
        ("V010", "attribute.2.type"),
        ("V010", "metadata.1_f.z"),
        ("V010", "metadata.1_f.av"),
        ("V045", "metadata.1_a"),
        ("V057", "metadata.1_b"),
        ("V052", "metadata.1_c"),
        ("V050", "metadata.1_e"),
    ]
    assert rows(project) == [("behaviour", "walk", 1.5, 4.35)]
    with pytest.raises(AnnotationError, match=r"\(6 more errors: `dogclips check` shows all\)"):
        project.checked()


def test_what_a_file_holds_is_counted_by_kind(tmp_path: Path) -> None:
    box = segment(z=[3], xy=[2, 1, 1, 5, 5])
    entries = [segment(), segment(z=[2, 2]), box, box, segment(z=[3]), segment(z=[])]
    tree = store(metadata={f"1_{number}": entry for number, entry in enumerate(entries)})
    assert read(tmp_path, tree).counts == {
        "segments": 2,
        "zero length": 1,
        "regions": 2,
        "points": 1,
        "file attributes": 1,
    }


def test_a_segment_of_exactly_one_second_is_flagged(tmp_path: Path) -> None:
    tree = store(metadata={"1_a": segment(z=[3.2, 4.2]), "1_b": segment(z=[3.2, 4.3])})
    assert read(tmp_path, tree).segments["flags"].tolist() == ["unadjusted_1s", ""]


def test_an_annotation_keeps_its_name_from_run_to_run(tmp_path: Path) -> None:
    tree = store(metadata={"1_a": segment("0"), "1_b": segment("1")})
    first, second = read(tmp_path, tree).segments["ann_id"], read(tmp_path, tree).segments["ann_id"]
    assert first.tolist() == second.tolist()
    assert first.is_unique


# Made projects: what is refused, with its code and place.


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"project": {"pname": "do', "V001 not valid JSON at line 1 column"),
        ("", "V001 the file is empty"),
        ("[]", "V007"),
        ("null", "V007"),
        ("{}", "V007"),
        ('{"a": 1, "b": 2, "a": 3}', "V002 key 'a' appears twice"),
        ('{"metadata": {"1_Qh": {}, "1_Qh": {}}}', "V002 key '1_Qh' appears twice"),
        ("# EXPORTED_BY = VIA\n", "V003"),
        ("filename,file_size,file_attributes\n", "V003"),
        ('{"_via_settings": {}, "_via_img_metadata": {}}', "V004"),
        ('{"project": {}, "file": {}}', "missing top-level key(s) attribute, view, metadata"),
        ("[" * 100_000, "V001"),
        (f'{{"created": {"9" * 5000}}}', "V001"),
    ],
    ids=[
        "cut off",
        "empty",
        "a list",
        "null",
        "an empty object",
        "a doubled key",
        "a doubled key deep inside",
        "a VIA 3 CSV",
        "a VIA 2 CSV",
        "VIA 2",
        "another JSON",
        "too deep",
        "a number of 5000 digits",
    ],
)
def test_what_is_no_project_is_refused(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(text)
    assert says in refusal(path)


def test_text_in_another_encoding_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(json.dumps(store(), ensure_ascii=False).encode() + "é".encode("latin-1"))
    assert refusal(path).startswith("V001")


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert "No such file" in refusal(tmp_path / "a.json")


NOT_ANCHORED = "V034 no attribute is anchored to temporal segments (FILE1_Z2_XY0); found:"
WRONG: dict[str, tuple[Tree, str, str]] = {
    "an unknown attribute type": (
        store(attribute={"1": attribute(9)}),
        "V010 has to be 1, 2, 3, 4 or 5 (found '9')",
        "attribute.1.type",
    ),
    "metadata that is a list": (store(metadata=[]), "V010", "metadata"),
    "an entry without times": (store({"vid": "1", "av": {}}), "V010", "metadata.1_a.z"),
    "a view of an unknown file": (
        store(view={"1": {"fid_list": ["3"]}}),
        "V022 file '3' is not defined",
        "view.1",
    ),
    "an unknown attribute": (
        store(segment() | {"av": {"5": "0"}}),
        "V040 uses attribute '5', which is not defined",
        "metadata.1_a",
    ),
    "an answer that is an object": (
        store(segment({})),
        "V042 'behaviour' holds '{}', not text",
        "metadata.1_a",
    ),
    "an answer that is a list": (store(segment(["0"])), "V042", "metadata.1_a"),
    "an answer that is true": (store(segment(True)), "V042", "metadata.1_a"),
    "an option without a name": (
        store(attribute={"1": attribute(options={"0": " "})}),
        "V043 'behaviour' uses option '0', which has no name",
        "metadata.1_a",
    ),
    "a number that is no option": (
        store(segment("7")),
        "V045 'behaviour' holds '7', which is not one of its options (0=sit, 1=walk, 2=sniff)",
        "metadata.1_a",
    ),
    "a ticked box that is no option": (
        store(segment("0,7"), attribute={"1": attribute(CHECKBOX)}),
        "V045 'behaviour' holds '7'",
        "metadata.1_a",
    ),
    "a view that does not exist": (
        store(segment() | {"vid": "9"}),
        "V050 belongs to view '9', which does not exist",
        "metadata.1_a",
    ),
    "a time that is null": (store(segment(z=[0, None])), "V052", "metadata.1_a"),
    "a time that is NaN": (store(segment(z=[0, float("nan")])), "V052", "metadata.1_a"),
    "a time without end": (store(segment(z=[0, float("inf")])), "V052", "metadata.1_a"),
    "a time in words": (store(segment(z=[0, "soon"])), "V052", "metadata.1_a"),
    "a time that is NaN as text": (store(segment(z=[0, "NaN"])), "V052", "metadata.1_a"),
    "a time that is true": (store(segment(z=[False, True])), "V052", "metadata.1_a"),
    "a time that is a list": (store(segment(z=[0, [1]])), "V052", "metadata.1_a"),
    "a time of 400 digits": (store(segment(z=[0, 10**400])), "V052", "metadata.1_a"),
    "a time of 400 digits as text": (store(segment(z=[0, "1e400"])), "V052", "metadata.1_a"),
    "a negative time": (store(segment(z=[-0.4, 1])), "V053 time -0.4 s", "metadata.1_a"),
    "three times": (store(segment(z=[1, 2, 3])), "V056 3 times", "metadata.1_a"),
    "an end before its start": (
        store(segment(z=[6, 4])),
        "V057 ends (4 s) before it starts (6 s)",
        "metadata.1_a",
    ),
    "a view of two files": (
        store(view={"1": {"fid_list": ["1", "1"]}}),
        "V059 its view '1' holds 2 files",
        "metadata.1_a",
    ),
    "a view of no file": (store(view={"1": {"fid_list": []}}), "V021 it shows no file", "view.1"),
    "a view that is listed only": (
        store(project={"vid_list": ["1", "7"]}),
        "V020 view '7' is listed but not defined",
        "project.vid_list",
    ),
    "an anchor that VIA lacks": (
        store(attribute={"1": attribute(), "2": attribute(anchor_id="FILE2_Z9_XY0")}),
        "V030 'FILE2_Z9_XY0' is not a VIA anchor",
        "attribute.2",
    ),
    "an image for an answer": (
        store(attribute={"1": attribute(5)}),
        "V033 'behaviour' is an IMAGE",
        "metadata.1_a",
    ),
    "segments that nothing was asked about": (
        store(attribute={"1": attribute(anchor_id=""), "2": attribute(anchor_id="FILE1_Z0_XY0")}),
        f"{NOT_ANCHORED} behaviour (no anchor), behaviour (FILE1_Z0_XY0)",
        "attribute",
    ),
    "a shape that VIA lacks": (
        store(segment(z=[1], xy=[12, 1, 1])),
        "V060 unknown shape 12",
        "metadata.1_a",
    ),
    "a segment of a sound": (
        store(file={"1": {"fid": "1", "fname": "bark.ogg"}}),
        "V061 a segment of 'bark.ogg', which is not a video (sound)",
        "metadata.1_a",
    ),
    "a list of views that is no list": (
        store(project={"vid_list": 7}),
        "V010 not a list but '7'",
        "project.vid_list",
    ),
    "a label of half a character": (store(segment("\ud800")), "V", "0205.json"),
    "an id of half a character": (store(metadata={"\ud800": segment()}), "V", "0205.json"),
}


@pytest.mark.parametrize(("tree", "says", "place"), WRONG.values(), ids=WRONG)
def test_what_cannot_mean_anything_is_refused_with_its_place(
    tmp_path: Path, tree: Tree, says: str, place: str
) -> None:
    line = refused(tmp_path, tree)
    assert line.startswith(says)
    assert place in line


def test_a_line_break_in_a_name_does_not_break_the_message(tmp_path: Path) -> None:
    tree = store(segment("7"), attribute={"1": attribute(aname="two\nlines")})
    assert r"'two\nlines' holds '7'" in refused(tmp_path, tree)


# Fuzz: a project or our own error, never anything else.

scalars: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=5),
    st.sampled_from(["0", "1", "1_a", "020500.mp4", "2.5", "1e3", ",", 10**400]),
)
trees = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)
odd: st.SearchStrategy[Any] = st.sampled_from(
    [10**400, "1e400", True, None, float("nan"), "\ud800", "7", ",", "NaN", []]
)
seconds = st.floats(0, 100) | st.integers(0, 100)
spans = st.tuples(seconds, seconds).map(sorted)
times = st.one_of(spans, spans, st.tuples(seconds, odd), st.lists(scalars, max_size=3))
values = st.one_of(st.sampled_from(["0", "0,1", "sit", ""]), odd, st.text(), scalars)
answers = st.dictionaries(st.sampled_from(["1", "2"]), values, min_size=1)
entries = st.fixed_dictionaries(
    {"vid": st.sampled_from(["1", 1]), "z": times, "xy": st.just([]), "av": answers}
)
attributes = st.fixed_dictionaries(
    {
        "aname": st.text(max_size=5),
        "type": st.integers(1, 5),
        "options": st.dictionaries(st.sampled_from("012"), st.text(max_size=5), max_size=3),
    }
)


@st.composite
def damaged_projects(draw: st.DrawFn) -> Any:
    """Draw a whole project, and sometimes put something else in one place of it."""
    tree = store(
        attribute={"1": draw(attributes), "2": draw(attributes)},
        metadata=draw(st.dictionaries(st.text(max_size=4), entries, min_size=1, max_size=2)),
    )
    if draw(st.integers(0, 3)) == 0:
        keys = draw(st.sampled_from([("file",), ("file", "1"), ("view", "1"), ("attribute", "1")]))
        node = tree
        for key in keys[:-1]:
            node = node[key]
        node[keys[-1]] = draw(trees)
    return tree


@settings(deadline=None, max_examples=300)
@given(st.one_of(damaged_projects(), damaged_projects(), damaged_projects(), trees))
def test_any_json_is_a_project_or_an_annotation_error(
    tmp_path_factory: pytest.TempPathFactory, tree: Any
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.json"
    path.write_text(json.dumps(tree))
    try:
        segments = read_annotations(path).segments
    except AnnotationError as error:
        assert len(str(error).splitlines()) == 1  # noqa: PT017 (either end is right)
    else:
        assert (segments["t_start"] < segments["t_end"]).all()
        assert (segments["label"].str.strip() == segments["label"]).all()


@settings(deadline=None, max_examples=100)
@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode), st.integers(0, 500))
def test_any_damaged_file_is_an_annotation_error(
    tmp_path_factory: pytest.TempPathFactory, dirt: bytes, place: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "damaged.json"
    whole = json.dumps(store()).encode()
    path.write_bytes(whole[:place] + dirt)
    assert refusal(path)


def test_a_text_time_with_a_giant_exponent_is_refused_at_once(tmp_path: Path) -> None:
    tree = store(segment(z=[0, "1e99999"]))
    assert refused(tmp_path, tree).startswith("V052")
