from fractions import Fraction
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from dogclips.alignment import MapPiece, TimeMap
from dogclips.timebase import Span

times = st.fractions(-1000, 1000, max_denominator=90_000)
lengths = st.fractions(Fraction(1, 100), 1000, max_denominator=1001)
scales = st.fractions(Fraction(999, 1000), Fraction(1001, 1000), max_denominator=10**6)
shares = st.fractions(0, 1, max_denominator=1000).filter(lambda share: share < 1)
losses = st.fractions(0, 10, max_denominator=1001)


@st.composite
def time_maps(draw: st.DrawFn) -> TimeMap:
    """Draw pieces that follow each other; between two of them either stream lost frames.

    During a loss only the other stream runs on, so this one shows the next piece at once.
    """
    reference = draw(times)
    target = draw(times)
    pieces = []
    for _ in range(draw(st.integers(1, 4))):
        length, scale = draw(lengths), draw(scales)
        pieces.append(MapPiece(Span(reference, reference + length), target, scale))
        target += length * scale + draw(losses)
        reference += length + draw(losses)
    return TimeMap(tuple(pieces))


@given(time_maps(), st.data())
def test_within_a_piece_the_way_there_and_back_is_exact(
    time_map: TimeMap, data: st.DataObject
) -> None:
    piece = data.draw(st.sampled_from(time_map.pieces))
    share = data.draw(shares)
    reference_s = piece.reference.start + share * piece.reference.duration
    target_s = time_map.to_target(reference_s)
    assert time_map.to_reference(target_s) == reference_s


@given(time_maps(), st.data(), shares, shares)
def test_within_a_piece_the_target_runs_at_the_scale_of_its_clock(
    time_map: TimeMap, data: st.DataObject, one: Fraction, other: Fraction
) -> None:
    piece = data.draw(st.sampled_from(time_map.pieces))
    earlier, later = (
        piece.reference.start + share * piece.reference.duration for share in (one, other)
    )
    step = time_map.to_target(later) - time_map.to_target(earlier)
    assert step == (later - earlier) * piece.scale


@given(time_maps())
def test_over_all_pieces_later_never_becomes_earlier(time_map: TimeMap) -> None:
    instants = sorted(
        piece.reference.start + share * piece.reference.duration
        for piece in time_map.pieces
        for share in (Fraction(0), Fraction(1, 3), Fraction(2, 3))
    )
    mapped = [time_map.to_target(instant) for instant in instants]
    assert all(before < after for before, after in pairwise(mapped))
    assert [time_map.to_reference(target_s) for target_s in mapped] == instants


@given(time_maps())
def test_each_piece_begins_at_its_target_time(time_map: TimeMap) -> None:
    for piece in time_map.pieces:
        assert time_map.to_target(piece.reference.start) == piece.target_start


@given(time_maps(), st.fractions(0, 100, max_denominator=1001).filter(bool))
def test_nothing_is_clamped_outside_of_the_pieces(time_map: TimeMap, beyond: Fraction) -> None:
    first, last = time_map.pieces[0], time_map.pieces[-1]
    before = time_map.to_target(first.reference.start - beyond)
    assert before == first.target_start - beyond * first.scale
    end = last.target_start + last.reference.duration * last.scale
    assert time_map.to_target(last.reference.end + beyond) == end + beyond * last.scale


def test_a_late_target_has_negative_times_before_it_starts() -> None:
    late = TimeMap((MapPiece(Span(Fraction(1, 2), Fraction(60)), Fraction(0)),))
    assert late.to_target(Fraction(0)) == Fraction(-1, 2)
    assert late.to_target(Fraction(1, 2)) == 0
    assert late.to_target(Fraction(4)) == Fraction(7, 2)


def test_what_the_reference_lost_lies_after_the_piece_before() -> None:
    before = MapPiece(Span(Fraction(0), Fraction(10)), Fraction(0))
    after = MapPiece(Span(Fraction(10), Fraction(20)), Fraction(12))
    lost = TimeMap((before, after))
    assert lost.to_target(Fraction(10)) == 12
    assert lost.to_reference(Fraction(11)) == 11
    assert lost.to_reference(Fraction(12)) == 10


spans = st.builds(lambda start, length: Span(start, start + length), times, lengths)


@given(time_maps(), st.lists(spans, max_size=3), spans)
def test_a_stretch_is_doubtful_if_any_instant_of_it_is(
    time_map: TimeMap, doubts: list[Span], stretch: Span
) -> None:
    doubtful = any(doubt.start < stretch.end and stretch.start < doubt.end for doubt in doubts)
    assert TimeMap(time_map.pieces, tuple(doubts)).is_doubtful(stretch) is doubtful


@given(time_maps(), st.data())
def test_a_stretch_is_broken_only_by_a_change_within_it(
    time_map: TimeMap, data: st.DataObject
) -> None:
    length = data.draw(lengths)
    for before, after in pairwise(time_map.pieces):
        change = after.reference.start
        assert time_map.is_broken(Span(change - length, change + length))
        assert not time_map.is_broken(Span(change, after.reference.end))
        assert not time_map.is_broken(Span(before.reference.start, change))
    assert not time_map.is_broken(Span(time_map.pieces[-1].reference.start, Fraction(10**6)))


def test_what_only_touches_a_doubt_is_not_doubtful() -> None:
    whole = MapPiece(Span(Fraction(0), Fraction(60)), Fraction(0))
    doubted = TimeMap((whole,), (Span(Fraction(4), Fraction(8)),))
    assert not doubted.is_doubtful(Span(Fraction(0), Fraction(4)))
    assert not doubted.is_doubtful(Span(Fraction(8), Fraction(12)))
    assert doubted.is_doubtful(Span(Fraction(0), Fraction(401, 100)))
    assert doubted.is_doubtful(Span(Fraction(5), Fraction(6)))
