"""The recordings that are asked for, each with the annotation file that names it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dogclips.annotations import Project, read_dataset
from dogclips.clips.session import VIA_DIR, VIDEO_DIR, files_in, recordings_in, resolve_recordings
from dogclips.errors import DogclipsError
from dogclips.files import Paths, paths_of


@dataclass(frozen=True, eq=False)
class InputRecording:
    """A recording that is asked for, and the annotation file that names it, if there is one."""

    path: Path
    media_name: str  #: As the annotation file writes it; the file's name without one
    project: Project | None = None
    error: DogclipsError | None = None  #: Why the file cannot be used


def find_recordings(inputs: Paths) -> tuple[list[InputRecording], list[str]]:
    """Return the recordings that inputs name, and warnings, which cost scores only.

    Inputs are videos, or session folders with all of theirs; a video in the `video/` of a session
    folder is one of the session's. What cannot be used is an entry with its error.
    """
    found: list[InputRecording] = []
    warnings: list[str] = []
    for path in paths_of(inputs):
        base_dir = path if path.is_dir() else path.absolute().parent.parent
        if not path.is_dir() and path.absolute().parent.name != VIDEO_DIR:
            found.append(InputRecording(path, path.name))
            continue
        try:
            videos = recordings_in(base_dir) if path.is_dir() else [path]
        except DogclipsError as error:
            found.append(InputRecording(path, path.name, error=error))
            continue
        projects, faults = _usable_projects(files_in(base_dir / VIA_DIR))
        found.extend(_with_project(video, projects) for video in videos)
        warnings.extend(faults)
    return found, list(dict.fromkeys(warnings))


def _usable_projects(paths: Sequence[Path]) -> tuple[list[Project], list[str]]:
    """Return the annotation files that can be used, and a line for each that cannot."""
    projects, warnings = read_dataset(paths)
    usable = []
    for project in projects:
        try:
            usable.append(project.checked())
        except DogclipsError as error:
            warnings.append(str(error))
    return usable, warnings


def _with_project(video: Path, projects: Sequence[Project]) -> InputRecording:
    for project in projects:
        for name, path in resolve_recordings(project.media_names, [video]).items():
            if path == video:
                return InputRecording(video, name, project)
    return InputRecording(video, video.name)
