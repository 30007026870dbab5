"""Counts of a data set: labels, labels that go together, lengths of segments, splits."""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dogclips.lists.session_records import KEPT, SessionRecords
from dogclips.lists.sessions import read_clips
from dogclips.lists.splits import label_counts
from dogclips.records.split import SPLITS

# Lengths of segments, in seconds: each class twice as long as the one before.
_EDGES_S = (0.0, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, np.inf)


_FULL_SHADE = 0.75  # so that black digits stay legible


@dataclass(frozen=True)
class Cell:
    """A cell of a shaded table: its text, what it means, and how dark it is, from 0 to 1."""

    text: str
    title: str = ""
    shade: float = 0.0


@dataclass(frozen=True)
class Grid:
    """A table of numbers, shaded; each row has a name."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Cell, ...]], ...]


@dataclass(frozen=True)
class LabelRow:
    """What there is of a label.

    Parameters
    ----------
    alone
        Clips that show no other label.
    recordings
        How many recordings the clips are from.
    median_s
        Of the segments; None without any.
    bar
        Share of the clips of the most frequent label.
    """

    index: int
    name: str
    clips: int
    share: float
    alone: int
    recordings: int
    segments: int
    seconds: float
    median_s: float | None
    bar: float


@dataclass(frozen=True, eq=False)
class Split:
    """A split as its lists say it.

    Parameters
    ----------
    clips
        Columns of `lists.sessions.CLIP_COLUMNS`, and `split`.
    """

    folder: Path
    names: tuple[str, ...]
    clips: pd.DataFrame


def classes_of(sessions: Sequence[SessionRecords]) -> tuple[str, ...]:
    """Return the class names of all sessions, merged by name as `dogclips split` does."""
    return tuple(dict.fromkeys(name for session in sessions for name in session.classes))


def windows_of(sessions: Sequence[SessionRecords], names: Sequence[str]) -> pd.DataFrame:
    """Return all manifests as one, with `session` (its name) and `path` of each clip."""
    parts = []
    for session, name in zip(sessions, names, strict=True):
        output = session.base_dir / "output"
        paths = [str(output / clip) if clip else "" for clip in session.manifest["clip"]]
        parts.append(session.manifest.assign(session=name, path=paths))
    return pd.concat([part for part in parts if len(part)] or parts, ignore_index=True)


def segments_of(sessions: Sequence[SessionRecords]) -> pd.DataFrame:
    """Return the label and the seconds of every annotated segment."""
    parts = [one.segments for session in sessions for one in session.recordings]
    filled = pd.concat([part for part in parts if len(part)] or parts[:1])
    seconds = (filled["end_s"] - filled["start_s"]).astype(float)
    return pd.DataFrame({"label": filled["label"], "seconds": seconds}).reset_index(drop=True)


def label_rows(
    windows: pd.DataFrame, segments: pd.DataFrame, classes: Sequence[str]
) -> list[LabelRow]:
    """Return one row a label."""
    kept = windows[windows["status"].isin(KEPT)]
    hot = _hot(kept["labels"], classes)
    recordings = pd.factorize(kept["session"] + "\n" + kept["source"])[0]
    clips, most = hot.sum(axis=0), max(int(hot.sum(axis=0).max(initial=0)), 1)
    single = hot[hot.sum(axis=1) == 1].sum(axis=0)
    lengths = {str(name): own["seconds"] for name, own in segments.groupby("label")}
    rows = []
    for index, name in enumerate(classes):
        own = lengths.get(name, pd.Series(dtype=float))
        number = int(clips[index])
        rows.append(
            LabelRow(
                index=index,
                name=name,
                clips=number,
                share=number / max(len(kept), 1),
                alone=int(single[index]),
                recordings=len(np.unique(recordings[hot[:, index]])),
                segments=len(own),
                seconds=float(own.sum()),
                median_s=float(own.median()) if len(own) else None,
                bar=number / most,
            )
        )
    return rows


def together(windows: pd.DataFrame, classes: Sequence[str]) -> Grid:
    """Return how many clips show two labels at once; shaded by the share of the row's clips."""
    hot = _hot(windows.loc[windows["status"].isin(KEPT), "labels"], classes).astype(np.int64)
    counts = hot.T @ hot
    rows = []
    for one, name in enumerate(classes):
        whole = max(int(counts[one, one]), 1)
        cells = tuple(
            _pair(name, other, int(counts[one, place]), whole, same=one == place)
            for place, other in enumerate(classes)
        )
        rows.append((name, cells))
    return Grid(tuple(map(str, range(len(classes)))), tuple(rows))


def _pair(name: str, other: str, number: int, whole: int, *, same: bool) -> Cell:
    if same:
        return Cell(f"{number:,}", f"{name}: {number:,} clips")
    share = number / whole
    title = f"{number:,} clips of {name} ({share:.0%}) show {other} as well"
    return Cell(f"{number:,}" if number else "", title, _FULL_SHADE * share)


