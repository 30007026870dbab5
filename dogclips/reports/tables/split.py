"""What `dogclips split` shows: how labels spread over train, val and test, or over folds."""

from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter
from statistics import fmean
from typing import Any

import pandas as pd
from rich.console import Group
from rich.markup import escape
from rich.table import Table

from dogclips.lists.groups import NONE, PLACES, SUBJECT
from dogclips.lists.splits import TEST, MadeSplit, groups_by_label, label_counts
from dogclips.reports.tables.style import marked, new_table, with_remarks

_LEGEND = "labels: clips, % of the split's clips, points off the % of all clips"
_SIZES = "clips: % of all clips, points off the share asked for"


def split_table(made: MadeSplit) -> Group:
    """Return clips with each label in each split, their ratio, and how far it is off."""
    balance = _Balance(made)
    table = new_table("label", *marked(("all", *balance.sizes), ">"))
    for name in made.names:
        cells = (balance.cell(name, part) for part in balance.sizes)
        table.add_row(escape(name), balance.cell_of_all(name), *cells)
    table.add_section()
    shares = (balance.share(part) for part in balance.sizes)
    table.add_row("clips", f"{len(made.clips)} 100.0%", *shares)
    for noun, groups in balance.groups.items():
        each = balance.groups_by_part(groups)
        table.add_row(noun, str(groups.nunique()), *map(str, each.values()))
    remarks = "\n".join([f"{_LEGEND};\n{_SIZES}", *balance.remarks()])
    return with_remarks("clips by label and split", table, remarks)


def fold_table(made: MadeSplit) -> Group:
    """Return, for each label, the folds in which its ratio is lowest and highest; then the folds.

    As `split_table`, with folds as splits; as wide for ten folds as for two.
    """
    balance = _Balance(made)
    held_out = [TEST] if TEST in balance.sizes else []
    folds = [part for part in balance.filled if part != TEST]
    table = new_table("label", *marked(("all", "lowest val", "highest val", *held_out), ">"))
    for name in made.names:
        ratios = {fold: balance.ratio(name, fold) for fold in folds}
        ends = (min(folds, key=ratios.__getitem__), max(folds, key=ratios.__getitem__))
        cells = (f"{fold}  {balance.cell(name, fold)}" for fold in ends)
        tests = (balance.cell(name, part) for part in held_out)
        table.add_row(escape(name), balance.cell_of_all(name), *cells, *tests)
    remarks = "\n".join([_LEGEND, *balance.remarks()])
    sizes = with_remarks("", _fold_sizes(balance), remarks)
    return Group(with_remarks("clips by label and fold", table), sizes)


def _fold_sizes(balance: "_Balance") -> Table:
    """Return clips and groups of each fold's val, and of test."""
    counts = [balance.groups_by_part(own) for own in balance.groups.values()]
    table = new_table("fold", *marked(("val clips", *balance.groups), ">"))
    for part in balance.sizes:
        table.add_row(part, balance.share(part), *(str(each[part]) for each in counts))
    return table


def split_document(made: MadeSplit) -> dict[str, Any]:
    """Return the JSON document of `split --json`; with folds, these stand for the splits."""
    balance, kept = _Balance(made), made.kept
    copies, unmatched = (
        None if table is None else table.to_dict("records")
        for table in (made.copies, made.unmatched)
    )
    return {
        **made.settings,
        "clips": balance.sizes,
        "recordings": balance.groups_by_part(made.clips["recording"]),
        "groups": balance.groups_by_part(made.grouping.names),
        "labels": balance.counts,
        "ratios": {
            name: {"all": balance.overall(name)}
            | {part: balance.ratio(name, part) for part in balance.filled}
            for name in made.names
        },
        "mean_deviation": fmean([off for off, *_ in balance.deviations] or [0.0]),
        "largest_deviation": balance.largest,
        "unspread": balance.unspread,
        "without_group": made.grouping.strays,
        "kept": kept and {name: getattr(kept, name) for name in ("stayed", "followed", "gone")},
        "copies": copies,
        "unmatched": unmatched,
    }


