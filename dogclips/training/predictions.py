"""What a model said of a list, as the table that is kept."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from dogclips.lists import ClipList
from dogclips.lists.sessions import clip_facts
from dogclips.records.clip_predictions import Provenance, with_provenance
from dogclips.records.manifest import ManifestIndex
from dogclips.training.metrics import Predictions


def predictions_table(
    predictions: Predictions,
    clips: ClipList,
    thresholds: Sequence[float | None],
    *,
    scored: Sequence[int],
    protocol: str,
    checkpoint: Path,
) -> pd.DataFrame:
    """Return one row a clip and label, and where the numbers come from.

    Parameters
    ----------
    predictions
        Of the clips that were scored.
    clips
        The list.
    thresholds
        Of each class, from the validation list.
    scored
        Which clips of the list the predictions are of, by index.
    protocol
        How the clips were scored, in words.
    checkpoint
        The file that the weights came from.

    Returns
    -------
    table
        Columns of `PREDICTION_COLUMNS`; `table.attrs` holds the fields of `Provenance`.
    """
    paths, num_labels = [clips.clips[n].path for n in scored], len(clips.labels)
    index = ManifestIndex()
    said = [{"clip": str(path), **clip_facts(path, index)} for path in paths]
    rows = pd.DataFrame(said, columns=["clip", "recording", "start_s", "end_s"])
    table = rows.loc[np.repeat(rows.index, num_labels)].reset_index(drop=True)
    table["label"] = list(clips.labels) * len(paths)
    table["target"] = predictions.target_NK.bool().flatten().numpy()
    table["probability"] = predictions.probability_NK.flatten().numpy()
    kept = [float("nan") if one is None else one for one in thresholds]
    table["threshold"] = kept * len(paths)
    listed = clips.path.absolute()
    digest = hashlib.sha256(listed.read_bytes()).hexdigest()
    return with_provenance(
        table, Provenance(protocol, str(listed), digest, str(checkpoint.absolute()))
    )
