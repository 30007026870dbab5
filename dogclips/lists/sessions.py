"""From a session's manifest to its lists, and back to clips that know where they come from."""

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from dogclips.clips.session import OUTPUT_DIR
from dogclips.errors import ListError
from dogclips.files import write_whole
from dogclips.lists.listfile import list_text, read_list
from dogclips.lists.verdicts import verdict_of
from dogclips.records.class_names import LABELS, labels_text, read_labels
from dogclips.records.manifest import FILE_ATTRIBUTE, ManifestIndex
from dogclips.records.mixups import kind_of, not_a_list, unfinished_cut
from dogclips.records.split import SPLITS

DATASET = "dataset.txt"

# One row a clip. `recording`, `project`, `session` and `subjects` (a tuple of names) are what clips
# can be grouped by; what annotators said of a whole recording follows in columns such as
# `file:camera`. Without a manifest a clip has no subjects, times (seconds of annotation time) or
# digest of its bytes, and was not compared (see `alignment.Verdict`). `list` is the file that the
# clip stands in.
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
    "verdict",
    "list",
)


def write_session_lists(
    output: Path,
    manifest: pd.DataFrame,
    classes: Sequence[str],
    documents: Mapping[str, str] | None = None,
    *,
    virtual: bool = False,
) -> None:
    """Write what a session has besides its clips and their manifest.

    That is `labels.txt`, `dataset.txt` and one `dataset.txt` for each project folder, and the texts
    of further `documents`, by name. Only clips that are there are listed, or also planned ones,
    which still lie in their recordings, if they are `virtual`.
    """
    listed = ["cut", "reused", *(["planned"] if virtual else [])]
    made = manifest[manifest["status"].isin(listed)]
    parts = {output: made} | {output / str(name): own for name, own in made.groupby("project")}
    texts = {output / LABELS: labels_text(output / LABELS, classes)}
    for folder, own in parts.items():
        clips = [str(output / clip) for clip in own["clip"]]
        texts[folder / DATASET] = list_text(folder / DATASET, clips, own["label_indices"])
    texts |= {output / name: text for name, text in (documents or {}).items()}
    for path, text in texts.items():
        write_whole(path, text)


def read_clips(
    inputs: Iterable[Path], root: Path | None = None
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Gather the clips of session folders, splits and lists, with one merged list of class names.

    They have the columns of `CLIP_COLUMNS`; `labels` holds tuples of indices into the names. Names
    are merged in the order in which they are first listed. Paths in the lists are relative to
    `root`; None means the folder of each list.
    """
    names: dict[str, int] = {}
    index = ManifestIndex()
    rows = []
    for clips in (read_list(path, root) for given in inputs for path in _lists_of(given)):
        listed_in = os.path.normpath(clips.path.absolute())
        indices = [names.setdefault(name, len(names)) for name in clips.labels]
        for clip in clips.clips:
            labels = tuple(sorted(indices[label] for label in clip.labels))
            known = clip_facts(clip.path, index)
            rows.append({"path": str(clip.path), "labels": labels, **known, "list": listed_in})
    attributes = dict.fromkeys(key for row in rows for key in row if key.startswith(FILE_ATTRIBUTE))
    table = pd.DataFrame(rows, columns=[*CLIP_COLUMNS, *attributes])
    table[[*attributes]] = table[[*attributes]].fillna("")
    twice = table[table["path"].duplicated()]
    if len(twice):
        raise ListError(
            "two inputs list the same clip", where=twice["path"].iloc[0], todo="drop one"
        )
    return table, tuple(names)


def clip_facts(clip: Path, index: ManifestIndex) -> dict[str, Any]:
    """Return what a manifest says of a clip, or its name and folders where none does.

    These are the `CLIP_COLUMNS` that a list does not hold, and the annotators' attributes of the
    whole recording. The path is absolute, as in lists that were read.
    """
    row = index.find(clip)
    if row is not None:
        return {
            "recording": f"{row.session}/{row['source']}",
            "project": f"{row.session}/{row['project']}",
            "session": str(row.session),
            "subjects": tuple(row["subjects"]),
            **{name: row[name] for name in ("start_s", "end_s", "sha256")},
            "verdict": verdict_of(row["verdict"]),
            **row.attributes,
        }
    return {
        "recording": f"{clip.parent}/{clip.stem.rpartition('_start')[0] or clip.stem}",
        "project": str(clip.parent),
        "session": str(clip.parent.parent),
        "subjects": (),
        "start_s": float("nan"),
        "end_s": float("nan"),
        "sha256": "",
        "verdict": verdict_of(""),
    }


def has_clips(path: Path) -> bool:
    """Return whether any list of an input has lines; an input without lists counts as having."""
    lists = [own for own in _lists_of(path) if own.is_file()]
    return not lists or any(own.stat().st_size for own in lists)


def moved_labels(
    clips: pd.DataFrame, names: Sequence[str]
) -> dict[str, dict[str, tuple[int, int]]]:
    """Return, by list and name, the index in the list's own `labels.txt` and the other, merged one.

    The first input keeps its indices; where a later one numbers the same names otherwise, or has
    names of its own, merging gives it others. Lists that keep all are left out.
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


def _lists_of(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    for folder in (path / OUTPUT_DIR, path):
        if (folder / DATASET).is_file():
            return [folder / DATASET]
    lists = [path / f"{split}.txt" for split in SPLITS if (path / f"{split}.txt").is_file()]
    if lists:
        return lists
    wrong = unfinished_cut(path)
    if wrong is None and kind_of(path) == "run":
        wrong = not_a_list(path)
    if wrong is not None:
        raise wrong
    raise ListError("no clips here", where=path, todo=f"cut them first: `dogclips cut {path}`")
