"""From a session's manifest to its lists, and back to clips that know where they come from."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from dogclips.clips.manifest import MANIFEST, read_manifest
from dogclips.clips.session import OUTPUT_DIR
from dogclips.errors import ListError
from dogclips.lists.listfile import LABELS, ListedClip, read_list, write_labels, write_list

DATASET = "dataset.txt"

# One row a clip. `recording`, `project` and `session` are what clips can be grouped by.
CLIP_COLUMNS = ("path", "labels", "recording", "project", "session")


def write_session_lists(output: Path, manifest: pd.DataFrame, classes: Sequence[str]) -> None:
    """Write `labels.txt`, `dataset.txt` and one `dataset.txt` for each project folder.

    Parameters
    ----------
    manifest
        Columns of `clips.manifest.MANIFEST_COLUMNS`; only clips that are there are listed.
    """
    made = manifest[manifest["status"].isin(["cut", "reused"])]
    write_labels(output / LABELS, classes)
    write_list(output / DATASET, _listed(output, made))
    for project, own in made.groupby("project"):
        write_list(output / str(project) / DATASET, _listed(output, own))


def read_clips(inputs: Iterable[Path]) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Gather the clips of session folders and lists, with one merged list of class names.

    Returns
    -------
    clips
        Columns of `CLIP_COLUMNS`; `labels` holds tuples of indices into the names.
    names
        Class names of all inputs, merged by name in the order in which they are first listed.

    Raises
    ------
    ListError
        An input is no list and no session folder with clips, or two inputs list the same clip.
    """
    names: dict[str, int] = {}
    rows = []
    for path in inputs:
        clips = read_list(_list_of(path))
        origins = _origins(clips.path)
        indices = [names.setdefault(name, len(names)) for name in clips.labels]
        for clip in clips.clips:
            labels = tuple(sorted(indices[label] for label in clip.labels))
            origin = origins.get(clip.path) or _origin_by_name(clip.path)
            rows.append((str(clip.path), labels, *origin))
    table = pd.DataFrame(rows, columns=list(CLIP_COLUMNS))
    twice = table[table["path"].duplicated()]
    if len(twice):
        raise ListError(
            "two inputs list the same clip", where=twice["path"].iloc[0], todo="drop one"
        )
    return table, tuple(names)


def _listed(output: Path, rows: pd.DataFrame) -> list[ListedClip]:
    return [
        ListedClip(output / str(row["clip"]), tuple(row["label_indices"]))
        for row in rows.to_dict("records")
    ]


def _list_of(path: Path) -> Path:
    if not path.is_dir():
        return path
    for folder in (path / OUTPUT_DIR, path):
        if (folder / DATASET).is_file():
            return folder / DATASET
    raise ListError("no clips here", where=path, todo="run `dogclips cut` on this folder first")


def _origins(list_path: Path) -> dict[Path, tuple[str, str, str]]:
    """Return (recording, project, session) of each clip that a manifest beside the list names."""
    folder = Path(os.path.normpath(list_path.parent.absolute()))
    output = folder if (folder / MANIFEST).is_file() else folder.parent
    manifest = read_manifest(output)
    if manifest is None:
        return {}
    session = str(output.parent)
    return {
        output / str(row["clip"]): (
            f"{session}/{row['source']}",
            f"{session}/{row['project']}",
            session,
        )
        for row in manifest.to_dict("records")
        if row["clip"]
    }


def _origin_by_name(clip: Path) -> tuple[str, str, str]:
    """Return (recording, project, session) from a clip's name and folders."""
    recording = clip.stem.rpartition("_start")[0] or clip.stem
    return f"{clip.parent}/{recording}", str(clip.parent), str(clip.parent.parent)
