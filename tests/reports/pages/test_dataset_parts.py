"""What stands on the page of a data set, before it is a page."""

import re
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dogclips.lists.session_records import RecordingRecords, SessionRecords
from dogclips.records.documents import record_of
from dogclips.records.manifest import manifest_table
from dogclips.records.probe import ProbedFile
from dogclips.reports.pages.dataset import (
    balance_table,
    clip_verdict,
    dataset_page,
    lengths_table,
    together_table,
)
from dogclips.reports.pictures.clip_cards import dataset_cards
from dogclips.reports.pictures.lag_plots import CHART_HEIGHT, lag_chart
from dogclips.reports.pictures.recording_timeline import axis_ticks, recording_timeline
from dogclips.scores.concerns import concerns_of
from dogclips.scores.dataset import NO_LABEL, Dataset, ListedSplit, evenly_chosen

Spans = list[tuple[int, int]]
spans = st.lists(st.tuples(st.integers(0, 60), st.integers(1, 9)), min_size=1, max_size=40)


def row(start: float, status: str = "cut", reason: str = "", **more: Any) -> dict[str, Any]:
    source = {"source": "video/a.mp4", "target_stream": 0, "verified": True}
    times = {"start_s": start, "end_s": start + 4, "clip": "p/c.mp4" if status == "cut" else ""}
    return source | times | {"status": status, "reason": reason} | more


def recording(*rows: dict[str, Any], segments: Any = (), length_s: float = 20) -> RecordingRecords:
    columns = ["source", "label", "start_s", "end_s"]
    table = pd.DataFrame([("video/a.mp4", *one) for one in segments], columns=columns)
    return RecordingRecords("video/a.mp4", (), manifest_table(rows), table, length_s)


def dataset(
    *rows: dict[str, Any], segments: Any = (), classes: tuple[str, ...] = (), **more: Any
) -> Dataset:
    """Return a data set of one session, which is called s."""
    recordings = (recording(*rows, segments=segments),)
    return Dataset.of(
        [SessionRecords(Path("s"), manifest_table(rows), recordings, classes, **more)]
    )


# Timelines.


def test_windows_of_one_fate_are_one_row_and_touching_ones_one_box() -> None:
    windows = [row(0), row(4), row(8, "skipped", "no-label"), row(12, "reused")]

    kept, dropped = recording_timeline(recording(*windows), []).rows

    assert (kept.name, kept.number, kept.path) == ("clips", 3, "M0 0h8v10h-8zM12 0h4v10h-4z")
    assert kept.times == "0\N{EN DASH}8, 12\N{EN DASH}16 s"
    assert (dropped.number, dropped.path) == (1, "M8 0h4v10h-4z")
    assert dropped.title == "no-label: no label fills enough of it"


def test_each_label_has_its_row_in_class_order_and_its_colour_everywhere() -> None:
    segments = [("walk", 3.25, 4), ("sit", 0, 2), ("walk", 0, 1)]

    rows = recording_timeline(recording(segments=segments), ["lie", "sit", "walk"]).rows

    assert [(one.name, one.number, one.colour) for one in rows] == [("sit", 1, 1), ("walk", 2, 2)]
    assert rows[1].title == "walk: 2 segments, 1.8 s"
    assert rows[1].path == "M0 0h1v10h-1zM3.25 0h.75v10h-.75z"


def test_windows_before_zero_and_past_the_end_are_in_sight() -> None:
    windows = [row(-2, "skipped", "before-target-start"), row(18, "skipped", "after-end")]

    timeline = recording_timeline(recording(*windows), [])

    assert (timeline.span_s, timeline.length_s) == ((-2, 22), 20)
    assert timeline.view == "-2 0 24 10"


@settings(max_examples=25)
@given(spans)
def test_boxes_cover_the_same_seconds_as_the_windows(found: Spans) -> None:
    windows = [row(float(start), end_s=float(start + length)) for start, length in found]

    [kept] = recording_timeline(recording(*windows), []).rows

    covered = [second for start, length in found for second in range(start, start + length)]
    boxes = [tuple(map(int, part.split("\N{EN DASH}"))) for part in kept.times[:-2].split(", ")]
    assert sorted(set(covered)) == [second for a, b in boxes for second in range(a, b)]
    assert all(a[1] < b[0] for a, b in pairwise(boxes))


@settings(max_examples=25)
@given(st.floats(0, 100), st.floats(0.2, 200_000))
def test_an_axis_has_a_few_ticks_inside(start: float, length: float) -> None:
    ticks = axis_ticks(start, start + length)

    assert len(ticks) <= 1 + max(6, length / 14400)
    assert all(-1e-6 <= tick.place <= 100 + 1e-6 for tick in ticks)


# Lags.


