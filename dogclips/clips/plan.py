"""Plan a session: every window with its labels and frames, or the reason why it is not cut."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import pandas as pd

from dogclips.annotations import Project
from dogclips.clips.config import CutConfig
from dogclips.clips.labelled import Refused, SharedClasses, label_projects
from dogclips.clips.probed import probe_document
from dogclips.clips.recordings import Recordings, measure_recordings
from dogclips.clips.rows import Columns, name_apart, refused_row, rows_of, sample_background
from dogclips.clips.session import Session
from dogclips.clips.viewed import annotated_times, view_recordings
from dogclips.clips.windows import plan_windows
from dogclips.config import settings_text
from dogclips.files import json_text
from dogclips.media.lanes import ClipJob
from dogclips.records.manifest import manifest_table
from dogclips.records.probe import PROBE
from dogclips.records.settings import SETTINGS
from dogclips.streams import Stream


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


def measure_session(
    session: Session,
    projects: Sequence[Project],
    config: CutConfig,
    *,
    verify: bool = False,
    videos: Sequence[Path] | None = None,
) -> Recordings:
    """Measure a session's recordings and align their streams, as each annotation file saw them.

    To `verify` each clip all of both streams is compared; else a few looks align them. `videos`
    are those of the session where none are given.
    """
    choices = [config.choice_of(project) for project in projects]
    paths = session.videos if videos is None else videos
    return measure_recordings(
        paths, choices, trust=config.trust, content=config.content, whole=verify
    )


def plan_session(
    session: Session,
    projects: Sequence[Project],
    recordings: Recordings,
    config: CutConfig,
    shared: SharedClasses | None = None,
) -> ClipPlan:
    """Plan all clips of a session; what cannot be used is a "failed" row, and stops no other.

    Sessions that belong together have `shared` classes.
    """
    labelled = label_projects(projects, config, shared)
    found = list(view_recordings(session, labelled, recordings, config))
    viewed = [one for one in found if not isinstance(one, Refused)]
    annotated = annotated_times(viewed, labelled.classes)
    rows: list[Columns] = [refused_row(refused) for refused in labelled.refused]
    jobs: dict[int, ClipJob] = {}
    for one in found:
        if isinstance(one, Refused):
            rows.append(refused_row(one))
            continue
        windows = plan_windows(
            one.bouts,
            labelled.classes,
            config.windows,
            until_s=one.until_s,
            annotated_s=one.annotated_s,
            watched=one.watched,
        )
        for row, job in rows_of(session.output, one, windows, labelled, config):
            if job is not None:
                jobs[len(rows)] = job
            rows.append(row)
    name_apart(session.output, rows, jobs)
    sample_background(rows, jobs, config.background_ratio)
    warnings = [*labelled.warnings, *(text for one in viewed for text in one.warnings)]
    return ClipPlan(
        session=session,
        config=config,
        recordings=recordings,
        classes=labelled.classes,
        table=manifest_table(rows),
        jobs=jobs,
        sources={one.source: (one.viewing.path, one.viewing.target) for one in viewed},
        annotated=annotated,
        warnings=tuple(dict.fromkeys(warnings)),
    )


def plan_verified(
    session: Session,
    projects: Sequence[Project],
    config: CutConfig,
    earlier: pd.DataFrame | None,
    shared: SharedClasses | None = None,
) -> ClipPlan:
    """Plan all clips of a session, each with what the pixels of both streams say of it.

    A recording is not compared again where `earlier` rows of the manifest hold the verdicts of the
    same clips.
    """
    verify = earlier is None
    measured = measure_session(session, projects, config, verify=verify)
    plan = plan_session(session, projects, measured, config, shared)
    if earlier is None:
        return plan
    known = _verdicts(earlier)
    # Few looks may leave other doubts than many, and the clips of both plans would take turns.
    changed = {source for source, *_ in known.keys() ^ set(_clips(plan).values())}
    fresh = sorted({plan.sources[source][0] for source in changed & plan.sources.keys()})
    if fresh:
        again = measure_session(session, projects, config, verify=True, videos=fresh)
        plan = plan_session(session, projects, {**measured, **again}, config, shared)
    for row, clip in _clips(plan).items():
        if plan.table.at[row, "verdict"] == "not-compared":
            plan.table.at[row, "verdict"] = known.get(clip, "not-compared")
    return plan


_Clip = tuple[str, str, str]  # source, name and recipe


def _verdicts(earlier: pd.DataFrame) -> dict[_Clip, str]:
    """Return the verdict of each clip of an earlier plan."""
    rows = earlier[(earlier["verdict"] != "") & (earlier["status"] != "stale")]
    columns = (rows[name] for name in ("source", "clip", "recipe"))
    return dict(zip(zip(*columns, strict=True), rows["verdict"], strict=True))


def _clips(plan: ClipPlan) -> dict[int, _Clip]:
    """Return the clip of each planned row."""
    table = plan.table
    columns = (table[name].to_dict() for name in ("source", "clip", "recipe"))
    source, clip, recipe = columns
    return {row: (str(source[row]), str(clip[row]), str(recipe[row])) for row in plan.jobs}
