import csv
import io
import math
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dogclips.annotations.boris_tables import read_boris_table
from dogclips.annotations.documents import Table, read_table
from dogclips.annotations.project import Project

Cells = dict[str, str]

# Columns of BORIS 9, with two modifiers and an independent variable.
AGGREGATED = [
    "Observation id", "Observation date", "Description", "Observation type", "Source",
    "Time offset (s)", "Coding duration", "Media duration (s)", "FPS (frame/s)", "weather",
    "Subject", "Observation duration by subject by observation", "Behavior",
    "Behavioral category", "Modifier #1", "Modifier #2", "Behavior type", "Start (s)", "Stop (s)",
    "Duration (s)", "Media file name", "Image index start", "Image index stop",
    "Image file path start", "Image file path stop", "Comment start", "Comment stop",
]  # fmt: skip
OLD_AGGREGATED = [
    "Observation id", "Observation date", "Media file", "Total length", "FPS", "Subject",
    "Behavior", "Modifiers", "Behavior type", "Start (s)", "Stop (s)", "Duration (s)",
    "Comment start", "Comment stop",
]  # fmt: skip
TABULAR = [
    "Observation id", "Observation date", "Description", "Observation duration",
    "Observation type", "Source", "Time offset (s)", "Media duration (s)", "FPS", "weather",
    "Subject", "Behavior", "Behavioral category", "Modifier #1", "Behavior type", "Time",
    "Media file name", "Image index", "Image file path", "Comment",
]  # fmt: skip
OLD_TABULAR = [
    "Time", "Media file path", "Total length", "FPS", "Subject", "Behavior",
    "Behavioral category", "Modifier 1", "Comment", "Status",
]  # fmt: skip
TWO = "player #1:a.mp4;b.mp4|player #2:top.mp4"


def common(**cells: str) -> Cells:
    return {
        "Observation id": "walk1",
        "Observation type": "Media file",
        "Source": "player #1:yard.mp4",
        "Time offset (s)": "0.0",
        "Media duration (s)": "60.000",
        "FPS": "25.000",
        "FPS (frame/s)": "25.000",
        "Subject": "Rex",
        "Behavior": "walk",
        "Media file": "yard.mp4",
        "Media file name": "yard.mp4",
        "Media file path": "yard.mp4",
    } | {_TITLES.get(key, key): cell for key, cell in cells.items()}


_TITLES = {
    "subject": "Subject", "label": "Behavior", "kind": "Behavior type", "source": "Source",
    "offset": "Time offset (s)", "media": "Media file name", "lengths": "Media duration (s)",
    "observation": "Observation id", "type": "Observation type",
}  # fmt: skip


def bout(start: str, stop: str, **cells: str) -> Cells:
    """Return a row of aggregated events, of `yard.mp4` where nothing else is said."""
    return {"Behavior type": "STATE", "Start (s)": start, "Stop (s)": stop} | common(**cells)


def event(time_s: str, status: str, **cells: str) -> Cells:
    """Return a row of tabular events, of `yard.mp4` where nothing else is said."""
    return {"Time": time_s, "Behavior type": status, "Status": status} | common(**cells)


def text_of(rows: list[list[str]], delimiter: str = "\t") -> str:
    stream = io.StringIO()
    csv.writer(stream, delimiter=delimiter).writerows(rows)
    return stream.getvalue()


def lines(columns: list[str], cells: tuple[Cells, ...]) -> list[list[str]]:
    return [columns, *([row.get(title, "") for title in columns] for row in cells)]


def whole(project: Project | None) -> Project:
    assert project is not None
    return project


def intervals(*cells: Cells, columns: list[str] = AGGREGATED, delimiter: str = "\t") -> Project:
    path = Path("yard.tsv")
    table = read_table(path, text_of(lines(columns, cells), delimiter))
    return whole(read_boris_table(path, table))


def events(
    *cells: Cells, columns: list[str] = TABULAR, before: list[list[str]] | None = None
) -> Project:
    path = Path("yard.tsv")
    table = read_table(path, text_of([*(before or []), *lines(columns, cells)]))
    return whole(read_boris_table(path, table))


def rows(project: Project) -> list[tuple[str, str, float, float]]:
    columns = project.segments[["media_name", "label", "t_start", "t_end"]]
    return [tuple(row) for row in columns.itertuples(index=False)]


def issues(project: Project) -> list[tuple[str, str, str]]:
    return [(issue.level, issue.code, issue.place) for issue in project.issues]


