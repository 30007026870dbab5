"""What a model said of a recording, step by step, and how well people agree.

Shapes: T steps, K labels.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd

from dogclips.clips.viewing import Viewing
from dogclips.errors import DogclipsError
from dogclips.records.predictions import STEP_PREDICTION_COLUMNS
from dogclips.scores.agreement import Agreement, agreement
from dogclips.scores.bouts import Bout, Floats, known_spans
from dogclips.timebase import Span


@dataclass(frozen=True)
class Effort:
    """What a recording took, in seconds."""

    seconds: float  #: In all
    reading_s: float  #: Decoding, scaling and converting to RGB
    measuring_s: float = 0.0  #: Measuring the file and aligning its streams


@dataclass(frozen=True)
class Unpredicted:
    """A recording of which nothing is predicted, and why."""

    path: Path
    error: DogclipsError


@dataclass(frozen=True, eq=False)
class Prediction:
    """What a model said of one recording."""

    media_name: str  #: As annotation files call the recording
    #: The recording as its annotator saw it, and the stream that the model was shown.
    viewing: Viewing
    #: Length of a step in seconds; steps of a window.
    step_s: Fraction
    steps: int
    labels: tuple[str, ...]
    thresholds: tuple[float, ...]  #: Of each label
    #: Of each window, one per step: why the model was not shown it; "" if it was.
    reasons: tuple[str, ...]
    #: Of each step and label (T, K): the mean over its windows, and what bouts were made from.
    probability: Floats
    score: Floats
    bouts: tuple[Bout, ...]
    effort: Effort
    #: What people saw, by label, and how well bouts agree with it; None if nobody looked.
    annotated: Mapping[str, Sequence[Span]] | None = None
    agreement: Agreement | None = None
    #: Whether labels are `task:label`; None if their names must tell.
    with_task: bool | None = None

    @property
    def path(self) -> Path:
        """Return the recording, as it was or would be annotated."""
        return self.viewing.annotated

    @property
    def length_s(self) -> Fraction:
        """Return when the recording ends, in annotation time."""
        return self.viewing.length_s

    @property
    def dropped(self) -> dict[str, int]:
        """Return how many windows the model was not shown, by reason."""
        found = [reason for reason in self.reasons if reason]
        return {reason: found.count(reason) for reason in sorted(set(found))}

    def spans_of(self, label: str) -> list[Span]:
        """Return the bouts of a label in the order of time."""
        return [bout.span for bout in self.bouts if bout.label == label]

    def compared(
        self, annotated: Mapping[str, Sequence[Span]], annotated_s: Fraction
    ) -> "Prediction":
        """Return the prediction beside what people saw up to `annotated_s`."""
        predicted = {label: self.spans_of(label) for label in self.labels}
        known = known_spans(self.score, self.step_s)
        found = agreement(predicted, annotated, self.labels, known, annotated_s)
        return replace(self, annotated=annotated, agreement=found)


def step_table(predictions: Sequence[Prediction]) -> pd.DataFrame:
    """Return all steps of all recordings, with the columns of `STEP_PREDICTION_COLUMNS`."""
    empty = pd.DataFrame(columns=list(STEP_PREDICTION_COLUMNS)).astype(STEP_PREDICTION_COLUMNS)
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
    return pd.DataFrame(columns).astype(STEP_PREDICTION_COLUMNS)


def _windows_of(prediction: Prediction, num_steps: int) -> tuple[list[int], list[str]]:
    """Return for each step how many shown windows cover it, and why the others were not shown."""
    shown, reasons = [], []
    for step in range(num_steps):
        own = prediction.reasons[max(step - prediction.steps + 1, 0) : step + 1]
        shown.append(own.count(""))
        reasons.append(" ".join(sorted(set(own) - {""})))
    return shown, reasons
