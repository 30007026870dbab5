"""What a model said of a list, as the table that is kept."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from dogclips.errors import DogclipsError
from dogclips.lists import ClipList
from dogclips.lists.sessions import clip_facts
from dogclips.records.manifest import ManifestIndex
from dogclips.records.predictions import Provenance, with_provenance
from dogclips.scores.clip_scores import Predictions
from dogclips.training.module import ClipClassifier


def what_was_scored(module: ClipClassifier, clips: ClipList) -> Predictions:
    """Return what a module has just said of a list."""
    if module.predictions is None:
        raise DogclipsError("nothing was scored", where=clips.path, todo="check the list")
    return module.predictions


def predictions_table(
    module: ClipClassifier,
    clips: ClipList,
    thresholds: Sequence[float | None],
    checkpoint: Path,
) -> pd.DataFrame:
    """Return one row a clip and label of a list that a module has just scored.

    Thresholds are those of the validation list. Columns are `CLIP_PREDICTION_COLUMNS`;
    `table.attrs` holds the fields of `Provenance`.
    """
    predictions = what_was_scored(module, clips)
    paths, num_labels = [clips.clips[n].path for n in module.scored], len(clips.labels)
    index = ManifestIndex()
    rows = pd.DataFrame(
        [{"clip": str(path), **clip_facts(path, index)} for path in paths],
        columns=["clip", "recording", "start_s", "end_s"],
    )
    table = rows.loc[np.repeat(rows.index, num_labels)].reset_index(drop=True)
    table["label"] = list(clips.labels) * len(paths)
    table["target"] = predictions.target_NK.ravel()
    table["probability"] = predictions.probability_NK.ravel()
    kept = [float("nan") if one is None else one for one in thresholds]
    table["threshold"] = kept * len(paths)
    listed = clips.path.absolute()
    provenance = Provenance(
        protocol=module.config.protocol,
        list=str(listed),
        list_sha256=hashlib.sha256(listed.read_bytes()).hexdigest(),
        checkpoint=str(checkpoint.absolute()),
    )
    return with_provenance(table, provenance)
