"""The manifest: one row per planned window, cut or not, with everything needed to audit it."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from dogclips.config import ConfigT
from dogclips.errors import OutputError
from dogclips.files import safe_cell, whole_file
from dogclips.records.columns import Column, dtypes
from dogclips.records.documents import record_of
from dogclips.records.probe import PROBE, ProbeRecord
from dogclips.records.settings import SETTINGS, read_settings

MANIFEST = "manifest.parquet"
FILE_ATTRIBUTE = "file:"  # how the name of a column begins that holds one

# Answers about a whole recording follow in columns such as `file:camera`, as text.
MANIFEST_TABLE = (
    Column("project", "str", "Annotation file: its name without suffix; of several, the first."),
    Column("projects", "object", "All annotation files that name the recording."),
    Column("source", "str", "Recording that is cut, relative to the session folder."),
    Column(
        "annotated", "str", "Recording that was annotated, where that is a copy of it; else empty."
    ),
    Column("clip", "str", "Clip, relative to `output/`; empty where none was planned."),
    Column("status", "str", "planned, cut, reused, stale, skipped or failed."),
    Column("reason", "str", "Why a window was skipped or failed; else empty."),
    Column("start_s", "float64", "Start in annotation time, as the player showed it.", "s"),
    Column("end_s", "float64", "End in annotation time.", "s"),
    Column("labels", "object", "Labels of the window, in class order."),
    Column("label_indices", "object", "Their class indices, as in `labels.txt`."),
    Column("with_task", "boolean", "Whether labels are written `task:label`."),
    Column("tasks", "object", "Tasks of the segments that gave the labels."),
    Column("subjects", "object", "Subjects of the segments that gave the labels."),
    Column("reference_stream", "Int64", "Index of the stream that the annotator saw."),
    Column("target_stream", "Int64", "Index of the stream that the clip is cut from."),
    Column("annotated_in", "str", "Player of the annotator, which says what time 0 is."),
    Column(
        "alignment", "str", "What aligns the streams: identity, timestamps, frame-count or content."
    ),
    Column("verified", "boolean", "Whether the pixels confirm the alignment."),
    Column(
        "verdict",
        "str",
        "What the pixels say of the clip: confirmed, still, contradicted or not-compared.",
    ),
    Column("offset_s", "float64", "How much later the target starts than the reference.", "s"),
    Column("error_s", "float64", "Bound of the error of a mapped time, outside of doubts.", "s"),
    Column("container_start_s", "float64", "Start in container time of the target stream.", "s"),
    Column("container_start", "str", "The same as an exact fraction.", "s"),
    Column("first_pts", "Int64", "Timestamp of the first frame, in units of `time_base`."),
    Column("last_pts", "Int64", "Timestamp of the last frame, in units of `time_base`."),
    Column("time_base", "str", "Unit of the timestamps, as an exact fraction.", "s"),
    Column("num_frames", "Int64", "Frames of the clip.", "frames"),
    Column("frame_rate", "str", "Frame rate of the clip, as an exact fraction.", "1/s"),
    Column("timing", "str", "How frames are timed: grid, timed or resampled."),
    Column("width", "Int64", "Width of the clip.", "px"),
    Column("height", "Int64", "Height of the clip.", "px"),
    Column("size_bytes", "Int64", "Size of the clip.", "bytes"),
    Column("sha256", "str", "SHA-256 digest of the clip."),
    Column("rules", "Int64", "Version of the cutting rules."),
    Column("recipe", "str", "Digest of all that decides the clip's bytes."),
    Column("made_by", "str", "Program and encoder that cut the clip."),
)
MANIFEST_COLUMNS = dtypes(MANIFEST_TABLE)
_LISTS = tuple(name for name, dtype in MANIFEST_COLUMNS.items() if dtype == "object")
# What 0.2.0 did not store, and what 0.1.0 did not either.
_NEW = ("projects", "annotated", "verdict")
_NEWER = ("with_task", "container_start", "timing", "rules")
_COLUMNS_0_2 = [name for name in MANIFEST_COLUMNS if name not in _NEW]
_COLUMNS_0_1 = [name for name in _COLUMNS_0_2 if name not in _NEWER]


def manifest_table(rows: Iterable[Mapping[Any, Any]]) -> pd.DataFrame:
    """Return rows as a DataFrame with the columns and dtypes of `MANIFEST_COLUMNS`.

    Columns of file attributes follow, each as text, in the order in which rows bring them.
    """
    found = list(rows)
    attributes = dict.fromkeys(str(key) for row in found for key in row if _is_attribute(key))
    return _typed(pd.DataFrame(found, columns=[*MANIFEST_COLUMNS, *attributes]))


def _typed(table: pd.DataFrame) -> pd.DataFrame:
    attributes = [str(name) for name in table.columns if _is_attribute(name)]
    texts = [name for name, dtype in MANIFEST_COLUMNS.items() if dtype == "str"]
    filled = {name: table[name].astype("object").fillna("") for name in (*texts, *attributes)}
    lists = {
        name: pd.Series([_listed(cell) for cell in table[name]], table.index, dtype="object")
        for name in _LISTS
    }
    typed = table.assign(**filled, **lists)[[*MANIFEST_COLUMNS, *attributes]]
    return typed.astype(MANIFEST_COLUMNS | dict.fromkeys(attributes, "str"))


def _is_attribute(column: object) -> bool:
    return str(column).startswith(FILE_ATTRIBUTE)


def _listed(value: Any) -> list[Any]:
    """Return the values of a list cell; a row without any has none."""
    return [] if isinstance(value, float) else list(value)


def with_rows(table: pd.DataFrame, *more: pd.DataFrame) -> pd.DataFrame:
    """Return a manifest with the rows of others behind its own."""
    there = [own for own in more if len(own)]
    return _typed(pd.concat([table, *there], ignore_index=True)) if there else table


def read_manifest(output: Path) -> pd.DataFrame | None:
    """Return the manifest of an output folder; None if there is none yet."""
    path = output / MANIFEST
    if not os.path.isfile(path):  # noqa: PTH113 (Path.is_file raises on a name that is too long)
        return None
    todo = "cut again with --force"
    try:
        stored = pd.read_parquet(path)
    except (OSError, ValueError) as error:
        raise OutputError("the manifest cannot be read", where=path, todo=todo) from error
    documents = {name: output / name for name in (SETTINGS, PROBE)}
    try:
        return stored_manifest(stored, documents)
    except LookupError as error:
        raise OutputError("the manifest has unexpected columns", where=path, todo=todo) from error


def stored_manifest(stored: pd.DataFrame, documents: Mapping[str, Path | str]) -> pd.DataFrame:
    """Return a table as it was read from a file in the declared types.

    What earlier versions did not store is filled in, and empty where unknown. `documents` are what
    was written beside it, by file name: texts, or files that are read if they are needed. Other
    columns than those of a manifest are a LookupError.
    """
    columns = [name for name in stored.columns if not _is_attribute(name)]
    if columns == list(MANIFEST_COLUMNS):
        return _typed(stored)
    columns = [name for name in columns if name not in _NEW]
    alone = pd.Series([[name] for name in stored["project"]], stored.index, dtype="object")
    texts = {name: stored.get(name, "") for name in _NEW if name != "projects"}
    stored = stored.assign(projects=stored.get("projects", alone), **texts)
    if columns == _COLUMNS_0_2:
        return _typed(stored)
    if columns != _COLUMNS_0_1:
        raise LookupError("unexpected columns")
    begins = zip(stored["container_start_s"], stored["time_base"], strict=True)
    return _typed(
        stored.assign(
            with_task=None,
            container_start=[_container_start(begin_s, base) for begin_s, base in begins],
            timing=_timings(stored, documents),
            rules=pd.Series([1 if r else None for r in stored["recipe"]], stored.index, "Int64"),
        )
    )


def _container_start(begin_s: float, time_base: str | None) -> str:
    """Return the exact time that 0.1.0 rounded to a float: a whole tick if it is that close to one.

    The millionth of a tick is far more than the rounding, and far less than any time between ticks.
    """
    if not time_base:
        return ""
    ticks = Fraction(begin_s) / Fraction(time_base)
    near = round(ticks)
    return str(near * Fraction(time_base) if abs(near - ticks) < 1e-6 else Fraction(begin_s))


def _timings(stored: pd.DataFrame, documents: Mapping[str, Path | str]) -> list[str]:
    """Return how the clips of a session time their frames, from its settings and streams."""
    try:
        texts = {
            name: held if isinstance(held, str) else held.read_text(encoding="utf-8")
            for name, held in documents.items()
        }
        resampled = yaml.safe_load(texts[SETTINGS])["frame_rate"] != "source"
        files = record_of(ProbeRecord, texts[PROBE]).files
    except (OSError, ValueError, LookupError, TypeError, yaml.YAMLError):
        return [""] * len(stored)
    variable = {(f.name, s.index) for f in files for s in f.streams if s.variable_frame_rate}
    usual = ["grid", "timed"] if not resampled else ["resampled", "resampled"]
    return [
        usual[(Path(source).name, stream) in variable] if rate else ""
        for source, stream, rate in zip(
            stored["source"], stored["target_stream"], stored["frame_rate"], strict=True
        )
    ]


def write_manifest(table: pd.DataFrame, output: Path) -> None:
    """Write `manifest.parquet`, and `manifest.csv` for people."""
    with whole_file(output / MANIFEST) as part:
        table.to_parquet(part, index=False)
    attributes = [name for name in table.columns if _is_attribute(name)]
    lists = {name: table[name].map(_joined) for name in _LISTS}
    texts = {
        name: table[name].map(safe_cell)
        for name in ("project", "source", "annotated", "reason", *attributes)
    }
    with whole_file(output / "manifest.csv") as part:
        table.assign(**lists, **texts).to_csv(part, index=False)


def _joined(values: list[object]) -> str:
    return safe_cell(" | ".join(str(value) for value in values))


class _Manifest:
    """A manifest whose rows are found by their clip, and whose cells are read one by one."""

    def __init__(self, table: pd.DataFrame) -> None:
        self.row_of = {clip: row for row, clip in enumerate(table["clip"]) if clip}
        self.attributes = [str(name) for name in table.columns if _is_attribute(name)]
        self._table = table
        self._cells: dict[str, list[Any]] = {}

    def cell(self, row: int, column: str) -> Any:
        if column not in self._cells:
            self._cells[column] = self._table[column].tolist()
        return self._cells[column][row]


@dataclass(frozen=True, slots=True)
class ManifestRow:
    """The row of one clip."""

    output: Path  #: The folder of the manifest, where the name of the clip starts
    _manifest: _Manifest
    _row: int

    def __getitem__(self, column: str) -> Any:
        """Return the value of a column; see `MANIFEST_COLUMNS`."""
        return self._manifest.cell(self._row, column)

    @property
    def session(self) -> Path:
        """Return the session folder, where the name of the source starts."""
        return self.output.parent

    @property
    def attributes(self) -> dict[str, str]:
        """Return what annotators said of the whole recording, by column."""
        return {name: self[name] for name in self._manifest.attributes}


class ManifestIndex:
    """Finds the manifest row of a clip, in its own folder or else in the one above.

    Each manifest is read once, when the first clip asks for it; clips are absolute paths, and need
    not be there.
    """

    def __init__(self) -> None:
        self._manifests: dict[Path, _Manifest | None] = {}

    def find(self, clip: Path) -> ManifestRow | None:
        """Return the row of a clip; None if no manifest names it."""
        folder = clip.parent
        for output, name in ((folder, clip.name), (folder.parent, f"{folder.name}/{clip.name}")):
            manifest = self._manifest_in(output)
            if manifest is not None and name in manifest.row_of:
                return ManifestRow(output, manifest, manifest.row_of[name])
        return None

    def with_task(self, clips: Iterable[Path]) -> bool | None:
        """Return whether labels of these clips are all `task:label`; None if unknown."""
        stored = {row and row["with_task"] for row in map(self.find, clips)}
        if False in stored:
            return False
        return True if stored == {True} else None

    def _manifest_in(self, output: Path) -> _Manifest | None:
        if output not in self._manifests:
            table = read_manifest(output)
            self._manifests[output] = None if table is None else _Manifest(table)
        return self._manifests[output]


def settings_of_cut(model: type[ConfigT], clip: Path) -> ConfigT | None:
    """Return the settings beside the manifest of a clip's folder, or else of the one above.

    None where no `dogclips cut` tells; the clip itself need not be there any more.
    """
    for output in (clip.parent, clip.parent.parent):
        if (output / MANIFEST).is_file() and (output / SETTINGS).is_file():
            return read_settings(model, output)
    return None
