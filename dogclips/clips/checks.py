"""What is wrong or odd in annotation files once their recordings are measured, and their tables.

Pure but for `measure_named`: files are read and measured before. All times are seconds as the
annotator's player showed them; segments that count frames get the times of those frames.
"""

import math
from collections import defaultdict
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from dogclips.alignment import StreamChoice
from dogclips.annotations import Issue, Project
from dogclips.annotations.issues import Issues
from dogclips.annotations.project import Media
from dogclips.clips.config import CutConfig
from dogclips.clips.labelled import apply_labels
from dogclips.clips.observers import Account, accounts_of, merged, watched_labels
from dogclips.clips.recordings import Recording
from dogclips.clips.session import resolve_recordings
from dogclips.clips.viewing import SAME_FILE, AnnotatedStream, annotated_stream, miscounted
from dogclips.codes import ISSUES
from dogclips.errors import AlignmentError, DogclipsError, MediaError, SessionError
from dogclips.files import file_name
from dogclips.media.probe import probe_many
from dogclips.streams import StreamTable
from dogclips.timebase import ROUNDING_SLACK_S, exact

# One row per recording that an annotation file names; `recording` is "" where none was found.
RECORDING_COLUMNS = {
    "path": "str",  # the annotation file
    "name": "str",  # the recording as the file names it
    "recording": "str",
    "stream": "Int64",  # what the annotator saw
    "duration_s": "Float64",  # until the end of that stream
    "segments": "int64",
    "points": "int64",
    "seconds": "Float64",  # with any label, each second counted once
    "share": "Float64",  # of the duration
    "overlaps": "int64",  # pairs of segments of one task and one subject that share time
    "overlaps_all": "int64",  # of any tasks and subjects
    "unadjusted_1s": "int64",
    "past_end": "int64",
}
# One row per label; a segment with several labels counts for each.
LABEL_COLUMNS = {
    "task": "str",
    "label": "str",
    "segments": "int64",
    "points": "int64",
    "seconds": "Float64",
    "shortest_s": "Float64",
    "median_s": "Float64",
    "longest_s": "Float64",
    "recordings": "int64",
    "subjects": "int64",
}
PROJECT_COLUMNS = {
    "path": "str",
    "format": "str",
    "status": "str",
    "media": "int64",
    "segments": "int64",
    "points": "int64",
    "labels": "int64",
    "seconds": "Float64",
    "zero_length": "int64",
    "errors": "int64",
    "warnings": "int64",
}

_ENTRY = ["kind", "source_id", "subject", "t_start", "t_end"]  # one segment, whatever its labels
_DEFAULTS = CutConfig()
_TWICE = "they become one set of clips: set projects.NAME.replaces if one is an older copy"

# What was measured of each recording by the name in the annotation file, or why there is none.
Found = Mapping[str, Recording | SessionError]


@dataclass(frozen=True, eq=False)
class CheckedProject:
    """An annotation file with everything that is wrong with it, recordings included."""

    project: Project
    issues: tuple[Issue, ...]  #: Those of the file itself, then those found with its recordings
    #: `segments.SEGMENT_COLUMNS`, and `start_s`, `end_s` (NaN where a frame's time is unknown) and
    #: `recording`, the same text for the same recording in all files.
    segments: pd.DataFrame
    recordings: pd.DataFrame  #: `RECORDING_COLUMNS`
    #: `segments.WATCHED_COLUMNS`, and `start_s`, `end_s` and `recording` as those of segments.
    watched: pd.DataFrame

    @property
    def path(self) -> Path:
        """Return the annotation file."""
        return self.project.path

    @property
    def errors(self) -> tuple[Issue, ...]:
        """Return the issues that refuse the file or a recording."""
        return tuple(issue for issue in self.issues if issue.level == "error")

    @property
    def status(self) -> str:
        """Return "error" if the file or a recording is refused, "warning" if it is odd, or "ok"."""
        levels = {issue.level for issue in self.issues}
        return next((level for level in ("error", "warning") if level in levels), "ok")


def _treat_unknown(project: Project, unknown: str) -> Project:
    """Return a project whose unknown labels are kept, skipped or errors."""
    segments, issues = project.segments, list(project.issues)
    for index, issue in enumerate(issues):
        if issue.code == "V045" and issue.level != "error" and unknown != "keep":
            dropped = replace(issue, text=f"{issue.text}; skipped")
            issues[index] = dropped if unknown == "drop" else replace(issue, level="error")
    if unknown == "drop":
        segments = segments[segments["known"]].reset_index(drop=True)
    return replace(project, issues=tuple(issues), segments=segments)


