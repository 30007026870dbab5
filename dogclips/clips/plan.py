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

from dogclips.alignment import Alignment, align, choose_streams, zero_of
from dogclips.annotations import Project, read_via
from dogclips.clips.config import CutConfig
from dogclips.clips.frames import ClipFrames, select_frames
from dogclips.clips.manifest import manifest_table
from dogclips.clips.names import RecordingName, clip_name, recording_name, safe
from dogclips.clips.session import Session
from dogclips.clips.windows import Window, plan_windows
from dogclips.errors import AlignmentError, AnnotationError, DogclipsError, MediaError
from dogclips.labels import apply_labels, class_order, tasks_of
from dogclips.media.encoding import ClipJob
from dogclips.media.picture import output_size
from dogclips.streams import Stream, StreamTable
from dogclips.timebase import ROUNDING_SLACK_S, Span, exact, shown

MADE_BY = f"dogclips {version('dogclips')}, av {version('av')}"


@dataclass(frozen=True, eq=False)
class ClipPlan:
    """What a session's cut will do.

    Parameters
    ----------
    tables
        What was measured of each recording.
    table
        Columns of `manifest.MANIFEST_COLUMNS`; rows to cut have the status "planned".
    jobs
        For the index of each planned row what to write.
    sources
        For each source in the table its path and target stream.
    """

    session: Session
    config: CutConfig
    tables: Mapping[Path, StreamTable | MediaError]
    classes: tuple[str, ...]
    table: pd.DataFrame
    jobs: Mapping[int, ClipJob]
    sources: Mapping[str, tuple[Path, Stream]]
    warnings: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Recording:
    """A measured recording with its aligned streams and the names of its clips."""

    path: Path
    source: str
    reference: Stream
    target: Stream
    alignment: Alignment
    zero_s: Fraction
    name: RecordingName


def plan_session(
    session: Session, tables: Mapping[Path, StreamTable | MediaError], config: CutConfig
) -> ClipPlan:
    """Plan all clips of a session; nothing is written.

    A project or recording that cannot be used is one row with the status "failed" and its
    reason; it stops no other.

    Parameters
    ----------
    tables
        What was measured of each recording, by path; see `media.probe.probe_many`.
    """
    planner = _Planner(session, tables, config)
    projects = dict(planner.read_projects())
    segments = planner.label(projects)
    names = [name for own in segments.values() for name in own["label"]]
    classes = class_order(names, config.labels.order)
    for folder, own in segments.items():
        planner.plan_project(folder, projects[folder].media_names, own, classes)
    return ClipPlan(
        session=session,
        config=config,
        tables=tables,
        classes=classes,
        table=manifest_table(planner.rows),
        jobs=planner.jobs,
        sources=planner.sources,
        warnings=tuple(planner.warnings),
    )


