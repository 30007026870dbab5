"""Spread groups of clips over splits so that every split gets its share of every label.

Iterative stratification after Sechidis, Tsoumakas and Vlahavas, "On the Stratification of
Multi-Label Data" (ECML PKDD 2011), first order: labels take their turn, the one with the fewest
clips left first, because later ones can still make up for what it spoils.

The paper places single examples, each into the split that wants most of the label whose turn it is.
Groups are of unequal size and bring other labels along, and under that rule the largest split takes
all large groups first. Two things are therefore different:

- A group goes where it lowers most the sum of (clips - wanted clips)^2 / (wanted clips) over all
  that it holds (chi-squared, as for any table of counts): a rare label and a small split count for
  as much as others. A label that has as many groups left as splits lack it goes to those.
- Then single moves and exchanges of groups follow while they lower that sum. None takes away the
  last group of a split, or its last group with a label. With very many groups only some of them
  are candidates: there is little left to gain.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, permutations
from operator import itemgetter

import numpy as np

_CANDIDATES = 1000  # groups that may move or be exchanged: a square table of them is kept
_STEPS = 1000
_FREE = -1


@dataclass(frozen=True)
class GroupCounts:
    """How many clips each group has, in all and with each label: a sparse table of entries.

    `group`, `column` and `number` have one value an entry. Column 0 counts clips, column
    `1 + label` those with the label. Entries are sorted by group, then column.
    """

    group: np.ndarray
    column: np.ndarray
    number: np.ndarray
    num_groups: int
    num_columns: int

    def totals(self) -> np.ndarray:
        """Return the sum of each column over all groups."""
        return np.bincount(self.column, self.number, self.num_columns).astype(np.int64)

    def groups_with(self) -> np.ndarray:
        """Return the number of groups that have an entry in each column."""
        return np.bincount(self.column, minlength=self.num_columns)


def count_groups(
    groups: np.ndarray, labels: Sequence[Sequence[int]], num_labels: int
) -> GroupCounts:
    """Count the clips of each group, in all and by label.

    Groups are numbered from 0 without gaps; a label that a clip names twice counts once.
    """
    lengths = np.fromiter(map(len, labels), np.int64, len(labels))
    flat = np.fromiter(chain.from_iterable(labels), np.int64, int(lengths.sum()))
    width = num_labels + 1
    clip = np.repeat(np.arange(len(groups)), lengths)
    pairs = np.unique(clip * width + flat + 1)
    cells = np.concatenate([groups[pairs // width] * width + pairs % width, groups * width])
    found, number = np.unique(cells, return_counts=True)
    num_groups = int(groups.max()) + 1 if len(groups) else 0
    return GroupCounts(found // width, found % width, number, num_groups, width)


def stratify(
    counts: GroupCounts,
    shares: Sequence[float],
    *,
    seed: int = 0,
    fixed: np.ndarray | None = None,
) -> np.ndarray:
    """Return the split of each group, as its index in `shares`.

    Each split wants its share, above 0, of all clips. The seed orders groups and splits that are
    alike. `fixed` has the split of each group that has one already, -1 for the others.
    """
    rng = np.random.default_rng(seed)
    rank = rng.permutation(counts.num_groups)
    placing = _Placing(counts, shares, rng.permutation(len(shares)).tolist())
    waiting = np.arange(counts.num_groups)
    if fixed is not None:
        waiting = np.flatnonzero(fixed == _FREE)
        for group in np.flatnonzero(fixed != _FREE).tolist():
            placing.put([group], int(fixed[group]))
    waiting = waiting[np.argsort(rank[waiting])]
    for alike in _turns(placing, waiting.tolist()):
        placing.place(alike)
    candidates = np.sort(waiting[:_CANDIDATES])
    return _improved(counts, np.array(placing.split), np.array(placing.targets), candidates)


_Held = tuple[tuple[int, int], ...]  # (column, number), columns in order


class _Placing:
    """Groups on their way into splits. Plain lists: each step looks at a few numbers only."""

    def __init__(self, counts: GroupCounts, shares: Sequence[float], order: list[int]) -> None:
        ends = np.cumsum(np.bincount(counts.group, minlength=counts.num_groups)).tolist()
        pairs = list(zip(counts.column.tolist(), counts.number.tolist(), strict=True))
        spans = zip([0, *ends], ends, strict=False)
        self.held: list[_Held] = [tuple(pairs[start:end]) for start, end in spans]
        self.left: list[int] = counts.totals().tolist()  # clips of waiting groups, by column
        self.groups_left: list[int] = counts.groups_with().tolist()
        self.shares = shares
        self.weights = [1 / max(total, 1) for total in self.left]
        self.targets = [[share * total for total in self.left] for share in shares]
        self.filled = [[0] * counts.num_columns for _ in shares]
        self.split = [_FREE] * counts.num_groups
        self.order = order  # in which splits that are alike come

    def put(self, alike: Sequence[int], split: int) -> None:
        """Give groups that hold the same to a split."""
        for group in alike:
            self.split[group] = split
        for column, number in self.held[alike[0]] if alike else ():
            self.filled[split][column] += number * len(alike)
            self.left[column] -= number * len(alike)
            self.groups_left[column] -= len(alike)

    def place(self, alike: Sequence[int]) -> None:
        """Give each of the groups, which hold the same, to the split that gains most by it."""
        held = self.held[alike[0]]
        done = 0
        while done < len(alike):
            spare = min(self.groups_left[column] for column, _ in held) - len(self.order)
            now = alike[done : done + max(spare, 1)]
            done += len(now)
            splits = self._open(held)
            gains, losses = self._gains(held, splits)
            given: list[list[int]] = [[] for _ in splits]
            for group in now:
                best = gains.index(max(gains))
                gains[best] -= losses[best]
                given[best].append(group)
            for split, own in zip(splits, given, strict=True):
                self.put(own, split)

    def _gains(self, held: _Held, splits: Sequence[int]) -> tuple[list[float], list[float]]:
        """Return how far a group lowers chi-squared in each split, and each further one less."""
        gains = []
        for split in splits:
            target, filled = self.targets[split], self.filled[split]
            gain = sum(
                number * (2 * (target[column] - filled[column]) - number) * self.weights[column]
                for column, number in held
            )
            gains.append(gain / self.shares[split])
        square = sum(number * number * self.weights[column] for column, number in held)
        return gains, [2 * square / self.shares[split] for split in splits]

    def _open(self, held: _Held) -> Sequence[int]:
        """Return the splits that a group may go to: those that would lack something else.

        Clips at all come first, then the label with the fewest groups left.
        """
        scarce = [column for column, _ in held if self.groups_left[column] <= len(self.order)]
        splits: Sequence[int] = self.order
        for column in sorted(scarce, key=lambda column: (column > 0, self.groups_left[column])):
            lacking = {split for split in self.order if not self.filled[split][column]}
            if len(lacking) >= self.groups_left[column]:
                splits = [split for split in splits if split in lacking] or splits
        return splits


def _turns(placing: _Placing, waiting: Sequence[int]) -> Iterator[list[int]]:
    """Yield waiting groups that hold the same, those first that have the label whose turn it is.

    Of these, the ones with most clips of the label come first, then the ones with most clips, then
    in the order of `waiting`.
    """
    alike: dict[_Held, list[int]] = {}
    for group in waiting:
        alike.setdefault(placing.held[group], []).append(group)
    holding: dict[int, list[tuple[int, int, _Held]]] = {}
    for held in alike:
        for column, number in held:
            holding.setdefault(column, []).append((-number, -held[0][1], held))
    for own in holding.values():
        own.sort(key=itemgetter(0, 1))
    while holding:
        column = min(holding, key=lambda column: (column == 0, placing.left[column], column))
        for *_, held in holding.pop(column):
            if held in alike:
                yield alike.pop(held)


def _improved(
    counts: GroupCounts, split: np.ndarray, targets: np.ndarray, candidates: np.ndarray
) -> np.ndarray:
    """Return the splits after moves and exchanges of candidates that lower chi-squared."""
    search = _Search(counts, split, targets, candidates)
    for _ in range(_STEPS):
        if not search.step():
            break
    improved = split.copy()
    improved[candidates] = search.split
    return improved


# Change of chi-squared, the row that moves, the row that comes back for it or -1, where to.
_Change = tuple[float, int, int, int]


@dataclass(frozen=True)
class _Part:
    """The candidates in a split, and the columns (of each) that it alone has there."""

    split: int
    rows: np.ndarray
    alone: np.ndarray


class _Search:
    """Candidates (rows) and what they hold (columns), while they change places.

    With `over` = clips - wanted clips of each split, moving x from p to r changes chi-squared by
    w_p (|x|^2 - 2 over_p x) + w_r (|x|^2 + 2 over_r x), w = 1 / share, products weighted by
    1 / (all clips of the column); an exchange of x and y is a move of x - y.
    """

    def __init__(
        self, counts: GroupCounts, split: np.ndarray, targets: np.ndarray, candidates: np.ndarray
    ) -> None:
        row_of = np.full(counts.num_groups, -1)
        row_of[candidates] = np.arange(len(candidates))
        rows = row_of[counts.group]
        own = rows >= 0
        self.held = np.zeros((len(candidates), counts.num_columns))
        self.held[rows[own], counts.column[own]] = counts.number[own]
        self.filled = np.zeros_like(targets)
        np.add.at(self.filled, (split[counts.group], counts.column), counts.number)
        self.split = split[candidates]
        self.targets = targets
        self.weights = targets[:, 0].sum() / np.maximum(targets[:, 0], 1e-9)
        totals = np.maximum(targets.sum(axis=0), 1)
        self.weighted = self.held / totals
        self.products = self.held @ self.weighted.T
        self.several = counts.groups_with() > 1  # a label of one group lacks elsewhere anyway

    def step(self) -> bool:
        """Make the best move or exchange; return False where none is left."""
        over = self.weighted @ (self.weights[:, None] * (self.filled - self.targets)).T
        parts = [self._part(split) for split in range(len(self.targets))]
        found = [
            best
            for p, r in permutations(range(len(parts)), 2)
            for best in (
                self._best_move(parts[p], r, over),
                self._best_exchange(parts[p], parts[r], over) if p < r else None,
            )
            if best is not None
        ]
        change, row, other, to = min(found, default=(0.0, -1, -1, -1))
        if change > -1e-9:
            return False
        if other >= 0:
            self._move(other, int(self.split[row]))
        self._move(row, to)
        return True

    def _part(self, split: int) -> _Part:
        rows = np.flatnonzero(self.split == split)
        held = self.held[rows]
        return _Part(split, rows, (held > 0) & (held == self.filled[split]) & self.several)

    def _best_move(self, part: _Part, r: int, over: np.ndarray) -> _Change | None:
        rows = part.rows[~part.alone.any(axis=1)]
        if not len(rows):
            return None
        p = part.split
        squares = self.products[rows, rows] * (self.weights[p] + self.weights[r])
        change = squares + 2 * (over[rows, r] - over[rows, p])
        best = int(change.argmin())
        return float(change[best]), int(rows[best]), -1, r

    def _best_exchange(self, part: _Part, other: _Part, over: np.ndarray) -> _Change | None:
        p, r, rows, others = part.split, other.split, part.rows, other.rows
        if not len(rows) or not len(others):
            return None
        pull = 2 * (over[:, r] - over[:, p])
        squares = np.diagonal(self.products)
        apart = squares[rows][:, None] + squares[others] - 2 * self.products[np.ix_(rows, others)]
        change = (self.weights[p] + self.weights[r]) * apart + pull[rows][:, None] - pull[others]
        for row in np.flatnonzero(part.alone.any(axis=1)):
            change[row, (self.held[others][:, part.alone[row]] == 0).any(axis=1)] = np.inf
        for row in np.flatnonzero(other.alone.any(axis=1)):
            change[(self.held[rows][:, other.alone[row]] == 0).any(axis=1), row] = np.inf
        one, two = divmod(int(change.argmin()), len(others))
        return float(change[one, two]), int(rows[one]), int(others[two]), r

    def _move(self, row: int, to: int) -> None:
        self.filled[self.split[row]] -= self.held[row]
        self.filled[to] += self.held[row]
        self.split[row] = to
