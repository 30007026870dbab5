"""`dogclips check`: list what is wrong with annotation files, and show what they hold."""

from pathlib import Path
from typing import Annotated

from typer import Argument, Option

import dogclips
from dogclips.cli.console import Show, leave, print_document, print_result
from dogclips.cli.options import ConfigFiles, Json, OnUnknownLabel, Overrides, chosen_settings
from dogclips.errors import UsageError

RECORDINGS = "Recordings"

EXAMPLES = """
  Check a session before cutting it:
  $ dogclips check Feb/2_2_kt

  Check one annotation file without its recordings:
  $ dogclips check Feb/2_2_kt/via/0205.json --no-videos
"""


def check(
    paths: Annotated[list[Path], Argument(metavar="PATH", help="Sessions, or annotation files.")],
    videos: Annotated[
        Path | None,
        Option(
            metavar="DIR",
            exists=True,
            file_okay=False,
            help="Folder of the recordings.",
            show_default="video/ of the session, else the folder of the file",
            rich_help_panel=RECORDINGS,
        ),
    ] = None,
    no_videos: Annotated[
        bool,
        Option(
            "--no-videos",
            help="Check the annotation files without their recordings.",
            rich_help_panel=RECORDINGS,
        ),
    ] = False,
    on_unknown: OnUnknownLabel = None,
    config: ConfigFiles = None,
    set_: Overrides = None,
    as_json: Json = False,
) -> None:
    """List what is wrong with annotation files and their recordings.

    Each finding has a code, a place and what to do. Nothing is written. Takes the settings of
    `dogclips cut`.
    """
    from dogclips.reports.tables.check import check_document, check_reports

    if no_videos and videos is not None:
        raise UsageError(
            "these options conflict", where="--videos, --no-videos", todo="use one of them"
        )
    settings = chosen_settings(config, set_, {"labels.unknown": on_unknown})
    result = dogclips.check(paths, settings, videos=False if no_videos else videos, progress=Show())
    if as_json:
        print_document("check", check_document(result.files), result)
    else:
        print_result(*check_reports(result.files))
    leave(result)
