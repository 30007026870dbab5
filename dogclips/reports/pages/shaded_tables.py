"""Tables of a data set whose cells are darker the more they hold, or the further off they are."""

from collections.abc import Sequence
from dataclasses import dataclass

from dogclips.lists.splits import label_counts
from dogclips.records.split import SPLITS
from dogclips.scores.dataset import Dataset, ListedSplit, segment_lengths, shown_together

_FULL_SHADE = 0.75  # so that black digits stay legible


@dataclass(frozen=True)
class ShadedCell:
    """A number in words, what it means, and how dark it is, from 0 to 1."""

    text: str
    title: str = ""
    shade: float = 0.0


@dataclass(frozen=True)
class ShadedTable:
    """Rows of cells under their names."""

    columns: Sequence[str]
    rows: Sequence[tuple[str, Sequence[ShadedCell]]]


def together_table(dataset: Dataset) -> ShadedTable:
    """Show how many clips show two labels at once; shaded by the share of the row's clips."""
    classes, rows = dataset.classes, []
    for name, own in zip(classes, shown_together(dataset).tolist(), strict=True):
        whole = own[classes.index(name)]
        cells = []
        for other, number in zip(classes, own, strict=True):
            if other == name:
                cells.append(ShadedCell(f"{number:,}", f"{name}: {number:,} clips"))
                continue
            share = number / max(whole, 1)
            title = f"{number:,} clips of {name} ({share:.0%}) show {other} as well"
            cells.append(ShadedCell(f"{number:,}" if number else "", title, _FULL_SHADE * share))
        rows.append((name, cells))
    return ShadedTable([*map(str, range(len(classes)))], rows)


def lengths_table(dataset: Dataset) -> ShadedTable:
    """Show how many segments of each label are how long; shaded by the most of the row."""
    counts = segment_lengths(dataset)
    rows: list[tuple[str, list[ShadedCell]]] = []
    for name, own in zip(counts.index, counts.to_numpy().tolist(), strict=True):
        called = "all labels" if not rows else name
        most = max([*own, 1])
        cells = [
            ShadedCell(
                f"{number:,}" if number else "",
                f"{called}: {number:,} segments of {length} s",
                _FULL_SHADE * number / most,
            )
            for length, number in zip(counts.columns, own, strict=True)
        ]
        rows.append((name, cells))
    return ShadedTable(list(counts.columns), rows)


def balance_table(split: ListedSplit) -> ShadedTable:
    """Show clips with each label in each split; shaded by how far their ratio is off."""
    clips, whole = split.clips, max(len(split.clips), 1)
    parts = [part for part in SPLITS if (clips["split"] == part).any()]
    counts = label_counts(clips, clips["split"], len(split.names), parts)
    sizes = clips["split"].value_counts().reindex(parts)
    recordings = clips.groupby("split")["recording"].nunique()
    rows = []
    for name, own in zip(split.names, counts.to_numpy().tolist(), strict=True):
        overall = sum(own) / whole
        cells = map(_balance, own, sizes, [overall] * len(parts))
        rows.append((name, [ShadedCell(f"{sum(own):,} ({overall:.1%})"), *cells]))
    ends = [f"{whole:,}", *(f"{size:,} ({size / whole:.1%})" for size in sizes)]
    rows.append(("clips", [*map(ShadedCell, ends)]))
    ends = [f"{clips['recording'].nunique():,}", *(f"{recordings[part]:,}" for part in parts)]
    rows.append(("recordings", [*map(ShadedCell, ends)]))
    return ShadedTable(["all", *parts], rows)


def _balance(number: int, size: int, overall: float) -> ShadedCell:
    ratio = number / max(size, 1)
    off = 100 * (ratio - overall)
    title = f"{ratio:.1%} of its clips, {overall:.1%} of all: {off:+.1f} points"
    # Twenty points off, or none of a label that is there: as dark as it gets.
    shade = 1.0 if not number and overall else min(abs(off) / 20, 1.0)
    return ShadedCell(f"{number:,} ({ratio:.1%}, {off:+.1f})", title, _FULL_SHADE * shade)
