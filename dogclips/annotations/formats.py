"""Which format a file has, told by its content and never by its name."""

from collections.abc import Callable, Sequence
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
from dogclips.errors import AnnotationError
from dogclips.segments import segment_table

_FORMATS = "VIA 3, BORIS, CVAT for video, ELAN, DeepEthogram or CSV (file,start,end,label)"
_EXPORTS = ("# Exported using VGG", "# EXPORTED_BY", "filename,file_size", "#filename,", "WEBVTT")


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
        raise AnnotationError("V007 no known format", where=path, todo=f"pass {_FORMATS}")
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