def entry(given: dict[str, Any] | None = None, **alignment: Any) -> ProbedFile:
    """Return an entry of `probe.json`; `given` replaces keys of it."""
    stream = {
        "type": "video",
        "codec": "h264",
        **dict.fromkeys(("width", "height", "rotation", "num_frames"), 0),
        "time_base": "1/10",
        **dict.fromkeys(("default", "attached_picture", "variable_frame_rate"), False),
        **dict.fromkeys(("num_frames_header", "num_decoded", "duration_s")),
        "frame_rate": "10/1",
        "start_s": 0.0,
        "end_s": 8.0,
        "gaps": [],
    }
    estimates = {"timestamps_s": 0.0, "frame_count_s": 0.7, "content_s": 0.7}
    content = {
        "reason": "",
        "picture_correlation": 0.9,
        "view_scale": [1.0, 1.0],
        "view_shift": [0.0, 0.0],
        "windows": 10,
        "windows_believed": 9,
        "looked_s": 8.0,
        "longest_unseen_s": 1.0,
    }
    piece = {"reference_start_s": 0.7, "reference_end_s": 8.0, "target_start_s": 0.0, "scale": 1.0}
    usual = {
        "reference": 0,
        "target": 1,
        "method": "content",
        "trusted": True,
        "verified": True,
        "offset_s": 0.7,
        "offset_frames": 7,
        "drift_ppm": 0.0,
        "confidence": 0.9,
        "error_s": 0.0,
        "estimates": estimates,
        "content": content,
        "segments": [piece],
        "doubts": [],
    }
    found = {
        "path": "video/a.mp4",
        "status": "ok",
        "messages": [],
        "container": None,
        "streams": [stream | {"index": 0}, stream | {"index": 1, "end_s": 7.3}],
        "shown_in": {},
        "read_by": {},
        "alignment": usual | alignment,
        "offsets": [],
    }
    return record_of(ProbedFile, found | (given or {}))


def test_lost_frames_lift_the_path_of_lags_above_what_timestamps_say() -> None:
    chart = lag_chart(entry(doubts=[{"reference_start_s": 0.0, "reference_end_s": 1.5}]))

    assert chart is not None
    assert chart.text.startswith("Late against its timestamps: +7 frames; 9 of 10 windows believed")
    per_frame = CHART_HEIGHT / (chart.high - chart.low)
    lifted = pytest.approx(chart.zero - 7 * per_frame, abs=0.02)
    assert [float(part) for part in re.split("[ ML]", chart.path)[1:]] == [0.7, lifted, 8.0, lifted]
    assert chart.lags.doubts == ((0.0, 1.5),)


@pytest.mark.parametrize(
    "measured",
    [entry({"alignment": None}), entry(content=None)],
    ids=["one stream", "not compared"],
)
def test_without_pixels_there_is_no_path_of_lags(measured: ProbedFile) -> None:
    assert lag_chart(measured) is None


@pytest.mark.parametrize(
    ("alignment", "level", "start"),
    [
        ({}, "ok", "Verified: stream 1 starts 0.700 s (7 frames) late against stream 0, by the"),
        ({"method": "identity"}, "ok", "The annotated stream, "),
        ({"trusted": False}, "error", "It is unknown which frames"),
        (
            {"verified": False, "offset_s": 0.0},
            "warning",
            "Not verified by pixels: stream 1 starts",
        ),
        ({"drift_ppm": 40.0}, "ok", "Verified: stream 1 starts 0.700 s (7 frames) late"),
    ],
    ids=["pixels", "one stream", "not trusted", "not verified", "drift"],
)
def test_verdicts_say_whether_labels_are_on_their_frames(
    alignment: dict[str, Any], level: str, start: str
) -> None:
    verdict = clip_verdict(entry(**alignment))

    assert verdict.level == level
    assert verdict.text.startswith(start)


# Numbers.


def shows(*labels: list[str], segments: Any = (), classes: Any = ("sit", "walk")) -> Dataset:
    """Return a data set of clips with these labels."""
    rows = [row(4.0 * number, labels=own) for number, own in enumerate(labels)]
    return dataset(*rows, segments=segments, classes=classes)


def test_labels_are_counted_with_the_clips_that_show_them_alone_or_together() -> None:
    segments = [("sit", 0, 1), ("sit", 4, 7), ("walk", 4, 4.6)]
    found = shows(["sit"], ["sit", "walk"], [], ["sit"], segments=segments)

    sit, walk = found.label_numbers.itertuples()

    assert (sit.clips, sit.alone, sit.recordings) == (3, 2, 1)
    assert (sit.segments, sit.seconds, sit.median_s) == (2, 4.0, 2.0)
    assert (walk.clips, walk.alone) == (1, 0)
    table = together_table(found)
    assert [[cell.text for cell in cells] for _, cells in table.rows] == [["3", "1"], ["1", "1"]]
    assert table.rows[1][1][0].shade > 2 * table.rows[0][1][1].shade


