"""Detect a file's format from its content, never from its name; read several files together."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from dogclips.annotations.boris import read_boris
from dogclips.annotations.boris_tables import read_boris_table
from dogclips.annotations.cvat import read_cvat
from dogclips.annotations.deepethogram import read_deepethogram
from dogclips.annotations.documents import read_json, read_table, read_text, read_xml
from dogclips.annotations.elan import read_elan
from dogclips.annotations.issues import Issue
from dogclips.annotations.plain import read_plain
from dogclips.annotations.project import Project
from dogclips.annotations.via import read_via
from dogclips.annotations.via_store import SAVE
from dogclips.codes import ISSUES
from dogclips.errors import AnnotationError
from dogclips.segments import segment_table

_FORMATS = "VIA 3, BORIS, CVAT for video, ELAN, DeepEthogram or CSV (file,start,end,label)"
_EXPORTS = ("# Exported using VGG", "# EXPORTED_BY", "filename,file_size", "#filename,", "WEBVTT")
_NO_PROJECT = {"V003", "V007"}  # an export beside its project, a note, a picture
_CLASH = (
    "use one name for the option in all files, or set labels.option_ids=by-file if each is right"
)


def read_annotations(path: Path) -> Project:
    """Read an annotation file of any format that we know, with everything that is wrong with it.

    Nothing is raised for what the file holds: one that cannot be read at all is a project without
    segments whose issues hold the error. See `Project.checked`.
    """
    return _with_twins([_read_alone(path)])[0]


def _read_alone(path: Path) -> Project:
    try:
        return _read(path)
    except AnnotationError as error:
        code, _, text = error.what.partition(" ")
        issue = Issue(code, "", text, "error", error.todo)
        return Project(path, "", segment_table([]), (), (issue,))


def _read(path: Path) -> Project:
    text = read_text(path)
    start = text.lstrip()[:1000]
    if not start:
        raise AnnotationError("V001 the file is empty", where=path, todo="save it again")
    if start.startswith(_EXPORTS):
        raise AnnotationError("V003 an export, not a project", where=path, todo=SAVE)
    # For each kind of document its readers, which return None where it is not of their format.
    readers: Sequence[Callable[[Path, Any], Project | None]]
    document: Any
    if start.startswith(("{", "[")):
        document, readers = read_json(path, text), (read_via, read_boris)
        _refuse_images(path, document)
    elif start.startswith("<"):
        document, readers = read_xml(path, text), (read_cvat, read_elan)
    else:
        document = read_table(path, text)
        readers = (read_boris_table, read_plain, read_deepethogram)
    projects = (read(path, document) for read in readers)
    project = next((project for project in projects if project is not None), None)
    if project is None:
        what = "V007 unknown format"
        if read_plain in readers and document and len(document[0]) > 1:
            names = ", ".join(cell.strip()[:20] for cell in document[0][:6])
            what = f"V007 a table with unknown columns: {names}"
        raise AnnotationError(what, where=path, todo=f"pass {_FORMATS}")
    return project


def _refuse_images(path: Path, tree: Any) -> None:
    """Refuse a JSON tree that comes from VIA 1 or 2, or another tool for images (COCO)."""
    if not isinstance(tree, dict):
        return
    first = next(iter(tree.values()), None)
    if (
        tree.keys() & {"_via_settings", "_via_img_metadata"}
        or tree.keys() == {"region", "file"}
        or {"images", "annotations"} <= tree.keys()
        or (isinstance(first, dict) and {"regions", "filename"} <= first.keys())
    ):
        what = "V004 annotations of images (VIA 1, VIA 2 or COCO), which store no time"
        raise AnnotationError(what, where=path, todo="annotate the video with VIA 3")


def read_dataset(
    paths: Iterable[Path], *, same_ids: bool = True
) -> tuple[list[Project], list[str]]:
    """Read annotation files that belong together.

    Return every project with all its issues, those between the files included, and a line for each
    file that holds no project at all; a .json is always meant to be one. With `same_ids` files are
    refused in which the same option id means different labels.
    """
    projects, others = [], []
    for path in paths:
        project = _read_alone(path)
        codes = {issue.code for issue in project.errors}
        if path.suffix.lower() != ".json" and codes & _NO_PROJECT:
            others.append(f"{path}: {project.errors[0].code} {project.errors[0].text}; skipped")
        else:
            projects.append(project)
    return _with_twins(_with_clashes(projects) if same_ids else projects), others


def _with_twins(projects: Sequence[Project]) -> list[Project]:
    """Return projects with a warning (V094) for labels that differ by case only.

    Two annotators write `Walk` and `walk`: a reader sees one behaviour, a program two classes.
    """
    seen: defaultdict[tuple[str, str], dict[str, list[Path]]] = defaultdict(dict)
    asked = []
    for project in projects:
        pairs = project.segments[["task", "label"]].drop_duplicates()
        asked.append([(str(task), str(label)) for task, label in pairs.itertuples(index=False)])
        for task, label in asked[-1]:
            seen[task, label.casefold()].setdefault(label, []).append(project.path)
    found = []
    for project, own in zip(projects, asked, strict=True):
        issues = []
        for task, folded in dict.fromkeys((task, label.casefold()) for task, label in own):
            twins = seen[task, folded]
            if len(twins) > 1:
                names = " and ".join(repr(label) for label in sorted(twins))
                others = sorted({str(path) for paths in twins.values() for path in paths})
                text = f"{names} differ by case only and become {len(twins)} classes"
                if len(others) > 1:
                    text += f" ({', '.join(others)})"
                todo = ISSUES["V094"].todo
                issues.append(Issue("V094", f"task {task!r}", text, "warning", todo))
        found.append(replace(project, issues=(*project.issues, *issues)))
    return found


def _with_clashes(projects: Sequence[Project]) -> list[Project]:
    """Return projects with an error (V071) where an option id means one thing here, another there.

    VIA renumbers options when somebody edits their list: every earlier answer then means another
    label, and only a file that was saved before can tell.
    """
    meanings: defaultdict[tuple[str, str], dict[str, Path]] = defaultdict(dict)
    asked = [
        {
            (task, option): label
            for task, own in one.options.items()
            for option, label in own.items()
        }
        for one in projects
    ]
    for project, options in zip(projects, asked, strict=True):
        for key, label in options.items():
            if label.strip():
                meanings[key].setdefault(label.strip(), project.path)
    clashes = {}
    for (task, option), names in meanings.items():
        if len(names) > 1:
            meant = ", ".join(f"{name!r} in {path}" for name, path in names.items())
            text = f"option '{option}' means {meant}"
            clashes[task, option] = Issue("V071", f"attribute {task!r}", text, "error", _CLASH)
    return [
        replace(one, issues=(*one.issues, *(clashes[key] for key in clashes if key in options)))
        for one, options in zip(projects, asked, strict=True)
    ]
