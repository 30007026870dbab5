"""What is predicted of recordings, as tables, annotations, pictures and a video."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from dogclips.annotations import Media, Project
from dogclips.annotations.boris_tables import write_boris_intervals
from dogclips.annotations.via_writing import write_via
from dogclips.clips.names import safe_stems
from dogclips.errors import AnnotationError
from dogclips.files import json_text, write_whole
from dogclips.labels import carry_tasks, split_task
from dogclips.records.predictions import PREDICTIONS, write_step_predictions
from dogclips.reports.pictures.prediction_timeline import timeline_svg
from dogclips.reports.tables.predict import scores_document
from dogclips.scores.prediction import Prediction, step_table
from dogclips.segments import segment_table

BOUTS, VIA_DIR, TIMELINES, SCORES = "bouts.csv", "via", "timelines", "scores.json"

# For each task its option ids and labels.
Questions = Mapping[str, Mapping[str, str]]


def write_predictions(
    out: Path, predictions: Sequence[Prediction], questions: Sequence[Questions], protocol: str
) -> tuple[list[Path], list[AnnotationError]]:
    """Write tables of all recordings to `out`, and of each a VIA project and a timeline.

    Bouts answer the `questions` of the annotation file that names their recording. Returned are the
    files, and what VIA cannot open as faults: it refuses some names of recordings.
    """
    files, faults = [out / PREDICTIONS, out / BOUTS], []
    write_step_predictions(step_table(predictions), out / PREDICTIONS)
    names = [prediction.media_name for prediction in predictions]
    if len(set(names)) < len(names):
        names = [prediction.path.as_posix() for prediction in predictions]
    write_boris_intervals(as_project(predictions, names), out / BOUTS)
    stems = safe_stems(prediction.path for prediction in predictions)
    for prediction, asked, stem in zip(predictions, questions, stems, strict=True):
        via, timeline = out / VIA_DIR / f"{stem}.json", out / TIMELINES / f"{stem}.svg"
        try:
            write_via(as_project([prediction], [prediction.media_name], asked), via)
            files.append(via)
        except AnnotationError as error:
            faults.append(error)
        write_whole(timeline, timeline_svg(prediction))
        files.append(timeline)
    if any(prediction.agreement is not None for prediction in predictions):
        write_whole(out / SCORES, json_text(scores_document(predictions, protocol)))
        files.append(out / SCORES)
    return files, faults


def as_project(
    predictions: Sequence[Prediction], names: Sequence[str], asked: Questions | None = None
) -> Project:
    """Return the bouts of recordings, under these names, as an annotation file would say them.

    A class that is called `task:label` answers its task. Any other answers the question of `asked`
    that offers it, so that predictions fit to annotations that there are, or else "behaviour".
    """
    asked = asked or {}
    rows = [
        row
        for prediction, name in zip(predictions, names, strict=True)
        for row in _segments(prediction, name, asked)
    ]
    media = tuple(Media(name) for name in names)
    return Project(Path(), "predicted", segment_table(rows), media, options=asked)


def _segments(prediction: Prediction, name: str, asked: Questions) -> Iterator[dict[str, Any]]:
    with_task = carry_tasks(prediction.labels, prediction.with_task)
    for bout in prediction.bouts:
        task, label = _question(bout.label, asked, with_task=with_task)
        yield {
            "source_format": "predicted",
            "media_name": name,
            "t_start": float(bout.span.start),
            "t_end": float(bout.span.end),
            "task": task,
            "label": label,
            "comment": f"score {bout.score:.3f}",
        }


def _question(label: str, asked: Questions, *, with_task: bool) -> tuple[str, str]:
    """Return the task and the label of a class."""
    if with_task:
        return split_task(label)
    tasks = (
        task for task, options in asked.items() if label in {o.strip() for o in options.values()}
    )
    return next(tasks, "behaviour"), label
