"""Clips and their lists in the formats of other tools."""

import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from dogclips.errors import ListError
from dogclips.lists.clip_paths import common_folder, unique_keys
from dogclips.lists.export_folder import export_folder
from dogclips.lists.formats import (
    ListFormat,
    check_separator,
    describe_clips,
    write_list_as,
)
from dogclips.lists.unfit import refuse_unfit, unfit_reasons
from dogclips.lists.video_folder import FOLDER_OF, write_video_folder
from dogclips.lists.webdataset_shards import write_shards
from dogclips.records.class_names import LABELS, write_labels
from dogclips.records.split import SPLITS

ExportFormat = ListFormat | Literal["videofolder", "webdataset"]

COPYING = frozenset({"videofolder", "webdataset"})  # formats that hold the clips themselves
UNSPLIT = "all"


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
    #: Clips that were left out, by reason (a key of `unfit.UNFIT_REASONS`).
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
    with export_folder(out, settings.format, record) as folder:
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
    """Return how many files the clips of one split became."""
    stem, prefix, separator = folder / split, settings.prefix, settings.separator
    if settings.format == "videofolder":
        described = describe_clips(clips, names, prefix)
        return write_video_folder(folder / FOLDER_OF[split], clips, described, watch)
    if settings.format == "webdataset":
        described = describe_clips(clips, names, prefix)
        return write_shards(stem, clips, described, settings.shard_size, watch)
    write_list_as(settings.format, stem, clips, names, prefix=prefix, separator=separator)
    return 1