def durations(segments: pd.DataFrame, classes: Sequence[str]) -> Grid:
    """Return how many segments of each label are how long; the first row holds them all."""
    lengths = {str(name): own["seconds"].to_numpy() for name, own in segments.groupby("label")}
    everything = np.histogram(segments["seconds"].to_numpy(), _EDGES_S)[0]
    used = np.flatnonzero(everything)
    shown = slice(used[0], used[-1] + 1) if len(used) else slice(0, 0)
    heads = [_head(low, high) for low, high in pairwise(_EDGES_S)][shown]
    rows = [("all", _shaded(everything[shown], "all labels", heads))]
    for name in classes:
        counts = np.histogram(lengths.get(name, np.array([])), _EDGES_S)[0][shown]
        rows.append((name, _shaded(counts, name, heads)))
    return Grid(tuple(heads), tuple(rows))


def _head(low: float, high: float) -> str:
    if np.isinf(high):
        return f"\N{GREATER-THAN OR EQUAL TO} {low:g}"
    return f"{low:g}\N{EN DASH}{high:g}" if low else f"< {high:g}"


def _shaded(counts: NDArray[Any], name: str, heads: Sequence[str]) -> tuple[Cell, ...]:
    most = max(int(counts.max(initial=0)), 1)
    return tuple(
        Cell(
            f"{number:,}" if number else "",
            f"{name}: {number:,} segments of {head} s",
            _FULL_SHADE * number / most,
        )
        for number, head in zip(counts.tolist(), heads, strict=True)
    )


def _hot(labels: Iterable[Iterable[str]], classes: Sequence[str]) -> NDArray[np.bool_]:
    """Return (clips, classes): which clip shows which label."""
    own = [list(names) for names in labels]
    place = {name: index for index, name in enumerate(classes)}
    hot = np.zeros((len(own), len(classes)), dtype=np.bool_)
    rows = np.repeat(np.arange(len(own)), [len(names) for names in own])
    hot[rows, [place[name] for names in own for name in names]] = True
    return hot


# Splits.


def read_split(folder: Path) -> Split:
    """Read the lists that `dogclips split` wrote to a folder.

    Raises
    ------
    ListError
        There are none, or one of them is wrong.
    """
    clips, names = read_clips([folder])
    return Split(folder, names, clips.assign(split=[Path(one).stem for one in clips["list"]]))


def split_grid(split: Split) -> Grid:
    """Return clips with each label in each split; shaded by how far their ratio is off."""
    parts = [part for part in SPLITS if (split.clips["split"] == part).any()]
    labels = label_counts(split.clips, split.clips["split"], len(split.names), parts)
    counts = {part: [int(number) for number in labels[part]] for part in parts}
    sizes = {part: int((split.clips["split"] == part).sum()) for part in parts}
    whole = max(len(split.clips), 1)
    rows = []
    for label, name in enumerate(split.names):
        total = sum(own[label] for own in counts.values())
        cells = (_balance(counts[part][label], sizes[part], total / whole) for part in parts)
        rows.append((name, (Cell(f"{total:,} ({total / whole:.1%})"), *cells)))
    ends = [Cell(f"{sizes[part]:,} ({sizes[part] / whole:.1%})") for part in parts]
    rows.append(("clips", (Cell(f"{whole:,}"), *ends)))
    of_split = split.clips.groupby("split")["recording"].nunique()
    everywhere = Cell(f"{split.clips['recording'].nunique():,}")
    rows.append(("recordings", (everywhere, *(Cell(f"{of_split[part]:,}") for part in parts))))
    return Grid(("all", *parts), tuple(rows))


def _balance(number: int, size: int, overall: float) -> Cell:
    ratio = number / max(size, 1)
    off = 100 * (ratio - overall)
    title = f"{ratio:.1%} of its clips, {overall:.1%} of all: {off:+.1f} points"
    # Twenty points off, or none of a label that is there: as dark as it gets.
    shade = 1.0 if not number and overall else min(abs(off) / 20, 1.0)
    return Cell(f"{number:,} ({ratio:.1%}, {off:+.1f})", title, _FULL_SHADE * shade)


def leaks(split: Split) -> list[str]:
    """Return the recordings whose clips are in several splits."""
    numbers = split.clips.groupby("recording")["split"].nunique()
    return [str(name) for name in numbers[numbers > 1].index]


def outside(split: Split, windows: pd.DataFrame) -> tuple[int, int]:
    """Return how many clips are in no list, and how many listed clips are not of the sessions."""
    kept = windows[windows["status"].isin(KEPT)]
    made = {os.path.abspath(path) for path in kept["path"]}  # noqa: PTH100 (takes `..` out)
    listed = {os.path.abspath(path) for path in split.clips["path"]}  # noqa: PTH100
    return len(made - listed), len(listed - made)


def statuses(windows: pd.DataFrame) -> Mapping[tuple[str, str], int]:
    """Return the number of windows of each status and reason, those that failed under one."""
    real = windows[windows["start_s"].notna()]
    reasons = real["reason"].where(real["status"] == "skipped", "")
    counts = pd.Series(1, index=real.index).groupby([real["status"], reasons]).sum()
    return {(str(key[0]), str(key[1])): int(number) for key, number in counts.items()}  # type: ignore[index]
