"""A VIA 3 project as it lies in the file: `_via_data` JSON, checked piece by piece.

Follows the source of VIA 3.0.10 and 3.0.11, data formats 3.1.0 and 3.1.1. Ids are object keys, so
text, though files hold them as numbers here and there.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from dogclips.annotations.documents import twice
from dogclips.annotations.issues import Issues
from dogclips.config.refusals import expected
from dogclips.errors import AnnotationError
from dogclips.files import file_name

SAVE = "in VIA use Project > Save and pass the .json file"
SEGMENT_ANCHORS = ("FILE1_Z2_XY0", "FILE1_ZN_XYN")  # the second is offered as a timeline as well

_ANCHOR = re.compile(r"FILE[1N]_Z[012N]_XY[01N]")
_NEWEST = (3, 1, 1)
_KINDS = {"image": ["jpg", "jpeg", "png", "bmp"], "sound": ["mp3", "wav", "oga", "ogg"]}


class AttributeType(IntEnum):
    """How VIA asks for a value."""

    TEXT = 1
    CHECKBOX = 2
    RADIO = 3
    SELECT = 4
    IMAGE = 5


class FileType(IntEnum):
    """What a file holds."""

    IMAGE = 2
    VIDEO = 4
    AUDIO = 8


class _Piece(BaseModel):
    """VIA adds keys from version to version; ids are written as numbers here, as text there."""

    model_config = ConfigDict(extra="ignore", coerce_numbers_to_str=True, frozen=True)


class Attribute(_Piece):
    """A question that annotators answer; `options` maps option ids to labels.

    `default_option_id` is what the application shows and does not store: no answer.
    """

    aname: str
    anchor_id: str = ""
    type: AttributeType
    options: dict[str, str] = {}

    @property
    def has_options(self) -> bool:
        """Return whether an answer is one of its options, not a text."""
        return self.type is not AttributeType.TEXT and bool(self.options)


class File(_Piece):
    """A media file, named as the application knew it."""

    fid: str | None = None
    fname: str
    type: FileType | None = None

    @property
    def kind(self) -> str:
        """Return what it holds; VIA leaves the type out where it does not know the suffix."""
        if self.type is not None:
            return {2: "image", 4: "video", 8: "sound"}[self.type]
        suffix = PurePosixPath(self.fname).suffix[1:].lower()
        return next((kind for kind, known in _KINDS.items() if suffix in known), "video")


class View(_Piece):
    """What is shown at once; for video exactly one file."""

    fid_list: list[str]


class Metadata(_Piece):
    """One annotation: times `z` in seconds, shape `xy`, answers `av` by attribute id."""

    vid: str
    z: list[Any]
    xy: list[Any] = []
    av: dict[str, Any]


_AnyPiece = TypeVar("_AnyPiece", bound=_Piece)


@dataclass(frozen=True)
class Store:
    """The pieces of a project by id; None stands for one that is broken and has been named."""

    attribute: Mapping[str, Attribute | None]
    file: Mapping[str, File | None]
    view: Mapping[str, View | None]
    metadata: Mapping[str, Metadata | None]

    def file_of(self, vid: str) -> File | None:
        """Return the one file of a view; None if it is broken or has several."""
        view = self.view.get(vid)
        if view is None or len(view.fid_list) != 1:
            return None
        return self.file.get(view.fid_list[0])


def parse_store(path: Path, tree: Any, issues: Issues) -> Store:
    """Return the pieces of a project and note every one that is broken."""
    missing = [key for key in ("attribute", "file", "view", "metadata") if key not in tree]
    if missing:
        keys = ", ".join(missing)
        raise AnnotationError(
            f"V005 not a VIA 3 project: missing top-level key(s) {keys}", where=path, todo=SAVE
        )
    store = Store(
        attribute=_pieces(tree, "attribute", Attribute, issues),
        file=_pieces(tree, "file", File, issues),
        view=_pieces(tree, "view", View, issues),
        metadata=_pieces(tree, "metadata", Metadata, issues),
    )
    project = tree.get("project")
    project = project if isinstance(project, dict) else {}
    # Those made in the application often have no version at all.
    version = str(project.get("data_format_version") or "")
    if tuple(int(part) for part in re.findall(r"\d{1,9}", version)) > _NEWEST:
        issues.warn("V006", "project", f"data format {version} is newer than 3.1.1; read as 3.1.1")
    _check_attributes(store, issues)
    _check_files(store, issues)
    listed = project.get("vid_list")  # what VIA shows; format 3.1.0 has it at the top level
    listed = tree.get("vid_list", []) if listed is None else listed
    if not isinstance(listed, list):
        issues.refuse("V010", "project.vid_list", f"not a list but {_found(listed)}")
        listed = []
    _check_views(store, [str(vid) for vid in listed], issues)
    return store


def _pieces(
    tree: Mapping[str, Any], key: str, model: type[_AnyPiece], issues: Issues
) -> dict[str, _AnyPiece | None]:
    pieces: dict[str, _AnyPiece | None] = {}
    if not isinstance(tree[key], dict):
        issues.refuse("V010", key, f"not an object but {_found(tree[key])}")
        return pieces
    for name, piece in tree[key].items():
        try:
            pieces[name] = model.model_validate(piece)
        except ValidationError as error:
            pieces[name] = None
            for fault in error.errors(include_url=False):
                place = ".".join(map(str, (key, name, *fault["loc"])))
                issues.refuse("V010", place, f"{expected(fault)} (found {_found(fault['input'])})")
    return pieces


def _found(value: Any) -> str:
    return repr(str(value)[:40])


def _check_attributes(store: Store, issues: Issues) -> None:
    known = {aid: piece for aid, piece in store.attribute.items() if piece is not None}
    for aid, attribute in known.items():
        place = f"attribute.{aid}"
        if attribute.anchor_id and not _ANCHOR.fullmatch(attribute.anchor_id):
            issues.refuse("V030", place, f"{attribute.anchor_id!r} is not a VIA anchor")
        for label in twice(label.strip() for label in attribute.options.values()):
            issues.warn("V032", place, f"two options of {attribute.aname!r} are named {label!r}")
    for name in twice(attribute.aname for attribute in known.values()):
        issues.warn("V031", "attribute", f"two attributes are named {name!r}; read as one")


def _check_files(store: Store, issues: Issues) -> None:
    for fid, file in store.file.items():
        if file is None:
            continue
        if file.fid not in (None, fid):
            issues.warn("V024", f"file.{fid}", f"its own fid is {file.fid!r}; the key is used")
        if file.type is None:
            issues.warn(
                "V025", f"file.{fid}", f"no type; read as a {file.kind} because of its name"
            )
    names = [file_name(file.fname) for file in store.file.values() if file is not None]
    for name in twice(names):
        issues.warn("V026", "file", f"two files are named {name!r}")


def _check_views(store: Store, listed: list[str], issues: Issues) -> None:
    for vid in dict.fromkeys(vid for vid in listed if vid not in store.view):
        issues.refuse("V020", "project.vid_list", f"view '{vid}' is listed but not defined")
    views = {vid: view.fid_list for vid, view in store.view.items() if view is not None}
    for vid, fids in views.items():
        if not fids:
            issues.refuse("V021", f"view.{vid}", "it shows no file")
        for fid in dict.fromkeys(fid for fid in fids if fid not in store.file):
            issues.refuse("V022", f"view.{vid}", f"file '{fid}' is not defined")
        if listed and vid not in listed:
            issues.warn("V023", f"view.{vid}", "VIA hides this view; its annotations are read")
