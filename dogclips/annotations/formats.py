"""Which format a file has, told by its content and never by its name."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias, TypeVar

from dogclips.annotations.boris import is_boris, read_boris
from dogclips.annotations.boris_tables import (
    is_boris_events,
    is_boris_intervals,
    read_boris_events,
    read_boris_intervals,
)
from dogclips.annotations.cvat import is_cvat, read_cvat
from dogclips.annotations.deepethogram import is_deepethogram, read_deepethogram
from dogclips.annotations.documents import read_json, read_table, read_text, read_xml
from dogclips.annotations.elan import is_elan, read_elan
from dogclips.annotations.issues import Issue
from dogclips.annotations.plain import is_plain, read_plain
from dogclips.annotations.project import Project
from dogclips.annotations.via import is_older_via, is_via, read_via, refuse_older_via
from dogclips.errors import AnnotationError
from dogclips.segments import segment_table

Document = TypeVar("Document")
Readers: TypeAlias = tuple[
    tuple[Callable[[Document], bool], Callable[[Path, Document], Project]], ...
]

_FORMATS = "VIA 3, BORIS, CVAT for video, ELAN, DeepEthogram or CSV (file,start,end,label)"
_EXPORT = "in VIA use Project > Save and pass the .json file"
_EXPORTS = ("# Exported using VGG", "# EXPORTED_BY", "filename,file_size", "#filename,", "WEBVTT")

# For each kind of document: has it this format, and how is it read.
_TREES = ((is_older_via, refuse_older_via), (is_via, read_via), (is_boris, read_boris))
_ROOTS = ((is_cvat, read_cvat), (is_elan, read_elan))
_TABLES = (
    (is_boris_intervals, read_boris_intervals),
    (is_boris_events, read_boris_events),
    (is_plain, read_plain),
    (is_deepethogram, read_deepethogram),
)


def read_annotations(path: Path) -> Project:
    """Read an annotation file of any format that we know, with everything that is wrong with it.

    Nothing is raised for what the file holds: one that cannot be read at all is a project without
    segments whose issues hold the error. See `Project.checked`.
    """
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
        raise AnnotationError("V003 an export, not a project", where=path, todo=_EXPORT)
    if start.startswith(("{", "[")):
        project = _first(_TREES, path, read_json(path, text))
    elif start.startswith("<"):
        project = _first(_ROOTS, path, read_xml(path, text))
    else:
        project = _first(_TABLES, path, read_table(path, text))
    if project is None:
        raise AnnotationError("V007 no known format", where=path, todo=f"pass {_FORMATS}")
    return project


def _first(readers: Readers[Document], path: Path, document: Document) -> Project | None:
    """Read a document by the first reader that knows it."""
    return next((read(path, document) for known, read in readers if known(document)), None)
