"""Clips and their lists in the formats of other tools.

The `datasets` library loads a video folder with `load_dataset("videofolder", data_dir=...)`. It
takes splits from the names of folders, and what it is told of each video from a file `metadata`
beside them, whose `file_name` names the video. Source: `datasets/packaged_modules/videofolder` and
`folder_based_builder.py`.

WebDataset shards are tar files in which a clip and what is known of it share a key. It ends at the
first dot of a name; files of one key that stand together make a sample. Source:
`webdataset/tariterators.py`.
"""

import io
import json
import os
import shutil
import tarfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from dogclips.errors import ListError, OutputError
from dogclips.files import json_text, part_of, write_whole
from dogclips.lists.clip_paths import common_folder, unique_keys
from dogclips.lists.formats import (
    ListFormat,
    check_separator,
    describe_clips,
    refuse_unfit,
    unfit_reasons,
    write_list_as,
    write_parquet,
)
from dogclips.records.class_names import LABELS, write_labels
from dogclips.records.split import SPLITS

ExportFormat = ListFormat | Literal["videofolder", "webdataset"]

COPYING = frozenset({"videofolder", "webdataset"})  # formats that hold the clips themselves
UNSPLIT = "all"
# Clips without a split go to `train`, too: that is what the library calls the only split, and
# elsewhere it would take a file called `yard_test_1.mp4` for a split of its own.
FOLDER_OF = {"train": "train", "val": "validation", "test": "test", UNSPLIT: "train"}
# Text would leave the types of its columns to the first rows, and splits must have the same.
_METADATA = "metadata.parquet"
_RECORD = "export.json"


@dataclass(frozen=True)
class ExportSettings:
    """How clips are exported."""

    format: ExportFormat  #: The tool, or the kind of file
    #: The folder that paths are relative to; None means the deepest one that holds all sessions.
    prefix: Path | None = None
    separator: str = " "  #: What stands between path and label in a list for PySlowFast
    shard_size: int = 1000  #: Clips in a WebDataset shard
    skip_unfit: bool = False  #: Leave out what the format cannot express, instead of refusing all


@dataclass(frozen=True)
class SplitCount:
    """What became of the clips of a split."""

    #: Exported clips, and how many labels they carry together.
    clips: int
    labels: int
    files: int  #: Files that were written or linked
    #: Clips that were left out, by reason (a key of `formats.UNFIT_REASONS`).
    skipped: Mapping[str, int]


@dataclass(frozen=True)
class Export:
    """What was exported, and where to; `settings.prefix` is the folder that was used."""

    out: Path
    names: tuple[str, ...]
    settings: ExportSettings
    splits: Mapping[str, SplitCount]


def with_splits(clips: pd.DataFrame) -> pd.DataFrame:
    """Return clips with the column `split`: that of their list, or `all`; a mixture is refused."""
    stems = clips["list"].map(lambda path: Path(path).stem)
    splits = stems.where(stems.isin(SPLITS), UNSPLIT)
    if {UNSPLIT} < set(splits):
        raise ListError(
            "some inputs are lists of a split and some are not",
            where=clips["list"][splits == UNSPLIT].iloc[0],
            todo="give lists called train, val and test, or none of them",
        )
    return clips.assign(split=splits)


def export_clips(
    clips: pd.DataFrame,
    names: Sequence[str],
    out: Path,
    settings: ExportSettings,
    watch: Callable[[int], None] = lambda _: None,
) -> Export:
    """Export clips to a folder, replacing an earlier export in the same format.

    `clips` has the columns of `sessions.CLIP_COLUMNS`, and `split`. `watch` is called with how many
    more clips were copied, for a progress bar.
    """
    check_separator(settings.separator)
    prefix = settings.prefix or common_folder(clips["session"].tolist())
    prefix = Path(os.path.normpath(prefix.absolute()))
    settings = replace(settings, prefix=prefix)
    reasons = unfit_reasons(settings.format, clips, prefix, settings.separator)
    if not settings.skip_unfit:
        refuse_unfit(settings.format, clips, reasons)
    fit = clips[reasons == ""]
    if fit.empty:
        raise ListError(f"no clip fits {settings.format}", where=out, todo="choose another format")
    if settings.format in COPYING:
        fit = fit.assign(key=unique_keys(fit["path"].tolist()))
    counts: dict[str, SplitCount] = {}
    record: dict[str, Any] = {"prefix": str(prefix), "labels": list(names), "splits": {}}
    with _export_folder(out, settings.format, record) as folder:
        write_labels(folder / LABELS, names)
        for split in (name for name in (*SPLITS, UNSPLIT) if (clips["split"] == name).any()):
            own = fit[fit["split"] == split]
            files = _write_split(folder, split, own, names, settings, watch) if len(own) else 0
            skipped = dict(Counter(reasons[(clips["split"] == split) & (reasons != "")]))
            counts[split] = SplitCount(len(own), int(own["labels"].map(len).sum()), files, skipped)
            record["splits"][split] = asdict(counts[split])
    return Export(out, tuple(names), settings, counts)


