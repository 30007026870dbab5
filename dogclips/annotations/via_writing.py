"""Segments become a VIA 3 project that the application opens.

Follows the saves of VIA 3.0.10 and 3.0.11, key by key. Two habits of the application decide how it
is done: it sorts the ids of attributes as text, so that a tenth one would be overwritten, and it
shows the segment attribute with the lowest id first.

What a subject does is a further question, `subject`: VIA knows none. Who reads the project back
finds subjects as labels of that task.
"""

import hashlib
import json
import re
import time
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, count
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, unquote

import pandas as pd

from dogclips.annotations.project import Media, Project
from dogclips.annotations.via_store import AttributeType, FileType
from dogclips.annotations.writing import check_seconds, left_out
from dogclips.errors import AnnotationError
from dogclips.files import write_whole

_MOST_ATTRIBUTES: Final = 9
_UNNAMED: Final = "TEMPORAL-SEGMENTS"  # the question that VIA 3.0.11 gives to every new project
_SUBJECT: Final = "subject"
_DECIMALS: Final = 5  # as VIA 3.0.11 stores times
_LOCAL, _HTTP, _FILE = 1, 2, 3
_WINDOWS = re.compile(r"[A-Za-z]:[\\/]|\\\\")


def write_via(project: Project, path: Path) -> dict[str, int]:
    """Write a project for VIA 3; return how many things of each kind VIA has no place for."""
    check_seconds(project.checked().segments, project.path)
    tree = via_project(project.segments, project.media, options=project.options, name=path.stem)
    write_whole(path, json.dumps(tree, ensure_ascii=False, separators=(",", ":")))
    kept = ("task", "subject")
    lost = left_out(project, _drawable(project.segments), kept=kept, attributes=True)
    answered = {_name(task) for task in project.segments["task"]}
    answered.update(name for media in project.media for name in media.attributes)
    unasked = len(project.options.keys() - answered)
    return lost | ({"attributes without answers": unasked} if unasked else {})


def via_project(
    segments: pd.DataFrame,
    media: Sequence[Media],
    *,
    options: Mapping[str, Mapping[str, str]] | None = None,
    name: str = "Unnamed VIA Project",
    created_ms: int | None = None,
) -> dict[str, Any]:
    """Return segments as VIA 3 stores them.

    Rows of one `source_id`, recording, subject and span are one entry. A task is a SELECT, or a
    CHECKBOX where one entry has several of its labels. VIA draws only what lasts: points, and what
    is shorter than 10 µs, are left out.

    Parameters
    ----------
    segments
        Columns of `segments.SEGMENT_COLUMNS`, times in seconds.
    media
        Every recording of the project, annotated or not; those of `segments` are added.
    options
        For each task its option ids and labels as they were, so that ids keep their meaning. New
        labels get ids that were never used.
    created_ms
        Milliseconds since 1970; None for now.

    Raises
    ------
    AnnotationError
        More than nine attributes; times that are numbers of frames; a file name with which VIA
        opens no project.
    """
    check_seconds(segments)
    rows = _drawable(segments)
    tasks = dict.fromkeys(_name(task) for task in rows["task"])
    numbered = (f"{_SUBJECT} {number}" for number in count(2))
    subject_task = next(name for name in chain([_SUBJECT], numbered) if name not in tasks)
    entries = _entries(rows, subject_task)
    names = dict.fromkeys([*(file.name for file in media), *segments["media_name"]])
    ids = {file: str(number) for number, file in enumerate(names, start=1)}
    known = {_name(task): own for task, own in (options or {}).items()}
    asked = _attributes(entries, [*known, *tasks, subject_task], known)
    about_files = dict.fromkeys(name for file in media for name in file.attributes)
    for question in about_files:
        asked[str(len(asked) + 1)] = _Attribute(question, "FILE1_Z0_XY0", AttributeType.TEXT)
    _check(asked.values(), names)
    created = time.time_ns() // 1_000_000 if created_ms is None else created_ms
    return {
        "project": _head(name, created, list(ids.values())),
        "config": {"file": {"loc_prefix": dict.fromkeys("1234", "")}, "ui": dict(_UI)},
        "attribute": {aid: attribute.tree for aid, attribute in asked.items()},
        "file": {
            fid: {"fid": fid, "fname": file, "type": int(FileType.VIDEO)} | _location(file)
            for file, fid in ids.items()
        },
        "metadata": dict(_metadata(entries, media, ids, asked)),
        "view": {vid: {"fid_list": [vid]} for vid in ids.values()},
    }


