"""Windows that the pixels contradict, as two strips: what the annotator saw above what it maps to.

A person sees there whether one picture stands, shows a slate, or is of another moment.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from dogclips.clips.viewing import annotated_stream
from dogclips.errors import DogclipsError, MediaError
from dogclips.lists.session_records import SessionRecords
from dogclips.media.footage import FileFootage, strip_of
from dogclips.media.probe import probe_file
from dogclips.reports.pictures.clip_cards import StillsPicture
from dogclips.reports.pictures.figures import picture_url
from dogclips.streams import Stream, StreamTable
from dogclips.timebase import exact, frame_at

CONTRADICTED = "contradicted"
_MOST = 3  # windows of a recording
_FRAMES = 5
_WIDTH = 128  # columns of one frame


@dataclass(frozen=True)
class VerdictStrips:
    """One window of a recording in both streams."""

    time: str  #: In annotation time, in words
    kept: bool  #: Whether a clip was cut from it anyway
    reference: StillsPicture
    target: StillsPicture
    seen: str  #: What the upper strip is of
    cut: str  #: What the lower one is of


# By session and by the recording that is cut.
StripsByRecording = Mapping[tuple[str, str], Sequence[VerdictStrips]]


def contradicted(windows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of a manifest that the pixels contradict, cut or not."""
    return windows[(windows["reason"] == CONTRADICTED) | (windows["verdict"] == CONTRADICTED)]


def strips_of(
    sessions: Mapping[str, SessionRecords], progress: Callable[[int], None] = lambda _: None
) -> dict[tuple[str, str], list[VerdictStrips]]:
    """Return strips of a few contradicted windows of each recording that has any."""
    found: dict[tuple[str, str], list[VerdictStrips]] = {}
    for name, session in sessions.items():
        for recording in session.recordings:
            rows = _apart(contradicted(recording.windows))
            for row in rows:
                strips = _strips(session.base_dir, row)
                found.setdefault((name, recording.source), []).append(strips)
                progress(1)
    return found


def number_of_strips(sessions: Mapping[str, SessionRecords]) -> int:
    """Return how many windows `strips_of` shows."""
    recordings = (one for session in sessions.values() for one in session.recordings)
    return sum(len(_apart(contradicted(one.windows))) for one in recordings)


def _apart(windows: pd.DataFrame) -> list[dict[Any, Any]]:
    """Return the first, middle and last of windows that do not overlap."""
    rows: list[dict[Any, Any]] = []
    for row in windows.sort_values("start_s").to_dict("records"):
        if not rows or row["start_s"] >= rows[-1]["end_s"]:
            rows.append(row)
    if not rows:
        return []
    places = np.linspace(0, len(rows) - 1, _MOST).round().astype(int).tolist()
    return [rows[place] for place in dict.fromkeys(places)]


def _strips(base_dir: Path, row: Mapping[Any, Any]) -> VerdictStrips:
    cut, seen = base_dir / row["source"], base_dir / (row["annotated"] or row["source"])
    start_s, clip_s = exact(row["start_s"]), exact(row["end_s"]) - exact(row["start_s"])
    names = [f"stream {row['reference_stream']}", f"stream {row['target_stream']}"]
    if cut != seen:
        names = [f"{seen.name}, {names[0]}", f"{cut.name}, {names[1]}"]

    def reference(table: StreamTable, stream: Stream) -> Fraction:
        return start_s + annotated_stream(row["annotated_in"], stream, table).zero_s

    def target(_table: StreamTable, _stream: Stream) -> Fraction:
        return exact(row["container_start_s"])

    return VerdictStrips(
        time=f"{row['start_s']:.1f} to {row['end_s']:.1f} s",
        kept=row["status"] != "skipped",
        reference=_picture(seen, int(row["reference_stream"]), reference, clip_s),
        target=_picture(cut, int(row["target_stream"]), target, clip_s),
        seen=names[0],
        cut=names[1],
    )


def _picture(
    path: Path, index: int, begin: Callable[[StreamTable, Stream], Fraction], clip_s: Fraction
) -> StillsPicture:
    """Return frames from all of a window, which `begin` says in container time of the stream."""
    try:
        table = probe_file(path)
        stream = next((own for own in table.cameras if own.index == index), None)
        if stream is None:
            raise MediaError(f"no stream {index}", where=path, todo="cut the session again")
        begin_s, last = begin(table, stream), len(stream.pts) - 1
        times = (begin_s + clip_s * (2 * number + 1) / (2 * _FRAMES) for number in range(_FRAMES))
        places = (frame_at(stream.pts, stream.time_base, time) for time in times)
        pixels = strip_of(
            FileFootage(path), stream, (min(max(place, 0), last) for place in places), _WIDTH
        )
    except DogclipsError as error:
        return StillsPicture(fault=f"{error.what}: {error.todo}")
    height, width, _ = pixels.shape
    return StillsPicture(picture_url(pixels), width=width, height=height)
