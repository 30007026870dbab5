"""Convert: turn annotations of any known format into a VIA project or a table."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from dogclips.alignment import AnnotatedIn
from dogclips.annotations import Project, grouped, read_annotations
from dogclips.annotations.boris_tables import write_boris_intervals
from dogclips.annotations.plain import write_plain
from dogclips.annotations.project import refusal
from dogclips.annotations.via_writing import write_via
from dogclips.clips.session import videos_in
from dogclips.clips.viewing import project_in_seconds
from dogclips.errors import UsageError
from dogclips.events import Feed, Progress, Result
from dogclips.steps.arguments import check_replaced

ConvertTo = Literal["via", "csv", "boris-csv"]

# What writes it, and the player in which it will be looked at: times count from its zero.
_WRITERS: Mapping[ConvertTo, tuple[Callable[[Project, Path], dict[str, int]], AnnotatedIn]] = {
    "via": (write_via, "chrome"),
    "csv": (write_plain, "chrome"),
    "boris-csv": (write_boris_intervals, "mpv"),
}
_SAME_ZERO = (".mp4", ".m4v", ".mov")


@dataclass(frozen=True, eq=False)
class ConvertResult(Result):
    """What was written; every error of a project that is refused is a failure."""

    project: Project  #: What was read, with all its issues
    output: Path
    to: ConvertTo
    written: int = 0  #: How many labels were written
    #: How many things of each kind there are that the format has no place for.
    left_out: Mapping[str, int] = field(default_factory=dict)


def convert(
    source: str | Path,
    out: str | Path,
    *,
    to: ConvertTo,
    videos: str | Path | None = None,
    force: bool = False,
    progress: Progress | None = None,
) -> ConvertResult:
    """Write annotations in another format, and list what that format cannot hold.

    Parameters
    ----------
    source
        Annotation file in any format that dogclips reads.
    out
        The file to write.
    to
        A VIA 3 project, a plain table, or the table that BORIS exports.
    videos
        Folder of the recordings; needed for annotations that count frames.
    force
        Replace `out`.
    progress
        Called with each event.

    Returns
    -------
    result
        What was read and written, and what the format has no place for. If the file is refused,
        each of its errors is a failure.

    Raises
    ------
    UsageError
        The folder `videos` does not exist.
    OutputError
        `out` exists, is the input, or cannot be written.
    AnnotationError, SessionError, MediaError, AlignmentError
        Annotations count frames, and the times of the frames cannot be measured.
    """
    feed, source, out = Feed(progress), Path(source), Path(out)
    check_replaced(source, out, force=force)
    project = read_annotations(source)
    _tell_issues(project, feed)
    if feed.failures:
        return ConvertResult(project, out, to, **feed.kept)
    write, player = _WRITERS[to]
    _warn_of_another_zero(project, player, feed)
    if videos is not None:
        if not Path(videos).is_dir():
            raise UsageError("no such folder", where=f"--videos {videos}", todo="name a folder")
        project = project_in_seconds(project, videos_in(Path(videos)), player)
    left_out = write(project, out)
    unwritten = sum(left_out.get(kind, 0) for kind in ("points", "segments without length"))
    written = len(project.segments) - unwritten
    return ConvertResult(project, out, to, written, left_out, **feed.kept)


def _tell_issues(project: Project, feed: Feed) -> None:
    """Tell of every error, and of warnings that say the same of several places once."""
    for issue in project.errors:
        feed.fail(refusal(project.path, (issue,)))
    for issue, number in grouped(project.issues):
        if issue.level == "warning":
            place = f"{project.path}: {issue.place}" if issue.place else project.path
            more = f" (and {number - 1} more)" if number > 1 else ""
            feed.warn(f"{issue.text} ({place}){more}", issue.code)


def _warn_of_another_zero(project: Project, player: AnnotatedIn, feed: Feed) -> None:
    """Warn where mpv and a browser may call different instants zero: outside of MP4."""
    if project.player == "frames" or (project.player == "mpv") == (player == "mpv"):
        return
    others = [name for name in project.media_names if not name.lower().endswith(_SAME_ZERO)]
    if others:
        feed.warn(
            f"times are written as they were read, but mpv and browsers count from different "
            f"instants where a recording starts late ({project.path}): check {', '.join(others)} "
            f"with `dogclips probe`"
        )
