"""What `dogclips split` shows: how labels spread over train, val and test, or over folds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from statistics import fmean
from typing import Any

import pandas as pd
from rich.console import Group
from rich.markup import escape
from rich.table import Table

from dogclips.lists.groups import NONE, PLACES, SUBJECT
from dogclips.lists.splits import TEST, Decided, groups_by_label
from dogclips.reports.tables.style import new_table, with_remarks

_LEGEND = "labels: clips, % of the split's clips, points off the % of all clips"


@dataclass(frozen=True)
class _Spread:
    """Labels over the parts of a split, which are train, val and test, or folds.

    `counts` has the clips with each label, by part; `sizes` the clips of each part.
    """

    names: Sequence[str]
    counts: Mapping[str, Sequence[int]]
    sizes: Mapping[str, int]

    @property
    def filled(self) -> list[str]:
        return [part for part, size in self.sizes.items() if size]

    @property
    def size(self) -> int:
        return sum(self.sizes.values())

    def total(self, label: int) -> int:
        return sum(counts[label] for counts in self.counts.values())

    def overall(self, label: int) -> float:
        return self.total(label) / max(self.size, 1)

    def ratio(self, label: int, part: str) -> float:
        return self.counts[part][label] / max(self.sizes[part], 1)

    def off(self, label: int, part: str) -> float:
        return self.ratio(label, part) - self.overall(label)

    def deviations(self) -> list[tuple[float, int, str]]:
        """Return how far the ratio of each label in each part is off, the label and the part."""
        labels = range(len(self.names))
        return [(abs(self.off(own, part)), own, part) for own in labels for part in self.filled]

    def cell(self, label: int, part: str) -> str:
        shown = f"{100 * self.ratio(label, part):5.1f}% {_points(self.off(label, part))}"
        return f"{self.counts[part][label]} {shown}" if self.sizes[part] else "-"

    def all_cell(self, label: int) -> str:
        return f"{self.total(label)} {100 * self.overall(label):5.1f}%"


def split_table(
    clips: pd.DataFrame,
    splits: pd.Series,
    counts: pd.DataFrame,
    names: Sequence[str],
    decided: Decided | None = None,
) -> Group:
    """Return clips with each label in each split, their ratio, and how far it is off.

    Parameters
    ----------
    clips
        Columns of `lists.sessions.CLIP_COLUMNS`.
    counts
        Clips for each label (rows) in each split (columns).
    decided
        What was asked for and found; None leaves out what only that can tell.
    """
    spread = _spread(splits, counts, names)
    table = new_table()
    table.add_column("label", overflow="fold")
    for column in ("all", *spread.sizes):
        table.add_column(column, justify="right")
    for label, name in enumerate(names):
        cells = (spread.cell(label, part) for part in spread.sizes)
        table.add_row(escape(name), spread.all_cell(label), *cells)
    table.add_section()
    shares = {} if decided is None else decided.shares
    sizes = (_share(spread, part, shares.get(part)) for part in spread.sizes)
    table.add_row("clips", f"{spread.size} 100.0%", *sizes)
    for noun, groups in _groups(clips, decided).items():
        each = _numbers(groups, splits, spread)
        table.add_row(noun, str(groups.nunique()), *map(str, each.values()))
    legend = f"{_LEGEND};\nclips: % of all clips, points off the share asked for"
    remarks = [legend if shares else _LEGEND, *_remarks(clips, spread, decided)]
    return with_remarks("clips by label and split", table, "\n".join(remarks))


def fold_table(
    clips: pd.DataFrame,
    folds: pd.Series,
    counts: pd.DataFrame,
    names: Sequence[str],
    decided: Decided,
) -> Group:
    """Return, for each label, the folds in which its ratio is lowest and highest; then the folds.

    As `split_table`, with folds as splits; as wide for ten folds as for two.
    """
    spread = _spread(folds, counts, names)
    held_out = [TEST] if TEST in spread.sizes else []
    table = new_table()
    table.add_column("label", overflow="fold")
    for column in ("all", "lowest val", "highest val", *held_out):
        table.add_column(column, justify="right")
    parts = [part for part in spread.filled if part != TEST]
    for label, name in enumerate(names):
        ratios = {part: spread.ratio(label, part) for part in parts}
        ends = (min(parts, key=ratios.__getitem__), max(parts, key=ratios.__getitem__))
        cells = (f"{part}  {spread.cell(label, part)}" for part in ends)
        tests = (spread.cell(label, part) for part in held_out)
        table.add_row(escape(name), spread.all_cell(label), *cells, *tests)
    remarks = "\n".join([_LEGEND, *_remarks(clips, spread, decided)])
    sizes = _fold_sizes(clips, folds, spread, decided)
    return Group(with_remarks("clips by label and fold", table), with_remarks("", sizes, remarks))


def _fold_sizes(clips: pd.DataFrame, folds: pd.Series, spread: _Spread, decided: Decided) -> Table:
    """Return clips and groups of each fold's val, and of test."""
    groups = _groups(clips, decided)
    numbers = [_numbers(own, folds, spread) for own in groups.values()]
    table = new_table()
    table.add_column("fold")
    for column in ("val clips", *groups):
        table.add_column(column, justify="right")
    for part in spread.sizes:
        share = _share(spread, part, decided.shares.get(part))
        table.add_row(part, share, *(str(each[part]) for each in numbers))
    return table


