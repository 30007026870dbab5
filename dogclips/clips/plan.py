"""Plan a session: every window with its labels and frames, or the reason why it is not cut."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from dogclips.alignment import Alignment, StreamChoice, fault_of, zero_of
from dogclips.annotations import Media, Project, grouped
from dogclips.clips.config import CutConfig
from dogclips.clips.frame_times import in_seconds, miscounted
from dogclips.clips.frames import ClipFrames, mapped_frames
from dogclips.clips.names import RecordingName, clip_name, recording_name, safe
from dogclips.clips.recordings import Recordings, measure_recordings
from dogclips.clips.session import Session, resolve_recordings
from dogclips.clips.windows import BOUT_COLUMNS, plan_windows
from dogclips.errors import AlignmentError, AnnotationError, DogclipsError, SessionError
from dogclips.labels import apply_labels, class_order, tasks_of
from dogclips.media.lanes import ClipJob
from dogclips.media.picture import output_size
from dogclips.records.manifest import FILE_ATTRIBUTE, manifest_table
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
    annotated
        For each class how many segments there are, and their seconds in all.
    """

    session: Session
    config: CutConfig
    recordings: Recordings
    classes: tuple[str, ...]
    table: pd.DataFrame
    jobs: Mapping[int, ClipJob]
    sources: Mapping[str, tuple[Path, Stream]]
    annotated: Mapping[str, tuple[int, Fraction]]
    warnings: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Source:
    """A recording as one annotation file means it, and what all of its clips have in common.

    Parameters
    ----------
    folder
        Where its clips go, under `output/`.
    zero_s
        The container time that the annotator's player calls zero.
    size
        Width and height of its clips in pixels.
    columns
        What every row of the manifest says of it.
    recipe
        What decides the bytes of its clips, besides their frames.
    """

    folder: str
    source: str
    reference: Stream
    target: Stream
    alignment: Alignment
    zero_s: Fraction
    name: RecordingName
    size: tuple[int, int]
    columns: Mapping[str, Any]
    recipe: tuple[object, ...]


def measure_session(session: Session, projects: Sequence[Project], config: CutConfig) -> Recordings:
    """Measure a session's recordings and align their streams, as each annotation file saw them."""
    choices = [config.choice_of(project) for project in projects]
    return measure_recordings(session.videos, choices, trust=config.trust, content=config.content)


def plan_session(
    session: Session, projects: Sequence[Project], recordings: Recordings, config: CutConfig
) -> ClipPlan:
    """Plan all clips of a session; nothing is written.

    A project or recording that cannot be used is one row with the status "failed" and its
    reason; it stops no other.

    Parameters
    ----------
    projects
        What the session's annotation files say; see `annotations.read_dataset`.
    recordings
        What was measured of each recording; see `measure_session`.
    """
    planner = _Planner(session, recordings, config)
    usable = dict(planner.usable(projects))
    segments = planner.label(usable)
    names = [name for own in segments.values() for name in own["label"]]
    classes = class_order(names, config.labels.order)
    for folder, own in segments.items():
        planner.plan_project(folder, usable[folder], own, classes)
    planner.sample_background()
    return ClipPlan(
        session=session,
        config=config,
        recordings=recordings,
        classes=classes,
        table=manifest_table(planner.table_rows()),
        jobs=planner.jobs,
        sources=planner.sources,
        annotated={name: planner.annotated[name] for name in classes},
        warnings=tuple(planner.warnings),
    )


