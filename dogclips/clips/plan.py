"""Plan a session: every window with its labels and frames, or the reason why it is not cut."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from dogclips.annotations import Project
from dogclips.clips.config import CutConfig
from dogclips.clips.frames import SourceFrames
from dogclips.clips.labelled import Labelled, Refused, label_projects
from dogclips.clips.names import clip_name
from dogclips.clips.probed import probe_document
from dogclips.clips.recordings import Recordings, measure_recordings
from dogclips.clips.session import Session
from dogclips.clips.viewing import ViewedRecording, Viewing, annotated_times, view_recordings
from dogclips.clips.windows import plan_windows
from dogclips.config import settings_text
from dogclips.files import json_text
from dogclips.media.lanes import ClipJob
from dogclips.media.picture import output_size
from dogclips.records.manifest import FILE_ATTRIBUTE, manifest_table
from dogclips.records.probe import PROBE
from dogclips.records.settings import SETTINGS
from dogclips.streams import Stream

_AV = f"av {version('av')}"
MADE_BY = f"dogclips {version('dogclips')}, {_AV}"
# Of all that decides a clip's bytes besides source and settings: another number cuts all again.
RULES = 1

_Columns = dict[str, Any]
# What only the rows of clips say.
_OF_CLIPS = (
    *("clip", "first_pts", "last_pts", "time_base", "container_start", "num_frames"),
    *("frame_rate", "timing", "width", "height", "rules", "recipe"),
)


@dataclass(frozen=True, eq=False)
class ClipPlan:
    """What a session's cut will do."""

    session: Session
    config: CutConfig
    recordings: Recordings  #: What was measured of each recording, and how its streams align
    classes: tuple[str, ...]
    #: Columns of `manifest.MANIFEST_COLUMNS`; rows to cut have the status "planned".
    table: pd.DataFrame
    jobs: Mapping[int, ClipJob]  #: For the index of each planned row what to write
    #: For each source in the table its path and target stream.
    sources: Mapping[str, tuple[Path, Stream]]
    #: For each class how many segments there are, and their seconds in all.
    annotated: Mapping[str, tuple[int, Fraction]]
    warnings: tuple[str, ...]

    @property
    def documents(self) -> dict[str, str]:
        """Return the settings and what was measured of every stream, by file name."""
        probed = probe_document(list(dict.fromkeys(self.recordings.values())))
        return {SETTINGS: settings_text(self.config), PROBE: json_text(probed)}


def measure_session(session: Session, projects: Sequence[Project], config: CutConfig) -> Recordings:
    """Measure a session's recordings and align their streams, as each annotation file saw them."""
    choices = [config.choice_of(project) for project in projects]
    return measure_recordings(session.videos, choices, trust=config.trust, content=config.content)


