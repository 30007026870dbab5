"""Annotation files made usable: what nothing refuses, under class names that all of them share."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import pandas as pd

from dogclips.annotations import Project, grouped, read_dataset
from dogclips.annotations.project import refusal
from dogclips.clips.config import CutConfig
from dogclips.clips.names import safe
from dogclips.clips.session import Session
from dogclips.errors import AnnotationError, DogclipsError
from dogclips.labels import LabelConfig


@dataclass(frozen=True)
class Refused:
    """An annotation file, or one recording of it, that cannot be used."""

    project: str
    source: str
    error: DogclipsError


@dataclass(frozen=True, eq=False)
class LabelledFile:
    """An annotation file whose segments bear class names."""

    folder: str  #: Where its clips go, under `output/`
    project: Project
    segments: pd.DataFrame


@dataclass(frozen=True, eq=False)
class Labelled:
    """The annotation files of a session."""

    files: tuple[LabelledFile, ...]
    classes: tuple[str, ...]
    with_task: bool  #: Whether classes are called `task:label`
    refused: tuple[Refused, ...]
    warnings: tuple[str, ...]


def read_projects(
    sessions: Sequence[Session], config: CutConfig, warn: Callable[[str], None]
) -> list[Project]:
    """Return the annotation files of all sessions, which are one dataset; warn of what is odd."""
    paths = [path for session in sessions for path in session.projects]
    projects, oddities = read_dataset(paths, same_ids=config.labels.option_ids == "same")
    unknown = config.projects.keys() - {project.path.stem for project in projects}
    oddities += [f"projects.{name}: no annotation file has this name" for name in sorted(unknown)]
    for text in oddities:
        warn(text)
    return projects


def label_projects(projects: Sequence[Project], config: CutConfig) -> Labelled:
    """Return the files that can be used, with the labels that become classes."""
    refused = [
        Refused(project.path.stem, "", refusal(project.path, project.errors))
        for project in projects
        if project.errors
    ]
    usable = [project for project in projects if not project.errors]
    warnings = [text for project in usable for text in _issues(project)]
    with_task = several_tasks((project.segments for project in usable), config.tasks)
    files: list[LabelledFile] = []
    for folder, project in zip(_folders(usable), usable, strict=True):
        own = project.segments
        try:
            own = apply_labels(own, config.labels, config.tasks, with_task=with_task)
            files.append(LabelledFile(folder, project, own))
        except AnnotationError as error:
            refused.append(Refused(folder, "", error))
    names = (name for file in files for name in file.segments["label"])
    classes = class_order(names, config.labels.order)
    return Labelled(tuple(files), classes, with_task, tuple(refused), tuple(warnings))


def _issues(project: Project) -> Iterator[str]:
    for issue, count in grouped(project.issues):
        more = f" (and {count - 1} more)" if count > 1 else ""
        yield f"{project.path.name}: {issue.code} {issue.place}: {issue.text}{more}"


def _folders(projects: Sequence[Project]) -> list[str]:
    """Return the folder of each file, no two alike."""
    folders: list[str] = []
    for project in projects:
        folder = safe(project.path.stem)
        while folder in folders:
            folder += "_"
        folders.append(folder)
    return folders


def several_tasks(tables: Iterable[pd.DataFrame], tasks: str | tuple[str, ...]) -> bool:
    """Return whether segments answer several questions, so that classes carry their task.

    `tables` are the segments of all files that are labelled together.
    """
    return len(set[str]().union(*(_chosen(table, tasks) for table in tables))) > 1


def _chosen(segments: pd.DataFrame, tasks: str | tuple[str, ...]) -> set[str]:
    """Return the attributes that become classes: those named, or "all" that carry segments."""
    return {str(task) for task in segments["task"].unique() if tasks == "all" or task in tasks}


def apply_labels(
    segments: pd.DataFrame,
    config: LabelConfig,
    tasks: str | tuple[str, ...],
    *,
    with_task: bool | None = None,
) -> pd.DataFrame:
    """Return the segments that become classes, under their class names.

    `tasks` names the attributes that become classes. `with_task` calls a class `task:label`; None
    means if these segments have `several_tasks`. A dataset of several projects must decide once
    for all of them.
    """
    if with_task is None:
        with_task = several_tasks([segments], tasks)
    segments = segments[segments["task"].isin(_chosen(segments, tasks))]
    known = segments["known"] | segments["label"].isin(list(config.rename))
    segments = segments.assign(known=known)
    unknown = segments[~segments["known"]]
    if len(unknown) and config.unknown == "error":
        first = unknown.iloc[0]
        raise AnnotationError(
            f"{first['label']!r} is not an option of attribute {first['task']!r}",
            where=f"{first['source_file']}: metadata.{first['source_id']}",
            todo="add the option in VIA, or set labels.rename or labels.unknown",
        )
    if config.unknown == "drop":
        segments = segments[segments["known"]]
    names = segments["label"].replace(config.rename)
    if with_task:
        names = segments["task"] + ":" + names
    dropped = segments["label"].isin(config.drop) | names.isin(config.drop)
    return segments.assign(label=names)[~dropped].reset_index(drop=True)


def class_order(names: Iterable[str], order: Iterable[str]) -> tuple[str, ...]:
    """Return class names: those of `order` first, then the others as they are first seen.

    >>> class_order(["walk", "sit", "walk"], ["run"])
    ('run', 'walk', 'sit')
    """
    return tuple(dict.fromkeys([*order, *names]))
