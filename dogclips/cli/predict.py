"""`dogclips predict`: a trained model gives recordings what annotators gave them: labelled time."""

import json
import time
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dogclips.cli.console import print_error, print_json, print_result, print_warning, progress_bar
from dogclips.cli.options import (
    ConfigFiles,
    Json,
    MaybeAnnotatedIn,
    MaybeReference,
    MaybeTarget,
    Overrides,
)
from dogclips.errors import DogclipsError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dogclips.annotations import Project
    from dogclips.prediction.annotated import AnnotatedFile
    from dogclips.prediction.predictor import Predictor
    from dogclips.reports.tables.predict import Failure
    from dogclips.scores.prediction import Prediction

_SHORT_S = 30  # whose likeliest labels are printed
_MOST_TRACKS = 12  # rows below an overlay


class Smoothing(StrEnum):
    """How the scores of steps are smoothed."""

    none = "none"
    median = "median"
    hysteresis = "hysteresis"


def predict(
    run: Annotated[Path, typer.Argument(metavar="RUN_DIR_OR_CKPT", help="A trained model.")],
    inputs: Annotated[
        list[Path], typer.Argument(metavar="VIDEO|BASE_DIR...", help="Recordings, or sessions.")
    ],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for everything.")],
    config: ConfigFiles = None,
    set_: Overrides = None,
    stride: Annotated[
        float | None, typer.Option(help="Seconds between windows [a quarter of one].")
    ] = None,
    clip_seconds: Annotated[
        float | None, typer.Option(help="Length of a window [that of the training's clips].")
    ] = None,
    batch: Annotated[int | None, typer.Option(min=1, help="Windows at a time.")] = None,
    views: Annotated[int | None, typer.Option(min=1, help="Views in time of a window.")] = None,
    crops: Annotated[int | None, typer.Option(min=1, help="1 or 3 crops for each view.")] = None,
    precision: Annotated[str | None, typer.Option(help="auto, 32-true, bf16-mixed ...")] = None,
    smooth: Annotated[
        Smoothing | None, typer.Option(help="Smooth the scores [none].", show_default=False)
    ] = None,
    min_bout: Annotated[float | None, typer.Option(help="Drop bouts of fewer seconds [0].")] = None,
    merge_gap: Annotated[
        float | None, typer.Option(help="Fill gaps of fewer seconds within a label [0].")
    ] = None,
    reference: MaybeReference = None,
    target: MaybeTarget = None,
    annotated_in: MaybeAnnotatedIn = None,
    overlay: Annotated[
        Path | None, typer.Option(metavar="FILE.mp4", help="Write the video with bouts drawn in.")
    ] = None,
    top: Annotated[int, typer.Option(min=1, help="Labels to show of a short recording.")] = 5,
    as_json: Json = False,
) -> None:
    """Predict bouts in whole recordings, on the annotator's time base; compare them if annotated.

    Writes predictions.parquet, bouts.csv, a VIA project and a timeline for each recording. What is
    not said here is as in the training: streams, length of a window, views.

    Example: dogclips predict runs/first dog_video/Feb/2_2_kt --out predicted
    """
    from dogclips.config import load_config
    from dogclips.prediction.annotated import annotated_files

    files, warnings = annotated_files(inputs)
    _check_overlay(overlay, files)
    # What follows takes seconds to import.
    from dogclips.prediction.config import PredictConfig
    from dogclips.prediction.setup import load_predictor
    from dogclips.reports.tables.predict import predict_document

    options = {
        "stride_seconds": stride,
        "clip_seconds": clip_seconds,
        "batch_size": batch,
        "views": views,
        "crops": crops,
        "precision": precision,
        "smooth": smooth and smooth.value,
        "min_bout_seconds": min_bout,
        "merge_gap_seconds": merge_gap,
        "reference": reference,
        "target": target,
        "annotated_in": annotated_in,
    }
    given = [f"{key}={value}" for key, value in options.items() if value is not None]
    settings = load_config(PredictConfig, config or (), [*(set_ or ()), *given])
    predictor = load_predictor(run, settings)
    for text in (*warnings, *_of_thresholds(predictor)):
        print_warning(text)
    found, failures = _predict_all(predictor, files)
    faulty = _write_all(out, predictor, found)
    predictions = [prediction for prediction, _ in found]
    if overlay is not None and predictions:
        _write_overlay(overlay, predictions[0])
    if as_json:
        print_json(predict_document(predictions, failures, predictor.protocol, top))
    else:
        _print_tables(predictions, failures, predictor.protocol, top)
    if failures or faulty:
        raise typer.Exit(1)


def _check_overlay(overlay: Path | None, files: "Sequence[AnnotatedFile]") -> None:
    """Refuse an overlay of several recordings, or one that would replace a recording.

    Raises
    ------
    UsageError
        Before anything is predicted.
    """
    from dogclips.media.writing import is_video_name

    if overlay is None:
        return
    if len(files) != 1:
        raise UsageError(
            f"{len(files)} recordings do not fit into one video",
            where="--overlay",
            todo="name one recording",
        )
    if not is_video_name(overlay):
        raise UsageError(
            f"cannot write {overlay.suffix or 'a file without suffix'}",
            where="--overlay",
            todo="name a file that ends in .mp4",
        )
    if overlay.exists() and files[0].path.exists() and overlay.samefile(files[0].path):
        raise UsageError("this file is read", where="--overlay", todo="write to another one")


