"""How annotation time and the frames of a recording belong together.

Annotation time belongs to a stream of the recording, its player's zero, and its frames.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from fractions import Fraction
from pathlib import Path

import pandas as pd

from dogclips.alignment import (
    OTHER_FILE,
    OTHER_SCENE,
    Alignment,
    AnnotatedIn,
    StreamChoice,
    Verdict,
    fault_of,
    zero_of,
)
from dogclips.annotations import Issue, Media, Project
from dogclips.clips.frames import SourceFrames, select_frames
from dogclips.clips.recordings import Recording
from dogclips.clips.session import resolve_recordings
from dogclips.errors import AlignmentError, SessionError
from dogclips.media.probe import probe_file
from dogclips.streams import MaxHold, Stream, StreamTable
from dogclips.timebase import ROUNDING_SLACK_S, Span, shown

SAME_FILE = (
    "check that this is the file that was annotated, not a copy that was edited or encoded again"
)


@dataclass(frozen=True, eq=False)
class AnnotatedStream:
    """The stream that an annotator saw, in annotation time: seconds as the player showed them."""

    reference: Stream  #: The stream; programs that count frames count its frames, from 0
    player: AnnotatedIn = "container"  #: What showed it
    #: The container time that the player calls zero; see `alignment.zero_of`.
    zero_s: Fraction = Fraction(0)
    fault: str = ""  #: How far off the player's picture may be, in words; empty if it is exact

    @property
    def length_s(self) -> Fraction:
        """Return the annotation time at which the stream ends; 0 if unknown."""
        end_s = self.reference.end_s
        return Fraction(0) if end_s is None else end_s - self.zero_s

    def time_of(self, frame: float) -> Fraction:
        """Return when a frame begins; those after the last one follow at the usual rate."""
        pts = self.reference.pts
        if frame < len(pts):
            return int(pts[int(frame)]) * self.reference.time_base - self.zero_s
        return self.length_s + Fraction(frame - len(pts)) / (self.reference.frame_rate or 1)

    def in_seconds(self, segments: pd.DataFrame) -> pd.DataFrame:
        """Return segments of this recording with all times in seconds.

        Frame n begins at the n-th timestamp of the stream; the frame after the last one stands for
        the end of the stream. A frame outside the stream is an AlignmentError: then the annotations
        belong to another recording or another copy of it, and no frame of theirs can be trusted.
        """
        counted = segments["time_base"] == "frame_index"
        if not counted.any():
            return segments
        where = f"stream {self.reference.index}"
        if not self.reference.timed:
            raise AlignmentError(
                "annotations count frames, but the stream has no timestamps",
                where=where,
                todo="remux the recording to MP4 or Matroska",
            )
        rows = segments[counted]
        used = set(pd.concat([rows["t_start"], rows["t_end"].dropna()]))
        num_frames = len(self.reference.pts)
        last = num_frames - (self.reference.end_s is None)
        for frame in used:
            if not (frame.is_integer() and 0 <= frame <= last):
                number = shown(Fraction(frame)).removesuffix(".0")
                raise AlignmentError(
                    f"frame {number} is annotated, but there are {num_frames} frames",
                    where=where,
                    todo="use the recording that was annotated",
                )
        times = {frame: float(self.time_of(frame)) for frame in used}
        seconds = segments.copy()
        for column in ("t_start", "t_end"):
            seconds.loc[counted, column] = rows[column].map(times)
        seconds.loc[counted, "time_base"] = "player"
        return seconds


@dataclass(frozen=True, eq=False, kw_only=True)
class Viewing(AnnotatedStream):
    """A recording as its annotator saw it, and the stream that the model is shown."""

    path: Path  #: The file that clips are cut from
    annotated: Path  #: The file that the annotator saw: the same, or a copy of it
    #: The stream that clips are cut from, and how it lies to the reference.
    target: Stream
    alignment: Alignment

    def frames(
        self,
        start_s: Fraction,
        clip_s: Fraction,
        frame_rate: Fraction | None,
        *,
        max_hold_s: MaxHold = "auto",
        keep_doubtful: bool = False,
    ) -> SourceFrames | str:
        """Return the target's frames of a window of annotation time, or why it cannot be cut.

        `keep_doubtful` gives frames although the shift is unknown between the streams, or
        some were lost, whatever `max_hold_s` says.
        """
        seen = self.seen(start_s, clip_s)
        begin = self.alignment.time_map.to_target(seen.start)
        frames = select_frames(
            self.target,
            Span(begin, begin + clip_s),
            frame_rate,
            max_hold_s=max_hold_s,
            keep_doubtful=keep_doubtful,
        )
        if isinstance(frames, str):
            return frames
        if outside := self._outside_reference(seen):
            return outside
        return frames if keep_doubtful else self._doubt(seen) or frames

    def _doubt(self, seen: Span) -> str:
        """Return why the map cannot be believed in a window, if so."""
        time_map = self.alignment.time_map
        if time_map.is_broken(seen):
            return "frames-lost"
        if time_map.is_doubtful(seen):
            return "in-doubt"
        return "contradicted" if self.alignment.verdict(seen) == "contradicted" else ""

    def verdict(self, start_s: Fraction, clip_s: Fraction) -> Verdict:
        """Return what the pixels say of a window of annotation time."""
        return self.alignment.verdict(self.seen(start_s, clip_s))

    def seen(self, start_s: Fraction, clip_s: Fraction) -> Span:
        """Return a window of annotation time in container time of the reference."""
        return Span(start_s + self.zero_s, start_s + self.zero_s + clip_s)

    def _outside_reference(self, seen: Span) -> str:
        """Return the reason if the annotator saw nothing of another stream at an end of a window.

        How long the last frame is shown differs from container to container, by up to a frame.
        """
        reference = self.reference
        if self.target is reference or reference.start_s is None or reference.end_s is None:
            return ""
        if seen.start < reference.start_s - ROUNDING_SLACK_S:
            return "before-reference-start"
        frame_s = 1 / (reference.frame_rate or Fraction(25))
        return "after-reference-end" if seen.end > reference.end_s + frame_s else ""

    @property
    def shared(self) -> Span:
        """Return the annotation time in which both streams have frames."""
        reference, target, time_map = self.reference, self.target, self.alignment.time_map
        begins = [reference.start_s or Fraction(0)]
        ends = [] if reference.end_s is None else [reference.end_s]
        if target.start_s is not None and target.end_s is not None:
            begins.append(time_map.to_reference(Fraction(0)))
            ends.append(time_map.to_reference(target.end_s - target.start_s))
        begin_s = max(begins) - self.zero_s
        return Span(begin_s, min(ends) - self.zero_s if ends else begin_s)

    def same_time(self, other: "Viewing") -> bool:
        """Return whether annotation time means the same as in another viewing of the recording."""
        return self.reference is other.reference and self.zero_s == other.zero_s

    def same_moment(self, other: "Viewing", time_s: Fraction) -> Fraction:
        """Return the annotation time here of a time in another viewing of the recording."""
        time_s += other.zero_s
        if self.reference is not other.reference:
            target_s = other.alignment.time_map.to_target(time_s)
            time_s = self.alignment.time_map.to_reference(target_s)
        return time_s - self.zero_s

    def container_s(self, start_s: Fraction) -> Fraction:
        """Return the container time of the target at an annotation time."""
        begin_s = self.alignment.time_map.to_target(start_s + self.zero_s)
        return begin_s + (self.target.start_s or 0)


def annotated_stream(player: AnnotatedIn, stream: Stream, table: StreamTable) -> AnnotatedStream:
    """Return a stream of a measured file as a player shows it."""
    fault = fault_of(player, stream, table)
    return AnnotatedStream(stream, player, zero_of(player, stream, table), fault)


def viewing_of(recording: Recording, choice: StreamChoice) -> Viewing:
    """Return how annotation time and frames of a measured recording belong together."""
    table, alignment = recording.measured
    if not alignment.trusted:
        text = "; ".join(message.text for message in alignment.messages)
        codes = {message.code for message in alignment.messages}
        todo = f"see `dogclips align`, then set `{'target' if OTHER_SCENE in codes else 'trust'}`"
        if OTHER_FILE in codes:
            todo = "correct `originals`; if both show one scene, see `dogclips align`, set `trust`"
        if "P023" in codes:
            todo = _one_clock(table)
        raise AlignmentError(text, where=recording.path, todo=todo)
    reference, target = choice.of(table, recording.original)
    seen = annotated_stream(choice.annotated_in, reference, table)
    own = {field.name: getattr(seen, field.name) for field in fields(seen)}
    return Viewing(
        **own,
        path=recording.cut_path,
        annotated=recording.path,
        target=target,
        alignment=alignment,
    )


def _one_clock(table: StreamTable) -> str:
    """Return what to do with a recording of which the clock restarts; no setting helps."""
    command = f"`dogclips repair {table.path.name} --out COPY`"
    return f"give it one clock, {command}, and check the annotations against the copy"


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


def counted_alike(project: Project, media: Media, stream: Stream, path: Path) -> Issue | None:
    """Return the warning, or raise the error, if annotations were made for other frames."""
    issue = miscounted(project, media, stream)
    if issue is not None and issue.level == "error":
        raise AlignmentError(f"{issue.code} {issue.text}", where=path, todo=issue.todo)
    return issue


def project_in_seconds(
    project: Project, videos: Sequence[Path], player: AnnotatedIn = "container"
) -> Project:
    """Return a project with all times in seconds, measured from the recordings it names.

    Only recordings whose annotations count frames are looked for, among `videos`. The times will be
    read in `player`: its zero is theirs.
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
        seen = _counted_stream(path, player)
        counted_alike(project, media[name], seen.reference, path)
        segments[own] = seen.in_seconds(segments[own])
    return replace(project, segments=segments)  # watched spans: no format has a place for them


def _counted_stream(path: Path, player: AnnotatedIn) -> AnnotatedStream:
    """Return the stream whose frames were counted, as the player would show it."""
    table = probe_file(path)
    if not table.cameras:
        raise AlignmentError("no video stream", where=path, todo="name the annotated recording")
    return annotated_stream(player, table.cameras[0], table)
