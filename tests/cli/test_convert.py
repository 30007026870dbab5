"""`dogclips convert`, as scripts and people use it."""

import json
from pathlib import Path
from typing import Any

import pytest

from dogclips.annotations import read_annotations
from tests.annotations.examples import BORIS, CVAT
from tests.cli.program import dogclips
from tests.sessions import write_project
from tests.videos import steady, write_made

SEGMENTS = [(0, 4.35, "0"), (4.35, 12.1, "1"), (6, 6, "2"), (7, 8, "Sniff"), (8, 9, "sniff")]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write_project(tmp_path, "0205", {"020500.mp4": SEGMENTS, "020600.mp4": []})


def rows(path: Path) -> list[list[Any]]:
    columns = ["media_name", "task", "label", "t_start", "t_end"]
    table: list[list[Any]] = read_annotations(path).segments[columns].to_numpy().tolist()
    return table


def test_one_line_says_what_was_written_and_what_was_not(source: Path, tmp_path: Path) -> None:
    tree = json.loads(source.read_text())
    tree["metadata"]["1_regionxx"] = {"vid": "1", "flg": 0, "z": [1], "xy": [1, 3, 4], "av": {}}
    source.write_text(json.dumps(tree))
    out = tmp_path / "new" / "walk.json"

    shown = dogclips("convert", source, out, "--to", "via")

    assert shown.returncode == 0
    assert shown.stdout == (
        f"{out}: 4 labels written; skipped, because via cannot hold them: regions (1)\n"
    )
    assert shown.stderr.splitlines() == [
        f"warning: V044 'Sniff' stands for its option 'sniff' ({source}: metadata.1_00000003)",
        f"warning: V044 'sniff' stands for its option 'sniff' ({source}: metadata.1_00000004)",
        f"warning: V058 zero length; skipped ({source}: metadata.1_00000002)",
    ]
    assert rows(out) == rows(source)
    assert [media.name for media in read_annotations(out).media] == ["020500.mp4", "020600.mp4"]


def test_warnings_that_say_the_same_are_one_line(tmp_path: Path) -> None:
    empty = [(start, start, "0") for start in range(5)]
    source = write_project(tmp_path, "0205", {"020500.mp4": [(0, 4, "0"), *empty]})

    shown = dogclips("convert", source, tmp_path / "a.csv", "--to", "csv")

    assert shown.stderr.splitlines() == [
        f"warning: V058 zero length; skipped ({source}: metadata.1_00000001) (and 4 more)"
    ]