def _of_thresholds(predictor: "Predictor") -> list[str]:
    names = predictor.without_threshold
    if not names:
        return []
    return [f"no threshold in the run, so 0.5 for: {', '.join(names)}"]


def _predict_all(
    predictor: "Predictor", files: "Sequence[AnnotatedFile]"
) -> "tuple[list[tuple[Prediction, Project | None]], list[Failure]]":
    """Return what is predicted of each recording with its annotations, and what cannot be used."""
    from dogclips.reports.tables.predict import Failure

    found, failures = [], []
    with progress_bar("windows") as progress:
        for file in files:
            task = progress.add_task(file.path.name, total=None)

            def begin(total: int, task: Any = task) -> None:
                progress.update(task, total=total)

            def advance(count: int, task: Any = task) -> None:
                progress.advance(task, count)

            try:
                prediction = _predict(predictor, file, begin, advance)
            except DogclipsError as error:
                print_error(str(error))
                failures.append(Failure(file.path, error))
            else:
                found.append((prediction, file.project))
            progress.remove_task(task)
    return found, failures


def _predict(
    predictor: "Predictor",
    file: "AnnotatedFile",
    begin: "Callable[[int], None]",
    advance: "Callable[[int], None]",
) -> "Prediction":
    """Measure a recording as cutting would, and predict what happens in it."""
    from dogclips.clips.recordings import measure_recordings
    from dogclips.prediction.predictor import num_windows, predict_recording
    from dogclips.scores.prediction import Effort

    if file.error is not None:
        raise file.error
    began = time.monotonic()
    choice = predictor.choice_of(file)
    measured = measure_recordings([file.path], [choice], trust=predictor.settings.trust)
    recording = measured[file.path, choice]
    measuring_s = time.monotonic() - began
    begin(num_windows(predictor, recording, choice))
    for message in recording.messages if recording.error is None else ():
        if message.level == "warning":
            print_warning(f"{file.path}: {message.code} {message.text}")
    prediction, warnings = predict_recording(predictor, file, recording, choice, advance)
    for text in warnings:
        print_warning(f"{file.path}: {text}")
    effort = Effort(time.monotonic() - began, prediction.effort.reading_s, measuring_s)
    return replace(prediction, effort=effort)


def _write_all(
    out: Path, predictor: "Predictor", found: "Sequence[tuple[Prediction, Project | None]]"
) -> bool:
    """Write everything but the overlay; return whether something could not be said in VIA."""
    from dogclips.files import whole_file, write_whole
    from dogclips.prediction.files import file_stems, write_predictions
    from dogclips.records.settings import write_settings
    from dogclips.reports.pictures.prediction_timeline import timeline_svg
    from dogclips.reports.tables.predict import scores_document

    predictions = [prediction for prediction, _ in found]
    faults = write_predictions(out, predictions, [project for _, project in found])
    for fault in faults:
        print_error(str(fault))
    stems = file_stems([prediction.path for prediction in predictions])
    for prediction, stem in zip(predictions, stems, strict=True):
        with whole_file(out / "timelines" / f"{stem}.svg") as part:
            part.write_bytes(timeline_svg(prediction))
    if any(prediction.agreement is not None for prediction in predictions):
        document = scores_document(predictions, predictor.protocol)
        write_whole(out / "scores.json", json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    write_settings(predictor.resolved, out)
    return bool(faults)


def _write_overlay(overlay: Path, prediction: "Prediction") -> None:
    """Write the stream that the annotator sees, with the labels that last longest below it."""
    from dogclips.media.overlay import LabelTrack, Panel, panel_width, write_overlay
    from dogclips.reports.tables.predict import longest_labels

    stream = prediction.reference
    tracks = [
        LabelTrack(
            prediction.labels[place],
            [b.span for b in prediction.bouts if b.label == prediction.labels[place]],
            prediction.score[:, place],
            prediction.thresholds[place],
        )
        for place in longest_labels(prediction, _MOST_TRACKS)
    ]
    panel = Panel(tracks, prediction.step_s, panel_width(stream))
    with progress_bar("frames") as progress:
        task = progress.add_task(f"drawing {overlay.name}", total=stream.num_frames)
        write_overlay(
            overlay,
            prediction.path,
            stream,
            prediction.zero_s,
            panel,
            lambda: progress.advance(task),
        )


def _print_tables(
    predictions: "Sequence[Prediction]", failures: "Sequence[Failure]", protocol: str, top: int
) -> None:
    from dogclips.reports.tables.predict import (
        agreement_tables,
        label_table,
        recording_table,
        top_table,
        total_agreement,
    )

    print_result(recording_table(predictions, failures, protocol))
    print_result(*(top_table(one, top) for one in predictions if one.length_s <= _SHORT_S))
    if predictions:
        print_result(label_table(predictions))
    agreed = total_agreement(predictions)
    if agreed is not None:
        print_result(*agreement_tables(agreed))
