"""Several annotation files as one dataset: which of their paths are projects, where they clash."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from dogclips.annotations.formats import read_annotations
from dogclips.annotations.issues import Issue
from dogclips.annotations.project import Project

_NO_PROJECT = ("V003", "V007")  # an export beside its project, a note, a picture


def read_dataset(
    paths: Iterable[Path], *, same_ids: bool = True
) -> tuple[list[Project], list[str]]:
    """Read annotation files that belong together.

    Parameters
    ----------
    same_ids
        Refuse files in which the same option id means different labels.

    Returns
    -------
    Every project with all its issues, those between the files included; and a line for each file
    that holds no project at all. A .json is always meant to be one.
    """
    projects, others = [], []
    for path in paths:
        project = read_annotations(path)
        codes = {issue.code for issue in project.errors}
        if path.suffix.lower() != ".json" and codes & set(_NO_PROJECT):
            others.append(f"{path}: {project.errors[0].code} {project.errors[0].text}; left out")
        else:
            projects.append(project)
    return (with_disagreements(projects) if same_ids else projects), others


def with_disagreements(projects: Sequence[Project]) -> list[Project]:
    """Return projects with an error (V071) where an option id means one thing here, another there.

    VIA renumbers options when somebody edits their list: every earlier answer then means another
    label, and only a file that was saved before can tell.
    """
    meanings: defaultdict[tuple[str, str], dict[str, Path]] = defaultdict(dict)
    for project in projects:
        for task, options in project.options.items():
            for option, label in options.items():
                name = label.strip()
                if name:
                    meanings[task, option].setdefault(name, project.path)
    clashes = {key: names for key, names in meanings.items() if len(names) > 1}
    return [_with(project, clashes) for project in projects]


def _with(project: Project, clashes: dict[tuple[str, str], dict[str, Path]]) -> Project:
    found = tuple(
        Issue("V071", f"attribute {task!r}", _clash(option, names), "error", _TODO)
        for (task, option), names in clashes.items()
        if option in project.options.get(task, {})
    )
    return replace(project, issues=project.issues + found)


def _clash(option: str, names: dict[str, Path]) -> str:
    meant = ", ".join(f"{name!r} in {path}" for name, path in names.items())
    return f"option '{option}' means {meant}"


_TODO = "give the option one name in all files, or set labels.option_ids=by-file if all are right"