def plan_session(
    session: Session, projects: Sequence[Project], recordings: Recordings, config: CutConfig
) -> ClipPlan:
    """Plan all clips of a session; what cannot be used is a "failed" row, and stops no other."""
    labelled = label_projects(projects, config)
    found = list(view_recordings(session, labelled, recordings, config))
    viewed = [one for one in found if not isinstance(one, Refused)]
    rows: list[_Columns] = []
    jobs: dict[int, ClipJob] = {}
    for one in (*labelled.refused, *found):
        if isinstance(one, Refused):
            rows.append(_refused_row(one))
            continue
        times = {"until_s": one.until_s, "annotated_s": one.annotated_s}
        windows = plan_windows(one.bouts, labelled.classes, config.windows, **times)
        for row, job in _rows_of(session.output, one, windows, labelled, config):
            if job is not None:
                jobs[len(rows)] = job
            rows.append(row)
    _name_apart(session.output, rows, jobs)
    _sample_background(rows, jobs, config.background_ratio)
    warnings = [*labelled.warnings, *(text for one in viewed for text in one.warnings)]
    return ClipPlan(
        session=session,
        config=config,
        recordings=recordings,
        classes=labelled.classes,
        table=manifest_table(rows),
        jobs=jobs,
        sources={one.source: (one.viewing.path, one.viewing.target) for one in viewed},
        annotated=annotated_times(viewed, labelled.classes),
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _refused_row(refused: Refused) -> _Columns:
    """Return the row of what cannot be used."""
    return {
        "project": refused.project,
        "source": refused.source,
        "status": "failed",
        "reason": str(refused.error),
        "made_by": MADE_BY,
    }


def _rows_of(
    output: Path,
    viewed: ViewedRecording,
    windows: pd.DataFrame,
    labelled: Labelled,
    config: CutConfig,
) -> Iterator[tuple[_Columns, ClipJob | None]]:
    """Yield the row of each of a recording's windows, and its job if it can be cut.

    Clips go below `output`; `windows` has the columns of `windows.WINDOW_COLUMNS`.
    """
    viewing, clip_s = viewed.viewing, config.windows.clip_s
    shared = _shared_columns(viewed) | {"with_task": labelled.with_task}
    size = output_size(viewing.target, config.short_side)
    recipe = _shared_recipe(viewed, config)
    index_of = {name: index for index, name in enumerate(labelled.classes)}
    each: Iterator[Any] = windows.itertuples(index=False)
    for window in each:
        indices = [index_of[label] for label in window.labels]
        row = shared | _columns_of_window(window, viewing, clip_s) | {"label_indices": indices}
        frames = viewing.frames(
            window.start, clip_s, config.resample_to, keep_doubtful=config.keep_doubtful
        )
        if isinstance(frames, str) or window.reason:
            reason = frames if isinstance(frames, str) else window.reason
            yield row | {"status": "skipped", "reason": reason}, None
            continue
        name = clip_name(viewed.name, window.start, indices, config.name, window.subject)
        clip = f"{viewed.folder}/{name}"
        job = ClipJob(
            output / clip, frames.indices, frames.pts, frames.time_base, frames.frame_rate, size
        )
        row |= _columns_of_clip(viewing, frames, size)
        row |= {"recipe": _recipe(recipe, viewing, frames), "status": "planned", "clip": clip}
        yield row, job


def _name_apart(output: Path, rows: list[_Columns], jobs: dict[int, ClipJob]) -> None:
    """Give a number to clips whose recordings got the same name."""
    taken: set[str] = set()
    for index, job in jobs.items():
        wanted = clip = str(rows[index]["clip"])
        stem, number = wanted.removesuffix(".mp4"), 2
        while clip in taken:
            clip = f"{stem}_{number}.mp4"
            number += 1
        taken.add(clip)
        if clip != wanted:
            rows[index]["clip"], jobs[index] = clip, replace(job, path=output / clip)


def _sample_background(
    rows: list[_Columns], jobs: dict[int, ClipJob], ratio: Fraction | None
) -> None:
    """Give up background beyond `ratio` times the labelled clips; the same clips in every run."""
    if ratio is None:
        return
    without = [index for index in jobs if not rows[index]["labels"]]
    count = round(ratio * (len(jobs) - len(without)))
    ordered = sorted(without, key=lambda index: _digest(str(rows[index]["clip"])))
    for index in ordered[count:]:
        del jobs[index]
        kept = {name: value for name, value in rows[index].items() if name not in _OF_CLIPS}
        rows[index] = kept | {"status": "skipped", "reason": "not-sampled"}


def _shared_columns(viewed: ViewedRecording) -> _Columns:
    """Return what every row of a recording says."""
    viewing = viewed.viewing
    return {
        **{FILE_ATTRIBUTE + key: text for key, text in viewed.attributes.items()},
        "project": viewed.folder,
        "source": viewed.source,
        "reference_stream": viewing.reference.index,
        "target_stream": viewing.target.index,
        "annotated_in": viewing.player,
        "alignment": viewing.alignment.method,
        "verified": viewing.alignment.verified,
        "offset_s": float(viewing.alignment.offset_s),
        "error_s": float(viewing.alignment.time_map.error_s),
        "made_by": MADE_BY,
    }


def _columns_of_window(window: Any, viewing: Viewing, clip_s: Fraction) -> _Columns:
    """Return what a row says of its window, which has the columns of `windows.WINDOW_COLUMNS`."""
    return {
        "start_s": float(window.start),
        "end_s": float(window.start + clip_s),
        "labels": window.labels,
        "tasks": window.tasks,
        "subjects": (window.subject,) if window.subject else window.subjects,
        "container_start_s": float(viewing.container_s(window.start)),
    }


def _columns_of_clip(viewing: Viewing, frames: SourceFrames, size: tuple[int, int]) -> _Columns:
    target = viewing.target
    return {
        "first_pts": int(target.pts[frames.indices[0]]),
        "last_pts": int(target.pts[frames.indices[-1]]),
        "time_base": str(target.time_base),
        "container_start": str(frames.begin_s),
        "num_frames": len(frames.indices),
        "frame_rate": str(frames.frame_rate),
        "timing": frames.timing,
        "width": size[0],
        "height": size[1],
        "rules": RULES,
    }


def _shared_recipe(viewed: ViewedRecording, config: CutConfig) -> list[object]:
    """Return what decides the bytes of all clips of a recording, besides their frames."""
    facts = viewed.viewing.path.stat()
    file = (viewed.source, facts.st_size, facts.st_mtime_ns, viewed.viewing.target.index)
    # The first rules bear the name of the version that came with them: what it cut is reused.
    rules = "dogclips 0.1.0" if RULES == 1 else f"rules {RULES}"
    return [*file, config.short_side, config.encoder.model_dump(), f"{rules}, {_AV}"]


def _recipe(shared: list[object], viewing: Viewing, frames: SourceFrames) -> str:
    """Return the digest of all that decides the bytes of a clip."""
    source_pts = viewing.target.pts[list(frames.indices)].tolist()
    parts = [*shared, source_pts, list(frames.pts), str(frames.time_base)]
    return _digest(json.dumps(parts))[:16]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
