from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dogclips.annotations.documents import read_xml
from dogclips.annotations.elan import read_elan
from dogclips.annotations.project import Project

PATH = Path("0205.eaf")
VIDEO = (
    '<MEDIA_DESCRIPTOR MEDIA_URL="file:///D:/dogs/0205.mp4" MIME_TYPE="video/mp4"'
    ' RELATIVE_MEDIA_URL="./0205.mp4"/>'
)
TIER = ' PARTICIPANT=" rex " ANNOTATOR="Ann" LINGUISTIC_TYPE_REF="default-lt"'


def slots(*values: str | None) -> str:
    """Return time slots ts1, ts2 ... with these values; None leaves the value out."""
    given = ["" if value is None else f' TIME_VALUE="{value}"' for value in values]
    return "".join(f'<TIME_SLOT TIME_SLOT_ID="ts{i}"{v}/>' for i, v in enumerate(given, start=1))


SLOTS = slots("1235", "3333", "7750")


def aligned(name: str, label: str, first: str = "ts1", last: str = "ts2") -> str:
    times = f'TIME_SLOT_REF1="{first}" TIME_SLOT_REF2="{last}"'
    value = f"<ANNOTATION_VALUE>{label}</ANNOTATION_VALUE>"
    inner = f'<ALIGNABLE_ANNOTATION ANNOTATION_ID="{name}" {times}>{value}</ALIGNABLE_ANNOTATION>'
    return f"<ANNOTATION>{inner}</ANNOTATION>"


def reference(name: str, label: str, parent: str) -> str:
    value = f"<ANNOTATION_VALUE>{label}</ANNOTATION_VALUE>"
    ids = f'ANNOTATION_ID="{name}" ANNOTATION_REF="{parent}"'
    return f"<ANNOTATION><REF_ANNOTATION {ids}>{value}</REF_ANNOTATION></ANNOTATION>"


def tier(name: str, *entries: str) -> str:
    return f'<TIER TIER_ID="{name}"{TIER}>{"".join(entries)}</TIER>'


def document(
    *tiers: str, media: str = VIDEO, order: str = SLOTS, units: str = "milliseconds"
) -> str:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<ANNOTATION_DOCUMENT AUTHOR="" FORMAT="3.0"'
        ' VERSION="3.0" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
        ' xsi:noNamespaceSchemaLocation="http://www.mpi.nl/tools/elan/EAFv3.0.xsd">'
        f'<HEADER MEDIA_FILE="" TIME_UNITS="{units}">{media}</HEADER>'
        f"<TIME_ORDER>{order}</TIME_ORDER>{''.join(tiers)}</ANNOTATION_DOCUMENT>"
    )


def read(text: str) -> Project:
    project = read_elan(PATH, read_xml(PATH, text))
    assert project is not None
    return project


def rows(project: Project) -> list[tuple[object, ...]]:
    columns = ["task", "label", "t_start", "t_end"]
    return [tuple(one) for one in project.segments[columns].to_numpy().tolist()]


def issues(project: Project) -> list[tuple[str, str, str]]:
    return [(issue.code, issue.level, issue.place) for issue in project.issues]


def test_a_tier_is_a_task_and_its_annotations_are_segments_in_seconds() -> None:
    entries = [aligned("a1", " sit "), aligned("a2", "sit&amp;sniff", "ts2", "ts3")]
    project = read(document(tier("rex_behaviour", *entries)))
    assert rows(project) == [
        ("rex_behaviour", "sit", 1.235, 3.333),
        ("rex_behaviour", "sit&sniff", 3.333, 7.75),
    ]
    assert project.segments["source_id"].tolist() == ["a1", "a2"]
    assert set(project.segments["subject"]) == {"rex"}
    assert set(project.segments["observer"]) == {"Ann"}
    assert set(project.segments["source_format"]) == {"elan"}
    assert set(project.segments["source_file"]) == {"0205"}
    assert set(project.segments["media_name"]) == {"./0205.mp4"}
    assert set(project.segments["time_base"]) == {"player"}
    assert project.player is None
    assert project.counts == {"segments": 2, "references": 0}
    assert project.issues == ()


def test_a_reference_has_the_times_of_its_parent_through_any_number_of_steps() -> None:
    tiers = [
        tier("posture", reference("a3", "tail up", "a2")),
        tier("gait", reference("a2", "trot", "a1")),
        tier("behaviour", aligned("a1", "walk")),
    ]
    project = read(document(*tiers))
    assert rows(project) == [
        ("posture", "tail up", 1.235, 3.333),
        ("gait", "trot", 1.235, 3.333),
        ("behaviour", "walk", 1.235, 3.333),
    ]
    assert project.counts == {"segments": 1, "references": 2}
    assert project.issues == ()


