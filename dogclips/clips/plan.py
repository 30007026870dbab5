"""Plan a session: every window with its labels and frames, or the reason why it is not cut."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import pandas as pd

from dogclips.annotations import Project
from dogclips.clips.config import CutConfig
from dogclips.clips.labelled import Refused, SharedClasses, label_projects
from dogclips.clips.observers import agreed
from dogclips.clips.originals import cut_from, originals_of, unmatched
from dogclips.clips.probed import probe_document
from dogclips.clips.recordings import Recordings, measure_recordings
from dogclips.clips.rows import Columns, name_apart, refused_row, rows_of, sample_background
from dogclips.clips.session import Session
from dogclips.clips.viewed import ViewedRecording, annotated_times, view_recordings
from dogclips.clips.windows import plan_windows
from dogclips.config import settings_text
from dogclips.files import json_text
from dogclips.media.lanes import ClipJob
from dogclips.records.manifest import manifest_table
from dogclips.records.probe import PROBE
from dogclips.records.settings import SETTINGS
from dogclips.streams import Stream
from dogclips.timebase import Span

# A warning says which labels lose more than this share and these seconds; it names so many.
_LEAST_LOST, _LEAST_LOST_S, _MOST_NAMED = Fraction(1, 10), Fraction(1), 5


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
    are those of the session where none are given; of copies the originals are measured, too.
    """
    choices = [config.choice_of(project) for project in projects]
    paths = _to_measure(session, projects, config) if videos is None else videos
    pairs = cut_from(paths, originals_of(session, config.originals))
    return measure_recordings(
        pairs, choices, trust=config.trust, content=config.content, whole=verify
    )


def _to_measure(session: Session, projects: Sequence[Project], config: CutConfig) -> list[Path]:
    """Return the recordings of a session, without originals that were not annotated themselves."""
    resolved = (session.recordings(project.media_names) for project in projects)
    named = {path for own in resolved for path in own.values() if isinstance(path, Path)}
    originals = set(originals_of(session, config.originals).values())
    return sorted({path for path in session.videos if path not in originals} | named)


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
    laid: list[_Laid] = []
    for one in found:
        if isinstance(one, Refused):
            rows.append(refused_row(one))
            continue
        windows = _windows_of(one, labelled.classes, config)
        planned = list(rows_of(session.output, one, windows, labelled, config))
        reasons = [str(row.get("reason", "")) for row, _ in planned]
        laid.append((one, list(zip(windows["start"], reasons, strict=True))))
        for row, job in planned:
            if job is not None:
                jobs[len(rows)] = job
            rows.append(row)
    name_apart(session.output, rows, jobs)
    sample_background(rows, jobs, config.background_ratio)
    unknown = unmatched(session, config.originals)
    warnings = [
        *_losses(laid, labelled.classes, config),
        *(f"V110 originals.{name}: no recording has this name" for name in unknown),
        *labelled.warnings,
        *(text for one in viewed for text in one.warnings),
    ]
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


# A recording with the start of each of its windows, and why it is not cut; "" where it is.
_Windows = list[tuple[Fraction, str]]
_Laid = tuple[ViewedRecording, _Windows]


def _windows_of(viewed: ViewedRecording, classes: Sequence[str], config: CutConfig) -> pd.DataFrame:
    return plan_windows(
        viewed.bouts,
        classes,
        viewed.rules(config),
        until_s=viewed.until_s,
        annotated_s=viewed.annotated_s,
        watched=viewed.watched,
    )


def _losses(laid: Sequence[_Laid], classes: Sequence[str], config: CutConfig) -> list[str]:
    """Return a warning (V096) if no clip shows much of a label: how much, why, and what helps."""
    lost: dict[str, tuple[Fraction, Fraction]] = {}
    reasons: Counter[str] = Counter()
    for name in classes:
        total_s = sum((_seconds(_spans_of(one, name)) for one, _ in laid), Fraction(0))
        parts = [_lost(viewed, windows, name, config) for viewed, windows in laid]
        lost_s = sum((seconds for seconds, _ in parts), Fraction(0))
        if lost_s >= max(_LEAST_LOST_S, _LEAST_LOST * total_s):
            lost[name] = lost_s, total_s
            for _, own in parts:
                reasons.update(own)
    if not lost:
        return []
    said = [f"{float(a):.1f} of {float(b):.1f} s of {name!r}" for name, (a, b) in lost.items()]
    why = [f"{reason} {float(seconds):.1f} s" for reason, seconds in reasons.most_common()]
    more = ", ..." if len(said) > _MOST_NAMED else ""
    text = f"V096 no clip shows {', '.join(said[:_MOST_NAMED])}{more}"
    because = f" ({', '.join(why)})" if why else ""
    return [f"{text}{because}: {_advice(laid, list(lost), classes, config)}"]


