"""Clips of different splits that show the same footage: a leak through copies.

Three things are evidence: the same stretch of time of one recording, the same motion (see
`media.thumbprint`), whatever was done to the file, and the same bytes.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dogclips.errors import MediaError
from dogclips.media.thumbprint import COLUMNS, HOPS, MOST_S, ROWS, Thumbprint, thumbprint
from dogclips.processes import of_each

_Indices = NDArray[np.int64]

COPY_COLUMNS = ("path", "split", "other", "other_split", "likeness")
# `status` is "unread" (with the fault), "still" or "repeating"; `reason` says it in words.
UNMATCHED_COLUMNS = ("path", "split", "status", "reason")

# Measured on 370 clips of real recordings, with ten changed copies of every sixth: of the copies
# with another size, quality, rate or light 98 % lie above; the likest of 67,000 unrelated pairs
# reaches 0.73. Six moving steps are at least 1.2 s.
_ALIKE = 0.78
_MOVING_STEPS = 6.0
# Motion that comes again within the clip, as a fan's, tells no moment from another.
_REPEATS = 0.6
_REPEATS_AFTER = 3  # steps; what moves steadily is like itself a moment later
_REPEATS_LEAST = 5  # steps that are compared
_REPEATS_MOVING = 2.0  # of which so many move
# Pairs are compared in full if they are about alike along the axes that hold most of all motion,
# perhaps half a step off.
_AXES = 32
_COARSE = 0.2
_LEAST_SHARED = int(_MOVING_STEPS)  # steps; fewer cannot hold so much motion
_AT_ONCE = 4_000_000  # pairs whose coarse motion is compared at a time
_IN_FULL = 2_000  # pairs that are compared in full at a time


def copies_between(
    clips: pd.DataFrame, splits: pd.Series, *, progress: Callable[[int], None] = lambda _: None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the pairs of clips in different splits that show the same footage.

    Clips may be shifted against each other in time, as long as something moves for 1.2 s of what
    both show. The first `MOST_S` seconds of every clip are decoded.

    Returns
    -------
    copies
        Columns of `COPY_COLUMNS`, one row a pair, most alike first; `path` is listed before
        `other`. `likeness` is a correlation of motion, the share of time that both show, or 1 for
        the same bytes; the largest of them.
    unmatched
        Columns of `UNMATCHED_COLUMNS`, one row a clip that motion could not tell from others.
    """
    paths, names = clips["path"].tolist(), splits.loc[clips.index].tolist()
    split = np.array(names, dtype=str)
    prints: dict[int, Thumbprint] = {}
    unmatched = []
    taken = of_each(thumbprint, [Path(path) for path in paths], progress)
    for index, own in enumerate(taken):
        doubt = _doubt(own)
        if doubt is not None:
            unmatched.append((index, *doubt))
        elif not isinstance(own, MediaError):
            prints[index] = own
    pairs = (
        *_sharing_time(clips, split),
        *_moving_alike(prints, split),
        *_same_bytes(clips, [index for index, *_ in unmatched], split),
    )
    rows = [(paths[index], names[index], *doubt) for index, *doubt in unmatched]
    return _table(pairs, paths, names), pd.DataFrame(rows, columns=[*UNMATCHED_COLUMNS])


def _doubt(taken: Thumbprint | MediaError) -> tuple[str, str] | None:
    """Return why motion cannot tell a clip from others, as status and reason; None if it can."""
    if isinstance(taken, MediaError):
        return "unread", taken.what
    steps = taken[::HOPS]
    if float((steps**2).sum()) < _MOVING_STEPS:
        return "still", f"less than 1.2 s of its first {MOST_S} s move"
    if _likeness_to_itself(steps) > _REPEATS:
        return "repeating", "its motion repeats itself"
    return None


@dataclass(frozen=True, eq=False)
class _Pairs:
    """Pairs of indices in the table of clips, and how alike they are."""

    first: _Indices
    second: _Indices
    likeness: NDArray[np.float64]


def _table(pairs: Iterable[_Pairs], paths: Sequence[str], names: Sequence[str]) -> pd.DataFrame:
    best: dict[tuple[int, int], float] = {}
    for found in pairs:
        triples = zip(
            found.first.tolist(), found.second.tolist(), found.likeness.tolist(), strict=True
        )
        for first, second, likeness in triples:
            pair = min(first, second), max(first, second)
            best[pair] = max(best.get(pair, 0.0), min(likeness, 1.0))
    ordered = sorted(best.items(), key=lambda item: (-item[1], item[0]))
    rows = [(paths[p], names[p], paths[q], names[q], alike) for (p, q), alike in ordered]
    return pd.DataFrame(rows, columns=[*COPY_COLUMNS])


