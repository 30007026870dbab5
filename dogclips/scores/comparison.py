"""How much better one run is than another, and how sure that is.

Clips of one recording are alike, so that recordings, not clips, are drawn again (cluster bootstrap;
Davison and Hinkley 1997, "Bootstrap Methods and Their Application", section 3.8). Both runs are
scored on the same drawn recordings each time: what makes a draw easy is easy for both.

Shapes: N clips, K labels, R draws.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dogclips.records.predictions import PredictedClips
from dogclips.records.run_folder import RunRecords
from dogclips.scores.bouts import Flags, Floats

DRAWS = 1000
_AT_ONCE = 4_000_000  # weights, so that memory stays below some hundred megabytes
_SEED = 0


@dataclass(frozen=True)
class Gain:
    """A difference in average precision and its 95 % interval."""

    value: float  #: This run minus the other
    #: Between which it lies in 95 of 100 draws; None where there is a single recording.
    low: float | None
    high: float | None

    @property
    def verdict(self) -> str:
        """Say what the interval allows to say."""
        if self.low is None or self.high is None:
            return "one recording: cannot tell"
        if self.low > 0:
            return "better"
        return "worse" if self.high < 0 else "no clear difference"


@dataclass(frozen=True)
class Comparison:
    """A run beside another."""

    reason: str = ""  #: Why they cannot be compared; empty if they can
    warning: str = ""  #: What to keep in mind; may be empty
    #: What both were scored on.
    num_clips: int = 0
    num_recordings: int = 0
    mean: Gain | None = None  #: Gain in mAP; None where they cannot be compared
    #: Gain in average precision; labels without a positive are left out.
    by_label: Mapping[str, Gain] | None = None


def compared(run: RunRecords, other: RunRecords) -> Comparison:
    """Return how a run does against another one on the same clips."""
    first = other.clips
    second, reason = _alike(run, first, other)
    if second is None:
        return Comparison(reason=reason)
    protocols = run.report.protocol, other.report.protocol
    warning = ""
    if protocols[0] != protocols[1]:
        warning = f"other protocol: {protocols[0]}; not {protocols[1]}"
    groups = _groups(first)
    present = np.flatnonzero(first.target.any(0))
    if not len(present):
        return Comparison(reason="no label has a clip on the validation list")
    num_recordings = int(groups.max()) + 1
    drawn = _differences(first, second, groups, present)
    real = _difference_of(first, second, present, np.ones((len(groups), 1)))[0]
    names = [first.labels[k] for k in present]
    gains = [_gain(real[n], drawn[:, n], num_recordings) for n in range(len(names))]
    return Comparison(
        warning=warning,
        num_clips=len(groups),
        num_recordings=num_recordings,
        mean=_gain(float(real.mean()), _means(drawn), num_recordings),
        by_label=dict(zip(names, gains, strict=True)),
    )


def _alike(
    run: RunRecords, first: PredictedClips, other: RunRecords
) -> tuple[PredictedClips | None, str]:
    """Return the clips of a run in the order of another's, or why they are not the same."""
    own = run.clips
    if own.labels != first.labels:
        return None, "other labels"
    names = [str(name) for name in own.clips["clip"]], [str(name) for name in first.clips["clip"]]
    same_list = run.predictions.attrs["list_sha256"] == other.predictions.attrs["list_sha256"]
    if sorted(names[0]) == sorted(names[1]):
        row_of = {name: row for row, name in enumerate(names[0])}
        rows = [row_of[name] for name in names[1]]
        own = replace(own, probability=own.probability[rows], target=own.target[rows])
    elif not same_list or len(names[0]) != len(names[1]):  # a list that moved names other paths
        return None, "another validation list"
    if not np.array_equal(own.target, first.target):
        return None, "the same clips with other annotations"
    return own, ""


def _groups(clips: PredictedClips) -> NDArray[np.int64]:
    """Return the recording of each clip as a number (N,); a clip without one stands alone."""
    recording = clips.clips["recording"]
    names = recording.where(recording.notna() & (recording != ""), clips.clips["clip"])
    return np.asarray(names.factorize()[0], dtype=np.int64)


def _differences(
    first: PredictedClips,
    second: PredictedClips,
    groups: NDArray[np.int64],
    present: NDArray[np.intp],
) -> Floats:
    """Return the difference in average precision of each draw and label (R, K)."""
    rng = np.random.default_rng(_SEED)
    number = int(groups.max()) + 1
    step = max(1, min(DRAWS, _AT_ONCE // len(groups)))
    parts = []
    for start in range(0, DRAWS, step):
        times = rng.multinomial(number, np.full(number, 1 / number), size=min(step, DRAWS - start))
        parts.append(_difference_of(first, second, present, times[:, groups].T.astype(np.float64)))
    return np.concatenate(parts)


def _difference_of(
    first: PredictedClips, second: PredictedClips, present: NDArray[np.intp], weight: Floats
) -> Floats:
    """Return the difference of each weighting and label (R, K)."""
    columns = []
    for k in present:
        one, two = (
            average_precisions(clips.probability[:, k], first.target[:, k], weight)
            for clips in (first, second)
        )
        columns.append(two - one)
    return np.stack(columns, axis=1)


def average_precisions(probability_N: Floats, target_N: Flags, weight_NR: Floats) -> Floats:
    """Return the average precision of one class for each of several weightings of its clips (R,).

    A clip with weight 2 counts as if it were there twice, one with weight 0 as if it were not. NaN
    where no positive has a weight. scikit-learn takes one weighting at a time, a thousand times
    as slowly.
    """
    order = np.argsort(-probability_N, kind="stable")
    last = np.append(np.flatnonzero(np.diff(probability_N[order])), len(order) - 1)
    found = np.cumsum(weight_NR[order], axis=0)[last]
    hits = np.cumsum(weight_NR[order] * target_N[order, None], axis=0)[last]
    precision = np.divide(hits, found, out=np.zeros_like(hits), where=found > 0)
    area = (np.diff(hits, axis=0, prepend=0.0) * precision).sum(0)
    return np.asarray(np.divide(area, hits[-1], out=np.full_like(area, np.nan), where=hits[-1] > 0))


def _means(drawn: Floats) -> Floats:
    """Return the mean over the labels that have positives in a draw (R,)."""
    known = ~np.isnan(drawn)
    count = known.sum(1)
    total = np.where(known, drawn, 0.0).sum(1)
    return np.asarray(np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0))


def _gain(value: float, drawn: Floats, num_recordings: int) -> Gain:
    known = drawn[~np.isnan(drawn)]
    if num_recordings < 2 or not len(known):
        return Gain(float(value), None, None)
    low, high = np.percentile(known, (2.5, 97.5))
    return Gain(float(value), float(low), float(high))
