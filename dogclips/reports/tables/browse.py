"""What a model is fed: the clips to look at, and which of their frames it gets."""

from collections.abc import Sequence
from typing import Any

from rich.console import Group
from rich.text import Text

from dogclips.records.fed import FedClip
from dogclips.reports.tables.style import filled_table, plain


def fed_table(clips: Sequence[FedClip], title: str) -> Group:
    """Return one row per view with the times of its frames, or why a clip has none."""
    rows: list[tuple[object, ...]] = []
    for clip in clips:
        own: list[tuple[object, str]] = [
            (view.heading, " ".join(f"{time_s:.3f}" for time_s in view.times_s))
            for view in clip.views
        ]
        own += [("", plain(clip.remark))] if clip.remark else []
        own += [(Text("unreadable", style="red"), plain(clip.fault))] if clip.fault else []
        names = plain(clip.name), plain(", ".join(clip.labels))
        rows += [(*(("", "") if number else names), *row) for number, row in enumerate(own)]
    return filled_table(title, ("clip", "labels", "view", "frames at, s"), rows)


def fed_document(clips: Sequence[FedClip]) -> list[dict[str, Any]]:
    """Return what `browse --json` says of each clip; times in seconds of the clip."""
    return [
        {
            "clip": str(clip.path),
            "labels": list(clip.labels),
            "views": [
                {
                    "transform": view.kind,
                    "name": view.name,
                    "times_s": [round(time_s, 6) for time_s in view.times_s],
                }
                for view in clip.views
            ],
            "remark": clip.remark or None,
            "error": clip.fault or None,
        }
        for clip in clips
    ]
