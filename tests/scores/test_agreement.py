from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from dogclips.scores.agreement import Agreement, Counts, agreement, matches, shared_share
from dogclips.timebase import Span

LABELS = ("walk",)


def span(start: float, end: float) -> Span:
    return Span(Fraction(start), Fraction(end))


def compared(
    predicted: list[Span], annotated: list[Span], known: Span, until_s: int = 10
) -> Agreement:
    return agreement({"walk": predicted}, {"walk": annotated}, LABELS, [known], Fraction(until_s))


SPANS = st.lists(
    st.tuples(st.integers(0, 40), st.integers(1, 20)).map(
        lambda pair: span(pair[0] / 2, (pair[0] + pair[1]) / 2)
    ),
    max_size=6,
)


def test_a_second_counts_that_is_at_least_half_filled() -> None:
    found = compared([span(0.5, 2.4)], [span(0, 3)], span(0, 10))

    assert found.seconds["walk"] == Counts(hits=2, predicted=2, annotated=3)
    assert found.seconds["walk"].precision == 1.0
    assert found.seconds["walk"].f1 == 0.8
    assert (found.num_seconds, found.num_left_out) == (10, 0)


def test_time_after_the_last_annotation_or_without_windows_is_not_compared() -> None:
    found = compared([span(1, 20)], [span(0, 4)], span(1, 30), until_s=4)

    assert found.seconds["walk"] == Counts(hits=3, predicted=3, annotated=3)
    assert found.bouts["walk"] == Counts(hits=1, predicted=1, annotated=1)
    assert (found.num_seconds, found.num_left_out) == (3, 1)


def test_overlapping_annotations_of_a_label_count_as_one() -> None:
    found = compared([span(0, 4)], [span(0, 3), span(2, 4)], span(0, 10))

    assert found.bouts["walk"] == Counts(1, 1, 1)


def test_bouts_match_one_to_one_from_half_of_their_union_on() -> None:
    truth = [span(0, 4), span(5, 7)]

    assert matches([span(0, 2)], truth) == [(0, 0)]
    assert matches([span(0, 1.9)], truth) == []
    assert matches([span(0, 2), span(2, 4)], truth) == [(0, 0)]
    assert matches([span(0.5, 4), span(5, 7)], truth) == [(0, 0), (1, 1)]


def test_labels_that_nobody_annotated_have_no_f1_but_count_against_precision() -> None:
    counts = Counts(hits=0, predicted=3, annotated=0)

    assert (counts.precision, counts.recall, counts.f1) == (0.0, None, None)


@given(SPANS)
def test_what_agrees_with_itself_is_perfect(spans: list[Span]) -> None:
    found = compared(spans, spans, span(0, 40), until_s=40)

    assert found.seconds["walk"].f1 in (1.0, None)
    assert found.bouts["walk"].f1 in (1.0, None)


@given(SPANS, SPANS)
def test_sides_are_exchangeable(predicted: list[Span], annotated: list[Span]) -> None:
    there = compared(predicted, annotated, span(0, 40), until_s=40)
    back = compared(annotated, predicted, span(0, 40), until_s=40)

    assert there.seconds["walk"].hits == back.seconds["walk"].hits
    assert there.bouts["walk"].hits == back.bouts["walk"].hits
    assert there.seconds["walk"].predicted == back.seconds["walk"].annotated


@given(SPANS, SPANS)
def test_every_match_shares_enough_and_nothing_matches_twice(
    found: list[Span], truth: list[Span]
) -> None:
    pairs = matches(found, truth)

    assert all(2 * shared_share(found[one], truth[other]) >= 1 for one, other in pairs)
    assert len({one for one, _ in pairs}) == len({other for _, other in pairs}) == len(pairs)


def test_recordings_add_up() -> None:
    one = compared([span(0, 2)], [span(0, 3)], span(0, 10))
    two = compared([], [span(4, 6)], span(0, 10))

    total = one + two

    assert total.seconds["walk"] == Counts(hits=2, predicted=2, annotated=5)
    assert total.num_seconds == 20