# Aggregated events: a row a bout.


@pytest.mark.parametrize("delimiter", ["\t", ",", ";"])
def test_a_row_is_a_bout(delimiter: str) -> None:
    project = intervals(bout("3.300", "7.750"), delimiter=delimiter)
    assert rows(project) == [("yard.mp4", "walk", 3.3, 7.75)]
    row = project.segments.iloc[0]
    assert row["subject"] == "Rex"
    assert row["task"] == "behavior"
    assert row["source_format"] == "boris"
    assert row["source_file"] == "yard"
    assert row["source_id"] == "walk1:2"
    assert project.player == "mpv"
    assert project.counts == {"segments": 1, "points": 0}
    assert project.issues == ()


def test_a_row_may_be_a_point() -> None:
    project = intervals(bout("5.200", "5.200", kind="POINT", subject="No focal subject"))
    row = project.segments.iloc[0]
    assert (row["kind"], row["t_start"], row["subject"]) == ("point", 5.2, "")
    assert math.isnan(row["t_end"])


def test_modifiers_and_both_comments_become_the_comment() -> None:
    extra = {"Modifier #1": "None", "Modifier #2": "left", "Comment start": "limps"}
    project = intervals(bout("1", "2") | extra | {"Comment stop": "rests"})
    assert list(project.segments["comment"]) == ["modifiers: |left; limps; rests"]


def test_the_offset_is_taken_off_whatever_the_media_file_name_says() -> None:
    project = intervals(bout("103.400", "107.750", offset="100.1", media="Not found"))
    assert rows(project) == [("yard.mp4", "walk", 3.3, 7.65)]


def test_times_in_a_later_file_count_from_its_start() -> None:
    two = {"source": TWO, "lengths": "179.960;60.000|90.000"}
    project = intervals(bout("227.765", "230.000", **two), bout("170", "200", **two))
    assert rows(project) == [
        ("b.mp4", "walk", 47.805, 50.04),
        ("a.mp4", "walk", 170, 179.96),
        ("b.mp4", "walk", 0, 20.04),
    ]
    assert list(project.segments["flags"]) == ["", "split", "split"]
    assert project.media_names == ("a.mp4", "b.mp4", "top.mp4")
    assert issues(project) == [
        ("warning", "V075", "observation walk1"),
        ("warning", "V074", "observation walk1"),
    ]


@pytest.mark.parametrize("lengths", ["NA", "", "NA;60.000", "179.960"])
def test_several_files_of_unknown_length_are_refused(lengths: str) -> None:
    project = intervals(bout("1", "2", source=TWO, lengths=lengths))
    assert issues(project) == [("error", "V059", "observation walk1")]
    assert len(project.segments) == 0


def test_an_old_table_names_one_file_a_row() -> None:
    project = intervals(bout("3.3", "7.75") | {"Modifiers": "slow|None"}, columns=OLD_AGGREGATED)
    assert rows(project) == [("yard.mp4", "walk", 3.3, 7.75)]
    assert list(project.segments["comment"]) == ["modifiers: slow"]
    assert issues(project) == [("warning", "V074", "")]  # nobody knows the time offset


def test_an_old_table_of_several_files_in_one_observation_is_refused() -> None:
    cells = bout("3.3", "7.75"), bout("200", "210") | {"Media file": "shed.mp4"}
    project = intervals(*cells, columns=OLD_AGGREGATED)
    assert ("error", "V059", "observation walk1") in issues(project)
    assert len(project.segments) == 0


def test_observations_of_one_table_are_read_apart() -> None:
    project = intervals(
        bout("3.300", "7.750"),
        bout("4.000", "9.000", observation="walk2", source="player #1:shed.mp4", offset="1"),
    )
    assert rows(project) == [("yard.mp4", "walk", 3.3, 7.75), ("shed.mp4", "walk", 3, 8)]


@pytest.mark.parametrize(
    "cells",
    [
        bout("1", "2", type="Live observation", source="NA"),
        bout("NA", "NA", type="From pictures", source="C:\\pictures; "),
    ],
    ids=["live", "pictures"],
)
def test_observations_without_a_recording_are_skipped(cells: Cells) -> None:
    project = intervals(cells)
    assert len(project.segments) == 0
    assert issues(project) == [("warning", "V075", "observation walk1")]


def test_an_old_live_observation_is_skipped() -> None:
    project = intervals(bout("1", "2") | {"Media file": "LIVE"}, columns=OLD_AGGREGATED)
    assert [code for _, code, _ in issues(project)] == ["V074", "V075"]


