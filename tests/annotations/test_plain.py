import csv
import io
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dogclips.annotations.documents import Table, read_table
from dogclips.annotations.plain import read_plain
from dogclips.annotations.project import Project
from dogclips.files import safe_cell
from dogclips.segments import segment_table
from dogclips.wording import one_spelling

PATH = Path("made.csv")


def table(text: str) -> Table:
    return read_table(PATH, text)


def read(text: str) -> Project:
    project = read_plain(PATH, table(text))
    assert project is not None
    return project


def row(cells: str) -> Project:
    return read(f"file,start,end,label\n{cells}\n")


def rows(project: Project) -> list[tuple[object, ...]]:
    columns = ["media_name", "task", "label", "t_start", "t_end"]
    return [tuple(found) for found in project.segments[columns].to_numpy().tolist()]


def issues(project: Project) -> list[tuple[str, str, str]]:
    return [(issue.code, issue.level, issue.place) for issue in project.issues]


def test_a_table_of_two_files_gives_a_row_each() -> None:
    project = read("file,start,end,label\na.mp4,0,4.35,sit\nb c.mp4,7.65,7.75,walk\n")
    assert rows(project) == [
        ("a.mp4", "label", "sit", 0, 4.35),
        ("b c.mp4", "label", "walk", 7.65, 7.75),
    ]
    assert project.segments["source_id"].tolist() == ["line 2", "line 3"]
    assert set(project.segments["source_format"]) == {"csv"}
    assert set(project.segments["source_file"]) == {"made"}
    assert set(project.segments["time_base"]) == {"player"}
    assert project.media_names == ("a.mp4", "b c.mp4")
    assert project.counts == {"segments": 2, "points": 0}
    assert project.issues == ()


def test_all_columns_are_read_in_any_order_and_case() -> None:
    text = (
        " Label ;END;start;File;Subject;OBSERVER;task;confidence;comment;stream\n"
        "walk;2;1;a.mp4; rex ; Ann ;gait;0,5;slow; 1\n"
    )
    project = read(text)
    found = project.segments.iloc[0]
    assert rows(project) == [("a.mp4", "gait", "walk", 1, 2)]
    assert (found["subject"], found["observer"], found["comment"]) == ("rex", "Ann", "slow")
    assert (found["confidence"], found["stream"]) == (0.5, 1)
    assert project.issues == ()


@pytest.mark.parametrize("separator", [",", ";", "\t"], ids=["comma", "semicolon", "tab"])
def test_any_of_the_three_separators_is_read(separator: str) -> None:
    text = "file,start,end,label\na.mp4,1.5,2,walk\n".replace(",", separator)
    assert rows(read(text)) == [("a.mp4", "label", "walk", 1.5, 2)]


def test_an_empty_end_is_a_point() -> None:
    project = row("a.mp4,3.2,,bark")
    assert project.segments["kind"].tolist() == ["point"]
    assert project.segments["t_end"].isna().all()
    assert project.counts == {"segments": 0, "points": 1}
    assert project.issues == ()


@pytest.mark.parametrize(
    ("cell", "time_s"),
    [
        ('"4,35"', 4.35),
        ("1:02.5", 62.5),
        ("00:01:02.500", 62.5),
        ("2:00:00", 7200),
        ('"0:1,5"', 1.5),
    ],
)
def test_a_time_that_is_no_plain_decimal_is_read_with_a_warning(cell: str, time_s: float) -> None:
    project = row(f"a.mp4,{cell},9000,walk")
    assert project.segments["t_start"].tolist() == [time_s]
    assert issues(project) == [("V051", "warning", "line 2")]


@pytest.mark.parametrize(
    "cell",
    [
        "",
        "soon",
        "nan",
        "inf",
        "1e400",
        "1e99999",
        "1_000",
        "1:60",
        "1:60:00",
        "1.234.5",
        "-1:02",
        "٣",
    ],
)
def test_what_is_no_time_is_refused(cell: str) -> None:
    project = row(f"a.mp4,{cell},9000,walk")
    assert len(project.segments) == 0
    assert issues(project) == [("V052", "error", "line 2")]


def test_a_time_before_the_start_is_refused() -> None:
    project = row("a.mp4,-0.4,1,walk")
    assert len(project.segments) == 0
    assert issues(project) == [("V053", "error", "line 2")]
    assert "-0.4 s" in project.issues[0].text


def test_an_end_before_its_start_is_refused() -> None:
    project = row("a.mp4,6,4,walk")
    assert issues(project) == [("V057", "error", "line 2")]
    assert project.issues[0].text == "ends (4.0 s) before it starts (6.0 s)"


