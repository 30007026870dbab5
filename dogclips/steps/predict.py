"""Predict: find the bouts in whole recordings with a trained model."""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dogclips.clips.recordings import measure_recordings
from dogclips.clips.viewing import Viewing, viewing_of
from dogclips.config import Settings, settings_of
from dogclips.errors import DogclipsError, UsageError
from dogclips.events import Feed, Progress, Result
from dogclips.files import Paths
from dogclips.media.writing import is_video_name
from dogclips.prediction.config import PredictConfig
from dogclips.prediction.files import write_predictions
from dogclips.prediction.inputs import InputRecording, annotated_bouts, find_recordings
from dogclips.prediction.overlay import draw_overlay
from dogclips.prediction.predictor import Predictor, load_predictor, sliding_windows
from dogclips.prediction.scoring import WindowScores, score_windows
from dogclips.records.settings import SETTINGS, write_settings
from dogclips.scores.agreement import Agreement, total_agreement
from dogclips.scores.bouts import find_bouts, median_smoothed
from dogclips.scores.locating import covering_mean, locate
from dogclips.scores.prediction import Effort, Prediction, Unpredicted


@dataclass(frozen=True, eq=False)
class PredictResult(Result):
    """What a model said of recordings."""

    #: Of each recording that could be used: scores of steps, bouts, agreement with annotations.
    predictions: tuple[Prediction, ...]
    unpredicted: tuple[Unpredicted, ...]  #: The others
    protocol: str  #: How a step was scored, in words
    files: tuple[Path, ...]  #: Everything that was written

    @property
    def agreement(self) -> Agreement | None:
        """Return the agreement of all annotated recordings together; None without any."""
        return total_agreement(one.agreement for one in self.predictions)


def predict(
    run: str | Path,
    inputs: Paths,
    out: str | Path,
    settings: Settings[PredictConfig] = None,
    *,
    overlay: str | Path | None = None,
    progress: Progress | None = None,
) -> PredictResult:
    """Predict bouts in whole recordings, in the times that the annotator sees.

    Bouts are compared with annotations where there are any. Streams, window length and views are
    as in the training unless the settings change them.

    Parameters
    ----------
    run
        Run folder or checkpoint.
    inputs
        Recordings, or session folders with all of theirs; one or several.
    out
        The folder that gets predictions.parquet, bouts.csv, config.yaml, a VIA project and a
        timeline for each recording and, where any is annotated, scores.json.
    settings
        A `PredictConfig`, a YAML file, a mapping of keys such as `{"stride_seconds": 0.5}`, or a
        sequence of these; later ones win.
    overlay
        Write the recording to this video with its bouts drawn below each frame; for one recording
        only.
    progress
        Called with each event; each recording is a task, its windows are the units.

    Returns
    -------
    result
        A recording that cannot be used is a failure and does not stop the others.

    Raises
    ------
    UsageError, ConfigError
        The overlay cannot be written, the settings do not fit the run, or the length of the
        training clips is unknown.
    CheckpointError
        The run cannot be used.
    OutputError
        A file cannot be written.
    """
    feed, out = Feed(progress), Path(out)
    recordings, warnings = find_recordings(inputs)
    if overlay is not None:
        _check_overlay(Path(overlay), recordings)
    predictor = load_predictor(Path(run), settings_of(PredictConfig, settings))
    if predictor.without_threshold:
        names = ", ".join(predictor.without_threshold)
        warnings.append(f"the run has no threshold, so 0.5 is used, for: {names}")
    for text in warnings:
        feed.warn(text)
    predictions, unpredicted, questions = [], [], []
    for recording in recordings:
        try:
            predictions.append(_predicted(predictor, recording, feed))
            questions.append(recording.project.options if recording.project else {})
        except DogclipsError as error:
            feed.fail(error)
            unpredicted.append(Unpredicted(recording.path, error))
    files, faults = write_predictions(out, predictions, questions, predictor.protocol)
    for fault in faults:
        feed.fail(fault)
    write_settings(predictor.resolved, out)
    if overlay is not None and predictions:
        overlay, frames = Path(overlay), predictions[0].viewing.reference.num_frames
        with feed.task(f"drawing {overlay.name}", frames, "frames") as done:
            draw_overlay(overlay, predictions[0], lambda: done(1))
        files.append(overlay)
    files.append(out / SETTINGS)
    return PredictResult(
        tuple(predictions), tuple(unpredicted), predictor.protocol, tuple(files), **feed.kept
    )


def _check_overlay(overlay: Path, recordings: Sequence[InputRecording]) -> None:
    """Refuse an overlay of several recordings, or one that would replace a recording."""
    if len(recordings) != 1:
        raise UsageError(
            f"{len(recordings)} recordings do not fit into one overlay",
            where="--overlay",
            todo="name one recording",
        )
    if not is_video_name(overlay):
        raise UsageError(
            f"cannot write {overlay.suffix or 'a file without suffix'}",
            where="--overlay",
            todo="name a file that ends in .mp4",
        )
    source = recordings[0].path
    if overlay.exists() and source.exists() and overlay.samefile(source):
        raise UsageError("this file is the input", where="--overlay", todo="write to another file")


def _predicted(predictor: Predictor, recording: InputRecording, feed: Feed) -> Prediction:
    """Measure a recording as cutting would, predict what happens in it, and compare."""
    if recording.error is not None:
        raise recording.error
    path = recording.path
    began = time.monotonic()
    streams = predictor.streams_of(recording)
    trust = predictor.settings.trust
    pair = {path: recording.original or path}
    measured = measure_recordings(pair, [streams], trust=trust)[path, streams]
    viewing = viewing_of(measured, streams)
    measuring_s = time.monotonic() - began
    number = math.ceil(viewing.length_s / predictor.stride_s)
    odd = [f"{one.code} {one.text}" for one in measured.messages if one.level == "warning"]
    with feed.task(path.name, number, "windows") as done:
        truth = annotated_bouts(recording, viewing, predictor.class_names)
        windows = sliding_windows(viewing, predictor.windows)
        scores = score_windows(predictor, viewing, windows, done)
    if viewing.fault:
        odd.append(viewing.fault)
    if truth is not None and truth.unknown:
        unknown = ", ".join(truth.unknown)
        odd.append(f"annotated, but not a class of the model, so not scored: {unknown}")
    for text in odd:
        feed.warn(f"{path}: {text}")
    effort = Effort(time.monotonic() - began, scores.reading_s, measuring_s)
    prediction = _in_steps(predictor, recording, viewing, scores, effort)
    return prediction if truth is None else prediction.compared(truth.spans, truth.until_s)


def _in_steps(
    predictor: Predictor,
    recording: InputRecording,
    viewing: Viewing,
    windows: WindowScores,
    effort: Effort,
) -> Prediction:
    """Return what windows say of each step of time, and the bouts of that."""
    labels, thresholds = predictor.run.labels, predictor.thresholds
    steps, number = predictor.windows.steps, len(windows.reasons)
    located = locate(windows.probability_WK, np.array(thresholds), steps, predictor.settings.locate)
    score = median_smoothed(located, predictor.smooth_steps)[:number]
    return Prediction(
        media_name=recording.media_name,
        viewing=viewing,
        step_s=predictor.stride_s,
        steps=steps,
        labels=labels,
        with_task=predictor.run.with_task,
        thresholds=thresholds,
        reasons=windows.reasons,
        probability=covering_mean(windows.probability_WK, steps)[:number],
        score=score,
        bouts=find_bouts(score, labels, predictor.bout_rules, predictor.stride_s),
        effort=effort,
    )