def _lost(
    viewed: ViewedRecording, windows: _Windows, name: str, config: CutConfig
) -> tuple[Fraction, dict[str, Any]]:
    """Return how many seconds of a label no clip of a recording shows, in all and by reason.

    Skipped windows overlap, so that a second can have several reasons.
    """
    own, clip_s = _spans_of(viewed, name), config.windows.clip_s
    shown = _windows_with(windows, "", clip_s)
    lost_s = _seconds(own) - _seconds(own, shown)
    found = {}
    for reason in {why for _, why in windows if why} if lost_s else ():
        skipped = _windows_with(windows, reason, clip_s)
        found[reason] = _seconds(own, skipped) - _seconds(own, skipped, shown)
    return lost_s, {reason: seconds for reason, seconds in found.items() if seconds}


def _advice(
    laid: Sequence[_Laid], names: Sequence[str], classes: Sequence[str], config: CutConfig
) -> str:
    """Return which settings would show how much of the labels that is lost now."""
    half = float(config.windows.stride_s / 2)
    choices: dict[str, dict[str, object]] = {
        "phase_seconds: auto": {"phase_seconds": "auto"},
        "end_window: true": {"end_window": True},
        f"stride_seconds: {half:g}": {"stride_seconds": half},
    }
    short = [one for one in laid if any(_lost(*one, name, config)[0] for name in names)]
    gains = {
        text: _gained(short, names, classes, config.model_copy(update=settings))
        for text, settings in choices.items()
        if config.anchor == "grid"
    }
    best = sorted((text for text in gains if gains[text] > 0), key=lambda text: -gains[text])
    said = [f"`{text}` shows {float(gains[text]):.1f} s more" for text in best]
    return ", ".join(said) or "see the column reason of manifest.csv"


def _gained(
    laid: Sequence[_Laid], names: Sequence[str], classes: Sequence[str], config: CutConfig
) -> Fraction:
    """Return how many more seconds of labels the clips of other settings would show."""
    gained_s = Fraction(0)
    for viewed, windows in laid:
        again = _laid_again(viewed, classes, config)
        for name in names:
            before, after = (_lost(viewed, own, name, config)[0] for own in (windows, again))
            gained_s += before - after
    return gained_s


def _laid_again(viewed: ViewedRecording, classes: Sequence[str], config: CutConfig) -> _Windows:
    """Return the windows of other settings, and why each would not be cut."""
    windows = _windows_of(viewed, classes, config)
    found = []
    for start, reason in zip(windows["start"], windows["reason"], strict=True):
        frames = viewed.viewing.frames(
            start,
            config.windows.clip_s,
            config.resample_to,
            max_hold_s=config.max_hold_s,
            keep_doubtful=config.keep_doubtful,
        )
        found.append((start, frames if isinstance(frames, str) else reason))
    return found


def _spans_of(viewed: ViewedRecording, name: str) -> list[Span]:
    own = viewed.bouts[viewed.bouts["label"] == name]
    return [Span(*times) for times in zip(own["start"], own["end"], strict=True)]


def _windows_with(windows: _Windows, reason: str, clip_s: Fraction) -> list[Span]:
    return [Span(start, start + clip_s) for start, why in windows if why == reason]


def _seconds(*several: Sequence[Span]) -> Fraction:
    """Return the seconds that lie in each of several sets of spans."""
    return sum((one.duration for one in agreed(several, len(several))), Fraction(0))


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
    cut_paths = {plan.sources[source][0] for source in changed & plan.sources.keys()}
    fresh = sorted({one.path for one in measured.values() if one.cut_path in cut_paths})
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
