"""Plan a session: every window with its labels and frames, or the reason why it is not cut."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from dogclips.alignment import Alignment, StreamChoice, fault_of, zero_of
from dogclips.annotations import Project, read_via
from dogclips.clips.config import CutConfig
from dogclips.clips.frames import ClipFrames, select_frames
from dogclips.clips.manifest import manifest_table
from dogclips.clips.names import RecordingName, clip_name, recording_name, safe
from dogclips.clips.recordings import Recordings, measure_recordings
from dogclips.clips.session import Session
from dogclips.clips.windows import Window, plan_windows
from dogclips.errors import AlignmentError, AnnotationError, DogclipsError
from dogclips.labels import apply_labels, class_order, tasks_of
from dogclips.media.encoding import ClipJob
from dogclips.media.picture import output_size
from dogclips.streams import Stream
from dogclips.timebase import ROUNDING_SLACK_S, Span, exact, shown

MADE_BY = f"dogclips {version('dogclips')}, av {version('av')}"


@dataclass(frozen=True, eq=False)
class ClipPlan:
    """What a session's cut will do.

    Parameters
    ----------
    recordings
        What was measured of each recording, and how its streams align.
    table
        Columns of `manifest.MANIFEST_COLUMNS`; rows to cut have the status "planned".
    jobs
        For the index of each planned row what to write.
    sources
        For each source in the table its path and target stream.
    """

    session: Session
    config: CutConfig
    recordings: Recordings
    classes: tuple[str, ...]
    table: pd.DataFrame
    jobs: Mapping[int, ClipJob]
    sources: Mapping[str, tuple[Path, Stream]]
    warnings: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Source:
    """A recording as one annotation file means it, and the names of its clips.

    `zero_s` is the container time that the annotator's player calls zero.
    """

    path: Path
    source: str
    reference: Stream
    target: Stream
    choice: StreamChoice
    alignment: Alignment
    zero_s: Fraction
    name: RecordingName


def measure_session(session: Session, config: CutConfig) -> Recordings:
    """Measure a session's recordings and align their streams, as each annotation file saw them."""
    choices = [config.choice_of(path.stem) for path in session.projects]
    return measure_recordings(session.videos, choices, trust=config.trust, content=config.content)


def plan_session(session: Session, recordings: Recordings, config: CutConfig) -> ClipPlan:
    """Plan all clips of a session; nothing is written.

    A project or recording that cannot be used is one row with the status "failed" and its
    reason; it stops no other.

    Parameters
    ----------
    recordings
        What was measured of each recording; see `measure_session`.
    """
    planner = _Planner(session, recordings, config)
    projects = dict(planner.read_projects())
    segments = planner.label(projects)
    names = [name for own in segments.values() for name in own["label"]]
    classes = class_order(names, config.labels.order)
    for folder, own in segments.items():
        planner.plan_project(folder, projects[folder], own, classes)
    return ClipPlan(
        session=session,
        config=config,
        recordings=recordings,
        classes=classes,
        table=manifest_table(planner.rows),
        jobs=planner.jobs,
        sources=planner.sources,
        warnings=tuple(planner.warnings),
    )


