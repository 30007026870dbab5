"""Cut sessions as one data set: their windows, segments and labels, and how a split shares them."""

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dogclips.lists.choice import evenly_drawn
from dogclips.lists.session_records import KEPT, SessionRecords
from dogclips.lists.sessions import read_clips
from dogclips.wording import distinct_names

# Lengths of segments, in seconds: each class twice as long as the one before.
_EDGES_S = (0.0, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, np.inf)
NO_LABEL = ""  # the name under which clips without a label are drawn


@dataclass(frozen=True, eq=False)
class Dataset:
    """Sessions as one data set."""

    sessions: Mapping[str, SessionRecords]  #: By a short name
    #: Class names of all sessions, merged by name as `dogclips split` does.
    classes: tuple[str, ...]
    #: All manifests as one, with `session` (its name) and `path` of each clip.
    windows: pd.DataFrame

    @classmethod
    def of(cls, sessions: Sequence[SessionRecords]) -> "Dataset":
        """Gather sessions."""
        names = distinct_names([session.base_dir for session in sessions])
        parts = []
        for session, name in zip(sessions, names, strict=True):
            output = session.base_dir / "output"
            paths = [str(output / clip) if clip else "" for clip in session.manifest["clip"]]
            parts.append(session.manifest.assign(session=name, path=paths))
        windows = pd.concat([part for part in parts if len(part)] or parts, ignore_index=True)
        classes = dict.fromkeys(name for session in sessions for name in session.classes)
        return cls(dict(zip(names, sessions, strict=True)), tuple(classes), windows)

    @cached_property
    def kept(self) -> pd.DataFrame:
        """The windows that are clips."""
        return self.windows[self.windows["status"].isin(KEPT)]

    @cached_property
    def segments(self) -> pd.DataFrame:
        """The `label` and the `seconds` of every annotated segment."""
        recordings = (one for session in self.sessions.values() for one in session.recordings)
        parts = [one.segments for one in recordings if len(one.segments)]
        filled = pd.concat(parts or [pd.DataFrame(columns=["label", "start_s", "end_s"])])
        seconds = (filled["end_s"] - filled["start_s"]).astype(float)
        return pd.DataFrame({"label": filled["label"], "seconds": seconds}).reset_index(drop=True)

    @cached_property
    def shows(self) -> NDArray[np.bool_]:
        """Which clip shows which label (clips, classes)."""
        labels = self.kept["labels"].reset_index(drop=True).explode().dropna()
        shows = np.zeros((len(self.kept), len(self.classes)), dtype=np.bool_)
        shows[labels.index, pd.Categorical(labels, categories=list(self.classes)).codes] = True
        return shows

    @cached_property
    def label_numbers(self) -> pd.DataFrame:
        """One row per label, under its name.

        `clips` that show it, `alone`: those of them that show no other label, `recordings` that
        the clips are from; `segments`, `seconds` and `median_s` as annotated, NaN without any.
        """
        recordings = self.kept.groupby(["session", "source"]).ngroup().to_numpy()
        lengths = self.segments.groupby("label")["seconds"].agg(["size", "sum", "median"])
        lengths = lengths.reindex(list(self.classes))
        columns = {
            "clips": self.shows.sum(axis=0),
            "alone": self.shows[self.shows.sum(axis=1) == 1].sum(axis=0),
            "recordings": [len(np.unique(recordings[own])) for own in self.shows.T],
            "segments": lengths["size"].fillna(0).astype(int),
            "seconds": lengths["sum"].fillna(0.0),
            "median_s": lengths["median"],
        }
        return pd.DataFrame(columns, index=list(self.classes))


def evenly_chosen(dataset: Dataset, number: int, seed: int) -> dict[str, tuple[int, list[int]]]:
    """Return for each label how many clips show it, and the rows of those to look at.

    They are evenly spread over the clips in the order of session, recording and time, from a
    random start: every clip has the same chance, and neighbours are not drawn together.
    """
    kept = dataset.kept.sort_values(["session", "source", "start_s"])
    rows: dict[str, list[int]] = {name: [] for name in [*dataset.classes, NO_LABEL]}
    for row, labels in zip(kept.index, kept["labels"], strict=True):
        for name in labels or [NO_LABEL]:
            rows[name].append(int(row))
    return {
        name: (len(own), evenly_drawn(own, number, Random(f"{seed} {name}")))  # noqa: S311 (no secret)
        for name, own in rows.items()
        if own
    }


def window_counts(dataset: Dataset) -> Mapping[tuple[str, str], int]:
    """Return the number of windows of each status and reason; those that failed have none."""
    real = dataset.windows[dataset.windows["start_s"].notna()]
    reasons = real["reason"].where(real["status"] == "skipped", "")
    return Counter(zip(real["status"], reasons, strict=True))


def shown_together(dataset: Dataset) -> NDArray[np.int64]:
    """Return how many clips show two labels at once (classes, classes), or one, with itself."""
    shows = dataset.shows.astype(np.int64)
    return shows.T @ shows


def segment_lengths(dataset: Dataset) -> pd.DataFrame:
    """Return how many segments of each label are how long; the first row holds them all."""
    lengths = dict(iter(dataset.segments.groupby("label")["seconds"]))
    rows = [dataset.segments["seconds"], *(lengths.get(name, ()) for name in dataset.classes)]
    counts = np.array([np.histogram(np.asarray(own, float), _EDGES_S)[0] for own in rows])
    used = np.flatnonzero(counts[0])
    shown = slice(used[0], used[-1] + 1) if len(used) else slice(0, 0)
    heads = [_length_class(low, high) for low, high in pairwise(_EDGES_S)][shown]
    return pd.DataFrame(counts[:, shown], index=["all", *dataset.classes], columns=heads)


def _length_class(low: float, high: float) -> str:
    if np.isinf(high):
        return f"\N{GREATER-THAN OR EQUAL TO} {low:g}"
    return f"{low:g}\N{EN DASH}{high:g}" if low else f"< {high:g}"


@dataclass(frozen=True, eq=False)
class ListedSplit:
    """A split as its lists say it."""

    folder: Path
    names: tuple[str, ...]
    clips: pd.DataFrame  #: Columns of `lists.sessions.CLIP_COLUMNS`, and `split`

    @property
    def leaks(self) -> list[str]:
        """The recordings whose clips are in several splits."""
        numbers = self.clips.groupby("recording")["split"].nunique()
        return [str(name) for name in numbers[numbers > 1].index]

    def strangers(self, dataset: Dataset) -> tuple[int, int]:
        """Return how many clips of a data set are in no list, and how many listed are not of it."""
        made, listed = _absolute(dataset.kept["path"]), _absolute(self.clips["path"])
        return len(made - listed), len(listed - made)


def read_split_lists(folder: Path) -> ListedSplit:
    """Read the lists that `dogclips split` wrote to a folder."""
    clips, names = read_clips([folder])
    return ListedSplit(folder, names, clips.assign(split=[Path(one).stem for one in clips["list"]]))


def _absolute(paths: "pd.Series[Any]") -> set[str]:
    return {os.path.abspath(path) for path in paths}  # noqa: PTH100 (takes `..` out)
