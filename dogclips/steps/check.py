"""Check: find what is wrong with annotation files, and what they contain."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from dogclips.annotations import Issue, Project, read_annotations, read_dataset
from dogclips.annotations.project import refusal
from dogclips.clips.checks import CheckedProject, check_projects, measure_named
from dogclips.clips.config import CutConfig
from dogclips.clips.labelled import check_names, counted
from dogclips.clips.originals import originals_of
from dogclips.clips.session import (
    VIA_DIR,
    VIDEO_DIR,
    Session,
    no_annotations,
    projects_in,
    session_in,
    videos_in,
)
from dogclips.config import Settings, settings_of
from dogclips.errors import SessionError
from dogclips.events import Feed, Progress, Result
from dogclips.files import Paths, paths_of
from dogclips.segments import segment_table


@dataclass(frozen=True, eq=False)
class CheckResult(Result):
    """What was found in each annotation file; those with errors are failures.

    `clips.checks` makes tables of their recordings and labels.
    """

    files: tuple[CheckedProject, ...]


def check(
    paths: Paths,
    settings: Settings[CutConfig] = None,
    *,
    videos: str | Path | Literal[False] | None = None,
    progress: Progress | None = None,
) -> CheckResult:
    """Check annotation files against each other and their recordings; nothing is written.

    Parameters
    ----------
    paths
        Session folders or annotation files; one or several.
    settings
        Settings of `cut`: they tell what annotators saw, and what to do with unknown labels.
    videos
        Folder of the recordings; None for `video/` of the session, else the folder of the file;
        False checks the annotation files without recordings.
    progress
        Called with each event.

    Returns
    -------
    result
        A path without annotations is a file with an error and does not stop the others.

    Raises
    ------
    ConfigError
        The settings are wrong.
    """
    feed, config = Feed(progress), settings_of(CutConfig, settings)
    projects = _projects(paths_of(paths), feed, config)
    found = None
    if videos is not False:
        sessions = {project.path: _session_of(project.path, videos) for project in projects}
        among = {path: (*own.videos, *own.proxies) for path, own in sessions.items()}
        originals: dict[Path, Path | SessionError] = {}
        for session in sessions.values():
            originals |= originals_of(session, config.originals)
        with feed.task("measuring recordings"):
            found = measure_named(projects, among, originals)
    checked = check_projects(projects, found, config)
    # The tables show all errors: no lines of their own.
    feed.failures.extend(refusal(file.path, file.errors) for file in checked if file.errors)
    return CheckResult(tuple(checked), **feed.kept)


def _projects(paths: Sequence[Path], feed: Feed, config: CutConfig) -> list[Project]:
    """Return every annotation file that is meant, as one dataset, in the order of the paths.

    A path that gives none is a file with its error. A file in `via/` that is not an annotation
    file is skipped, unless it is named itself.
    """
    files: dict[Path, Path] = {}  # by what they are, however they are named
    refused: dict[Path, Project] = {}
    stems: set[str] = set()
    for path in paths:
        try:
            all_of_it = projects_in(path) if path.is_dir() else [path]
            own, replaced = counted(all_of_it, config) if path.is_dir() else (all_of_it, [])
            stems |= {file.stem for file in all_of_it}
            for line in replaced:
                feed.warn(line)
            for file in own:
                files.setdefault(file.resolve(), file)
        except SessionError as error:
            issue = Issue("V001", "", f"{error.what} ({error.where})", "error", error.todo)
            refused[path] = Project(path, "", segment_table([]), (), (issue,))
    same_ids = config.labels.option_ids == "same"
    projects, others = read_dataset(files.values(), same_ids=same_ids)
    check_names(projects, config, stems)
    read = {project.path: project for project in projects}
    left_out = [file for file in files.values() if file not in read]
    for file, line in zip(left_out, others, strict=True):
        if file in paths:
            read[file] = read_annotations(file)
        else:
            feed.warn(line)
    refused |= _empty_folders(paths, read)
    return [*(read[file] for file in files.values() if file in read), *refused.values()]


def _empty_folders(paths: Sequence[Path], read: Mapping[Path, Project]) -> dict[Path, Project]:
    """Return an error (V007) for each session folder of which no file is an annotation file."""
    found = {}
    for path in (path for path in paths if (path / VIA_DIR).is_dir()):
        own = projects_in(path) if any((path / VIA_DIR).iterdir()) else []
        if own and not any(file in read for file in own):
            error = no_annotations(Session(path, (), tuple(own)))
            issue = Issue("V007", "", f"{error.what} ({error.where})", "error", error.todo)
            found[path] = Project(path, "", segment_table([]), (), (issue,))
    return found


def _session_of(file: Path, videos: str | Path | None) -> Session:
    """Return the files among which an annotation file's recordings are."""
    if videos is not None:
        return session_in(file.parent, videos_in(Path(videos)))
    folder = file.absolute().parent
    base_dir = file.parent.parent if file.parent.name else folder.parent
    if folder.name == VIA_DIR and (base_dir / VIDEO_DIR).is_dir():
        return session_in(base_dir)
    return session_in(file.parent, videos_in(file.parent))
