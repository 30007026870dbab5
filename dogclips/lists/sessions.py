"""From a session's manifest to its lists, and back to clips that know where they come from."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from dogclips.clips.session import OUTPUT_DIR
from dogclips.errors import ListError
from dogclips.lists.listfile import (
    LABELS,
    ListedClip,
    read_labels,
    read_list,
    write_labels,
    write_list,
)
from dogclips.records.manifest import FILE_ATTRIBUTE, read_manifest

DATASET = "dataset.txt"
SPLITS = ("train", "val", "test")

# One row a clip. `recording`, `project`, `session` and `subjects` (a tuple of names) are what clips
# can be grouped by; what annotators said of a whole recording follows in columns such as
# `file:camera`. Without a manifest a clip has no subjects, times (seconds of annotation time) or
# digest of its bytes. `list` is the file that the clip stands in.
CLIP_COLUMNS = (
    "path",
    "labels",
    "recording",
    "project",
    "session",
    "subjects",
    "start_s",
    "end_s",
    "sha256",
    "list",
)


def write_session_lists(
    output: Path, manifest: pd.DataFrame, classes: Sequence[str], *, virtual: bool = False
) -> None:
    """Write `labels.txt`, `dataset.txt` and one `dataset.txt` for each project folder.

    Parameters
    ----------
    manifest
        Columns of `clips.manifest.MANIFEST_COLUMNS`; only clips that are there are listed.
    virtual
        List planned clips as well, which still lie in their recordings.
    """
    listed = ["cut", "reused", *(["planned"] if virtual else [])]
    made = manifest[manifest["status"].isin(listed)]
    write_labels(output / LABELS, classes)
    write_list(output / DATASET, _listed(output, made))
    for project, own in made.groupby("project"):
        write_list(output / str(project) / DATASET, _listed(output, own))


def read_clips(
    inputs: Iterable[Path], root: Path | None = None
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Gather the clips of session folders, splits and lists, with one merged list of class names.

    Parameters
    ----------
    inputs
        Session folders, folders that `dogclips split` wrote, or list files.
    root
        What paths in the lists are relative to; None means the folder of each list.

    Returns
    -------
    clips
        Columns of `CLIP_COLUMNS`; `labels` holds tuples of indices into the names.
    names
        Class names of all inputs, merged by name in the order in which they are first listed.

    Raises
    ------
    ListError
        An input is no list and no folder with lists, or two of them list the same clip.
    """
    names: dict[str, int] = {}
    rows = []
    lists = [read_list(path, root) for given in inputs for path in _lists_of(given)]
    origins = origins_of(clip.path for clips in lists for clip in clips.clips)
    for clips in lists:
        listed_in = os.path.normpath(clips.path.absolute())
        indices = [names.setdefault(name, len(names)) for name in clips.labels]
        for clip in clips.clips:
            labels = tuple(sorted(indices[label] for label in clip.labels))
            origin = origins[clip.path]
            rows.append({"path": str(clip.path), "labels": labels, **origin, "list": listed_in})
    attributes = dict.fromkeys(key for row in rows for key in row if key.startswith(FILE_ATTRIBUTE))
    table = pd.DataFrame(rows, columns=[*CLIP_COLUMNS, *attributes])
    table[[*attributes]] = table[[*attributes]].fillna("")
    twice = table[table["path"].duplicated()]
    if len(twice):
        raise ListError(
            "two inputs list the same clip", where=twice["path"].iloc[0], todo="drop one"
        )
    return table, tuple(names)


def origins_of(paths: Iterable[Path]) -> dict[Path, dict[str, Any]]:
    """Return what manifests say of each clip, or its name and folders where there is none.

    Parameters
    ----------
    paths
        Absolute, as lists are read.

    Returns
    -------
    origins
        By clip: `CLIP_COLUMNS` without those that a list says, and what annotators said of the
        whole recording.
    """
    wanted = dict.fromkeys(paths)
    known = _origins({path.parent for path in wanted})
    return {path: known.get(path) or _origin_by_name(path) for path in wanted}


def has_clips(path: Path) -> bool:
    """Return whether any list of an input has lines; an input without lists counts as having."""
    lists = [own for own in _lists_of(path) if own.is_file()]
    return not lists or any(own.stat().st_size for own in lists)


def moved_labels(
    clips: pd.DataFrame, names: Sequence[str]
) -> dict[str, dict[str, tuple[int, int]]]:
    """Return, by list and name, indices that are not those of the list's own `labels.txt`.

    The first input keeps its indices; where a later one numbers the same names otherwise, or has
    names of its own, merging gives it others.

    Parameters
    ----------
    clips, names
        As `read_clips` returns them.

    Returns
    -------
    moved
        The index in the list's own `labels.txt` and the merged one. Lists that keep all are left
        out.
    """
    merged = {name: index for index, name in enumerate(names)}
    moved = {
        path: {
            name: (index, merged[name])
            for index, name in enumerate(read_labels(Path(path)))
            if merged[name] != index
        }
        for path in clips["list"].unique()
    }
    return {path: own for path, own in moved.items() if own}


def _listed(output: Path, rows: pd.DataFrame) -> list[ListedClip]:
    return [
        ListedClip(output / str(row["clip"]), tuple(row["label_indices"]))
        for row in rows.to_dict("records")
    ]


def _lists_of(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    for folder in (path / OUTPUT_DIR, path):
        if (folder / DATASET).is_file():
            return [folder / DATASET]
    lists = [path / f"{split}.txt" for split in SPLITS if (path / f"{split}.txt").is_file()]
    if lists:
        return lists
    raise ListError("no clips here", where=path, todo="run `dogclips cut` on this folder first")


def _origins(folders: set[Path]) -> dict[Path, dict[str, Any]]:
    """Return all but path and labels of each clip that a manifest beside or above it names."""
    found: dict[Path, dict[str, Any]] = {}
    for output in sorted(folders | {folder.parent for folder in folders}):
        manifest = read_manifest(output)
        if manifest is not None:
            found |= _origins_in(output, manifest)
    return found


def _origins_in(output: Path, manifest: pd.DataFrame) -> dict[Path, dict[str, Any]]:
    session = str(output.parent)
    columns = (str(name) for name in manifest.columns)
    attributes = [name for name in columns if name.startswith(FILE_ATTRIBUTE)]
    return {
        output / str(row["clip"]): {
            "recording": f"{session}/{row['source']}",
            "project": f"{session}/{row['project']}",
            "session": session,
            "subjects": tuple(row["subjects"]),
            **{name: row[name] for name in ("start_s", "end_s", "sha256", *attributes)},
        }
        for row in manifest.to_dict("records")
        if row["clip"]
    }


def _origin_by_name(clip: Path) -> dict[str, Any]:
    """Return what a clip's name and folders say of it."""
    return {
        "recording": f"{clip.parent}/{clip.stem.rpartition('_start')[0] or clip.stem}",
        "project": str(clip.parent),
        "session": str(clip.parent.parent),
        "subjects": (),
        "start_s": float("nan"),
        "end_s": float("nan"),
        "sha256": "",
    }
