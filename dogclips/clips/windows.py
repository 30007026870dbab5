"""Fixed windows over annotation time, and the labels that each of them gets."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from dogclips.timebase import Span


@dataclass(frozen=True)
class Window:
    """A candidate clip in annotation time, and its labels in class order."""

    span: Span
    labels: tuple[str, ...]


def plan_windows(
    segments: Sequence[tuple[Span, str]],
    classes: Sequence[str],
    *,
    clip_s: Fraction,
    stride_s: Fraction,
    min_overlap_s: Fraction,
    until_s: Fraction,
) -> list[Window]:
    """Lay windows on a grid from 0 of annotation time and label them.

    A window gets a label if that behaviour fills at least `min_overlap_s` of it; segments of the
    same label that overlap or follow each other count together.

    Parameters
    ----------
    segments
        Annotated spans with their class names.
    until_s
        Windows start before this time.
    """
    spans = {name: [span for span, label in segments if label == name] for name in classes}
    merged = {name: merge_spans(own) for name, own in spans.items()}
    windows = []
    start = Fraction(0)
    while start < until_s:
        span = Span(start, start + clip_s)
        windows.append(Window(span, _labels(span, merged, min_overlap_s)))
        start += stride_s
    return windows


def merge_spans(spans: Iterable[Span]) -> list[Span]:
    """Return the union of spans as disjoint spans in time order.

    >>> merge_spans([Span(Fraction(2), Fraction(5)), Span(Fraction(0), Fraction(3))])
    [Span(start=Fraction(0, 1), end=Fraction(5, 1))]
    """
    merged: list[Span] = []
    for span in sorted(spans, key=lambda span: span.start):
        if merged and span.start <= merged[-1].end:
            merged[-1] = Span(merged[-1].start, max(merged[-1].end, span.end))
        else:
            merged.append(span)
    return merged


def _labels(
    window: Span, merged: Mapping[str, list[Span]], min_overlap_s: Fraction
) -> tuple[str, ...]:
    return tuple(
        name
        for name, spans in merged.items()
        if sum(window.overlap(span) for span in spans) >= min_overlap_s
        and any(window.overlap(span) for span in spans)
    )
