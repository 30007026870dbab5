"""Every frame of every clip is the planned one, whatever the recording, whoever reads it.

The seed is printed at the top of the run; `DOGCLIPS_SEED=N` repeats it. `make fuzz` cuts thousands.
"""

import json
import os
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from itertools import count
from pathlib import Path

import numpy as np
import pytest

from dogclips.clips.frames import SourceFrames, select_frames
from dogclips.media.decoding import decode_frames
from dogclips.media.ffprobe import is_installed
from dogclips.streams import Stream
from dogclips.timebase import Span
from tests.cuts import harness
from tests.cuts.cases import CONTAINERS, RATES, CutCase, draw_case, make_source, truth_of
from tests.cuts.checks import wanted
from tests.cuts.harness import report_of, shown_faults
from tests.cuts.odd import KINDS, PAIRS, OddCase, draw_odd
from tests.cuts.painting import MAX_NUMBER, painted, read
from tests.cuts.readers import READERS
from tests.cuts.verdicts import Judged, OddReport, Tally, reports_of_odd, table_of

pytestmark = pytest.mark.skipif(not is_installed(), reason="ffmpeg is not installed")

NUM_BLOCKS, CLIPS_IN_BLOCK = 14, 8
ODD_IN_BLOCK = 10  # recordings, all of whose clips one start of ffmpeg reads
_SEEDS_IN_BLOCK = 1000


@pytest.mark.parametrize("block", range(NUM_BLOCKS))
def test_every_frame_of_every_clip_is_the_planned_one_for_every_reader(block: int) -> None:
    first = int(os.environ["DOGCLIPS_SEED"]) + block * _SEEDS_IN_BLOCK
    reports = []
    for seed in count(first):
        reports.append(report_of(draw_case(seed)))
        if sum(report.num_clips for report in reports) >= CLIPS_IN_BLOCK:
            break

    assert not shown_faults(reports), shown_faults(reports)


@pytest.mark.parametrize("first", range(0, len(PAIRS), ODD_IN_BLOCK))
def test_no_window_of_an_odd_recording_is_cut_wrong_or_refused_without_need(first: int) -> None:
    seed = int(os.environ["DOGCLIPS_SEED"])
    pairs = enumerate(PAIRS[first : first + ODD_IN_BLOCK], start=seed + first)
    reports = reports_of_odd([draw_odd(number, pair) for number, pair in pairs])

    assert not shown_faults(reports), shown_faults(reports)


def test_a_row_of_the_table_says_what_became_of_the_windows_of_a_kind() -> None:
    case = draw_odd(1, ("lost packets", "ts"))
    windows = [Judged("right"), Judged("refused", "frames-missing"), Judged("wrong", "7, not [8]")]
    tallies = [OddReport(case, windows, ("P015",)).tally, OddReport(case, windows[:2]).tally]
    stored = [Tally.of_json(json.loads(json.dumps(tally.as_json()))) for tally in tallies]

    row = next(row for row in table_of(stored) if row[0] == "lost packets")

    assert row == ["lost packets", "2", "5", "2", "2 frames-missing", "0", "1", "P015"]


def test_every_kind_of_odd_recording_is_drawn() -> None:
    cases = [draw_odd(seed) for seed in range(1500)]
    assert {(case.kind, case.container) for case in cases} == set(PAIRS)
    assert {case.kind for case in cases} == set(KINDS)
    names = {"OddCase": OddCase}
    assert eval(repr(cases[0]), names) == cases[0] == draw_odd(0)  # noqa: S307 (our own text)


# One of each kind, whatever the seed draws.
ODD_CASES = {
    "open groups, B-frames and a start anywhere": CutCase(
        1, container="mkv", b_frames=3, open_groups=True, starts=(Fraction("2.617"),)
    ),
    "a seek into open groups, whose frames name others before": CutCase(
        1795287296,
        container="mkv",
        rate=Fraction(15),
        num_frames=191,
        keyframe_frames=15,
        b_frames=1,
        open_groups=True,
        late=47,
        timing="hole",
        resample=25,
        starts=(Fraction("4.53"), Fraction("4.7")),
    ),
    "hidden pre-roll, upright by its matrix": CutCase(
        2, container="mov", muxing="trimmed", keyframe_frames=50, b_frames=2, rotation=90
    ),
    "a keyframe every ten seconds, at 29.97 in milliseconds": CutCase(
        3,
        container="flv",
        rate=Fraction(30000, 1001),
        num_frames=360,
        keyframe_frames=300,
        starts=(Fraction("7.95"),),
    ),
    "oblong pixels, odd sides, an odd late start": CutCase(
        4, size=(97, 65), pixel_aspect=Fraction(4, 3), rotation=-90, late=13
    ),
    "no order of times, 25 from 20 a second": CutCase(
        5, codec="mpeg4", container="avi", b_frames=2, resample=25, stride_seconds=1
    ),
    "variable, in a transport stream": CutCase(6, container="ts", timing="jittered", b_frames=2),
    "a stream after an hour of another one, whose head FFmpeg does not know": CutCase(
        30000956,
        container="mkv",
        rate=Fraction(50),
        num_frames=400,
        keyframe_frames=25,
        b_frames=1,
        late=720046,
        second="before",
        apart=True,
        clip_seconds=2,
        starts=(Fraction("2.5"),),
        resample=25,
    ),
    "another stream before, B-frames in clips": CutCase(
        7, codec="hevc", second="before", timing="thinned", clip_b_frames=2, short_side=48
    ),
}


