"""VIA 3 projects (VGG Image Annotator, temporal segments): `_via_data` JSON to segments.

Follows the source of VIA 3.0.10 and 3.0.11. What an entry of `metadata` *is* follows from its own
times `z` and shape `xy`, not from the attribute's anchor: two times and no shape are a segment.
A value of a SELECT, RADIO or CHECKBOX attribute is an option id, or, where a timeline was added or
renamed in the application, the label itself.
"""

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dogclips.annotations.issues import Issues
from dogclips.annotations.project import Importer, Media, Project
from dogclips.annotations.via_store import (
    SEGMENT_ANCHORS,
    Attribute,
    AttributeType,
    Metadata,
    Store,
    parse_store,
)
from dogclips.wording import one_spelling

_KEYS = {"project", "config", "attribute", "file", "view", "metadata"}
_PLACEHOLDERS = ("_default", "default")
_LAST_SHAPE = 9  # POINT is 1
_MAP = "add the option in VIA, or map the label (labels.rename)"


def read_via(path: Path, tree: Any) -> Project | None:
    """Read a VIA 3 project; None where a JSON tree does not look like one, even a damaged one.

    What cannot mean anything gives no segment, but an issue.
    """
    if not isinstance(tree, dict) or len(_KEYS & tree.keys()) < 2:
        return None
    issues = Issues()
    store = parse_store(path, tree, issues)
    reader = _Reader(issues.found, store=store)
    rows = [row for mid, entry in store.metadata.items() for row in reader.rows(mid, entry)]
    reader.check_anchors()
    files = [file for file in store.file.values() if file is not None and file.kind == "video"]
    asked = [piece for piece in store.attribute.values() if piece is not None]
    media = (Media(file.fname, reader.answers.get(file.fname, {})) for file in files)
    options = {piece.aname: piece.options for piece in asked if piece.has_options}
    return reader.project(path, rows, media, options=options, counts=reader.counts)


