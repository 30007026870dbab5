"""VIA 3 projects (VGG Image Annotator, temporal segments): `_via_data` JSON to segments.

Follows the source of VIA 3.0.10 and 3.0.11. What an entry of `metadata` *is* follows from its own
times `z` and shape `xy`, not from the attribute's anchor: two times and no shape are a segment.
A value of a SELECT, RADIO or CHECKBOX attribute is an option id, or, where a timeline was added or
renamed in the application, the label itself.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from fractions import Fraction
from pathlib import Path
from typing import Any, NoReturn

from pydantic import BaseModel, ConfigDict, ValidationError

from dogclips.annotations.project import Issue, Project
from dogclips.errors import AnnotationError
from dogclips.segments import segment_table
from dogclips.timebase import exact

_SAVE = "in VIA use Project > Save and pass the .json file"


class AttributeType(IntEnum):
    """How VIA asks for a value."""

    TEXT = 1
    CHECKBOX = 2
    RADIO = 3
    SELECT = 4
    IMAGE = 5


class _Record(BaseModel):
    """VIA adds keys from version to version; ids are written as numbers here, as text there."""

    model_config = ConfigDict(extra="allow", coerce_numbers_to_str=True, frozen=True)


class Attribute(_Record):
    """A question that annotators answer; `options` maps option ids to labels."""

    aname: str
    anchor_id: str = ""
    type: AttributeType
    options: dict[str, str] = {}


class File(_Record):
    """A media file, named as the application knew it."""

    fname: str
    type: int | None = None


class View(_Record):
    """What is shown at once; for video exactly one file."""

    fid_list: list[str]


class Metadata(_Record):
    """One annotation: times `z` in seconds, shape `xy`, answers `av` by attribute id."""

    vid: str
    z: list[Any]
    xy: list[Any] = []
    av: dict[str, Any]


class Store(_Record):
    """A whole project file. Ids are object keys, so strings."""

    attribute: dict[str, Attribute]
    file: dict[str, File]
    view: dict[str, View]
    metadata: dict[str, Metadata]


def read_via(path: Path) -> Project:
    """Read a VIA 3 project.

    Raises
    ------
    AnnotationError
        The file is no VIA 3 project, or an annotation in it cannot mean anything; the message
        begins with a code (V001 ...) and names the place.
    """
    store = _parse(path, _load(path))
    reader = _Reader(path, store)
    reader.check_files()
    rows = [row for mid, entry in store.metadata.items() for row in reader.rows(mid, entry)]
    return Project(
        path=path,
        segments=segment_table(rows),
        media_names=tuple(dict.fromkeys(file.fname for file in store.file.values())),
        file_attributes=reader.file_attributes,
        issues=tuple(reader.issues),
    )


def _load(path: Path) -> Any:
    """Return the file's JSON; a byte order mark is accepted."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise AnnotationError(
            f"cannot be read: {error.strerror}", where=path, todo="check the path"
        ) from error
    except UnicodeDecodeError as error:
        raise AnnotationError("V001 not UTF-8 text", where=path, todo=_SAVE) from error
    if text.startswith(("#", "filename,")):
        raise AnnotationError("V003 a VIA CSV export, not a project", where=path, todo=_SAVE)
    try:
        tree = json.loads(text, object_pairs_hook=_unique_keys)
        json.dumps(tree, ensure_ascii=False).encode()  # half a character cannot be written again
    except json.JSONDecodeError as error:
        place = f"line {error.lineno} column {error.colno}"
        raise AnnotationError(
            f"V001 not valid JSON at {place}: {error.msg}",
            where=path,
            todo="the file may be cut off: save the project again in VIA",
        ) from error
    except (RecursionError, ValueError) as error:  # too deep; a number of thousands of digits
        raise AnnotationError(f"V001 not valid JSON: {error}", where=path, todo=_SAVE) from error
    except _DuplicateKeyError as error:
        raise AnnotationError(f"V002 {error}", where=path, todo="was it merged by hand?") from error
    return tree


class _DuplicateKeyError(Exception):
    """A key stands twice in one object; the parser would silently keep the last one."""


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    tree = dict(pairs)
    if len(tree) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise _DuplicateKeyError(f"key '{twice}' appears twice in one object")
    return tree


def _parse(path: Path, tree: Any) -> Store:
    if not isinstance(tree, dict):
        raise AnnotationError("V001 the top level is no object", where=path, todo=_SAVE)
    if "_via_img_metadata" in tree or "_via_settings" in tree:
        raise AnnotationError(
            "V004 a VIA 2 project, which annotates images and stores no time",
            where=path,
            todo="annotate the video with VIA 3",
        )
    missing = [key for key in ("attribute", "file", "view", "metadata") if key not in tree]
    if missing:
        keys = ", ".join(missing)
        raise AnnotationError(
            f"V005 not a VIA 3 project: missing top-level key(s) {keys}", where=path, todo=_SAVE
        )
    try:
        return Store.model_validate(tree)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise AnnotationError(
            f"V010 {place}: {first['msg']} (found {str(first['input'])[:40]!r})",
            where=path,
            todo="save the project again in VIA",
        ) from error