@dataclass(frozen=True, eq=False)
class _Balance:
    """How labels spread over the parts of a split, which are train, val and test, or folds."""

    made: MadeSplit

    @cached_property
    def counts(self) -> dict[str, dict[str, int]]:
        """Return the clips with each label in each part."""
        names, parts = self.made.names, list(self.made.shares)
        counts = label_counts(self.made.clips, self.made.splits, len(names), parts)
        return {
            name: dict(zip(parts, own, strict=True))
            for name, own in zip(names, counts.to_numpy().tolist(), strict=True)
        }

    @cached_property
    def sizes(self) -> dict[str, int]:
        """Return the clips of each part."""
        found = self.made.splits.value_counts()
        return {part: int(found.get(part, 0)) for part in self.made.shares}

    @property
    def filled(self) -> list[str]:
        return [part for part, size in self.sizes.items() if size]

    def ratio(self, name: str, part: str) -> float:
        return self.counts[name][part] / max(self.sizes[part], 1)

    def overall(self, name: str) -> float:
        return sum(self.counts[name].values()) / max(len(self.made.clips), 1)

    def off(self, name: str, part: str) -> float:
        return self.ratio(name, part) - self.overall(name)

    @cached_property
    def deviations(self) -> list[tuple[float, str, str]]:
        """Return how far the ratio of each label in each part is off, the label and the part."""
        return [
            (abs(self.off(name, part)), name, part)
            for name in self.made.names
            for part in self.filled
        ]

    @property
    def largest(self) -> dict[str, Any] | None:
        """Return the label and the part whose ratio is farthest off."""
        if not self.deviations:
            return None
        _, name, part = max(self.deviations, key=itemgetter(0))
        ratios = {"ratio": self.ratio(name, part), "all": self.overall(name)}
        return {"label": name, "split": part, **ratios}

    @property
    def groups(self) -> dict[str, pd.Series]:
        """Return what is counted below the labels: recordings, and what else never parts."""
        grouping, recordings = self.made.grouping, {"recordings": self.made.clips["recording"]}
        if grouping.by in ("recording", NONE):
            return recordings
        return recordings | {f"{_noun(grouping.by)}s": grouping.names}

    def groups_by_part(self, groups: pd.Series) -> dict[str, int]:
        """Return the number of groups in each part."""
        found = groups.groupby(self.made.splits).nunique()
        return {part: int(found.get(part, 0)) for part in self.sizes}

    @cached_property
    def unspread(self) -> dict[str, int]:
        """Return the number of groups of each label that has fewer than splits have clips."""
        names, wanting = self.made.names, len(self.filled)
        found = groups_by_label(self.made.clips, self.made.grouping, len(names))
        pairs = zip(names, found, strict=True)
        return {name: number for name, number in pairs if 0 < number < wanting}

    def cell(self, name: str, part: str) -> str:
        shown = f"{100 * self.ratio(name, part):5.1f}% {_points(self.off(name, part))}"
        return f"{self.counts[name][part]} {shown}" if self.sizes[part] else "-"

    def cell_of_all(self, name: str) -> str:
        return f"{sum(self.counts[name].values())} {100 * self.overall(name):5.1f}%"

    def share(self, part: str) -> str:
        share = self.sizes[part] / max(len(self.made.clips), 1)
        off = _points(share - self.made.shares[part])
        return f"{self.sizes[part]} {100 * share:5.1f}% {off}"

    def remarks(self) -> list[str]:
        """Say what is off, missing or could not be spread, what has no group, what was kept."""
        remarks, found = [], self.largest
        if found:
            remarks.append(
                f"largest deviation: {found['label']} in {found['split']}, "
                f"{found['ratio']:.1%} of its clips, {found['all']:.1%} of all"
            )
        for part in self.filled:
            missing = [name for name, own in self.counts.items() if not own[part]]
            if missing:
                remarks.append(f"in no {part} clip: {', '.join(missing)}")
        noun, kept, strays = _noun(self.made.grouping.by), self.made.kept, self.made.grouping.strays
        if self.unspread:
            each = (f"{name} ({_count(number, noun)})" for name, number in self.unspread.items())
            remarks.append(f"in too few groups to reach every split: {', '.join(each)}")
        if strays:
            by = self.made.grouping.by
            remarks.append(f"{_count(strays, 'clip')} without {by}: grouped by recording")
        if kept:
            placed = len(self.made.clips) - kept.stayed - kept.followed
            remarks.append(
                f"kept: {_count(kept.stayed, 'clip')} where they were, {kept.followed} new in kept "
                f"groups; {placed} placed now; {kept.gone} earlier ones are gone"
            )
        return remarks


def _points(ratio: float) -> str:
    return f"{round(100 * ratio, 1) + 0.0:+5.1f}"  # without a minus before zero


def _noun(by: str) -> str:
    return {NONE: "clip", SUBJECT: "subject group"}.get(by, by if by in PLACES else "group")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