@dataclass
class _Reader(Importer):
    """Walks the metadata of one project and collects what is odd about it."""

    format = "via3"
    store: Store = field(kw_only=True)
    answers: dict[str, dict[str, str]] = field(default_factory=dict)  # about whole files, by name
    counts: Counter[str] = field(default_factory=Counter)
    seen: set[tuple[str, str, str, float, float]] = field(default_factory=set)

    def rows(self, mid: str, entry: Metadata | None) -> Iterator[dict[str, Any]]:
        """Yield one row for each label of a temporal segment, none for other kinds."""
        if entry is None:
            return
        place = f"metadata.{mid}"
        kind = self._kind(place, entry)
        self.counts[kind] += 1
        if entry.vid not in self.store.view:
            self.refuse("V050", place, f"belongs to view '{entry.vid}', which does not exist")
        elif kind == "file attributes" and (file := self.store.file_of(entry.vid)) is not None:
            values = self.answers.setdefault(file.fname, {})
            for task, label, _ in self._labels(place, entry):
                values[task] = f"{values[task]}, {label}" if task in values else label
        elif kind == "segments":
            yield from self._segment(mid, place, entry)

    def check_anchors(self) -> None:
        """Refuse segments in a project in which nothing can be asked about segments."""
        known = [piece for piece in self.store.attribute.values() if piece is not None]
        anchored = any(piece.anchor_id in SEGMENT_ANCHORS for piece in known)
        if self.counts["segments"] and not anchored:
            found = (f"{piece.aname} ({piece.anchor_id or 'no anchor'})" for piece in known)
            text = "no attribute is anchored to temporal segments (FILE1_Z2_XY0); found: "
            self.refuse("V034", "attribute", text + (", ".join(found) or "none"))

    def _kind(self, place: str, entry: Metadata) -> str:
        """Tell what an entry is by its times and shape; what is skipped is said."""
        if entry.xy:
            if isinstance(entry.xy[0], bool) or entry.xy[0] not in range(1, _LAST_SHAPE + 1):
                self.refuse("V060", place, f"unknown shape {str(entry.xy[0])[:40]}")
            if len(entry.z) == 2:
                self.warn("V054", place, "a region over a range, which VIA ignores; skipped")
            return "regions"
        if len(entry.z) > 2:
            self.refuse("V056", place, f"{len(entry.z)} times; a segment has two")
            return "broken"
        if len(entry.z) == 1:
            self.warn("V055", place, "a single time point, which VIA cannot draw; skipped")
        return ("file attributes", "points", "segments")[len(entry.z)]

    def _segment(self, mid: str, place: str, entry: Metadata) -> Iterator[dict[str, Any]]:
        media_name = self._media_name(place, entry)
        start, end = (self._time(place, value) for value in entry.z)
        num_issues = len(self.found)
        labels = list(self._labels(place, entry))
        silent = not labels and len(self.found) == num_issues
        if media_name is None or start is None or end is None:
            return
        self.counts.update(["zero length"] if start == end else [])
        if not self.has_length(place, start, end, digits="g"):
            return
        if silent:
            self.warn("V048", place, "the segment has no label; skipped")
        for task, label, known in labels:
            row = (media_name, task, label, start, end)
            if row in self.seen:
                self.warn("V047", place, f"{label!r} at the same times again; read once")
                continue
            self.seen.add(row)
            yield {
                "source_id": mid,
                "media_name": media_name,
                "task": task,
                "label": label,
                "known": known,
                "t_start": start,
                "t_end": end,
                "flags": "unadjusted_1s" if round(end - start, 5) == 1 else "",
            }

    def _media_name(self, place: str, entry: Metadata) -> str | None:
        view = self.store.view[entry.vid]
        if view is not None and len(view.fid_list) > 1:
            text = f"its view '{entry.vid}' holds {len(view.fid_list)} files; "
            self.refuse("V059", place, text + "a segment needs exactly 1")
        file = self.store.file_of(entry.vid)
        if file is None:
            return None
        if file.kind != "video":
            self.refuse(
                "V061", place, f"a segment of {file.fname!r}, which is not a video ({file.kind})"
            )
            return None
        return file.fname

    def _time(self, place: str, value: Any) -> float | None:
        """Return a time in seconds; None, with an issue, if it is none."""
        if isinstance(value, str):
            self.warn("V051", place, f"the time {value[:40]!r} is text; read as a number")
        try:
            time_s = math.nan if isinstance(value, bool) else float(value)
        except (ValueError, TypeError, OverflowError):  # null, words, hundreds of digits
            time_s = math.nan
        if not math.isfinite(time_s):
            text = f"the time is {'null' if value is None else repr(value)[:40]}, not a number"
            self.refuse("V052", place, text, "delete or redo this segment in VIA")
            return None
        if time_s < 0:
            self.refuse("V053", place, f"time {time_s:g} s is before the start of the video")
            return None
        return time_s

    def _labels(self, place: str, entry: Metadata) -> Iterator[tuple[str, str, bool]]:
        """Yield (attribute name, label, is an option) for every answer of an entry."""
        for aid, value in entry.av.items():
            if aid not in self.store.attribute:
                self.refuse("V040", place, f"uses attribute '{aid}', which is not defined")
            attribute = self.store.attribute.get(aid)
            if attribute is None:
                continue
            names = {one_spelling(name) for name in attribute.options.values()}
            for part in self._answers(place, attribute, value):
                label = self._label(place, attribute, part)
                if label:
                    label = one_spelling(label)
                    yield attribute.aname, label, label in names or not attribute.has_options

    def _answers(self, place: str, attribute: Attribute, value: Any) -> list[str]:
        """Return the answers in one value: one, or those of all ticked boxes."""
        name = attribute.aname
        if value is None:
            self.warn("V041", place, f"{name!r} is null; read as no answer")
            return []
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            self.refuse("V042", place, f"{name!r} holds {str(value)[:40]!r}, not text")
            return []
        text = str(value).strip()
        if text and attribute.type is AttributeType.IMAGE:
            self.refuse("V033", place, f"{name!r} is an IMAGE, which has no values")
            return []
        many = attribute.type is AttributeType.CHECKBOX and text not in attribute.options
        parts = text.split(",") if many else [text]
        return [part.strip() for part in parts if part.strip()]

    def _label(self, place: str, attribute: Attribute, text: str) -> str | None:
        """Resolve an option id, or text that stands in its place; None if it is neither."""
        label: str | None = text
        if attribute.has_options and text in attribute.options:
            label = attribute.options[text].strip()
        elif attribute.has_options:
            label = self._by_name(place, attribute, text)
        if label == "":
            option = f"{attribute.aname!r} uses option '{text}', which has no name"
            self.refuse("V043", place, option)
        elif label is not None and label.casefold() in _PLACEHOLDERS:
            text = f"{label!r} is a placeholder of VIA; kept as a label"
            self.warn("V046", place, text, "set labels.drop or labels.rename")
        return label

    def _by_name(self, place: str, attribute: Attribute, text: str) -> str | None:
        """Return the option that a text names, or the text; None for a number that is not an id."""
        for label in (label.strip() for label in attribute.options.values()):
            if label and label.casefold() == text.casefold():
                self.warn("V044", place, f"{text!r} stands for its option {label!r}")
                return label
        known = ", ".join(f"{oid}={name}" for oid, name in attribute.options.items())
        odd = f"{attribute.aname!r} holds {text!r}, which is not one of its options ({known})"
        if text.isdigit():
            self.refuse("V045", place, odd, "add the option in VIA, or fix the value")
            return None
        self.warn("V045", place, f"{odd}: a timeline was added or renamed", _MAP)
        return text
