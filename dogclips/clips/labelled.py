"""Annotation files made usable: what nothing refuses, under class names that all of them share."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from dogclips.annotations import Project, grouped, read_dataset
from dogclips.annotations.project import refusal
from dogclips.clips.config import CutConfig
from dogclips.clips.names import safe
from dogclips.clips.observers import AGREEMENTS
from dogclips.clips.session import Session
from dogclips.config import unknown_name
from dogclips.errors import AnnotationError, DogclipsError
from dogclips.labels import LabelConfig

_REPLACED = "V092"


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
    """Return the annotation files of all sessions, which are one dataset; warn of what is odd.

    Raises
    ------
    ConfigError
        A setting names a file, an observer, a task or a label that none of them has.
    """
    parts = [counted(session.projects, config) for session in sessions]
    paths = [path for own, _ in parts for path in own]
    projects, oddities = read_dataset(paths, same_ids=config.labels.option_ids == "same")
    stems = {path.stem for session in sessions for path in session.projects}
    check_names(projects, config, stems)
    for text in (*(text for _, own in parts for text in own), *oddities):
        warn(text)
    return projects


def counted(paths: Sequence[Path], config: CutConfig) -> tuple[list[Path], list[str]]:
    """Return the annotation files of a folder that no other replaces, and a line for each other."""
    stems = {path.stem for path in paths}
    by_old = {
        own.replaces: stem
        for stem, own in config.projects.items()
        if own.replaces is not None and stem in stems
    }
    lines = [
        f"{path.name}: {_REPLACED} {by_old[path.stem]!r} replaces it; skipped"
        for path in paths
        if path.stem in by_old
    ]
    return [path for path in paths if path.stem not in by_old], lines


def check_names(projects: Sequence[Project], config: CutConfig, stems: Collection[str]) -> None:
    """Refuse settings with the name of a file, observer, task or label that does not exist.

    `stems` are the names of all files, those included that others replace. Raises ConfigError.
    """
    if not projects:
        return
    for stem, own in config.projects.items():
        if stem not in stems:
            raise unknown_name(f"projects.{stem}", "annotation file", stem, stems)
        if own.replaces is not None and own.replaces not in {*stems} - {stem}:
            key = f"projects.{stem}.replaces"
            raise unknown_name(key, "annotation file", own.replaces, {*stems} - {stem})
    people = {name for project in projects for name in _observers(project, config)}
    if config.observers is not None and config.observers not in people | {*AGREEMENTS}:
        raise unknown_name("observers", "observer", config.observers, people)
    _check_labels(projects, config)


def _observers(project: Project, config: CutConfig) -> set[str]:
    """Return who annotated a file, as far as the file or its settings say; else its own name."""
    usual = config.project(project.path.stem).observer or project.path.stem
    return {str(name) or usual for name in project.segments["observer"].unique()}


def _check_labels(projects: Sequence[Project], config: CutConfig) -> None:
    """Refuse settings that name tasks or labels which no file has, as a segment or an option."""
    asked = {
        (str(task), str(label))
        for project in projects
        for task, label in zip(project.segments["task"], project.segments["label"], strict=True)
    }
    asked |= {
        (task, label)
        for project in projects
        for task, own in project.options.items()
        for label in own.values()
    }
    tasks = {task for task, _ in asked}
    offered = {label for project in projects for label in project.vocabulary}
    asked |= {(task, label) for task in tasks for label in offered}
    for task in () if config.tasks == "all" else config.tasks:
        if task not in tasks:
            raise unknown_name("tasks", "task", task, tasks)
    rename = config.labels.rename
    labels = {label for _, label in asked}
    for label in rename:
        if label not in labels:
            raise unknown_name(f"labels.rename.{label}", "label", label, labels)
    renamed = {(task, rename.get(label, label)) for task, label in asked}
    classes = {label for _, label in renamed} | {f"{task}:{label}" for task, label in renamed}
    for key, names in (("drop", config.labels.drop), ("order", config.labels.order)):
        for name in names:
            if name not in (classes | labels if key == "drop" else classes):
                raise unknown_name(f"labels.{key}", "label", name, {label for _, label in renamed})


@dataclass(frozen=True)
class SharedClasses:
    """The classes of all sessions that are cut by one command, in one order."""

    names: tuple[str, ...]
    with_task: bool  #: Whether classes are called `task:label`


def shared_classes(
    projects: Sequence[Project], config: CutConfig, earlier: Sequence[str] = ()
) -> SharedClasses:
    """Return the classes of files that belong together.

    Those of `labels.order` come first; then, of those that segments have, those of an `earlier`
    list, in the order of the options of their attributes, and as they are first seen.
    """
    usable = [project for project in projects if not project.errors]
    with_task = several_tasks((project.segments for project in usable), config.tasks)
    seen = dict.fromkeys(
        name for project in usable for name in _names_in(project, config, with_task=with_task)
    )
    offered = (
        f"{task}:{label}" if with_task else label
        for project in usable
        for task, own in project.options.items()
        for label in (config.labels.rename.get(label, label) for label in own.values())
    )
    known = [name for name in (*earlier, *offered) if name in seen]
    return SharedClasses(class_order([*known, *seen], config.labels.order), with_task)


def _names_in(project: Project, config: CutConfig, *, with_task: bool) -> list[str]:
    """Return the class names of a file; none where it is refused."""
    try:
        own = apply_labels(project.segments, config.labels, config.tasks, with_task=with_task)
    except AnnotationError:
        return []
    return list(map(str, own["label"].unique()))


def label_projects(
    projects: Sequence[Project], config: CutConfig, shared: SharedClasses | None = None
) -> Labelled:
    """Return the files that can be used, with the labels that become classes.

    `shared` are the classes of all sessions; None means of these files alone.
    """
    shared = shared_classes(projects, config) if shared is None else shared
    refused = [
        Refused(project.path.stem, "", refusal(project.path, project.errors))
        for project in projects
        if project.errors
    ]
    usable = [project for project in projects if not project.errors]
    warnings = [text for project in usable for text in _issues(project)]
    with_task = shared.with_task
    files: list[LabelledFile] = []
    for folder, project in zip(_folders(usable), usable, strict=True):
        own = project.segments
        try:
            own = apply_labels(own, config.labels, config.tasks, with_task=with_task)
            files.append(LabelledFile(folder, project, own))
        except AnnotationError as error:
            refused.append(Refused(folder, "", error))
    return Labelled(tuple(files), shared.names, with_task, tuple(refused), tuple(warnings))


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
