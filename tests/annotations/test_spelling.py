"""Labels that look alike are alike, and files that are not text are called by their names."""

import gzip
import json
import pickle
import unicodedata
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from dogclips.annotations import read_annotations, read_dataset
from dogclips.annotations.plain import write_plain
from dogclips.clips.config import CutConfig
from dogclips.steps.check import check
from dogclips.steps.cut import cut
from tests.annotations.test_boris import event, observation, store
from tests.sessions import via_project

HEADER = "file,start,end,label\n"


def table(folder: Path, *labels: str, name: str = "a.csv") -> Path:
    rows = (f"a.mp4,{n},{n + 1},{label}\n" for n, label in enumerate(labels))
    (folder / name).write_text(HEADER + "".join(rows), encoding="utf-8")
    return folder / name


def via(folder: Path, *labels: str) -> Path:
    segments = [(float(n), n + 1.0, label) for n, label in enumerate(labels)]
    path = folder / "a.json"
    path.write_text(json.dumps(via_project({"a.mp4": segments})))
    return path


def boris(folder: Path, *labels: str) -> Path:
    events = [event(n + shift, label) for n, label in enumerate(labels) for shift in (0, 0.5)]
    kinds = {str(n): {"code": one, "type": "State event"} for n, one in enumerate(labels)}
    path = folder / "a.boris"
    path.write_text(json.dumps(store(observation(*events), ethogram=kinds)))
    return path


@pytest.mark.parametrize("write", [table, via, boris])
def test_labels_that_nobody_can_tell_apart_are_one(
    tmp_path: Path, write: Callable[..., Path]
) -> None:
    names = "Brüllen  laut", unicodedata.normalize("NFD", "Brüllen laut"), "Brüllen\u00a0laut"
    project = read_annotations(write(tmp_path, *names))
    assert set(project.segments["label"]) == {"Brüllen laut"}
    assert "V094" not in {issue.code for issue in project.issues}


@pytest.mark.parametrize("write", [table, via, boris])
def test_labels_that_differ_by_case_are_a_warning_in_every_format(
    tmp_path: Path, write: Callable[..., Path]
) -> None:
    project = read_annotations(write(tmp_path, "Trot", "trot", "lie"))
    said = [issue.text for issue in project.issues if issue.code == "V094"]
    assert said == ["'Trot' and 'trot' differ by case only and become 2 classes"]


def test_twins_in_two_files_are_told_in_both(tmp_path: Path) -> None:
    paths = [table(tmp_path, "Trot"), table(tmp_path, "trot", name="b.csv")]
    projects, _ = read_dataset(paths)
    text = f"'Trot' and 'trot' differ by case only and become 2 classes ({paths[0]}, {paths[1]})"
    assert [[issue.text for issue in one.issues] for one in projects] == [[text], [text]]


def test_settings_spell_labels_as_files_do() -> None:
    labels = {"rename": {"lie  down": "lie"}, "drop": [unicodedata.normalize("NFD", "Brüllen")]}
    config = CutConfig.model_validate({"labels": labels}).labels
    assert (config.rename, config.drop) == ({"lie down": "lie"}, ("Brüllen",))


def excel() -> bytes:
    from io import BytesIO  # noqa: PLC0415

    data = BytesIO()
    with zipfile.ZipFile(data, "w") as book:
        book.writestr("[Content_Types].xml", "<Types/>")
        book.writestr("xl/workbook.xml", "<workbook/>")
    return data.getvalue()


def packed() -> bytes:
    from io import BytesIO  # noqa: PLC0415

    data = BytesIO()
    with zipfile.ZipFile(data, "w") as file:
        file.writestr("a.csv", HEADER)
    return data.getvalue()


KINDS = {
    "an Excel workbook": excel(),
    "a zip archive": packed(),
    "a Python pickle": pickle.dumps({"walk": [1, 2]}),
    "an old Excel or Word file": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(100),
    "an HDF5 file": b"\x89HDF\r\n\x1a\n" + bytes(100),
    "UTF-16 text without a byte order mark": HEADER.encode("utf-16-le"),
}


@pytest.mark.parametrize(("kind", "data"), KINDS.items(), ids=KINDS)
def test_files_that_are_not_text_are_called_by_their_name(
    tmp_path: Path, kind: str, data: bytes
) -> None:
    (tmp_path / "a.csv").write_bytes(data)
    (issue,) = read_annotations(tmp_path / "a.csv").errors
    assert (issue.code, issue.text) == ("V095", f"{kind}, not an annotation file")
    assert issue.todo


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "utf-8-sig"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_tables_are_read_in_the_encodings_and_with_the_separators_of_spreadsheets(
    tmp_path: Path, encoding: str, separator: str
) -> None:
    text = "file,start,end,label\na.mp4,1.5,2,Brüllen\n".replace(",", separator)
    (tmp_path / "a.csv").write_bytes(gzip.compress(text.encode(encoding)))
    project = read_annotations(tmp_path / "a.csv")
    row = project.segments.iloc[0]
    assert (row["t_start"], row["t_end"], row["label"]) == (1.5, 2, "Brüllen")
    assert project.errors == ()


def test_a_table_with_other_columns_says_which(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("Datei;Anfang;Ende;Verhalten\na.mp4;0;1;geht\n")
    (issue,) = read_annotations(tmp_path / "a.csv").errors
    assert issue.code == "V007"
    assert issue.text == "a table with unknown columns: Datei, Anfang, Ende, Verhalten"


def test_a_session_without_an_annotation_file_is_an_error(tmp_path: Path) -> None:
    base_dir = tmp_path / "2_2_kt"
    for folder in ("video", "via"):
        (base_dir / folder).mkdir(parents=True)
    (base_dir / "via" / "notes.txt").write_text("Rex was tired")
    (base_dir / "video" / "a.mp4").write_bytes(b"")
    results = check(base_dir), cut(base_dir, dry_run=True)
    assert [[error.what for error in one.failures] for one in results] == [
        [f"V007 no file there is an annotation file ({base_dir / 'via'})"],
        ["no file there is an annotation file"],
    ]


def test_a_plain_table_gives_back_all_that_its_reader_reads(tmp_path: Path) -> None:
    text = (
        "file,start,end,label,task,subject,observer,confidence,comment,stream\n"
        "a.mp4,0,1.25,walk,gait,Rex,ann,0.5,modifiers: fast,1\n"
        "a.mp4,3,,bark,sound,,,,,\n"
    )
    (tmp_path / "a.csv").write_text(text)
    project = read_annotations(tmp_path / "a.csv")

    assert write_plain(project, tmp_path / "b.csv") == {}
    assert (tmp_path / "b.csv").read_text().splitlines() == text.splitlines()
    again = read_annotations(tmp_path / "b.csv").segments.drop(columns=["ann_id", "source_file"])
    assert again.equals(project.segments.drop(columns=["ann_id", "source_file"]))


def test_pairs_through_two_recordings_are_one_error(tmp_path: Path) -> None:
    rows = [
        ("a.mp4", 1, "START"),
        ("b.mp4", 2, "START"),
        ("a.mp4", 3, "STOP"),
        ("b.mp4", 4, "STOP"),
    ]
    lines = (f"{time},Rex,walk,{status},{name}" for name, time, status in rows)
    header = "Time,Subject,Behavior,Behavior type,Media file name"
    (tmp_path / "a.csv").write_text("\n".join([header, *lines]) + "\n")
    assert [issue.code for issue in read_annotations(tmp_path / "a.csv").errors] == ["V059"]
