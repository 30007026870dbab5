"""What a model is fed: the clips to look at, and which of their frames it gets."""

from collections.abc import Sequence
from typing import Any

from rich.console import Group
from rich.text import Text

from dogclips.records.fed import FedClip
from dogclips.reports.tables.style import new_table, with_remarks


def fed_table(clips: Sequence[FedClip], title: str) -> Group:
    """Return one row a view with the times of its frames, or why a clip has none."""
    table = new_table()
    for name in ("clip", "labels", "view", "frames at, s"):
        table.add_column(name, overflow="fold")
    for clip in clips:
        about = _plain(clip.name), _plain(", ".join(clip.labels))
        rows = [
            (Text(view.heading), Text(" ".join(f"{time_s:.3f}" for time_s in view.times_s)))
            for view in clip.views
        ]
        if clip.remark:
            rows.append((Text(""), _plain(clip.remark)))
        if clip.fault:
            rows.append((Text("unreadable", style="red"), _plain(clip.fault)))
        for row in rows:
            table.add_row(*about, *row)
            about = Text(""), Text("")
    return with_remarks(title, table)


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