def test_a_reference_to_nothing_or_in_a_circle_is_refused() -> None:
    entries = [
        reference("a1", "x", "a9"),
        reference("a2", "x", "a3"),
        reference("a3", "x", "a2"),
        reference("a4", "x", "a4"),
    ]
    project = read(document(tier("t", *entries)))
    assert len(project.segments) == 0
    assert issues(project) == [("V050", "error", f"t.a{i}") for i in (1, 2, 3, 4)]
    assert "which does not exist" in project.issues[0].text
    assert "in a circle" in project.issues[1].text


def test_slots_without_time_lie_at_equal_steps_between_their_neighbours() -> None:
    entries = [
        aligned("a1", "x", "ts1", "ts2"),
        aligned("a2", "y", "ts2", "ts3"),
        aligned("a3", "z", "ts3", "ts4"),
        aligned("a4", "whole", "ts1", "ts4"),
    ]
    project = read(document(tier("t", *entries), order=slots("1000", None, None, "2500")))
    assert rows(project) == [
        ("t", "x", 1, 1.5),
        ("t", "y", 1.5, 2),
        ("t", "z", 2, 2.5),
        ("t", "whole", 1, 2.5),
    ]
    assert project.segments["flags"].tolist() == ["interpolated"] * 3 + [""]
    assert issues(project) == [("V074", "warning", f"t.a{i}") for i in (1, 2, 3)]


@pytest.mark.parametrize(
    "order",
    [
        slots(None, "1000"),
        slots("1000", None),
        slots(None, None),
        slots("1000"),
        slots("0", "soon"),
        slots("9000", None, "1000"),
    ],
    ids=[
        "no left neighbour",
        "no right one",
        "no times",
        "no such slot",
        "words",
        "neighbours in the wrong order",
    ],
)
def test_a_time_that_cannot_be_known_is_refused(order: str) -> None:
    project = read(document(tier("t", aligned("a1", "x")), order=order))
    assert len(project.segments) == 0
    assert {issue.code for issue in project.errors} == {"V052"}
    assert ("V052", "error", "t.a1") in issues(project)


@pytest.mark.parametrize(
    ("order", "code", "level"),
    [
        (slots("-400", "1000"), "V053", "error"),
        (slots("6000", "4000"), "V057", "error"),
        (slots("6000", "6000"), "V058", "warning"),
    ],
    ids=["before the start", "reversed", "zero length"],
)
def test_times_that_are_no_stretch_are_no_segment(order: str, code: str, level: str) -> None:
    project = read(document(tier("t", aligned("a1", "x")), order=order))
    assert len(project.segments) == 0
    assert issues(project) == [(code, level, "t.a1")]


def test_an_annotation_without_text_is_skipped_but_lends_its_times() -> None:
    project = read(document(tier("t", aligned("a1", " ")), tier("u", reference("a2", "x", "a1"))))
    assert rows(project) == [("u", "x", 1.235, 3.333)]
    assert issues(project) == [("V048", "warning", "t.a1")]


def test_the_first_video_is_the_recording_and_the_others_are_listed() -> None:
    media = (
        '<MEDIA_DESCRIPTOR MEDIA_URL="file:///a.wav" MIME_TYPE="audio/x-wav"/>'
        '<MEDIA_DESCRIPTOR MEDIA_URL="file:///C:/two dogs.mpg" MIME_TYPE="video/mpeg"/>'
        '<MEDIA_DESCRIPTOR MEDIA_URL="file:///b.mp4" MIME_TYPE="video/mp4" TIME_ORIGIN="500"/>'
    )
    project = read(document(tier("t", aligned("a1", "x")), media=media))
    assert project.segments["media_name"].tolist() == ["file:///C:/two dogs.mpg"]
    assert project.media_names == ("file:///C:/two dogs.mpg", "file:///a.wav", "file:///b.mp4")
    assert project.issues == ()


@pytest.mark.parametrize("origin", ["500", "-1", "x"])
def test_a_shifted_recording_is_refused_with_its_number(origin: str) -> None:
    media = VIDEO.replace("/>", f' TIME_ORIGIN="{origin}"/>')
    project = read(document(tier("t", aligned("a1", "x")), media=media))
    assert issues(project) == [("V010", "error", "MEDIA_DESCRIPTOR.TIME_ORIGIN")]
    assert repr(origin) in project.issues[0].text


def test_a_shift_of_nothing_is_none() -> None:
    media = VIDEO.replace("/>", ' TIME_ORIGIN="0"/>')
    assert read(document(tier("t", aligned("a1", "x")), media=media)).issues == ()


def test_a_document_without_recording_is_refused() -> None:
    assert issues(read(document(tier("t", aligned("a1", "x")), media=""))) == [
        ("V005", "error", "HEADER")
    ]


