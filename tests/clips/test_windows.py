from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dogclips.clips.windows import BOUT_COLUMNS, WINDOW_COLUMNS, WindowRules, plan_windows
from dogclips.spans import Spans, in_ticks
from dogclips.timebase import Span

CLASSES = ("sit", "walk", "sniff")
Bout = tuple[Span, str] | tuple[Span, str, str] | tuple[Span, str, str, str]


def span(start: float | str, end: float | str) -> Span:
    return Span(Fraction(str(start)), Fraction(str(end)))


def bouts_of(*bouts: Bout) -> pd.DataFrame:
    """Return a table of (span, label[, task[, subject]])."""
    rows = [(own.start, own.end, *texts, *("", "")[len(texts) - 1 :]) for own, *texts in bouts]
    return pd.DataFrame(rows, columns=list(BOUT_COLUMNS))


def windows(*bouts: Bout, until: str = "12", annotated: str = "12", **rules: Any) -> pd.DataFrame:
    named = {
        name: Fraction(value) if isinstance(value, str) and value[0].isdigit() else value
        for name, value in rules.items()
    }
    usual = {"clip_s": Fraction(4), "stride_s": Fraction(4), "min_overlap_s": Fraction(1)}
    planned = plan_windows(
        bouts_of(*bouts),
        CLASSES,
        WindowRules(**(usual | named)),
        until_s=Fraction(until),
        annotated_s=Fraction(annotated),
    )
    assert tuple(planned.columns) == WINDOW_COLUMNS
    return planned


def labels(planned: pd.DataFrame) -> list[tuple[str, ...]]:
    return planned["labels"].tolist()


def starts(planned: pd.DataFrame) -> list[Fraction]:
    return planned["start"].tolist()


# The worked example of the specification.
EXAMPLE = (
    (span("0", "4.35"), "sit"),
    (span("4.35", "12.1"), "walk"),
    (span("6.02", "9.48"), "sniff"),
)


def test_a_window_gets_the_labels_that_fill_a_second_of_it() -> None:
    planned = windows(*EXAMPLE, until="12.1")

    assert starts(planned) == [0, 4, 8, 12]
    assert labels(planned) == [("sit",), ("walk", "sniff"), ("walk", "sniff"), ()]
    assert planned["reason"].tolist() == ["", "", "", "no-label"]


def test_a_smaller_overlap_lets_the_short_remainder_count() -> None:
    assert labels(windows(*EXAMPLE, min_overlap_s="0.35"))[1] == ("sit", "walk", "sniff")
    assert labels(windows(*EXAMPLE, min_overlap_s="0.351"))[1] == ("walk", "sniff")


def test_an_overlap_of_exactly_the_minimum_counts() -> None:
    planned = windows((span("0", "1.98"), "sit"), min_overlap_s="1.98", until="4")
    assert labels(planned) == [("sit",)]


def test_without_a_minimum_touching_is_not_enough() -> None:
    for least in ("0", None):
        assert labels(windows((span(4, 8), "sit"), min_overlap_s=least)) == [(), ("sit",), ()]


def test_pieces_of_one_label_count_together() -> None:
    halves = [(span("0", "0.5"), "sit"), (span("2", "2.5"), "sit")]
    assert labels(windows(*halves, until="4")) == [("sit",)]
    assert labels(windows(halves[0], until="4")) == [()]


def test_overlapping_segments_of_one_label_count_once() -> None:
    doubled = [(span("0", "0.6"), "sit"), (span("0.1", "0.7"), "sit")]
    assert labels(windows(*doubled, until="4")) == [()]


def test_labels_stand_in_class_order() -> None:
    backwards = [(span(0, 4), "sniff"), (span(0, 4), "walk"), (span(0, 4), "sit")]
    assert labels(windows(*backwards, until="4")) == [CLASSES]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_the_order_of_segments_does_not_matter(order: tuple[int, ...]) -> None:
    assert windows(*(EXAMPLE[place] for place in order)).equals(windows(*EXAMPLE))


# Which share of a window or of a segment a label must fill.

SHAKE = (span("5", "5.6"), "sit")  # lies in the window from 4 s
LONG = (span("3", "40"), "walk")  # fills one second of the window from 0 s


def test_a_share_of_the_window_is_a_second_rule_for_each_label() -> None:
    assert labels(windows(LONG, until="4", min_overlap_fraction="1/4")) == [("walk",)]
    assert labels(windows(LONG, until="4", min_overlap_fraction="0.26")) == [()]
    both = {"min_overlap_s": "3", "min_overlap_fraction": "1/4", "until": "4"}
    assert labels(windows(LONG, **both)) == [()]
    assert labels(windows(LONG, **both, either=True)) == [("walk",)]


def test_a_share_of_the_segment_gives_short_behaviours_their_label() -> None:
    of_segment = {"min_overlap_fraction": "1/2", "of_segment": True}
    assert labels(windows(SHAKE, LONG, **of_segment, min_overlap_s=None)) == [
        (),
        ("sit",),
        (),
    ]
    assert labels(windows(SHAKE, LONG, **of_segment, either=True)) == [
        ("walk",),
        ("sit", "walk"),
        ("walk",),
    ]
    assert labels(windows(SHAKE, **of_segment)) == [(), (), ()]