def _write_split(
    folder: Path,
    split: str,
    clips: pd.DataFrame,
    names: Sequence[str],
    settings: ExportSettings,
    watch: Callable[[int], None],
) -> int:
    """Return how many files the clips of one split became; those to copy have a `key`."""
    stem, prefix, separator = folder / split, settings.prefix, settings.separator
    if settings.format == "videofolder":
        described = describe_clips(clips, names, prefix)
        return _write_video_folder(folder / FOLDER_OF[split], clips, described, watch)
    if settings.format == "webdataset":
        described = describe_clips(clips, names, prefix)
        return _write_shards(stem, clips, described, settings.shard_size, watch)
    write_list_as(settings.format, stem, clips, names, prefix=prefix, separator=separator)
    return 1


def _write_video_folder(
    folder: Path, clips: pd.DataFrame, described: pd.DataFrame, watch: Callable[[int], None]
) -> int:
    """Write clips beside their metadata, linked where the disk allows it."""
    folder.mkdir()
    names = []
    for path, key in zip(clips["path"], clips["key"], strict=True):
        names.append(f"{key}{Path(path).suffix.lower()}")
        _link(path, folder / names[-1])
        watch(1)
    table = described.copy()
    table.insert(0, "file_name", names)
    write_parquet(folder / _METADATA, table)
    return len(names) + 1


def _link(path: str, target: Path) -> None:
    with suppress(OSError):  # another disk, or one that has no hard links
        os.link(os.path.realpath(path), target)
        return
    shutil.copyfile(path, target)


def _write_shards(
    stem: Path,
    clips: pd.DataFrame,
    described: pd.DataFrame,
    shard_size: int,
    watch: Callable[[int], None],
) -> int:
    """Write `STEM-000000.tar` and so on, with `KEY.mp4` and `KEY.json` for each clip, in order.

    The same clips give the same bytes, whenever and by whomever they are written.
    """
    paths, keys = clips["path"].tolist(), clips["key"].tolist()
    known = described.astype("object").where(described.notna(), None).to_dict("records")
    starts = range(0, len(paths), shard_size)
    for number, start in enumerate(starts):
        shard_path = stem.with_name(f"{stem.name}-{number:06d}.tar")
        with tarfile.open(shard_path, "w", format=tarfile.PAX_FORMAT) as shard:
            for index in range(start, min(start + shard_size, len(paths))):
                path = Path(paths[index])
                _add(shard, f"{keys[index]}{path.suffix.lower()}", path.read_bytes())
                text = json.dumps(known[index], ensure_ascii=False)
                _add(shard, f"{keys[index]}.json", text.encode())
                watch(1)
    return len(starts)


def _add(shard: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)  # nobody's file, of 1970, readable for all
    entry.size = len(content)
    shard.addfile(entry, io.BytesIO(content))


@contextmanager
def _export_folder(out: Path, export_format: str, record: Mapping[str, Any]) -> Iterator[Path]:
    """Yield an empty folder; what the block leaves in it replaces an earlier export in `out`.

    Nothing changes in `out` while the block runs, or if it fails. `export.json` says what was
    exported: `record` as the block leaves it, and the names of all that belongs to the export.
    """
    staging = part_of(out / "export")
    try:
        earlier = _earlier(out, export_format, staging)
        shutil.rmtree(staging, ignore_errors=True)  # of a run that was killed
        staging.mkdir(parents=True)
        yield staging
        _publish(staging, out, {"format": export_format, **record}, earlier)
    except OSError as error:
        reason = error.strerror or str(error)
        where = error.filename or out
        raise OutputError(
            f"cannot export: {reason}", where=where, todo="fix it and run again"
        ) from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _earlier(out: Path, export_format: str, staging: Path) -> list[str]:
    """Return the names that an earlier export left in a folder."""
    present = {path.name for path in out.iterdir()} if out.is_dir() else set()
    if not present - {staging.name}:
        return []
    todo = "choose a new folder with --out"
    if _RECORD not in present:
        raise OutputError("the folder holds something other than an export", where=out, todo=todo)
    try:
        record = json.loads((out / _RECORD).read_text(encoding="utf-8"))
        if record["format"] == export_format:
            return [_plain(name) for name in record["entries"]]
    except (ValueError, KeyError, TypeError) as error:
        raise OutputError("not a record of ours", where=out / _RECORD, todo=todo) from error
    raise OutputError(f"the folder holds an export as {record['format']}", where=out, todo=todo)


def _plain(name: str) -> str:
    """Return a name, unless it leads out of the folder: what a record names is deleted."""
    if name in {"", ".", ".."} or Path(name).name != name:
        raise ValueError(name)
    return name


def _publish(staging: Path, out: Path, record: Mapping[str, Any], earlier: list[str]) -> None:
    """Replace the entries of an earlier export; the next run repairs a killed one."""
    made = sorted(path.name for path in staging.iterdir())
    _write_record(out, {**record, "finished": False, "entries": sorted({*earlier, *made})})
    for name in earlier:
        if (out / name).is_dir():
            shutil.rmtree(out / name)
        else:
            (out / name).unlink(missing_ok=True)
    for name in made:
        (staging / name).rename(out / name)
    _write_record(out, {**record, "finished": True, "entries": made})


EXPORT_KEYS = {
    "version": "Of the file: 1.",
    "format": "Format of the export.",
    "prefix": "Folder that paths in the lists are relative to.",
    "labels": "Class names, in order.",
    "splits": "For each split: clips, their labels, files, and skipped clips by reason.",
    "finished": "False while an export replaces an earlier one.",
    "entries": "Names in the folder that belong to the export; the next one replaces them.",
}


def _write_record(out: Path, record: Mapping[str, Any]) -> None:
    write_whole(out / _RECORD, json_text({"version": 1, **record}))