@dataclass
class _Reader:
    """Walks the metadata of one project and collects what is odd about it."""

    path: Path
    store: Store
    issues: list[Issue] = field(default_factory=list)
    file_attributes: dict[str, dict[str, str]] = field(default_factory=dict)

    def rows(self, mid: str, entry: Metadata) -> Iterator[dict[str, Any]]:
        """Yield one row for each label of a temporal segment, none for other kinds."""
        place = f"metadata.{mid}"
        media_name = self._media_name(place, entry)
        times = [self._time(place, value) for value in entry.z]
        if not times and not entry.xy:
            self._note_file_attributes(place, media_name, entry)
        if not self._is_segment(place, entry, times):
            return
        labels = list(self._labels(place, entry))
        if not labels:
            self._warn("V048", place, "the segment has no label; skipped")
        for task, label, known in labels:
            yield {
                "source_format": "via3",
                "source_file": self.path.stem,
                "source_id": mid,
                "media_name": media_name,
                "task": task,
                "label": label,
                "known": known,
                "t_start": float(times[0]),
                "t_end": float(times[1]),
            }

    def check_files(self) -> None:
        """Note files whose kind VIA did not know: .mkv, .mov, .ts and others."""
        for fid, file in self.store.file.items():
            if file.type is None:
                self._warn("V025", f"file.{fid}", "no type; taken for a video")

    def _note_file_attributes(self, place: str, media_name: str, entry: Metadata) -> None:
        values = self.file_attributes.setdefault(media_name, {})
        for task, label, _ in self._labels(place, entry):
            values[task] = f"{values[task]}, {label}" if task in values else label

    def _is_segment(self, place: str, entry: Metadata, times: list[Fraction]) -> bool:
        """Tell segments from the other kinds; what is skipped is said."""
        if len(times) > 2:
            self._refuse("V056", place, f"{len(times)} times; a segment has two")
        if len(times) == 1 and not entry.xy:
            self._warn("V055", place, "a single time point, which VIA cannot draw; skipped")
        if len(times) == 2 and entry.xy:
            self._warn("V054", place, "a region over a range, which VIA ignores; skipped")
        if len(times) != 2 or entry.xy:
            return False
        if times[1] < times[0]:
            span = f"ends ({float(times[1])} s) before it starts ({float(times[0])} s)"
            self._refuse("V057", place, span)
        if times[1] == times[0]:
            self._warn("V058", place, "zero length; skipped")
            return False
        return True

    def _media_name(self, place: str, entry: Metadata) -> str:
        view = self.store.view.get(entry.vid)
        if view is None:
            self._refuse("V050", place, f"belongs to view '{entry.vid}', which does not exist")
        if len(view.fid_list) != 1:
            count = len(view.fid_list)
            self._refuse("V059", place, f"its view '{entry.vid}' holds {count} files, not 1")
        file = self.store.file.get(view.fid_list[0])
        if file is None:
            self._refuse("V022", f"view.{entry.vid}", f"file '{view.fid_list[0]}' is not defined")
        return file.fname

    def _time(self, place: str, value: Any) -> Fraction:
        if isinstance(value, str):
            self._warn("V051", place, f"the time {value!r} is text; read as a number")
        try:
            time_s = exact(float(value))
        except (ValueError, TypeError, OverflowError):  # null, NaN, words
            self._refuse("V052", place, f"the time is {value!r}; redo this segment")
        if isinstance(value, bool):
            self._refuse("V052", place, f"the time is {value!r}; redo this segment")
        if time_s < 0:
            self._refuse("V053", place, f"time {float(time_s)} s lies before the video's start")
        return time_s

    def _labels(self, place: str, entry: Metadata) -> Iterator[tuple[str, str, bool]]:
        """Yield (attribute name, label, is an option) for every answer of an entry."""
        for aid, value in entry.av.items():
            attribute = self.store.attribute.get(aid)
            if attribute is None:
                self._refuse("V040", place, f"uses attribute '{aid}', which is not defined")
            if isinstance(value, bool) or not isinstance(value, str | int | float | None):
                self._refuse("V042", place, f"'{attribute.aname}' holds {value!r}, not text")
            text = "" if value is None else str(value).strip()
            many = attribute.type is AttributeType.CHECKBOX and text not in attribute.options
            for part in text.split(",") if many else [text]:
                if part.strip():
                    label, known = self._label(place, attribute, part.strip())
                    yield attribute.aname, label, known

    def _label(self, place: str, attribute: Attribute, text: str) -> tuple[str, bool]:
        """Resolve an option id, or text that stands in its place."""
        if attribute.type is AttributeType.TEXT or not attribute.options:
            return text, True
        if text in attribute.options:
            label = attribute.options[text].strip()
            if not label:
                self._refuse("V043", place, f"'{attribute.aname}': option '{text}' has no name")
            return label, True
        for label in attribute.options.values():
            if label.strip().casefold() == text.casefold():
                self._warn("V044", place, f"{text!r} stands for its option {label.strip()!r}")
                return label.strip(), True
        known = ", ".join(f"{oid}={name}" for oid, name in attribute.options.items())
        if text.isdigit():
            text = f"'{attribute.aname}' holds '{text}', which is none of its options ({known})"
            self._refuse("V045", place, text)
        self._warn("V045", place, f"{text!r} is none of the options ({known}) of this attribute")
        return text, False

    def _warn(self, code: str, place: str, text: str) -> None:
        self.issues.append(Issue(code, place, text))

    def _refuse(self, code: str, place: str, text: str) -> NoReturn:
        raise AnnotationError(
            f"{code} {text}", where=f"{self.path}: {place}", todo="mend it in VIA and save again"
        )