def test_half_of_a_segment_is_enough_in_each_of_two_windows() -> None:
    across = (span("3.7", "4.3"), "sit")
    rules = {"min_overlap_s": None, "of_segment": True}
    assert labels(windows(across, **rules, min_overlap_fraction="0.5"))[:2] == [("sit",)] * 2
    assert labels(windows(across, **rules, min_overlap_fraction="0.51"))[:2] == [()] * 2


# Where windows lie.


def test_windows_start_before_the_end_and_not_at_it() -> None:
    assert starts(windows(until="8")) == [0, 4]
    assert starts(windows(until="8.1")) == [0, 4, 8]


def test_a_recording_without_length_has_no_windows() -> None:
    planned = windows(until="0")
    assert (len(planned), tuple(planned.columns)) == (0, WINDOW_COLUMNS)


def test_a_phase_moves_the_grid() -> None:
    assert starts(windows(phase_s="1.5", until="9.5")) == [Fraction("1.5"), Fraction("5.5")]


def test_windows_begin_with_each_segment_and_once_where_two_begin_together() -> None:
    doubled = (*EXAMPLE, (span("4.35", "6"), "sit"))
    planned = windows(*doubled, anchor="segment-start", until="12.1")

    assert starts(planned) == [0, Fraction("4.35"), Fraction("6.02")]
    assert labels(planned) == [("sit",), ("sit", "walk", "sniff"), ("walk", "sniff")]


def test_windows_lie_around_the_middle_of_each_segment_even_before_zero() -> None:
    planned = windows((span(0, 1), "sit"), (span(7, 9), "walk"), anchor="segment-center")
    assert starts(planned) == [Fraction("-1.5"), 6]


def test_windows_are_spread_over_long_segments_from_end_to_end() -> None:
    planned = windows((span(1, 11), "sit"), anchor="segment-spread", stride_s="4")
    assert starts(planned) == [1, 4, 7]
    assert starts(windows((span(1, 5), "sit"), anchor="segment-spread")) == [1]
    assert starts(windows((span(3, 6), "sit"), anchor="segment-spread")) == [Fraction("2.5")]


def test_anchored_windows_need_segments() -> None:
    assert starts(windows(anchor="segment-start")) == []


# Background.


def reasons(*bouts: Bout, **rules: Any) -> list[str]:
    return windows(*bouts, background=True, **rules)["reason"].tolist()


def test_background_is_where_nothing_happens_and_somebody_looked() -> None:
    assert reasons((span(4, 8), "sit"), until="16") == ["", "", "", "after-annotations"]


def test_a_behaviour_too_short_for_its_label_is_no_background() -> None:
    assert reasons((span(4, "4.5"), "sit")) == ["", "near-label", ""]


def test_background_keeps_away_from_segments() -> None:
    bout = (span("8.5", "12"), "sit")
    assert reasons(bout, margin_s="0.5") == ["", "", ""]
    assert reasons(bout, margin_s="0.51") == ["", "near-label", ""]


def test_background_never_crosses_the_end_of_the_annotations() -> None:
    assert reasons(until="12", annotated="11.9") == ["", "", "after-annotations"]
    assert reasons(until="12", annotated="0") == ["after-annotations"] * 3


# Subjects and tasks.

TWO = (
    (span(0, 4), "sit", "posture", "rex"),
    (span(0, 8), "walk", "gait", "ida"),
    (span("7.5", 8), "sniff", "nose", "rex"),
)


def test_a_window_knows_the_tasks_and_subjects_behind_its_labels() -> None:
    planned = windows(*TWO, until="8")

    assert planned["tasks"].tolist() == [("gait", "posture"), ("gait",)]
    assert planned["subjects"].tolist() == [("ida", "rex"), ("ida",)]
    assert planned["subject"].tolist() == ["", ""]


def test_each_subject_has_windows_of_its_own() -> None:
    planned = windows(*TWO, until="8", per_subject=True)

    assert planned["start"].tolist() == [0, 0, 4, 4]
    assert planned["subject"].tolist() == ["ida", "rex", "ida", "rex"]
    assert labels(planned) == [("walk",), ("sit",), ("walk",), ()]


def test_windows_of_each_subject_begin_with_its_own_segments() -> None:
    planned = windows(*TWO, per_subject=True, anchor="segment-start")
    assert list(zip(planned["subject"], planned["start"], strict=True)) == [
        ("ida", 0),
        ("rex", 0),
        ("rex", Fraction("7.5")),
    ]


def test_a_recording_without_subjects_has_the_windows_of_all() -> None:
    assert windows(*EXAMPLE, per_subject=True).equals(windows(*EXAMPLE))


# Any segments.

seconds = st.fractions(0, 40, max_denominator=1000)
lengths = st.fractions(Fraction(1, 10), 10, max_denominator=100)
drawn_spans = st.builds(lambda start, length: Span(start, start + length), seconds, lengths)
drawn_bouts = st.lists(st.tuples(drawn_spans, st.sampled_from(CLASSES)), max_size=8)
shares = st.none() | st.fractions(0, 1, max_denominator=10)


