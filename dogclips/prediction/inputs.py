"""The recordings that are asked for, and what annotation files say of each of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path

from dogclips.annotations import Project, read_dataset
from dogclips.clips.config import CutConfig
from dogclips.clips.labelled import apply_labels
from dogclips.clips.originals import originals_of
from dogclips.clips.session import (
    OUTPUT_DIR,
    VIA_DIR,
    VIDEO_DIR,
    files_in,
    recordings_in,
    resolve_recordings,
    session_in,
)
from dogclips.clips.viewing import Viewing
from dogclips.errors import DogclipsError, SessionError
from dogclips.files import Paths, paths_of
from dogclips.labels import LabelConfig
from dogclips.records.settings import read_settings
from dogclips.segments import last_end_s
from dogclips.timebase import Span, exact


@dataclass(frozen=True, eq=False)
class InputRecording:
    """A recording that is asked for, and the annotation file that names it, if there is one."""

    path: Path
    media_name: str  #: As the annotation file writes it; the file's name without one
    project: Project | None = None
    error: DogclipsError | None = None  #: Why the file cannot be used
    original: Path | None = None  #: What it is a copy of, where a session says so


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
        originals = _originals_in(base_dir)
        known = set(originals.values())
        own = (_with_project(video, projects) for video in videos)
        if path.is_dir():  # who names an original asks for it
            own = (one for one in own if one.project or one.path.absolute() not in known)
        found.extend(_with_original(one, originals.get(one.path.absolute())) for one in own)
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


def _originals_in(base_dir: Path) -> dict[Path, Path | SessionError]:
    """Return what recordings of a session are copies of, by its last cut and by `originals/`."""
    try:
        named = read_settings(CutConfig, base_dir / OUTPUT_DIR).originals
    except DogclipsError:  # it was never cut
        named = {}
    return originals_of(session_in(base_dir.absolute()), named)


def _with_original(one: InputRecording, original: Path | SessionError | None) -> InputRecording:
    if isinstance(original, SessionError):
        return replace(one, error=original)
    return replace(one, original=original)


@dataclass(frozen=True)
class ClassNames:
    """How annotated labels become the classes of a model."""

    #: Class names of the model, and whether they are `task:label`.
    labels: tuple[str, ...]
    with_task: bool = False
    #: As they were when its clips were cut.
    config: LabelConfig = field(default_factory=LabelConfig)
    tasks: str | tuple[str, ...] = "all"


@dataclass(frozen=True)
class AnnotatedBouts:
    """What was annotated of a recording, in the model's classes."""

    spans: Mapping[str, tuple[Span, ...]]  #: Of each class, in annotation time
    until_s: Fraction  #: When the last segment ends, of whichever label
    unknown: tuple[str, ...] = ()  #: Labels that are no class of the model


def annotated_bouts(
    recording: InputRecording, viewing: Viewing, names: ClassNames
) -> AnnotatedBouts | None:
    """Return what an annotation file says of a recording; None if there is none."""
    if recording.project is None:
        return None
    segments = recording.project.segments
    own = segments[segments["media_name"] == recording.media_name]
    timed = viewing.in_seconds(own)
    labelled = apply_labels(timed, names.config, names.tasks, with_task=names.with_task)
    lasting = labelled[labelled["kind"] == "state"]
    spans: dict[str, list[Span]] = {label: [] for label in names.labels}
    for row in lasting.to_dict("records"):
        span = Span(exact(row["t_start"]), exact(row["t_end"]))
        spans.setdefault(row["label"], []).append(span)
    return AnnotatedBouts(
        {label: tuple(spans[label]) for label in names.labels},
        last_end_s(timed),
        tuple(label for label in spans if label not in names.labels),
    )