def check_projects(
    projects: Sequence[Project],
    found: Mapping[Path, Found] | None = None,
    config: CutConfig = _DEFAULTS,
) -> list[CheckedProject]:
    """Check annotation files that belong together.

    `found` has for each file the recordings of its names; None checks the files alone. `config`
    says what the annotators saw, and what to do with unknown labels.
    """
    checked = [
        check_project(project, None if found is None else found[project.path], config)
        for project in projects
    ]
    return _with_observers(_with_shared(checked), config)


def check_project(
    project: Project, found: Found | None = None, config: CutConfig = _DEFAULTS
) -> CheckedProject:
    """Check one annotation file against its recordings; see `check_projects`."""
    project = _treat_unknown(project, config.labels.unknown)
    issues = Issues(list(project.issues))
    choice = config.choice_of(project)
    none = project.segments[:0]
    by_name = dict(iter(project.segments.groupby("media_name", sort=False)))
    spans = watched_labels(project, config.labels)
    rows, tables, watched = [], [_timed(none, "", None)], [_timed(spans[:0], "", None)]
    for media in media_of(project):
        recording = None if found is None else found[media.name]
        seen = _shown(recording, choice, media.name, issues) if recording is not None else None
        path = recording.path if isinstance(recording, Recording) else None
        key = str(path.resolve() if path else f"{project.path}: {media.name}")
        own = _timed(by_name.get(media.name, none), key, seen)
        watched.append(_timed(spans[spans["media_name"] == media.name], key, seen))
        if isinstance(recording, Recording) and recording.table and recording.table.cameras:
            issue = miscounted(project, media, recording.table.cameras[0])
            issues.found.extend([] if issue is None else [issue])
        row = {"path": str(project.path), "name": media.name, "recording": str(path or "")}
        row |= _measures(own, seen)
        _check_segments(row, own, seen, issues)
        rows.append(row)
        tables.append(own)
    recordings = _table(rows, RECORDING_COLUMNS)
    segments, looked = (
        pd.concat([table for table in own if len(table)] or own[:1], ignore_index=True)
        for own in (tables, watched)
    )
    return CheckedProject(project, tuple(issues.found), segments, recordings, looked)


def checked_files(checked: Sequence[CheckedProject]) -> pd.DataFrame:
    """Return one row per file with the columns of `PROJECT_COLUMNS`."""
    return _table([_project_row(file) for file in checked], PROJECT_COLUMNS)


def checked_labels(checked: Sequence[CheckedProject]) -> pd.DataFrame:
    """Return one row per label of all files with the columns of `LABEL_COLUMNS`, sorted by name."""
    tables = [file.segments for file in checked if len(file.segments)]
    if not tables:
        return _table([], LABEL_COLUMNS)
    groups = pd.concat(tables, ignore_index=True).groupby(["task", "label"])
    rows = [_label_row(str(key[0]), str(key[1]), own) for key, own in groups]
    return _table(rows, LABEL_COLUMNS)


def _table(rows: Sequence[Mapping[Any, Any]], columns: Mapping[str, str]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=list(columns))
    return table.astype(dict(columns))


def media_of(project: Project) -> list[Media]:
    """Return every recording that a file lists or annotates, each name once."""
    found = {media.name: media for media in reversed(project.media)}
    names = [*project.media_names, *project.segments["media_name"].unique()]
    return [found.get(name, Media(name)) for name in dict.fromkeys(names)]


def measure_named(
    projects: Sequence[Project],
    among: Mapping[Path, Sequence[Path]],
    originals: Mapping[Path, Path | SessionError] | None = None,
) -> dict[Path, Found]:
    """Return what was measured of the recordings of each annotation file; none is aligned.

    `among` has for each annotation file the files among which its recordings are. `originals` are
    the files that clips are cut from where that is another one.
    """
    originals = originals or {}
    named = {
        project.path: resolve_recordings(
            [media.name for media in media_of(project)], among[project.path]
        )
        for project in projects
    }
    resolved = (path for own in named.values() for path in own.values())
    wanted = list(dict.fromkeys(path for path in resolved if isinstance(path, Path)))
    cut = [own for own in map(originals.get, wanted) if isinstance(own, Path)]
    files = list(dict.fromkeys([*wanted, *cut]))
    tables = dict(zip(files, probe_many(files), strict=True))
    measured = {path: _measured(path, tables, originals.get(path)) for path in wanted}
    return {
        file: {
            name: measured[path] if isinstance(path, Path) else path for name, path in own.items()
        }
        for file, own in named.items()
    }


def _measured(
    path: Path,
    tables: Mapping[Path, StreamTable | MediaError],
    original: Path | SessionError | None,
) -> Recording | SessionError:
    """Return what was measured of a recording and of its original, if it has one."""
    if isinstance(original, SessionError):
        return original
    table, own = tables[path], None if original is None else tables[original]
    if isinstance(table, MediaError):
        return Recording(path, None, None, table)
    if isinstance(own, MediaError):
        return Recording(path, None, None, own)
    return Recording(path, table, None, original=own)


