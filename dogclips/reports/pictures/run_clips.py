"""The clips of each label that a run is most right and most wrong about, with their frames."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dogclips.errors import MediaError
from dogclips.media.stills import strips
from dogclips.records.clip_predictions import PredictedClips
from dogclips.reports.pages.page import picture_url
from dogclips.scores.ranking import HALF

WIDTH = 160  # columns of one frame


KINDS = (
    "carry it, highest probability",
    "carry it, lowest probability",
    "do not carry it, highest probability",
)


@dataclass(frozen=True)
class Picture:
    """Three frames side by side as a data URL, or why there are none."""

    url: str = ""
    fault: str = ""
    width: int = 0
    height: int = 0


@dataclass(frozen=True)
class ShownClip:
    """A clip beside what a run says of it."""

    name: str
    where: str
    carried: tuple[str, ...]
    probability: float
    right: bool
    picture: Picture


@dataclass(frozen=True)
class LabelClips:
    """The chosen clips of a label, by kind (see `KINDS`); a kind without clips is left out."""

    label: str
    threshold: float
    kinds: Mapping[str, tuple[ShownClip, ...]]


def label_clips(
    clips: PredictedClips, number: int, progress: Callable[[int], None] = lambda _: None
) -> list[LabelClips]:
    """Return the best and the worst clips of each label that has positives.

    Parameters
    ----------
    number
        Of each kind at most.
    progress
        Called with the number of clips that were read since the last call.
    """
    present = [k for k in range(len(clips.labels)) if clips.target[:, k].any()]
    chosen = {k: chosen_clips(clips, k, number) for k in present}
    rows = sorted({row for kinds in chosen.values() for own in kinds.values() for row in own})
    paths = [Path(clips.clips["clip"][row]) for row in rows]
    pictures = dict(zip(rows, _pictures(paths, progress), strict=True))
    return [
        LabelClips(
            clips.labels[k],
            threshold_of(clips, k),
            {
                kind: tuple(_shown(clips, k, row, pictures[row]) for row in own)
                for kind, own in kinds.items()
                if own
            },
        )
        for k, kinds in chosen.items()
    ]


def chosen_clips(clips: PredictedClips, k: int, number: int) -> dict[str, list[int]]:
    """Return the rows of the clips to show of label `k`, by kind; none of them twice."""
    order = np.argsort(-clips.probability[:, k], kind="stable")
    carry, others = (order[clips.target[order, k] == there].tolist() for there in (True, False))
    best = carry[:number]
    worst = carry[len(best) :][::-1][:number]
    return dict(zip(KINDS, (best, worst, others[:number]), strict=True))


def threshold_of(clips: PredictedClips, k: int) -> float:
    """Return above which probability a label is claimed: 0.5 where nothing better is known."""
    threshold = float(clips.threshold[k])
    return HALF if np.isnan(threshold) else threshold


def _pictures(paths: Sequence[Path], progress: Callable[[int], None]) -> list[Picture]:
    found = []
    for seen in strips(paths, WIDTH, progress=progress):
        if isinstance(seen, MediaError):
            found.append(Picture(fault=f"{seen.what}: {seen.todo}"))
        else:
            height, width, _ = seen.shape
            found.append(Picture(picture_url(seen), width=width, height=height))
    return found


def _shown(clips: PredictedClips, k: int, row: int, picture: Picture) -> ShownClip:
    said = clips.clips.loc[row]
    where = Path(str(said["recording"])).name
    if not np.isnan(said["start_s"]):
        where += f", {said['start_s']:.1f} to {said['end_s']:.1f} s"
    probability = float(clips.probability[row, k])
    claimed = probability > threshold_of(clips, k)
    return ShownClip(
        name=Path(str(said["clip"])).name,
        where=where,
        carried=tuple(clips.labels[n] for n in np.flatnonzero(clips.target[row])),
        probability=probability,
        right=claimed == bool(clips.target[row, k]),
        picture=picture,
    )
