"""What a model said of a recording, step by step.

Shapes: T steps, K labels.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd

from dogclips.scores.agreement import Agreement
from dogclips.scores.bouts import Bout, Floats
from dogclips.streams import Stream
from dogclips.timebase import Span

# One row a step and label. Times are annotation time in seconds, as the annotator's player shows
# them. `probability` is the mean over the windows that cover the step, `smoothed` what is compared
# with `threshold`; both are NaN where no such window was shown to the model. `windows` says how
# many were, `reason` why others were not, separated by blanks.
PREDICTION_COLUMNS = {
    "recording": "str",
    "start_s": "float64",
    "end_s": "float64",
    "label": "str",
    "probability": "float32",
    "smoothed": "float32",
    "threshold": "float32",
    "windows": "int32",
    "reason": "str",
}


@dataclass(frozen=True)
class Effort:
    """What a recording took, in seconds.

    Parameters
    ----------
    seconds
        In all.
    reading_s
        Decoding, scaling and converting to RGB.
    measuring_s
        Measuring the file and aligning its streams.
    """

    seconds: float
    reading_s: float
    measuring_s: float = 0.0


@dataclass(frozen=True, eq=False)
class Prediction:
    """What a model said of one recording.

    Parameters
    ----------
    media_name
        As annotation files call the recording.
    reference
        The stream that the annotator saw.
    zero_s
        The container time that the annotator's player calls zero.
    length_s
        When the recording ends, in annotation time.
    step_s, steps
        Length of a step in seconds; steps of a window.
    reasons
        Of each window, one a step: why the model was not shown it; "" if it was.
    probability, score
        Of each step and label (T, K): the mean over its windows, and what bouts were made from.
    thresholds
        Of each label.
    annotated, agreement
        What people saw, by label, and how well bouts agree with it; None if nobody looked.
    with_task
        Whether labels are `task:label`; None if their names must tell.
    """

    path: Path
    media_name: str
    reference: Stream
    zero_s: Fraction
    length_s: Fraction
    step_s: Fraction
    steps: int
    labels: tuple[str, ...]
    thresholds: tuple[float, ...]
    reasons: tuple[str, ...]
    probability: Floats
    score: Floats
    bouts: tuple[Bout, ...]
    effort: Effort
    annotated: Mapping[str, Sequence[Span]] | None = None
    agreement: Agreement | None = None
    with_task: bool | None = None

    @property
    def dropped(self) -> dict[str, int]:
        """Return how many windows the model was not shown, by reason."""
        found = [reason for reason in self.reasons if reason]
        return {reason: found.count(reason) for reason in sorted(set(found))}


def prediction_table(predictions: Sequence[Prediction]) -> pd.DataFrame:
    """Return all steps of all recordings, with the columns of `PREDICTION_COLUMNS`."""
    empty = pd.DataFrame(columns=list(PREDICTION_COLUMNS)).astype(PREDICTION_COLUMNS)
    parts = [_rows(prediction) for prediction in predictions]
    return pd.concat(parts, ignore_index=True) if parts else empty


def _rows(prediction: Prediction) -> pd.DataFrame:
    num_steps, num_labels = prediction.score.shape
    edges = [float(number * prediction.step_s) for number in range(num_steps + 1)]
    shown, reasons = _windows_of(prediction, num_steps)
    columns = {
        "recording": [prediction.path.as_posix()] * num_steps * num_labels,
        "start_s": np.repeat(edges[:-1], num_labels),
        "end_s": np.repeat(edges[1:], num_labels),
        "label": list(prediction.labels) * num_steps,
        "probability": prediction.probability.ravel(),
        "smoothed": prediction.score.ravel(),
        "threshold": list(prediction.thresholds) * num_steps,
        "windows": np.repeat(shown, num_labels),
        "reason": np.repeat(np.array(reasons, dtype=object), num_labels),
    }
    return pd.DataFrame(columns).astype(PREDICTION_COLUMNS)


def _windows_of(prediction: Prediction, num_steps: int) -> tuple[list[int], list[str]]:
    """Return for each step how many shown windows cover it, and why the others were not shown."""
    shown, reasons = [], []
    for step in range(num_steps):
        own = prediction.reasons[max(step - prediction.steps + 1, 0) : step + 1]
        shown.append(own.count(""))
        reasons.append(" ".join(sorted(set(own) - {""})))
    return shown, reasons
