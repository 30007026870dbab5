"""Show a trained model a whole recording, window by window.

Shapes: B windows, V views, T frames or steps, S side of a view, K labels, W windows.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import islice
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from dogclips.alignment import StreamChoice
from dogclips.clips.config import CutConfig
from dogclips.clips.recordings import Recording
from dogclips.clips.viewing import Viewing, viewing_of
from dogclips.errors import ConfigError
from dogclips.loading import Views
from dogclips.loading.streaming import WindowViews, stream_windows
from dogclips.media.picture import output_size
from dogclips.prediction.annotated import AnnotatedBouts, AnnotatedFile, ClassNames, annotated_bouts
from dogclips.prediction.config import LabelRulesConfig, PredictConfig
from dogclips.prediction.locating import MOST_STEPS, covering_mean, locate
from dogclips.prediction.sliding import SlidingRules, SlidingWindow, sliding_windows
from dogclips.scores.agreement import agreement
from dogclips.scores.bouts import BoutRules, Floats, find_bouts, known_spans, median_smoothed
from dogclips.scores.prediction import Effort, Prediction
from dogclips.timebase import exact
from dogclips.training.checkpoints import SavedRun
from dogclips.training.data import sampling_of
from dogclips.training.machine import precision_for
from dogclips.training.tasks import probabilities

_FALLBACK = 0.5  # threshold of a label of which the validation list had no positive


_Item = TypeVar("_Item")


OnWindows = Callable[[int], None]  # so many more windows are done


@dataclass(frozen=True)
class Predictor:
    """A trained model, and how recordings are shown to it.

    Parameters
    ----------
    run
        With the changes to its evaluation that were asked for.
    cut
        How the clips of its training were cut; defaults where nobody knows.
    clip_s
        Their length in seconds.
    """

    run: SavedRun
    cut: CutConfig
    clip_s: Fraction
    settings: PredictConfig

    @property
    def stride_s(self) -> Fraction:
        """Return the seconds from one window to the next."""
        wanted = self.settings.stride_seconds
        return self.clip_s / 4 if wanted is None else exact(wanted)

    @property
    def steps(self) -> int:
        """Return how many whole steps a window covers."""
        return int(self.clip_s // self.stride_s)

    @property
    def thresholds(self) -> tuple[float, ...]:
        """Return the threshold of each label: as set for it, for all, by the run, or 0.5."""
        general = self.settings.threshold
        return tuple(
            next(
                value
                for value in (self._own(label).threshold, general, held, _FALLBACK)
                if value is not None
            )
            for label, held in zip(self.run.labels, self.run.thresholds, strict=True)
        )

    @property
    def without_threshold(self) -> tuple[str, ...]:
        """Return the labels for which neither the settings nor the run have a threshold."""
        general = self.settings.threshold
        return tuple(
            label
            for label, held in zip(self.run.labels, self.run.thresholds, strict=True)
            if held is None and general is None and self._own(label).threshold is None
        )

    @property
    def resolved(self) -> PredictConfig:
        """Return the settings with what was taken from the training."""
        lengths = {"clip_seconds": float(self.clip_s), "stride_seconds": float(self.stride_s)}
        return self.settings.model_copy(update=lengths)

    @property
    def protocol(self) -> str:
        """Say in words how a step is scored."""
        settings = self.settings
        how = {
            "counts": "located by how many of its windows' steps carry the label",
            "mean": "mean over its windows",
            "centre": "the window around it",
        }[settings.locate]
        smooth = {
            "none": "not smoothed",
            "median": f"median over {settings.smooth_seconds:g} s",
            "hysteresis": f"hysteresis down to {settings.low:g} of the threshold",
        }[settings.smooth]
        return (
            f"windows of {float(self.clip_s):g} s every {float(self.stride_s):g} s; "
            f"{self.run.config.protocol}; steps of {float(self.stride_s):g} s, {how}, {smooth}"
        )

    def checked(self) -> "Predictor":
        """Return the predictor if its settings fit the run.

        Raises
        ------
        ConfigError
            A label is none of the model's, or windows leave gaps or overlap too often.
        """
        for label in self.settings.labels:
            if label not in self.run.labels:
                raise ConfigError(
                    f"the model knows no label {label!r}",
                    where=f"labels.{label}",
                    todo=f"its labels: {', '.join(self.run.labels)}",
                )
        if self.steps < 1:
            raise ConfigError(
                f"windows of {float(self.clip_s):g} s would leave gaps",
                where=f"stride_seconds {float(self.stride_s):g}",
                todo="choose a stride that is no longer than a window",
            )
        if self.settings.locate == "counts" and self.steps > MOST_STEPS:
            raise ConfigError(
                f"{self.steps} windows would cover each step; to count them is for {MOST_STEPS}",
                where=f"stride_seconds {float(self.stride_s):g}",
                todo="choose a longer stride, or set locate to mean",
            )
        return self

    def rules(self) -> list[BoutRules]:
        """Return what makes a bout of each label."""
        settings, found = self.settings, []
        for label, threshold in zip(self.run.labels, self.thresholds, strict=True):
            own = self._own(label)
            least, gap = own.min_bout_seconds, own.merge_gap_seconds
            found.append(
                BoutRules(
                    threshold=threshold,
                    low=threshold * (settings.low if settings.smooth == "hysteresis" else 1.0),
                    min_bout_s=exact(settings.min_bout_seconds if least is None else least),
                    merge_gap_s=exact(settings.merge_gap_seconds if gap is None else gap),
                )
            )
        return found

    def choice_of(self, file: AnnotatedFile) -> StreamChoice:
        """Return the streams of a recording: as asked for, else as in the training."""
        settings, cut = self.settings, self.cut
        choice = StreamChoice(cut.reference, cut.target, cut.annotated_in)
        if file.project is not None:
            choice = cut.choice_of(file.project)
        return StreamChoice(
            choice.reference if settings.reference is None else settings.reference,
            choice.target if settings.target is None else settings.target,
            settings.annotated_in or choice.annotated_in,
        )

    def class_names(self) -> ClassNames:
        """Return how annotated labels become the model's classes."""
        return ClassNames(self.run.labels, self.run.with_task, self.cut.labels, self.cut.tasks)

    def _own(self, label: str) -> LabelRulesConfig:
        return self.settings.labels.get(label, LabelRulesConfig())