@pytest.mark.parametrize(
    ("cells", "code", "level"),
    [
        ("a.mp4,3,3,walk", "V058", "warning"),
        ("a.mp4,3,4, ", "V048", "warning"),
        (" ,3,4,walk", "V010", "error"),
        ("a.mp4,3,4,walk, slowly", "V010", "error"),
    ],
    ids=["zero length", "no label", "no file", "a comma in a label without quotes"],
)
def test_a_row_that_says_nothing_is_no_segment(cells: str, code: str, level: str) -> None:
    project = row(cells)
    assert len(project.segments) == 0
    assert issues(project) == [(code, level, "line 2")]


def test_empty_cells_past_the_last_column_are_nothing() -> None:
    assert rows(row("a.mp4,3,4,walk,,")) == [("a.mp4", "label", "walk", 3, 4)]


def test_the_same_row_twice_is_read_once() -> None:
    project = row("a.mp4,3,4,walk\na.mp4,3.0,4,walk\na.mp4,3,4,run")
    assert [found[2] for found in rows(project)] == ["walk", "run"]
    assert issues(project) == [("V047", "warning", "line 3")]
    assert project.issues[0].text == "the same as line 2; read once"


def test_places_are_lines_even_where_cells_span_several() -> None:
    text = '\nfile,start,end,label,comment\na.mp4,1,2,walk,"two\nlines"\n\na.mp4,soon,2,run,\n'
    project = read(text)
    assert project.segments["source_id"].tolist() == ["line 3"]
    assert project.segments["comment"].tolist() == ["two\nlines"]
    assert issues(project) == [("V052", "error", "line 6")]


def test_unknown_columns_are_named_once() -> None:
    project = read("file,start,end,label,Mood,weather\na.mp4,1,2,walk,good,rain\n")
    assert rows(project) == [("a.mp4", "label", "walk", 1, 2)]
    assert [issue.text for issue in project.issues] == ["unknown column(s) mood, weather; skipped"]


def test_a_column_named_twice_is_refused() -> None:
    project = read("file,start,end,label,Label\na.mp4,1,2,walk,run\n")
    assert len(project.segments) == 0
    assert issues(project) == [("V002", "error", "")]


@pytest.mark.parametrize("column", ["confidence", "stream"])
def test_a_number_that_is_none_is_refused(column: str) -> None:
    project = read(f"file,start,end,label,{column}\na.mp4,1,2,walk,high\n")
    assert len(project.segments) == 0
    assert issues(project) == [("V010", "error", "line 2")]


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("file,start,end,label\n", True),
        (" LABEL ,End,start,File,more\n", True),
        ("file,start,stop,label\n", False),
        (",background,walk\n0,1,0\n", False),
        ("", False),
    ],
)
def test_a_plain_table_is_told_by_its_header(text: str, plain: bool) -> None:
    assert (read_plain(PATH, table(text)) is not None) is plain


def test_the_apostrophe_before_a_formula_is_taken_away_and_no_other() -> None:
    text = "file,start,end,label\n'-a.mp4,1,2,'=1+1\n'b.mp4,1,2,'n'\n"
    assert rows(read(text)) == [
        ("-a.mp4", "label", "=1+1", 1, 2),
        ("'b.mp4", "label", "'n'", 1, 2),
    ]


words = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=6).map(str.strip)
cells = (words | st.sampled_from(["'=1", "''-a", "=b"])).filter(bool)


@given(st.lists(st.tuples(cells, st.integers(0, 99), cells, cells, cells), max_size=4))
def test_what_our_own_writer_writes_is_read_as_it_was(
    wanted: list[tuple[str, int, str, str, str]],
) -> None:
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(["file", "start", "end", "label", "task", "subject"])
    for name, start, *texts in wanted:
        writer.writerow([safe_cell(name), start, start + 0.5, *map(safe_cell, texts)])
    project = read(file.getvalue())
    columns = ["media_name", "t_start", "label", "task", "subject"]
    found = [tuple(one) for one in project.segments[columns].to_numpy().tolist()]
    spelt = [(name, start, *map(one_spelling, texts)) for name, start, *texts in wanted]
    assert found == list(dict.fromkeys(spelt))


odd = st.sampled_from(
    ["", "1", "2.5", "-1", "nan", "1e400", "9" * 400, "1:02", "'=1", "é", "\n", "4,5"]
)
grids = st.lists(st.lists(odd | st.text(max_size=4), max_size=11), max_size=5)
headers = st.permutations(["file", "start", "end", "label", "confidence", "stream", "task"])


@settings(deadline=None)
@given(headers, grids, st.booleans())
def test_any_table_gives_whole_segments_or_errors(
    header: list[str], grid: list[list[str]], whole: bool
) -> None:
    project = read_plain(PATH, [header, *grid] if whole else grid)
    assert project is not None or not whole
    segments = segment_table([]) if project is None else project.segments
    states = segments[segments["kind"] == "state"]
    assert (states["t_start"] < states["t_end"]).all()
    assert (segments["t_start"] >= 0).all()
    assert (states["t_end"] < float("inf")).all()
    assert (segments["label"].str.strip() == segments["label"]).all()
    assert (segments["label"] != "").all()
