"""What a model is fed: the clips to look at, and which of their frames it gets."""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from rich.console import Group
from rich.text import Text

from dogclips.errors import UsageError
from dogclips.lists import ClipList
from dogclips.reports.style import new_table, with_remarks

Kind = Literal["train", "test"]


@dataclass(frozen=True)
class FedView:
    """A view of a clip.

    Parameters
    ----------
    kind
        Whose transform made it.
    name
        Which of the clip's views it is, in words; empty if there is one only.
    mark
        The same in a letter or two.
    times_s
        When the frames that it shows are presented, in seconds of the clip (T,).
    """

    kind: Kind
    name: str
    mark: str
    times_s: tuple[float, ...]

    @property
    def heading(self) -> str:
        """Return transform and name."""
        return f"{self.kind}, {self.name}" if self.name else self.kind


@dataclass(frozen=True)
class FedClip:
    """A clip and the views that are made of it.

    Parameters
    ----------
    name
        As the list names it.
    start_s, end_s
        When its first frame is presented and its last one ends.
    remark
        What there is to know about its views.
    fault
        Why it cannot be shown; it has no views then.
    """

    path: Path
    name: str
    labels: tuple[str, ...]
    views: tuple[FedView, ...] = ()
    start_s: float = 0.0
    end_s: float = 0.0
    remark: str = ""
    fault: str = ""


@dataclass(frozen=True, eq=False)
class Strip:
    """Frames in the order of time.

    Parameters
    ----------
    heading
        What they are, a line each.
    times_s
        When each is presented (T,).
    pixels
        RGB bytes (T, H, W, 3).
    """

    heading: tuple[str, ...]
    times_s: tuple[float, ...]
    pixels: NDArray[np.uint8]


def listed_name(clips: ClipList, path: Path) -> str:
    """Return the name of a clip, relative to its list where it lies below it."""
    folder = clips.path.parent.absolute()
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else str(path)


def drawn_clips(clips: ClipList, number: int, label: str | None, seed: int) -> list[int]:
    """Return the places of clips that lie evenly in a list, from a random start.

    Parameters
    ----------
    label
        Only clips that carry it; None for any clip.

    Raises
    ------
    UsageError
        There is no such label, or no clip carries it.
    """
    places = list(range(len(clips.clips)))
    if label is not None:
        if label not in clips.labels:
            raise _unknown("label", label, clips.labels)
        index = clips.labels.index(label)
        places = [place for place in places if index in clips.clips[place].labels]
        if not places:
            raise UsageError(f"no clip has label {label!r}", where=clips.path, todo="name another")
    number = min(number, len(places))
    start = Random(seed).random()  # noqa: S311 (no secret)
    return [places[int((place + start) * len(places) / number)] for place in range(number)]


def named_clips(clips: ClipList, names: Sequence[str]) -> list[int]:
    """Return the places of clips by name: as listed, or file names with or without suffix.

    Raises
    ------
    UsageError
        No clip has one of these names; the most similar one is given.
    """
    known: dict[str, list[int]] = {}
    for place, clip in enumerate(clips.clips):
        ways = (listed_name(clips, clip.path), str(clip.path), clip.path.name, clip.path.stem)
        for name in dict.fromkeys(ways):
            known.setdefault(name, []).append(place)
    for name in names:
        if name not in known:
            raise _unknown("clip", name, list(known))
    return list(dict.fromkeys(place for name in names for place in known[name]))


def _unknown(what: str, name: str, known: Sequence[str]) -> UsageError:
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    todo = f"did you mean {near[0]!r}?" if near else "see the list"
    return UsageError(f"no {what} {name!r}", where="list", todo=todo)


def fed_table(clips: Sequence[FedClip], title: str) -> Group:
    """Return one row a view with the times of its frames, or why a clip has none."""
    table = new_table()
    for name in ("clip", "labels", "view", "frames at, s"):
        table.add_column(name, overflow="fold")
    for clip in clips:
        about = _plain(clip.name), _plain(", ".join(clip.labels))
        rows = [
            (Text(view.heading), Text(" ".join(map(clock, view.times_s)))) for view in clip.views
        ]
        if clip.remark:
            rows.append((Text(""), _plain(clip.remark)))
        if clip.fault:
            rows.append((Text("unreadable", style="red"), _plain(clip.fault)))
        for row in rows:
            table.add_row(*about, *row)
            about = Text(""), Text("")
    return with_remarks(title, table)


def clock(time_s: float) -> str:
    """Return seconds as they stand under a frame.

    >>> clock(0.35)
    '0.350'
    """
    return f"{time_s:.3f}"


def fed_document(clips: Sequence[FedClip]) -> list[dict[str, Any]]:
    """Return what `browse --json` says of each clip; times in seconds of the clip."""
    return [
        {
            "clip": str(clip.path),
            "labels": list(clip.labels),
            "views": [
                {"transform": view.kind, "name": view.name, "times_s": _rounded(view.times_s)}
                for view in clip.views
            ],
            "remark": clip.remark or None,
            "error": clip.fault or None,
        }
        for clip in clips
    ]


def _rounded(times_s: Sequence[float]) -> list[float]:
    return [round(time_s, 6) for time_s in times_s]


def _plain(text: str) -> Text:
    """Return text of a stranger's file without markup or anything that moves the cursor."""
    return Text(
        "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)
    )