@dataclass
class _Planner:
    session: Session
    recordings: Recordings
    config: CutConfig
    rows: list[dict[str, Any]] = field(default_factory=list)
    jobs: dict[int, ClipJob] = field(default_factory=dict)
    sources: dict[str, tuple[Path, Stream]] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    clips: set[str] = field(default_factory=set)

    def read_projects(self) -> Iterator[tuple[str, Project]]:
        """Yield (output folder, project) of each file that can be read."""
        used: set[str] = set()
        for path in self.session.projects:
            try:
                project = read_via(path)
            except DogclipsError as error:
                self._fail(path.stem, "", error)
                continue
            for issue in project.issues:
                self.warnings.append(f"{path.name}: {issue.code} {issue.place}: {issue.text}")
            folder = safe(path.stem)
            while folder in used:
                folder += "_"
            used.add(folder)
            yield folder, project

    def label(self, projects: Mapping[str, Project]) -> dict[str, pd.DataFrame]:
        """Return the segments of each project under class names that are the same for all."""
        config = self.config
        tasks = set[str]().union(
            *(tasks_of(project.segments, config.tasks) for project in projects.values())
        )
        labelled = {}
        for folder, project in projects.items():
            try:
                labelled[folder] = apply_labels(
                    project.segments, config.labels, config.tasks, with_task=len(tasks) > 1
                )
            except AnnotationError as error:
                self._fail(folder, "", error)
        return labelled

    def plan_project(
        self,
        folder: str,
        project: Project,
        segments: pd.DataFrame,
        classes: tuple[str, ...],
    ) -> None:
        """Add the rows and jobs of all recordings that a project names."""
        for media_name in project.media_names:
            own = segments[segments["media_name"] == media_name]
            spans = [
                (Span(exact(row["t_start"]), exact(row["t_end"])), str(row["label"]))
                for row in own.to_dict("records")
            ]
            try:
                source = self._source(media_name, self.config.choice_of(project.path.stem))
            except DogclipsError as error:
                self._fail(folder, media_name, error)
                continue
            self._warn_of_overruns(source, spans)
            for window in self._windows(source, spans, classes):
                self._plan_window(folder, source, window, classes)

    def _source(self, media_name: str, choice: StreamChoice) -> Source:
        path = self.session.video_named(media_name)
        table, alignment = self.recordings[path, choice].measured
        if not alignment.trusted:
            text = "; ".join(message.text for message in alignment.messages)
            raise AlignmentError(text, where=path, todo="see `dogclips align`, then set `trust`")
        reference, target = choice.of(table)
        name, warning = recording_name(self.session.base_dir, path, table.created, self.config.name)
        source = path.relative_to(self.session.base_dir).as_posix()
        fault = fault_of(choice.annotated_in, reference, table)
        self._warn(*filter(None, (warning, fault and f"{source}: {fault}")))
        warnings = (m for m in alignment.messages if m.level == "warning")
        self._warn(*(f"{source}: {message.code} {message.text}" for message in warnings))
        self.sources[source] = path, target
        zero_s = zero_of(choice.annotated_in, reference, table)
        return Source(path, source, reference, target, choice, alignment, zero_s, name)

    def _warn(self, *warnings: str) -> None:
        """Remember warnings, each once."""
        self.warnings.extend(text for text in warnings if text not in self.warnings)

    def _warn_of_overruns(self, source: Source, spans: list[tuple[Span, str]]) -> None:
        end_s = source.reference.end_s
        for span, label in spans:
            over_s = span.end + source.zero_s - end_s if end_s is not None else Fraction(0)
            if over_s > ROUNDING_SLACK_S:
                text = f"{label!r} ends {shown(over_s)} s after the recording"
                self.warnings.append(f"{source.source}: {text}")

    def _windows(
        self, source: Source, spans: list[tuple[Span, str]], classes: tuple[str, ...]
    ) -> list[Window]:
        """Return the windows of a recording up to its end or that of its last segment."""
        ends = [span.end for span, _ in spans]
        if source.reference.end_s is not None:
            ends.append(source.reference.end_s - source.zero_s)
        return plan_windows(
            spans,
            classes,
            clip_s=self.config.clip_s,
            stride_s=exact(self.config.stride_seconds),
            min_overlap_s=self.config.min_overlap_s,
            until_s=max(ends, default=Fraction(0)),
        )

    def _plan_window(
        self, folder: str, source: Source, window: Window, classes: tuple[str, ...]
    ) -> None:
        indices = [classes.index(label) for label in window.labels]
        row: dict[str, Any] = {
            "project": folder,
            "source": source.source,
            "status": "skipped",
            "start_s": float(window.span.start),
            "end_s": float(window.span.end),
            "labels": window.labels,
            "label_indices": indices,
            "reference_stream": source.reference.index,
            "target_stream": source.target.index,
            "annotated_in": source.choice.annotated_in,
            "alignment": source.alignment.method,
            "verified": source.alignment.verified,
            "offset_s": float(source.alignment.offset_s),
            "error_s": float(source.alignment.time_map.error_s),
            "container_start_s": float(_on_target(source, window.span.start)),
            "made_by": MADE_BY,
        }
        frames = self._frames(source, window)
        if isinstance(frames, str):
            self.rows.append(row | {"reason": frames})
            return
        name = clip_name(source.name, window.span.start, indices, self.config.name)
        clip = self._unique(f"{folder}/{name}")
        job = self._job(clip, source, frames)
        self.jobs[len(self.rows)] = job
        recipe = _recipe(source, frames, self.config)
        planned = {"clip": clip, "status": "planned", "recipe": recipe}
        self.rows.append(row | _job_columns(job, source) | planned)

    def _frames(self, source: Source, window: Window) -> ClipFrames | str:
        """Return the target frames of a window in annotation time, or the reason to skip it."""
        time_map = source.alignment.time_map
        seen = Span(window.span.start + source.zero_s, window.span.end + source.zero_s)
        begin = time_map.to_target(seen.start)
        mapped = Span(begin, begin + window.span.duration)
        frames = select_frames(source.target, mapped, self.config.resample_to)
        if isinstance(frames, str):
            return frames
        if not self.config.keep_doubtful and time_map.is_broken(seen):
            return "frames-lost"
        if not self.config.keep_doubtful and time_map.is_doubtful(seen):
            return "in-doubt"
        return frames if window.labels else "no-label"

    def _job(self, clip: str, source: Source, frames: ClipFrames) -> ClipJob:
        return ClipJob(
            path=self.session.output / clip,
            places=frames.places,
            pts=frames.pts,
            time_base=frames.time_base,
            frame_rate=frames.frame_rate,
            size=output_size(source.target, self.config.short_side),
        )

    def _unique(self, clip: str) -> str:
        """Return the clip's path, numbered if two recordings' names became the same."""
        stem, number = clip.removesuffix(".mp4"), 2
        while clip in self.clips:
            clip = f"{stem}_{number}.mp4"
            number += 1
        self.clips.add(clip)
        return clip

    def _fail(self, project: str, source: str, error: DogclipsError) -> None:
        self.rows.append(
            {
                "project": project,
                "source": source,
                "status": "failed",
                "reason": str(error),
                "labels": (),
                "label_indices": (),
                "made_by": MADE_BY,
            }
        )


def _on_target(source: Source, annotation_s: Fraction) -> Fraction:
    """Return annotation time as container time on the target stream."""
    begin = source.target.start_s or Fraction(0)
    return begin + source.alignment.time_map.to_target(annotation_s + source.zero_s)


def _job_columns(job: ClipJob, source: Source) -> dict[str, Any]:
    target = source.target
    return {
        "first_pts": int(target.pts[job.places[0]]),
        "last_pts": int(target.pts[job.places[-1]]),
        "time_base": str(target.time_base),
        "num_frames": len(job.places),
        "frame_rate": str(job.frame_rate),
        "width": job.size[0],
        "height": job.size[1],
    }


def _recipe(source: Source, frames: ClipFrames, config: CutConfig) -> str:
    """Return the digest of all that decides the bytes of a clip."""
    facts = source.path.stat()
    parts = [
        source.source,
        facts.st_size,
        facts.st_mtime_ns,
        source.target.index,
        source.target.pts[list(frames.places)].tolist(),
        frames.pts,
        str(frames.time_base),
        config.short_side,
        config.encoder.model_dump(),
        MADE_BY,
    ]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]