def _sharing_time(clips: pd.DataFrame, split: NDArray[np.str_]) -> Iterator[_Pairs]:
    """Yield clips of one recording that overlap; likeness is the share of the shorter one."""
    timed = clips.assign(index=np.arange(len(clips))).dropna(subset=["start_s", "end_s"])
    timed = timed.sort_values(["recording", "start_s"], kind="stable")
    recording = timed["recording"].to_numpy()
    start, end = (timed[name].to_numpy(dtype=np.float64) for name in ("start_s", "end_s"))
    index = timed["index"].to_numpy(dtype=np.int64)
    for apart in range(1, len(timed)):
        # A thousandth makes up for rounded times.
        near = (recording[apart:] == recording[:-apart]) & (start[apart:] < end[:-apart] - 0.001)
        if not near.any():
            return  # clips further apart begin later still
        shared = np.minimum(end[:-apart], end[apart:]) - start[apart:]
        shorter = np.minimum(end[:-apart] - start[:-apart], end[apart:] - start[apart:])
        leak = near & (split[index[apart:]] != split[index[:-apart]])
        yield _Pairs(index[:-apart][leak], index[apart:][leak], (shared / shorter)[leak])


def _same_bytes(
    clips: pd.DataFrame, indices: list[int], split: NDArray[np.str_]
) -> Iterator[_Pairs]:
    known = clips["sha256"].fillna("").astype(str).tolist()
    paths = clips["path"].tolist()
    alike: dict[str, list[int]] = {}
    for index in indices:
        digest = known[index] or _digest(Path(paths[index]))
        if digest:
            alike.setdefault(digest, []).append(index)
    for same in alike.values():
        found = [pair for pair in combinations(same, 2) if split[pair[0]] != split[pair[1]]]
        if found:
            first, second = np.array(found, dtype=np.int64).T
            yield _Pairs(first, second, np.ones(len(found)))


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""  # it is unread, and says so


def _likeness_to_itself(steps: Thumbprint) -> float:
    """Return how much the motion of a clip is like its own a while later."""
    alike, squares = steps @ steps.T, np.cumsum((steps**2).sum(axis=1))
    best = 0.0
    for lag in range(_REPEATS_AFTER, len(steps) - _REPEATS_LEAST + 1):
        early, late = squares[-lag - 1], squares[-1] - squares[lag - 1]
        if min(early, late) >= _REPEATS_MOVING:
            best = max(best, float(np.trace(alike, offset=lag) / np.sqrt(early * late)))
    return best


@dataclass(frozen=True, eq=False)
class _Films:
    """The thumbprints of M clips of one split, padded with zeros to N steps.

    Each comes twice: from its start, and from half a step later, so that any shift of two clips
    is at most a quarter of a step away from one that is compared.
    """

    indices: _Indices  #: Shape (M,): the clips' indices in the table
    steps: Thumbprint  #: Shape (M, 2, N, cells): the vectors
    lengths: _Indices  #: Shape (M, 2): how many of them are no padding
    #: Shape (M, 2, N + 1): how many steps move before each step, the sum of squared lengths.
    moving: Thumbprint
    #: Shape (M, N, _AXES): `steps` from the start, along the axes in which most of them differ.
    coarse: Thumbprint

    @classmethod
    def of(
        cls, prints: dict[int, Thumbprint], indices: _Indices, num_steps: int, axes: Thumbprint
    ) -> "_Films":
        """Gather the thumbprints of the clips at `indices`."""
        steps = np.zeros((len(indices), HOPS, num_steps, ROWS * COLUMNS), dtype=np.float32)
        lengths = np.zeros((len(indices), HOPS), dtype=np.int64)
        for row, index in enumerate(indices.tolist()):
            for late in range(HOPS):
                own = prints[index][late::HOPS]
                steps[row, late, : len(own)] = own
                lengths[row, late] = len(own)
        moving = np.zeros((len(indices), HOPS, num_steps + 1), dtype=np.float32)
        np.cumsum(np.einsum("mhnc,mhnc->mhn", steps, steps), axis=2, out=moving[:, :, 1:])
        return cls(indices, steps, lengths, moving, steps[:, 0] @ axes)

    def part(self, first: int, stop: int) -> "_Films":
        """Return the clips at rows `first` to `stop`."""
        own = slice(first, stop)
        moving, coarse = self.moving[own], self.coarse[own]
        return _Films(self.indices[own], self.steps[own], self.lengths[own], moving, coarse)