def test_the_gap_of_an_automatic_stop_is_closed() -> None:
    project = intervals(bout("1.000", "3.999"), bout("4.000", "6.000", label="sit"))
    assert list(project.segments["t_end"]) == [4, 6]
    assert list(project.segments["flags"]) == ["snapped", ""]
    assert issues(project) == [("warning", "V073", "observation walk1")]


def test_an_independent_variable_may_be_called_like_a_column_of_boris() -> None:
    columns = [title.replace("weather", "Subject") for title in AGGREGATED]
    table = lines(columns, (bout("1", "2"),))
    table[1][columns.index("Subject")] = "indoors"
    project = whole(read_boris_table(Path("yard.tsv"), table))
    assert list(project.segments["subject"]) == ["Rex"]


def test_a_path_with_a_drive_stays_as_it_was_written() -> None:
    project = intervals(bout("1", "2", source="player #1:C:\\my video\\yard.mp4"))
    assert list(project.segments["media_name"]) == ["C:\\my video\\yard.mp4"]


def test_blank_rows_and_repeated_headers_are_no_bouts() -> None:
    blank: Cells = {}
    again = {title: title for title in AGGREGATED}
    project = intervals(bout("1", "2"), blank, again, bout("3", "4"))
    assert [row[2:] for row in rows(project)] == [(1, 2), (3, 4)]
    assert project.issues == ()


@pytest.mark.parametrize(
    ("cells", "issue"),
    [
        (bout("7.75", "3.3"), ("error", "V057", "row 2")),
        (bout("3.3", "3.300"), ("warning", "V058", "row 2")),
        (bout("NA", "7.75"), ("error", "V052", "row 2")),
        (bout("3,3", "7.75"), ("error", "V052", "row 2")),
        (bout("1e99999", "2"), ("error", "V052", "row 2")),
        (bout("-1.5", "2"), ("error", "V053", "row 2")),
        (bout("1480212000", "1480212002"), ("error", "V010", "row 2")),
        (bout("1", "2", kind="EVENT"), ("error", "V010", "row 2")),
        (bout("1", "2", label=" "), ("warning", "V048", "row 2")),
        (bout("1", "2", offset="none"), ("error", "V010", "observation walk1")),
        (bout("1", "2", source="", media="NA"), ("error", "V022", "observation walk1")),
    ],
    ids=[
        "an end before its start", "no length", "no time", "decimal commas", "a giant exponent",
        "before the start", "a clock time", "an unknown kind", "no behaviour",
        "an offset in words", "no recording",
    ],
)  # fmt: skip
def test_a_row_that_cannot_be_read_is_noted(cells: Cells, issue: tuple[str, str, str]) -> None:
    project = intervals(cells)
    assert issues(project) == [issue]
    assert len(project.segments) == 0


# Tabular events: a row an event.


def test_a_bout_lies_between_its_start_and_its_stop() -> None:
    project = events(event("3.300", "START"), event("7.750", "STOP"))
    assert rows(project) == [("yard.mp4", "walk", 3.3, 7.75)]
    assert list(project.segments["source_id"]) == ["walk1:2"]
    assert project.issues == ()


def test_events_pair_within_subject_behaviour_and_modifiers() -> None:
    slow, fast = {"Modifier #1": "slow"}, {"Modifier #1": "fast"}
    project = events(
        event("1", "START") | slow,
        event("2", "START") | fast,
        event("2.5", "POINT", label="bark", subject=""),
        event("3", "STOP") | slow,
        event("4", "STOP") | fast,
    )
    found = project.segments[["t_start", "t_end", "subject", "comment"]].to_numpy().tolist()
    assert found[:2] == [[1, 3, "Rex", "modifiers: slow"], [2, 4, "Rex", "modifiers: fast"]]
    assert found[2][::2] == [2.5, ""]
    assert project.counts == {"segments": 2, "points": 1}


@pytest.mark.parametrize(
    ("status", "says"),
    [
        ("START", "'walk' of 'Rex' at 3.0 s starts and never stops"),
        ("STOP", "'walk' of 'Rex' at 3.0 s stops and never started"),
    ],
)
def test_an_event_without_its_partner_is_refused(status: str, says: str) -> None:
    # BORIS cuts the table, not the bouts, where only a part of the time is exported
    project = events(event("3", status))
    assert issues(project) == [("error", "V070", "row 2")]
    assert project.issues[0].text == says


