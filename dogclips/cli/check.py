"""`dogclips check`: say what is wrong with annotation files, and what they hold."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dogclips.cli.console import print_json, print_result, print_warning, progress_bar
from dogclips.cli.options import ConfigFiles, Json, OnUnknownLabel, Overrides
from dogclips.errors import MediaError, SessionError, UsageError

if TYPE_CHECKING:
    from dogclips.annotations import Project
    from dogclips.clips.checks import CheckedProject, Found
    from dogclips.clips.recordings import Recording

Videos = Annotated[
    Path | None,
    typer.Option(
        "--videos",
        metavar="DIR",
        exists=True,
        file_okay=False,
        help="Where the recordings lie; default: video/ of the session, else beside the file.",
    ),
]

# What lies beside recordings and is none.
_NO_VIDEO = re.compile(
    r"\.(json|csv|tsv|txt|md|xml|eaf|pfsx|boris|gz|ya?ml|html|pdf|xlsx|h5|np[yz]|pkl|parquet|vtt|srt"
    r"|png|jpe?g)$",
    re.IGNORECASE,
)


def check(
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH...", help="Sessions or annotation files.")
    ],
    videos: Videos = None,
    no_videos: Annotated[
        bool, typer.Option("--no-videos", help="Check the annotation files alone.")
    ] = False,
    on_unknown: OnUnknownLabel = None,
    config: ConfigFiles = None,
    set_: Overrides = None,
    as_json: Json = False,
) -> None:
    """Check annotation files against each other and their recordings; show what they hold.

    Example: dogclips check dog_video/Feb/2_2_kt
    """
    from dogclips.clips.checks import check_projects
    from dogclips.clips.config import CutConfig
    from dogclips.config import load_config
    from dogclips.reports.tables.check import check_document

    if no_videos and videos is not None:
        raise UsageError("two answers", where="--videos, --no-videos", todo="give one of them")
    settings = [*(set_ or ()), *(["labels.unknown=" + on_unknown] if on_unknown else [])]
    cut_config = load_config(CutConfig, config or (), settings)
    projects = _read(paths, same_ids=cut_config.labels.option_ids == "same")
    found = None if no_videos else _recordings(projects, videos)
    checked = check_projects(projects, found, cut_config)
    if as_json:
        print_json(check_document(checked))
    else:
        _print_tables(checked)
    if any(file.status == "error" for file in checked):
        raise typer.Exit(1)


def _print_tables(checked: "Sequence[CheckedProject]") -> None:
    from dogclips.reports.tables.check import file_report, files_report, labels_report

    print_result(*(file_report(file) for file in checked))
    if any(len(file.segments) for file in checked):
        print_result(labels_report(checked))
    print_result(files_report(checked))


def _read(paths: Sequence[Path], *, same_ids: bool) -> "list[Project]":
    """Return every annotation file that is meant, as one dataset, in the order of the paths.

    A path that gives none is a file with its error. What lies in `via/` and is no project is left
    out, but not what is named itself.
    """
    from dogclips.annotations import read_annotations, read_dataset
    from dogclips.clips.session import projects_in

    files: dict[Path, Path] = {}  # by what they are, however they are named
    refused: dict[Path, Project] = {}
    for path in paths:
        try:
            for file in projects_in(path) if path.is_dir() else [path]:
                files.setdefault(file.resolve(), file)
        except SessionError as error:
            refused[path] = _refused(path, error)
    projects, others = read_dataset(files.values(), same_ids=same_ids)
    read = {project.path: project for project in projects}
    left_out = [file for file in files.values() if file not in read]
    for file, line in zip(left_out, others, strict=True):
        if file in paths:
            read[file] = read_annotations(file)
        else:
            print_warning(line)
    return [*(read[file] for file in files.values() if file in read), *refused.values()]


def _refused(path: Path, error: SessionError) -> "Project":
    """Return a project that says why a session folder has none."""
    from dogclips.annotations import Issue, Project
    from dogclips.segments import segment_table

    issue = Issue("V001", "", f"{error.what} ({error.where})", "error", error.todo)
    return Project(path, "", segment_table([]), (), (issue,))


def _recordings(projects: "Sequence[Project]", videos: Path | None) -> "dict[Path, Found]":
    """Return what was measured of the recordings of each annotation file, each looked at once."""
    from dogclips.clips.checks import media_of
    from dogclips.clips.session import resolve_recordings

    named = {
        project.path: resolve_recordings(
            [media.name for media in media_of(project)], _videos_of(project.path, videos)
        )
        for project in projects
    }
    paths = (path for own in named.values() for path in own.values() if isinstance(path, Path))
    measured = _measured(dict.fromkeys(paths))
    return {
        file: {
            name: path if isinstance(path, SessionError) else measured[path]
            for name, path in own.items()
        }
        for file, own in named.items()
    }


def _measured(paths: Iterable[Path]) -> "dict[Path, Recording]":
    from dogclips.clips.recordings import Recording
    from dogclips.media.probe import probe_many

    wanted = list(paths)
    with progress_bar("") as progress:
        progress.add_task("measuring recordings", total=None)
        tables = probe_many(wanted)
    return {
        path: Recording(path, None, None, table)
        if isinstance(table, MediaError)
        else Recording(path, table, None)
        for path, table in zip(wanted, tables, strict=True)
    }


def _videos_of(file: Path, videos: Path | None) -> list[Path]:
    """Return the files among which an annotation file's recordings are."""
    from dogclips.clips.session import VIA_DIR, VIDEO_DIR, files_in

    if videos is not None:
        return files_in(videos)
    folder = file.absolute().parent
    base_dir = file.parent.parent if file.parent.name else folder.parent
    if folder.name == VIA_DIR and (base_dir / VIDEO_DIR).is_dir():
        return files_in(base_dir / VIDEO_DIR)
    return [path for path in files_in(file.parent) if not _NO_VIDEO.search(path.name)]
