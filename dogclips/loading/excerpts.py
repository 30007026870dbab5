"""Where the frames of a listed clip lie: in its own file, or still in the recording.

The second needs no cut file: the manifest beside the clips says which frames of which stream a clip
shows.
"""

from collections.abc import Callable, Iterable
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Literal

from dogclips.clips.config import CutConfig
from dogclips.errors import DogclipsError, ListError
from dogclips.media.excerpt import Excerpt, Window
from dogclips.records.manifest import ManifestIndex, ManifestRow
from dogclips.records.settings import read_settings

# Which file the frames come from: the cut clip, or the recording that it was planned from.
FramesFrom = Literal["clips", "recordings"]


def excerpts(paths: Iterable[Path], source: FramesFrom) -> tuple[Excerpt, ...]:
    """Return where the frames of each clip lie, as a list names them.

    `recordings` looks each of them up in the manifest of its output folder; their files need not be
    there. A clip that was planned and never cut, or that no manifest names, is a ListError.
    """
    wanted = list(paths)
    if source == "recordings":
        index, source_of, deinterlaces = ManifestIndex(), cache(_source_of), cache(_deinterlaces)
        return tuple(
            _in_recording(index.find(path), path, source_of, deinterlaces) for path in wanted
        )
    for path in wanted:
        if not path.is_file():
            raise ListError(
                "the clip is missing", where=path, todo="cut it, or set data.source to recordings"
            )
    return tuple(Excerpt(path) for path in wanted)


def _source_of(session: Path, name: str) -> Path:
    source = session / name
    if session.resolve() not in source.resolve().parents:
        raise ListError(
            "the recording is outside its session", where=source, todo="cut the session again"
        )
    return source


def _deinterlaces(output: Path) -> bool:
    """Return whether the clips of a folder show one moment of each interlaced frame."""
    try:
        return read_settings(CutConfig, output).deinterlace == "auto"
    except DogclipsError:  # what earlier versions could not set
        return True


def _in_recording(
    row: ManifestRow | None,
    path: Path,
    source_of: Callable[[Path, str], Path],
    deinterlaces: Callable[[Path], bool],
) -> Excerpt:
    if row is None:
        raise ListError(
            "this clip is in no manifest",
            where=path,
            todo="cut it again, or set data.source to clips",
        )
    if not row["timing"]:
        raise ListError(
            "config.yaml or probe.json is missing or damaged",
            where=row.output,
            todo="cut the session again",
        )
    window = Window(
        first_pts=int(row["first_pts"]),
        last_pts=int(row["last_pts"]),
        num_frames=int(row["num_frames"]),
        rate=Fraction(row["frame_rate"]),
        begin_s=Fraction(row["container_start"]),
        timing=row["timing"],
        size=(int(row["width"]), int(row["height"])),
        deinterlace=deinterlaces(row.output),
    )
    return Excerpt(source_of(row.session, row["source"]), int(row["target_stream"]), window)
