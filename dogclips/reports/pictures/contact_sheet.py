"""Clips of each label as a person sees them, drawn evenly, so that a wrong label stands out."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dogclips.errors import MediaError
from dogclips.lists.session_records import KEPT
from dogclips.media.stills import strips
from dogclips.reports.pages.page import picture_url

WIDTH = 160  # columns of one frame


NO_LABEL = ""  # the name under which clips without a label are drawn


@dataclass(frozen=True)
class Still:
    """A clip: three of its frames in one picture, or why there is none.

    `url` is empty where the clip cannot be read, and `fault` says why.
    """

    clip: str
    recording: str
    time: str
    labels: tuple[str, ...]
    url: str = ""
    fault: str = ""
    width: int = 0
    height: int = 0


@dataclass(frozen=True)
class Sheet:
    """The chosen clips of a label, of `number` in all."""

    label: str
    number: int
    stills: tuple[Still, ...]


def chosen_clips(
    windows: pd.DataFrame, classes: Sequence[str], number: int, seed: int
) -> dict[str, tuple[int, list[int]]]:
    """Return for each label how many clips show it, and the rows of those to look at.

    They are evenly spread over the clips in the order of session, recording and time, from a
    random start: every clip has the same chance, and neighbours are not drawn together.

    Parameters
    ----------
    windows
        As `dataset_page_numbers.windows_of` returns them.
    """
    kept = windows[windows["status"].isin(KEPT)].sort_values(["session", "source", "start_s"])
    rows: dict[str, list[int]] = {name: [] for name in [*classes, NO_LABEL]}
    for row, labels in zip(kept.index, kept["labels"], strict=True):
        for name in labels or [NO_LABEL]:
            rows[name].append(int(row))
    return {
        name: (len(own), _evenly(own, number, Random(f"{seed} {name}")))  # noqa: S311 (no secret)
        for name, own in rows.items()
        if own
    }


def _evenly(rows: Sequence[int], number: int, lot: Random) -> list[int]:
    number = min(number, len(rows))
    start = lot.random()
    return [rows[int((place + start) * len(rows) / number)] for place in range(number)]


def sheets_of(
    windows: pd.DataFrame,
    chosen: Mapping[str, tuple[int, list[int]]],
    progress: Callable[[int], None] = lambda _: None,
) -> list[Sheet]:
    """Return the contact sheet of each label; each clip is read once.

    Parameters
    ----------
    chosen
        As `chosen_clips` returns them.
    progress
        Called with the number of clips that were read since the last call.
    """
    rows = list(dict.fromkeys(row for _, own in chosen.values() for row in own))
    clips = windows.loc[rows].to_dict("records")
    found = strips([Path(clip["path"]) for clip in clips], WIDTH, progress=progress)
    stills = dict(zip(rows, map(_still, clips, found), strict=True))
    return [
        Sheet(name, number, tuple(stills[row] for row in own))
        for name, (number, own) in chosen.items()
    ]


def _still(row: Mapping[Hashable, Any], seen: NDArray[np.uint8] | MediaError) -> Still:
    still = Still(
        clip=Path(row["clip"]).name,
        recording=f"{row['session']}/{Path(row['source']).name}",
        time=f"{row['start_s']:.1f} to {row['end_s']:.1f} s",
        labels=tuple(row["labels"]),
    )
    if isinstance(seen, MediaError):
        return replace(still, fault=f"{seen.what}: {seen.todo}")
    height, width, _ = seen.shape
    return replace(still, url=picture_url(seen), width=width, height=height)