@dataclass(frozen=True)
class _Entry:
    """One temporal segment; `answers` are the labels of each task."""

    media_name: str
    source_id: str
    ann_id: str
    times: tuple[float, float]
    answers: dict[str, list[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class _Attribute:
    """One question; `choices` maps labels to option ids and is empty where text is written."""

    name: str
    anchor_id: str
    kind: AttributeType
    choices: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, str] = field(default_factory=dict)

    @property
    def tree(self) -> dict[str, Any]:
        return {
            "aname": self.name,
            "anchor_id": self.anchor_id,
            "type": int(self.kind),
            "desc": "",
            "options": dict(self.options),
            "default_option_id": "",
        }

    def value(self, labels: Iterable[str]) -> str:
        return ",".join(self.choices.get(label, label) for label in labels)


def _name(task: str) -> str:
    return task or _UNNAMED


def _drawable(segments: pd.DataFrame) -> pd.DataFrame:
    """Return the rows that last, with times as VIA stores them."""
    rounded = {
        name: [round(time_s, _DECIMALS) for time_s in segments[name]]
        for name in ("t_start", "t_end")
    }
    rows = segments.assign(**rounded)
    return rows[(rows["kind"] == "state") & (rows["t_end"] > rows["t_start"])]


def _entries(rows: pd.DataFrame, subject_task: str) -> list[_Entry]:
    entries: dict[tuple[object, ...], _Entry] = {}
    for number, row in enumerate(rows.to_dict("records")):
        times = float(row["t_start"]), float(row["t_end"])
        # Where a format has no entries of several labels, each row is one of its own.
        source = row["source_id"] or number
        key = (row["media_name"], source, row["subject"], times)
        fresh = _Entry(row["media_name"], row["source_id"], row["ann_id"], times)
        answers = entries.setdefault(key, fresh).answers
        labels = answers.setdefault(_name(row["task"]), [])
        if row["label"] not in labels:
            labels.append(row["label"])
        if row["subject"].strip():
            answers[subject_task] = [row["subject"].strip()]
    return list(entries.values())


def _attributes(
    entries: Sequence[_Entry], order: Sequence[str], known: Mapping[str, Mapping[str, str]]
) -> dict[str, _Attribute]:
    """Return the questions about segments by id, as far as there are answers."""
    labels: defaultdict[str, list[list[str]]] = defaultdict(list)
    for entry in entries:
        for task, own in entry.answers.items():
            labels[task].append(own)
    found: dict[str, _Attribute] = {}
    for task in dict.fromkeys(task for task in order if task in labels):
        many = any(len(own) > 1 for own in labels[task])
        kind = AttributeType.CHECKBOX if many else AttributeType.SELECT
        options = _options(known.get(task, {}), chain.from_iterable(labels[task]))
        choices = {label.strip(): oid for oid, label in reversed(options.items())}
        aid = str(len(found) + 1)
        found[aid] = _Attribute(task, "FILE1_Z2_XY0", kind, choices, options)
    return found


def _check(asked: Collection[_Attribute], names: Iterable[str]) -> None:
    """Refuse what the application does not open, or mixes up."""
    for name in names:
        try:
            broken = re.search("%(?![0-9A-Fa-f]{2})", name) is not None
            unquote(name, errors="strict")
        except UnicodeDecodeError:
            broken = True
        if broken:
            raise AnnotationError(
                "VIA cannot open a project with this file name: its % is not a URL escape",
                where=name,
                todo="rename the recording",
            )
    if len(asked) > _MOST_ATTRIBUTES:
        raise AnnotationError(
            f"{len(asked)} tasks and file attributes: VIA confuses more than {_MOST_ATTRIBUTES}",
            where=", ".join(attribute.name for attribute in asked),
            todo="write a table instead, or several projects",
        )


def _options(known: Mapping[str, str], labels: Iterable[str]) -> dict[str, str]:
    """Return option ids and labels: those that there were, then the new ones.

    An id with a comma or blanks around it would be read as something else, so it is not kept.
    """
    options = {
        oid: label for oid, label in known.items() if oid and "," not in oid and oid == oid.strip()
    }
    renamed = [label for oid, label in known.items() if oid not in options]
    used = {label.strip() for label in options.values()}
    highest = max((int(oid) for oid in options if re.fullmatch("[0-9]{1,15}", oid)), default=-1)
    new = [label for label in [*renamed, *labels] if label.strip() not in used]
    for oid, label in enumerate(dict.fromkeys(new), start=highest + 1):
        options[str(oid)] = label
    return options


def _metadata(
    entries: Sequence[_Entry],
    media: Sequence[Media],
    ids: Mapping[str, str],
    asked: Mapping[str, _Attribute],
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield entries by their ids, what is said about whole recordings first."""
    used: set[str] = set()
    about_files = {a.name: aid for aid, a in asked.items() if a.kind is AttributeType.TEXT}
    answers: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for file in media:
        if file.attributes:
            answers[file.name].update(file.attributes)
    for name, own in answers.items():
        av = {about_files[question]: answer for question, answer in own.items()}
        yield _free_id(ids[name], "", name, used), _entry(ids[name], [], av)
    for entry in entries:
        vid = ids[entry.media_name]
        av = {
            aid: attribute.value(entry.answers[attribute.name])
            for aid, attribute in asked.items()
            if aid not in about_files.values() and attribute.name in entry.answers
        }
        mid = _free_id(vid, entry.source_id, entry.ann_id, used)
        yield mid, _entry(vid, list(entry.times), av)


def _entry(vid: str, times: list[float], av: dict[str, str]) -> dict[str, Any]:
    return {"vid": vid, "flg": 0, "z": times, "xy": [], "av": av}


def _free_id(vid: str, source_id: str, ann_id: str, used: set[str]) -> str:
    """Return an id as VIA makes them: the one that the entry had, or one from what it holds."""
    if re.fullmatch(rf"{vid}_[A-Za-z0-9_-]{{8}}", source_id) and source_id not in used:
        mid = source_id
    else:
        seeds = (f"{ann_id} {number}" for number in count())
        digests = (hashlib.sha256(seed.encode()).hexdigest()[:8] for seed in seeds)
        mid = next(f"{vid}_{text}" for text in digests if f"{vid}_{text}" not in used)
    used.add(mid)
    return mid


def _location(name: str) -> dict[str, Any]:
    r"""Return where the application looks for a recording: it asks for those without a path.

    >>> _location("020500.mp4"), _location("C:\\video\\a b.mkv")
    ({'loc': 1, 'src': ''}, {'loc': 3, 'src': 'file:///C:/video/a%20b.mkv'})
    """
    path = quote(name.replace("\\", "/"), safe="/:")
    if re.match("https?://", name, re.IGNORECASE):
        return {"loc": _HTTP, "src": name}
    if name.lower().startswith("file://"):
        return {"loc": _FILE, "src": name}
    if _WINDOWS.match(name):
        return {"loc": _FILE, "src": f"file:{'' if path.startswith('//') else '///'}{path}"}
    if name.startswith("/"):
        return {"loc": _FILE, "src": f"file://{quote(name)}"}
    return {"loc": _LOCAL, "src": ""}


def _head(name: str, created_ms: int, vids: list[str]) -> dict[str, Any]:
    return {
        "pid": "__VIA_PROJECT_ID__",
        "rev": "__VIA_PROJECT_REV_ID__",
        "rev_timestamp": "__VIA_PROJECT_REV_TIMESTAMP__",
        "pname": name,
        "creator": "VGG Image Annotator (http://www.robots.ox.ac.uk/~vgg/software/via)",
        "created": created_ms,
        "vid_list": vids,
    }


_UI: Final[Mapping[str, str | bool]] = {
    "file_content_align": "center",
    "file_metadata_editor_visible": True,
    "spatial_metadata_editor_visible": True,
    "temporal_segment_metadata_editor_visible": True,
    "spatial_region_label_attribute_id": "",
    "gtimeline_visible_row_count": "4",
}
