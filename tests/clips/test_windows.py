from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dogclips.clips.windows import Window, merge_spans, plan_windows
from dogclips.timebase import Span

CLASSES = ("sit", "walk", "sniff")


def span(start: float | str, end: float | str) -> Span:
    return Span(Fraction(str(start)), Fraction(str(end)))


def windows(
    *segments: tuple[Span, str],
    clip: str = "4",
    stride: str = "4",
    overlap: str = "1",
    until: str = "12",
) -> list[Window]:
    return plan_windows(
        segments,
        CLASSES,
        clip_s=Fraction(clip),
        stride_s=Fraction(stride),
        min_overlap_s=Fraction(overlap),
        until_s=Fraction(until),
    )


# The worked example of the specification.
EXAMPLE = (
    (span("0", "4.35"), "sit"),
    (span("4.35", "12.1"), "walk"),
    (span("6.02", "9.48"), "sniff"),
)


def test_a_window_gets_the_labels_that_fill_a_second_of_it() -> None:
    assert windows(*EXAMPLE, until="12.1") == [
        Window(span(0, 4), ("sit",)),
        Window(span(4, 8), ("walk", "sniff")),
        Window(span(8, 12), ("walk", "sniff")),
        Window(span(12, 16), ()),
    ]


def test_a_smaller_overlap_lets_the_short_remainder_count() -> None:
    assert windows(*EXAMPLE, overlap="0.35")[1].labels == ("sit", "walk", "sniff")
    assert windows(*EXAMPLE, overlap="0.351")[1].labels == ("walk", "sniff")


def test_an_overlap_of_exactly_the_minimum_counts() -> None:
    assert windows((span("0", "1.98"), "sit"), overlap="1.98", until="4")[0].labels == ("sit",)


def test_without_a_minimum_touching_is_not_enough() -> None:
    labelled = windows((span(4, 8), "sit"), overlap="0")
    assert [window.labels for window in labelled] == [(), ("sit",), ()]


def test_pieces_of_one_label_count_together() -> None:
    halves = [(span("0", "0.5"), "sit"), (span("2", "2.5"), "sit")]
    assert windows(*halves, until="4")[0].labels == ("sit",)
    assert windows(halves[0], until="4")[0].labels == ()


def test_overlapping_segments_of_one_label_count_once() -> None:
    doubled = [(span("0", "0.6"), "sit"), (span("0.1", "0.7"), "sit")]
    assert windows(*doubled, until="4")[0].labels == ()


def test_labels_stand_in_class_order() -> None:
    backwards = [(span(0, 4), "sniff"), (span(0, 4), "walk"), (span(0, 4), "sit")]
    assert windows(*backwards, until="4")[0].labels == CLASSES


def test_windows_start_before_the_end_and_not_at_it() -> None:
    assert [window.span.start for window in windows(until="8")] == [0, 4]
    assert [window.span.start for window in windows(until="8.1")] == [0, 4, 8]


def test_a_recording_without_length_has_no_windows() -> None:
    assert windows(until="0") == []


seconds = st.fractions(0, 40, max_denominator=1000)
lengths = st.fractions(Fraction(1, 10), 10, max_denominator=100)
drawn_spans = st.builds(lambda start, length: Span(start, start + length), seconds, lengths)
drawn_segments = st.lists(st.tuples(drawn_spans, st.sampled_from(CLASSES)), max_size=8)


@settings(deadline=None, max_examples=100)
@given(drawn_segments, lengths, lengths, st.fractions(0, 3, max_denominator=100), seconds)
def test_windows_lie_on_the_grid_and_hold_exactly_the_labels_that_fill_enough(
    segments: list[tuple[Span, str]],
    clip_s: Fraction,
    stride_s: Fraction,
    min_overlap_s: Fraction,
    until_s: Fraction,
) -> None:
    planned = plan_windows(
        segments,
        CLASSES,
        clip_s=clip_s,
        stride_s=stride_s,
        min_overlap_s=min_overlap_s,
        until_s=until_s,
    )
    assert len(planned) == -(-until_s // stride_s)
    for number, window in enumerate(planned):
        assert window.span == Span(number * stride_s, number * stride_s + clip_s)
        for name in CLASSES:
            filled = filled_s(window.span, [own for own, label in segments if label == name])
            assert (name in window.labels) == (filled > 0 and filled >= min_overlap_s)


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
@given(st.lists(drawn_spans, max_size=10), seconds)
def test_merged_spans_cover_the_same_time_without_overlap(
    spans: list[Span], time_s: Fraction
) -> None:
    merged = merge_spans(spans)
    assert all(one.end < other.start for one, other in pairwise(merged))
    covered = any(own.start <= time_s < own.end for own in spans)
    assert any(own.start <= time_s < own.end for own in merged) == covered
    assert {own.start for own in merged} <= {own.start for own in spans}
    assert {own.end for own in merged} <= {own.end for own in spans}


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_the_order_of_segments_does_not_matter(order: tuple[int, ...]) -> None:
    assert windows(*(EXAMPLE[place] for place in order)) == windows(*EXAMPLE)