def _shown(
    recording: Recording | SessionError, choice: StreamChoice, place: str, issues: Issues
) -> AnnotatedStream | None:
    """Return what the annotator saw of a recording; None, with an issue, if that is unknown."""
    try:
        if isinstance(recording, SessionError):
            raise recording
        if recording.table is None:
            raise recording.error or AlignmentError(
                "not measured", todo="see what `dogclips probe` says of it"
            )
        stream, _ = choice.of(recording.table, recording.original)
        if stream.end_s is None:
            what = f"stream {stream.index} has no timestamps"
            raise AlignmentError(what, todo="remux the recording")
        return annotated_stream(choice.annotated_in, stream, recording.table)
    except SessionError as error:
        code, _, text = error.what.partition(" ")
        where = f" ({error.where})" if error.where else ""
        issues.refuse(code, place, text + where, error.todo)
    except DogclipsError as error:
        issues.refuse("V086", place, error.what, error.todo)
    return None


def _timed(own: pd.DataFrame, recording: str, seen: AnnotatedStream | None) -> pd.DataFrame:
    """Return segments of one recording with their times in seconds, as far as they are known."""
    start_s, end_s = own["t_start"].copy(), own["t_end"].copy()
    frames = own["time_base"] == "frame_index"
    for times in (start_s, end_s):
        times[frames] = [
            float("nan") if seen is None or math.isnan(frame) else float(seen.time_of(frame))
            for frame in times[frames]
        ]
    return own.assign(start_s=start_s, end_s=end_s, recording=recording)


def _measures(own: pd.DataFrame, seen: AnnotatedStream | None) -> dict[str, Any]:
    """Return what a row of `RECORDING_COLUMNS` says about the segments of one recording."""
    entries = own.drop_duplicates(_ENTRY)
    states = entries[entries["kind"] == "state"]
    seconds, share = _seconds(states), None
    duration_s = None if seen is None else float(seen.length_s)
    if duration_s is not None and duration_s > 0:
        inside = states.assign(end_s=states["end_s"].clip(upper=duration_s))
        share = _seconds(inside) / duration_s
    same = (_overlaps(group) for _, group in own.groupby(["task", "subject"]))
    return {
        "stream": None if seen is None else seen.reference.index,
        "duration_s": duration_s,
        "segments": len(states),
        "points": int((entries["kind"] == "point").sum()),
        "seconds": None if states["start_s"].isna().any() else seconds,
        "share": share,
        "overlaps": sum(same),
        "overlaps_all": _overlaps(states),
        "unadjusted_1s": int(sum("unadjusted_1s" in flags.split() for flags in states["flags"])),
    }


def _seconds(states: pd.DataFrame) -> float:
    """Return the seconds that are covered by any of the segments."""
    total, until = 0.0, -np.inf
    for start, end in sorted(zip(states["start_s"], states["end_s"], strict=True)):
        total += max(end - max(start, until), 0.0)
        until = max(until, end)
    return total