def predict_recording(
    predictor: Predictor,
    file: AnnotatedFile,
    recording: Recording,
    choice: StreamChoice,
    on_windows: OnWindows = lambda _count: None,
) -> tuple[Prediction, tuple[str, ...]]:
    """Predict what happens in a recording, and compare it with its annotations if it has any.

    Parameters
    ----------
    recording, choice
        What was measured of the file, and which of its streams are meant.
    on_windows
        Called as windows are done.

    Returns
    -------
    prediction, warnings

    Raises
    ------
    DogclipsError
        The file cannot be used, or nobody can say which frames its annotator saw.
    """
    began = time.monotonic()
    viewing = viewing_of(recording, choice)
    windows = list(sliding_windows(viewing, _sliding(predictor)))
    probability_WK, reasons, reading_s = _score(predictor, viewing, windows, on_windows)
    score_TK = _steps(predictor, probability_WK)
    num_steps = -(-viewing.length_s // predictor.stride_s)
    prediction = Prediction(
        path=file.path,
        media_name=file.media_name,
        reference=viewing.reference,
        zero_s=viewing.zero_s,
        length_s=viewing.length_s,
        step_s=predictor.stride_s,
        steps=predictor.steps,
        labels=predictor.run.labels,
        thresholds=predictor.thresholds,
        reasons=reasons,
        probability=covering_mean(probability_WK, predictor.steps)[:num_steps],
        score=score_TK[:num_steps],
        with_task=predictor.run.with_task,
        bouts=find_bouts(
            score_TK[:num_steps], predictor.run.labels, predictor.rules(), predictor.stride_s
        ),
        effort=Effort(time.monotonic() - began, reading_s),
    )
    warnings = (viewing.fault,) if viewing.fault else ()
    if file.project is None:
        return prediction, warnings
    truth = annotated_bouts(file.project, file.media_name, viewing, predictor.class_names())
    prediction, more = _compare(predictor, prediction, truth)
    return prediction, (*warnings, *more)


def num_windows(predictor: Predictor, recording: Recording, choice: StreamChoice) -> int:
    """Return how many windows a recording has, for a progress bar; 0 if it cannot be used."""
    if recording.table is None or recording.alignment is None or not recording.alignment.trusted:
        return 0
    length_s = viewing_of(recording, choice).length_s
    return int(-(-length_s // predictor.stride_s))


def _sliding(predictor: Predictor) -> SlidingRules:
    return SlidingRules(
        predictor.clip_s,
        predictor.stride_s,
        predictor.cut.resample_to,
        predictor.settings.keep_doubtful or predictor.cut.keep_doubtful,
    )


def _steps(predictor: Predictor, probability_WK: Floats) -> Floats:
    """Return the smoothed scores of steps (T, K)."""
    settings = predictor.settings
    thresholds_K = np.array(predictor.thresholds)
    score_TK = locate(probability_WK, thresholds_K, predictor.steps, settings.locate)
    if settings.smooth != "median":
        return score_TK
    return median_smoothed(score_TK, round(exact(settings.smooth_seconds) / predictor.stride_s))


def _score(
    predictor: Predictor,
    viewing: Viewing,
    windows: Sequence[SlidingWindow],
    on_windows: OnWindows,
) -> tuple[Floats, tuple[str, ...], float]:
    """Return probabilities (W, K), why windows have none, and the seconds spent reading."""
    config = predictor.run.config
    views = WindowViews(
        sampling=sampling_of(config.data),
        num_views=config.evaluation.views,
        crops=Views(config.data.size, config.data.fit, config.evaluation.crops),
        size=output_size(viewing.target, predictor.cut.short_side),
    )
    shown = [(n, window.frames) for n, window in enumerate(windows) if window.frames is not None]
    reasons = [window.reason for window in windows]
    on_windows(len(windows) - len(shown))
    probability_WK = np.full((len(windows), len(predictor.run.labels)), np.nan)
    places = [views.places(frames) for _, frames in shown]
    reading = _Timed(stream_windows(viewing.path, viewing.target, places, views))
    model = _Model(predictor.run)
    for batch in _batches(reading, model.batch_size):
        numbers = [shown[place][0] for place, video in batch if not isinstance(video, str)]
        videos = [video for _, video in batch if not isinstance(video, str)]
        if videos:
            probability_WK[numbers] = model(torch.stack(videos)).numpy()
        for place, video in batch:
            reasons[shown[place][0]] = video if isinstance(video, str) else ""
        on_windows(len(batch))
    return probability_WK, tuple(reasons), reading.seconds


class _Model:
    """A network with its weights on the fastest device: from views to probabilities."""

    def __init__(self, run: SavedRun) -> None:
        self.config, self.tasks = run.config, run.module.tasks
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.network = run.module.model.to(self.device).eval()
        evaluation = self.config.evaluation
        num_views = evaluation.views * evaluation.crops
        self.batch_size = max(1, self.config.data.batch_size // num_views)

    @torch.inference_mode()
    def __call__(self, video_BV3TSS: Tensor) -> Tensor:
        """Return the probability of each label (B, K), averaged over the views as in testing."""
        num_windows, num_views = video_BV3TSS.shape[:2]
        video_b3TSS = video_BV3TSS.flatten(0, 1).to(self.device)  # b = B * V
        with self._precision():
            logits_bK = self.network(self.network.normalise(video_b3TSS))
        logits_BVK = logits_bK.float().view(num_windows, num_views, -1)
        if self.config.evaluation.average == "sigmoid":
            return probabilities(logits_BVK, self.tasks).mean(1).cpu()
        return probabilities(logits_BVK.mean(1), self.tasks).cpu()

    def _precision(self) -> AbstractContextManager[object]:
        precision = precision_for(self.config.trainer)
        if precision == "32-true" or self.device.type == "cpu":
            return nullcontext()
        half = torch.bfloat16 if precision == "bf16-mixed" else torch.float16
        return torch.autocast(self.device.type, dtype=half)


class _Timed(Iterator[_Item]):
    """Items of another iterator, and the seconds that they took to come."""

    def __init__(self, items: Iterable[_Item]) -> None:
        self._items = iter(items)
        self.seconds = 0.0

    def __next__(self) -> _Item:
        began = time.monotonic()
        try:
            return next(self._items)
        finally:
            self.seconds += time.monotonic() - began


def _batches(items: Iterable[_Item], size: int) -> Iterator[list[_Item]]:
    items = iter(items)
    while batch := list(islice(items, size)):
        yield batch


def _compare(
    predictor: Predictor, prediction: Prediction, truth: AnnotatedBouts
) -> tuple[Prediction, tuple[str, ...]]:
    """Return a prediction with how well it agrees with annotations, and what is odd about them."""
    labels, bouts = prediction.labels, prediction.bouts
    spans = {label: [bout.span for bout in bouts if bout.label == label] for label in labels}
    known = known_spans(prediction.score, predictor.stride_s)
    found = agreement(spans, truth.spans, labels, known, truth.until_s)
    compared = replace(prediction, annotated=truth.spans, agreement=found)
    if not truth.unknown:
        return compared, ()
    names = ", ".join(truth.unknown)
    return compared, (f"annotated, but no class of the model, so in no score: {names}",)