@dataclass
class _Planner:
    session: Session
    recordings: Recordings
    config: CutConfig
    rows: list[dict[str, Any]] = field(default_factory=list)
    planned: dict[int, dict[str, Any]] = field(default_factory=dict)  # what rows to cut say besides
    jobs: dict[int, ClipJob] = field(default_factory=dict)
    sources: dict[str, tuple[Path, Stream]] = field(default_factory=dict)
    annotated: defaultdict[str, tuple[int, Fraction]] = field(
        default_factory=lambda: defaultdict(lambda: (0, Fraction(0)))
    )
    warnings: list[str] = field(default_factory=list)
    clips: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Take from the settings what every window needs."""
        self.rules, self.resample_to = self.config.windows, self.config.resample_to

    def usable(self, projects: Sequence[Project]) -> Iterator[tuple[str, Project]]:
        """Yield (output folder, project) of each annotation file that nothing refuses."""
        used: set[str] = set()
        for project in projects:
            try:
                project.checked()
            except AnnotationError as error:
                self._fail(project.path.stem, "", error)
                continue
            for issue, count in grouped(project.issues):
                more = f" (and {count - 1} more)" if count > 1 else ""
                text = f"{issue.code} {issue.place}: {issue.text}{more}"
                self.warnings.append(f"{project.path.name}: {text}")
            folder = safe(project.path.stem)
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
        paths = resolve_recordings(project.media_names, self.session.videos)
        for media in project.media:
            own = segments[segments["media_name"] == media.name]
            everything = project.segments[project.segments["media_name"] == media.name]
            try:
                source = self._source(folder, project, media, paths[media.name])
                bouts = _bouts(in_seconds(own, source.reference, source.zero_s))
                annotated_s = _end_of(in_seconds(everything, source.reference, source.zero_s))
            except DogclipsError as error:
                self._fail(folder, media.name, error)
                continue
            self._warn_of_points(source, own)
            self._warn_of_overruns(source, bouts)
            self._count(bouts)
            windows = plan_windows(
                bouts,
                classes,
                self.rules,
                until_s=max(_length_of(source), *bouts["end"], Fraction(0)),
                annotated_s=annotated_s,
            )
            for window in windows.itertuples(index=False):
                self._plan_window(source, window, classes)

    def _source(
        self, folder: str, project: Project, media: Media, path: Path | SessionError
    ) -> Source:
        if isinstance(path, SessionError):
            raise path
        choice = self.config.choice_of(project)
        table, alignment = self.recordings[path, choice].measured
        if not alignment.trusted:
            text = "; ".join(message.text for message in alignment.messages)
            raise AlignmentError(text, where=path, todo="see `dogclips align`, then set `trust`")
        reference, target = choice.of(table)
        issue = miscounted(project, media, reference)
        if issue is not None and issue.level == "error":
            raise AlignmentError(f"{issue.code} {issue.text}", where=path, todo=issue.todo)
        name, warning = recording_name(self.session.base_dir, path, table.created, self.config.name)
        source = path.relative_to(self.session.base_dir).as_posix()
        fault = fault_of(choice.annotated_in, reference, table)
        counted = f"{source}: {issue.code} {issue.text}" if issue else ""
        fault = fault and f"{source}: {fault}"
        self._warn(*filter(None, (warning, fault, counted)))
        warnings = (m for m in alignment.messages if m.level == "warning")
        self._warn(*(f"{source}: {message.code} {message.text}" for message in warnings))
        self.sources[source] = path, target
        return Source(
            folder=folder,
            source=source,
            reference=reference,
            target=target,
            alignment=alignment,
            zero_s=zero_of(choice.annotated_in, reference, table),
            name=name,
            size=output_size(target, self.config.short_side),
            columns={
                **{FILE_ATTRIBUTE + key: text for key, text in media.attributes.items()},
                "project": folder,
                "source": source,
                **_alignment_columns(choice, reference, target, alignment),
            },
            recipe=_shared_recipe(source, path, target, self.config),
        )

    def _warn(self, *warnings: str) -> None:
        """Remember warnings, each once."""
        self.warnings.extend(text for text in warnings if text not in self.warnings)

    def _warn_of_points(self, source: Source, segments: pd.DataFrame) -> None:
        count = int((segments["kind"] == "point").sum())
        if count:
            self._warn(f"{source.source}: {count} points in time have no length; no clip is theirs")

    def _warn_of_overruns(self, source: Source, bouts: pd.DataFrame) -> None:
        length_s = _length_of(source)
        for label, end in zip(bouts["label"], bouts["end"], strict=True):
            if source.reference.end_s is not None and end - length_s > ROUNDING_SLACK_S:
                text = f"{label!r} ends {shown(end - length_s)} s after the recording"
                self.warnings.append(f"{source.source}: {text}")

    def _count(self, bouts: pd.DataFrame) -> None:
        for label, own in bouts.groupby("label"):
            count, seconds = self.annotated[str(label)]
            more = sum(own["end"] - own["start"], Fraction(0))
            self.annotated[str(label)] = count + len(own), seconds + more

    def _plan_window(self, source: Source, window: Any, classes: tuple[str, ...]) -> None:
        """Add the row of a window, with the columns of `windows.WINDOW_COLUMNS`, and its job."""
        indices = [classes.index(label) for label in window.labels]
        end = window.start + self.rules.clip_s
        seen = Span(window.start + source.zero_s, end + source.zero_s)
        begin = source.alignment.time_map.to_target(seen.start)
        row: dict[str, Any] = {
            **source.columns,
            "status": "skipped",
            "start_s": float(window.start),
            "end_s": float(end),
            "labels": window.labels,
            "label_indices": indices,
            "tasks": window.tasks,
            "subjects": (window.subject,) if window.subject else window.subjects,
            "container_start_s": float(begin + (source.target.start_s or 0)),
        }
        frames = mapped_frames(
            source.target,
            source.alignment.time_map,
            seen,
            self.resample_to,
            keep_doubtful=self.config.keep_doubtful,
        )
        if isinstance(frames, str) or window.reason:
            reason = frames if isinstance(frames, str) else window.reason
            self.rows.append(row | {"reason": reason})
            return
        name = clip_name(source.name, window.start, indices, self.config.name, window.subject)
        clip = self._unique(f"{source.folder}/{name}")
        job = self._job(clip, source, frames)
        self.jobs[len(self.rows)] = job
        planned = {"clip": clip, "status": "planned", "recipe": _recipe(source, frames)}
        self.planned[len(self.rows)] = _job_columns(job, source) | planned
        self.rows.append(row)

    def table_rows(self) -> Iterator[dict[str, Any]]:
        """Yield the rows of the manifest."""
        for place, row in enumerate(self.rows):
            yield row | self.planned.get(place, {})

    def sample_background(self) -> None:
        """Give up background beyond the wanted number; the same clips in every run."""
        ratio = self.config.background_ratio
        if ratio is None:
            return
        without = [place for place in self.jobs if not self.rows[place]["labels"]]
        count = round(ratio * (len(self.jobs) - len(without)))
        for place in sorted(without, key=self._lot)[count:]:
            del self.jobs[place], self.planned[place]
            self.rows[place]["reason"] = "not-sampled"

    def _lot(self, place: int) -> str:
        """Return a digest that orders clips as if at random."""
        return hashlib.sha256(self.planned[place]["clip"].encode()).hexdigest()

    def _job(self, clip: str, source: Source, frames: ClipFrames) -> ClipJob:
        return ClipJob(
            path=self.session.output / clip,
            indices=frames.indices,
            pts=frames.pts,
            time_base=frames.time_base,
            frame_rate=frames.frame_rate,
            size=source.size,
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
                "made_by": MADE_BY,
            }
        )


def _bouts(segments: pd.DataFrame) -> pd.DataFrame:
    """Return the segments of a recording that last, as `windows.BOUT_COLUMNS`."""
    lasting = segments[segments["kind"] == "state"]
    times = (lasting[side].map(exact) for side in ("t_start", "t_end"))
    columns = (*times, lasting["label"], lasting["task"], lasting["subject"])
    found = dict(zip(BOUT_COLUMNS, columns, strict=True))
    return pd.DataFrame(found).reset_index(drop=True)


def _end_of(segments: pd.DataFrame) -> Fraction:
    """Return the end of the last segment, or the last point if that is later; 0 without any."""
    ends = segments["t_end"].fillna(segments["t_start"])
    return exact(float(ends.max())) if len(ends) else Fraction(0)


def _length_of(source: Source) -> Fraction:
    """Return the annotation time at which a recording ends; 0 if nobody knows."""
    end_s = source.reference.end_s
    return Fraction(0) if end_s is None else end_s - source.zero_s


def _alignment_columns(
    choice: StreamChoice, reference: Stream, target: Stream, alignment: Alignment
) -> dict[str, Any]:
    return {
        "reference_stream": reference.index,
        "target_stream": target.index,
        "annotated_in": choice.annotated_in,
        "alignment": alignment.method,
        "verified": alignment.verified,
        "offset_s": float(alignment.offset_s),
        "error_s": float(alignment.time_map.error_s),
        "made_by": MADE_BY,
    }


def _job_columns(job: ClipJob, source: Source) -> dict[str, Any]:
    target = source.target
    return {
        "first_pts": int(target.pts[job.indices[0]]),
        "last_pts": int(target.pts[job.indices[-1]]),
        "time_base": str(target.time_base),
        "num_frames": len(job.indices),
        "frame_rate": str(job.frame_rate),
        "width": job.size[0],
        "height": job.size[1],
    }


def _shared_recipe(
    source: str, path: Path, target: Stream, config: CutConfig
) -> tuple[object, ...]:
    facts = path.stat()
    file = (source, facts.st_size, facts.st_mtime_ns, target.index)
    return (*file, config.short_side, config.encoder.model_dump(), MADE_BY)


def _recipe(source: Source, frames: ClipFrames) -> str:
    """Return the digest of all that decides the bytes of a clip."""
    own = (
        source.target.pts[list(frames.indices)].tolist(),
        list(frames.pts),
        str(frames.time_base),
    )
    return hashlib.sha256(json.dumps([*source.recipe, *own]).encode()).hexdigest()[:16]