def _overlaps(segments: pd.DataFrame) -> int:
    """Return the number of pairs of segments that share time; labels of one segment do not."""
    entries = segments[segments["kind"] == "state"].drop_duplicates(_ENTRY)
    starts = np.sort(entries["t_start"].to_numpy())
    begun = np.searchsorted(starts, entries["t_end"].to_numpy(), side="left")
    # Of those that begin before one ends, all but itself begin after it, or are counted there.
    return int(begun.sum() - len(starts) * (len(starts) + 1) // 2)


def _check_segments(
    row: dict[str, Any], own: pd.DataFrame, seen: AnnotatedStream | None, issues: Issues
) -> None:
    """Add what is odd about the segments of a recording, and their number past its end."""
    entries = own.drop_duplicates(_ENTRY).to_dict("records")
    over = (
        [] if seen is None else [(_overrun(seen, entry), entry["time_base"]) for entry in entries]
    )
    over = [case for case in over if case[0] > 0]
    row["past_end"] = len(over)
    if over:
        worst, base = max(over)
        by = _number(int(worst), "frame") if base == "frame_index" else f"{float(worst):.3f} s"
        end = f"the recording's end at {float(seen.length_s):.3f} s" if seen else ""
        text = f"{_number(len(over), 'segment')} past {end}, by up to {by}"
        # A frame that is not there is of another copy: then none of them can be trusted.
        note = issues.refuse if base == "frame_index" else issues.warn
        note("V080", row["name"], text, SAME_FILE)
    if row["unadjusted_1s"]:
        text = f"{_number(row['unadjusted_1s'], 'segment')} of exactly 1.000 s"
        todo = "a key press makes these: drag their ends to where the behaviour begins and stops"
        issues.warn("V083", row["name"], text, todo)


def _overrun(seen: AnnotatedStream, row: Mapping[Hashable, Any]) -> Fraction:
    """Return how far a segment or point lies beyond the end, in its own time base."""
    point = row["kind"] == "point"
    last = exact(row["t_start"] if point else row["t_end"])
    if row["time_base"] == "frame_index":
        return last + int(point) - seen.reference.num_frames
    over_s = last - seen.length_s
    return over_s if over_s > ROUNDING_SLACK_S else Fraction(0)


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _with_shared(checked: Sequence[CheckedProject]) -> list[CheckedProject]:
    """Return the files with a warning (V085) for each recording that several of them name."""
    named = [
        (file.path, str(row["name"]), Path(row["recording"]).resolve())
        for file in checked
        for row in file.recordings.to_dict("records")
        if row["recording"]
    ]
    files: defaultdict[Path, set[Path]] = defaultdict(set)
    for file_path, _, recording in named:
        files[recording].add(file_path)
    issues: defaultdict[Path, list[Issue]] = defaultdict(list)
    for file_path, name, recording in named:
        if len(files[recording]) > 1:
            names = ", ".join(sorted(str(path) for path in files[recording]))
            text = f"named by {len(files[recording])} annotation files: {names}"
            issues[file_path].append(Issue("V085", name, text, "warning", _TWICE))
    return [replace(file, issues=(*file.issues, *issues[file.path])) for file in checked]


def _with_observers(checked: Sequence[CheckedProject], config: CutConfig) -> list[CheckedProject]:
    """Return the files with what their observers contradict each other in.

    Several observers of one task are an error (V091) of each file; segments outside of what was
    watched (V090) are a warning.
    """
    accounts: defaultdict[str, list[tuple[Path, Account]]] = defaultdict(list)
    for file in checked:
        for recording, account in _accounts(file, config):
            accounts[recording].append((file.path, account))
    issues: defaultdict[Path, list[Issue]] = defaultdict(list)
    for recording, own in accounts.items():
        name = file_name(recording)
        for path, account in own:
            if account.outside:
                todo = ISSUES["V090"].todo
                issues[path].append(Issue("V090", name, account.outside, "warning", todo))
        try:
            merged([account for _, account in own], config.observers)
        except SessionError as error:
            code, _, text = error.what.partition(" ")
            for path in dict.fromkeys(path for path, _ in own):
                issues[path].append(Issue(code, name, text, "error", error.todo))
    return [replace(file, issues=(*file.issues, *issues[file.path])) for file in checked]


def _accounts(file: CheckedProject, config: CutConfig) -> Iterator[tuple[str, Account]]:
    """Yield recordings of a file, each with what an observer says of it."""
    keep = config.labels.model_copy(update={"unknown": "keep"})
    labelled = apply_labels(file.segments, keep, config.tasks, with_task=False)
    segments, watched = (_in_seconds(table) for table in (labelled, file.watched))
    for recording, own in segments.groupby("recording", sort=False):
        stem, ends = file.path.stem, own["t_end"].fillna(own["t_start"])
        for account in accounts_of(
            stem,
            config.project(stem),
            own,
            watched[watched["recording"] == recording],
            annotated_s=exact(float(ends.max())),
            until_s=exact(float(ends.max())),
        ):
            yield str(recording), account


def _in_seconds(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows with a time that is known, in seconds."""
    known = table[table["start_s"].notna()]
    return known.assign(t_start=known["start_s"], t_end=known["end_s"])


def _project_row(file: CheckedProject) -> dict[str, Any]:
    levels = [issue.level for issue in file.issues]
    recordings = file.recordings
    return {
        "path": str(file.path),
        "format": file.project.format,
        "status": file.status,
        "media": len(recordings),
        "segments": recordings["segments"].sum(),
        "labels": len(file.segments[["task", "label"]].drop_duplicates()),
        "points": recordings["points"].sum(),
        "seconds": recordings["seconds"].sum(skipna=False),
        "zero_length": sum(issue.code == "V058" for issue in file.issues),
        "errors": levels.count("error"),
        "warnings": levels.count("warning"),
    }


def _label_row(task: str, label: str, own: pd.DataFrame) -> dict[str, Any]:
    states = own[own["kind"] == "state"]
    lengths = states["end_s"] - states["start_s"]
    return {
        "task": task,
        "label": label,
        "segments": len(states),
        "points": len(own) - len(states),
        "seconds": lengths.sum(skipna=False),
        "shortest_s": lengths.min(skipna=False),
        "median_s": lengths.median(skipna=False),
        "longest_s": lengths.max(skipna=False),
        "recordings": own["recording"].nunique(),
        "subjects": own.loc[own["subject"] != "", "subject"].nunique(),
    }
