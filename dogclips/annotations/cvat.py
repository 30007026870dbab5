"""CVAT for video 1.1 (`annotations.xml`): tracks of shapes, in frames.

Follows CVAT's own export (`dataset_manager/bindings.py`, `formats/cvat.py`). A track is an animal;
each attribute of its shapes is a task, its value the label. A shape holds until the next one of
its track; one that is `outside` ends it. Frames are those of the source video: CVAT has added the
first frame and the step of the task already (frame = start_frame + step * n). A job, or a task of
some of the frames, was watched from its first frame to its last one.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

from dogclips.annotations.project import Importer, Media, Project

_WHOLE = re.compile(r"[0-9]{1,9}")
_STEP = re.compile(r"step\s*=\s*([1-9][0-9]{0,8})")  # as CVAT reads its own filter
_Answers = dict[tuple[str, str], None]  # (task, label), in file order


def read_cvat(path: Path, root: Element) -> Project | None:
    """Return the tracks of an export of CVAT 1.1 as segments in frames, with all that is wrong.

    None where an XML document is not such an export.
    """
    if root.tag != "annotations" or {"meta", "track", "image"}.isdisjoint(one.tag for one in root):
        return None
    reader = _Reader()
    if root.find("image") is not None:
        todo = "in CVAT, export as 'CVAT for video 1.1'"
        reader.refuse("V004", "image", "an export for images, which have no time", todo)
    media = reader.read_meta(root)
    name = media[0].name if media else ""
    tracks = root.findall("track")
    rows = [row for track in tracks for row in reader.rows(track)]
    counts = {"tracks": len(tracks), "segments": len(rows)}
    reader.note_watched(name)
    return reader.project(
        path, rows, media, counts=counts, media_name=name, time_base="frame_index"
    )


@dataclass
class _Reader(Importer):
    """Walks the tracks of one export and collects what is odd about them."""

    format = "cvat"
    player = "frames"
    first: int = 0
    limit: int | None = None  # the first frame past the task's last one
    last: int | None = None  # the last frame of a task that has not all of the video
    inputs: dict[tuple[str, str], str] = field(default_factory=dict)  # (label, attribute): type

    def read_meta(self, root: Element) -> tuple[Media, ...]:
        """Return the video of the task, and note its range of frames and its attributes."""
        for label in root.iterfind("meta//labels/label"):
            for one in label.iterfind("attributes/attribute"):
                names = (label.findtext("name", "").strip(), one.findtext("name", "").strip())
                self.inputs[names] = one.findtext("input_type", "").strip()
        tasks = root.findall("meta/project/tasks/task")
        if len(tasks) > 1:
            # CVAT adds the lengths of a project's earlier tasks to the frames of a later one.
            text = f"a project of {len(tasks)} tasks with one numbering of frames"
            self.refuse("V010", "meta.project", text, "in CVAT, export each task separately")
        for task in [*root.findall("meta/task"), *root.findall("meta/job"), *tasks][:1]:
            num_frames = self._range(task)
            name = (task.findtext("source") or root.findtext("meta/source") or "").strip()
            if name:
                return (Media(name, num_frames=num_frames),)
        text, todo = "the video is not named (source)", "in CVAT, export the task, not a job"
        self.refuse("V005", "meta", text, todo)
        return ()

    def _range(self, task: Element) -> int | None:
        """Note which frames a task has; return their number where these are all of the video."""
        texts = {key: (task.findtext(key) or "0").strip() for key in ("size", "start_frame")}
        wrong = [key for key, text in texts.items() if not _WHOLE.fullmatch(text)]
        for key in wrong:
            place = f"meta.{task.tag}.{key}"
            self.refuse("V010", place, f"{texts[key][:40]!r} is not a number")
        if wrong or not int(texts["size"]):
            return None
        size, self.first = int(texts["size"]), int(texts["start_frame"])
        found = _STEP.search(task.findtext("frame_filter") or "")
        step = int(found[1]) if found else 1
        self.limit = self.first + size * step
        if found or self.first or task.tag == "job":
            self.last = self.limit - step
            return None
        return size

    def note_watched(self, name: str) -> None:
        """Note the span that a job or a part of a video covers, in frames; none for all of it."""
        if self.last is not None:
            span = {"media_name": name, "t_start": self.first, "t_end": self.last + 1}
            self.watched.append(span)

    def rows(self, track: Element) -> Iterator[dict[str, Any]]:
        """Yield one row for each stretch over which an attribute of a track keeps its value."""
        label, place = track.get("label", "").strip(), f"track {track.get('id', '')}".strip()
        if not label:
            self.refuse("V010", place, "a track without a label")
            return
        asked = track.find("*/attribute") is not None or label in {key[0] for key in self.inputs}
        answers: dict[int, _Answers] = {}  # by frame
        for shape in track:
            frame, outside = self._frame(place, shape)
            given = self._answers(label, shape) if asked else {("label", label): None}
            own = {} if outside else given
            # Where jobs overlap CVAT ends a track on the frame on which it goes on.
            if frame in answers and own and answers[frame] not in ({}, own):
                self.refuse("V002", place, f"frame {frame} appears twice")
            elif frame is not None:
                answers[frame] = own or answers.get(frame, {})
        if not answers:
            self.warn("V048", place, "a track without shapes; skipped")
        for (task, value), start, end in _stretches(answers):
            yield {
                "source_id": place,
                "t_start": float(start),
                "t_end": float(end),
                "task": task,
                "label": value,
                "subject": place.replace("track", label, 1),
            }

    def _frame(self, place: str, shape: Element) -> tuple[int | None, bool]:
        """Return a shape's frame, None where it has none that can be, and whether it is outside."""
        text, ends = shape.get("frame", "").strip(), shape.get("outside", "0").strip()
        if shape.tag == "skeleton" and "outside" not in shape.attrib:  # only its points have it
            points = {point.get("outside", "0") for point in shape if point.tag != "attribute"}
            ends = "1" if points == {"1"} else "0"
        if not _WHOLE.fullmatch(text) or ends not in ("0", "1"):
            text = f"frame {text[:40]!r} or outside {ends[:40]!r} is not a number"
            self.refuse("V010", place, text)
            return None, False
        frame, outside = int(text), ends == "1"
        # What ends a shape on the last frame stands one step past it.
        if frame < self.first or (self.limit is not None and frame >= self.limit + outside):
            task = f"{self.first} to {(self.limit or 0) - 1}"
            self.refuse("V010", place, f"frame {frame} is not in the task ({task})")
            return None, outside
        return frame, outside

    def _answers(self, label: str, shape: Element) -> _Answers:
        found: _Answers = {}
        for attribute in shape.iterfind("attribute"):
            task, value = attribute.get("name", "").strip(), (attribute.text or "").strip()
            if self.inputs.get((label, task), "checkbox") == "checkbox":
                value = {"true": task, "false": ""}.get(value.lower(), value)
            if task and value:
                found[task, value] = None
        return found


def _stretches(answers: Mapping[int, _Answers]) -> list[tuple[tuple[str, str], int, int]]:
    """Return (answer, first frame, frame past the last one) by first frame."""
    found: list[tuple[tuple[str, str], int, int]] = []
    begun: dict[tuple[str, str], int] = {}
    for frame in sorted(answers):
        over = [answer for answer in begun if answer not in answers[frame]]
        found += [(answer, begun.pop(answer), frame) for answer in over]
        begun = dict.fromkeys(answers[frame], frame) | begun
    found += [(answer, start, max(answers) + 1) for answer, start in begun.items()]
    return sorted(found, key=lambda stretch: stretch[1])