def test_two_starts_in_a_row_refuse_the_first() -> None:
    project = events(event("1", "START"), event("3", "START"), event("4", "STOP"))
    assert issues(project) == [("error", "V070", "row 2")]


def preamble(*files: str, offset: str = "0.0") -> list[list[str]]:
    return [
        ["Observation id", "garden"],
        [""],
        ["Media file(s)"],
        [""],
        *(["Player #1", name] for name in files),
        [""],
        ["Observation date", "2016-05-01 09:00:00"],
        [""],
        ["Time offset (s)", offset],
        [""],
        ["independent variables"],
        ["variable", "value"],
        ["weather", "rain"],
        [""],
    ]


def test_an_old_table_says_the_rest_above_its_header() -> None:
    before = preamble("yard.mp4", offset="2.5")
    cells = event("3.3", "START"), event("7.75", "STOP") | {"Comment": "rests"}
    project = events(*cells, columns=OLD_TABULAR, before=before)
    assert rows(project) == [("yard.mp4", "walk", 0.8, 5.25)]
    assert list(project.segments["source_id"]) == [f"garden:{len(before) + 2}"]
    assert list(project.segments["comment"]) == ["rests"]
    assert project.issues == ()


def test_an_old_table_of_several_files_is_refused() -> None:
    cells = event("3.3", "START"), event("7.75", "STOP")
    project = events(*cells, columns=OLD_TABULAR, before=preamble("yard.mp4", "shed.mp4"))
    assert issues(project) == [("error", "V059", "observation garden")]


def test_an_old_live_table_is_skipped() -> None:
    before = [["Observation id", "garden"], ["Live observation"], ["Time offset (s)", "0"]]
    project = events(event("3.3", "START"), columns=OLD_TABULAR, before=before)
    assert issues(project) == [("warning", "V075", "observation garden")]


@pytest.mark.parametrize(
    "cells",
    [[["file", "start", "end", "label"]], [], [[]], [["Time", "Behavior"]], [AGGREGATED[:12]]],
)
def test_other_tables_are_not_of_boris(cells: list[list[str]]) -> None:
    assert read_boris_table(Path("a.csv"), cells) is None


# Fuzz: a project whose segments hold together, whatever the table.

cells_of_time = st.one_of(
    st.integers(0, 30_000).map(lambda ms: f"{ms / 1000:.3f}"),
    st.sampled_from(["", "NA", "-1", "1e400", "nan", "999999999999.9"]),
    st.text(max_size=4),
)
odd_cells = st.one_of(
    st.text(max_size=6), st.sampled_from(["NA", "", TWO, "player #1:", "LIVE", "10.5;3|2", "-5"])
)


@st.composite
def damaged_tables(draw: st.DrawFn) -> Table:
    """Draw a table of BORIS, and sometimes put other text in some cells or cut some rows."""
    columns = draw(st.sampled_from([AGGREGATED, OLD_AGGREGATED, TABULAR, OLD_TABULAR]))
    cells = []
    for _ in range(draw(st.integers(0, 6))):
        row = bout(draw(cells_of_time), draw(cells_of_time)) | {"Time": draw(cells_of_time)}
        status = draw(st.sampled_from(["START", "STOP", "POINT", "STATE"]))
        two = draw(st.sampled_from([{}, {"Source": TWO, "Media duration (s)": "10;5|3"}]))
        cells.append(row | {"Behavior type": status, "Status": status} | two)
    found = [[""], *lines(columns, tuple(cells))]
    for _ in range(draw(st.integers(0, 3))):
        row_number = draw(st.integers(0, len(found) - 1))
        column = draw(st.integers(0, len(columns) - 1))
        found[row_number] = found[row_number][:column] + draw(
            st.sampled_from([found[row_number][column:], [draw(odd_cells)], []])
        )
    return found


tables = st.lists(st.lists(odd_cells | st.sampled_from(AGGREGATED), max_size=8), max_size=6)


@settings(deadline=None, max_examples=300)
@given(st.one_of(damaged_tables(), damaged_tables(), tables))
def test_any_table_gives_a_project_that_holds_together(table: Table) -> None:
    project = read_boris_table(Path("any.tsv"), table)
    if project is None:
        return
    segments = project.segments
    states = segments[segments["kind"] == "state"]
    assert (states["t_start"] < states["t_end"]).all()
    assert (segments["t_start"] >= 0).all()
    assert (states["t_end"] < 1e12).all()
    assert (segments["label"].str.strip() == segments["label"]).all()
    assert (segments["label"] != "").all()
