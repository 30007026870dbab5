"""Clips of each label as a person sees them, so that a wrong label or prediction stands out."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from dogclips.errors import MediaError
from dogclips.media.footage import strip
from dogclips.processes import of_each
from dogclips.records.predictions import PredictedClips
from dogclips.reports.pictures.figures import picture_url
from dogclips.scores.clip_scores import claimed_above, most_telling
from dogclips.wording import counted

_WIDTH = 160  # columns of one frame


@dataclass(frozen=True)
class StillsPicture:
    """Three frames of a clip side by side as a data URL, or why there are none."""

    url: str = ""
    fault: str = ""
    width: int = 0
    height: int = 0


@dataclass(frozen=True)
class ClipCard:
    """A clip and what is known of it."""

    name: str
    recording: str
    time: str  #: In words; empty if unknown
    labels: tuple[str, ...]  #: All that it carries
    picture: StillsPicture
    #: That the model gave to the label under which the clip is shown, and whether it agrees with
    #: the annotator; None without a model.
    probability: float | None = None
    right: bool | None = None


@dataclass(frozen=True)
class LabelCards:
    """The chosen clips of a label, by kind where there are several."""

    label: str
    note: str
    kinds: Mapping[str, Sequence[ClipCard]]


def dataset_cards(
    windows: pd.DataFrame,
    chosen: Mapping[str, tuple[int, list[int]]],
    progress: Callable[[int], None] = lambda _: None,
) -> list[LabelCards]:
    """Return the clips of each label that `evenly_chosen` chose; each clip is read once."""
    rows = windows.loc[list(dict.fromkeys(row for _, own in chosen.values() for row in own))]
    pictures = _pictures(rows["path"], progress)
    cards = {
        row: ClipCard(
            name=Path(clip["clip"]).name,
            recording=f"{clip['session']}/{Path(clip['source']).name}",
            time=_time(clip),
            labels=tuple(clip["labels"]),
            picture=pictures[row],
        )
        for row, clip in rows.iterrows()
    }
    return [
        LabelCards(name, f"{len(own)} of {counted(whole, 'clip')}", {"": [cards[n] for n in own]})
        for name, (whole, own) in chosen.items()
    ]


def run_cards(
    clips: PredictedClips, number: int, progress: Callable[[int], None] = lambda _: None
) -> list[LabelCards]:
    """Return the best and the worst clips of each label that has positives.

    At most a `number` of each kind; a kind without clips is left out.
    """
    positives = np.flatnonzero(clips.target.any(axis=0)).tolist()
    chosen = {k: most_telling(clips, k, number) for k in positives}
    rows = sorted({row for kinds in chosen.values() for own in kinds.values() for row in own})
    pictures = _pictures(clips.clips["clip"].loc[rows], progress)

    return [
        LabelCards(
            clips.labels[k],
            f"claimed above {claimed_above(clips, k):.3f}",
            {
                kind: [_run_card(clips, row, k, pictures[row]) for row in own]
                for kind, own in kinds.items()
                if own
            },
        )
        for k, kinds in chosen.items()
    ]


def _run_card(clips: PredictedClips, row: int, k: int, picture: StillsPicture) -> ClipCard:
    clip, probability = clips.clips.iloc[row], float(clips.probability[row, k])
    return ClipCard(
        name=Path(clip["clip"]).name,
        recording=Path(clip["recording"]).name,
        time=_time(clip),
        labels=tuple(clips.labels[n] for n in np.flatnonzero(clips.target[row])),
        picture=picture,
        probability=probability,
        right=(probability > claimed_above(clips, k)) == bool(clips.target[row, k]),
    )


def _time(clip: "pd.Series[Any]") -> str:
    return "" if pd.isna(clip["start_s"]) else f"{clip['start_s']:.1f} to {clip['end_s']:.1f} s"


def _pictures(paths: "pd.Series[str]", progress: Callable[[int], None]) -> dict[Any, StillsPicture]:
    """Return the picture of each path, by its row."""
    pictures = {}
    found = of_each(partial(strip, width=_WIDTH), [*map(Path, paths)], progress)
    for row, seen in zip(paths.index, found, strict=True):
        if isinstance(seen, MediaError):
            pictures[row] = StillsPicture(fault=f"{seen.what}: {seen.todo}")
        else:
            height, width, _ = seen.shape
            pictures[row] = StillsPicture(picture_url(seen), width=width, height=height)
    return pictures