@settings(deadline=None, max_examples=100)
@given(
    bouts=drawn_bouts,
    clip_s=lengths,
    stride_s=st.fractions(1, 10, max_denominator=100),
    min_overlap_s=st.none() | st.fractions(0, 3, max_denominator=100),
    min_overlap_fraction=shares,
    of_segment=st.booleans(),
    either=st.booleans(),
    until_s=seconds,
)
def test_windows_lie_on_the_grid_and_hold_exactly_the_labels_that_fill_enough(
    bouts: list[tuple[Span, str]], until_s: Fraction, **rules: Any
) -> None:
    chosen = WindowRules(**rules)
    planned = plan_windows(bouts_of(*bouts), CLASSES, chosen, until_s=until_s, annotated_s=until_s)

    assert starts(planned) == [n * chosen.stride_s for n in range(-(-until_s // chosen.stride_s))]
    for start, found in zip(starts(planned), labels(planned), strict=True):
        window = Span(start, start + chosen.clip_s)
        own = {name: [span for span, label in bouts if label == name] for name in CLASSES}
        assert found == tuple(name for name in CLASSES if deserves(window, own[name], chosen))


def deserves(window: Span, spans: list[Span], rules: WindowRules) -> bool:
    """Return whether a label fills enough of a window, counted edge by edge."""
    filled = filled_s(window, spans)
    met = []
    if rules.min_overlap_s is not None:
        met.append(filled >= rules.min_overlap_s)
    if rules.min_overlap_fraction is not None:
        shares = [filled / rules.clip_s]
        if rules.of_segment:
            shares = [window.overlap(own) / own.duration for own in joined(spans)]
            shares = [share for share in shares if share > 0]
        met.append(any(share >= rules.min_overlap_fraction for share in shares))
    return filled > 0 and (not met or (any(met) if rules.either else all(met)))


def joined(spans: list[Span]) -> list[Span]:
    """Return spans with those put together that overlap or touch."""
    found: list[Span] = []
    for own in sorted(spans, key=lambda own: own.start):
        if found and own.start <= found[-1].end:
            found[-1] = Span(found[-1].start, max(found[-1].end, own.end))
        else:
            found.append(own)
    return found


def filled_s(window: Span, spans: list[Span]) -> Fraction:
    """Return the seconds of a window that lie in any of the spans, counted edge by edge."""
    edges = sorted({window.start, window.end, *(e for s in spans for e in (s.start, s.end))})
    return sum(
        (
            end - start
            for start, end in pairwise(edges)
            if window.start <= start
            and end <= window.end
            and any(own.start <= start and end <= own.end for own in spans)
        ),
        Fraction(0),
    )


@settings(deadline=None)
@given(st.lists(drawn_spans, max_size=10))
def test_a_union_of_spans_covers_the_same_time_without_overlap(spans: list[Span]) -> None:
    wanted = joined(spans)
    begins, ends, *edges = in_ticks(*sides(spans), *sides(wanted))
    union = Spans.union(begins, ends)

    assert [union.begins.tolist(), union.ends.tolist()] == [side.tolist() for side in edges]


def sides(spans: list[Span]) -> tuple[list[Fraction], list[Fraction]]:
    return [own.start for own in spans], [own.end for own in spans]


def test_times_too_fine_for_64_bits_are_exact_too() -> None:
    odd = Fraction(1, 3**25)  # a unit in which forty seconds are more than 2^63
    planned = windows(
        (Span(odd, 1 + odd), "sit"),
        (Span(Fraction(4), 5 - odd), "walk"),
        (Span(Fraction(8), Fraction(8) + Fraction(1, 7**9)), "sniff"),
        min_overlap_fraction="1/2",
        of_segment=True,
        either=True,
        min_overlap_s="1",
        background=True,
    )
    assert labels(planned) == [("sit",), ("walk",), ("sniff",)]
    assert in_ticks([Fraction(8)], [odd, Fraction(1, 7**9)])[0].dtype == np.dtype(object)
    assert labels(windows((Span(Fraction(4), 5 - odd), "walk"))) == [()] * 3


def test_who_has_no_name_has_labels_but_no_background_of_its_own() -> None:
    bouts = ((span(0, 4), "walk", "gait", "Rex"), (span(4, 8), "sniff", "gait", ""))
    planned = windows(*bouts, per_subject=True, background=True)
    cut = planned[planned["reason"] == ""]
    found = list(zip(cut["start"], cut["subject"], cut["labels"], strict=True))
    assert found == [
        (0, "Rex", ("walk",)),
        (4, "", ("sniff",)),
        (4, "Rex", ()),
        (8, "Rex", ()),
    ]


def test_nobody_but_the_nameless_has_background() -> None:
    planned = windows((span(0, 4), "walk"), per_subject=True, background=True)
    assert planned.loc[planned["reason"] == "", "labels"].tolist() == [("walk",), (), ()]
