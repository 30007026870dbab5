"""`dogclips export`: clips and their lists in the formats of other tools."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from dogclips.cli.console import print_json, print_line, print_result, print_warning, progress_bar
from dogclips.cli.options import Json, with_clips
from dogclips.errors import UsageError


class Format(StrEnum):
    """The tool that reads it, or the kind of file."""

    mmaction2 = "mmaction2"
    slowfast = "slowfast"
    csv = "csv"
    parquet = "parquet"
    kinetics = "kinetics"
    videofolder = "videofolder"
    webdataset = "webdataset"


def export(
    inputs: Annotated[
        list[Path], typer.Argument(metavar="INPUT...", help="Lists, splits, or cut sessions.")
    ],
    out: Annotated[Path, typer.Option(metavar="DIR", help="New folder, or that of the last run.")],
    export_format: Annotated[Format, typer.Option("--format", help="Who reads it.")],
    prefix: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="What paths are relative to [folder of all sessions]."),
    ] = None,
    root: Annotated[
        Path | None, typer.Option(metavar="DIR", help="What paths in the inputs are relative to.")
    ] = None,
    separator: Annotated[
        str | None, typer.Option(help="slowfast: between path and label [one blank].")
    ] = None,
    shard_size: Annotated[
        int | None, typer.Option(metavar="CLIPS", min=1, help="webdataset: clips a shard [1000].")
    ] = None,
    skip_unfit: Annotated[
        bool, typer.Option("--skip-unfit", help="Leave out what the format cannot express.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Write clips and labels as other tools read them, and say how these load the result.

    A clip's split is the name of its list if that is train, val or test.

    Example: dogclips export data/split --format videofolder --out data/export
    """
    from dogclips.lists.exporting import COPYING, ExportSettings, export_clips, with_splits
    from dogclips.lists.sessions import moved_labels, read_clips
    from dogclips.reports.tables.export import export_document, export_table, loading_lines

    _check_options(export_format, separator, shard_size)
    settings = ExportSettings(
        format=export_format.value,
        prefix=prefix,
        separator=" " if separator is None else separator,
        shard_size=shard_size or 1000,
        skip_unfit=skip_unfit,
    )
    clips, names = read_clips(with_clips(inputs), root)
    clips = with_splits(clips)
    with progress_bar("clips") as progress:
        copying = export_format.value in COPYING  # lists are written in no time
        task = progress.add_task(f"exporting to {out}", total=len(clips), visible=copying)
        done = export_clips(clips, names, out, settings, lambda n: progress.advance(task, n))
    for path, moved in moved_labels(clips, names).items():
        own = ", ".join(f"{name} {before} is {after}" for name, (before, after) in moved.items())
        print_warning(f"{path}: merging gave labels other indices: {own}")
    if as_json:
        print_json(export_document(done))
    else:
        print_result(export_table(done))
        for line in loading_lines(done):  # for a file: nothing may fold them
            print_line(line)


def _check_options(export_format: Format, separator: str | None, shard_size: int | None) -> None:
    """Refuse options that mean nothing for the format."""
    given = {
        "--separator": (separator, Format.slowfast),
        "--shard-size": (shard_size, Format.webdataset),
    }
    for option, (value, only) in given.items():
        if value is not None and export_format != only:
            raise UsageError(
                f"it means nothing for {export_format.value}",
                where=option,
                todo=f"leave it out, or use --format {only.value}",
            )
