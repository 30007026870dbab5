"""What `dogclips split` shows: how labels spread over train, val and test, or over folds."""

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
        ratio = balance.ratios[name].__getitem__
        ends = min(folds, key=ratio), max(folds, key=ratio)
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
    balance, kept, out = _Balance(made), made.kept, made.left_out
    return {
        **made.settings,
        "left_out": [] if out is None else out.to_dict("records"),
        "clips": balance.sizes,
        "recordings": balance.groups_by_part(made.clips["recording"]),
        "groups": balance.groups_by_part(made.grouping.names),
        "labels": balance.counts,
        "ratios": {
            name: {"all": balance.overall[name]} | own for name, own in balance.ratios.items()
        },
        "mean_deviation": fmean([off for off, *_ in balance.deviations] or [0.0]),
        "largest_deviation": balance.largest,
        "unspread": balance.unspread,
        "without_group": made.grouping.strays,
        "kept": kept and {name: getattr(kept, name) for name in ("stayed", "followed", "gone")},
        "copies": None if made.copies is None else made.copies.to_dict("records"),
        "unmatched": None if made.unmatched is None else made.unmatched.to_dict("records"),
    }


class _Balance:
    """How labels spread over the parts of a split, which are train, val and test, or folds."""

    def __init__(self, made: MadeSplit) -> None:
        self.made, parts, whole = made, list(made.shares), max(len(made.clips), 1)
        found = made.splits.value_counts()
        self.sizes = {part: int(found.get(part, 0)) for part in parts}  # clips
        self.filled = [part for part, size in self.sizes.items() if size]
        table = label_counts(made.clips, made.splits, len(made.names), parts).to_numpy().tolist()
        rows = (dict(zip(parts, own, strict=True)) for own in table)
        self.counts = dict(zip(made.names, rows, strict=True))  # clips with a label in each part
        # The share of the clips with a label, of all clips and of those of each part with any.
        self.overall = {name: sum(own.values()) / whole for name, own in self.counts.items()}
        self.ratios = {
            name: {part: own[part] / self.sizes[part] for part in self.filled}
            for name, own in self.counts.items()
        }
        # How far the ratio of each label in each part is off, and where it is farthest off.
        self.deviations = [
            (abs(ratio - self.overall[name]), name, part)
            for name, own in self.ratios.items()
            for part, ratio in own.items()
        ]
        self.largest: dict[str, Any] | None = None
        if self.deviations:
            _, name, part = max(self.deviations, key=itemgetter(0))
            ratios = {"ratio": self.ratios[name][part], "all": self.overall[name]}
            self.largest = {"label": name, "split": part, **ratios}
        # The groups of each label that has fewer than splits have clips.
        number = zip(
            made.names, groups_by_label(made.clips, made.grouping, len(made.names)), strict=True
        )
        self.unspread = {name: own for name, own in number if 0 < own < len(self.filled)}

    @property
    def groups(self) -> dict[str, pd.Series]:
        """Return what is counted below the labels: recordings, and groups that stay together."""
        grouping, recordings = self.made.grouping, {"recordings": self.made.clips["recording"]}
        if grouping.by in ("recording", NONE):
            return recordings
        return recordings | {f"{_noun(grouping.by)}s": grouping.names}

    def groups_by_part(self, groups: pd.Series) -> dict[str, int]:
        """Return the number of groups in each part."""
        found = groups.groupby(self.made.splits).nunique()
        return {part: int(found.get(part, 0)) for part in self.sizes}

    def cell(self, name: str, part: str) -> str:
        if not self.sizes[part]:
            return "-"
        ratio = self.ratios[name][part]
        off = _points(ratio - self.overall[name])
        return f"{self.counts[name][part]} {100 * ratio:5.1f}% {off}"

    def cell_of_all(self, name: str) -> str:
        return f"{sum(self.counts[name].values())} {100 * self.overall[name]:5.1f}%"

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
        by, strays, kept = self.made.grouping.by, self.made.grouping.strays, self.made.kept
        if self.unspread:
            noun, groups = _noun(by), self.unspread.items()
            each = ", ".join(f"{name} ({_count(number, noun)})" for name, number in groups)
            remarks.append(f"in too few groups to reach every split: {each}")
        if strays:
            remarks.append(f"{_count(strays, 'clip')} without {by}: grouped by recording")
        if self.made.left_out is not None and len(self.made.left_out):
            counts = self.made.left_out["verdict"].value_counts().items()
            listed = ", ".join(f"{number} {verdict}" for verdict, number in counts)
            remarks.append(f"left out by their verdict: {listed}; see --verdicts")
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
