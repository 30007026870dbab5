"""Which clips of each label a person should look at, in a data set or of a trained model."""

from collections.abc import Mapping
from random import Random

import numpy as np

from dogclips.lists.choice import evenly_drawn
from dogclips.records.predictions import PredictedClips
from dogclips.scores.clip_scores import DEFAULT_THRESHOLD
from dogclips.scores.dataset import Dataset

NO_LABEL = ""  # the name under which clips without a label are drawn
TELLING = (
    "carry it, highest probability",
    "carry it, lowest probability",
    "do not carry it, highest probability",
)


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


def most_telling(clips: PredictedClips, k: int, number: int) -> Mapping[str, list[int]]:
    """Return the rows of the clips to show of label `k`, by kind (`TELLING`); none of them twice.

    There are `number` of each kind at most.
    """
    order = np.argsort(-clips.probability[:, k], kind="stable")
    carry, others = (order[clips.target[order, k] == there].tolist() for there in (True, False))
    best = carry[:number]
    worst = carry[len(best) :][::-1][:number]
    return dict(zip(TELLING, (best, worst, others[:number]), strict=True))


def claimed_above(clips: PredictedClips, k: int) -> float:
    """Return above which probability a label is claimed: 0.5 where nothing better is known."""
    threshold = float(clips.threshold[k])
    return DEFAULT_THRESHOLD if np.isnan(threshold) else threshold
