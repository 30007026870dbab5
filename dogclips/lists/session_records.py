"""What a cut session left behind: manifest, measurements, annotations; and what is missing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from dogclips.annotations import Project, read_dataset
from dogclips.clips.checks import CheckedProject, Found, check_projects, measure_named
from dogclips.clips.config import CutConfig
from dogclips.clips.labelled import apply_labels, counted, several_tasks
from dogclips.clips.originals import originals_of
from dogclips.clips.session import (
    OUTPUT_DIR,
    VIA_DIR,
    VIDEO_DIR,
    files_in,
    resolve_recordings,
    session_in,
)
from dogclips.errors import AnnotationError, ConfigError, OutputError, SessionError
from dogclips.records.class_names import LABELS, read_labels
from dogclips.records.manifest import read_manifest
from dogclips.records.mixups import not_a_session, unfinished_cut
from dogclips.records.probe import ProbedFile, read_probe
from dogclips.records.settings import read_settings

KEPT = ("cut", "reused")
SHOWN_COLUMNS = ("source", "label", "start_s", "end_s")


@dataclass(frozen=True, eq=False)
class RecordingRecords:
    """One recording of a session."""

    source: str
    #: Its entries in `probe.json`, one for each way in which annotators saw it.
    measured: tuple[ProbedFile, ...]
    windows: pd.DataFrame  #: Its rows of the manifest
    #: `SHOWN_COLUMNS`, under class names; segments that are only points in time are left out.
    segments: pd.DataFrame
    length_s: float | None  #: Annotation time at which it ends; None where nobody measured it

    @property
    def name(self) -> str:
        """Return the file name."""
        return Path(self.source).name


@dataclass(frozen=True, eq=False)
class SessionRecords:
    """A session folder that `dogclips cut` has filled."""

    base_dir: Path
    manifest: pd.DataFrame  #: Columns of `clips.manifest.MANIFEST_COLUMNS`
    recordings: tuple[RecordingRecords, ...]
    #: Names by class index, as `labels.txt` says; those of the clips where it is missing.
    classes: tuple[str, ...] = ()
    checked: tuple[CheckedProject, ...] = ()
    missing: tuple[str, ...] = field(default=())  #: In words what could not be read

    @property
    def kept(self) -> pd.DataFrame:
        """Return the rows of the manifest that are clips."""
        return self.manifest[self.manifest["status"].isin(KEPT)]


def read_records(base_dir: Path) -> SessionRecords:
    """Read all that a session holds; annotations are checked as `dogclips check` does."""
    reader = _Reader(base_dir, base_dir / OUTPUT_DIR)
    manifest = read_manifest(reader.output)
    if manifest is None:
        todo = "run `dogclips cut` on it first"
        begun = unfinished_cut(base_dir)
        if begun is not None:
            raise SessionError(begun.what, where=begun.where, todo=begun.todo)
        wrong = not_a_session(base_dir) if base_dir.exists() else None
        raise wrong or SessionError("no clips here", where=base_dir, todo=todo)
    config, files = reader.config(), reader.measured()
    checked = check_projects(*reader.projects(config), config)
    sources = _sources(manifest, files)
    segments = reader.segments(checked, sources, config)
    lengths = _lengths(checked)
    by_source = {str(key): own for key, own in manifest.groupby("source", sort=False)}
    labelled = {str(key): own for key, own in segments.groupby("source", sort=False)}
    recordings = (
        RecordingRecords(
            source,
            tuple(entry for name in annotated for entry in files.get(name, ())),
            by_source.get(source, manifest[:0]),
            labelled.get(source, segments[:0]),
            max((lengths[name] for name in annotated if name in lengths), default=None),
        )
        for source, annotated in sorted(sources.items())
    )
    return SessionRecords(
        base_dir,
        manifest,
        tuple(recordings),
        reader.classes(manifest),
        tuple(checked),
        tuple(reader.missing),
    )


def _sources(
    manifest: pd.DataFrame, files: Mapping[str, Sequence[ProbedFile]]
) -> dict[str, list[str]]:
    """Return for each file that clips are cut from the names of the recordings annotated for it.

    Mostly these are one recording. Files are relative to the session folder.
    """
    rows = manifest.loc[manifest["target_stream"].notna(), ["source", "annotated"]]
    pairs = {(source, seen or source) for source, seen in rows.itertuples(index=False)}
    known = {Path(seen).name for _, seen in pairs}
    for name, entries in files.items():
        if name not in known:
            path = Path(entries[0].cut_path)
            folder = path.parent.name if entries[0].original else VIDEO_DIR
            pairs.add((f"{folder}/{path.name}", name))
    sources: dict[str, list[str]] = {}
    for source, seen in sorted(pairs):
        sources.setdefault(source, []).append(Path(seen).name)
    return sources


@dataclass
class _Reader:
    """Reads the files of a session, and notes those that say nothing."""

    base_dir: Path
    output: Path
    missing: list[str] = field(default_factory=list)

    def config(self) -> CutConfig:
        """Return the settings of the cut; the defaults where they are lost."""
        try:
            return read_settings(CutConfig, self.output)
        except ConfigError as error:
            self.missing.append(f"the settings of the cut are unknown, defaults are used: {error}")
            return CutConfig()

    def classes(self, manifest: pd.DataFrame) -> tuple[str, ...]:
        """Return the class names in their order."""
        named = read_labels(self.output / LABELS) if (self.output / LABELS).is_file() else ()
        kept = manifest.loc[manifest["status"].isin(KEPT), "labels"]
        return tuple(dict.fromkeys([*named, *(name for own in kept for name in own)]))

    def measured(self) -> dict[str, tuple[ProbedFile, ...]]:
        """Return the entries of `probe.json` by the recording's file name."""
        found: dict[str, tuple[ProbedFile, ...]] = {}
        try:
            for entry in read_probe(self.output).files:
                found[entry.name] = (*found.get(entry.name, ()), entry)
        except OutputError as error:
            self.missing.append(
                "the streams were not measured, or the cut was interrupted"
                f" ({error.where}): {error.what}"
            )
        return found

    def projects(self, config: CutConfig) -> tuple[list[Project], dict[Path, Found] | None]:
        """Return the annotation files, and what was measured of the recordings they name."""
        paths = files_in(self.base_dir / VIA_DIR)
        if not paths:
            self.missing.append(f"no annotation files ({self.base_dir / VIA_DIR}): none are shown")
        paths, _ = counted(paths, config)
        projects, others = read_dataset(paths, same_ids=config.labels.option_ids == "same")
        self.missing.extend(others)
        session = session_in(self.base_dir)
        videos = [*session.videos, *session.proxies]
        if not videos:
            self.missing.append(
                f"no recordings ({self.base_dir / VIDEO_DIR}): annotations are checked alone"
            )
            return projects, None
        among = {project.path: videos for project in projects}
        return projects, measure_named(projects, among, originals_of(session, config.originals))

    def segments(
        self,
        checked: Sequence[CheckedProject],
        sources: Mapping[str, Sequence[str]],
        config: CutConfig,
    ) -> pd.DataFrame:
        """Return the segments of all files that nothing refuses, under class names."""
        source_of = {Path(name): source for source, own in sources.items() for name in own}
        usable = [file for file in checked if not file.project.errors and len(file.segments)]
        with_task = several_tasks((file.segments for file in usable), config.tasks)
        parts = [pd.DataFrame(columns=list(SHOWN_COLUMNS))]
        for file in usable:
            names = resolve_recordings(dict.fromkeys(file.segments["media_name"]), list(source_of))
            found = {
                name: source_of[path] for name, path in names.items() if isinstance(path, Path)
            }
            try:
                own = apply_labels(file.segments, config.labels, config.tasks, with_task=with_task)
            except AnnotationError as error:
                self.missing.append(f"segments are not shown: {error}")
                continue
            own = own.assign(source=own["media_name"].map(found))
            lasting = own["source"].notna() & own["start_s"].notna() & own["end_s"].notna()
            parts.append(own.loc[lasting, list(SHOWN_COLUMNS)])
        filled = [part for part in parts if len(part)] or parts
        return pd.concat(filled, ignore_index=True)


def _lengths(checked: Sequence[CheckedProject]) -> dict[str, float]:
    """Return, by file name, the annotation time at which recordings end."""
    return {
        Path(row["recording"]).name: float(row["duration_s"])
        for file in checked
        for row in file.recordings.to_dict("records")
        if row["recording"] and not pd.isna(row["duration_s"])
    }