@pytest.mark.parametrize("case", ODD_CASES.values(), ids=ODD_CASES)
def test_odd_recordings_give_right_clips(case: CutCase) -> None:
    report = report_of(case)

    assert not report.faults, shown_faults([report])
    assert report.num_clips > 0
    assert report.num_unsure == 0


# What the matrix of random cases has found.
FOUND = {
    "a lost keyframe, and frame_num that goes on by chance": OddCase(
        1, "lost packets", "ts", group=35, every=11, first=13, starts=(13, 43, 57), clip_frames=10
    ),
    "a lost keyframe, and rounding that goes on by chance": OddCase(
        2,
        "lost packets",
        "mkv",
        group=33,
        every=11,
        first=12,
        codec="mpeg4",
        starts=(8, 56, 67),
        clip_frames=18,
    ),
    "few losses in an AVI, which look like another rate": OddCase(
        20261577, "single losses", "avi", every=15, starts=(59, 64, 66), clip_frames=26
    ),
}


def test_what_was_once_wrong_stays_right() -> None:
    reports = reports_of_odd(list(FOUND.values()))

    assert not shown_faults(reports), shown_faults(reports)
    assert all(any(own.verdict == "right" for own in report.windows) for report in reports)


# The checks themselves: what is wrong must be seen.

WATCHED = CutCase(8, stride_seconds=1)


def _one_later(select: Callable[..., SourceFrames | str]) -> Callable[..., SourceFrames | str]:
    def selected(stream: Stream, window: Span, rate: Fraction | None) -> SourceFrames | str:
        frames = select(stream, window, rate)
        if isinstance(frames, str):
            return frames
        last = len(stream.pts) - 1
        return replace(frames, indices=tuple(min(index + 1, last) for index in frames.indices))

    return selected


def test_clips_that_begin_one_frame_late_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    case = replace(WATCHED, starts=(Fraction(1), Fraction("2.5")))
    monkeypatch.setattr(harness, "select_frames", _one_later(select_frames))

    report = report_of(case)

    assert report.num_clips == 2
    assert len(report.faults) == 2 * (len(READERS) + 1)
    assert "PyAV: frame 0 shows 21, not [20]" in report.faults[0]


def test_a_frame_shown_instead_of_another_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def muddled(source: Path, stream: Stream, indices: list[int], device: str) -> object:
        found = dict(decode_frames(source, stream, indices, device))
        found[31] = found[30]
        yield from found.items()

    monkeypatch.setattr("dogclips.media.display.decode_frames", muddled)

    report = report_of(replace(WATCHED, starts=(Fraction(1),)))

    assert "PyAV: frame 11 shows 30, not [31]" in report.faults[0]


def test_a_window_that_is_skipped_without_need_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(harness, "select_frames", lambda *_: "frames-missing")

    report = report_of(replace(WATCHED, starts=(Fraction(1),)))

    assert report.faults == ["window at 1.0 s: frames-missing, not cut"]


def test_the_truth_says_which_windows_cannot_be_cut(tmp_path: Path) -> None:
    case = replace(WATCHED, late=40)
    truth = truth_of(case, make_source(case, tmp_path))
    starts = {"before-target-start": "0.49", "cut": "6.5", "after-end": "6.551"}
    for outcome, start in starts.items():
        assert wanted(case, truth, Fraction(start)).outcomes == {outcome}


@pytest.mark.parametrize("size", [(16, 16), (24, 16), (97, 65), (160, 90)])
def test_numbers_are_read_at_any_size_and_only_upright(size: tuple[int, int]) -> None:
    for number in range(0, MAX_NUMBER + 1, 23):
        picture = painted(number, *size)
        assert read(picture) == number
        assert read((picture.astype(float) + painted(number + 1 & 2047, *size)) / 2) is None
        assert all(read(np.rot90(picture, turns)) is None for turns in (1, 2, 3))


def test_the_same_seed_gives_the_same_case_and_its_text_makes_it_again() -> None:
    names = {"CutCase": CutCase, "Fraction": Fraction}
    for seed in range(40):
        case = draw_case(seed)
        assert draw_case(seed) == case
        assert eval(repr(case), names) == case  # noqa: S307 (our own text)


def test_every_kind_of_recording_is_drawn() -> None:
    cases = [draw_case(seed) for seed in range(2000)]
    pairs = {(container, codec) for container, own in CONTAINERS.items() for codec in own}
    assert {(case.container, case.codec) for case in cases} == pairs
    assert {case.rate for case in cases} == set(RATES)
    assert {case.b_frames for case in cases} == {0, 1, 2, 3}
    assert {case.rotation for case in cases} == {0, 90, -90, 180}
    assert {case.timing for case in cases} == {"steady", "hole", "thinned", "jittered"}
    assert {case.second for case in cases} == {"none", "before", "after"}
    groups_s = [case.keyframe_frames / case.rate for case in cases]
    assert min(case.keyframe_frames for case in cases) == 1
    assert max(groups_s) == pytest.approx(10, abs=0.1)
    assert len({case.muxing for case in cases}) == 5
