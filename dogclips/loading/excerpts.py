"""Where the frames of a listed clip lie: in its own file, or still in the recording.

The second needs no cut file. The manifest beside the clips says which frames of which stream a
clip shows, and they are shown at the times at which the cut file would show them, so that a clip
and its virtual twin give a model the same frames.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from dogclips.errors import ListError
from dogclips.records.manifest import ManifestIndex, ManifestRow
from dogclips.timebase import Pts, frame_at

# Which file the frames come from: the cut clip, or the recording that it was planned from.
Source = Literal["clips", "recordings"]


@dataclass(frozen=True)
class Window:
    """The frames of a clip within a stream of a recording, as the manifest's row says.

    Parameters
    ----------
    first_pts, last_pts
        Of the first and the last frame, in ticks of the stream.
    num_frames, rate
        Of the clip.
    begin_s
        When the window begins, in container time of the stream.
    timing
        How the clip's frames are timed: see `clips.frames.Timing`.
    """

    first_pts: int
    last_pts: int
    num_frames: int
    rate: Fraction
    begin_s: Fraction
    timing: str


@dataclass(frozen=True)
class Excerpt:
    """What is to be decoded of a file.

    Parameters
    ----------
    path
        A video file.
    stream
        Index among all streams, as ffprobe counts them; None for the first video stream.
    window
        The frames that count; None for all.
    """

    path: Path
    stream: int | None = None
    window: Window | None = None


@dataclass(frozen=True)
class Timeline:
    """When the frames of a clip are shown.

    Parameters
    ----------
    pts
        Of each frame in its stream, ascending; one that is shown twice stands there twice.
    times_s
        When each is shown, in seconds, ascending.
    step_s
        How long the usual frame is shown.
    """

    pts: Pts
    times_s: NDArray[np.float64]
    step_s: float

    @property
    def start_s(self) -> float:
        """Return when the first frame is shown."""
        return float(self.times_s[0])

    @property
    def end_s(self) -> float:
        """Return when the last frame ends; it is shown as long as the usual one.

        What containers say of it differs.
        """
        return float(self.times_s[-1]) + self.step_s

    def on_screen(self, instants: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the place in `pts` of the frame on screen at each instant, in any shape.

        Before the clip that is its first frame, after it the last one.
        """
        # A billionth of a second makes up for the rounding of seconds to floats.
        found = np.searchsorted(self.times_s, instants + 1e-9, side="right") - 1
        return np.maximum(found, 0).astype(np.int64)


def timeline_of(pts: Pts, time_base: Fraction, window: Window | None = None) -> Timeline | None:
    """Return when the frames of a clip are shown; None if they are not those of the window.

    Parameters
    ----------
    pts
        Of the frames of the stream, ascending; those of the window only, if there is one.
    """
    if window is None:
        return _timeline(pts, _seconds(pts, time_base))
    if not len(pts) or (pts[0], pts[-1]) != (window.first_pts, window.last_pts):
        return None
    if window.timing == "timed":
        begin = math.floor(window.begin_s / time_base)
        # The first frame may have begun before the window did.
        ticks = np.concatenate([[0], pts[1:] - begin])
        return _timeline(pts, _seconds(ticks, time_base))
    grid = np.arange(window.num_frames) / float(window.rate)
    if window.timing == "resampled":
        instants = (window.begin_s + k / window.rate for k in range(window.num_frames))
        places = [frame_at(pts, time_base, instant) for instant in instants]
        return _timeline(pts[places], grid)
    return _timeline(pts, grid) if len(pts) == window.num_frames else None


def _seconds(ticks: Pts, time_base: Fraction) -> NDArray[np.float64]:
    """Return exactly rounded seconds: one division of two whole numbers."""
    return (ticks * time_base.numerator).astype(np.float64) / time_base.denominator


def _timeline(pts: Pts, times_s: NDArray[np.float64]) -> Timeline:
    # A single frame lasts a tick or two; nobody looks at its end.
    step_s = float(np.median(np.diff(times_s))) if len(times_s) > 1 else 1e-3
    return Timeline(pts, times_s, step_s)


def excerpts(paths: Iterable[Path], source: Source) -> tuple[Excerpt, ...]:
    """Return where the frames of each clip lie.

    Parameters
    ----------
    paths
        Clips as a list names them; for recordings their files need not be there.
    source
        `recordings` looks each of them up in the manifest of its output folder.

    Raises
    ------
    ListError
        A clip was planned and never cut, or no manifest names it.
    OutputError
        A manifest cannot be read.
    """
    wanted = list(paths)
    if source == "recordings":
        index, source_of = ManifestIndex(), cache(_source_of)
        return tuple(_in_recording(index.find(path), path, source_of) for path in wanted)
    for path in wanted:
        if not path.is_file():
            raise ListError(
                "the clip is not there", where=path, todo="cut it, or set data.source to recordings"
            )
    return tuple(Excerpt(path) for path in wanted)


def _source_of(session: Path, name: str) -> Path:
    source = session / name
    if session.resolve() not in source.resolve().parents:
        raise ListError(
            "the recording lies outside of its session", where=source, todo="cut the session again"
        )
    return source


def _in_recording(
    row: ManifestRow | None, path: Path, source_of: Callable[[Path, str], Path]
) -> Excerpt:
    if row is None:
        raise ListError(
            "no manifest names this clip",
            where=path,
            todo="cut it again, or set data.source to clips",
        )
    if not row["timing"]:
        raise ListError(
            "config.yaml or probe.json is missing or damaged",
            where=row.output,
            todo="cut the session again",
        )
    window = Window(
        first_pts=int(row["first_pts"]),
        last_pts=int(row["last_pts"]),
        num_frames=int(row["num_frames"]),
        rate=Fraction(row["frame_rate"]),
        begin_s=Fraction(row["container_start"]),
        timing=row["timing"],
    )
    return Excerpt(source_of(row.session, row["source"]), int(row["target_stream"]), window)
