"""What `dogclips split` shows: how labels spread over train, val and test, or over folds."""

from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter
from statistics import fmean
from typing import Any

import pandas as pd
from rich.console import Group

from dogclips.lists.groups import NONE, PLACES, SUBJECT
from dogclips.lists.splits import TEST, MadeSplit, groups_by_label, label_counts
from dogclips.reports.tables.style import filled_table, marked

_LEGEND = "labels: clips, % of the split's clips, points off the % of all clips"
_SIZES = "clips: % of all clips, points off the share asked for"


def split_table(made: MadeSplit) -> Group:
    """Return clips with each label in each split, their ratio, and how far it is off."""
    balance = _Balance(made)
    rows: list[list[str] | None] = [
        [name, balance.cell_of_all(name), *(balance.cell(name, part) for part in balance.sizes)]
        for name in made.names
    ]
    shares = (balance.share(part) for part in balance.sizes)
    rows += [None, ["clips", f"{len(made.clips)} 100.0%", *shares]]
    for noun, groups in balance.groups.items():
        each = balance.groups_by_part(groups)
        rows.append([noun, str(groups.nunique()), *map(str, each.values())])
    remarks = "\n".join([f"{_LEGEND};\n{_SIZES}", *balance.remarks()])
    columns = ("label", *marked(("all", *balance.sizes), ">"))
    return filled_table("clips by label and split", columns, rows, remarks)


def fold_table(made: MadeSplit) -> Group:
    """Return, for each label, the folds in which its ratio is lowest and highest; then the folds.

    As `split_table`, with folds as splits; as wide for ten folds as for two.
    """
    balance = _Balance(made)
    held_out = [TEST] if TEST in balance.sizes else []
    folds = [part for part in balance.filled if part != TEST]
    rows = []
    for name in made.names:
        ratios = {fold: balance.ratio(name, fold) for fold in folds}
        ends = (min(folds, key=ratios.__getitem__), max(folds, key=ratios.__getitem__))
        cells = (f"{fold}  {balance.cell(name, fold)}" for fold in ends)
        tests = (balance.cell(name, part) for part in held_out)
        rows.append((name, balance.cell_of_all(name), *cells, *tests))
    heads = ("all", "lowest val", "highest val", *held_out)
    labels = filled_table("clips by label and fold", ("label", *marked(heads, ">")), rows)
    counts = [balance.groups_by_part(own) for own in balance.groups.values()]
    sizes = [
        (part, balance.share(part), *(each[part] for each in counts)) for part in balance.sizes
    ]
    remarks = "\n".join([_LEGEND, *balance.remarks()])
    columns = ("fold", *marked(("val clips", *balance.groups), ">"))
    return Group(labels, filled_table("", columns, sizes, remarks))


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
        own = (dict(zip(parts, row, strict=True)) for row in counts.to_numpy().tolist())
        return dict(zip(names, own, strict=True))

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
        whole = self.overall(name)
        return {"label": name, "split": part, "ratio": self.ratio(name, part), "all": whole}

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