def split_document(
    clips: pd.DataFrame,
    splits: pd.Series,
    counts: pd.DataFrame,
    names: Sequence[str],
    decided: Decided,
) -> dict[str, Any]:
    """Return the JSON document of `split --json`; with folds, these stand for the splits."""
    spread = _spread(splits, counts, names)
    kept = decided.kept and {
        "stayed": decided.kept.stayed,
        "followed": decided.kept.followed,
        "gone": decided.kept.gone,
    }
    return {
        "version": 1,
        **decided.settings,
        "clips": dict(spread.sizes),
        "recordings": _numbers(clips["recording"], splits, spread),
        "groups": _numbers(decided.grouping.names, splits, spread),
        "labels": {
            name: {part: counted[label] for part, counted in spread.counts.items()}
            for label, name in enumerate(names)
        },
        "ratios": {
            name: {"all": spread.overall(label)}
            | {part: spread.ratio(label, part) for part in spread.filled}
            for label, name in enumerate(names)
        },
        "mean_deviation": fmean([off for off, *_ in spread.deviations()] or [0.0]),
        "largest_deviation": _largest(spread),
        "unspread": _unspread(clips, spread, decided),
        "without_group": decided.grouping.strays,
        "kept": kept,
        "copies": _records(decided.copies),
        "unmatched": _records(decided.unmatched),
    }


def _records(table: pd.DataFrame | None) -> list[dict[Any, Any]] | None:
    return None if table is None else table.to_dict("records")


def _spread(splits: pd.Series, counts: pd.DataFrame, names: Sequence[str]) -> _Spread:
    parts = [str(part) for part in counts.columns]
    found = splits.value_counts().to_dict()
    by_part = {part: [int(number) for number in counts[part]] for part in parts}
    return _Spread(names, by_part, {part: int(found.get(part, 0)) for part in parts})


def _share(spread: _Spread, part: str, wanted: float | None) -> str:
    share = spread.sizes[part] / max(spread.size, 1)
    off = "" if wanted is None else f" {_points(share - wanted)}"
    return f"{spread.sizes[part]} {100 * share:5.1f}%{off}"


def _points(ratio: float) -> str:
    return f"{round(100 * ratio, 1) + 0.0:+5.1f}"  # without a minus before zero


def _groups(clips: pd.DataFrame, decided: Decided | None) -> dict[str, pd.Series]:
    """Return what is counted below the labels: recordings, and what else never parts."""
    recordings = {"recordings": clips["recording"]}
    if decided is None or decided.grouping.by in ("recording", NONE):
        return recordings
    return recordings | {f"{_noun(decided.grouping.by)}s": decided.grouping.names}


def _noun(by: str) -> str:
    return {NONE: "clip", SUBJECT: "subject group"}.get(by, by if by in PLACES else "group")


def _numbers(groups: pd.Series, splits: pd.Series, spread: _Spread) -> dict[str, int]:
    """Return the number of groups in each part."""
    found = groups.groupby(splits).nunique().to_dict()
    return {part: int(found.get(part, 0)) for part in spread.sizes}


def _largest(spread: _Spread) -> dict[str, Any] | None:
    deviations = spread.deviations()
    if not deviations:
        return None
    _, label, part = max(deviations, key=itemgetter(0))
    return {
        "label": spread.names[label],
        "split": part,
        "ratio": spread.ratio(label, part),
        "all": spread.overall(label),
    }


def _unspread(clips: pd.DataFrame, spread: _Spread, decided: Decided | None) -> dict[str, int]:
    """Return the number of groups of each label that has fewer of them than splits have clips."""
    if decided is None:
        return {}
    numbers = groups_by_label(clips, decided.grouping, len(spread.names))
    wanting = len(spread.filled)
    pairs = zip(spread.names, numbers, strict=True)
    return {name: number for name, number in pairs if 0 < number < wanting}


def _remarks(clips: pd.DataFrame, spread: _Spread, decided: Decided | None) -> list[str]:
    remarks = []
    found = _largest(spread)
    if found:
        remarks.append(
            f"largest deviation: {found['label']} in {found['split']}, "
            f"{found['ratio']:.1%} of its clips, {found['all']:.1%} of all"
        )
    for part in spread.filled:
        counts = zip(spread.names, spread.counts[part], strict=True)
        missing = [name for name, number in counts if not number]
        if missing:
            remarks.append(f"in no {part} clip: {', '.join(missing)}")
    return [*remarks, *(_findings(clips, spread, decided) if decided else [])]


def _findings(clips: pd.DataFrame, spread: _Spread, decided: Decided) -> list[str]:
    """Say what could not be spread, what has no group, and what was kept."""
    findings = []
    noun, kept, strays = _noun(decided.grouping.by), decided.kept, decided.grouping.strays
    unspread = _unspread(clips, spread, decided)
    if unspread:
        each = (f"{name} ({_count(number, noun)})" for name, number in unspread.items())
        findings.append(f"in too few groups to reach every split: {', '.join(each)}")
    if strays:
        findings.append(
            f"{_count(strays, 'clip')} without {decided.grouping.by}: grouped by recording"
        )
    if kept:
        placed = len(clips) - kept.stayed - kept.followed
        findings.append(
            f"kept: {_count(kept.stayed, 'clip')} where they were, {kept.followed} new in kept "
            f"groups; {placed} placed now; {kept.gone} earlier ones are gone"
        )
    return findings


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