def test_units_other_than_milliseconds_are_refused() -> None:
    project = read(document(tier("t", aligned("a1", "x")), units="PAL-frames"))
    assert issues(project) == [("V010", "error", "HEADER.TIME_UNITS")]


def test_ids_that_stand_twice_are_refused() -> None:
    order = slots("1", "2") + slots("3")
    project = read(document(tier("t", aligned("a1", "x"), aligned("a1", "y")), order=order))
    assert {("V002", "error", "a1"), ("V002", "error", "ts1")} <= set(issues(project))


def test_a_document_is_told_by_its_root() -> None:
    assert read_elan(PATH, read_xml(PATH, document())) is not None
    assert read_elan(PATH, read_xml(PATH, "<annotations/>")) is None


WHOLE = document(
    tier("t", aligned("a1", "x"), aligned("a2", "y", "ts2", "ts4")),
    tier("u", reference("a3", "z", "a1"), reference("a4", "z", "a3")),
    order=slots("0", "1000", None, "2000"),
)
odd = st.sampled_from(["", " ", "ts1", "a3", "a4", "-5", "1e3", "9" * 400, "nan", "TIER", "0", "²"])


@settings(deadline=None)
@given(st.data())
def test_any_damaged_document_gives_whole_segments_or_errors(data: st.DataObject) -> None:
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
    project = read_elan(PATH, root)
    assert not read(WHOLE).errors
    if project is None:
        return
    segments = project.segments
    assert (segments["t_start"] < segments["t_end"]).all()
    assert (segments["t_start"] >= 0).all()
    assert (segments["label"].str.strip() == segments["label"]).all()
    assert (segments["label"] != "").all()


def subdivided(*children: tuple[str, str, str]) -> str:
    """Return a document of one parent, 1 s to 4 s, and children of (id, previous, value)."""
    refs = "".join(
        f'<ANNOTATION><REF_ANNOTATION ANNOTATION_ID="{name}" ANNOTATION_REF="p"'
        + (f' PREVIOUS_ANNOTATION="{before}"' if before else "")
        + f"><ANNOTATION_VALUE>{value}</ANNOTATION_VALUE></REF_ANNOTATION></ANNOTATION>"
        for name, before, value in children
    )
    return (
        '<ANNOTATION_DOCUMENT><HEADER TIME_UNITS="milliseconds">'
        '<MEDIA_DESCRIPTOR MEDIA_URL="file:///a.mp4" MIME_TYPE="video/mp4"/></HEADER>'
        '<TIME_ORDER><TIME_SLOT TIME_SLOT_ID="ts1" TIME_VALUE="1000"/>'
        '<TIME_SLOT TIME_SLOT_ID="ts2" TIME_VALUE="4000"/></TIME_ORDER>'
        '<TIER TIER_ID="bout" LINGUISTIC_TYPE_REF="top"><ANNOTATION><ALIGNABLE_ANNOTATION'
        ' ANNOTATION_ID="p" TIME_SLOT_REF1="ts1" TIME_SLOT_REF2="ts2">'
        "<ANNOTATION_VALUE>play</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION></TIER>"
        f'<TIER TIER_ID="step" LINGUISTIC_TYPE_REF="sub" PARENT_REF="bout">{refs}</TIER>'
        '<LINGUISTIC_TYPE LINGUISTIC_TYPE_ID="top"/><LINGUISTIC_TYPE LINGUISTIC_TYPE_ID="sub"'
        ' CONSTRAINTS="Symbolic_Subdivision"/></ANNOTATION_DOCUMENT>'
    )


def test_a_symbolic_subdivision_shares_the_time_of_its_parent_in_equal_parts() -> None:
    text = subdivided(("a", "", "jump"), ("c", "b", "lie"), ("b", "a", "run"))
    project = read_elan(Path("a.eaf"), read_xml(Path("a.eaf"), text))
    assert project is not None
    own = project.segments[project.segments["task"] == "step"]
    assert own[["label", "t_start", "t_end", "flags"]].to_numpy().tolist() == [
        ["jump", 1, 2, "interpolated"],
        ["lie", 3, 4, "interpolated"],
        ["run", 2, 3, "interpolated"],
    ]
    assert [(issue.code, issue.place) for issue in project.issues] == [("V093", "step")]


def test_an_only_child_has_all_of_its_parent_s_time() -> None:
    project = read_elan(Path("a.eaf"), read_xml(Path("a.eaf"), subdivided(("a", "", "jump"))))
    assert project is not None
    assert project.segments[["t_start", "t_end"]].to_numpy().tolist() == [[1, 4]] * 2
    assert project.issues == ()
