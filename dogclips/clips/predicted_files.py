"""Predictions become files: a table, bouts as BORIS exports them, projects for VIA."""

from collections.abc import Sequence
from pathlib import Path

from dogclips.annotations import Project
from dogclips.annotations.table_writing import write_boris_csv
from dogclips.annotations.via_writing import write_via
from dogclips.clips.names import safe
from dogclips.clips.predicted import Prediction, as_project, prediction_table
from dogclips.errors import AnnotationError
from dogclips.files import whole_file

PREDICTIONS, BOUTS, VIA_DIR = "predictions.parquet", "bouts.csv", "via"


def file_stems(paths: Sequence[Path]) -> list[str]:
    """Return a name for what is written about each recording, without its suffix; no two alike.

    >>> file_stems([Path("a/0205.mp4"), Path("b/0205.mp4"), Path("b/my dog.mkv")])
    ['0205', '0205_2', 'my-dog']
    """
    stems: list[str] = []
    for path in paths:
        stem, number = safe(path.stem), 2
        while stem in stems:
            stem = f"{safe(path.stem)}_{number}"
            number += 1
        stems.append(stem)
    return stems


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
    stems = file_stems([prediction.path for prediction in predictions])
    for prediction, project, stem in zip(predictions, projects, stems, strict=True):
        asked = project.options if project else {}
        own = as_project([prediction], [prediction.media_name], asked)
        try:
            write_via(own, out / VIA_DIR / f"{stem}.json")
        except AnnotationError as error:
            faults.append(error)
    return faults