@dataclass
class _Planner:
    session: Session
    tables: Mapping[Path, StreamTable | MediaError]
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
        media_names: tuple[str, ...],
        segments: pd.DataFrame,
        classes: tuple[str, ...],
    ) -> None:
        """Add the rows and jobs of all recordings that a project names."""
        for media_name in media_names:
            own = segments[segments["media_name"] == media_name]
            spans = [
                (Span(exact(row["t_start"]), exact(row["t_end"])), str(row["label"]))
                for row in own.to_dict("records")
            ]
            try:
                recording = self._recording(media_name)
            except DogclipsError as error:
                self._fail(folder, media_name, error)
                continue
            self._warn_of_overruns(recording, spans)
            for window in self._windows(recording, spans, classes):
                self._plan_window(folder, recording, window, classes)

    def _recording(self, media_name: str) -> Recording:
        path = self.session.video_named(media_name)
        table = self.tables[path]
        if isinstance(table, MediaError):
            raise table
        config = self.config
        reference, target = choose_streams(
            table,
            reference=config.reference,
            target=config.target,
            annotated_in=config.annotated_in,
        )
        alignment = align(reference, target, trust=config.trust)
        if not alignment.trusted:
            text = "; ".join(message.text for message in alignment.messages)
            raise AlignmentError(text, where=path, todo="see `dogclips probe`, then set `trust`")
        name, warning = recording_name(self.session.base_dir, path, table.created, config.name)
        if warning is not None and warning not in self.warnings:
            self.warnings.append(warning)
        source = path.relative_to(self.session.base_dir).as_posix()
        self.sources[source] = path, target
        zero_s = zero_of(config.annotated_in, reference)
        return Recording(path, source, reference, target, alignment, zero_s, name)

    def _warn_of_overruns(self, recording: Recording, spans: list[tuple[Span, str]]) -> None:
        end_s = recording.reference.end_s
        for span, label in spans:
            over_s = span.end + recording.zero_s - end_s if end_s is not None else Fraction(0)
            if over_s > ROUNDING_SLACK_S:
                text = f"{label!r} ends {shown(over_s)} s after the recording"
                self.warnings.append(f"{recording.source}: {text}")

    def _windows(
        self, recording: Recording, spans: list[tuple[Span, str]], classes: tuple[str, ...]
    ) -> list[Window]:
        """Return the windows of a recording up to its end or that of its last segment."""
        ends = [span.end for span, _ in spans]
        if recording.reference.end_s is not None:
            ends.append(recording.reference.end_s - recording.zero_s)
        return plan_windows(
            spans,
            classes,
            clip_s=self.config.clip_s,
            stride_s=exact(self.config.stride_seconds),
            min_overlap_s=self.config.min_overlap_s,
            until_s=max(ends, default=Fraction(0)),
        )

    def _plan_window(
        self, folder: str, recording: Recording, window: Window, classes: tuple[str, ...]
    ) -> None:
        indices = [classes.index(label) for label in window.labels]
        row: dict[str, Any] = {
            "project": folder,
            "source": recording.source,
            "status": "skipped",
            "start_s": float(window.span.start),
            "end_s": float(window.span.end),
            "labels": window.labels,
            "label_indices": indices,
            "reference_stream": recording.reference.index,
            "target_stream": recording.target.index,
            "alignment": recording.alignment.method,
            "offset_s": float(recording.alignment.offset_s),
            "made_by": MADE_BY,
        }
        frames = self._frames(recording, window)
        if isinstance(frames, str):
            self.rows.append(row | {"reason": frames})
            return
        name = clip_name(recording.name, window.span.start, indices, self.config.name)
        clip = self._unique(f"{folder}/{name}")
        job = self._job(clip, recording, frames)
        self.jobs[len(self.rows)] = job
        recipe = _recipe(recording, frames, self.config)
        planned = {"clip": clip, "status": "planned", "recipe": recipe}
        self.rows.append(row | _job_columns(job, recording) | planned)

    def _frames(self, recording: Recording, window: Window) -> ClipFrames | str:
        """Return the target frames of a window in annotation time, or the reason to skip it."""
        to_target = recording.alignment.time_map.to_target
        start, end = window.span.start + recording.zero_s, window.span.end + recording.zero_s
        on_target = Span(to_target(start), to_target(end))
        frames = select_frames(recording.target, on_target, self.config.resample_to)
        if isinstance(frames, str):
            return frames
        return frames if window.labels else "no-label"

    def _job(self, clip: str, recording: Recording, frames: ClipFrames) -> ClipJob:
        return ClipJob(
            path=self.session.output / clip,
            places=frames.places,
            pts=frames.pts,
            time_base=frames.time_base,
            frame_rate=frames.frame_rate,
            size=output_size(recording.target, self.config.short_side),
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


def _job_columns(job: ClipJob, recording: Recording) -> dict[str, Any]:
    target = recording.target
    return {
        "first_pts": int(target.pts[job.places[0]]),
        "last_pts": int(target.pts[job.places[-1]]),
        "time_base": str(target.time_base),
        "num_frames": len(job.places),
        "frame_rate": str(job.frame_rate),
        "width": job.size[0],
        "height": job.size[1],
    }


def _recipe(recording: Recording, frames: ClipFrames, config: CutConfig) -> str:
    """Return the digest of all that decides the bytes of a clip."""
    facts = recording.path.stat()
    parts = [
        recording.source,
        facts.st_size,
        facts.st_mtime_ns,
        recording.target.index,
        recording.target.pts[list(frames.places)].tolist(),
        frames.pts,
        str(frames.time_base),
        config.short_side,
        config.encoder.model_dump(),
        MADE_BY,
    ]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]
