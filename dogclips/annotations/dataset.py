"""Several annotation files as one dataset: which of their paths are projects, where they clash."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from dogclips.annotations.formats import read_annotations
from dogclips.annotations.issues import Issue
from dogclips.annotations.project import Project

_NO_PROJECT = ("V003", "V007")  # an export beside its project, a note, a picture
_TODO = "give the option one name in all files, or set labels.option_ids=by-file if all are right"


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
    return (_with_clashes(projects) if same_ids else projects), others


def _with_clashes(projects: Sequence[Project]) -> list[Project]:
    """Return projects with an error (V071) where an option id means one thing here, another there.

    VIA renumbers options when somebody edits their list: every earlier answer then means another
    label, and only a file that was saved before can tell.
    """
    meanings: defaultdict[tuple[str, str], dict[str, Path]] = defaultdict(dict)
    for project in projects:
        for task, options in project.options.items():
            for option, label in options.items():
                if label.strip():
                    meanings[task, option].setdefault(label.strip(), project.path)
    clashes = []
    for (task, option), names in meanings.items():
        if len(names) > 1:
            meant = ", ".join(f"{name!r} in {path}" for name, path in names.items())
            text = f"option '{option}' means {meant}"
            issue = Issue("V071", f"attribute {task!r}", text, "error", _TODO)
            clashes.append((task, option, issue))
    found = []
    for project in projects:
        own = [one for task, option, one in clashes if option in project.options.get(task, {})]
        found.append(replace(project, issues=(*project.issues, *own)))
    return found