def test_lengths_are_counted_in_classes_that_double() -> None:
    segments = [("sit", 0, seconds) for seconds in (0.1, 1.0, 1.9, 2.0, 200.0)]

    table = lengths_table(shows(segments=segments))

    shown = dict(zip(table.columns, (cell.text for cell in table.rows[1][1]), strict=True))
    assert {head: text for head, text in shown.items() if text} == {
        "< 0.25": "1",
        "1\N{EN DASH}2": "2",
        "2\N{EN DASH}4": "1",
        "\N{GREATER-THAN OR EQUAL TO} 128": "1",
    }
    assert [cell.text for cell in table.rows[2][1]] == [""] * len(table.columns)


@pytest.mark.parametrize("rows", [[], [row(0, "skipped", "no-label")], [row(0, labels=[])]])
def test_a_data_set_without_labels_is_a_page_that_says_so(rows: list[dict[str, Any]]) -> None:
    page = dataset_page(dataset(*rows), [], []).decode()

    assert "There are no labels." in page
    assert "No warnings." in page


def split_of(*clips: tuple[str, str, tuple[int, ...]]) -> ListedSplit:
    table = pd.DataFrame(clips, columns=["recording", "split", "labels"])
    return ListedSplit(
        Path("split"),
        ("sit", "walk"),
        table.assign(path=range(len(clips))).astype(str).assign(labels=table["labels"]),
    )


def test_a_split_shows_how_far_off_its_ratios_are_and_what_it_shares() -> None:
    split = split_of(("a", "train", (0,)), ("a", "val", (0, 1)), ("b", "train", (0,)))

    table = balance_table(split)

    assert table.columns == ["all", "train", "val"]
    cells = {name: [cell.text for cell in own] for name, own in table.rows}
    assert cells["walk"] == ["1 (33.3%)", "0 (0.0%, -33.3)", "1 (100.0%, +66.7)"]
    assert cells["recordings"] == ["2", "2", "1"]
    assert split.leaks == ["a"]


# Concerns.


def test_a_split_recording_is_an_error_and_unverified_clips_are_counted() -> None:
    found = dataset(row(0, labels=["sit"], verified=False), row(4), classes=("sit",))
    split = split_of(("a", "train", (0,)), ("a", "val", (1,)))

    concerns = concerns_of(found, split)

    assert [(one.level, one.topic) for one in concerns[:2]] == [
        ("error", "split"),
        ("warning", "offset not verified"),
    ]
    assert "1 recording are in several splits" in concerns[0].text
    assert concerns[1].text.startswith("1 clip of 1 recording rely on an offset")
    assert [one.text for one in concerns[2:]][:2] == [
        "in no train clip: walk",
        "in no val clip: sit",
    ]


def test_an_unfinished_cut_and_what_failed_are_told() -> None:
    rows = [row(0, "planned"), row(4, "failed", "no frames"), row(8, "stale", clip="p/old.mp4")]

    concerns = concerns_of(dataset(*rows, missing=("no settings",)))

    assert [(one.level, one.topic, one.text) for one in concerns] == [
        ("error", "failed", "s/video/a.mp4: no frames"),
        ("warning", "session", "s: no settings"),
        ("warning", "unfinished", "1 clip planned but not cut: run `dogclips cut` again"),
        (
            "warning",
            "stale clips",
            "1 clip of an earlier plan: remove them with `dogclips cut --prune`",
        ),
    ]


def test_long_lists_of_cases_are_cut_off() -> None:
    rows = [row(0, "failed", f"fault {number}") for number in range(100)]

    [failed] = concerns_of(dataset(*rows))

    assert (len(failed.lines), failed.lines[-1]) == (41, "and 60 more")


# Clips to look at.


@settings(max_examples=25)
@given(st.integers(1, 80), st.integers(1, 12), st.integers(0, 5))
def test_clips_are_drawn_evenly_and_again_for_the_same_seed(
    count: int, number: int, seed: int
) -> None:
    found = shows(*[["sit"]] * count)

    total, rows = evenly_chosen(found, number, seed)["sit"]

    assert total == count
    assert len(set(rows)) == len(rows) == min(number, count)
    steps = np.diff(sorted(rows))
    assert np.ptp(steps) <= 1 if len(steps) else number == 1 or count == 1
    assert evenly_chosen(found, number, seed)["sit"][1] == rows


def test_every_clip_has_the_same_chance_and_those_without_a_label_their_own_sheet() -> None:
    found = shows(*[["sit"]] * 5, [])

    drawn = Counter(own for seed in range(150) for own in evenly_chosen(found, 2, seed)["sit"][1])

    assert set(drawn) == set(range(5))
    assert min(drawn.values()) > 40  # of 60 on average
    assert evenly_chosen(found, 2, 0)[NO_LABEL] == (1, [5])


def test_a_clip_that_is_gone_has_its_fault_in_place_of_pictures(tmp_path: Path) -> None:
    windows = shows(["sit"]).windows.assign(path=str(tmp_path / "gone.mp4"))

    [label] = dataset_cards(windows, {"sit": (1, [0])})

    [card] = label.kinds[""]
    assert (card.picture.url, card.name, card.recording) == ("", "c.mp4", "s/a.mp4")
    assert card.picture.fault.startswith("no such file")
