"""Annotation files made usable: what nothing refuses, under class names that all of them share."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pandas as pd

from dogclips.annotations import Project, grouped
from dogclips.annotations.project import refusal
from dogclips.clips.config import CutConfig
from dogclips.clips.names import safe
from dogclips.errors import AnnotationError, DogclipsError
from dogclips.labels import apply_labels, class_order, several_tasks


@dataclass(frozen=True)
class Refused:
    """An annotation file, or one recording of it, that cannot be used."""

    project: str
    source: str
    error: DogclipsError


@dataclass(frozen=True, eq=False)
class LabelledFile:
    """An annotation file whose segments bear class names.

    Parameters
    ----------
    folder
        Where its clips go, under `output/`.
    """

    folder: str
    project: Project
    segments: pd.DataFrame


@dataclass(frozen=True, eq=False)
class Labelled:
    """The annotation files of a session.

    Parameters
    ----------
    with_task
        Whether classes are called `task:label`.
    """

    files: tuple[LabelledFile, ...]
    classes: tuple[str, ...]
    with_task: bool
    refused: tuple[Refused, ...]
    warnings: tuple[str, ...]


def label_projects(projects: Sequence[Project], config: CutConfig) -> Labelled:
    """Return the files that can be used, with the labels that become classes."""
    files: list[LabelledFile] = []
    refused = [
        Refused(project.path.stem, "", refusal(project.path, project.errors))
        for project in projects
        if project.errors
    ]
    usable = [project for project in projects if not project.errors]
    with_task = several_tasks((project.segments for project in usable), config.tasks)
    for folder, project in _in_folders(usable):
        try:
            segments = apply_labels(
                project.segments, config.labels, config.tasks, with_task=with_task
            )
            files.append(LabelledFile(folder, project, segments))
        except AnnotationError as error:
            refused.append(Refused(folder, "", error))
    names = [name for file in files for name in file.segments["label"]]
    return Labelled(
        files=tuple(files),
        classes=class_order(names, config.labels.order),
        with_task=with_task,
        refused=tuple(refused),
        warnings=tuple(text for project in usable for text in _issues(project)),
    )


def _in_folders(projects: Sequence[Project]) -> Iterator[tuple[str, Project]]:
    """Yield each file with a folder of its own."""
    taken: set[str] = set()
    for project in projects:
        folder = safe(project.path.stem)
        while folder in taken:
            folder += "_"
        taken.add(folder)
        yield folder, project


def _issues(project: Project) -> Iterator[str]:
    for issue, count in grouped(project.issues):
        more = f" (and {count - 1} more)" if count > 1 else ""
        yield f"{project.path.name}: {issue.code} {issue.place}: {issue.text}{more}"
