"""The tables of `dogclips check` fit a terminal, and its document is plain JSON."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console, RenderableType

from dogclips.annotations import Issue, Media, Project
from dogclips.clips.checks import CheckedProject, check_project
from dogclips.reports.tables.check import check_document, file_report, files_report, labels_report
from dogclips.segments import segment_table

URL = "https://upload.example.org/wikipedia/commons/transcoded/8/89/Grilledcheesesandwich.webm.360p"
NO_LABEL = Issue("V048", "metadata.1_Qh3fXk2A", "the segment has no label; skipped")


def shown(*parts: RenderableType, width: int = 100) -> str:
    console = Console(file=io.StringIO(), width=width)
    for part in parts:
        console.print(part)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def checked(name: str = URL, label: str = "sit", *issues: Issue, **more: Any) -> CheckedProject:
    row = {"media_name": name, "task": "behaviour", "label": label, "t_start": 0, "t_end": 1.25}
    segments = segment_table([row | more])
    path = Path("dog_video/Feb/2_2_kt/via/0205.json")
    return check_project(Project(path, "via3", segments, (Media(name),), issues))


@pytest.mark.parametrize("width", [80, 100])
def test_tables_fit_a_terminal_and_cut_nothing_off(width: int) -> None:
    long = Issue("V081", URL, "no recording is named 'x' " + "and so on " * 20, "error", "copy it")
    file = checked(URL, "sitting on the " + "very " * 20 + "old sofa", long)

    lines = shown(
        file_report(file), labels_report([file]), files_report([file]), width=width
    ).splitlines()

    assert max(len(line.rstrip()) for line in lines) <= width
    assert "…" not in "".join(lines)
    for number in ("V081", "1.250", "1.2"):
        assert any(number in line for line in lines)


def test_issues_come_once_errors_first_with_their_number_and_first_place() -> None:
    broken = Issue("V056", "metadata.c", "3 times; a segment has two", "error", "mend it")
    issues = [NO_LABEL, Issue("V048", "metadata.b", NO_LABEL.text), broken]

    text = shown(file_report(checked("a.mp4", "sit", *issues)), width=160)

    [error, warning] = [line.split() for line in text.splitlines() if " V0" in line]
    assert error[:4] == ["error", "V056", "1", "metadata.c"]
    assert error[-2:] == ["mend", "it"]
    assert warning[:4] == ["warning", "V048", "2", "metadata.1_Qh3fXk2A"]


def test_text_of_a_stranger_is_shown_as_it_is() -> None:
    file = checked(
        "[red]a\x1b[2J.mp4", "[bold]sit\x07[/]", Issue("V048", "[b]", "\x1b]0;title\x07")
    )

    text = shown(file_report(file), labels_report([file]), files_report([file]), width=160)

    assert "\x1b" not in text
    assert "\x07" not in text
    for name in ("[red]a\N{REPLACEMENT CHARACTER}[2J.mp4", "[bold]sit", "[/]", "[b]", "]0;title"):
        assert name in text


def test_rare_columns_are_left_out_where_nothing_is_in_them() -> None:
    plain = shown(file_report(checked()), labels_report([checked()]), width=160)
    point = {"kind": "point", "t_end": float("nan"), "subject": "rex"}
    rare = shown(file_report(checked(**point)), labels_report([checked(**point)]), width=160)

    assert "points" not in plain
    assert "subjects" not in plain
    assert "points" in rare
    assert "subjects" in rare


def test_a_file_without_anything_is_its_name_and_status() -> None:
    nothing = check_project(Project(Path("a.json"), "via3", segment_table([]), ()))

    assert shown(file_report(nothing)).split() == ["a.json:", "via3,", "ok"]


def test_the_document_holds_numbers_names_and_null_but_no_nan() -> None:
    point = checked("a.mp4", "bark", NO_LABEL, kind="point", t_end=float("nan"))

    document = json.loads(
        json.dumps(check_document([point]), allow_nan=False)
    )  # plain types only, or this raises

    [file] = document["files"]
    assert (file["status"], file["format"], file["segments"]) == ("warning", "via3", 0)
    assert file["media"] == [
        {
            "name": "a.mp4",
            "recording": None,
            "stream": None,
            "duration_s": None,
            "segments": 0,
            "points": 1,
            "seconds": 0.0,
            "share": None,
            "overlaps": 0,
            "overlaps_all": 0,
            "unadjusted_1s": 0,
            "past_end": 0,
        }
    ]
    [label] = document["labels"]
    assert file["labels"] == [label]
    assert (label["label"], label["points"], label["median_s"]) == ("bark", 1, None)
    assert file["issues"] == [
        {
            "code": "V048",
            "level": "warning",
            "place": "metadata.1_Qh3fXk2A",
            "text": "the segment has no label; skipped",
            "todo": "",
        }
    ]
