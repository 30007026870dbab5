"""Where the frames of a listed clip lie: in its own file, or still in the recording.

The second needs no cut file: the manifest beside the clips says which frames of which stream a clip
shows.
"""

import json
from collections.abc import Iterable, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import yaml

from dogclips.errors import ListError
from dogclips.media.excerpt import Excerpt, Pace, Window
from dogclips.records.manifest import read_manifest

# Which file the frames come from: the cut clip, or the recording that it was planned from.
FramesFrom = Literal["clips", "recordings"]


def excerpts(paths: Iterable[Path], source: FramesFrom) -> tuple[Excerpt, ...]:
    """Return where the frames of each clip lie.

    Parameters
    ----------
    paths
        Clips as a list names them; for recordings their files need not be there.
    source
        `recordings` looks each of them up in the manifest of its output folder.

    Raises
    ------
    ListError
        A clip was planned and never cut, or no manifest names it.
    OutputError
        A manifest cannot be read.
    """
    wanted = list(paths)
    if source == "recordings":
        known = _planned({path.parent for path in wanted})
        return tuple(_known(known, path) for path in wanted)
    for path in wanted:
        if not path.is_file():
            raise ListError(
                "the clip is not there", where=path, todo="cut it, or set data.source to recordings"
            )
    return tuple(Excerpt(path) for path in wanted)


def _known(known: Mapping[Path, Excerpt], path: Path) -> Excerpt:
    if path not in known:
        raise ListError(
            "no manifest names this clip",
            where=path,
            todo="cut it again, or set data.source to clips",
        )
    return known[path]


def _planned(folders: Iterable[Path]) -> dict[Path, Excerpt]:
    """Return the clips that manifests in these folders, or in the ones above them, name."""
    found: dict[Path, Excerpt] = {}
    for output in sorted({*folders, *(folder.parent for folder in folders)}):
        manifest = read_manifest(output)
        if manifest is None:
            continue
        paces = _Paces(output)
        for row in manifest.to_dict("records"):
            if row["clip"] and row["status"] != "skipped":
                found[output / str(row["clip"])] = _excerpt(output.parent, row, paces)
    return found


def _excerpt(session: Path, row: Mapping[Any, Any], paces: "_Paces") -> Excerpt:
    source = session / str(row["source"])
    if session.resolve() not in source.resolve().parents:
        raise ListError(
            "the recording lies outside of its session", where=source, todo="cut the session again"
        )
    stream = int(row["target_stream"])
    window = Window(
        first_pts=int(row["first_pts"]),
        last_pts=int(row["last_pts"]),
        num_frames=int(row["num_frames"]),
        rate=Fraction(str(row["frame_rate"])),
        begin_s=float(row["container_start_s"]),
        pace=paces.of(source.name, stream),
    )
    return Excerpt(source, stream, window)


class _Paces:
    """How the clips of a session time their frames, from its settings and what was measured."""

    def __init__(self, output: Path) -> None:
        try:
            config = yaml.safe_load((output / "config.yaml").read_text(encoding="utf-8"))
            probed = json.loads((output / "probe.json").read_text(encoding="utf-8"))
            self._resampled = config["frame_rate"] != "source"
            self._variable = {
                (Path(file["path"]).name, stream["index"])
                for file in probed["files"]
                for stream in file["streams"]
                if stream["variable_frame_rate"]
            }
        except (OSError, ValueError, LookupError, TypeError, yaml.YAMLError) as error:
            raise ListError(
                "config.yaml or probe.json is missing or damaged",
                where=output,
                todo="cut the session again",
            ) from error

    def of(self, name: str, stream: int) -> Pace:
        """Return the pace of the clips of a stream of the recording with this file name."""
        if self._resampled:
            return "resampled"
        return "timed" if (name, stream) in self._variable else "grid"
