"""What a model said of a recording, step by step, as a table and as annotations.

Shapes: T steps, K labels.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from dogclips.annotations import Media, Project
from dogclips.annotations.table_writing import write_boris_csv
from dogclips.annotations.via_writing import write_via
from dogclips.clips.names import safe_stems
from dogclips.errors import AnnotationError
from dogclips.files import whole_file
from dogclips.scores.prediction import Prediction, prediction_table
from dogclips.segments import segment_table


def as_project(
    predictions: Sequence[Prediction],
    names: Sequence[str],
    asked: Mapping[str, Mapping[str, str]] | None = None,
) -> Project:
    """Return the bouts of recordings as an annotation file would say them.

    A class that is called `task:label` answers its task. Any other answers the question of `asked`
    that offers it, so that predictions fit to annotations that there are, or else "behaviour".

    Parameters
    ----------
    names
        How each recording is called.
    asked
        The questions of annotation files: for each task its option ids and labels.
    """
    asked = asked or {}
    rows = [
        row
        for prediction, name in zip(predictions, names, strict=True)
        for row in _segments(prediction, name, asked)
    ]
    media = tuple(Media(name) for name in names)
    return Project(Path(), "predicted", segment_table(rows), media, options=asked)


def _segments(
    prediction: Prediction, name: str, asked: Mapping[str, Mapping[str, str]]
) -> Iterator[dict[str, Any]]:
    with_task = all(":" in label.strip(":") for label in prediction.labels)
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


def _question(
    label: str, asked: Mapping[str, Mapping[str, str]], *, with_task: bool
) -> tuple[str, str]:
    """Return the task and the label of a class."""
    if with_task:
        task, _, answer = label.partition(":")
        return task, answer
    tasks = (
        task for task, options in asked.items() if label in {o.strip() for o in options.values()}
    )
    return next(tasks, "behaviour"), label


PREDICTIONS, BOUTS, VIA_DIR = "predictions.parquet", "bouts.csv", "via"


def write_predictions(
    out: Path, predictions: Sequence[Prediction], projects: Sequence[Project | None]
) -> list[AnnotationError]:
    """Write `predictions.parquet`, `bouts.csv` and a VIA project for each recording to `out`.

    Parameters
    ----------
    projects
        For each recording the annotation file that names it, whose questions the bouts answer.

    Returns
    -------
    What VIA cannot open: it refuses some names of recordings.

    Raises
    ------
    OutputError
        The folder cannot be written to.
    """
    with whole_file(out / PREDICTIONS) as part:
        prediction_table(predictions).to_parquet(part, index=False)
    names = [prediction.media_name for prediction in predictions]
    if len(set(names)) < len(names):
        names = [prediction.path.as_posix() for prediction in predictions]
    write_boris_csv(as_project(predictions, names), out / BOUTS)
    faults: list[AnnotationError] = []
    stems = safe_stems([prediction.path for prediction in predictions])
    for prediction, project, stem in zip(predictions, projects, stems, strict=True):
        asked = project.options if project else {}
        own = as_project([prediction], [prediction.media_name], asked)
        try:
            write_via(own, out / VIA_DIR / f"{stem}.json")
        except AnnotationError as error:
            faults.append(error)
    return faults
