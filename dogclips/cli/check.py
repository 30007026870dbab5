"""`dogclips check`: say what is wrong with annotation files, and what they hold."""

from pathlib import Path
from typing import Annotated

from typer import Argument, Option

import dogclips
from dogclips.cli.console import Show, leave, print_document, print_result
from dogclips.cli.options import ConfigFiles, Json, OnUnknownLabel, Overrides, chosen_settings
from dogclips.errors import UsageError


def check(
    paths: Annotated[list[Path], Argument(metavar="PATH...", help="Sessions or annotation files.")],
    videos: Annotated[
        Path | None,
        Option(
            metavar="DIR",
            exists=True,
            file_okay=False,
            help="Where the recordings lie; default: video/ of the session, else beside the file.",
        ),
    ] = None,
    no_videos: Annotated[
        bool, Option("--no-videos", help="Check the annotation files alone.")
    ] = False,
    on_unknown: OnUnknownLabel = None,
    config: ConfigFiles = None,
    set_: Overrides = None,
    as_json: Json = False,
) -> None:
    """Check annotation files against each other and their recordings; show what they hold.

    Example: dogclips check dog_video/Feb/2_2_kt
    """
    from dogclips.reports.tables.check import check_document, check_reports

    if no_videos and videos is not None:
        raise UsageError("two answers", where="--videos, --no-videos", todo="give one of them")
    settings = chosen_settings(config, set_, {"labels.unknown": on_unknown})
    result = dogclips.check(paths, settings, videos=False if no_videos else videos, progress=Show())
    if as_json:
        print_document("check", check_document(result.files), result)
    else:
        print_result(*check_reports(result.files))
    leave(result)
