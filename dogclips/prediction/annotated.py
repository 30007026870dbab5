"""Recordings with what annotators said of them, where they said anything."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from dogclips.annotations import Project, read_dataset
from dogclips.clips.labelled import apply_labels
from dogclips.clips.session import (
    VIA_DIR,
    VIDEO_DIR,
    files_in,
    recordings_in,
    resolve_recordings,
)
from dogclips.clips.viewing import Viewing
from dogclips.errors import DogclipsError
from dogclips.labels import LabelConfig
from dogclips.segments import last_end_s
from dogclips.timebase import Span, exact


@dataclass(frozen=True, eq=False)
class AnnotatedFile:
    """A recording, and the annotation file that names it, if there is one.

    Parameters
    ----------
    media_name
        As the annotation file writes it; the file's name without one.
    error
        Why the file cannot be used.
    """

    path: Path
    media_name: str
    project: Project | None = None
    error: DogclipsError | None = None


@dataclass(frozen=True)
class ClassNames:
    """How annotated labels become the classes of a model.

    Parameters
    ----------
    labels, with_task
        Class names of the model, and whether they are `task:label`.
    config, tasks
        As they were when its clips were cut.
    """

    labels: tuple[str, ...]
    with_task: bool = False
    config: LabelConfig = field(default_factory=LabelConfig)
    tasks: str | tuple[str, ...] = "all"


@dataclass(frozen=True)
class AnnotatedBouts:
    """What was annotated of a recording, in the model's classes.

    Parameters
    ----------
    spans
        Of each class, in annotation time.
    until_s
        When the last segment ends, of whichever label.
    unknown
        Labels that are no class of the model.
    """

    spans: Mapping[str, tuple[Span, ...]]
    until_s: Fraction
    unknown: tuple[str, ...] = ()


def annotated_files(inputs: Sequence[Path]) -> tuple[list[AnnotatedFile], list[str]]:
    """Return the recordings that inputs name: videos, or session folders with all of theirs.

    A video in the `video/` of a session folder is one of the session's. What cannot be used is an
    entry with its error.

    Returns
    -------
    files, warnings
        Warnings are about annotation files that cannot be used, which cost their scores only.
    """
    files: list[AnnotatedFile] = []
    warnings: list[str] = []
    for path in inputs:
        base_dir = path if path.is_dir() else path.absolute().parent.parent
        if not path.is_dir() and path.absolute().parent.name != VIDEO_DIR:
            files.append(AnnotatedFile(path, path.name))
            continue
        try:
            videos = recordings_in(base_dir) if path.is_dir() else [path]
        except DogclipsError as error:
            files.append(AnnotatedFile(path, path.name, error=error))
            continue
        projects, faults = _projects(files_in(base_dir / VIA_DIR))
        files.extend(_with_project(video, projects) for video in videos)
        warnings.extend(faults)
    return files, list(dict.fromkeys(warnings))


def annotated_bouts(
    project: Project, media_name: str, viewing: Viewing, names: ClassNames
) -> AnnotatedBouts:
    """Return what an annotation file says of a recording.

    Raises
    ------
    DogclipsError
        A label is refused by the settings, or frames that were annotated are not there.
    """
    everything = project.segments[project.segments["media_name"] == media_name]
    timed = viewing.in_seconds(everything)
    labelled = apply_labels(timed, names.config, names.tasks, with_task=names.with_task)
    lasting = labelled[labelled["kind"] == "state"]
    spans: dict[str, list[Span]] = {label: [] for label in names.labels}
    for row in lasting.to_dict("records"):
        span = Span(exact(row["t_start"]), exact(row["t_end"]))
        spans.setdefault(row["label"], []).append(span)
    return AnnotatedBouts(
        {label: tuple(spans[label]) for label in names.labels},
        last_end_s(timed),
        tuple(label for label in spans if label not in names.labels),
    )


def _projects(paths: Sequence[Path]) -> tuple[list[Project], list[str]]:
    """Return the annotation files that can be used, and a line for each that cannot."""
    projects, warnings = read_dataset(paths)
    usable = []
    for project in projects:
        try:
            usable.append(project.checked())
        except DogclipsError as error:
            warnings.append(str(error))
    return usable, warnings


def _with_project(video: Path, projects: Sequence[Project]) -> AnnotatedFile:
    for project in projects:
        for name, path in resolve_recordings(project.media_names, [video]).items():
            if path == video:
                return AnnotatedFile(video, name, project)
    return AnnotatedFile(video, video.name)