def _moving_alike(prints: dict[int, Thumbprint], split: NDArray[np.str_]) -> Iterator[_Pairs]:
    num_steps = max((len(taken[::HOPS]) for taken in prints.values()), default=0)
    compared = np.array(sorted(prints), dtype=np.int64)
    axes = _axes(prints.values())
    films = [
        _Films.of(prints, compared[split[compared] == name], num_steps, axes)
        for name in np.unique(split[compared])
    ]
    for one, other in combinations(films, 2):
        few, many = sorted((one, other), key=lambda films: len(films.indices))
        chunk = max(_AT_ONCE // len(few.indices), 1)
        for first in range(0, len(many.indices), chunk):
            part = many.part(first, first + chunk)
            for lag in range(_LEAST_SHARED - num_steps, num_steps - _LEAST_SHARED + 1):
                yield from _alike_at(lag, part, few)


def _axes(prints: Iterable[Thumbprint]) -> Thumbprint:
    """Return the orthonormal axes that hold most of all motion: (cells, _AXES)."""
    products = np.zeros((ROWS * COLUMNS, ROWS * COLUMNS))
    for vectors in prints:
        products += vectors.T @ vectors
    return np.asarray(np.linalg.eigh(products)[1][:, -_AXES:], dtype=np.float32)


def _alike_at(lag: int, films: _Films, others: _Films) -> Iterator[_Pairs]:
    """Yield the pairs that are alike if `films` begin about `lag` steps before `others`."""
    ahead, behind = _starts(lag)
    shared = films.coarse.shape[1] - abs(lag)
    mine = films.coarse[:, ahead : ahead + shared].reshape(len(films.indices), -1)
    theirs = others.coarse[:, behind : behind + shared].reshape(len(others.indices), -1)
    products = mine @ theirs.T
    row, column = np.nonzero(products > _COARSE * _MOVING_STEPS)
    alike = products[row, column] > _COARSE * _scale((lag, 0), films, others, row, column)
    row, column = row[alike], column[alike]
    for shift in ((lag, 0), (lag, 1), (lag + 1, 1)):  # as it is, half a step less, half a step more
        for first in range(0, len(row), _IN_FULL):
            some = slice(first, first + _IN_FULL)
            yield _in_full(shift, films, others, row[some], column[some])


def _in_full(
    shift: tuple[int, int], films: _Films, others: _Films, row: _Indices, column: _Indices
) -> _Pairs:
    """Return those pairs of rows and columns that are alike at a lag and a half of `others`."""
    lag, late = shift
    ahead, behind = _starts(lag)
    shared = films.coarse.shape[1] - abs(lag)
    mine = films.steps[row, 0, ahead : ahead + shared]
    theirs = others.steps[column, late, behind : behind + shared]
    scale = _scale(shift, films, others, row, column)
    likeness = np.einsum("pnc,pnc->p", mine, theirs).astype(np.float64) / scale
    alike = likeness > _ALIKE
    return _Pairs(films.indices[row[alike]], others.indices[column[alike]], likeness[alike])


def _starts(lag: int) -> tuple[int, int]:
    """Return the steps at which what two films share begins in each."""
    return max(lag, 0), max(-lag, 0)


def _scale(
    shift: tuple[int, int], films: _Films, others: _Films, row: _Indices, column: _Indices
) -> Thumbprint:
    """Return what the products of pairs would be if they were copies; infinite if little moves."""
    lag, late = shift
    ahead, behind = _starts(lag)
    shared = np.minimum(films.lengths[row, 0] - ahead, others.lengths[column, late] - behind)
    shared = np.maximum(shared, 0)
    mine = films.moving[row, 0, ahead + shared] - films.moving[row, 0, ahead]
    theirs = others.moving[column, late, behind + shared] - others.moving[column, late, behind]
    enough = np.minimum(mine, theirs) >= _MOVING_STEPS
    return np.where(enough, np.sqrt(mine * theirs), np.float32(np.inf)).astype(np.float32)
