"""Made sessions and splits, and their export."""

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dogclips.lists import read_list
from dogclips.lists.exporting import (
    Export,
    ExportFormat,
    ExportSettings,
    export_clips,
    with_splits,
)
from dogclips.lists.sessions import read_clips, write_session_lists
from dogclips.records.manifest import manifest_table, write_manifest

LABELS = ("sit", "walk", "run")
FORMATS: tuple[ExportFormat, ...] = (
    "mmaction2",
    "slowfast",
    "csv",
    "parquet",
    "kinetics",
    "videofolder",
    "webdataset",
)
Row = tuple[str, float, tuple[str, ...]]  # recording, start, labels

ROWS: Sequence[Row] = (
    ("a", 0.0, ("sit",)),
    ("a", 2.5, ("sit", "run")),
    ("b", 0.0, ("walk",)),
    ("b", 4.0, ("run",)),
)


def make_session(
    base_dir: Path, rows: Sequence[Row] = ROWS, classes: tuple[str, ...] = LABELS
) -> Path:
    """Write a session of four-second clips, each of which holds its own name."""
    made: list[dict[str, Any]] = []
    for video, start_s, labels in rows:
        indices = [classes.index(label) for label in labels]
        clip = f"p/{video}_start{start_s}_{'-'.join(map(str, indices))}.mp4"
        path = base_dir / "output" / clip
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{base_dir.name}/{clip}")
        made.append(
            {
                "project": "p",
                "source": f"video/{video}.mp4",
                "clip": clip,
                "status": "cut",
                "labels": labels,
                "label_indices": indices,
                "subjects": ["Rex"],
                "start_s": start_s,
                "end_s": start_s + 4,
            }
        )
    manifest = manifest_table(made)
    write_manifest(manifest, base_dir / "output")
    write_session_lists(base_dir / "output", manifest, classes)
    return base_dir


def make_split(folder: Path, session: Path, splits: Mapping[str, Sequence[int]]) -> Path:
    """Write the lists of splits; each takes the clips of these numbers."""
    clips = read_list(session / "output" / "dataset.txt").clips
    folder.mkdir()
    shutil.copy(session / "output" / "labels.txt", folder)
    for split, numbers in splits.items():
        own = [clips[number] for number in numbers]
        lines = [f"{os.path.relpath(c.path, folder)} {' '.join(map(str, c.labels))}" for c in own]
        (folder / f"{split}.txt").write_text("".join(f"{line.strip()}\n" for line in lines))
    return folder


def exported(out: Path, inputs: Sequence[Path], export_format: ExportFormat, **more: Any) -> Export:
    clips, names = read_clips(inputs)
    wanted = ExportSettings(format=export_format, **more)
    return export_clips(with_splits(clips), names, out, wanted)


def files_in(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def content_of(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in files_in(folder)}


def read_json(path: Path) -> dict[str, Any]:
    document = json.loads(path.read_text())
    assert isinstance(document, dict)
    return document
