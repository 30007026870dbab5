"""`dogclips convert`: annotations of any format that we read become a VIA project or a table."""

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dogclips.cli.console import print_error, print_json, print_line, print_warning
from dogclips.cli.options import Json
from dogclips.errors import OutputError, UsageError

if TYPE_CHECKING:
    from dogclips.alignment import AnnotatedIn
    from dogclips.annotations import Project


class To(StrEnum):
    """What is written."""

    via = "via"
    csv = "csv"
    boris_csv = "boris-csv"


_SAME_ZERO = (".mp4", ".m4v", ".mov")
# The player in which what is written will be looked at: times count from its zero.
_PLAYERS: "Mapping[To, AnnotatedIn]" = {To.via: "chrome", To.csv: "chrome", To.boris_csv: "mpv"}


def convert(
    source: Annotated[Path, typer.Argument(metavar="IN", help="Annotations of any known format.")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="File to write.")],
    to: Annotated[To, typer.Option("--to", help="What to write.")],
    videos: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Recordings, where annotations count frames."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace OUT.")] = False,
    as_json: Json = False,
) -> None:
    """Write annotations in another format, and say what that format has no place for.

    Example: dogclips convert walk.boris walk.json --to via
    """
    from dogclips.annotations import read_annotations

    _check_out(source, out, force=force)
    project = read_annotations(source)
    _print_issues(project)
    if project.errors:
        raise typer.Exit(1)
    _warn_of_another_zero(project, to)
    if videos is not None:
        project = _in_seconds(project, videos, to)
    left_out = _write(project, out, to)
    document = _document(project, out, to, left_out)
    if as_json:
        print_json(document)
    else:
        print_line(_line(document))


def _check_out(source: Path, out: Path, *, force: bool) -> None:
    """Refuse to replace a file that was not meant to be replaced.

    Raises
    ------
    OutputError
        OUT is there already, or is what is read.
    """
    if out.exists() and source.exists() and out.samefile(source):
        raise OutputError("this file is read", where=out, todo="write to another one")
    if out.is_dir():
        raise OutputError("a folder", where=out, todo="name a file")
    if out.exists() and not force:
        raise OutputError("already there", where=out, todo="name another file or pass --force")


def _print_issues(project: "Project") -> None:
    """Print every error, and warnings that say the same of several places once."""
    from dogclips.annotations import grouped
    from dogclips.annotations.project import refusal

    for issue in project.errors:
        print_error(str(refusal(project.path, (issue,))))
    for issue, number in grouped(project.issues):
        if issue.level == "warning":
            place = f"{project.path}: {issue.place}" if issue.place else project.path
            more = f" (and {number - 1} more)" if number > 1 else ""
            print_warning(f"{issue.code} {issue.text} ({place}){more}")


def _warn_of_another_zero(project: "Project", to: To) -> None:
    """Warn where mpv and a browser may call different instants zero: outside of MP4."""
    if project.player == "frames" or (project.player == "mpv") == (_PLAYERS[to] == "mpv"):
        return
    others = [name for name in project.media_names if not name.lower().endswith(_SAME_ZERO)]
    if others:
        print_warning(
            f"times are written as they were read, but mpv and browsers count from different "
            f"instants where a recording starts late ({project.path}): check {', '.join(others)} "
            f"with `dogclips probe`"
        )


def _in_seconds(project: "Project", videos: Path, to: To) -> "Project":
    from dogclips.clips.viewing import project_in_seconds

    if not videos.is_dir():
        raise UsageError("no such folder", where=f"--videos {videos}", todo="name a folder")
    files = sorted(p for p in videos.iterdir() if p.is_file() and not p.name.startswith("."))
    return project_in_seconds(project, files, _PLAYERS[to])


def _write(project: "Project", out: Path, to: To) -> dict[str, int]:
    from dogclips.annotations.table_writing import write_boris_csv, write_csv
    from dogclips.annotations.via_writing import write_via

    writers = {To.via: write_via, To.csv: write_csv, To.boris_csv: write_boris_csv}
    return writers[to](project, out)


def _document(project: "Project", out: Path, to: To, left_out: Mapping[str, int]) -> dict[str, Any]:
    from dogclips.annotations import grouped

    unwritten = sum(left_out.get(kind, 0) for kind in ("points", "segments without length"))
    return {
        "version": 1,
        "input": str(project.path),
        "format": project.format,
        "output": str(out),
        "to": to.value,
        "written": len(project.segments) - unwritten,
        "left_out": dict(left_out),
        "warnings": [
            {"code": issue.code, "place": issue.place, "text": issue.text, "times": number}
            for issue, number in grouped(project.issues)
        ],
    }


def _line(document: Mapping[str, Any]) -> str:
    labels = "label" if document["written"] == 1 else "labels"
    line = f"{document['output']}: {document['written']} {labels} written"
    lost = ", ".join(f"{name} ({number})" for name, number in document["left_out"].items())
    return f"{line}; left out, as {document['to']} has no place for them: {lost}" if lost else line
