"""Annotations that count frames get times from the recording: only its timestamps tell them."""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pandas as pd

from dogclips.alignment import AnnotatedIn, zero_of
from dogclips.annotations import Issue, Media, Project
from dogclips.clips.session import resolve_recordings
from dogclips.errors import AlignmentError, SessionError
from dogclips.media.probe import probe_file
from dogclips.streams import Stream
from dogclips.timebase import shown

SAME_FILE = "check that this is the file that was annotated, not a copy that was cut or encoded"


def miscounted(project: Project, media: Media, stream: Stream) -> Issue | None:
    """Return the issue (V084) if annotations were made for other frames than a stream has.

    Then their times may be shifted. A task of CVAT may be set to end early, so that fewer frames
    are not wrong there.
    """
    if media.num_frames in (None, stream.num_frames):
        return None
    hidden = f", and {stream.num_hidden} more that its edit list hides" if stream.num_hidden else ""
    text = f"made for {media.num_frames} frames; the recording has {stream.num_frames}{hidden}"
    may_end_early = project.format == "cvat" and (media.num_frames or 0) < stream.num_frames
    return Issue("V084", media.name, text, "warning" if may_end_early else "error", SAME_FILE)


def project_in_seconds(
    project: Project, videos: Sequence[Path], player: AnnotatedIn = "container"
) -> Project:
    """Return a project with all times in seconds, measured from the recordings it names.

    Only recordings whose annotations count frames are looked for.

    Parameters
    ----------
    videos
        The files among which the recordings are.
    player
        The player in which the times will be read: its zero is theirs.

    Raises
    ------
    SessionError
        A recording is missing, or two files may be meant.
    MediaError
        A recording cannot be probed.
    AlignmentError
        It is not the recording that was annotated; see `in_seconds`.
    """
    counted = project.segments.loc[project.segments["time_base"] == "frame_index", "media_name"]
    names = dict.fromkeys(counted)
    paths = resolve_recordings(project.media_names, videos) if names else {}
    media = {media.name: media for media in project.media}
    segments = project.segments.copy()
    for name in names:
        path = paths[name]
        if isinstance(path, SessionError):
            raise path
        own = segments["media_name"] == name
        stream, zero_s = _counted_stream(path, player)
        issue = miscounted(project, media[name], stream)
        if issue is not None and issue.level == "error":
            raise AlignmentError(f"V084 {issue.text}", where=path, todo=issue.todo)
        segments[own] = in_seconds(segments[own], stream, zero_s)
    return replace(project, segments=segments)


def _counted_stream(path: Path, player: AnnotatedIn) -> tuple[Stream, Fraction]:
    """Return the stream whose frames were counted, and the zero of the player in seconds."""
    table = probe_file(path)
    if not table.cameras:
        raise AlignmentError("no video stream", where=path, todo="name the annotated recording")
    stream = table.cameras[0]
    return stream, zero_of(player, stream, table)


def in_seconds(
    segments: pd.DataFrame, stream: Stream, zero_s: Fraction = Fraction(0)
) -> pd.DataFrame:
    """Return segments of one recording with all times in seconds.

    Frame n begins at the n-th timestamp of the stream; the frame after the last one stands for the
    end of the stream. Rows that count seconds already stay as they are.

    Parameters
    ----------
    segments
        Columns of `segments.SEGMENT_COLUMNS`.
    stream
        The stream whose frames were counted, from 0: for all such programs the first camera.
    zero_s
        Container time in seconds from which the result counts, as a player does; see
        `alignment.zero_of`. 0 gives container time.

    Raises
    ------
    AlignmentError
        A frame lies outside the stream: then the annotations belong to another recording, or to
        another copy of it, and no frame of theirs can be trusted. Or the stream has no timestamps.
    """
    counted = segments["time_base"] == "frame_index"
    if not counted.any():
        return segments
    if not stream.timed:
        raise AlignmentError(
            "annotations count frames, and the stream has no timestamps",
            where=f"stream {stream.index}",
            todo="put the recording into MP4 or Matroska",
        )
    rows = segments[counted]
    used = pd.concat([rows["t_start"], rows["t_end"].dropna()])
    times = {frame: float(_start_s(frame, stream) - zero_s) for frame in set(used)}
    seconds = segments.copy()
    for column in ("t_start", "t_end"):
        seconds.loc[counted, column] = rows[column].map(times)
    seconds.loc[counted, "time_base"] = "player"
    return seconds


def _start_s(frame: float, stream: Stream) -> Fraction:
    """Return the container time in seconds at which a frame begins."""
    last = len(stream.pts)
    if frame == last and stream.end_s is not None:
        return stream.end_s
    if not (frame.is_integer() and 0 <= frame < last):
        raise AlignmentError(
            f"frame {shown(Fraction(frame)).removesuffix('.0')} is annotated, but there are "
            f"{last} frames",
            where=f"stream {stream.index}",
            todo="annotate this very file, or name the recording that was annotated",
        )
    return int(stream.pts[int(frame)]) * stream.time_base
