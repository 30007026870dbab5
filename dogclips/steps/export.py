"""Export: write clips and their lists in the formats of other tools."""

from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from dogclips.errors import UsageError
from dogclips.events import Feed, Progress, Result
from dogclips.files import Paths, paths_of
from dogclips.lists.exporting import (
    COPYING,
    Export,
    ExportFormat,
    ExportSettings,
    export_clips,
    with_splits,
)
from dogclips.steps.inputs import read_inputs, warn_of_moved_labels


@dataclass(frozen=True, eq=False)
class ExportResult(Result):
    """What was exported, and where to."""

    export: Export


def export(
    inputs: Paths,
    out: str | Path,
    *,
    format: ExportFormat,  # noqa: A002 (as the option is called)
    prefix: str | Path | None = None,
    root: str | Path | None = None,
    separator: str | None = None,
    shard_size: int | None = None,
    skip_unfit: bool = False,
    progress: Progress | None = None,
) -> ExportResult:
    """Write clips and labels as other tools read them.

    A clip belongs to the split that its list is named after: train, val or test. `out` gets the
    lists or clips, `labels.txt`, and `export.json` with what was exported.

    Parameters
    ----------
    inputs
        Lists, split folders, or cut sessions.
    out
        Folder to create, or the folder of an earlier export in the same format.
    format
        Tool or file format to write for.
    prefix
        Folder that paths in the new lists are relative to; None for the folder that holds all
        sessions.
    root
        Folder that paths in the inputs are relative to; None for the folder of each list.
    separator
        Separator between path and label, for slowfast; None for one space.
    shard_size
        Number of clips per shard, for webdataset; None for 1000.
    skip_unfit
        Skip clips that the format cannot express.
    progress
        Called with each event.

    Returns
    -------
    result
        What was exported, and where to.

    Raises
    ------
    UsageError
        An argument has no effect for the format, or the separator is part of a path.
    ListError
        An input cannot be read, or the format cannot express a clip and `skip_unfit` is not set.
    OutputError
        The folder holds something else, or cannot be written.
    """
    feed, out = Feed(progress), Path(out)
    _check_arguments(format, separator, shard_size)
    settings = ExportSettings(
        format=format,
        prefix=None if prefix is None else Path(prefix),
        separator=" " if separator is None else separator,
        shard_size=shard_size or 1000,
        skip_unfit=skip_unfit,
    )
    clips, names = read_inputs(paths_of(inputs), feed, None if root is None else Path(root))
    clips = with_splits(clips)
    copying = feed.task(f"exporting to {out}", len(clips), "clips")
    with copying if format in COPYING else nullcontext(lambda _: None) as done:
        exported = export_clips(clips, names, out, settings, done)
    warn_of_moved_labels(clips, names, feed)
    return ExportResult(exported, **feed.kept)


def _check_arguments(
    export_format: ExportFormat, separator: str | None, shard_size: int | None
) -> None:
    given = {"--separator": (separator, "slowfast"), "--shard-size": (shard_size, "webdataset")}
    for option, (value, only) in given.items():
        if value is not None and export_format != only:
            raise UsageError(
                f"this option has no effect for {export_format}",
                where=option,
                todo=f"leave it out, or use --format {only}",
            )