def test_json_is_one_document(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "a.csv"

    shown = dogclips("convert", source, out, "--to", "csv", "--json")

    document = json.loads(shown.stdout)
    warnings = document.pop("warnings")
    assert document == {
        "version": 1,
        "command": "convert",
        "input": str(source),
        "format": "via3",
        "output": str(out),
        "to": "csv",
        "written": 4,
        "left_out": {},
    }
    assert [warning["code"] for warning in warnings] == ["V044", "V044", "V058"]
    assert warnings[-1] == {
        "code": "V058",
        "place": "metadata.1_00000002",
        "text": "zero length; skipped",
        "times": 1,
    }


def test_tables_hold_what_the_project_says(source: Path, tmp_path: Path) -> None:
    plain, boris = tmp_path / "a.csv", tmp_path / "b.csv"

    assert dogclips("convert", source, plain, "--to", "csv").returncode == 0
    assert dogclips("convert", source, boris, "--to", "boris-csv").returncode == 0

    assert plain.read_text().splitlines() == [
        "file,start,end,label,task,subject",
        "020500.mp4,0,4.35,sit,behaviour,",
        "020500.mp4,4.35,12.1,walk,behaviour,",
        "020500.mp4,7,8,sniff,behaviour,",
        "020500.mp4,8,9,sniff,behaviour,",
    ]
    assert len(boris.read_text().splitlines()) == 5
    assert boris.read_text().startswith("Observation id,Observation date,")


def test_a_project_with_errors_is_refused_with_all_of_them(tmp_path: Path) -> None:
    broken = [(-1, 4, "0"), (5, 4, "0"), (0, 4, "9"), (0, 0, "1")]
    source = write_project(tmp_path, "0205", {"020500.mp4": broken})
    out = tmp_path / "a.csv"

    shown = dogclips("convert", source, out, "--to", "csv")

    lines = [line for line in shown.stderr.splitlines() if line.startswith("error: ")]
    assert (shown.returncode, shown.stdout, out.exists()) == (1, "", False)
    assert [line.split()[1] for line in lines] == ["V053", "V057", "V045"]
    assert all(str(source) in line for line in lines)
    assert lines[1] == (
        f"error: V057 ends (4 s) before it starts (5 s) ({source}: metadata.1_00000001): "
        "redo the segment in the annotation program"
    )
    assert "warning: V058 zero length; skipped" in shown.stderr


def test_a_file_that_is_there_stays_unless_forced(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "a.csv"
    out.write_text("mine")

    refused = dogclips("convert", source, out, "--to", "csv")

    assert refused.returncode == 1
    assert refused.stderr == f"error: already exists ({out}): name another file or pass --force\n"
    assert out.read_text() == "mine"
    assert dogclips("convert", source, out, "--to", "csv", "--force").returncode == 0
    assert out.read_text().startswith("file,start")


def test_the_file_that_is_read_is_never_replaced(source: Path) -> None:
    before = source.read_bytes()
    same = source.parent / ".." / "via" / source.name

    shown = dogclips("convert", source, same, "--to", "csv", "--force")

    assert shown.returncode == 1
    assert "error: this file is the input" in shown.stderr
    assert source.read_bytes() == before


def test_points_are_left_out_of_a_via_project_and_kept_in_a_table(tmp_path: Path) -> None:
    source = tmp_path / "walk.boris"
    source.write_text(BORIS)

    via = dogclips("convert", source, tmp_path / "a.json", "--to", "via")
    table = dogclips("convert", source, tmp_path / "a.csv", "--to", "csv")

    assert ": 1 label written; skipped, because via cannot hold them: points (1)" in via.stdout
    assert ": 2 labels written" in table.stdout
    assert "comments" not in table.stdout
    assert [row[2] for row in rows(tmp_path / "a.json")] == ["sit", "Rex"]
    assert [row[2] for row in rows(tmp_path / "a.csv")] == ["sit", "bark"]


def test_frames_need_the_recording_that_was_annotated(tmp_path: Path) -> None:
    source, out = tmp_path / "dogs.xml", tmp_path / "dogs.json"
    source.write_text(CVAT)
    counted = read_annotations(source).segments
    write_made(tmp_path / "video" / "020500.mp4", steady(240, late=10))
    write_made(tmp_path / "short" / "020500.mp4", steady(200))

    alone = dogclips("convert", source, out, "--to", "via")
    other = dogclips("convert", source, out, "--to", "via", "--videos", tmp_path / "short")
    assert (alone.returncode, other.returncode, out.exists()) == (1, 1, False)
    assert alone.stderr == (
        f"error: times are numbers of frames, not seconds ({source}): "
        "pass --videos with the folder of the recordings\n"
    )
    assert "V084 made for 240 frames; the recording has 200" in other.stderr

    shown = dogclips("convert", source, out, "--to", "via", "--videos", tmp_path / "video")
    assert shown.returncode == 0
    spans = [((row[3] * 20) - 10, (row[4] * 20) - 10) for row in rows(out)]
    [expected] = counted[["t_start", "t_end"]].to_numpy().tolist()
    assert spans == [pytest.approx(expected)] * 2  # the label and the animal


FAULTS = {
    "no such file": (["missing.json", "a.csv", "--to", "csv"], 1, "V001 cannot be read"),
    "unwritable": (["via/0205.json", "/proc/a.csv", "--to", "csv"], 1, "cannot write"),
    "a folder": (["via/0205.json", "via", "--to", "csv", "--force"], 1, "this is a folder (via)"),
    "no target": (["via/0205.json", "a.csv"], 2, "--to"),
    "unknown target": (["via/0205.json", "a.csv", "--to", "elan"], 2, "--to"),
    "no folder": (["via/0205.json", "a.csv", "--to", "csv", "--videos", "no"], 2, "--videos no"),
}


@pytest.mark.parametrize(("arguments", "code", "message"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_one_line_and_leaves_nothing_behind(
    tmp_path: Path, arguments: list[str], code: int, message: str
) -> None:
    write_project(tmp_path, "0205", {"020500.mp4": [(0, 4, "0")]})
    before = sorted(tmp_path.rglob("*"))

    shown = dogclips("convert", *arguments, cwd=tmp_path)

    assert shown.returncode == code
    assert shown.stdout == ""
    [line] = shown.stderr.splitlines()
    assert line.startswith("error: ")
    assert message in line
    assert sorted(tmp_path.rglob("*")) == before


def test_times_of_mpv_are_not_silently_given_to_a_browser(tmp_path: Path) -> None:
    table = "Time,Subject,Behavior,Behavior type,Media file name\n"
    for name, warned in (("late.mkv", True), ("a.MP4", False)):
        source = tmp_path / f"{name}.csv"
        source.write_text(table + f"1.0,Rex,sit,START,{name}\n2.0,Rex,sit,STOP,{name}\n")
        shown = dogclips("convert", source, tmp_path / f"{name}.json", "--to", "via")
        assert shown.returncode == 0
        assert (f"check {name} with" in shown.stderr) is warned
        back = dogclips("convert", source, tmp_path / f"{name}.out.csv", "--to", "boris-csv")
        assert "check" not in back.stderr
